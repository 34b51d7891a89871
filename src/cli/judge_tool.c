/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Messages go round the children in turn, so that verdicts come in the order of the messages. */
#include "cli/judge_tool.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "cli/explain_print.h"
#include "cli/judge_child.h"
#include "cli/judge_mails.h"
#include "cli/judge_sources.h"
#include "cli/language_option.h"
#include "cli/signal_words.h"
#include "config/load.h"
#include "mail/charset.h"
#include "scan/entry_patterns.h"

enum { JOBS_MOST = 64 };

static const char help[] =
    "usage: sekimori judge [-c FILE] [--base FILE] [--learned FILE] [--rules FOLDER] [--results HOST] "
    "[--json] "
    "[--jobs N]\n                      [--language LANG]"
    "\n                      [FILE|FOLDER|-] …\n\n"
    "Says what the content filter thinks of a message: score, what would be done, and each signal with its\n"
    "points. Reads standard input where nothing is named, as one message, never as a mailbox. No node is\n"
    "needed, nothing is looked up and no virus looked for; the message is read by a process in a jail.\n"
    "Of a folder, a mailbox (mbox) or several files: one line of JSON for each message, in their order.\n\n"
    "  -c, --config FILE   the thresholds, the base model and what was learned where this configuration "
    "runs,\n"
    "                      if that may be read; without it the defaults, whatever\n"
    "                      SEKIMORI_CONFIG says\n"
    "  --base FILE         another base model\n"
    "  --learned FILE      what was learned: a node's ledger/local.model\n"
    "  --rules FOLDER      other rules, where no configuration is named; not with -c\n"
    "  --results HOST      believe the uppermost Authentication-Results field of HOST\n"
    "  --json              "
    "{\"file\",\"score\",\"action\",\"signals\":[{\"name\",\"points\",\"about\"}],\"class\"}\n"
    "  --language LANG     ja or en (default: as the locale says)\n"
    "  --jobs N            N processes side by side (1)\n\n"
    "class is newsletter, list or mail, by the message's own header. Where HOST says that DMARC passes, a "
    "newsletter\n"
    "is judged by its own line and `newsletter action`.\n\n"
    "Exit codes of one message: 0 accept, 1 tag, 2 quarantine, 3 reject; of many 0. Else 64 usage, 65 it is\n"
    "empty, 66 it cannot be read, 71 no process, 75 a message could not be judged, 78 the\n"
    "configuration has errors.\n";

struct options {
    const char *config, *base, *learned, *rules;
    struct text results;
    uint64_t jobs;
    enum language language;
    bool is_json;
};

static bool language_take(void *context, const char *word)
{
    return language_option_read(word, &((struct options *)context)->language);
}

static const struct verb_option table[] = {
    { "language", OPTION_VALUE, 0, language_take, LANGUAGE_OPTION_WANTED, .choice = language_option_choice },
    { "config", OPTION_WORD, offsetof(struct options, config), NULL, NULL, .letter = 'c' },
    { "base", OPTION_WORD, offsetof(struct options, base), NULL, NULL },
    { "learned", OPTION_WORD, offsetof(struct options, learned), NULL, NULL },
    { "rules", OPTION_WORD, offsetof(struct options, rules), NULL, NULL },
    { "results", OPTION_TEXT, offsetof(struct options, results), NULL, NULL },
    { "json", OPTION_SWITCH, offsetof(struct options, is_json), NULL, NULL, .letter = 'j' },
    { "jobs", OPTION_NUMBER, offsetof(struct options, jobs), NULL, "--jobs wants a number from 1 to 64, not ",
      .least = 1, .most = JOBS_MOST },
    { 0 },
};

const struct verb_usage judge_usage = { "judge", help, table, .takes_files = true };

/* Of the file that was named, else of the state folder of the configuration that was. */
static bool learned_get(const struct config *config, const struct options *options, struct arena *arena,
                        struct local_model *room, const struct local_model **out)
{
    char path[PATH_MAX];
    if (options->learned) return judge_sources_learned("judge", options->learned, true, arena, room, out);
    snprintf(path, sizeof path, "%.*s/ledger/local.model", TEXT_ARG(config->state));
    return !options->config || judge_sources_learned("judge", path, false, arena, room, out);
}

struct round {
    const struct judge_basis *basis;
    enum language language;
    bool is_json;
    unsigned jobs, begun;
    struct seat {
        struct jailed_reader child;
        char *name;    /* of the message it is at; NULL: it waits */
        size_t length; /* of that message */
        bool is_named; /* that message, and not a folder or mailbox that it is in */
        bool is_running;
    } seats[JOBS_MOST];
    unsigned asked;
    bool is_broken, is_unjudged, has_foreign;
    enum action last;
};

/* --- what is said --- */

static double tenths(double value)
{
    return round(value * 10) / 10;
}

