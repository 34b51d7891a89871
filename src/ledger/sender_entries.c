/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Seldom changed: the whole file is written at each change. */
#include "ledger/sender_entries.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/log.h"

enum { FILE_MOST = 32 * 1024 * 1024, NUMBERS = 4, KEEP_USE_MS = 60 * 1000 };

#define NAME "entries"

struct sender_entries {
    struct entry_page *page;
    struct arena *arena; /* of the items' texts */
    struct kept_entry *items;
    size_t count;
    uint32_t next;      /* the number of the next one */
    uint64_t kept_ms;   /* when uses were written down last */
    bool is_use_unkept; /* some were counted since */
    int folder;
};

struct sender_entries *sender_entries_new(struct entry_page *page)
{
    struct sender_entries *entries = memory_alloc(sizeof *entries);
    *entries = (struct sender_entries){ .page = page, .arena = arena_new(0), .next = 1, .folder = -1 };
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

static void item_add(struct sender_entries *entries, const struct kept_entry *kept)
{
    struct arena *arena = entries->arena;
    entries->items = memory_grow(entries->items, (entries->count + 1) * sizeof *entries->items);
    struct kept_entry *item = &entries->items[entries->count++];
    *item = *kept;
    item->entry.what = arena_text(arena, kept->entry.what);
    item->entry.to = arena_text(arena, kept->entry.to);
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

/* --- the file: "next N", then "VERB NUMBER MADE EXPIRES USED LAST WHAT TO BY FLAGS… - NOTE" --- */

static void line_write(const struct kept_entry *kept, struct buffer *out)
{
    const struct sender_entry *entry = &kept->entry;
    buffer_printf(out, "%s %u %llu %llu %llu %llu ", sender_entry_verb_name(entry->verb), entry->number,
                  (unsigned long long)kept->made_ms, (unsigned long long)entry->expires_ms,
                  (unsigned long long)kept->used, (unsigned long long)kept->last_ms);
    sender_entry_print_what(entry, out);
    buffer_printf(out, " %.*s %.*s", TEXT_ARG(entry->to.length ? entry->to : TEXT("*")), TEXT_ARG(kept->by));
    sender_entry_print_flags(entry, out);
    buffer_printf(out, " - %.*s\n", TEXT_ARG(kept->note));
}

static bool file_write(const struct sender_entries *entries)
{
    struct buffer out = { 0 };
    buffer_printf(&out, "next %u\n", entries->next);
    for (size_t i = 0; i < entries->count; i++) line_write(&entries->items[i], &out);
    bool is_written = file_replace(entries->folder, NAME, buffer_text(&out), 0600);
    int error = errno;
    buffer_free(&out);
    errno = error;
    return is_written;
}

static bool numbers_take(struct text *line, struct kept_entry *out)
{
    uint64_t *const places[NUMBERS] = { &out->made_ms, &out->entry.expires_ms, &out->used, &out->last_ms };
    struct text word = TEXT_NONE;
    uint64_t number;
    if (!text_next_word(line, &word) || !text_to_number(word, UINT32_MAX - 1, &number) || number == 0)
        return false;
    out->entry.number = (uint32_t)number;
    for (size_t i = 0; i < NUMBERS; i++)
        if (!text_next_word(line, &word) || !text_to_number(word, UINT64_MAX, places[i])) return false;
    return true;
}

static bool names_take(struct arena *arena, struct text *line, struct kept_entry *out)
{
    struct text what, to;
    const char *why;
    if (!text_next_word(line, &what) || !text_next_word(line, &to) || !text_next_word(line, &out->by))
        return false;
    return sender_entry_read_what(arena, what, &out->entry, &why) &&
           (text_equal(to, TEXT("*")) || sender_entry_read_to(arena, to, &out->entry, &why));
}

static bool entry_take(struct arena *arena, enum entry_verb verb, struct text line, struct kept_entry *out)
{
    struct text word;
    *out = (struct kept_entry){ .entry = { .verb = verb, .action = ACTION_REJECT } };
    if (!numbers_take(&line, out) || !names_take(arena, &line, out)) return false;
    while (text_next_word(&line, &word)) {
        if (text_equal(word, TEXT("-"))) {
            out->note = text_slice(text_trim(line), 0, ENTRY_NOTE_MOST);
            return true;
        }
        if (!sender_entry_read_flag(word, &out->entry)) return false;
    }
    return false;
}

static bool next_take(struct sender_entries *entries, struct text line)
{
    struct text word;
    uint64_t number;
    if (!text_next_word(&line, &word) || !text_to_number(word, UINT32_MAX - 1, &number)) return false;
    if (number > entries->next) entries->next = (uint32_t)number;
    return true;
}

/* Numbers only grow: so no two are alike, and they are in order. */
static bool line_take(struct sender_entries *entries, struct arena *arena, struct text line)
{
    struct text word;
    struct kept_entry kept;
    if (!text_next_word(&line, &word)) return false;
    if (text_equal(word, TEXT("next"))) return next_take(entries, line);
    bool is_allow = text_equal(word, TEXT("allow"));
    if (!is_allow && !text_equal(word, TEXT("block"))) return false;
    if (entries->count >= ENTRIES_MOST ||
        !entry_take(arena, is_allow ? ENTRY_ALLOW : ENTRY_BLOCK, line, &kept))
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

static void file_read(int folder, struct buffer *out)
{
    int fd = openat(folder, NAME, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT) log_error("ALARM: ledger/%s cannot be read: %s", NAME, strerror(errno));
    for (ssize_t got = 1; fd >= 0 && got > 0 && buffer_length(out) < FILE_MOST;) {
        char *room = buffer_reserve(out, 65536);
        got = read(fd, room, 65536);
        if (got > 0) buffer_commit(out, (size_t)got);
    }
    if (fd >= 0) close(fd);
}

void sender_entries_start(struct sender_entries *entries, int folder, uint64_t now_ms)
{
    struct buffer content = { 0 };
    entries->folder = folder;
    entries->kept_ms = now_ms;
    file_read(folder, &content);
    file_take(entries, buffer_text(&content));
    buffer_free(&content);
    over_drop(entries, now_ms);
    publish(entries);
}

/* --- changes --- */

static bool is_same(const struct sender_entry *a, const struct sender_entry *b)
{
    if (a->verb != b->verb || a->kind != b->kind || !text_equal(a->to, b->to)) return false;
    if (a->kind != ENTRY_NETWORK) return text_equal(a->what, b->what) && a->is_envelope == b->is_envelope;
    return a->network.bits == b->network.bits && address_equal(&a->network.address, &b->network.address);
}

static bool has_room(const struct sender_entries *entries)
{
    struct buffer image = { 0 };
    bool fits = image_write(entries, &image);
    buffer_free(&image);
    return fits;
}

enum entry_outcome sender_entries_add(struct sender_entries *entries, const struct kept_entry *kept,
                                      uint32_t *out_number)
{
    for (size_t i = 0; i < entries->count; i++) {
        if (!is_same(&entries->items[i].entry, &kept->entry)) continue;
        *out_number = entries->items[i].entry.number;
        return ENTRY_KNOWN;
    }
    item_add(entries, kept);
    entries->items[entries->count - 1].entry.number = entries->next;
    enum entry_outcome outcome = has_room(entries) ? ENTRY_DONE : ENTRY_FULL;
    entries->next++;
    if (outcome == ENTRY_DONE && !file_write(entries)) outcome = ENTRY_UNSAVED;
    if (outcome != ENTRY_DONE) {
        entries->count--;
        entries->next--;
        return outcome;
    }
    *out_number = entries->items[entries->count - 1].entry.number;
    publish(entries);
    return ENTRY_DONE;
}

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
    return low < entries->count && entries->items[low].entry.number == number ? low : entries->count;
}

enum entry_outcome sender_entries_remove(struct sender_entries *entries, uint32_t number)
{
    size_t at = place_of(entries, number), behind = entries->count - at - 1;
    if (at == entries->count) return ENTRY_MISSING;
    struct kept_entry gone = entries->items[at];
    memmove(&entries->items[at], &entries->items[at + 1], behind * sizeof gone);
    entries->count--;
    if (!file_write(entries)) {
        memmove(&entries->items[at + 1], &entries->items[at], behind * sizeof gone);
        entries->items[at] = gone;
        entries->count++;
        return ENTRY_UNSAVED;
    }
    tidy(entries);
    publish(entries);
    return ENTRY_DONE;
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

void sender_entries_count_use(struct sender_entries *entries, const struct event_judgement *judgement,
                              uint64_t time_ms)
{
    for (uint32_t i = 0; i < judgement->signal_count; i++) {
        uint32_t number = number_of(judgement->signals[i].name);
        size_t at = number ? place_of(entries, number) : entries->count;
        if (at == entries->count) continue;
        struct kept_entry *item = &entries->items[at];
        item->used++;
        if (time_ms > item->last_ms) item->last_ms = time_ms;
        entries->is_use_unkept = true;
    }
}

/* --- looking --- */

const struct kept_entry *sender_entries_find(const struct sender_entries *entries, uint32_t number)
{
    size_t at = place_of(entries, number);
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
