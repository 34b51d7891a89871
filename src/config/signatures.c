/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Looks at the folder of signatures; loads none. */
#include "config/signatures.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/file.h"
#include "config/source.h"

bool signatures_is_file(const char *name)
{
    static const char *const ends[] = { ".cvd", ".cld", ".cud", ".hdb", ".hsb", ".hdu", ".hsu", ".mdb",
                                        ".msb", ".mdu", ".msu", ".ndb", ".ndu", ".ldb", ".ldu", ".db",
                                        ".fp",  ".sfp", ".cdb", ".cbc", ".pdb", ".wdb", ".yar", ".yara" };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (text_ends(text_of(name), text_of(ends[i]))) return name[0] != '.';
    return false;
}

int64_t signatures_newest(struct text folder)
{
    int64_t newest = 0;
    char *path = memory_string(folder);
    DIR *open_folder = opendir(path);
    int why = open_folder ? 0 : errno;
    for (const struct dirent *entry; open_folder && (entry = readdir(open_folder));) {
        struct stat about;
        if (!signatures_is_file(entry->d_name)) continue;
        if (fstatat(dirfd(open_folder), entry->d_name, &about, 0) != 0) continue;
        if (about.st_mtime > newest) newest = about.st_mtime;
    }
    if (open_folder) closedir(open_folder);
    free(path);
    errno = why;
    return newest;
}

/* What cannot be read has it. */
static bool file_has_word(int folder, const char *name, struct text word)
{
    struct buffer content = { 0 };
    bool has = !file_read_at(folder, name, SIZE_MAX / 2, &content) ||
               text_find(buffer_text(&content), word) < buffer_length(&content);
    buffer_free(&content);
    return has;
}

static bool file_may_name_pictures(int folder, const char *name)
{
    static const char *const packed[] = { ".cvd", ".cld", ".cud" };
    struct text called = text_of(name);
    for (size_t i = 0; i < sizeof packed / sizeof *packed; i++)
        if (text_ends(called, text_of(packed[i]))) return true;
    bool is_logical = text_ends(called, TEXT(".ldb")) || text_ends(called, TEXT(".ldu"));
    return is_logical && file_has_word(folder, name, TEXT("fuzzy_img"));
}

bool signatures_may_name_pictures(struct text folder)
{
    bool may = false;
    char *path = memory_string(folder);
    DIR *open_folder = opendir(path);
    for (const struct dirent *entry; !may && open_folder && (entry = readdir(open_folder));)
        may = signatures_is_file(entry->d_name) && file_may_name_pictures(dirfd(open_folder), entry->d_name);
    if (open_folder) closedir(open_folder);
    free(path);
    return may;
}

static uint64_t file_number(const char *name, const struct stat *about)
{
    const int64_t facts[] = { about->st_size, about->st_mtim.tv_sec, about->st_mtim.tv_nsec,
                              (int64_t)about->st_ino };
    return text_checksum_on(text_checksum(text_of(name)), text_from((const char *)facts, sizeof facts));
}

/* A sum, since a folder has no order. */
uint64_t signatures_in(struct text folder)
{
    uint64_t sum = 0;
    char *path = memory_string(folder);
    DIR *open_folder = opendir(path);
    for (const struct dirent *entry; open_folder && (entry = readdir(open_folder));) {
        struct stat about;
        if (signatures_is_file(entry->d_name) && fstatat(dirfd(open_folder), entry->d_name, &about, 0) == 0)
            sum += file_number(entry->d_name, &about);
    }
    if (open_folder) closedir(open_folder);
    free(path);
    return sum;
}

uint64_t signatures_on_disk(const struct config *config)
{
    const struct text folders[] = {
        config->virus.embedded == EMBEDDED_OFF ? TEXT_NONE : config->virus.own_database,
        config->virus.embedded == EMBEDDED_ONLY ? TEXT_NONE : config->virus.fetched, config->virus.also
    };
    uint64_t number = 0;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        uint64_t of_folder = folders[i].length ? signatures_in(folders[i]) : 0;
        number = text_checksum_on(number, text_from((const char *)&of_folder, sizeof of_folder));
    }
    return number;
}

