/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "cli/rules_tool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/json.h"
#include "base/printable.h"
#include "cli/judge_sources.h"
#include "cli/language_option.h"
#include "cli/mail_files.h"
#include "cli/rules_facts.h"
#include "config/folder_content.h"
#include "config/load.h"
#include "rules/rule_folders.h"
#include "rules/rule_parse.h"
#include "spam/rule_trial.h"

static const char help[] =
    "usage: sekimori rules check [FILE …] [OPTIONS]\n"
    "       sekimori rules test MESSAGE|FOLDER|- … [OPTIONS]\n"
    "       sekimori rules list [OPTIONS]\n"
    "       sekimori rules facts [--language LANG] [--json]\n\n"
    "check reads the rules of the configuration, or those that came along and each FILE, says what is wrong "
    "with\n"
    "them, and runs the examples that stand in them. test says which rules hit a message and what in it; of "
    "a folder\n"
    "how many of its files each rule hits. A file is one message, and so is standard input. list prints each "
    "rule\n"
    "with its points and what it is. facts prints what a rule may ask for by name: facts, with their values, "
    "and\n"
    "signals, and what each says.\n\n"
    "  --facts          also which facts a message has (test)\n"
    "  --rules FOLDER   these rules instead of those of the configuration\n"
    "  --language LANG  ja or en (default: as the locale says)\n"
    "  --json           for programs (test, list, facts)\n"
    "  --config FILE    the configuration (default: $SEKIMORI_CONFIG or /etc/sekimori/sekimori.conf)\n"
    "  --help           this text\n\n"
    "Exit codes: 0, 64 usage, 65 a mailbox of several messages (test), 66 a file or folder cannot be read, "
    "78 the\n"
    "rules have errors.\n";

struct options {
    const char *rules, *config;
    enum language language;
    bool is_json, has_facts;
};

static bool language_take(void *context, const char *word)
{
    return language_option_read(word, &((struct options *)context)->language);
}

static const char *task_at(size_t position)
{
    static const char *const tasks[] = { "check", "test", "list", "facts", NULL };
    return position < 4 ? tasks[position] : NULL;
}

static const struct verb_option table[] = {
    { "rules", OPTION_WORD, offsetof(struct options, rules), NULL, NULL },
    { "language", OPTION_VALUE, 0, language_take, LANGUAGE_OPTION_WANTED, .choice = language_option_choice },
    { "json", OPTION_SWITCH, offsetof(struct options, is_json), NULL, NULL },
    { "facts", OPTION_SWITCH, offsetof(struct options, has_facts), NULL, NULL },
    { "config", OPTION_WORD, offsetof(struct options, config), NULL, NULL, .letter = 'c' },
    { 0 },
};

const struct verb_usage rules_usage = { "rules", help, table, .word = task_at, .takes_files = true };

/* --- the rules --- */

static void problems_say(const struct problem_list *problems)
{
    struct buffer lines = { 0 };
    for (size_t i = 0; i < problems->count; i++)
        if (!problems->items[i].is_warning) problem_show(&problems->items[i], &lines);
    fprintf(stderr, "%.*s", TEXT_ARG(buffer_text(&lines)));
    buffer_free(&lines);
}

static bool is_named(const char *path, char **files, int count)
{
    bool found = false;
    char *real = realpath(path, NULL);
    for (int i = 0; i < count && real && !found; i++) {
        char *other = realpath(files[i], NULL);
        found = other && strcmp(real, other) == 0;
        free(other);
    }
    free(real);
    return found;
}

/* But for `files`, which are read behind them. */
static void content_parse(struct ruleset *set, struct text content, char **files, int count,
                          struct problem_list *problems)
{
    struct text path, bytes;
    while (folder_content_next(&content, &path, &bytes)) {
        char *name = memory_string(path);
        if (!is_named(name, files, count)) rule_parse_file(set, path, bytes, problems);
        free(name);
    }
}

static void complain(struct problem_list *problems, const char *path, const char *why)
{
    const struct problem problem = { .file = text_of(path), .message = text_of(why) };
    problem_add(problems, &problem);
}

/* Those of `files`, which `read` holds, come last. NULL where they are wrong, which was said. */
static struct ruleset *rules_read(const struct options *options, char **files, int count,
                                  const struct mail_files *read, struct problem_list *problems)
{
    struct ruleset *set = rule_parse_begin();
    const char *path = options->config ? options->config : config_default_path();
    struct text content = TEXT_NONE;
    struct config *config = options->rules ? NULL : config_load(path, problems);
    const char *why =
        options->rules ? folder_content_read(options->rules, TEXT(".rules"), set->arena, &content) : NULL;
    if (why) complain(problems, options->rules, why);
    if (config) content = config->spam.rules.content;
    content_parse(set, content, files, count, problems);
    if (config && count == 0) content_parse(set, config->spam.own_rules.content, NULL, 0, problems);
    for (size_t i = 0; i < read->count; i++)
        rule_parse_file(set, text_of(read->items[i].name), buffer_text(&read->items[i].content), problems);
    rule_parse_end(set);
    config_free(config);
    problems_say(problems);
    if (problems->errors == 0) return set;
    ruleset_free(set);
    return NULL;
}

