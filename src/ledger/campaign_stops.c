/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The body of a declaration: "admin SKETCH" or "user SKETCH", the byte form of the sketch in hexadecimal. */
#include "ledger/campaign_stops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/context.h"
#include "base/log.h"
#include "ipc/campaign_table.h"

enum { SKETCH_MOST = 256 /* bytes of one */ };
#define KIND "campaign"

struct campaign_stops {
    enum { CAMPAIGN_STOPS_MAGIC = 0x5f3a71d6 } magic;
    struct loop *loop;
    struct declarations *declarations;
    struct channel *lookup; /* NULL: gone */
};

/* --- bodies --- */

static void body_write(const struct campaign_ruling *ruling, struct buffer *out)
{
    struct buffer sketch = { 0 };
    char room[2 * SKETCH_MOST + 1];
    campaign_sketch_put(&ruling->sketch, &sketch);
    buffer_printf(out, "%s %s", ruling->is_by_user ? "user" : "admin",
                  text_print_hex(text_slice(buffer_text(&sketch), 0, SKETCH_MOST), room));
    buffer_free(&sketch);
}

static bool sketch_take(struct text word, struct campaign_sketch *out)
{
    char bytes[SKETCH_MOST];
    if (word.length % 2 || word.length / 2 > sizeof bytes) return false;
    for (size_t i = 0; i < word.length; i += 2) {
        int high = char_hex_value(word.at[i]), low = char_hex_value(word.at[i + 1]);
        if (high < 0 || low < 0) return false;
        bytes[i / 2] = (char)(high << 4 | low);
    }
    return campaign_sketch_get(text_from(bytes, word.length / 2), out);
}

static bool ruling_take(const struct declaration *said, struct campaign_ruling *out)
{
    struct text who, sketch, rest = said->body;
    *out = (struct campaign_ruling){ .is_stopped = !said->is_end, .time_ms = said->made_ms, .by = said->by };
    if (!text_equal(said->kind, TEXT(KIND)) || !text_next_word(&rest, &who) ||
        !text_next_word(&rest, &sketch) || rest.length > 0)
        return false;
    out->is_by_user = text_equal(who, TEXT("user"));
    return (out->is_by_user || text_equal(who, TEXT("admin"))) && sketch_take(sketch, &out->sketch);
}

/* --- what holds --- */

/* The first that stops a campaign of that kind and holds; 0: none does. */
static uint32_t stop_find(const struct campaign_stops *stops, const struct campaign_sketch *sketch)
{
    uint64_t now_ms = loop_wall_ms(stops->loop);
    for (size_t i = 0; i < declarations_count(stops->declarations); i++) {
        struct declaration said;
        struct campaign_ruling ruling;
        declarations_nth(stops->declarations, i, &said);
        if (said.is_end || said.expires_ms <= now_ms || !ruling_take(&said, &ruling)) continue;
        if (campaign_sketch_is_alike(&ruling.sketch, sketch)) return said.number;
    }
    return 0;
}

static size_t own_count(const struct campaign_stops *stops)
{
    size_t count = 0;
    uint16_t node = declaration_node(declarations_next(stops->declarations));
    for (size_t i = 0; i < declarations_count(stops->declarations); i++) {
        struct declaration said;
        declarations_nth(stops->declarations, i, &said);
        count += !said.is_end && said.node == node && text_equal(said.kind, TEXT(KIND));
    }
    return count;
}

/* --- lookup --- */

static void lookup_tell(const struct campaign_stops *stops, const struct campaign_ruling *ruling)
{
    if (!stops->lookup) return;
    campaign_ruling_put(ruling, channel_begin(stops->lookup, LOOKUP_CAMPAIGN_RULED, 0));
    channel_end(stops->lookup);
}

/* An end counts only where no other stop holds. */
static void tell(const struct campaign_stops *stops, const struct declaration *said)
{
    struct campaign_ruling ruling;
    if (!ruling_take(said, &ruling)) return;
    if (said->is_end && stop_find(stops, &ruling.sketch)) return;
    lookup_tell(stops, &ruling);
}

