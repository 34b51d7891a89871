/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "cli/explain_print.h"

#include <math.h>
#include <stdio.h>

#include "base/json.h"
#include "base/plain.h"
#include "cli/signal_words.h"
#include "cli/time_words.h"
#include "cli/trace_print.h"
#include "judge/sender_history.h"

enum { NAME_COLUMNS = 80, ABOUT_COLUMNS = 160, PASSAGE_COLUMNS = 160, PASSAGES_SHOWN = 5 };

static const char *say(enum language language, const char *en, const char *ja)
{
    return language == LANGUAGE_JA ? ja : en;
}

const char *explain_action_word(enum action action, enum language language)
{
    static const char *const words[] = {
        [ACTION_ACCEPT] = "通過", [ACTION_TAG] = "印づけ",   [ACTION_QUARANTINE] = "隔離",
        [ACTION_REJECT] = "拒否", [ACTION_DISCARD] = "破棄", [ACTION_DEFER] = "延期"
    };
    return language == LANGUAGE_JA && (unsigned)action <= ACTION_DEFER ? words[action]
                                                                       : evidence_action_name(action);
}

struct text explain_about(const struct explain_view *view, struct text name)
{
    struct text about = signal_words_find(view->rules, name, view->language);
    for (uint32_t i = 0; about.length == 0 && i < view->about_count; i++)
        if (text_equal(view->abouts[i].name, name)) about = view->abouts[i].about;
    return about;
}

/* --- why --- */

static bool has_action(const struct explanation *explanation, enum action action, bool is_observed)
{
    for (uint32_t i = 0; i < explanation->action_count; i++)
        if ((is_observed ? explanation->actions[i].observed : explanation->actions[i].action) == action)
            return true;
    return false;
}

/* Somebody's was not simply accepted, or would not have been. */
static bool is_acted_on(const struct explanation *explanation, bool is_observed)
{
    for (unsigned action = ACTION_ACCEPT + 1; action <= ACTION_DEFER; action++)
        if (has_action(explanation, (enum action)action, is_observed)) return true;
    return false;
}

static bool is_refused_by_owner(const struct explanation *explanation)
{
    const struct proof *proof = &explanation->proof;
    return proof->is_made && proof->dmarc == PROOF_FAIL && proof->demand == PROOF_ASKS_REJECT &&
           proof->excuse == PROOF_NO_EXCUSE;
}

struct line {
    double points;
    enum action action;
};

static struct line line_reached(const struct explanation *explanation)
{
    if (explanation->score >= explanation->reject) return (struct line){ explanation->reject, ACTION_REJECT };
    if (explanation->score >= explanation->quarantine)
        return (struct line){ explanation->quarantine, ACTION_QUARANTINE };
    if (explanation->score >= explanation->tag) return (struct line){ explanation->tag, ACTION_TAG };
    return (struct line){ INFINITY, ACTION_ACCEPT };
}

static double line_next(const struct explanation *explanation)
{
    double next = explanation->tag;
    if (explanation->quarantine < next) next = explanation->quarantine;
    return explanation->reject < next ? explanation->reject : next;
}

/* The lines of the record are those of the node: a recipient, its domain or a newsletter may have others, or
   an approval. True: what was done is not what the node's lines say, and nothing but the score asks for it.
 */
static bool is_by_recipient(const struct explanation *explanation, struct line line)
{
    bool has_cause = (explanation->virus != SCAN_NOT_ASKED && explanation->virus != SCAN_CLEAN) ||
                     is_refused_by_owner(explanation) || explanation->is_ambiguous;
    for (uint32_t i = 0; i < explanation->action_count; i++) {
        const struct explanation_action *one = &explanation->actions[i];
        enum action meant = one->observed != ACTION_ACCEPT ? one->observed : one->action;
        bool is_done = one->action != ACTION_ACCEPT && one->action == line.action;
        if (!is_done && meant != line.action && (!has_cause || explanation->action_count > 1)) return true;
    }
    return false;
}

