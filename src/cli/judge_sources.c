/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "cli/judge_sources.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/judge_child.h"
#include "config/load.h"
#include "config/whole_file.h"
#include "rules/rule_folders.h"

bool judge_sources_folder(const char *verb, const char *rules)
{
    DIR *folder = opendir(rules);
    if (folder) return closedir(folder) == 0;
    fprintf(stderr, "sekimori %s: %s: %s\n", verb, rules, strerror(errno));
    return false;
}

bool judge_sources_can_open(const char *verb, const char *path)
{
    if (!path || access(path, R_OK) == 0) return true;
    fprintf(stderr, "sekimori %s: %s: %s\n", verb, path, strerror(errno));
    return false;
}

struct config *judge_sources_config(const char *verb, const char *path, const char *rules)
{
    struct problem_list problems;
    struct buffer plain = { 0 };
    problem_list_start(&problems);
    buffer_printf(&plain, "hostname localhost.localdomain\nlisten 127.0.0.1:25\nvirus mode off\n"
                          "domains localhost 127.0.0.1:24\n");
    if (rules) buffer_printf(&plain, "spam rules \"%s\"\n", rules);
    struct config *config = path ? config_load(path, &problems)
                                 : config_load_text(buffer_text(&plain), "no file", true, &problems);
    buffer_free(&plain);
    problem_list_free(&problems);
    if (config)
        judge_basis_narrow(config);
    else
        fprintf(stderr, "sekimori %s: %s has errors: sekimori check says which\n", verb, path);
    return config;
}

bool judge_sources_base(const char *verb, const struct config *config, const char *path,
                        struct base_model **out)
{
    char why[400];
    char *set = memory_string(config->spam.base_model);
    const char *named = path ? path : set;
    *out = *named ? base_model_open(named, why, sizeof why) : NULL;
    if (!*out && *named)
        fprintf(stderr, "sekimori %s: %s%s\n", verb, path ? "" : "judged without a base model: ", why);
    free(set);
    return *out || !path;
}

bool judge_sources_learned(const char *verb, const char *path, bool is_named, struct arena *arena,
                           struct local_model *room, const struct local_model **out)
{
    struct text image;
    bool is_open;
    *out = NULL;
    if (!is_named && access(path, F_OK) != 0 && errno == ENOENT) return true;
    const char *fault = whole_file_read(path, LOCAL_MODEL_BYTES, arena, &image, &is_open);
    if (!fault) fault = local_model_fault(image);
    if (fault)
        fprintf(stderr, "sekimori %s: %s%s: %s\n", verb,
                is_named ? "" : "judged without what was learned: ", path, fault);
    else if (local_model_use(image, room))
        *out = room;
    return !fault || !is_named;
}

bool judge_sources_rules(const char *verb, const struct config *config, struct ruleset **out)
{
    struct problem_list problems;
    problem_list_start(&problems);
    *out = rule_folders_read(config, &problems);
    bool is_good = problems.errors == 0;
    if (!is_good)
        fprintf(stderr, "sekimori %s: the rules have errors: sekimori rules check says which\n", verb);
    else if (!*out)
        fprintf(stderr, "sekimori %s: judged without rules: there are none where `spam rules` says\n", verb);
    problem_list_free(&problems);
    return is_good;
}
