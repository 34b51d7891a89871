/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The same evaluators as in a node, one message at a time, with a resolver of the command's own. */
#include "cli/auth_tool.h"

#include <stdio.h>
#include <sysexits.h>

#include "auth/list_excuse.h"
#include "base/context.h"
#include "cli/auth_report.h"
#include "cli/mail_files.h"
#include "cli/own_resolver.h"
#include "cli/time_words.h"
#include "lookup/evaluation.h"
#include "mail/mime.h"

enum { TIMEOUT_S = 10, TIMEOUT_MOST_S = 600 };

static const char help[] =
    "usage: sekimori auth [FILE] --client ADDRESS [--helo NAME] [--from ADDRESS] [--dns SERVER]\n"
    "                     [--time WHEN] [--timeout SECONDS] [--suffixes] [--json]\n\n"
    "Says who sent a message, proven or not, as the node would, with each step: the SPF terms that were\n"
    "tried, the signatures (DKIM) and why they fail, where the policy (DMARC) stands and what aligned, the\n"
    "chain of forwarders (ARC), and what the DNS was asked. Without FILE (- is standard input): SPF "
    "alone.\n\n"
    "  --client ADDRESS   the IP address that the message came from\n"
    "  --helo NAME        what the client said in HELO or EHLO\n"
    "  --from ADDRESS     the sender in MAIL FROM; without it the bounce address <>\n"
    "  --dns SERVER       ask ADDRESS or ADDRESS:PORT, not the system's resolvers\n"
    "  --time WHEN        judge as of then: 2026-10-04T13:05:00Z, or as --since of trace\n"
    "  --timeout SECONDS  for all questions together; what is not answered then is temperror (10)\n"
    "  --suffixes         find policies by the public suffix list (RFC 7489)\n"
    "  --json             for programs\n"
    "\nExit codes: 0 judged, whatever the result; 64 usage, 66 the file cannot be read, 69 no resolver.\n";

struct options {
    const char *client, *helo, *from, *dns;
    uint64_t at_ms, timeout_s;
    bool json, suffixes;
};

static const struct verb_option table[] = {
    { "client", OPTION_WORD, offsetof(struct options, client), NULL, NULL },
    { "helo", OPTION_WORD, offsetof(struct options, helo), NULL, NULL },
    { "from", OPTION_WORD, offsetof(struct options, from), NULL, NULL },
    { "dns", OPTION_WORD, offsetof(struct options, dns), NULL, NULL },
    { "time", OPTION_TIME, offsetof(struct options, at_ms), NULL, WHEN_WANTED("time") },
    { "timeout", OPTION_NUMBER, offsetof(struct options, timeout_s), NULL, "--timeout wants seconds, not ",
      .least = 1, .most = TIMEOUT_MOST_S },
    { "suffixes", OPTION_SWITCH, offsetof(struct options, suffixes), NULL, NULL },
    { "json", OPTION_SWITCH, offsetof(struct options, json), NULL, NULL },
    { 0 },
};

const struct verb_usage auth_usage = { "auth", help, table, .takes_files = true };

struct task {
    enum { TASK_MAGIC = 0x7be19a54 } magic;
    struct loop *loop;
    struct spf_request spf;
    struct auth_request request; /* facts NULL: no message */
    struct auth_report report;
    struct evaluation evaluation;
    bool is_over;
};

static bool look(void *context, struct arena *scratch, struct dns_answers *answers)
{
    struct task *task = CONTEXT(context, struct task, TASK_MAGIC);
    struct auth_report *report = &task->report;
    bool is_spf_known = spf_answer_evaluate(scratch, answers, &task->spf, &report->spf);
    if (!task->request.facts) return is_spf_known;
    task->request.spf = is_spf_known ? &report->spf : NULL;
    return authentication_evaluate(scratch, answers, &task->request, &report->authentication) && is_spf_known;
}

static void progressed(void *context)
{
    struct task *task = CONTEXT(context, struct task, TASK_MAGIC);
    task->is_over = true;
    loop_stop(task->loop);
}

static void time_is_over(void *context)
{
    struct task *task = CONTEXT(context, struct task, TASK_MAGIC);
    evaluation_hurry(&task->evaluation);
    task->report.is_late = true;
    loop_stop(task->loop);
}

static void judge(struct task *task, const struct options *options, struct own_resolver *own,
                  struct arena *arena)
{
    struct timer *timer = timer_new(own->loop, time_is_over, task);
    task->loop = own->loop;
    timer_set(timer, 1000 * options->timeout_s);
    evaluation_begin(&task->evaluation, own->resolver, arena, look, progressed, task);
    if (!task->is_over) loop_run(own->loop);
    timer_free(timer);
    task->report.answers = &task->evaluation.answers;
    if (task->report.facts)
        task->report.list_domain =
            list_excuse_domain(arena, task->report.facts, &task->report.authentication, task->report.sender);
    if (options->json)
        auth_report_print_json(&task->report);
    else
        auth_report_print(&task->report);
}

/* Texts of the facts borrow from `files`. */
static bool message_read(struct task *task, const char *path, struct arena *arena, struct mail_files *files,
                         struct auth_facts *facts)
{
    if (!mail_files_add(files, path)) return false;
    if (files->count != 1) {
        fprintf(stderr, "sekimori auth: %s is no file\n", path);
        return false;
    }
    struct text message = buffer_text(&files->items[0].content);
    const struct mime *mime = mime_parse(arena, message, &mime_limits_default, MIME_FIRST);
    auth_facts_read(arena, message, mime->parts[0].header, facts);
    task->request.facts = task->report.facts = facts;
    return true;
}

static int run(const struct options *options, const char *path)
{
    struct arena *arena = arena_new(0);
    struct own_resolver own = { 0 };
    struct mail_files files = { 0 };
    struct auth_facts facts;
    struct task task = { .magic = TASK_MAGIC };
    uint64_t now_s = (options->at_ms ? options->at_ms : when_now_ms()) / 1000;
    task.spf = (struct spf_request){
        .helo = text_of(options->helo), .sender = text_of(options->from), .now = now_s, .is_traced = true
    };
    address_parse(text_of(options->client), &task.spf.client);
    task.request.now_s = now_s;
    if (options->suffixes) task.request.suffixes = public_suffix_builtin();
    task.report = (struct auth_report){ .sender = task.spf.sender,
                                        .helo = task.spf.helo,
                                        .client = text_of(options->client) };
    int code = EX_OK;
    if (path && !message_read(&task, path, arena, &files, &facts))
        code = EX_NOINPUT;
    else if (!own_resolver_open(&own, options->dns))
        code = EX_UNAVAILABLE;
    else
        judge(&task, options, &own, arena);
    fflush(stdout);
    return code; /* the process ends: what is in flight is never answered */
}

int auth_main(int argc, char **argv)
{
    struct options options = { .helo = "", .from = "", .timeout_s = TIMEOUT_S };
    struct address client;
    int code = options_read(&auth_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    if (argc - optind > 1) return options_complain(&auth_usage, "one FILE, not also ", argv[optind + 1]);
    if (!options.client) return options_complain(&auth_usage, "say --client ADDRESS", "");
    if (!address_parse(text_of(options.client), &client))
        return options_complain(&auth_usage, "--client wants an IP address, not ", options.client);
    return run(&options, optind < argc ? argv[optind] : NULL);
}
