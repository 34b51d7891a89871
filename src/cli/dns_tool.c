/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The node's lookup answers, or with --dns that server, without the node. */
#include "cli/dns_tool.h"

#include <string.h>
#include <sysexits.h>

#include "base/context.h"
#include "base/json.h"
#include "cli/own_resolver.h"
#include "lookup/answer_text.h"
#include "lookup/dns_question.h"

enum { TIMEOUT_MS = 10000, ASK_LIMIT_MS = DNS_QUESTION_DEADLINE + 1000 };

static const char help[] =
    "usage: sekimori dns NAME TYPE [--dns SERVER] [--json] [--config FILE | --state FOLDER]\n\n"
    "Asks for the records of TYPE (A, AAAA, CNAME, MX, PTR, TXT) at NAME as the running node does: its\n"
    "servers, its cache, its time limit, its check of signatures (DNSSEC).\n\n"
    "  --dns SERVER    ask ADDRESS or ADDRESS:PORT instead; no node is needed, signatures are not checked\n"
    "  --json          for programs\n" CONTROL_OPTIONS_HELP
    "\nExit codes: 0 found, 1 there is no such name or record, 64 usage, 69 no node, 75 no answer in time "
    "or\n"
    "a server failed, 76 the signature does not hold, 77 you may not.\n";

struct options {
    struct control_target target;
    const char *dns;
    bool json;
};

static const struct verb_option table[] = {
    { "dns", OPTION_WORD, offsetof(struct options, dns), NULL, NULL },
    { "json", OPTION_SWITCH, offsetof(struct options, json), NULL, NULL },
    OPTIONS_TARGET(struct options),
    { 0 },
};

const struct verb_usage dns_usage = { "dns", help, table };

/* --- asking a server oneself --- */

struct inquiry {
    struct asker asker; /* first */
    struct loop *loop;
    enum dns_record_type type;
    struct buffer *out;
    int code;
};

static void answered(struct asker *asker, const struct dns_question_answer *answer)
{
    struct inquiry *inquiry = (struct inquiry *)asker;
    answer_text_print(answer->records, inquiry->type, inquiry->out);
    inquiry->code = answer_text_code(answer->records->status);
    loop_stop(inquiry->loop);
}

static int server_ask(const char *server, const struct dns_question_subject *subject, struct buffer *out)
{
    struct own_resolver own;
    if (!own_resolver_open(&own, server)) return EX_USAGE;
    struct dns_question_table *questions = dns_question_table_new(
        own.loop, own.resolver, &(struct dns_question_manner){ .timeout_ms = TIMEOUT_MS });
    struct inquiry inquiry = {
        .asker.answered = answered, .loop = own.loop, .type = subject->type, .out = out, .code = -1
    };
    dns_question_ask(questions, subject, 0, &inquiry.asker);
    if (inquiry.code < 0) loop_run(own.loop);
    dns_question_table_free(questions);
    own_resolver_close(&own);
    return inquiry.code;
}

int dns_tool_ask(const struct control_target *target, const char *server, enum dns_record_type type,
                 struct text name, struct buffer *out)
{
    struct dns_question_subject subject = { .kind = DNS_QUESTION_RECORDS, .name = name, .type = type };
    struct buffer command = { 0 };
    if (server) return server_ask(server, &subject, out);
    buffer_printf(&command, "dns %s %.*s", dns_record_type_name(type), TEXT_ARG(name));
    int code = control_ask(target, buffer_text(&command), ASK_LIMIT_MS, NULL, NULL, out);
    buffer_free(&command);
    return code;
}

/* --- telling --- */

static void print_json(struct text says)
{
    struct json *object = json_new_object(), *records = json_new_array();
    struct text line;
    while (text_next_line(&says, &line)) {
        size_t colon = text_find_char(line, ':');
        struct text key = text_slice(line, 0, colon),
                    value = text_trim(text_slice(line, colon + 1, line.length));
        if (text_equal(key, TEXT("record")))
            json_add_text(records, value);
        else if (text_equal(key, TEXT("cached")))
            json_set_bool(object, "cached", text_equal(value, TEXT("yes")));
        else
            json_set_text(object, text_equal(key, TEXT("dnssec")) ? "dnssec" : "status", value);
    }
    json_set(object, "records", records);
    json_print(object, stdout, true);
}

/* What is no answer of the DNS is said on standard error. */
static int tell(const struct options *options, int code, struct text says)
{
    bool is_answer = text_starts(says, TEXT("status: "));
    if (is_answer && options->json)
        print_json(says);
    else if (says.length > 0)
        fprintf(is_answer ? stdout : stderr, "%.*s%s", TEXT_ARG(says), is_answer ? "" : "\n");
    return code;
}

int dns_main(int argc, char **argv)
{
    struct options options = { 0 };
    enum dns_record_type type;
    int code = options_read(&dns_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    if (argc - optind != 2) return options_complain(&dns_usage, "say NAME and TYPE", "");
    if (!dns_record_type_find(text_of(argv[optind + 1]), &type))
        return options_complain(&dns_usage, "TYPE is A, AAAA, CNAME, MX, PTR or TXT, not ", argv[optind + 1]);
    struct buffer says = { 0 };
    code = dns_tool_ask(&options.target, options.dns, type, text_of(argv[optind]), &says);
    code = tell(&options, code, buffer_text(&says));
    buffer_free(&says);
    return code;
}