static void stop_declare(struct campaign_stops *stops, const struct campaign_ruling *ruling)
{
    struct buffer body = { 0 };
    if (stop_find(stops, &ruling->sketch)) return;
    body_write(ruling, &body);
    struct declaration said = { .kind = TEXT(KIND),
                                .by = ruling->by,
                                .body = buffer_text(&body),
                                .made_ms = ruling->time_ms,
                                .expires_ms = ruling->time_ms + CAMPAIGN_REPORT_MS };
    bool is_said = own_count(stops) < CAMPAIGN_STOPS_MOST && declarations_say(stops->declarations, &said);
    if (!is_said) log_error("a stop of a campaign holds on this node alone: it cannot be kept for others");
    buffer_free(&body);
}

static void stop_end(struct campaign_stops *stops, const struct campaign_ruling *ruling)
{
    for (uint32_t number; (number = stop_find(stops, &ruling->sketch)) > 0;)
        if (!declarations_end(stops->declarations, number, ruling->by, ruling->time_ms)) {
            log_error("that a campaign is no spam holds on this node alone: %s", strerror(errno));
            return;
        }
}

/* A node without a number has nobody to tell. */
static bool on_frame(void *context, struct frame *frame)
{
    struct campaign_stops *stops = CONTEXT(context, struct campaign_stops, CAMPAIGN_STOPS_MAGIC);
    struct campaign_ruling ruling;
    if (frame->type != LOOKUP_CAMPAIGN_RULED || !campaign_ruling_get(frame->payload, &ruling)) return false;
    if (declarations_next(stops->declarations) == 0) return true;
    ruling.time_ms = loop_wall_ms(stops->loop);
    if (ruling.is_stopped)
        stop_declare(stops, &ruling);
    else
        stop_end(stops, &ruling);
    return true;
}

static void on_closed(void *context)
{
    struct campaign_stops *stops = CONTEXT(context, struct campaign_stops, CAMPAIGN_STOPS_MAGIC);
    channel_close(stops->lookup);
    stops->lookup = NULL;
}

bool campaign_stops_good(struct campaign_stops *stops, struct text sketch, struct text by)
{
    struct campaign_sketch keys;
    if (!campaign_sketch_get(sketch, &keys)) return false;
    if (stops->lookup)
        campaign_report_tell(
            stops->lookup,
            &(struct campaign_report){ .sketch = sketch, .reporter = by, .said = CAMPAIGN_SAID_GOOD });
    return true;
}

static const struct channel_events lookup_events = { on_frame, on_closed };

void campaign_stops_set_lookup(struct campaign_stops *stops, int fd)
{
    if (stops->lookup) on_closed(stops);
    stops->lookup = channel_open(stops->loop, fd, &lookup_events, stops);
    for (size_t i = 0; i < declarations_count(stops->declarations); i++) {
        struct declaration said;
        declarations_nth(stops->declarations, i, &said);
        tell(stops, &said);
    }
}

/* --- declarations --- */

static bool on_said(void *context, const struct declaration *said)
{
    const struct campaign_stops *stops = CONTEXT(context, struct campaign_stops, CAMPAIGN_STOPS_MAGIC);
    struct campaign_ruling ruling;
    bool is_ours = ruling_take(said, &ruling);
    if (is_ours) lookup_tell(stops, &ruling);
    return is_ours;
}

static void on_ended(void *context, const struct declaration *was)
{
    const struct campaign_stops *stops = CONTEXT(context, struct campaign_stops, CAMPAIGN_STOPS_MAGIC);
    struct declaration ended = *was;
    ended.is_end = true;
    tell(stops, &ended);
}

/* lookup has been told already: what it has is no more than a week's. */
static void on_settled(void *context)
{
}

struct campaign_stops *campaign_stops_new(struct loop *loop, struct declarations *declarations)
{
    struct campaign_stops *stops = memory_alloc(sizeof *stops);
    *stops =
        (struct campaign_stops){ .magic = CAMPAIGN_STOPS_MAGIC, .loop = loop, .declarations = declarations };
    declarations_add_taker(declarations,
                           &(struct declaration_taker){ KIND, on_said, on_ended, on_settled, stops });
    return stops;
}

void campaign_stops_free(struct campaign_stops *stops)
{
    channel_close(stops->lookup);
    free(stops);
}
