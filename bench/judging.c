/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Opens what a scan worker has, in this process. */
#include "judging.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/codec.h"
#include "base/temp_files.h"
#include "config/folder_content.h"
#include "config/load.h"
#include "rules/rule_parse.h"
#include "scan/worker.h"
#include "virus/clamav.h"

enum { MAIL_BYTES_MOST = 64 << 20 };

struct config *judging_config(const char *path)
{
    struct problem_list problems;
    problem_list_start(&problems);
    struct config *config = config_load(path, &problems);
    if (config) return config;
    fprintf(stderr, "%s has errors: sekimori check says which\n", path);
    exit(EX_CONFIG);
}

_Noreturn static void give_up(const char *why)
{
    fprintf(stderr, "%s\n", why);
    exit(EX_OSERR);
}

void judging_enter(const struct config *config)
{
    char why[300] = "";
    if (!temporary_prepare(why, sizeof why) ||
        temporary_enter(worker_room_bytes(config), why, sizeof why) < 0)
        give_up(why);
}

struct engine *judging_engine(const struct config *config)
{
    char why[300] = "";
    struct engine *engine = clamav_open(config, worker_room_bytes(config), why, sizeof why);
    if (!engine) give_up(why);
    printf("%s, %u signatures\n", engine->version, engine->signatures);
    return engine;
}

struct ruleset *judging_rules(const char *folder)
{
    struct ruleset *set = rule_parse_begin();
    struct problem_list problems;
    struct text content = TEXT_NONE, path, bytes;
    problem_list_start(&problems);
    folder_content_read(folder, TEXT(".rules"), set->arena, &content);
    while (folder_content_next(&content, &path, &bytes)) rule_parse_file(set, path, bytes, &problems);
    rule_parse_end(set);
    if (problems.errors == 0 && set->count > 0) return set;
    fprintf(stderr, "%s: no rules\n", folder);
    exit(EX_NOINPUT);
}

struct text judging_mail(const char *path)
{
    static char raw[MAIL_BYTES_MOST];
    struct buffer wire = { 0 };
    FILE *file = fopen(path, "re");
    size_t size = file ? fread(raw, 1, sizeof raw, file) : 0;
    if (!file || ferror(file)) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(EX_NOINPUT);
    }
    fclose(file);
    struct text rest = text_from(raw, size), line;
    while (text_next_line(&rest, &line)) {
        buffer_add_text(&wire, line);
        buffer_add_text(&wire, TEXT("\r\n"));
    }
    return buffer_text(&wire);
}
