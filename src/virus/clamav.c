/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* libclamav behind the engine interface; the only file that knows clamav.h. The library answers "clean" in
   many situations in which it could not look: every message it logs as an error, every odd return and every
   limit it reports makes the answer something else than clean. */
#include "virus/clamav.h"

#include <clamav.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/log.h"
#include "config/signatures.h"

enum { FOLDERS = 2, SHRINK_BYTES = 1 << 20 };

struct folder {
    char path[1024];
    struct cl_stat state;
    bool is_watched, is_loaded;
};

struct clamav {
    struct engine engine; /* first: the interface's view of it */
    struct cl_engine *library;
    struct folder folders[FOLDERS];
    uint64_t most_bytes;
    struct buffer message; /* a whole message with our line before it */
};

/* What the library said during one scan. */
struct hearing {
    bool has_error;
    char first[ENGINE_NAME_SIZE];
};

/* The library hands its callback no context of ours before a scan is well under way, so who is listening has
   to be known without one. A process scans one thing at a time. */
static struct hearing *listener;

static void heard(enum cl_msg severity, const char *full, const char *short_text, void *context)
{
    struct text said = text_trim(text_of(short_text ? short_text : full));
    if (severity < CL_MSG_WARN) return;
    if (!listener) {
        log_warning("libclamav: %.*s", TEXT_ARG(said));
        return;
    }
    if (severity < CL_MSG_ERROR) return;
    if (!listener->has_error) snprintf(listener->first, sizeof listener->first, "%.*s", TEXT_ARG(said));
    listener->has_error = true;
}

/* --- one scan --- */

static void judge(const struct hearing *hearing, cl_error_t returned, const char *name,
                  struct engine_result *out)
{
    static const struct text limit_prefix = { "Heuristics.Limits.Exceeded", 26 };
    static const struct text own_suffix = { ".UNOFFICIAL", 11 };
    struct text found = text_of(name);
    if (text_ends(found, own_suffix)) found.length -= own_suffix.length;
    if (returned == CL_VIRUS && !text_starts(found, limit_prefix))
        engine_result_set(out, SCAN_FOUND, found.length ? found : TEXT("unnamed"));
    else if (hearing->has_error)
        engine_result_set(out, SCAN_UNSCANNED, text_of(hearing->first));
    else if (returned == CL_VIRUS)
        engine_result_set(out, SCAN_LIMITS, found);
    else if (returned == CL_CLEAN)
        engine_result_set(out, SCAN_CLEAN, TEXT_NONE);
    else if (returned == CL_EMAXSIZE || returned == CL_EMAXFILES || returned == CL_EMAXREC ||
             returned == CL_ETIMEOUT)
        engine_result_set(out, SCAN_LIMITS, text_of(cl_strerror(returned)));
    else
        engine_result_set(out, SCAN_UNSCANNED, text_of(cl_strerror(returned)));
}

/* With too little room for its temporary files the library skips what it cannot unpack and says "clean". */
static bool has_room(const struct clamav *clamav)
{
    struct statfs facts;
    if (statfs(".", &facts) != 0) return false;
    return facts.f_bavail * (uint64_t)facts.f_bsize >= clamav->most_bytes && facts.f_ffree != 0;
}

static void scan_map(struct clamav *clamav, cl_fmap_t *map, struct engine_result *out)
{
    struct cl_scan_options options = { .general = CL_SCAN_GENERAL_HEURISTICS,
                                       .parse = ~0U,
                                       .heuristic = CL_SCAN_HEURISTIC_EXCEEDS_MAX };
    struct hearing hearing = { 0 };
    const char *name = NULL;
    unsigned long scanned = 0;
    listener = &hearing;
    cl_error_t returned = cl_scanmap_callback(map, NULL, &name, &scanned, clamav->library, &options, NULL);
    listener = NULL;
    if (!has_room(clamav)) {
        hearing.has_error = true;
        snprintf(hearing.first, sizeof hearing.first, "no room for temporary files");
    }
    judge(&hearing, returned, name, out);
}

static void clamav_scan(struct engine *engine, struct text bytes, struct engine_result *out)
{
    struct clamav *clamav = (struct clamav *)engine;
    if (bytes.length == 0) {
        engine_result_set(out, SCAN_CLEAN, TEXT_NONE);
        return;
    }
    if (bytes.length > clamav->most_bytes) {
        engine_result_set(out, SCAN_LIMITS, TEXT("larger than the scan limit"));
        return;
    }
    cl_fmap_t *map = cl_fmap_open_memory(bytes.at, bytes.length);
    if (!map) {
        engine_result_set(out, SCAN_UNSCANNED, TEXT("libclamav has no memory"));
        return;
    }
    scan_map(clamav, map, out);
    cl_fmap_close(map);
}

/* libclamav tells a mail by its first field's name and knows a few of them: a line that it knows goes first.
 */
static void clamav_scan_message(struct engine *engine, struct text bytes, struct engine_result *out)
{
    struct clamav *clamav = (struct clamav *)engine;
    buffer_clear(&clamav->message);
    buffer_reserve(&clamav->message, bytes.length + 64);
    buffer_add_text(&clamav->message, TEXT("Received: by localhost\r\n"));
    buffer_add_text(&clamav->message, bytes);
    clamav_scan(engine, buffer_text(&clamav->message), out);
    if (clamav->message.capacity > SHRINK_BYTES) buffer_free(&clamav->message);
}

/* --- loading --- */

