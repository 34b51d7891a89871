/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The table of verbs. A new verb is a row here, a file that reads its options by cli/options.h, and its part
   of sekimori(1), which ./test compares with --help. */
#include "cli/verb_table.h"

#include <string.h>
#include <sysexits.h>

#include "base/build_facts.h"
#include "cli/audit.h"
#include "cli/auth_tool.h"
#include "cli/balance.h"
#include "cli/ca.h"
#include "cli/callout_tool.h"
#include "cli/campaign_tool.h"
#include "cli/check.h"
#include "cli/completions.h"
#include "cli/digest_tool.h"
#include "cli/dkim_tool.h"
#include "cli/dns_tool.h"
#include "cli/drain.h"
#include "cli/entry_tool.h"
#include "cli/explain_tool.h"
#include "cli/health_command.h"
#include "cli/inside_tool.h"
#include "cli/judge_tool.h"
#include "cli/keepalived.h"
#include "cli/learn.h"
#include "cli/lists_tool.h"
#include "cli/metrics_command.h"
#include "cli/missed.h"
#include "cli/model_command.h"
#include "cli/newsletter_tool.h"
#include "cli/node.h"
#include "cli/people_tool.h"
#include "cli/quarantine.h"
#include "cli/queue_tool.h"
#include "cli/report_tool.h"
#include "cli/rules_tool.h"
#include "cli/sender_tool.h"
#include "cli/setup.h"
#include "cli/show_config.h"
#include "cli/stats.h"
#include "cli/status_command.h"
#include "cli/testtools/send.h"
#include "cli/testtools/show_address.h"
#include "cli/testtools/show_message.h"
#include "cli/testtools/sink.h"
#include "cli/testtools/zone.h"
#include "cli/trace_tool.h"
#include "config/nearest.h"

static const char completions_help[] =
    "usage: sekimori completions bash|zsh\n\n"
    "Prints what completes this command in a shell: verbs, options, and words that an option may be. The\n"
    "package installs both. By hand: source <(sekimori completions bash); of zsh, put it as _sekimori into "
    "a\n"
    "folder of $fpath.\n\n"
    "Exit codes: 0, 64 usage.\n";
static const struct verb_option no_options[] = { { 0 } };
static const struct verb_usage completions_usage = { "completions", completions_help, no_options,
                                                     .word = completions_shell };

/* It is made of the table that it stands in. */
static int completions_main(int argc, char **argv);

static const struct verb verbs[] = {
    { "setup", setup_main, "ask five questions, look around, and write the first configuration",
      VERB_ASKS_NETWORK, &setup_usage },
    { "check", check_main, "say every error of a configuration", VERB_ASKS_NOBODY, &check_usage },
    { "dump", dump_main, "print the effective configuration and where each value comes from",
      VERB_ASKS_NOBODY, &dump_usage },
    { "start", start_main, "start the node in the background", VERB_ASKS_MASTER, &start_usage },
    { "stop", stop_main, "stop it in order", VERB_ASKS_MASTER, &stop_usage },
    { "reload", reload_main, "put a changed configuration in force", VERB_ASKS_MASTER, &reload_usage },
    { "status", status_main, "the node on one screen; --all, or a process: everything", VERB_ASKS_MASTER,
      &status_usage },
    { "health", health_main, "say what is wrong with the node, at once; for keepalived", VERB_ASKS_MASTER,
      &health_usage },
    { "metrics", metrics_main, "print figures of the node for monitors, as Prometheus reads them",
      VERB_ASKS_FILES, &metrics_usage },
    { "drain", drain_main, "take the node out of service: its mail goes to another one", VERB_ASKS_MASTER,
      &drain_usage },
    { "undrain", undrain_main, "put it back in service", VERB_ASKS_MASTER, &undrain_usage },
    { "keepalived", keepalived_main, "print the configuration and the unit of keepalived", VERB_ASKS_NOBODY,
      &keepalived_usage },
    { "queue", queue_main, "list, show, retry, hold, release or remove queued mail; summary", VERB_ASKS_QUEUE,
      &queue_usage },
    { "quarantine", quarantine_main, "list, show, release or delete held mail", VERB_ASKS_LEDGER,
      &quarantine_usage },
    { "learn", learn_main, "tell which mails are ham or spam, and what is like them", VERB_ASKS_LEDGER,
      &learn_usage },
    { "model", model_main, "what was learned: stat, export, import", VERB_ASKS_LEDGER, &model_usage },
    { "newsletter", newsletter_main, "approve newsletters that are wanted, so that none is tagged",
      VERB_ASKS_LEDGER, &newsletter_usage },
    { "people", people_main, "names of our own senders, learned from their mail: list, forget",
      VERB_ASKS_LEDGER, &people_usage },
    { "allow", allow_main, "senders whose mail comes whatever its points: add, list, remove",
      VERB_ASKS_LEDGER, &allow_usage },
    { "block", block_main, "senders whose mail does not come: add, list, remove", VERB_ASKS_LEDGER,
      &block_usage },
    { "campaign", campaign_main, "list, show, stop or forget mail that came from many places",
      VERB_ASKS_MASTER, &campaign_usage },
    { "inside", inside_main, "list and release senders inside whose mail is held", VERB_ASKS_MASTER,
      &inside_usage },
    { "sender", sender_main, "show or forget what is remembered of a sender", VERB_ASKS_MASTER,
      &sender_usage },
    { "callout", callout_main, "count or forget what servers said of recipients", VERB_ASKS_MASTER,
      &callout_usage },
    { "lists", lists_main, "say how lists are, and which of them have somebody", VERB_ASKS_MASTER,
      &lists_usage },
    { "auth", auth_main, "say who sent a message, proven or not, with every step", VERB_ASKS_NETWORK,
      &auth_usage },
    { "dkim", dkim_main, "make keys that sign mail, and check whether they are published", VERB_ASKS_NETWORK,
      &dkim_usage },
    { "dns", dns_main, "ask the DNS as the node does", VERB_ASKS_MASTER, &dns_usage },
    { "rules", rules_main, "check, try and list the rules that mail is judged by", VERB_ASKS_NOBODY,
      &rules_usage },
    { "balance", balance_main, "compare the three counts of every accepted recipient", VERB_ASKS_LEDGER,
      &balance_usage },
    { "ca", ca_main, "make the private authority of the nodes and their certificates", VERB_ASKS_NOBODY,
      &ca_usage },
    { "stats", stats_main, "tables of what went through: viruses, spam, domains, storms", VERB_ASKS_FILES,
      &stats_usage },
    { "report", report_main, "the report of a day, a week or a month, as a file or by mail", VERB_ASKS_REPORT,
      &report_usage },
    { "digest", digest_main, "tell users now of what is held for them", VERB_ASKS_REPORT, &digest_usage },
    { "missed", missed_main, "tell of messages that should not have come through", VERB_ASKS_REPORT,
      &missed_usage },
    { "trace", trace_main, "what became of messages: each step, with its time and reply", VERB_ASKS_FILES,
      &trace_usage },
    { "explain", explain_main, "why a message was judged as it was: rules, points, passages", VERB_ASKS_FILES,
      &explain_usage },
    { "audit", audit_main, "who looked at the content of which message", VERB_ASKS_FILES, &audit_usage },
    { "send", send_main, "send messages by SMTP", VERB_ASKS_NETWORK, &send_usage },
    { "sink", sink_main, "receive messages by SMTP into a Maildir", VERB_ASKS_NETWORK, &sink_usage },
    { "zone", zone_main, "answer DNS questions from a file, for trials", VERB_ASKS_NETWORK, &zone_usage },
    { "judge", judge_main, "score messages as the content filter does; no node is needed", VERB_ASKS_NOBODY,
      &judge_usage },
    { "parse", parse_main, "show a message as the gateway understands it", VERB_ASKS_NOBODY, &parse_usage },
    { "address", address_main, "show how addresses are understood", VERB_ASKS_NOBODY, &address_usage },
    { "completions", completions_main, "print what completes this command in bash or zsh", VERB_ASKS_NOBODY,
      &completions_usage },
};
enum { VERBS = sizeof verbs / sizeof *verbs };