bool signatures_watch_turn(struct signatures_watch *watch, uint64_t now)
{
    watch->quiet = now == watch->seen ? watch->quiet + 1 : 0;
    watch->seen = now;
    if (now == watch->loaded) watch->told = 0; /* the same fault may come again */
    if (now == watch->loaded || now == watch->told || watch->quiet < SIGNATURES_QUIET_LOOKS) return false;
    watch->told = now;
    return true;
}

bool signatures_are_wanted(const struct config *config)
{
    if (config->role == ROLE_EDGE) return false;
    if (config->virus.mode != MODE_OFF) return true;
    for (size_t i = 0; i < config->domain_count; i++)
        if (config->domains[i].has_virus_mode && config->domains[i].virus_mode != MODE_OFF) return true;
    return false;
}

static const char *const unscanned[] = { [ACTION_DEFER] = N_("deferred"),
                                         [ACTION_QUARANTINE] = N_("quarantined"),
                                         [ACTION_ACCEPT] = N_("accepted unscanned") };

static const char *nothing_because(void)
{
    return errno ? strerror(errno) : N_("no such file in it");
}

/* Without any there no engine can be loaded, whatever was fetched. Who names the folder can mend the name;
   the folder that nobody named is missing where the programs were not installed. */
static void builtin_check(const struct config *config, struct problem_list *problems)
{
    struct text folder = config->virus.own_database;
    struct place place =
        source_find(config->sources, schema_row_of(SCHEMA_GLOBAL, "virus engine clamav builtin from"), 0);
    if (config->virus.embedded == EMBEDDED_OFF || signatures_newest(folder)) return;
    const char *why = nothing_because();
    if (place.line > 0)
        source_complain(config->sources, place, problems, SEVERITY_ERROR,
                        N_("builtin from %.*s: no signatures there (%s), so that nothing can be scanned"),
                        TEXT_ARG(folder), problem_say(problems, why));
    else
        source_complain(
            config->sources,
            source_find(config->sources, schema_row_of(SCHEMA_GLOBAL, "virus engine clamav builtin"), 0),
            problems, SEVERITY_WARNING,
            N_("no built-in signatures in %.*s (%s): no mail counts as scanned, all of it is %s; an "
               "installation "
               "brings them; say where else they are: virus { engine clamav { builtin from FOLDER } }"),
            TEXT_ARG(folder), problem_say(problems, why),
            problem_say(problems, unscanned[config->virus.unavailable]));
}

bool signatures_by_freshclam(const struct config *config)
{
    return signatures_are_wanted(config) && config->virus.updates_self && config->virus.update_ms > 0;
}

bool signatures_by_command(const struct config *config)
{
    return signatures_are_wanted(config) && config->virus.also_command.count > 0;
}

bool signatures_are_fetched(const struct config *config)
{
    return signatures_by_freshclam(config) || signatures_by_command(config);
}

void signatures_check(const struct config *config, struct problem_list *problems)
{
    if (!signatures_are_wanted(config)) return;
    builtin_check(config, problems);
    if (config->virus.embedded == EMBEDDED_ONLY) return;
    if (config->virus.updates_self || signatures_newest(config->virus.database)) return;
    const char *why = nothing_because();
    struct place place =
        source_find(config->sources, schema_row_of(SCHEMA_GLOBAL, "virus engine clamav database"), 0);
    source_complain(
        config->sources, place, problems, SEVERITY_WARNING,
        N_("no virus signatures in %.*s (%s): no mail counts as scanned, all of it is %s; apt install "
           "clamav-freshclam fetches them; to try without: virus { engine clamav { builtin only } }"),
        TEXT_ARG(config->virus.database), problem_say(problems, why),
        problem_say(problems, unscanned[config->virus.unavailable]));
}