static struct text about_of(const struct spam_rule *rule, enum language language)
{
    return language == LANGUAGE_JA && rule->about_ja.length ? rule->about_ja : rule->about;
}

/* --- check --- */

static int check(const struct options *options, int count, char **files)
{
    struct problem_list problems;
    struct mail_files read = { 0 };
    for (int i = 0; i < count; i++)
        if (!mail_files_add(&read, files[i])) return EX_NOINPUT;
    problem_list_start(&problems);
    struct ruleset *set = rules_read(options, files, count, &read, &problems);
    uint32_t examples = set ? rule_trial_examples(set, &problems) : 0;
    if (set) problems_say(&problems);
    if (set && options->language == LANGUAGE_JA)
        printf("規則 %u 個、例 %u 個、誤り %zu 個\n", set->count, examples, problems.errors);
    else if (set)
        printf("%u %s, %u %s, %zu %s\n", set->count, text_word_for(set->count, "rule", "rules"), examples,
               text_word_for(examples, "example", "examples"), problems.errors,
               text_word_for(problems.errors, "error", "errors"));
    int code = problems.errors ? EX_CONFIG : EX_OK;
    ruleset_free(set);
    problem_list_free(&problems);
    return code;
}

/* --- list --- */

static int list(const struct options *options)
{
    struct problem_list problems;
    problem_list_start(&problems);
    struct ruleset *set = rules_read(options, NULL, 0, &(struct mail_files){ 0 }, &problems);
    problem_list_free(&problems);
    if (!set) return EX_CONFIG;
    struct json *all = json_new_array();
    for (uint32_t i = 0; i < set->count; i++) {
        const struct spam_rule *rule = &set->rules[i];
        struct text about = about_of(rule, options->language);
        if (rule->points == 0 || rule->is_off) continue;
        struct json *object = json_new_object();
        json_set_text(object, "name", rule->name);
        json_set_real(object, "points", rule->points);
        json_set_text(object, "about", about);
        json_set_bool(object, "final", rule->is_final);
        json_add(all, object);
        if (!options->is_json)
            printf("%-*.*s %5.1f%s %.*s\n", RULE_NAME_MOST - 8, TEXT_ARG(rule->name), rule->points,
                   rule->is_final ? " final" : "", TEXT_ARG(about));
    }
    if (options->is_json)
        json_print(all, stdout, true);
    else
        json_free(all);
    ruleset_free(set);
    return EX_OK;
}

/* --- test --- */

static const char *area_name(const struct ruleset *set, unsigned area)
{
    static const char *const names[AREA_FIELD] = { "body",     "hidden",     "subject", "link host",
                                                   "link url", "link shown", "file" };
    return area < AREA_FIELD ? names[area] : set->fields[area - AREA_FIELD].at;
}

/* What may not stand in a line is a "?". */
static void shown_add(struct text text, struct buffer *out)
{
    while (text.length > 0) {
        size_t length = printable_length(text);
        if (length)
            buffer_add_text(out, text_slice(text, 0, length));
        else
            buffer_add_char(out, '?');
        text = text_slice(text, length ? length : 1, text.length);
    }
}

/* At most 200 bytes, to the end of a character. */
static size_t place_cut(struct text text)
{
    enum { PLACE_MOST = 200 };
    size_t end = text.length < PLACE_MOST ? text.length : PLACE_MOST;
    while (end > 0 && end < text.length && ((unsigned char)text.at[end] & 0xc0) == 0x80) end--;
    return end;
}

static void places_print(const struct ruleset *set, const struct spam_rule *rule,
                         const struct rule_trial *trial)
{
    for (uint32_t i = 0; i < rule->step_count; i++) {
        const struct rule_step *step = &rule->steps[i];
        if (step->kind != STEP_PROBE || !trial->places[step->index].is_set) continue;
        const struct rule_place *place = &trial->places[step->index];
        struct buffer shown = { 0 };
        shown_add(text_slice(place->text, 0, place_cut(place->text)), &shown);
        printf("    %s: \"%.*s\"\n", area_name(set, place->area), TEXT_ARG(buffer_text(&shown)));
        buffer_free(&shown);
    }
}

/* On a line of its own each, as a rule has it; into `object` for programs. */
static void facts_print(const struct options *options, struct text facts, struct json *object)
{
    struct json *names = json_new_array();
    for (struct text line; text_next_line(&facts, &line);) {
        struct buffer shown = { 0 };
        shown_add(line, &shown);
        json_add_text(names, buffer_text(&shown));
        if (!options->is_json) printf("  fact %.*s\n", TEXT_ARG(buffer_text(&shown)));
        buffer_free(&shown);
    }
    json_set(object, "facts", names);
}

