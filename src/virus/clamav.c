/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* libclamav behind the engine interface; the only file that knows clamav.h. The library answers "clean" in
   many situations in which it could not look: every message it logs as an error, every odd return and every
   limit it reports makes the answer something else than clean. */
#include "virus/clamav.h"

#include <clamav.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/log.h"
#include "config/signatures.h"
#include "virus/path_calls.h"

enum { SHRINK_BYTES = 1 << 20, WARNINGS_LOGGED = 20, LOADING = CL_DB_STDOPT & ~CL_DB_PHISHING_URLS };

struct clamav {
    struct engine engine; /* first: the interface's view of it */
    struct cl_engine *library;
    uint64_t most_bytes;
    struct buffer message; /* a whole message with our line before it */
    struct file_room *room;
    bool hashes_pictures; /* some signature may be by that */
};

/* What the library said during one scan or load. */
struct hearing {
    bool is_loading, is_trying; /* warnings count then: a rule that it cannot take is no more than that */
    bool has_error;
    unsigned warnings;
    char first[ENGINE_NAME_SIZE];
};

/* The library hands its callback no context of ours before a scan is well under way, so who is listening has
   to be known without one. A process scans one thing at a time. */
static struct hearing *listener;

/* A set of other people's may have thousands of rules that cannot be taken. */
static void heard_loading(struct hearing *hearing, struct text said)
{
    if (hearing->warnings++ == 0) snprintf(hearing->first, sizeof hearing->first, "%.*s", TEXT_ARG(said));
    if (!hearing->is_trying && hearing->warnings <= WARNINGS_LOGGED)
        log_warning("libclamav: %.*s", TEXT_ARG(said));
}

static void heard(enum cl_msg severity, const char *full, const char *short_text, void *context)
{
    struct text said = text_trim(text_of(short_text ? short_text : full));
    if (severity < CL_MSG_WARN) return;
    if (!listener)
        log_warning("libclamav: %.*s", TEXT_ARG(said));
    else if (listener->is_loading)
        heard_loading(listener, said);
    if (!listener || listener->is_loading || severity < CL_MSG_ERROR) return;
    if (!listener->has_error) snprintf(listener->first, sizeof listener->first, "%.*s", TEXT_ARG(said));
    listener->has_error = true;
}

/* A file inside of what is scanned, before it is scanned itself and behind the library's look at its limits.
 */
