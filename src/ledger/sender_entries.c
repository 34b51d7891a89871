/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Seldom changed: the whole file is written at each change. */
#include "ledger/sender_entries.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/context.h"
#include "base/file.h"
#include "base/log.h"
#include "ledgerdb/sums.h"

enum { FILE_MOST = KEPT_ENTRIES_FILE_MOST, KEEP_USE_MS = 60 * 1000, DAY_MS = 24 * 3600 * 1000 };

#define NAME "entries"
#define DECLARATION_KIND "entry"

struct sender_entries {
    enum { SENDER_ENTRIES_MAGIC = 0x5c1f09b3 } magic;
    struct declarations *declarations; /* NULL: other nodes are not told */
    struct entry_page *page;
    struct arena *arena; /* of the items' texts */
    struct kept_entry *items;
    size_t count, room; /* items; places for them */
    uint32_t next;      /* the number of the next one */
    uint64_t kept_ms;   /* when uses were written down last */
    bool is_use_unkept; /* some were counted since */
    bool is_heard;      /* other nodes said something that is not in force yet */
    size_t left_out;    /* what they said and there was no room for */
    int folder;
};

struct sender_entries *sender_entries_new(struct entry_page *page)
{
    struct sender_entries *entries = memory_alloc(sizeof *entries);
    *entries = (struct sender_entries){
        .magic = SENDER_ENTRIES_MAGIC, .page = page, .arena = arena_new(0), .next = 1, .folder = -1
    };
    return entries;
}

void sender_entries_free(struct sender_entries *entries)
{
    if (!entries) return;
    entry_page_unmap(entries->page);
    arena_free(entries->arena);
    free(entries->items);
    free(entries);
}

