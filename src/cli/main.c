/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* sekimori: one command, a verb each. The table is all it knows. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/standard.h"
#include "cli/audit.h"
#include "cli/balance.h"
#include "cli/ca.h"
#include "cli/check.h"
#include "cli/drain.h"
#include "cli/keepalived.h"
#include "cli/missed.h"
#include "cli/node.h"
#include "cli/quarantine.h"
#include "cli/queue_tool.h"
#include "cli/report_tool.h"
#include "cli/send.h"
#include "cli/show_address.h"
#include "cli/show_config.h"
#include "cli/show_message.h"
#include "cli/sink.h"
#include "cli/stats.h"
#include "cli/trace_tool.h"
#include "cli/wellness.h"

struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
};

static const struct verb verbs[] = {
    { "check", check_main, "say every error of a configuration" },
    { "dump", dump_main, "print the effective configuration and where each value comes from" },
    { "start", start_main, "start the node in the background" },
    { "stop", stop_main, "stop it in order" },
    { "reload", reload_main, "put a changed configuration in force" },
    { "status", status_main, "show every process" },
    { "health", health_main, "say what is wrong with the node, at once; for keepalived" },
    { "drain", drain_main, "take the node out of service: its mail goes to another one" },
    { "undrain", undrain_main, "put it back in service" },
    { "keepalived", keepalived_main, "print the configuration and the unit of keepalived" },
    { "queue", queue_main, "list, show, retry, hold, release or remove queued mail; summary" },
    { "quarantine", quarantine_main, "list, show, release or delete held mail" },
    { "balance", balance_main, "compare the three counts of every accepted recipient" },
    { "ca", ca_main, "make the private authority of the nodes and their certificates" },
    { "trace", trace_main, "what became of messages: each step, with its time and reply" },
    { "audit", audit_main, "who looked at the content of which message" },
    { "stats", stats_main, "tables of what went through: viruses, spam, domains, storms" },
    { "report", report_main, "the report of a day, into a file or by mail" },
    { "missed", missed_main, "tell of messages that should not have come through" },
    { "send", send_main, "send messages by SMTP" },
    { "sink", sink_main, "receive messages by SMTP into a Maildir" },
    { "parse", parse_main, "show a message as the gateway understands it" },
    { "address", address_main, "show how addresses are understood" },
};
enum { VERB_COUNT = sizeof verbs / sizeof *verbs };

static void usage(FILE *to)
{
    fputs("usage: sekimori VERB [OPTIONS] …\n\n", to);
    for (int i = 0; i < VERB_COUNT; i++) fprintf(to, "  %-10s  %s\n", verbs[i].name, verbs[i].help);
    fputs("\n`sekimori VERB --help` explains each; sekimori(1) has the whole.\n", to);
}

int main(int argc, char **argv)
{
    standard_open();
    if (argc < 2) {
        usage(stderr);
        return EX_USAGE;
    }
    for (int i = 0; i < VERB_COUNT; i++)
        if (strcmp(argv[1], verbs[i].name) == 0) return verbs[i].run(argc - 1, argv + 1);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return EX_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("sekimori " SEKIMORI_VERSION);
        return EX_OK;
    }
    fprintf(stderr, "sekimori: unknown verb: %s\n\n", argv[1]);
    usage(stderr);
    return EX_USAGE;
}