/* A format for the score and the line. */
static const char *reached_words(enum action action, enum language language)
{
    if (action == ACTION_REJECT)
        return say(language, "the score %.1f reaches the line for refusing mail, %.1f",
                   "得点 %.1f が拒否の値 %.1f 以上");
    if (action == ACTION_QUARANTINE)
        return say(language, "the score %.1f reaches the line for holding mail, %.1f",
                   "得点 %.1f が隔離の値 %.1f 以上");
    return say(language, "the score %.1f reaches the line for tagging mail, %.1f",
               "得点 %.1f が印づけの値 %.1f 以上");
}

static const char *cause_words(enum recipient_cause cause, enum language language)
{
    static const char *const english[RECIPIENT_CAUSE_COUNT] = {
        [RECIPIENT_BY_VIRUS] = "by the virus check",
        [RECIPIENT_BY_DMARC] = "the owner of the domain in From asks for it (DMARC)",
        [RECIPIENT_BY_BLOCK] = "by a block entry",
        [RECIPIENT_BY_ALLOW] = "an allow entry: points do not count",
        [RECIPIENT_BY_LIST] = "a list has the sender",
        [RECIPIENT_BY_CLASS] = "it is a newsletter",
        [RECIPIENT_BY_APPROVAL] = "a newsletter that was approved: points do not count",
        [RECIPIENT_BY_OPINION] = "a second opinion is missing",
        [RECIPIENT_BY_OFF] = "no spam check for this recipient",
        [RECIPIENT_BY_OTHERS] = "one reply is for all, and others have something else",
        [RECIPIENT_BY_RATE] = "held for what came within an hour: of a sender inside, or sign-ups",
        [RECIPIENT_BY_GREYLIST] = "greylisting: nobody here knows the sender",
    };
    static const char *const japanese[RECIPIENT_CAUSE_COUNT] = {
        [RECIPIENT_BY_VIRUS] = "ウイルス検査による",
        [RECIPIENT_BY_DMARC] = "From のドメインの持ち主が求める（DMARC）",
        [RECIPIENT_BY_BLOCK] = "拒否の登録（block）による",
        [RECIPIENT_BY_ALLOW] = "許可の登録（allow）により得点を問わない",
        [RECIPIENT_BY_LIST] = "送信者がリストにある",
        [RECIPIENT_BY_CLASS] = "ニュースレターである",
        [RECIPIENT_BY_APPROVAL] = "承認されたニュースレターで、得点を問わない",
        [RECIPIENT_BY_OPINION] = "第二の判定が得られない",
        [RECIPIENT_BY_OFF] = "この宛先は迷惑メールの判定をしない",
        [RECIPIENT_BY_OTHERS] = "応答は全宛先で一つであり、ほかの宛先に合わせた",
        [RECIPIENT_BY_RATE] = "一時間に届いたメール（内側の差出人、または登録確認）による保留",
        [RECIPIENT_BY_GREYLIST] = "グレイリスト: 送信者を知る人がいない",
    };
    return say(language, english[cause], japanese[cause]);
}

/* The one cause that all recipients have, where neither points nor what explain_why names by itself is it;
   RECIPIENT_CAUSE_COUNT: there is none. */
static enum recipient_cause cause_of_all(const struct explanation *explanation)
{
    enum recipient_cause cause =
        explanation->recipient_count ? explanation->recipients[0].cause : RECIPIENT_BY_POINTS;
    for (uint32_t i = 1; i < explanation->recipient_count; i++)
        if (explanation->recipients[i].cause != cause) return RECIPIENT_CAUSE_COUNT;
    bool is_said = cause == RECIPIENT_BY_POINTS || cause == RECIPIENT_BY_VIRUS || cause == RECIPIENT_BY_DMARC;
    return is_said ? RECIPIENT_CAUSE_COUNT : cause;
}

