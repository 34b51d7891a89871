/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "scan/campaign_weight.h"

#include <inttypes.h>
#include <math.h>

#include "base/date.h"
#include "config/domains.h"

enum {
    NETWORKS_LEAST = 5, /* of fewer nothing is said */
    RECIPIENTS_LEAST = 5,
    SENDERS_MANY = 3 /* fewer sender domains weigh half: one who sends through many servers */
};
static const double spread_most[CAMPAIGN_KINDS] = {
    [CAMPAIGN_TEXT] = 5, [CAMPAIGN_LINE] = 4, [CAMPAIGN_FILE] = 3
};
/* Stopped: over the line of quarantine, with some good mail's points against it; a person looks at it there.
   Told of: each alone is a hint, enough of them tag. */
static const double stopped_points = 15, told_points = 3.5, told_by_many_points = 8;

/* --- for whom nothing counts --- */

static bool is_ours(const struct config *config, const struct auth_judgement *judgement)
{
    struct text author = judgement->result.dmarc.author;
    return judgement->is_made && judgement->result.dmarc.outcome == DMARC_PASS && author.length > 0 &&
           config_route_is_local(config_find_domain(config, author));
}

/* A list whose domain is proven, or a newsletter of a proven author. */
static bool is_by_duty(const struct auth_judgement *judgement)
{
    return judgement->is_made && (judgement->list_domain.length > 0 || judgement->newsletter.name.length > 0);
}

enum campaign_standing campaign_standing(const struct config *config, enum direction direction,
                                         const struct auth_judgement *judgement)
{
    if (direction == DIRECTION_OUT || is_ours(config, judgement)) return CAMPAIGN_PROTECTED;
    return is_by_duty(judgement) ? CAMPAIGN_BY_DUTY : CAMPAIGN_COUNTS;
}

/* --- points --- */

double campaign_points(const struct campaign_answer *answer)
{
    if (answer->networks < NETWORKS_LEAST || answer->recipients < RECIPIENTS_LEAST) return 0;
    double points = 1.25 * log2(answer->networks / (double)(NETWORKS_LEAST - 1));
    if (answer->senders < SENDERS_MANY) points /= 2;
    return fmin(points, spread_most[answer->kind]);
}

double campaign_without(const struct signal *signals, uint32_t count)
{
    double sum = 0;
    for (uint32_t i = 0; i < count; i++)
        if (!text_starts(signals[i].name, TEXT("CAMPAIGN"))) sum += score_sum(&signals[i], 1);
    return sum;
}

static void weigh(const struct campaign_answer *answer, enum campaign_standing standing, const char **name,
                  double *points)
{
    *name = NULL;
    if (answer->is_stopped) {
        *name = "CAMPAIGN_STOPPED";
        *points = stopped_points;
    } else if (answer->reporters >= CAMPAIGN_REPORTERS_ENOUGH || answer->is_told_by_all) {
        *name = "CAMPAIGN_REPORTED";
        *points = answer->reporters >= CAMPAIGN_REPORTERS_ENOUGH ? told_by_many_points : told_points;
    } else if (standing == CAMPAIGN_COUNTS && campaign_points(answer) >= 0.05) {
        *name = "CAMPAIGN";
        *points = campaign_points(answer);
    }
}

/* --- words --- */

static void told_say(bool is_japanese, const struct campaign_answer *answer, struct buffer *out)
{
    if (answer->is_stopped && answer->is_stopped_by_user)
        buffer_add_text(out, is_japanese ? TEXT("信頼された利用者の届け出により停止。")
                                         : TEXT("it was stopped by a report of a trusted user; "));
    else if (answer->is_stopped)
        buffer_add_text(out,
                        is_japanese ? TEXT("管理者が停止。") : TEXT("it was stopped by an administrator; "));
    else if (answer->reporters)
        buffer_printf(out, is_japanese ? "%u 人が届け出。" : "reporters: %u; ", answer->reporters);
}

/* "09:10", or "2026-11-29 09:10" of another day. */
static struct text since_text(uint64_t since_ms, uint64_t now_ms, char room[DATE_SIZE])
{
    enum { DAY = 10, MINUTES = 16 };
    char today[DATE_SIZE];
    date_print_clock(now_ms, today);
    struct text since = text_slice(text_of(date_print_clock(since_ms, room)), 0, MINUTES);
    bool is_today = text_equal(text_slice(since, 0, DAY), text_slice(text_of(today), 0, DAY));
    return is_today ? text_slice(since, DAY + 1, MINUTES) : since;
}

void campaign_say(enum language language, const struct campaign_answer *answer, uint64_t now_ms,
                  struct buffer *out)
{
    static const char *const english[CAMPAIGN_KINDS] = { "text", "short text with the same links", "file" };
    static const char *const japanese[CAMPAIGN_KINDS] = { "本文", "短い本文とリンク先", "添付ファイル" };
    char room[DATE_SIZE];
    struct text since = since_text(answer->since_ms, now_ms, room);
    bool is_japanese = language == LANGUAGE_JA;
    told_say(is_japanese, answer, out);
    if (is_japanese)
        buffer_printf(out, "同じ%sのメールが %.*s から %u 通、%u のネットワークから届いた",
                      japanese[answer->kind], TEXT_ARG(since), answer->count, answer->networks);
    else
        buffer_printf(out, "the same %s came %u %s from %u %s since %.*s", english[answer->kind],
                      answer->count, text_word_for(answer->count, "time", "times"), answer->networks,
                      text_word_for(answer->networks, "network", "networks"), TEXT_ARG(since));
    buffer_printf(out, is_japanese ? "（キャンペーン %010" PRIx64 "）" : ", campaign %010" PRIx64,
                  answer->id);
}

void campaign_score(const struct facts *facts, enum campaign_standing standing, uint64_t now_ms,
                    struct score *score)
{
    struct campaign_answer answer;
    struct buffer about = { 0 };
    const char *name;
    double points;
    if (standing == CAMPAIGN_PROTECTED || !campaign_answer_get(facts->campaign, &answer)) return;
    weigh(&answer, standing, &name, &points);
    if (!name) return;
    campaign_say(LANGUAGE_EN, &answer, now_ms, &about);
    score_add(score, name, points, arena_text(score->arena, buffer_text(&about)));
    buffer_free(&about);
}
