/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "rules/rule_folders.h"

#include "config/folder_content.h"
#include "rules/rule_parse.h"

static void folder_parse(struct ruleset *set, struct text content, struct problem_list *problems)
{
    struct text path, bytes;
    while (folder_content_next(&content, &path, &bytes)) rule_parse_file(set, path, bytes, problems);
}

struct ruleset *rule_folders_read(const struct config *config, struct problem_list *problems)
{
    struct ruleset *set = rule_parse_begin();
    size_t errors = problems->errors;
    folder_parse(set, config->spam.rules.content, problems);
    folder_parse(set, config->spam.own_rules.content, problems);
    rule_parse_end(set);
    if (problems->errors == errors && set->count > 0) return set;
    ruleset_free(set);
    return NULL;
}

void rule_folders_check(const struct config *config, struct problem_list *problems)
{
    ruleset_free(rule_folders_read(config, problems));
}