static void score_why(const struct explain_view *view, struct line line, struct buffer *out)
{
    const struct explanation *explanation = view->explanation;
    double next = line_next(explanation);
    bool is_by_others = is_by_recipient(explanation, line);
    enum recipient_cause cause = cause_of_all(explanation);
    if (is_by_others && cause != RECIPIENT_CAUSE_COUNT)
        buffer_printf(out, say(view->language, "%s; the score is %.1f", "%s。得点 %.1f"),
                      cause_words(cause, view->language), explanation->score);
    else if (is_by_others)
        buffer_printf(
            out,
            say(view->language,
                "the score %.1f, by recipient: lines of a recipient, a domain or newsletters, an entry or "
                "an approval decide",
                "得点 %.1f。宛先による（宛先やドメインの値、ニュースレターの値、許可・拒否の登録、承認）"),
            explanation->score);
    else if (line.action != ACTION_ACCEPT)
        buffer_printf(out, reached_words(line.action, view->language), explanation->score, line.points);
    else if (isinf(next))
        buffer_printf(
            out, say(view->language, "the score %.1f has no consequence here", "得点 %.1f（しきい値なし）"),
            explanation->score);
    else
        buffer_printf(out, say(view->language, "the score %.1f stays below %.1f", "得点 %.1f は %.1f 未満"),
                      explanation->score, next);
}

static void virus_why(const struct explain_view *view, struct buffer *out)
{
    static const struct {
        const char *en, *ja;
    } words[SCAN_STATE_COUNT] = {
        [SCAN_FOUND] = { "the virus check found: ", "ウイルス検査で検出: " },
        [SCAN_LIMITS] = { "the virus check reached a limit: ", "ウイルス検査が上限に達した: " },
        [SCAN_UNSCANNED] = { "the virus check could not be made: ", "ウイルス検査ができなかった: " },
        [SCAN_CLOSED] = { "a file could not be opened for the virus check: ",
                          "ウイルス検査で開けないファイル: " },
    };
    enum scan_state state = view->explanation->virus;
    buffer_add_text(out, text_of(say(view->language, words[state].en, words[state].ja)));
    plain_add(out, view->explanation->virus_name, NAME_COLUMNS);
}

/* Each cause that asks for something, the gravest first. */
void explain_why(const struct explain_view *view, struct buffer *out)
{
    const struct explanation *explanation = view->explanation;
    struct line line = line_reached(explanation);
    size_t start = buffer_length(out);
    bool is_seen = explanation->virus == SCAN_NOT_ASKED || explanation->virus == SCAN_CLEAN;
    if (!is_seen) virus_why(view, out);
    const char *separator = say(view->language, "; ", "。");
    if (is_refused_by_owner(explanation)) {
        if (buffer_length(out) > start) buffer_add_text(out, text_of(separator));
        plain_add(out, explanation->proof.author, NAME_COLUMNS);
        buffer_add_text(out, text_of(say(view->language,
                                         " asks to refuse mail that does not prove to come from it (DMARC)",
                                         " は自ドメイン発と証明できないメールの拒否を求めている（DMARC）")));
    }
    if (explanation->is_ambiguous) {
        if (buffer_length(out) > start) buffer_add_text(out, text_of(separator));
        buffer_add_text(out, text_of(say(view->language, "parts of it can be read in more than one way",
                                         "複数の読み方ができる部分がある")));
    }
    if (buffer_length(out) > start) buffer_add_text(out, text_of(separator));
    score_why(view, line, out);
    bool is_watched = !is_acted_on(explanation, false) && is_acted_on(explanation, true);
    if (is_watched)
        buffer_add_text(out, text_of(say(view->language, "; only observed, so nothing was done",
                                         "。観察のみのため何もしない")));
}

/* --- for people --- */

static void plain_say(struct text text, size_t columns)
{
    struct buffer out = { 0 };
    plain_add(&out, text, columns);
    printf("%.*s", TEXT_ARG(buffer_text(&out)));
    buffer_free(&out);
}