static cl_error_t came_by(int fd, const char *type, const char **ancestors, size_t parent_size,
                          const char *name, size_t size, const char *bytes, uint32_t level,
                          uint32_t attributes, void *context)
{
    struct clamav *clamav = context;
    bool is_as_it_was = !(attributes & LAYER_ATTRIBUTES_NORMALIZED);
    if (clamav->engine.seen && level > 0 && is_as_it_was && bytes)
        seen_files_add(clamav->engine.seen, text_from(bytes, size));
    return CL_CLEAN;
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
static bool had_room(const struct clamav *clamav)
{
    struct statfs facts;
    if (file_room_was_short(clamav->room)) return false;
    if (!file_room_was_settled(clamav->room)) return true;
    if (statfs(".", &facts) != 0) return false;
    return facts.f_bavail * (uint64_t)facts.f_bsize >= clamav->most_bytes && facts.f_ffree != 0;
}

static void unscanned(struct hearing *hearing, const char *why)
{
    hearing->has_error = true;
    snprintf(hearing->first, sizeof hearing->first, "%s", why);
}

static void scan_map(struct clamav *clamav, cl_fmap_t *map, struct engine_result *out)
{
    struct cl_scan_options options = { .general = CL_SCAN_GENERAL_HEURISTICS,
                                       .parse =
                                           ~(clamav->hashes_pictures ? 0U : CL_SCAN_PARSE_IMAGE_FUZZY_HASH),
                                       .heuristic =
                                           CL_SCAN_HEURISTIC_EXCEEDS_MAX | CL_SCAN_HEURISTIC_ENCRYPTED_DOC };
    struct hearing hearing = { 0 };
    const char *name = NULL;
    unsigned long scanned = 0;
    listener = &hearing;
    path_calls_begin(clamav->room);
    cl_error_t returned = cl_scanmap_callback(map, NULL, &name, &scanned, clamav->library, &options, clamav);
    const char *astray = path_calls_end();
    listener = NULL;
    bool was_roomy = had_room(clamav); /* with what the library left behind */
    file_room_clear(clamav->room);
    if (astray) {
        log_error("libclamav called %s, which its temporary files have not got", astray);
        unscanned(&hearing, "libclamav asked too much of its temporary files");
    }
    if (!was_roomy) unscanned(&hearing, "no room for temporary files");
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

/* "daily 27500"; nothing for what has no such head. */
static void head_add(const char *folder, const char *name, struct engine_set *set)
{
    char path[1400];
    size_t length = strlen(set->version), plain = strlen(name) - sizeof ".cvd" + 1; /* ".cld" is as long */
    snprintf(path, sizeof path, "%s/%s", folder, name);
    struct cl_cvd *head = cl_cvdhead(path);
    if (!head) return;
    snprintf(set->version + length, sizeof set->version - length, "%s%.*s %u", length ? ", " : "", (int)plain,
             name, head->version);
    cl_cvdfree(head);
}

/* What the files of a folder say of themselves. */
static void set_describe(const char *folder, struct engine_set *set)
{
    DIR *files = opendir(folder);
    unsigned count = 0;
    for (const struct dirent *entry; files && (entry = readdir(files));) {
        struct text name = text_of(entry->d_name);
        bool has_head = text_ends(name, TEXT(".cvd")) || text_ends(name, TEXT(".cld"));
        if (!signatures_is_file(entry->d_name)) continue;
        count++;
        if (has_head) head_add(folder, entry->d_name, set);
    }
    if (files) closedir(files);
    if (!set->version[0])
        snprintf(set->version, sizeof set->version, "%u file%s", count, count == 1 ? "" : "s");
    set->newest_s = signatures_newest(text_of(folder));
}

static cl_error_t load_hearing(struct hearing *hearing, const char *path, struct cl_engine *library,
                               uint32_t *signatures)
{
    listener = hearing;
    cl_error_t returned = cl_load(path, library, signatures, LOADING);
    listener = NULL;
    return returned;
}

/* False, with the reason: the folder has signatures that cannot be loaded. */
static bool folder_load(struct clamav *clamav, struct text path, struct text name, char *error, size_t size)
{
    char folder[1024];
    uint32_t before = clamav->engine.signatures;
    snprintf(folder, sizeof folder, "%.*s", TEXT_ARG(path));
    if (signatures_newest(path) == 0) return true;
    struct hearing hearing = { .is_loading = true };
    cl_error_t returned = load_hearing(&hearing, folder, clamav->library, &clamav->engine.signatures);
    if (hearing.warnings > WARNINGS_LOGGED)
        log_warning("libclamav: %u warnings more while loading %s", hearing.warnings - WARNINGS_LOGGED,
                    folder);
    if (returned != CL_SUCCESS) {
        snprintf(error, size, "signatures in %s: %s", folder, cl_strerror(returned));
        return false;
    }
    clamav->hashes_pictures |= signatures_may_name_pictures(path);
    struct engine_set *set = &clamav->engine.sets[clamav->engine.set_count++];
    *set = (struct engine_set){ .signatures = clamav->engine.signatures - before };
    snprintf(set->name, sizeof set->name, "%.*s", TEXT_ARG(name));
    set_describe(folder, set);
    return true;
}

static bool builtin_load(struct clamav *clamav, const struct config *config, char *error, size_t size)
{
    struct text path = config->virus.own_database;
    if (config->virus.embedded == EMBEDDED_OFF) return true;
    if (!folder_load(clamav, path, TEXT("builtin"), error, size)) return false;
    if (clamav->engine.signatures > 0) return true;
    snprintf(error, size, "%.*s holds no signatures", TEXT_ARG(path));
    return false;
}

/* With the built-in ones alone, and more wanted, no message is clean. */
static bool fetched_load(struct clamav *clamav, const struct config *config, char *error, size_t size)
{
    struct text path = config->virus.fetched;
    uint32_t before = clamav->engine.signatures;
    if (config->virus.embedded == EMBEDDED_ONLY) return true;
    if (!folder_load(clamav, path, TEXT("clamav"), error, size)) return false;
    clamav->engine.newest_s = signatures_newest(path);
    if (clamav->engine.signatures == before)
        snprintf(clamav->engine.lacks, sizeof clamav->engine.lacks,
                 "only the built-in signatures are loaded: there are none in %.*s", TEXT_ARG(path));
    return true;
}

static bool also_load(struct clamav *clamav, const struct config *config, char *error, size_t size)
{
    uint32_t before = clamav->engine.set_count;
    if (!folder_load(clamav, config->virus.also, config->virus.also_name, error, size)) return false;
    if (clamav->engine.set_count > before) clamav->engine.sets[before].is_also = true;
    return true;
}

/* `also`: with the second set. *out_has_first: the first ones could be loaded, so they may serve alone. */
static bool load(struct clamav *clamav, const struct config *config, bool also, bool *out_has_first,
                 char *error, size_t size)
{
    *out_has_first = builtin_load(clamav, config, error, size) && fetched_load(clamav, config, error, size);
    if (!*out_has_first) return false;
    if (also && config->virus.also.length && !also_load(clamav, config, error, size)) return false;
    if (clamav->engine.signatures == 0) {
        snprintf(error, size, "there are no signatures");
        return false;
    }
    cl_error_t returned = cl_engine_compile(clamav->library);
    if (returned != CL_SUCCESS) snprintf(error, size, "signatures: %s", cl_strerror(returned));
    return returned == CL_SUCCESS;
}

static void clamav_close(struct engine *engine)
{
    struct clamav *clamav = (struct clamav *)engine;
    if (clamav->library) cl_engine_free(clamav->library);
    file_room_free(clamav->room);
    buffer_free(&clamav->message);
    free(clamav);
}

static struct clamav *clamav_new(const struct config *config, uint64_t temporary_bytes)
{
    static const struct engine_calls calls = { clamav_scan, clamav_scan_message, clamav_close };
    struct clamav *clamav = memory_alloc(sizeof *clamav);
    clamav->engine.calls = &calls;
    clamav->room = file_room_new();
    clamav->engine.time_ms = config->virus.max_time_ms > 1 ? config->virus.max_time_ms / 2 : 1;
    snprintf(clamav->engine.version, sizeof clamav->engine.version, "clamav %s", cl_retver());
    clamav->library = cl_engine_new();
    if (clamav->library) cl_engine_set_clcb_file_inspection(clamav->library, came_by);
    if (clamav->library && set_limits(clamav, config, temporary_bytes)) return clamav;
    clamav_close(&clamav->engine);
    return NULL;
}

static struct engine *open_with(const struct config *config, uint64_t temporary_bytes, bool also,
                                bool *out_has_first, char *error, size_t size)
{
    struct clamav *clamav = clamav_new(config, temporary_bytes);
    if (!clamav) {
        snprintf(error, size, "libclamav does not take the limits");
        return NULL;
    }
    if (load(clamav, config, also, out_has_first, error, size)) return &clamav->engine;
    clamav_close(&clamav->engine);
    return NULL;
}

static bool library_start(char *error, size_t size)
{
    if (cl_init(CL_INIT_DEFAULT) != CL_SUCCESS) {
        snprintf(error, size, "libclamav cannot be started");
        return false;
    }
    cl_set_clcb_msg(heard);
    return true;
}

/* A second set that cannot be loaded leaves the first in force. */
struct engine *clamav_open(const struct config *config, uint64_t temporary_bytes, char *error, size_t size)
{
    char why[200] = "";
    bool has_first = false;
    if (!library_start(error, size)) return NULL;
    struct engine *engine = open_with(config, temporary_bytes, true, &has_first, why, sizeof why);
    if (engine) return engine;
    if (has_first && config->virus.also.length)
        engine = open_with(config, temporary_bytes, false, &has_first, error, size);
    if (engine)
        snprintf(engine->refused, sizeof engine->refused, "%s", why);
    else
        snprintf(error, size, "%s", why);
    return engine;
}

/* --- trying --- */

struct trial {
    struct cl_engine *library;
    uint32_t signatures;
    bool is_good;
    void (*say)(void *context, const char *file, const char *what);
    void *context;
};

static void trial_fail(struct trial *trial, const char *file, const char *what)
{
    trial->is_good = false;
    trial->say(trial->context, file, what);
}

/* After a file that it could not load the library is in no state for the next. */
static void trial_file(struct trial *trial, const char *folder, const char *name)
{
    char path[1400];
    struct hearing hearing = { .is_loading = true, .is_trying = true };
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (!trial->library) trial->library = cl_engine_new();
    if (!trial->library) return;
    cl_error_t returned = load_hearing(&hearing, path, trial->library, &trial->signatures);
    if (returned == CL_SUCCESS && hearing.warnings) trial->say(trial->context, name, hearing.first);
    if (returned == CL_SUCCESS) return;
    trial_fail(trial, name, hearing.warnings ? hearing.first : cl_strerror(returned));
    cl_engine_free(trial->library);
    trial->library = NULL;
}

static int is_signature_file(const struct dirent *entry)
{
    return signatures_is_file(entry->d_name);
}

bool clamav_try(const char *folder, void (*say)(void *context, const char *file, const char *what),
                void *context)
{
    char error[100];
    struct dirent **entries = NULL;
    struct trial trial = { .is_good = true, .say = say, .context = context };
    int count = library_start(error, sizeof error) ? scandir(folder, &entries, is_signature_file, alphasort)
                                                   : (errno = ENOSYS, -1);
    if (count < 0) trial_fail(&trial, folder, strerror(errno));
    for (int i = 0; i < count; i++) {
        trial_file(&trial, folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    if (count >= 0 && trial.is_good && trial.signatures == 0) trial_fail(&trial, folder, "no signatures");
    if (trial.is_good && cl_engine_compile(trial.library) != CL_SUCCESS)
        trial_fail(&trial, folder, "they do not go together");
    if (trial.library) cl_engine_free(trial.library);
    return trial.is_good;
}
