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

/* The first file that is wrong, its errors appended to `problems`; empty: none is. */
static struct text fault_find(const struct config *config, struct arena *arena, struct problem_list *problems)
{
    struct problem_list found;
    struct text fault = TEXT_NONE;
    problem_list_start(&found);
    found.say = problems->say;
    rule_folders_check(config, &found);
    for (size_t i = 0; i < found.count; i++) {
        const struct problem *one = &found.items[i];
        if (one->is_warning || (fault.length > 0 && !text_equal(fault, one->file))) continue;
        if (fault.length == 0) fault = arena_text(arena, one->file);
        problem_add(problems, one);
    }
    problem_list_free(&found);
    return fault;
}

void rule_folders_leave_out(struct config *config, struct problem_list *problems)
{
    struct file_content *const folders[] = { &config->spam.rules, &config->spam.own_rules };
    size_t before = problems->count;
    struct text fault = fault_find(config, config->arena, problems);
    if (fault.length > 0) {
        size_t slash = text_find_last_char(fault, '/');
        struct text name = text_slice(fault, slash < fault.length ? slash + 1 : 0, fault.length);
        config->spam.rules_fault =
            arena_printf(config->arena, "%.*s:%u", TEXT_ARG(name), problems->items[before].line);
    }
    while (fault.length > 0) {
        for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
            folders[i]->content = folder_content_without(folders[i]->content, fault, config->arena);
        fault = fault_find(config, config->arena, problems);
    }
}