static void actions_say(const struct explain_view *view)
{
    const struct explanation *explanation = view->explanation;
    printf("  %s  ", say(view->language, "action    ", "処置"));
    for (uint32_t i = 0; i < explanation->action_count; i++) {
        const struct explanation_action *one = &explanation->actions[i];
        printf("%s%s", i ? ", " : "", explain_action_word(one->action, view->language));
        if (explanation->action_count > 1)
            printf(say(view->language, one->count == 1 ? " (%u recipient)" : " (%u recipients)",
                       "（宛先 %u 件）"),
                   one->count);
        if (one->observed != ACTION_ACCEPT)
            printf(say(view->language, " (only observed: %s)", "（観察のみ: %s）"),
                   explain_action_word(one->observed, view->language));
    }
    putchar('\n');
}

static void threshold_add(const struct explain_view *view, enum action action, double points,
                          struct buffer *out)
{
    if (isinf(points)) return;
    buffer_printf(out, "%s", buffer_length(out) ? ", " : "");
    buffer_printf(out, say(view->language, "%s from %.1f", "%s %.1f〜"),
                  explain_action_word(action, view->language), points);
}

/* --- each recipient --- */

/* His lines in the place of the record's. */
static struct explanation explanation_of(const struct explanation *explanation,
                                         const struct explanation_recipient *recipient)
{
    struct explanation own = *explanation;
    own.tag = recipient->tag;
    own.quarantine = recipient->quarantine;
    own.reject = recipient->reject;
    own.action_count = 0;
    return own;
}

static void recipient_why(const struct explain_view *view, const struct explanation_recipient *recipient,
                          struct buffer *out)
{
    struct explanation own = explanation_of(view->explanation, recipient);
    struct explain_view his = *view;
    his.explanation = &own;
    if (recipient->cause == RECIPIENT_BY_POINTS)
        score_why(&his, line_reached(&own), out);
    else
        buffer_add_text(out, text_of(cause_words(recipient->cause, view->language)));
}

/* Whom it was for, where the record still tells: as many as it has recipients, or NULL. */
static const struct text *recipients_named(struct arena *arena, const struct explanation *explanation)
{
    struct explanation_evidence evidence;
    bool is_known = explanation_evidence_get(arena, explanation, &evidence) &&
                    evidence.occasion.recipient_count == explanation->recipient_count;
    return is_known ? evidence.occasion.recipients : NULL;
}

/* What was done, and what would have been beside it. */
static void action_say(const struct explain_view *view, const struct explanation_recipient *one)
{
    const char *observed = explain_action_word(one->observed, view->language);
    if (one->observed == ACTION_ACCEPT)
        printf(": %s", explain_action_word(one->action, view->language));
    else if (one->action == ACTION_ACCEPT)
        printf(say(view->language, ": %s (only observed)", ": %s（観察のみ）"), observed);
    else
        printf(say(view->language, ": %s (only observed: %s)", ": %s（観察のみ: %s）"),
               explain_action_word(one->action, view->language), observed);
}

static void recipients_say(struct arena *arena, const struct explain_view *view)
{
    const struct explanation *explanation = view->explanation;
    const struct text *names = recipients_named(arena, explanation);
    for (uint32_t i = 0; i < explanation->recipient_count; i++) {
        const struct explanation_recipient *one = &explanation->recipients[i];
        struct buffer why = { 0 };
        recipient_why(view, one, &why);
        printf("  %s  ", i ? "          " : say(view->language, "recipients", "宛先"));
        plain_say(names ? names[i] : arena_printf(arena, "%u", i + 1), ABOUT_COLUMNS);
        action_say(view, one);
        printf("; %.*s\n", TEXT_ARG(buffer_text(&why)));
        buffer_free(&why);
    }
}

static void score_say(const struct explain_view *view)
{
    const struct explanation *explanation = view->explanation;
    struct buffer thresholds = { 0 };
    threshold_add(view, ACTION_TAG, explanation->tag, &thresholds);
    threshold_add(view, ACTION_QUARANTINE, explanation->quarantine, &thresholds);
    threshold_add(view, ACTION_REJECT, explanation->reject, &thresholds);
    printf("  %s  %.1f", say(view->language, "score     ", "得点"), explanation->score);
    if (buffer_length(&thresholds)) printf(" (%.*s)", TEXT_ARG(buffer_text(&thresholds)));
    putchar('\n');
    buffer_free(&thresholds);
}

