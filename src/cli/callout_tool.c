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
    "usage: sekimori callout forget [--config FILE | --state FOLDER] [ADDRESS|DOMAIN]\n\n"
    "Forgets what servers answered when they were asked for a recipient, and whether they take\n"
    "SMTPUTF8: of one ADDRESS, of everybody at a DOMAIN, or of all. They are asked "
    "again.\n\n" CONTROL_OPTIONS_HELP
    "\nExit codes: 0, 64 usage, 69 no node, 75 deliver is being restarted, 77 you may not.\n";

struct options {
    struct control_target target;
};

static const struct verb_option table[] = { OPTIONS_TARGET(struct options), { 0 } };
static const struct verb_usage usage = { "callout", help, table };

int callout_main(int argc, char **argv)
{
    struct options options = { 0 };
    int code = options_read(&usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    if (optind == argc) return options_complain(&usage, "say forget", "");
    if (strcmp(argv[optind], "forget") != 0)
        return options_complain(&usage, "say forget, not ", argv[optind]);
    if (argc - optind > 2)
        return options_complain(&usage, "one ADDRESS or DOMAIN at a time, not also ", argv[optind + 2]);
    struct buffer command = { 0 }, answer = { 0 };
    buffer_printf(&command, "callout forget %s", optind + 1 < argc ? argv[optind + 1] : "");
    code = control_ask(&options.target, buffer_text(&command), ASK_LIMIT_MS, NULL, NULL, &answer);
    fprintf(code == EX_OK ? stdout : stderr, "%.*s\n", TEXT_ARG(buffer_text(&answer)));
    buffer_free(&command);
    buffer_free(&answer);
    return code;
}
