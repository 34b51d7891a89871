/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Lists the record of looks at content, and of acts on mail and on the node. */
#include "cli/audit.h"

#include <stdio.h>
#include <sysexits.h>

#include "base/json.h"
#include "base/plain.h"
#include "cli/language_option.h"
#include "cli/ledger_files.h"
#include "cli/locale_words.h"
#include "cli/options.h"
#include "cli/time_words.h"
#include "ipc/message_id.h"
#include "judge/list_absence.h"
#include "ledgerdb/access_log.h"
#include "ledgerdb/day.h"
#include "statistics/list_words.h"

enum { MOST_DEFAULT = 100, MOST_LIMIT = 1000000, COLUMNS = 80 };

static const char help[] =
    "usage: sekimori audit [ID] [OPTIONS]\n\n"
    "Who looked at the content of which message, released or deleted it from the quarantine; retried,\n"
    "held, released or removed mail in the queue; reloaded, drained, undrained or stopped the node, or\n"
    "began its counts anew; taught it, stopped or forgot a campaign, forgot a sender, approved a\n"
    "newsletter, released a sender inside, made or ended an allow or block entry; or tried to; and what\n"
    "new signatures found in mail that was in the quarantine or in the queue (found). The newest first.\n\n"
    "  ID             only this message\n"
    "  --user NAME    only this user\n"
    "  --act ACT      only such acts: cat, content, release, delete, found, retry, hold, remove, reload,\n"
    "                 drain, undrain, stop, balance, learn, decline, unlearn, campaign, sender, newsletter,\n"
    "                 people, inside, allow, block or list (put aside, in force again)\n"
    "  --since TIME   2026-10-04, \"2026-10-04 13:05\", today, yesterday, or ago: 90m, 2h, 3d\n"
    "  --until TIME   before that time\n"
    "  --day DAY      a whole day\n"
    "  --most NUMBER  at most so many (default 100)\n"
    "  --json         a JSON object\n" CONTROL_OPTIONS_HELP
    "\nReads the ledger itself: as root or the user the node runs as.\n"
    "Exit codes: 0 done, 64 usage, 65 damaged, 66 no ledger, 69 not now, 76 made by a newer version.\n";

struct options {
    struct control_target target;
    struct look_question question;
    bool is_json;
};

static bool day_take(void *context, const char *word)
{
    struct look_question *question = &((struct options *)context)->question;
    uint32_t day;
    return when_parse_day(text_of(word), when_now_ms(), &day) &&
           day_bounds(day, &question->from_ms, &question->until_ms);
}

static bool act_take(void *context, const char *word)
{
    ((struct options *)context)->question.act = text_of(word);
    for (size_t i = 0; look_act(i); i++)
        if (strcmp(word, look_act(i)) == 0) return true;
    return false;
}

static bool most_take(void *context, const char *word)
{
    uint64_t most;
    if (!text_to_number(text_of(word), MOST_LIMIT, &most) || most == 0) return false;
    ((struct options *)context)->question.most = most;
    return true;
}

static const struct verb_option table[] = {
    { "user", OPTION_TEXT, offsetof(struct options, question.user), NULL, NULL },
    { "act", OPTION_VALUE, 0, act_take,
      "--act is cat, content, release, delete, found, retry, hold, remove, reload, drain, undrain, stop, "
      "balance, learn, decline, unlearn, campaign, sender, newsletter, people, inside, allow, block or list, "
      "not ",
      .choice = look_act },
    { "since", OPTION_TIME, offsetof(struct options, question.from_ms), NULL, WHEN_WANTED("since") },
    { "until", OPTION_TIME, offsetof(struct options, question.until_ms), NULL, WHEN_WANTED("until") },
    { "day", OPTION_VALUE, 0, day_take, "--day" WHEN_DAY_WANTED },
    { "most", OPTION_VALUE, 0, most_take, "--most wants a number from 1 to 1000000, not " },
    { "json", OPTION_SWITCH, offsetof(struct options, is_json), NULL, NULL },
    OPTIONS_TARGET(struct options),
    { 0 }
};
const struct verb_usage audit_usage = { "audit", help, table };