static void signals_say(const struct explain_view *view)
{
    const struct explanation *explanation = view->explanation;
    for (uint32_t i = 0; i < explanation->signal_count; i++) {
        struct buffer name = { 0 };
        plain_add(&name, explanation->signals[i].name, NAME_COLUMNS);
        printf("  %+7.1f  %-24.*s  ", explanation->signals[i].points, TEXT_ARG(buffer_text(&name)));
        plain_say(explain_about(view, explanation->signals[i].name), ABOUT_COLUMNS);
        putchar('\n');
        buffer_free(&name);
    }
    if (explanation->signals_left_out)
        printf(say(view->language, "           and %u more that weigh less\n",
                   "           ほか %u 件（より軽いもの）\n"),
               explanation->signals_left_out);
}

static void checks_say(const struct explain_view *view)
{
    static const char *const states[SCAN_STATE_COUNT] = { "not asked", "clean",     "found",
                                                          "limits",    "unscanned", "closed" };
    const struct explanation *explanation = view->explanation;
    printf("  %s  %s", say(view->language, "virus     ", "ウイルス検査"), states[explanation->virus]);
    if (explanation->engine.length) {
        fputs(" (", stdout);
        plain_say(explanation->engine, NAME_COLUMNS);
        putchar(')');
    }
    putchar('\n');
    if (explanation->findings.length) {
        printf("  %s  ", say(view->language, "structure ", "構造の所見"));
        plain_say(explanation->findings, ABOUT_COLUMNS);
        putchar('\n');
    }
    const struct proof *proof = &explanation->proof;
    if (!proof->is_made) return;
    printf("  %s  spf=%s dkim=%s dmarc=%s", say(view->language, "sender    ", "差出人の証明"),
           proof_result_word(proof->spf), proof_result_word(proof->dkim), proof_result_word(proof->dmarc));
    if (proof->author.length) {
        fputs(" from=", stdout);
        plain_say(proof->author, NAME_COLUMNS);
    }
    putchar('\n');
}

/* What was known of the sender then, as the evidence has it. */
static void history_say(struct arena *arena, const struct explain_view *view)
{
    struct explanation_evidence evidence;
    struct sender_history history;
    if (!explanation_evidence_get(arena, view->explanation, &evidence)) return;
    for (uint32_t i = 0; i < evidence.answer_count; i++) {
        const struct question *answer = &evidence.answers[i];
        if (answer->kind != QUESTION_HISTORY || !sender_history_get(answer->value, &history)) continue;
        for (uint32_t n = 0; n < history.count; n++) {
            struct buffer line = { 0 };
            sender_finding_say(view->language, &history.findings[n], &line);
            printf("  %s  ", say(view->language, "known     ", "過去の実績"));
            plain_say(buffer_text(&line), ABOUT_COLUMNS);
            putchar('\n');
            buffer_free(&line);
        }
    }
}

static void strongest_say(struct arena *arena, const struct explain_view *view, bool is_for_spam)
{
    struct passage strongest[PASSAGES_SHOWN];
    uint32_t count = passages_strongest(arena, view->passages, is_for_spam, PASSAGES_SHOWN, strongest);
    if (count == 0) return;
    puts(is_for_spam ? say(view->language, "  text that speaks for spam", "  迷惑メールらしさを示す文")
                     : say(view->language, "  text that speaks against it", "  正常なメールらしさを示す文"));
    for (uint32_t i = 0; i < count; i++) {
        printf("  %+7.2f  ", strongest[i].points);
        plain_say(strongest[i].text, PASSAGE_COLUMNS);
        putchar('\n');
    }
}