static int completions_main(int argc, char **argv)
{
    const char *const shells[] = { completions_shell(0), completions_shell(1), NULL };
    int code = options_read(&completions_usage, argc, argv, NULL);
    if (code != OPTIONS_GO_ON) return code;
    if (argc - optind != 1) return options_complain(&completions_usage, "bash or zsh?", "");
    if (!options_word_is(argv[optind], shells))
        return options_complain(&completions_usage, "bash or zsh, not ", argv[optind]);
    completions_print(argv[optind], verbs, VERBS);
    return EX_OK;
}

const struct verb *verb_table_list(size_t *out_count)
{
    *out_count = VERBS;
    return verbs;
}

const struct verb *verb_table_find(const char *name)
{
    for (int i = 0; i < VERBS; i++)
        if (strcmp(name, verbs[i].name) == 0) return &verbs[i];
    return NULL;
}

void verb_table_usage(FILE *to)
{
    fputs("usage: sekimori VERB [OPTIONS] …\n\n", to);
    for (int i = 0; i < VERBS; i++) fprintf(to, "  %-10s  %s\n", verbs[i].name, verbs[i].help);
    fputs(
        "\n`sekimori VERB --help` explains each, --version [--json] tells of the build; sekimori(1) has the "
        "whole.\n",
        to);
}

/* `sekimori --version [--json]`. */
static int version_say(int argc, char **argv)
{
    bool as_json = argc == 3 && strcmp(argv[2], "--json") == 0;
    if (argc > 2 && !as_json) {
        fprintf(stderr, "sekimori: --version goes with --json alone, not with %s\n", argv[2]);
        return EX_USAGE;
    }
    struct buffer facts = { 0 };
    build_facts_print("sekimori", as_json, &facts);
    printf("%.*s", TEXT_ARG(buffer_text(&facts)));
    buffer_free(&facts);
    return EX_OK;
}

int verb_table_run(int argc, char **argv)
{
    if (argc < 2) {
        verb_table_usage(stderr);
        return EX_USAGE;
    }
    const struct verb *verb = verb_table_find(argv[1]);
    if (verb) return verb->run(argc - 1, argv + 1);
    if (strcmp(argv[1], "help") == 0 && argc == 3 && (verb = verb_table_find(argv[2]))) {
        fputs(verb->usage->help, stdout);
        return EX_OK;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        verb_table_usage(stdout);
        return EX_OK;
    }
    if (strcmp(argv[1], "--version") == 0) return version_say(argc, argv);
    const char *names[VERBS + 1] = { 0 };
    for (int i = 0; i < VERBS; i++) names[i] = verbs[i].name;
    const char *meant = nearest_of(text_of(argv[1]), names);
    if (meant) {
        fprintf(stderr, "sekimori: unknown verb: %s; did you mean %s?\n`sekimori --help` lists them.\n",
                argv[1], meant);
        return EX_USAGE;
    }
    fprintf(stderr, "sekimori: unknown verb: %s\n\n", argv[1]);
    verb_table_usage(stderr);
    return EX_USAGE;
}