/* OPTIONS_GO_ON; else the exit code. */
static int question_read(int argc, char **argv, struct options *options)
{
    int code = options_read(&audit_usage, argc, argv, options);
    if (code != OPTIONS_GO_ON || optind == argc) return code;
    if (!message_id_parse(text_of(argv[optind]), &options->question.message))
        return options_complain(&audit_usage, "not a message id: ", argv[optind]);
    return ++optind == argc ? code : options_complain(&audit_usage, "unexpected argument: ", argv[optind]);
}

/* Why a list is aside is said in the language of the locale. */
static void about_add(const struct look *look, struct buffer *out)
{
    enum list_absence_act act;
    struct text name, why;
    struct buffer words = { 0 };
    bool is_list = text_equal(look->act, TEXT("list")) && list_absence_get(look->about, &act, &name, &why);
    if (is_list && act == LIST_ABSENCE_ALL_END)
        buffer_add_text(&words, text_of(locale_words_say(N_("all are tried anew"))));
    else if (is_list && act == LIST_ABSENCE_ENDS)
        buffer_printf(&words, locale_words_say(N_("%.*s is in force")), TEXT_ARG(name));
    else if (is_list)
        buffer_printf(&words, locale_words_say(N_("%.*s is aside: ")), TEXT_ARG(name));
    if (is_list && act == LIST_ABSENCE_BEGINS) list_words_add(&words, language_option_of_locale(), why);
    plain_add(out, is_list ? buffer_text(&words) : look->about, COLUMNS);
    buffer_free(&words);
}

static void look_say(const struct look *look)
{
    char when[WHEN_SIZE], id[MESSAGE_ID_SIZE];
    struct buffer user = { 0 }, about = { 0 };
    char uid[16] = "-"; /* a user of the mail system, who is none of the machine */
    if (look->uid != UINT32_MAX) snprintf(uid, sizeof uid, "%u", look->uid);
    plain_add(&user, look->user, COLUMNS);
    about_add(look, &about);
    printf("%s  %-12.*s %5s  %.*s %.*s  %-13s  %.*s\n", when_print(look->time_ms, true, when),
           TEXT_ARG(buffer_text(&user)), uid, TEXT_ARG(look->process), TEXT_ARG(look->act),
           look->message ? message_id_print(look->message, id) : "-", TEXT_ARG(buffer_text(&about)));
    buffer_free(&user);
    buffer_free(&about);
}

static struct json *look_json(const struct look *look)
{
    char id[MESSAGE_ID_SIZE];
    struct json *one = json_new_object();
    json_set_number(one, "time_ms", (int64_t)look->time_ms);
    json_set_number(one, "node", look->node);
    json_set_number(one, "uid", look->uid);
    json_set_text(one, "user", look->user);
    json_set_text(one, "process", look->process);
    json_set_text(one, "act", look->act);
    json_set_string(one, "id", look->message ? message_id_print(look->message, id) : "");
    json_set_text(one, "about", look->about);
    return one;
}

static void looks_print(const struct options *options, const struct look *looks, size_t count, bool is_cut)
{
    struct json *all = options->is_json ? json_new_object() : NULL, *list = all ? json_new_array() : NULL;
    for (size_t i = 0; i < count; i++) {
        if (all)
            json_add(list, look_json(&looks[i]));
        else
            look_say(&looks[i]);
    }
    if (all) {
        json_set(all, "looks", list);
        json_set_number(all, "most", (int64_t)options->question.most);
        json_set_bool(all, "more", is_cut);
        json_print(all, stdout, true);
    } else if (count == 0) {
        puts(locale_words_say(N_("nothing is on record")));
    } else if (is_cut) {
        printf(locale_words_say(N_("the newest %zu are shown, there are more: --most, or less time\n")),
               count);
    }
}

int audit_main(int argc, char **argv)
{
    struct options options = { .question = { .most = MOST_DEFAULT } };
    struct look *looks;
    size_t count;
    bool is_cut;
    int code = question_read(argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    struct ledgerdb_reader *ledgerdb = ledger_open(&options.target, "audit", &code);
    if (!ledgerdb) return code;
    struct arena *arena = arena_new(0);
    code = ledger_outcome(looks_read(ledgerdb, &options.question, arena, &looks, &count, &is_cut), "audit");
    if (code == EX_OK) looks_print(&options, looks, count, is_cut);
    arena_free(arena);
    ledgerdb_close(ledgerdb);
    return code;
}