static void rest_say(const struct explain_view *view)
{
    const struct passages *passages = view->passages;
    double subject = passages->base + passages->local - passages_rest(passages);
    for (uint32_t i = 0; i < passages->visible_count; i++)
        subject -= passages->visible_pieces[i].base + passages->visible_pieces[i].local;
    printf("  %+7.2f  %s\n", subject, say(view->language, "the Subject", "件名"));
    printf("  %+7.2f  %s\n", passages_rest(passages),
           say(view->language, "structure, links, header, and what the models take for granted",
               "構造、リンク、ヘッダー、モデルの基準値"));
}

static struct text mark_text(const struct passages *passages, const struct passage_mark *mark)
{
    struct text in = mark->area == AREA_SUBJECT ? passages->subject : passages->visible;
    return text_slice(in, mark->at, (size_t)mark->at + mark->bytes);
}

static void marks_say(const struct explain_view *view)
{
    const struct passages *passages = view->passages;
    bool has_any = false;
    for (uint32_t i = 0; i < passages->mark_count; i++) {
        if (passages->marks[i].bytes == 0) continue;
        if (!has_any) puts(say(view->language, "  text that rules matched", "  ルールに一致した文"));
        has_any = true;
        fputs("           ", stdout);
        plain_say(passages->marks[i].rule, NAME_COLUMNS);
        fputs(": ", stdout);
        plain_say(mark_text(passages, &passages->marks[i]), PASSAGE_COLUMNS);
        putchar('\n');
    }
}

void explain_print_text(struct arena *arena, const struct explain_view *view)
{
    const struct explanation *explanation = view->explanation;
    struct buffer why = { 0 };
    char when[WHEN_SIZE];
    plain_say(text_of(view->name), ABOUT_COLUMNS);
    if (view->is_kept)
        printf("  %s  %s", when_print(explanation->time_ms, true, when), class_name(explanation->class));
    putchar('\n');
    actions_say(view);
    explain_why(view, &why);
    printf("  %s  %.*s\n", say(view->language, "why       ", "理由"), TEXT_ARG(buffer_text(&why)));
    score_say(view);
    if (view->is_kept) recipients_say(arena, view);
    signals_say(view);
    if (view->is_kept) checks_say(view);
    if (view->is_kept) history_say(arena, view);
    if (view->passages) {
        strongest_say(arena, view, true);
        strongest_say(arena, view, false);
        rest_say(view);
        marks_say(view);
    }
    buffer_free(&why);
}

/* --- for programs --- */

static void threshold_set(struct json *object, const char *name, double points)
{
    if (isinf(points))
        json_set_string(object, name, NULL);
    else
        json_set_real(object, name, points);
}

static double rounded(double points)
{
    return round(points * 1000) / 1000;
}

static struct json *actions_json(const struct explanation *explanation)
{
    struct json *all = json_new_array();
    for (uint32_t i = 0; i < explanation->action_count; i++) {
        struct json *one = json_new_object();
        json_set_string(one, "action", evidence_action_name(explanation->actions[i].action));
        json_set_string(one, "observed", evidence_action_name(explanation->actions[i].observed));
        json_set_number(one, "recipients", explanation->actions[i].count);
        json_add(all, one);
    }
    return all;
}

static struct json *recipients_json(struct arena *arena, const struct explain_view *view)
{
    const struct explanation *explanation = view->explanation;
    const struct text *names = recipients_named(arena, explanation);
    struct json *all = json_new_array();
    for (uint32_t i = 0; i < explanation->recipient_count; i++) {
        const struct explanation_recipient *recipient = &explanation->recipients[i];
        struct json *one = json_new_object();
        struct buffer why = { 0 };
        recipient_why(view, recipient, &why);
        if (names) json_set_text(one, "recipient", names[i]);
        json_set_string(one, "action", evidence_action_name(recipient->action));
        json_set_string(one, "observed", evidence_action_name(recipient->observed));
        json_set_text(one, "why", buffer_text(&why));
        threshold_set(one, "tag", rounded((double)recipient->tag));
        threshold_set(one, "quarantine", rounded((double)recipient->quarantine));
        threshold_set(one, "reject", rounded((double)recipient->reject));
        json_add(all, one);
        buffer_free(&why);
    }
    return all;
}

