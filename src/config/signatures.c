/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Looks at the folder of signatures; loads none. */
#include "config/signatures.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
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

bool signatures_are_wanted(const struct config *config)
{
    if (config->role == ROLE_EDGE) return false;
    if (config->virus.mode != MODE_OFF) return true;
    for (size_t i = 0; i < config->domain_count; i++)
        if (config->domains[i].has_virus_mode && config->domains[i].virus_mode != MODE_OFF) return true;
    return false;
}

/* A folder that was named and holds none: no engine can be loaded then, whatever was fetched. */
static void builtin_check(const struct config *config, struct problem_list *problems)
{
    struct place place =
        source_find(config->sources, schema_row_of(SCHEMA_GLOBAL, "virus engine clamav builtin from"), 0);
    if (place.line == 0 || config->virus.embedded == EMBEDDED_OFF) return;
    if (signatures_newest(config->virus.own_database)) return;
    source_complain(config->sources, place, problems, SEVERITY_ERROR,
                    N_("builtin from %.*s: no signatures there (%s), so that nothing can be scanned"),
                    TEXT_ARG(config->virus.own_database),
                    errno ? strerror(errno) : problem_say(problems, N_("no such file in it")));
}

void signatures_check(const struct config *config, struct problem_list *problems)
{
    static const char *const becomes[] = { [ACTION_DEFER] = N_("deferred"),
                                           [ACTION_QUARANTINE] = N_("quarantined"),
                                           [ACTION_ACCEPT] = N_("accepted unscanned") };
    if (!signatures_are_wanted(config)) return;
    builtin_check(config, problems);
    if (config->virus.embedded == EMBEDDED_ONLY) return;
    if (signatures_newest(config->virus.database)) return;
    const char *why = errno ? strerror(errno) : N_("no such file in it");
    struct place place =
        source_find(config->sources, schema_row_of(SCHEMA_GLOBAL, "virus engine clamav database"), 0);
    source_complain(
        config->sources, place, problems, SEVERITY_WARNING,
        N_("no virus signatures in %.*s (%s): no mail counts as scanned, all of it is %s; apt install "
           "clamav-freshclam fetches them; to try without: virus { engine clamav { builtin only } }"),
        TEXT_ARG(config->virus.database), problem_say(problems, why),
        problem_say(problems, becomes[config->virus.unavailable]));
}
