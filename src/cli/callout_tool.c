/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Has deliver forget what servers said of recipients, so that who was made or removed there counts at once.
 */
#include "cli/callout_tool.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/options.h"

enum { ASK_LIMIT_MS = 10000 };

static const char help[] =
    "usage: sekimori callout [forget [ADDRESS|DOMAIN]] [--config FILE | --state FOLDER]\n\n"
    "Says how many answers of servers that were asked for a recipient, or whether they take SMTPUTF8,\n"
    "are known. With forget those of one ADDRESS, of everybody at a DOMAIN, or all are dropped: the\n"
    "servers are asked again.\n\n" CONTROL_OPTIONS_HELP
    "\nExit codes: 0, 64 usage, 69 no node, 75 deliver is being restarted, 77 you may not.\n";

struct options {
    struct control_target target;
};

static const struct verb_option table[] = { OPTIONS_TARGET(struct options), { 0 } };

static const char *act_word(size_t position)
{
    return position == 0 ? "forget" : NULL;
}

const struct verb_usage callout_usage = { "callout", help, table, .word = act_word };

int callout_main(int argc, char **argv)
{
    struct options options = { 0 };
    int code = options_read(&callout_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    const char *act = optind < argc ? argv[optind] : "show",
               *what = optind + 1 < argc ? argv[optind + 1] : "";
    if (optind < argc && strcmp(act, "forget") != 0)
        return options_complain(&callout_usage, "say forget, not ", act);
    if (argc - optind > 2)
        return options_complain(&callout_usage, "one ADDRESS or DOMAIN at a time, not also ",
                                argv[optind + 2]);
    struct buffer command = { 0 }, answer = { 0 };
    buffer_printf(&command, "callout %s %s", act, what);
    code = control_ask(&options.target, buffer_text(&command), ASK_LIMIT_MS, NULL, NULL, &answer);
    fprintf(code == EX_OK ? stdout : stderr, "%.*s\n", TEXT_ARG(buffer_text(&answer)));
    buffer_free(&command);
    buffer_free(&answer);
    return code;
}