static void message_print(const struct options *options, const struct ruleset *set, const char *name,
                          const struct rule_trial *trial)
{
    struct json *object = json_new_object(), *hits = json_new_array();
    if (!options->is_json) printf("%s:\n", name);
    for (uint32_t i = 0; i < set->count; i++) {
        const struct spam_rule *rule = &set->rules[i];
        struct text about = about_of(rule, options->language);
        if (!trial->hits[i] || rule->points == 0) continue;
        struct json *hit = json_new_object();
        json_set_text(hit, "name", rule->name);
        json_set_real(hit, "points", rule->points);
        json_set_text(hit, "about", about);
        json_add(hits, hit);
        if (options->is_json) continue;
        printf("  %.*s %.1f %.*s\n", TEXT_ARG(rule->name), rule->points, TEXT_ARG(about));
        places_print(set, rule, trial);
    }
    if (trial->is_cut && !options->is_json) puts("  RULES_LIMIT 0.0 a pattern took too long and was ended");
    json_set_string(object, "file", name);
    json_set(object, "signals", hits);
    if (options->has_facts) facts_print(options, trial->facts, object);
    if (options->is_json)
        json_print(object, stdout, false);
    else
        json_free(object);
}

static void counts_print(const struct ruleset *set, const uint32_t *counts, size_t messages)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (counts[i] && set->rules[i].points != 0)
            printf("%6u %-*.*s %5.1f\n", counts[i], RULE_NAME_MOST, TEXT_ARG(set->rules[i].name),
                   set->rules[i].points);
    printf("%6zu messages\n", messages);
}

static void messages_try(const struct options *options, const struct ruleset *set,
                         const struct mail_files *files)
{
    uint32_t *counts = memory_alloc((set->count + 1) * sizeof *counts);
    for (size_t i = 0; i < files->count; i++) {
        struct arena *arena = arena_new(1 << 16);
        struct rule_trial trial;
        rule_trial_run(arena, set, buffer_text(&files->items[i].content), TEXT_NONE, &trial);
        for (uint32_t k = 0; k < set->count; k++) counts[k] += trial.hits[k];
        if (options->is_json || files->count == 1) message_print(options, set, files->items[i].name, &trial);
        arena_free(arena);
    }
    if (!options->is_json && files->count > 1) counts_print(set, counts, files->count);
    free(counts);
}

/* What comes on standard input is one message, as for `sekimori judge`. */
static bool has_mailbox(const struct mail_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        const struct mail_file *file = &files->items[i];
        if (strcmp(file->name, "standard input") == 0 || !mail_is_mailbox(buffer_text(&file->content)))
            continue;
        fprintf(stderr, "sekimori rules: %s has more than one message; sekimori judge judges many\n",
                file->name);
        return true;
    }
    return false;
}

static int test(const struct options *options, int count, char **paths)
{
    struct problem_list problems;
    struct mail_files files = { 0 };
    for (int i = 0; i < count; i++)
        if (!mail_files_add(&files, paths[i])) return EX_NOINPUT;
    if (has_mailbox(&files)) return EX_DATAERR;
    problem_list_start(&problems);
    struct ruleset *set = rules_read(options, NULL, 0, &(struct mail_files){ 0 }, &problems);
    problem_list_free(&problems);
    if (!set) return EX_CONFIG;
    messages_try(options, set, &files);
    ruleset_free(set);
    return EX_OK;
}

int rules_main(int argc, char **argv)
{
    struct options options = { .language = language_option_of_locale() };
    int code = options_read(&rules_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    const char *task = optind < argc ? argv[optind++] : "";
    int count = argc - optind;
    if (!judge_sources_can_open("rules", options.rules) ||
        (!options.rules && !judge_sources_can_open("rules", options.config)))
        return EX_NOINPUT;
    if (strcmp(task, "check") == 0) return check(&options, count, argv + optind);
    if (strcmp(task, "list") == 0 && count == 0) return list(&options);
    if (strcmp(task, "facts") == 0 && count == 0) {
        rules_facts_print(options.language, options.is_json);
        return EX_OK;
    }
    if (strcmp(task, "test") == 0 && count > 0) return test(&options, count, argv + optind);
    const char *const tasks[] = { "check", "test", "list", "facts", NULL };
    if (strcmp(task, "list") == 0 || strcmp(task, "facts") == 0)
        return options_complain(&rules_usage, "unexpected argument: ", argv[optind]);
    if (strcmp(task, "test") == 0) return options_complain(&rules_usage, "which message?", "");
    return options_complain_word(&rules_usage, "check, test, list or facts, not ", task, tasks);
}
