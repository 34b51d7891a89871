/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The check verb. Errors and warnings go to stderr as lines, or to stdout as JSON. */
#include "cli/check.h"

#include <stdio.h>
#include <sysexits.h>

#include "base/json.h"
#include "cli/language_option.h"
#include "cli/list_files_check.h"
#include "cli/options.h"
#include "cli/root_probe.h"
#include "cli/signatures_trial.h"
#include "config/executable.h"
#include "config/load.h"
#include "config/machine.h"
#include "config/signatures.h"
#include "config/unsafe.h"
#include "rules/rule_folders.h"
#include "spam/spam_files.h"
#include "statistics/words.h"

static const char HELP[] =
    "usage: sekimori check [--json] [--language ja|en] [--libexec FOLDER] [[--config] FILE]\n"
    "\n"
    "Reads the configuration and says everything that is wrong with it, what `start` would refuse on this\n"
    "machine, and what is unsafe. Below each error stands the line with a caret under the column.\n"
    "FILE is $SEKIMORI_CONFIG or /etc/sekimori/sekimori.conf when it is not given.\n"
    "\n"
    "  --json           one JSON object on stdout instead of lines, in English\n"
    "  --language LANG  ja or en (default: as the locale, LC_ALL, LC_MESSAGES or LANG, says); what is wrong "
    "with\n"
    "                   the form of a statement is said in English\n"
    "  --libexec FOLDER where scan is, which tries the second set of signatures by loading it\n"
    "  --help           this text\n"
    "\n"
    "Exit status: 0 it is good (perhaps with warnings), 64 usage, 78 it has errors.\n";

static void problems_print(const struct problem_list *problems)
{
    struct buffer lines = { 0 };
    for (size_t i = 0; i < problems->count; i++) problem_show(&problems->items[i], &lines);
    fprintf(stderr, "%.*s", TEXT_ARG(buffer_text(&lines)));
    buffer_free(&lines);
    if (problems->errors + problems->warnings > problems->count)
        fprintf(stderr, problem_say(problems, N_("… and %zu more\n")),
                problems->errors + problems->warnings - problems->count);
}

static struct json *problem_json(const struct problem *problem)
{
    struct json *object = json_new_object();
    json_set_string(object, "severity", problem->is_warning ? "warning" : "error");
    json_set_text(object, "file", problem->file);
    if (problem->line > 0) json_set_number(object, "line", problem->line);
    if (problem->line > 0) json_set_number(object, "column", problem->column);
    json_set_text(object, "message", problem->message);
    if (problem->allowed.length > 0) json_set_text(object, "allowed", problem->allowed);
    if (problem->hint.length > 0) json_set_text(object, "hint", problem->hint);
    if (problem->source.length > 0) json_set_text(object, "source", problem->source);
    return object;
}

/* Domains without the "*" that is always there. */
static size_t own_domains(const struct config *config)
{
    return config->domain_count - 1;
}

static void report_json(const char *path, const struct config *config, const struct problem_list *problems)
{
    struct json *object = json_new_object(), *list = json_new_array();
    json_set_string(object, "file", path);
    json_set_bool(object, "ok", problems->errors == 0);
    if (config) json_set_number(object, "listeners", (int64_t)config->listener_count);
    if (config) json_set_number(object, "domains", (int64_t)own_domains(config));
    json_set_number(object, "errors", (int64_t)problems->errors);
    json_set_number(object, "warnings", (int64_t)problems->warnings);
    for (size_t i = 0; i < problems->count; i++) json_add(list, problem_json(&problems->items[i]));
    json_set(object, "problems", list);
    json_print(object, stdout, true);
}

static void count_print(const struct problem_list *problems, size_t count, const char *one, const char *many,
                        const char *end)
{
    printf(problem_say(problems, count == 1 ? one : many), count);
    fputs(end, stdout);
}

static void report_lines(const char *path, const struct config *config, const struct problem_list *problems)
{
    problems_print(problems);
    printf("%s: %s: ", path, problem_say(problems, problems->errors ? N_("not ok") : N_("ok")));
    if (config) count_print(problems, config->listener_count, N_("%zu listener"), N_("%zu listeners"), ", ");
    if (config) count_print(problems, own_domains(config), N_("%zu domain"), N_("%zu domains"), ", ");
    count_print(problems, problems->errors, N_("%zu error"), N_("%zu errors"), ", ");
    count_print(problems, problems->warnings, N_("%zu warning"), N_("%zu warnings"), "\n");
}

bool check_is_good(const char *path)
{
    struct problem_list problems;
    problem_list_start(&problems);
    problems.say = words_in(language_option_of_locale())->say;
    struct config *config = config_load(path, &problems);
    if (config) machine_check_for_start(config, &problems);
    if (config) unsafe_check(config, &problems);
    if (config) signatures_check(config, &problems);
    bool is_good = config && problems.errors == 0;
    if (is_good) rule_folders_check(config, &problems); /* the node leaves out what is wrong */
    problems_print(&problems);
    config_free(config);
    problem_list_free(&problems);
    return is_good;
}

struct options {
    const char *config, *libexec;
    bool is_json;
    enum language language;
};

static bool language_take(void *context, const char *word)
{
    return language_option_read(word, &((struct options *)context)->language);
}

static const struct verb_option table[] = {
    { "json", OPTION_SWITCH, offsetof(struct options, is_json), NULL, NULL },
    { "language", OPTION_VALUE, 0, language_take, LANGUAGE_OPTION_WANTED, .choice = language_option_choice },
    { "config", OPTION_WORD, offsetof(struct options, config), NULL, NULL, .letter = 'c' },
    { "libexec", OPTION_WORD, offsetof(struct options, libexec), NULL, NULL },
    { 0 }
};
const struct verb_usage check_usage = { "check", HELP, table, .takes_files = true };

int check_main(int argc, char **argv)
{
    struct options options = { .language = language_option_of_locale(), .libexec = SEKIMORI_LIBEXEC };
    int code = options_read(&check_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    if (!options.config && optind < argc) options.config = argv[optind++];
    if (optind < argc) return options_complain(&check_usage, "unexpected argument: ", argv[optind]);
    const char *path = options.config ? options.config : config_default_path();
    struct problem_list problems;
    problem_list_start(&problems);
    if (!options.is_json) problems.say = words_in(options.language)->say;
    struct config *config = config_load(path, &problems);
    if (config) executable_check(config, &problems);
    if (config) machine_check(config, &problems);
    if (config) unsafe_check(config, &problems);
    if (config) unsafe_check_page(config, &problems);
    if (config) signatures_check(config, &problems);
    if (config) rule_folders_check(config, &problems);
    if (config) list_files_check(config, &problems);
    if (config) root_probe_check(config, &problems);
    if (config) spam_files_check(config, &problems);
    if (config) signatures_trial(config, options.libexec, &problems);
    if (options.is_json)
        report_json(path, config, &problems);
    else
        report_lines(path, config, &problems);
    int status = problems.errors ? EX_CONFIG : EX_OK;
    config_free(config);
    problem_list_free(&problems);
    return status;
}