/* Where the number stands, or would: they are in order. */
static size_t place_of(const struct sender_entries *entries, uint32_t number)
{
    size_t low = 0, high = entries->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (entries->items[middle].entry.number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* count where there is none. */
static size_t item_find(const struct sender_entries *entries, uint32_t number)
{
    size_t at = place_of(entries, number);
    return at < entries->count && entries->items[at].entry.number == number ? at : entries->count;
}

static void item_cut(struct sender_entries *entries, size_t at)
{
    struct kept_entry *item = &entries->items[at];
    memmove(item, item + 1, (entries->count - at - 1) * sizeof *item);
    entries->count--;
}

static void item_add(struct sender_entries *entries, const struct kept_entry *kept)
{
    struct arena *arena = entries->arena;
    size_t at = place_of(entries, kept->entry.number);
    if (entries->count == entries->room) {
        entries->room = entries->room ? 2 * entries->room : 16;
        entries->items = memory_grow(entries->items, entries->room * sizeof *entries->items);
    }
    struct kept_entry *item = &entries->items[at];
    memmove(item + 1, item, (entries->count - at) * sizeof *item);
    entries->count++;
    *item = *kept;
    item->entry.what = arena_text(arena, kept->entry.what);
    item->entry.to = arena_text(arena, kept->entry.to);
    for (int i = 0; i < ENTRY_FEATURES; i++)
        item->entry.patterns[i] = arena_text(arena, kept->entry.patterns[i]);
    item->by = arena_text(arena, kept->by);
    item->note = arena_text(arena, kept->note);
}

/* What went takes no room any longer. */
static void tidy(struct sender_entries *entries)
{
    struct sender_entries fresh = { .arena = arena_new(0) };
    for (size_t i = 0; i < entries->count; i++) item_add(&fresh, &entries->items[i]);
    arena_free(entries->arena);
    free(entries->items);
    entries->arena = fresh.arena;
    entries->items = fresh.items;
    entries->room = fresh.room;
}

/* False: they have no room in an image. */
static bool image_write(const struct sender_entries *entries, struct buffer *out)
{
    struct sender_entry *all = memory_alloc((entries->count + 1) * sizeof *all);
    for (size_t i = 0; i < entries->count; i++) all[i] = entries->items[i].entry;
    bool fits = entry_image_write(all, entries->count, out);
    free(all);
    return fits;
}

static void publish(const struct sender_entries *entries)
{
    struct buffer image = { 0 };
    if (entries->page && image_write(entries, &image)) entry_page_write(entries->page, buffer_text(&image));
    buffer_free(&image);
}

/* --- the file --- */

static bool file_write(const struct sender_entries *entries)
{
    struct buffer out = { 0 };
    buffer_printf(&out, "next %u\n", entries->next);
    for (size_t i = 0; i < entries->count; i++) {
        kept_entry_write(&entries->items[i], &out);
        kept_entry_write_uses(&entries->items[i], &out);
    }
    bool is_written = file_replace(entries->folder, NAME, buffer_text(&out), 0640) /* report reads it */;
    int error = errno;
    buffer_free(&out);
    errno = error;
    return is_written;
}

static bool next_take(struct sender_entries *entries, struct text line)
{
    struct text word;
    uint64_t number;
    if (!text_next_word(&line, &word) || !text_to_number(word, UINT32_MAX - 1, &number)) return false;
    if (number > entries->next) entries->next = (uint32_t)number;
    return true;
}

/* Of the entry in the line before. */
static bool uses_take(struct sender_entries *entries, struct text line)
{
    uint32_t number;
    struct kept_uses uses;
    struct kept_entry *last = entries->count ? &entries->items[entries->count - 1] : NULL;
    if (!kept_entry_read_uses(line, &number, &uses)) return false;
    if (last && last->entry.number == number) last->uses = uses;
    return true;
}

/* Numbers only grow: so no two are alike, and they are in order. */
static bool line_take(struct sender_entries *entries, struct arena *arena, struct text line)
{
    struct text word;
    struct kept_entry kept;
    if (!text_next_word(&line, &word)) return false;
    if (text_equal(word, TEXT("next"))) return next_take(entries, line);
    if (text_equal(word, TEXT("uses"))) return uses_take(entries, line);
    bool is_allow = text_equal(word, TEXT("allow"));
    if (!is_allow && !text_equal(word, TEXT("block"))) return false;
    if (entries->count >= ENTRIES_MOST ||
        !kept_entry_read(arena, is_allow ? ENTRY_ALLOW : ENTRY_BLOCK, line, &kept))
        return false;
    if (entries->count && kept.entry.number <= entries->items[entries->count - 1].entry.number) return false;
    item_add(entries, &kept);
    if (kept.entry.number >= entries->next) entries->next = kept.entry.number + 1;
    return true;
}

static void file_take(struct sender_entries *entries, struct text content)
{
    size_t wrong = 0;
    struct text line;
    struct arena *arena = arena_new(0);
    while (text_next_line(&content, &line)) {
        wrong += !line_take(entries, arena, line);
        arena_reset(arena);
    }
    arena_free(arena);
    if (wrong)
        log_error(
            "ALARM: ledger/%s has %zu lines that are no allow or block entry: they are left out, and go "
            "when the next entry is made",
            NAME, wrong);
}

static bool is_over(const struct kept_entry *kept, uint64_t now_ms)
{
    return kept->entry.expires_ms && kept->entry.expires_ms <= now_ms;
}

/* How many went. */
static size_t over_drop(struct sender_entries *entries, uint64_t now_ms)
{
    size_t stay = 0;
    for (size_t i = 0; i < entries->count; i++) {
        if (is_over(&entries->items[i], now_ms))
            log_info("the %s entry %u has ended", sender_entry_verb_name(entries->items[i].entry.verb),
                     entries->items[i].entry.number);
        else
            entries->items[stay++] = entries->items[i];
    }
    size_t gone = entries->count - stay;
    entries->count = stay;
    return gone;
}

void sender_entries_start(struct sender_entries *entries, int folder, uint64_t now_ms)
{
    struct buffer content = { 0 };
    entries->folder = folder;
    entries->kept_ms = now_ms;
    if (!file_read_at(folder, NAME, FILE_MOST, &content) && errno != ENOENT)
        log_error("ALARM: ledger/%s cannot be read: %s", NAME, strerror(errno));
    file_take(entries, buffer_text(&content));
    buffer_free(&content);
    over_drop(entries, now_ms);
    publish(entries);
}

/* --- changes --- */

static bool has_room(const struct sender_entries *entries)
{
    struct buffer image = { 0 };
    bool fits = image_write(entries, &image);
    buffer_free(&image);
    return fits;
}

/* What other nodes are told: its line, as number 1 and never used. */
static void body_write(const struct kept_entry *kept, struct buffer *out)
{
    struct kept_entry said = *kept;
    said.entry.number = 1;
    said.used = said.last_ms = 0;
    kept_entry_write(&said, out);
}

static bool tell(struct sender_entries *entries, const struct kept_entry *kept)
{
    struct buffer body = { 0 };
    body_write(kept, &body);
    bool is_said = declarations_say(entries->declarations,
                                    &(struct declaration){ .kind = TEXT(DECLARATION_KIND),
                                                           .by = kept->by,
                                                           .body = text_trim(buffer_text(&body)),
                                                           .made_ms = kept->made_ms,
                                                           .expires_ms = kept->entry.expires_ms });
    int error = errno;
    buffer_free(&body);
    errno = error;
    return is_said;
}

/* What has been told holds, whether this file can be written or not. */
static bool add_keep(struct sender_entries *entries, const struct kept_entry *kept, bool is_told)
{
    if (is_told && !tell(entries, kept)) return false;
    if (file_write(entries)) return true;
    if (is_told) log_error("ledger/%s cannot be written: %s", NAME, strerror(errno));
    return is_told;
}

enum entry_outcome sender_entries_add(struct sender_entries *entries, const struct kept_entry *kept,
                                      uint32_t *out_number)
{
    for (size_t i = 0; i < entries->count; i++) {
        if (!sender_entry_is_same(&entries->items[i].entry, &kept->entry)) continue;
        *out_number = entries->items[i].entry.number;
        return ENTRY_KNOWN;
    }
    struct kept_entry item = *kept;
    uint32_t told = entries->declarations ? declarations_next(entries->declarations) : 0;
    item.entry.number = told ? told : entries->next;
    item_add(entries, &item);
    enum entry_outcome outcome = has_room(entries) ? ENTRY_DONE : ENTRY_FULL;
    entries->next += !told;
    if (outcome == ENTRY_DONE && !add_keep(entries, &item, told)) outcome = ENTRY_UNSAVED;
    if (outcome != ENTRY_DONE) {
        entries->next -= !told;
        item_cut(entries, item_find(entries, item.entry.number));
        return outcome;
    }
    *out_number = item.entry.number;
    publish(entries);
    return ENTRY_DONE;
}

enum entry_outcome sender_entries_remove(struct sender_entries *entries, uint32_t number, struct text by,
                                         uint64_t now_ms)
{
    struct declaration said;
    size_t at = item_find(entries, number);
    if (at == entries->count) return ENTRY_MISSING;
    bool is_told = entries->declarations && declarations_find(entries->declarations, number, &said);
    if (is_told && !declarations_end(entries->declarations, number, by, now_ms)) return ENTRY_UNSAVED;
    struct kept_entry gone = entries->items[at];
    item_cut(entries, at);
    if (!file_write(entries) && !is_told) {
        item_add(entries, &gone);
        return ENTRY_UNSAVED;
    }
    tidy(entries);
    publish(entries);
    return ENTRY_DONE;
}

/* --- what other nodes say --- */

static bool body_take(struct arena *arena, const struct declaration *said, struct kept_entry *out)
{
    struct text verb, rest = said->body;
    if (!text_next_word(&rest, &verb)) return false;
    bool is_allow = text_equal(verb, TEXT("allow"));
    if (!is_allow && !text_equal(verb, TEXT("block"))) return false;
    if (!kept_entry_read(arena, is_allow ? ENTRY_ALLOW : ENTRY_BLOCK, rest, out)) return false;
    out->entry.number = said->number;
    out->entry.expires_ms = said->expires_ms;
    out->by = said->by;
    out->made_ms = said->made_ms;
    out->used = out->last_ms = 0;
    return true;
}

/* The one with that number says just this. */
static bool has_said(const struct sender_entries *entries, size_t at, const struct kept_entry *heard)
{
    struct buffer here = { 0 }, there = { 0 };
    body_write(&entries->items[at], &here);
    body_write(heard, &there);
    bool is_so = text_equal(buffer_text(&here), buffer_text(&there));
    buffer_free(&here);
    buffer_free(&there);
    return is_so;
}

static bool heard_put(struct sender_entries *entries, struct kept_entry *heard)
{
    size_t at = item_find(entries, heard->entry.number);
    if (at < entries->count && has_said(entries, at, heard)) return true;
    if (at < entries->count) item_cut(entries, at);
    entries->is_heard = true;
    if (entries->count >= ENTRIES_MOST) {
        entries->left_out++;
        return false;
    }
    heard->is_fresh = true;
    item_add(entries, heard);
    return true;
}

static bool on_said(void *context, const struct declaration *said)
{
    struct sender_entries *entries = CONTEXT(context, struct sender_entries, SENDER_ENTRIES_MAGIC);
    struct arena *arena = arena_new(0);
    struct kept_entry heard;
    bool is_held = body_take(arena, said, &heard) && heard_put(entries, &heard);
    arena_free(arena);
    return is_held;
}

static void on_ended(void *context, const struct declaration *was)
{
    struct sender_entries *entries = CONTEXT(context, struct sender_entries, SENDER_ENTRIES_MAGIC);
    size_t at = item_find(entries, was->number);
    if (at == entries->count) return;
    item_cut(entries, at);
    entries->is_heard = true;
}

/* What came last stays out where there is no room in the image. */
static void fresh_fit(struct sender_entries *entries)
{
    bool fits = has_room(entries);
    size_t stay = 0;
    for (size_t i = 0; i < entries->count; i++) {
        if (fits || !entries->items[i].is_fresh) entries->items[stay++] = entries->items[i];
        if (stay) entries->items[stay - 1].is_fresh = false;
    }
    entries->left_out += entries->count - stay;
    entries->count = stay;
    if (entries->left_out)
        log_error("ALARM: there is no room for %zu allow and block entries of other nodes: they are not in "
                  "force here; remove some",
                  entries->left_out);
    entries->left_out = 0;
}

static void on_settled(void *context)
{
    struct sender_entries *entries = CONTEXT(context, struct sender_entries, SENDER_ENTRIES_MAGIC);
    if (!entries->is_heard) return;
    entries->is_heard = false;
    fresh_fit(entries);
    tidy(entries);
    publish(entries);
    entries->is_use_unkept = !file_write(entries);
}

void sender_entries_share(struct sender_entries *entries, struct declarations *declarations)
{
    entries->declarations = declarations;
    for (size_t i = 0; i < entries->count; i++)
        declarations_note_number(declarations, entries->items[i].entry.number);
    declarations_add_taker(declarations, &(struct declaration_taker){ DECLARATION_KIND, on_said, on_ended,
                                                                      on_settled, entries });
}

/* --- time and use --- */

void sender_entries_look(struct sender_entries *entries, uint64_t now_ms, bool is_ending)
{
    bool is_due = entries->is_use_unkept && (is_ending || now_ms >= entries->kept_ms + KEEP_USE_MS);
    bool has_gone = over_drop(entries, now_ms) > 0;
    if (has_gone) {
        tidy(entries);
        publish(entries);
    }
    if (!is_due && !has_gone) return;
    entries->kept_ms = now_ms;
    entries->is_use_unkept = !file_write(entries);
    if (entries->is_use_unkept)
        log_error("how often allow and block entries were used cannot be written: %s", strerror(errno));
}

/* The number in "ALLOWED_3" or "BLOCKED_3"; 0: the signal is another one, or of the configuration's. */
static uint32_t number_of(struct text signal)
{
    uint64_t number;
    if (!text_starts(signal, TEXT("ALLOWED_")) && !text_starts(signal, TEXT("BLOCKED_"))) return 0;
    struct text digits = text_slice(signal, text_find_char(signal, '_') + 1, signal.length);
    return text_to_number(digits, UINT32_MAX, &number) ? (uint32_t)number : 0;
}

static uint32_t day_at(uint64_t time_ms)
{
    struct sum_clock clock = { 0 };
    sum_clock_set(&clock, time_ms);
    return clock.day;
}

/* Of the day that is counted, or of the one before; what is older is not. */
static void use_count(struct kept_uses *uses, uint64_t time_ms)
{
    uint32_t day = day_at(time_ms);
    if (day == uses->day)
        uses->count++;
    else if (day > uses->day)
        *uses = (struct kept_uses){ day, 1, day_at(time_ms - DAY_MS) == uses->day ? uses->count : 0 };
    else if (day_at(time_ms + DAY_MS) == uses->day)
        uses->before++;
}

void sender_entries_count_use(struct sender_entries *entries, const struct event_judgement *judgement,
                              uint64_t time_ms)
{
    for (uint32_t i = 0; i < judgement->signal_count; i++) {
        uint32_t number = number_of(judgement->signals[i].name);
        size_t at = number ? item_find(entries, number) : entries->count;
        if (at == entries->count) continue;
        struct kept_entry *item = &entries->items[at];
        item->used++;
        use_count(&item->uses, time_ms);
        if (time_ms > item->last_ms) item->last_ms = time_ms;
        entries->is_use_unkept = true;
    }
}

/* --- looking --- */

const struct kept_entry *sender_entries_find(const struct sender_entries *entries, uint32_t number)
{
    size_t at = item_find(entries, number);
    return at < entries->count ? &entries->items[at] : NULL;
}

size_t sender_entries_count(const struct sender_entries *entries)
{
    return entries->count;
}

const struct kept_entry *sender_entries_nth(const struct sender_entries *entries, size_t n)
{
    return &entries->items[n];
}
