/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Members that are not known are passed over; of those that are, each has to be of its kind. */
#include "consult/rspamd_reply.h"

#include <math.h>
#include <stdio.h>

#include "base/json.h"

/* "greylist" and "soft reject" put a message off, which says nothing of what it is. */
static const char *const spam_actions[] = { "add header", "rewrite subject", "quarantine", "reject",
                                            "discard" };
enum { SPAM_ACTIONS = sizeof spam_actions / sizeof *spam_actions };

static bool points_get(const struct json *object, const char *key, double *out)
{
    return json_get_real(object, key, out) && fabs(*out) <= ENGINE_SCORE_MOST;
}

/* The least threshold over 0 of those actions, else what it calls the required score; 0: there is none. */
static double line_of(const struct json *reply)
{
    const struct json *thresholds = json_get(reply, "thresholds");
    double line = 0, one;
    for (size_t i = 0; i < SPAM_ACTIONS; i++)
        if (points_get(thresholds, spam_actions[i], &one) && one > 0 && (line == 0 || one < line)) line = one;
    return line == 0 && points_get(reply, "required_score", &one) && one > 0 ? one : line;
}

static bool is_spam_action(struct text action)
{
    for (size_t i = 0; i < SPAM_ACTIONS; i++)
        if (text_equal(action, text_of(spam_actions[i]))) return true;
    return false;
}

/* --- symbols --- */

struct symbol {
    const char *name;
    double points;
};

struct top {
    struct symbol items[OPINION_NAMES_MOST]; /* those with the most points, the most first */
    size_t count;
};

static void top_take(struct top *top, struct symbol symbol)
{
    size_t at = top->count;
    while (at > 0 && top->items[at - 1].points < symbol.points) at--;
    if (at == OPINION_NAMES_MOST) return;
    if (top->count < OPINION_NAMES_MOST) top->count++;
    for (size_t i = top->count - 1; i > at; i--) top->items[i] = top->items[i - 1];
    top->items[at] = symbol;
}

/* False: a symbol without points. */
static bool symbols_read(const struct json *symbols, struct top *out)
{
    const char *name;
    const struct json *symbol;
    for (void *at = json_first(symbols, &name, &symbol); at; at = json_next(symbols, at, &name, &symbol)) {
        double points;
        if (!points_get(symbol, "score", &points)) return false;
        top_take(out, (struct symbol){ name, points });
    }
    return true;
}

static void names_write(struct text action, const struct top *top, struct opinion *out)
{
    struct buffer names = { 0 };
    buffer_add_text(&names, text_slice(action, 0, 40));
    for (size_t i = 0; i < top->count; i++)
        buffer_printf(&names, "%s%.60s", i ? "," : "; ", top->items[i].name);
    text_copy_printable(buffer_text(&names), out->names, sizeof out->names);
    buffer_free(&names);
}

static bool reply_take(const struct json *reply, struct opinion *out)
{
    struct text action = json_as_text(json_get(reply, "action"));
    struct top top = { 0 };
    if (action.length == 0 || !points_get(reply, "score", &out->score)) return false;
    if (!symbols_read(json_get(reply, "symbols"), &top)) return false;
    out->line = line_of(reply);
    out->is_spam = is_spam_action(action) || (out->line > 0 && out->score >= out->line);
    names_write(action, &top, out);
    return true;
}

bool rspamd_reply_read(struct text body, struct opinion *out)
{
    struct json *reply = json_parse(body);
    *out = (struct opinion){ 0 };
    bool is_good = reply && reply_take(reply, out);
    json_free(reply);
    if (!is_good) *out = (struct opinion){ 0 };
    return is_good;
}