/* What it means in that language, as explain says it; of what pretends to be ours also whom. Where nobody
   knows, what was said of it. */
static void about_put(const struct ruleset *rules, const struct signal *signal, enum language language,
                      struct buffer *out)
{
    struct text words = signal_words_find(rules, signal->name, language);
    bool has_whom = words.length && signal->about.length && text_starts(signal->name, TEXT("IMPOSTOR_"));
    buffer_clear(out);
    buffer_add_text(out, words.length ? words : signal->about);
    if (has_whom)
        buffer_printf(out, language_option_say(language, ": %.*s", "：%.*s"), TEXT_ARG(signal->about));
}

static void json_say(const struct round *round, const char *name, const struct judgement *judgement)
{
    struct buffer about = { 0 };
    struct json *object = json_new_object(), *signals = json_new_array();
    for (uint32_t i = 0; i < judgement->signal_count; i++) {
        struct json *signal = json_new_object();
        json_set_text(signal, "name", judgement->signals[i].name);
        json_set_real(signal, "points", tenths(judgement->signals[i].points));
        about_put(round->basis->rules, &judgement->signals[i], round->language, &about);
        json_set_text(signal, "about", buffer_text(&about));
        json_add(signals, signal);
    }
    json_set_string(object, "file", name);
    json_set_real(object, "score", judgement->score);
    json_set_string(object, "action", evidence_action_name(judgement->action));
    json_set(object, "signals", signals);
    json_set_text(object, "class", judgement->class);
    json_print(object, stdout, false);
    buffer_free(&about);
}

static void threshold_put(enum language language, enum action action, double points, struct buffer *out)
{
    if (isinf(points)) return;
    buffer_printf(out, language_option_say(language, "%s%s from %.1f", "%s%s %.1f〜"),
                  buffer_length(out) ? ", " : "", explain_action_word(action, language), points);
}

static void signals_say(const struct ruleset *rules, enum language language,
                        const struct judgement *judgement)
{
    char room[1024];
    struct buffer about = { 0 };
    for (uint32_t i = 0; i < judgement->signal_count; i++) {
        const struct signal *signal = &judgement->signals[i];
        about_put(rules, signal, language, &about);
        printf("  %+6.1f  %-22s", signal->points, log_escape(signal->name, room, sizeof room));
        printf("  %s\n", log_escape(buffer_text(&about), room, sizeof room));
    }
    buffer_free(&about);
}

/* The first word is the action's name in any language: scripts read it. */
static void text_say(const struct judge_basis *basis, enum language language,
                     const struct judgement *judgement)
{
    char room[1024];
    struct buffer thresholds = { 0 };
    threshold_put(language, ACTION_TAG, judgement->tag, &thresholds);
    threshold_put(language, ACTION_QUARANTINE, basis->config->spam.quarantine, &thresholds);
    threshold_put(language, ACTION_REJECT, basis->config->spam.reject, &thresholds);
    printf("%s", evidence_action_name(judgement->action));
    if (language == LANGUAGE_JA) printf("  %s", explain_action_word(judgement->action, language));
    printf(language_option_say(language, "\n  score %.1f", "\n  得点 %.1f"), judgement->score);
    printf(buffer_length(&thresholds) ? " (%.*s)\n" : "\n", TEXT_ARG(buffer_text(&thresholds)));
    printf("  %s %s%s\n", language_option_say(language, "class", "種類"),
           log_escape(judgement->class, room, sizeof room),
           !judgement->is_by_class ? ""
                                   : language_option_say(language, " (by newsletter action)",
                                                         "（newsletter action による処置）"));
    signals_say(basis->rules, language, judgement);
    buffer_free(&thresholds);
}

/* --- the round --- */

static void unjudged(struct round *round, struct seat *seat, const char *why)
{
    fprintf(stderr, "sekimori judge: %s: %s\n", seat->name, why);
    round->is_unjudged = true;
}

static void judgement_say(struct round *round, const struct seat *seat, const struct judgement *judgement)
{
    round->last = judgement->action;
    if (!judge_mails_may_judge("judge", seat->name, seat->length, judgement->is_mail, seat->is_named))
        round->has_foreign = true;
    else if (round->is_json)
        json_say(round, seat->name, judgement);
    else
        text_say(round->basis, round->language, judgement);
}

static void answer_take(struct round *round, struct seat *seat)
{
    struct judgement judgement;
    if (!seat->name) return;
    struct arena *arena = arena_new(4096);
    if (seat->is_running && judge_child_answer(&seat->child, arena, &judgement)) {
        judgement_say(round, seat, &judgement);
    } else {
        unjudged(round, seat, "it could not be judged: the process that read it ended");
        if (seat->is_running) jailed_reader_end(&seat->child);
        seat->is_running = false;
    }
    arena_free(arena);
    free(seat->name);
    seat->name = NULL;
}