static struct json *signals_json(const struct explain_view *view)
{
    struct json *all = json_new_array();
    for (uint32_t i = 0; i < view->explanation->signal_count; i++) {
        const struct event_signal *signal = &view->explanation->signals[i];
        struct json *one = json_new_object();
        json_set_text(one, "name", signal->name);
        json_set_real(one, "points", round(signal->points * 10) / 10);
        json_set_text(one, "about", explain_about(view, signal->name));
        json_add(all, one);
    }
    return all;
}

static struct json *strongest_json(struct arena *arena, const struct passages *passages, bool is_for_spam)
{
    struct passage strongest[PASSAGES_SHOWN];
    struct json *all = json_new_array();
    uint32_t count = passages_strongest(arena, passages, is_for_spam, PASSAGES_SHOWN, strongest);
    for (uint32_t i = 0; i < count; i++) {
        struct json *one = json_new_object();
        json_set_text(one, "text", strongest[i].text);
        json_set_real(one, "points", rounded(strongest[i].points));
        json_add(all, one);
    }
    return all;
}

static struct json *passages_json(struct arena *arena, const struct passages *passages)
{
    struct json *all = json_new_object(), *marks = json_new_array();
    for (uint32_t i = 0; i < passages->mark_count; i++) {
        struct json *one = json_new_object();
        json_set_text(one, "rule", passages->marks[i].rule);
        json_set_text(one, "text", mark_text(passages, &passages->marks[i]));
        json_add(marks, one);
    }
    json_set_real(all, "base", rounded(passages->base));
    json_set_real(all, "local", rounded(passages->local));
    json_set_real(all, "rest", rounded(passages_rest(passages)));
    json_set_bool(all, "cut", passages->is_cut);
    json_set(all, "for", strongest_json(arena, passages, true));
    json_set(all, "against", strongest_json(arena, passages, false));
    json_set(all, "rules", marks);
    return all;
}

static void kept_json(const struct explain_view *view, struct json *out)
{
    static const char *const states[SCAN_STATE_COUNT] = { "off",    "clean",     "found",
                                                          "limits", "unscanned", "closed" };
    const struct explanation *explanation = view->explanation;
    struct json *virus = json_new_object();
    json_set_number(out, "judged_ms", (int64_t)explanation->time_ms);
    json_set_string(out, "direction", explanation->direction == DIRECTION_OUT ? "out" : "in");
    json_set_string(out, "class", class_name(explanation->class));
    json_set_number(out, "code", explanation->code);
    json_set_string(virus, "state", states[explanation->virus]);
    json_set_text(virus, "name", explanation->virus_name);
    json_set_text(virus, "engine", explanation->engine);
    json_set(out, "virus", virus);
    json_set_text(out, "findings", explanation->findings);
    if (explanation->proof.is_made) json_set(out, "authentication", trace_print_proof(&explanation->proof));
    json_set_bool(out, "replayable", explanation->evidence_version == EVIDENCE_VERSION);
}

void explain_print_json(struct arena *arena, const struct explain_view *view)
{
    const struct explanation *explanation = view->explanation;
    struct json *object = json_new_object(), *thresholds = json_new_object();
    struct buffer why = { 0 };
    explain_why(view, &why);
    threshold_set(thresholds, "tag", explanation->tag);
    threshold_set(thresholds, "quarantine", explanation->quarantine);
    threshold_set(thresholds, "reject", explanation->reject);
    json_set_string(object, view->is_kept ? "id" : "file", view->name);
    json_set_real(object, "score", explanation->score);
    json_set(object, "thresholds", thresholds);
    json_set(object, "actions", actions_json(explanation));
    if (view->is_kept) json_set(object, "recipients", recipients_json(arena, view));
    json_set_text(object, "why", buffer_text(&why));
    json_set(object, "signals", signals_json(view));
    json_set_number(object, "signals_left_out", explanation->signals_left_out);
    if (view->is_kept) kept_json(view, object);
    if (view->passages) json_set(object, "passages", passages_json(arena, view->passages));
    json_print(object, stdout, true);
    buffer_free(&why);
}
