/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Asks the report process of the running node for a digest at once. */
#include "cli/digest_tool.h"

#include <stdio.h>
#include <sysexits.h>

#include "cli/control.h"
#include "cli/options.h"

enum { ASK_LIMIT_MS = 60000 };

static const char help[] =
    "usage: sekimori digest --now [--config FILE | --state FOLDER]\n\n"
    "Tells each user of the domains by mail, now, of what became held for them since the last\n"
    "digest, as `digest at` does each day. Nobody is told of the same message twice.\n\n"
    "  --now           begin at once\n" CONTROL_OPTIONS_HELP
    "\nExit codes: 0, 64 usage, 69 no node answers, 75 the queue or the ledger does not answer now: it goes\n"
    "out when they do, 77 not allowed, 78 digest send is off.\n";

struct options {
    struct control_target target;
    bool is_now;
};

static const struct verb_option table[] = { { "now", OPTION_SWITCH, offsetof(struct options, is_now), NULL,
                                              NULL },
                                            OPTIONS_TARGET(struct options),
                                            { 0 } };
const struct verb_usage digest_usage = { "digest", help, table };

int digest_main(int argc, char **argv)
{
    struct options options = { 0 };
    struct buffer out = { 0 };
    int code = options_read_all(&digest_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    if (!options.is_now) return options_complain(&digest_usage, "--now is missing", "");
    code = control_ask(&options.target, TEXT("digest now"), ASK_LIMIT_MS, NULL, NULL, &out);
    if (code == EX_OK)
        printf("%.*s\n", TEXT_ARG(buffer_text(&out)));
    else if (buffer_length(&out))
        fprintf(stderr, "sekimori digest: %.*s\n", TEXT_ARG(buffer_text(&out)));
    buffer_free(&out);
    return code;
}