static void question_ask(struct round *round, struct text message, struct text name, bool is_named)
{
    struct seat *seat = &round->seats[round->asked++ % round->jobs];
    answer_take(round, seat);
    if (!seat->is_running) seat->is_running = judge_child_start(round->basis, &seat->child);
    if (!seat->is_running) round->is_broken = true;
    seat->name = memory_string(name);
    seat->length = message.length;
    seat->is_named = is_named;
    if (message.length <= JUDGE_MAIL_MOST) {
        judge_child_ask(&seat->child, message, false); /* one that is gone gives no answer */
        return;
    }
    unjudged(round, seat, "it is longer than 64 MB");
    free(seat->name);
    seat->name = NULL;
}

static void round_end(struct round *round)
{
    for (unsigned i = 0; i < round->jobs; i++)
        answer_take(round, &round->seats[(round->asked + i) % round->jobs]);
    for (unsigned i = 0; i < round->jobs; i++)
        if (round->seats[i].is_running) jailed_reader_end(&round->seats[i].child);
    fflush(stdout);
}

static int round_code(const struct round *round, bool is_many, bool has_failed)
{
    if (round->is_broken) return EX_OSERR;
    if (has_failed || (round->asked == 0 && !is_many)) return EX_NOINPUT;
    if (round->is_unjudged) return EX_TEMPFAIL;
    if (is_many) return EX_OK;
    if (round->has_foreign) return EX_DATAERR;
    return round->last == ACTION_REJECT       ? 3
           : round->last == ACTION_QUARANTINE ? 2
           : round->last == ACTION_TAG        ? 1
                                              : 0;
}

static int mails_judge(struct round *round, char *const *paths, int count)
{
    struct judge_mails *mails = judge_mails_open("judge", paths, count);
    struct buffer message = { 0 }, name = { 0 }, second = { 0 }, second_name = { 0 };
    struct stat about;
    bool is_many = count > 1 || (stat(paths[0], &about) == 0 && S_ISDIR(about.st_mode));
    bool has_one = judge_mails_next(mails, JUDGE_MAIL_MOST, &message, &name);
    bool is_named = judge_mails_is_named(mails);
    bool has_second = has_one && judge_mails_next(mails, JUDGE_MAIL_MOST, &second, &second_name);
    is_many = is_many || has_second;
    round->is_json = round->is_json || is_many;
    if (has_one) question_ask(round, buffer_text(&message), buffer_text(&name), is_named);
    while (has_second && !round->is_broken) {
        question_ask(round, buffer_text(&second), buffer_text(&second_name), judge_mails_is_named(mails));
        has_second = judge_mails_next(mails, JUDGE_MAIL_MOST, &second, &second_name);
    }
    round_end(round);
    int code = round_code(round, is_many, judge_mails_has_failed(mails));
    judge_mails_close(mails);
    buffer_free(&message);
    buffer_free(&name);
    buffer_free(&second);
    buffer_free(&second_name);
    return code;
}

int judge_main(int argc, char **argv)
{
    static char standard_input[] = "-", *const alone[] = { standard_input };
    struct options options = { .jobs = 1, .language = language_option_of_locale() };
    struct base_model *base = NULL;
    struct local_model learned;
    const struct local_model *local = NULL;
    struct ruleset *rules = NULL;
    int code = options_read(&judge_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    if (options.config && options.rules)
        return options_complain(&judge_usage, "`spam rules` of the configuration counts; leave out --rules ",
                                options.rules);
    if (options.rules && !judge_sources_folder("judge", options.rules)) return EX_NOINPUT;
    int count = argc - optind;
    if (!judge_sources_can_open("judge", options.config)) return EX_NOINPUT;
    struct config *config = judge_sources_config("judge", options.config, options.rules);
    if (!config) return EX_CONFIG;
    struct arena *arena = arena_new(0);
    code = EX_NOINPUT;
    if (judge_sources_base("judge", config, options.base, &base) &&
        learned_get(config, &options, arena, &learned, &local) &&
        judge_sources_rules("judge", config, &rules)) {
        struct impostor_set *impostors = impostor_set_new(config);
        struct entry_patterns *patterns = entry_patterns_new();
        struct judge_basis basis = { config, base, rules, local, options.results, impostors, patterns };
        struct round round = { .basis = &basis,
                               .language = options.language,
                               .is_json = options.is_json,
                               .jobs = (unsigned)options.jobs };
        tzset();
        charset_warm();
        code = mails_judge(&round, count ? argv + optind : alone, count ? count : 1);
        impostor_set_free(impostors);
        entry_patterns_free(patterns);
    }
    base_model_close(base);
    arena_free(arena);
    ruleset_free(rules);
    config_free(config);
    return code;
}