static bool set_limits(struct clamav *clamav, const struct config *config, uint64_t temporary_bytes)
{
    struct cl_engine *library = clamav->library;
    uint64_t most_scan = config->virus.max_scan_bytes, most_file = config->virus.max_file_bytes;
    if (most_scan > temporary_bytes) most_scan = temporary_bytes;
    if (most_file > most_scan) most_file = most_scan;
    clamav->most_bytes = most_file;
    const struct {
        enum cl_engine_field field;
        uint64_t value;
    } numbers[] = {
        { CL_ENGINE_MAX_SCANSIZE, most_scan },
        { CL_ENGINE_MAX_FILESIZE, most_file },
        { CL_ENGINE_MAX_RECURSION, config->virus.max_recursion },
        { CL_ENGINE_MAX_FILES, config->virus.max_files },
        { CL_ENGINE_MAX_SCANTIME, clamav->engine.time_ms },
        { CL_ENGINE_BYTECODE_MODE, CL_BYTECODE_MODE_INTERPRETER }, /* a worker makes no memory executable */
        { CL_ENGINE_DISABLE_CACHE, 1 },
        { CL_ENGINE_DISABLE_PE_STATS, 1 },
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (cl_engine_set_num(library, numbers[i].field, (long long)numbers[i].value) != CL_SUCCESS)
            return false;
    return cl_engine_set_str(library, CL_ENGINE_TMPDIR, ".") == CL_SUCCESS;
}

static bool has_signatures(const char *path)
{
    return signatures_newest(text_of(path)) != 0;
}

static bool folder_load(struct clamav *clamav, struct folder *folder, struct text path, bool is_needed,
                        char *error, size_t size)
{
    snprintf(folder->path, sizeof folder->path, "%.*s", TEXT_ARG(path));
    folder->is_watched =
        access(folder->path, R_OK) == 0 && cl_statinidir(folder->path, &folder->state) == CL_SUCCESS;
    if (!has_signatures(folder->path)) {
        if (is_needed) snprintf(error, size, "%s holds no signatures", folder->path);
        return !is_needed;
    }
    cl_error_t returned = cl_load(folder->path, clamav->library, &clamav->engine.signatures,
                                  CL_DB_STDOPT & ~(unsigned)CL_DB_PHISHING_URLS);
    if (returned != CL_SUCCESS)
        snprintf(error, size, "signatures in %s: %s", folder->path, cl_strerror(returned));
    folder->is_loaded = returned == CL_SUCCESS;
    return folder->is_loaded;
}

/* With the built-in ones alone, and more wanted, no message is clean. */
static bool fetched_load(struct clamav *clamav, const struct config *config, char *error, size_t size)
{
    struct text path = config->virus.database;
    uint32_t before = clamav->engine.signatures;
    if (!folder_load(clamav, &clamav->folders[1], path, false, error, size)) return false;
    clamav->engine.newest_s = signatures_newest(path);
    if (clamav->engine.signatures == before)
        snprintf(clamav->engine.lacks, sizeof clamav->engine.lacks,
                 "only the built-in signatures are loaded: there are none in %.*s", TEXT_ARG(path));
    return true;
}

static bool load(struct clamav *clamav, const struct config *config, char *error, size_t size)
{
    if (config->virus.embedded != EMBEDDED_OFF &&
        !folder_load(clamav, &clamav->folders[0], config->virus.own_database, true, error, size))
        return false;
    if (config->virus.embedded != EMBEDDED_ONLY && !fetched_load(clamav, config, error, size)) return false;
    if (clamav->engine.signatures == 0) {
        snprintf(error, size, "there are no signatures");
        return false;
    }
    cl_error_t returned = cl_engine_compile(clamav->library);
    if (returned != CL_SUCCESS) snprintf(error, size, "signatures: %s", cl_strerror(returned));
    return returned == CL_SUCCESS;
}

/* A folder that was not there when the others were loaded, and is now, makes the engine stale too. */
static bool clamav_is_stale(struct engine *engine)
{
    struct clamav *clamav = (struct clamav *)engine;
    for (int i = 0; i < FOLDERS; i++) {
        const struct folder *folder = &clamav->folders[i];
        if (folder->is_watched && cl_statchkdir(&folder->state) == 1) return true;
        if (!folder->is_watched && folder->path[0] && has_signatures(folder->path)) return true;
    }
    return false;
}

static void clamav_close(struct engine *engine)
{
    struct clamav *clamav = (struct clamav *)engine;
    for (int i = 0; i < FOLDERS; i++)
        if (clamav->folders[i].is_watched) cl_statfree(&clamav->folders[i].state);
    if (clamav->library) cl_engine_free(clamav->library);
    buffer_free(&clamav->message);
    free(clamav);
}

struct engine *clamav_open(const struct config *config, uint64_t temporary_bytes, char *error, size_t size)
{
    static const struct engine_calls calls = { clamav_scan, clamav_scan_message, clamav_is_stale,
                                               clamav_close };
    if (cl_init(CL_INIT_DEFAULT) != CL_SUCCESS) {
        snprintf(error, size, "libclamav cannot be started");
        return NULL;
    }
    cl_set_clcb_msg(heard);
    struct clamav *clamav = memory_alloc(sizeof *clamav);
    clamav->engine.calls = &calls;
    clamav->engine.time_ms = config->virus.max_time_ms > 1 ? config->virus.max_time_ms / 2 : 1;
    snprintf(clamav->engine.version, sizeof clamav->engine.version, "clamav %s", cl_retver());
    clamav->library = cl_engine_new();
    if (!clamav->library || !set_limits(clamav, config, temporary_bytes)) {
        snprintf(error, size, "libclamav does not take the limits");
        clamav_close(&clamav->engine);
        return NULL;
    }
    if (load(clamav, config, error, size)) return &clamav->engine;
    clamav_close(&clamav->engine);
    return NULL;
}
