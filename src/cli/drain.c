/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Asks master to drain, then follows the node's own report until nothing is left that has to go. The drain is
   the node's: it goes on when nobody watches. */
#include "cli/drain.h"

#include <stdio.h>
#include <sysexits.h>
#include <time.h>

#include "base/buffer.h"
#include "base/monotonic.h"
#include "cli/control.h"
#include "cli/health_command.h"
#include "cli/locale_words.h"
#include "cli/options.h"

enum { ANSWER_LIMIT_MS = 10000, STEP_MS = 200, SAY_EVERY_MS = 1000 };

static const char drain_help[] =
    "usage: sekimori drain [--to ADDRESS[:PORT]] [--no-wait] [--config FILE | --state FOLDER]\n\n"
    "Takes this node out of service: it listens no more, so that senders take another one at once, and lets\n"
    "the shared address go; sessions end with their message, or after the time of `drain sessions`; all "
    "that\n"
    "waits is sent to a peer at once. Waits until the machine may be switched off. The node stays drained,\n"
    "also over a restart, until `sekimori undrain`; ending this command does not end the drain.\n\n"
    "  --to ADDRESS[:PORT]  the peer (default: drain to of the configuration; without one mail goes its\n"
    "                       usual ways)\n"
    "  --no-wait            do not wait\n" CONTROL_OPTIONS_HELP
    "\nExit codes: 0 drained (or begun, with --no-wait), 64 usage, 69 no node, 75 somebody undrained it.\n";

static const char undrain_help[] = "usage: sekimori undrain [--config FILE | --state FOLDER]\n\n"
                                   "Puts a drained node back in service.\n\n" CONTROL_OPTIONS_HELP
                                   "\nExit codes: 0 in service, 69 no node.\n";

struct options {
    struct control_target target;
    const char *to;
    bool no_wait;
};

static const struct verb_option undrain_table[] = { OPTIONS_TARGET(struct options), { 0 } };
static const struct verb_option drain_table[] = {
    { "to", OPTION_WORD, offsetof(struct options, to), NULL, NULL },
    { "no-wait", OPTION_SWITCH, offsetof(struct options, no_wait), NULL, NULL },
    OPTIONS_TARGET(struct options),
    { 0 }
};
const struct verb_usage drain_usage = { "drain", drain_help, drain_table };
const struct verb_usage undrain_usage = { "undrain", undrain_help, undrain_table };

/* What was said last, so that the same is not said again. */
struct drain_progress {
    uint64_t sessions, deliveries, said_ms;
    bool has_said, is_down, is_silent;
};

static void progress_say(struct drain_progress *said, const struct health_report *report)
{
    bool is_same =
        said->has_said && said->sessions == report->sessions && said->deliveries == report->deliveries;
    if (!is_same && (!said->has_said || monotonic_ms() - said->said_ms >= SAY_EVERY_MS)) {
        printf(locale_words_say(N_("%llu sessions, %llu deliveries to be made, %llu recipients held, which "
                                   "stay\n")),
               (unsigned long long)report->sessions, (unsigned long long)report->deliveries,
               (unsigned long long)report->held);
        said->sessions = report->sessions;
        said->deliveries = report->deliveries;
        said->said_ms = monotonic_ms();
        said->has_said = true;
    }
    bool is_down = report->down > 0;
    if (is_down && !said->is_down)
        puts(locale_words_say(N_("The mail is not taken there now; it is tried again every few seconds.")));
    if (!is_down && said->is_down) puts(locale_words_say(N_("The mail is taken again.")));
    said->is_down = is_down;
    fflush(stdout);
}

static int finish(const struct health_report *report)
{
    puts(locale_words_say(N_("This machine may be switched off.")));
    if (report->messages > 0)
        printf(locale_words_say(N_("%llu held messages stay on its disk.\n")),
               (unsigned long long)report->messages);
    else
        puts(locale_words_say(N_("No message stays on its disk.")));
    return EX_OK;
}

/* -1: not yet; else the exit code. */
static int look(const struct health_page *page, struct drain_progress *said)
{
    struct health_report report;
    uint64_t age_ms;
    switch (health_page_read(page, &report, &age_ms)) {
    case HEALTH_WORD_FRESH:
        said->is_silent = false;
        if (report.is_drained) return finish(&report);
        if (!report.is_draining) {
            fputs(locale_words_say(N_("sekimori: the node was undrained\n")), stderr);
            return EX_TEMPFAIL;
        }
        progress_say(said, &report);
        return -1;
    case HEALTH_WORD_STALE:
        if (!said->is_silent) puts(locale_words_say(N_("There is no word from the node; waiting for it.")));
        said->is_silent = true;
        return -1;
    default:
        fputs(locale_words_say(
                  N_("sekimori: the node has ended; it goes on with the drain when it is started\n")),
              stderr);
        return EX_UNAVAILABLE;
    }
}

static int follow(const struct control_target *target)
{
    char state[4096];
    struct drain_progress said = { 0 };
    int code = control_state_folder(target, state, sizeof state);
    if (code != EX_OK) return code;
    struct health_page *page = health_command_page(state);
    if (!page) {
        fprintf(stderr, "sekimori: %s/run/health cannot be read\n", state);
        return EX_UNAVAILABLE;
    }
    while ((code = look(page, &said)) < 0) nanosleep(&(struct timespec){ 0, STEP_MS * 1000000l }, NULL);
    health_page_unmap(page);
    return code;
}

/* The answer's text: the peer, or what is wrong. */
static int command(const struct control_target *target, const char *verb, const char *argument,
                   struct buffer *answer)
{
    struct buffer words = { 0 };
    buffer_printf(&words, "%s %s", verb, argument);
    int code = control_ask(target, buffer_text(&words), ANSWER_LIMIT_MS, NULL, NULL, answer);
    buffer_free(&words);
    if (code != EX_OK && buffer_length(answer) > 0)
        fprintf(stderr, "sekimori: %.*s\n", TEXT_ARG(buffer_text(answer)));
    return code;
}

int drain_main(int argc, char **argv)
{
    struct options options = { .to = "" };
    struct buffer answer = { 0 };
    int code = options_read_all(&drain_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    code = command(&options.target, "drain", options.to, &answer);
    if (code == EX_OK) {
        struct text peer = buffer_text(&answer);
        printf(locale_words_say(N_("No connection is taken any more. What waits goes to %.*s.\n")),
               TEXT_ARG(peer.length ? peer : text_of(locale_words_say(N_("its usual servers")))));
        fflush(stdout);
        if (!options.no_wait) code = follow(&options.target);
    }
    buffer_free(&answer);
    return code;
}

int undrain_main(int argc, char **argv)
{
    struct options options = { 0 };
    struct buffer answer = { 0 };
    int code = options_read_all(&undrain_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    code = command(&options.target, "undrain", "", &answer);
    if (code == EX_OK) puts(locale_words_say(N_("In service again.")));
    buffer_free(&answer);
    return code;
}
