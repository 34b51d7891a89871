/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The start: reads what is in the folder, segment by segment, oldest first; indexes where they are, records
   where they are not. The last segment stays open where its end is sure, so that a start costs no room. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/die.h"
#include "base/log.h"
#include "ipc/event.h"
#include "queue/journal/journal_private.h"
#include "queue/journal/walk.h"

/* What was written longer ago than so many records has been told: only what was on its way when the processes
   went may be missing, and the ring to the ledger must hold it. */
enum { TOLD_AGAIN_MOST = 8192 };

struct numbers {
    uint32_t *items;
    size_t count, capacity;
};

static bool number_of(const char *name, const char *ending, uint32_t *out)
{
    struct text text = text_of(name);
    uint64_t number;
    if (text.length != 12 || !text_equal(text_slice(text, 8, 12), text_of(ending)) ||
        !text_to_number(text_slice(text, 0, 8), SEGMENT_NUMBER_MOST, &number) || number == 0)
        return false;
    *out = (uint32_t)number;
    return true;
}

static int number_order(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* The number of a spare's name ("spare-NNNNNNNN.tmp") is not given to another. */
static bool spare_adopt(struct journal *journal, const char *name)
{
    const struct disk *disk = journal->options.disk;
    struct text digits = text_slice(text_of(name), 6, 14);
    uint64_t number, bytes = journal->options.segment_bytes;
    struct stat facts;
    if (!text_starts(text_of(name), TEXT("spare-")) || strlen(name) >= SEGMENT_NAME_SIZE) return false;
    int fd = openat(journal->options.folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return false;
    if (fstat(fd, &facts) != 0 || (uint64_t)facts.st_size != bytes ||
        disk->allocate(disk->context, fd, bytes) != 0) {
        close(fd);
        return false;
    }
    struct spare spare = { .fd = fd, .filled = bytes, .is_ready = true };
    snprintf(spare.name, sizeof spare.name, "%s", name);
    if (text_to_number(digits, SEGMENT_NUMBER_MOST, &number) && number > journal->spare_number)
        journal->spare_number = (uint32_t)number;
    spare_add(journal, &spare);
    return true;
}

/* Whole spare segments are kept for use, everything else that a crash left half done goes. */
static void leftover(struct journal *journal, const char *name)
{
    const struct disk *disk = journal->options.disk;
    if (!spare_adopt(journal, name)) disk->remove(disk->context, journal->options.folder, name);
}

static bool folder_read(struct journal *journal, struct numbers *out)
{
    int fd = openat(journal->options.folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    if (!folder) {
        journal_complain(journal, "the journal's folder cannot be read: %s", strerror(errno));
        if (fd >= 0) close(fd);
        return false;
    }
    for (struct dirent *one; (one = readdir(folder));) {
        uint32_t number;
        if (number_of(one->d_name, ".seg", &number)) {
            if (out->count == out->capacity) {
                out->capacity = out->capacity ? out->capacity * 2 : 64;
                out->items = memory_grow(out->items, out->capacity * sizeof *out->items);
            }
            out->items[out->count++] = number;
        } else if (text_ends(text_of(one->d_name), TEXT(".tmp"))) {
            leftover(journal, one->d_name);
        } else if (text_ends(text_of(one->d_name), TEXT(".damaged")) &&
                   text_to_number(text_slice(text_of(one->d_name), 0, 8), SEGMENT_NUMBER_MOST,
                                  &(uint64_t){ 0 })) {
            uint32_t taken = (uint32_t)strtoul(one->d_name, NULL, 10);
            if (taken > journal->last_number) journal->last_number = taken;
        }
    }
    closedir(folder);
    if (out->count) qsort(out->items, out->count, sizeof *out->items, number_order);
    return true;
}

/* One segment read record by record */

struct told {
    uint64_t offset;
    struct record_header header;
};

struct recovery {
    struct journal *journal;
    struct segment *segment;
    struct arena *arena;
    struct queue_counters *totals;
    struct told *told; /* since the last clean mark in this segment */
    size_t told_count, told_capacity;
    struct text bytes;
    bool is_clean;
    uint64_t malformed;
    uint64_t torn_kept; /* records of a torn batch that count */
};

static void scan_message(struct recovery *scan, const struct record_header *header, uint64_t offset,
                         struct text payload)
{
    struct journal *journal = scan->journal;
    struct lead lead;
    if (!lead_get(scan->arena, text_slice(payload, 0, header->lead_length), &lead) ||
        lead.prefix_length > header->length - header->lead_length) {
        scan->malformed++;
        return;
    }
    struct message *older = message_index_find(journal->message_index, header->id);
    if (older) {
        segment_note_reference(scan->segment, (struct reference){ header->id, older->segment, false });
        journal_message_forget(journal, older);
    }
    uint32_t body = header->length - header->lead_length - lead.prefix_length;
    struct message *message = journal_message_make(journal, header->id, &lead, header->lead_length, body);
    message->offset = (uint32_t)offset;
    journal_message_at_home(journal, message, scan->segment);
    segment_note_id(scan->segment, header->id);
    message_index_remember(journal->message_index, header->id);
    if (!(lead.flags & MESSAGE_MOVED)) {
        scan->totals->accepted += lead.recipient_count;
        if (lead.flags & MESSAGE_OWN) scan->totals->own += lead.recipient_count;
        if (lead.flags & MESSAGE_AGAIN) scan->totals->ended[COUNTERS_AGAIN] += lead.recipient_count;
    }
    if (!message->live_count) journal_message_forget(journal, message);
}

static void scan_change(struct recovery *scan, const struct record_header *header, struct text payload)
{
    struct journal *journal = scan->journal;
    struct change change;
    if (!change_get(scan->arena, payload, &change)) {
        scan->malformed++;
        return;
    }
    if (change.home && change.home != scan->segment->number)
        segment_note_reference(scan->segment, (struct reference){ header->id, change.home, false });
    struct message *message = message_index_find(journal->message_index, header->id);
    if (header->type != RECORD_STATE) {
        for (uint32_t i = 0; i < change.count; i++)
            if (change.recipients[i].ending > 0 && change.recipients[i].ending < ENDING_COUNT)
                scan->totals->ended[change.recipients[i].ending]++;
    }
    if (!message) return;
    journal_change_apply(journal, message, &change);
    if (!message->live_count) journal_message_forget(journal, message);
}

static void scan_reference(struct recovery *scan, const struct record_header *header, struct text payload)
{
    struct reader reader = reader_of(payload);
    struct reference reference = { header->id, get_u32(&reader), header->type == RECORD_CUT };
    if (reference.is_cut) reference.id = get_u32(&reader);
    if (!reader_done(&reader)) {
        scan->malformed++;
        return;
    }
    segment_note_reference(scan->segment, reference);
    seal_references_apply(scan->journal, &reference, 1);
}

static void scan_tell_later(struct recovery *scan, const struct record_header *header, uint64_t offset)
{
    if (scan->told_count == scan->told_capacity) {
        scan->told_capacity = scan->told_capacity ? scan->told_capacity * 2 : 256;
        scan->told = memory_grow(scan->told, scan->told_capacity * sizeof *scan->told);
    }
    scan->told[scan->told_count++] = (struct told){ offset, *header };
}

/* Of a batch that is not whole only what came from outside counts: it may have been synced and damaged since.
   What the queue wrote itself belongs together (an outcome and its notice, a copy and its state), and it will
   do it again. */
static bool is_dropped(struct recovery *scan, const struct walk_record *record)
{
    struct lead lead;
    if (!record->is_torn || record->header.type == RECORD_CUT) return false;
    return record->header.type != RECORD_MESSAGE ||
           !lead_get(scan->arena, text_slice(record->payload, 0, record->header.lead_length), &lead) ||
           (lead.flags & (MESSAGE_OWN | MESSAGE_MOVED));
}

static void scan_record(void *context, const struct walk_record *record)
{
    struct recovery *scan = context;
    const struct record_header *header = &record->header;
    arena_reset(scan->arena);
    scan->is_clean = header->type == RECORD_CLEAN && !record->is_torn;
    if (is_dropped(scan, record)) return;
    scan->torn_kept += record->is_torn;
    switch (header->type) {
    case RECORD_MESSAGE:
        scan_message(scan, header, record->offset, record->payload);
        scan_tell_later(scan, header, record->offset);
        break;
    case RECORD_GONE:
    case RECORD_CUT:
        scan_reference(scan, header, record->payload);
        break;
    case RECORD_CLEAN:
        scan->told_count = 0;
        break;
    default:
        scan_change(scan, header, record->payload);
        if (header->type != RECORD_STATE) scan_tell_later(scan, header, record->offset);
        break;
    }
}

static void scan_tell(struct recovery *scan, const struct journal_listener *listener)
{
    size_t first = scan->told_count > TOLD_AGAIN_MOST ? scan->told_count - TOLD_AGAIN_MOST : 0;
    for (size_t i = first; listener && i < scan->told_count; i++) {
        const struct record_header *header = &scan->told[i].header;
        struct text payload =
            text_from(scan->bytes.at + scan->told[i].offset + RECORD_HEADER_BYTES, header->length);
        arena_reset(scan->arena);
        struct lead lead;
        struct change change;
        if (header->type == RECORD_MESSAGE) {
            if (lead_get(scan->arena, text_slice(payload, 0, header->lead_length), &lead) &&
                !(lead.flags & MESSAGE_MOVED))
                listener->on_message(listener->context, header->id, &lead,
                                     header->length - header->lead_length);
        } else if (change_get(scan->arena, payload, &change)) {
            listener->on_change(listener->context, header->type, header->id, &change);
        }
    }
    free(scan->told);
}

static void scan_report(const struct segment *segment, const struct journal_walk *walk, uint64_t malformed,
                        struct journal_found *found)
{
    found->records += walk->records;
    if (walk->is_torn) {
        found->torn++;
        log_warning("journal: segment %08u: what was being written at %llu when it stopped is cut",
                    segment->number, (unsigned long long)walk->end);
    }
    if (malformed)
        log_error("journal: segment %08u: %llu records that are whole but make no sense", segment->number,
                  (unsigned long long)malformed);
    if (!walk->damage_count) return;
    found->damaged++;
    char id[24] = "unknown";
    if (walk->damage_id) snprintf(id, sizeof id, "%016llx", (unsigned long long)walk->damage_id);
    log_error("journal: ALARM: segment %08u is damaged in %u places, first at %llu (message id %s); what can "
              "be read is carried over and the segment set aside",
              segment->number, walk->damage_count, (unsigned long long)walk->damage_offset, id);
}

static bool has_header(const struct segment *segment, struct text bytes, uint64_t from, uint64_t until)
{
    struct record_header header;
    for (uint64_t at = from; at + RECORD_HEADER_BYTES <= bytes.length && at < until; at += RECORD_ALIGN)
        if (record_header_get(bytes.at + at, segment->seed, segment->number, &header)) return true;
    return false;
}

/* Blocks behind the last whole batch in which a header of this segment begins become zeros, synced: what is
   appended later is never taken for one batch with what was torn. False: the end is not sure. */
static bool tail_clear(struct journal *journal, const struct segment *segment, struct text bytes,
                       uint64_t from)
{
    static const char zeros[BATCH_ALIGN];
    const struct disk *disk = journal->options.disk;
    bool is_changed = false;
    for (uint64_t at = from; at < bytes.length; at += BATCH_ALIGN) {
        if (!has_header(segment, bytes, at, at + BATCH_ALIGN)) continue;
        struct iovec piece = { (void *)zeros,
                               bytes.length - at < BATCH_ALIGN ? bytes.length - at : BATCH_ALIGN };
        if (!disk_write_all(disk, segment->fd, &piece, 1, at)) return false;
        is_changed = true;
    }
    return !is_changed || disk->sync(disk->context, segment->fd) == 0;
}

/* What lay in the page cache when the process went may not be on disk: synced before anything relies on it.
 */
static bool segment_scan(struct journal *journal, struct segment *segment, bool is_last,
                         struct queue_counters *totals, const struct journal_listener *listener,
                         struct journal_found *found)
{
    struct recovery scan = { .journal = journal, .segment = segment, .totals = totals };
    const struct disk *disk = journal->options.disk;
    if (disk->sync(disk->context, segment->fd) != 0) {
        journal_complain(journal, "segment %08u cannot be synced: %s", segment->number, strerror(errno));
        return false;
    }
    struct buffer bytes = { 0 };
    bool is_read = file_read(segment->fd, file_data_end(segment->fd, segment->size), &bytes);
    scan.bytes = buffer_text(&bytes);
    scan.arena = arena_new(64 * 1024);
    struct journal_walk walk;
    segment_walk(scan.bytes, segment->seed, segment->number, scan_record, &scan, &walk);
    scan_tell(&scan, listener);
    scan_report(segment, &walk, scan.malformed, found);
    found->was_clean = scan.is_clean;
    segment->end = walk.end;
    segment->is_damaged = walk.damage_count > 0;
    segment->may_go_on = is_read && !walk.damage_count && !scan.malformed && !scan.torn_kept;
    if (segment->may_go_on && is_last) {
        segment->end = walk.whole;
        segment->may_go_on = tail_clear(journal, segment, scan.bytes, walk.whole) &&
                             disk->allocate(disk->context, segment->fd, segment->size) == 0;
    }
    arena_free(scan.arena);
    buffer_free(&bytes);
    return true;
}

static void set_aside(struct journal *journal, uint32_t number)
{
    char from[SEGMENT_NAME_SIZE], to[SEGMENT_NAME_SIZE];
    const struct disk *disk = journal->options.disk;
    segment_name(number, "seg", from);
    segment_name(number, "damaged", to);
    if (disk->rename(disk->context, journal->options.folder, from, to) != 0)
        log_error("journal: %s cannot be set aside: %s", from, strerror(errno));
    disk->sync_folder(disk->context, journal->options.folder);
}

static bool segment_recover(struct journal *journal, uint32_t number, bool is_last,
                            struct queue_counters *totals, const struct journal_listener *listener,
                            struct journal_found *found)
{
    char name[SEGMENT_NAME_SIZE];
    int fd =
        openat(journal->options.folder, segment_name(number, "seg", name), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    struct stat facts;
    if (fd < 0 || fstat(fd, &facts) != 0) {
        journal_complain(journal, "segment %s cannot be opened: %s", name, strerror(errno));
        return false;
    }
    struct segment *segment = segment_add(journal, number, fd);
    segment->size = (uint64_t)facts.st_size;
    const char *why;
    struct queue_counters at_start;
    enum header_state header = segment_header_read(segment, &at_start, &why);
    if (header == HEADER_OTHER_VERSION) { /* whoever wrote it can read it; we must not touch it */
        journal_complain(journal, "%s: %s", name, why);
        return false;
    }
    if (header == HEADER_BAD) {
        log_error("journal: ALARM: %s: %s; it is set aside, what it held is lost", name, why);
        segment_drop(journal, segment);
        set_aside(journal, number);
        found->damaged++;
        return true;
    }
    struct arena *arena = arena_new(64 * 1024);
    struct seal seal;
    segment->has_index = segment->is_sealed = seal_read(journal, segment, arena, &seal);
    if (segment->has_index) {
        *totals = seal.totals;
        segment->end = seal.end;
        found->was_clean = seal.is_clean;
    }
    arena_free(arena);
    if (segment->has_index) return true;
    *totals = at_start;
    return segment_scan(journal, segment, is_last, totals, listener, found);
}

static void totals_take(struct journal *journal, const struct queue_counters *totals)
{
    journal->totals.accepted = totals->accepted;
    journal->totals.own = totals->own;
    memcpy(journal->totals.ended, totals->ended, sizeof totals->ended);
}

static void damage_salvage(struct journal *journal, struct journal_found *found)
{
    for (size_t i = 0; i < journal->segment_count; i++) {
        struct segment *segment = journal->segments[i];
        if (!segment->is_damaged) continue;
        uint32_t number = segment->number;
        uint32_t before = segment->live;
        if (!segment_empty(journal, segment)) {
            log_error("journal: segment %08u cannot be emptied now: %s; it stays", number, journal->error);
            continue;
        }
        found->salvaged += before;
        segment_drop(journal, segment);
        char name[SEGMENT_NAME_SIZE];
        const struct disk *disk = journal->options.disk;
        disk->remove(disk->context, journal->options.folder, segment_name(number, "idx", name));
        set_aside(journal, number);
        i--;
    }
}

/* The last segment goes on where it ended, if its end is sure. */
static void open_again(struct journal *journal, bool was_clean)
{
    struct segment *last = journal->segment_count ? journal->segments[journal->segment_count - 1] : NULL;
    if (!last || last->is_sealed || !last->may_go_on) return;
    journal->open = last;
    journal->is_clean = was_clean;
}

static void seal_what_was_open(struct journal *journal, bool was_clean)
{
    for (size_t i = 0; i < journal->segment_count; i++) {
        struct segment *segment = journal->segments[i];
        if (segment->is_sealed || segment == journal->open) continue;
        bool is_last = i + 1 == journal->segment_count;
        if (!segment->is_damaged && !seal_write(journal, segment, is_last && was_clean))
            log_warning("journal: segment %08u: no index: %s", segment->number, strerror(errno));
        segment->is_sealed = true;
    }
}

bool journal_recover(struct journal *journal, const struct journal_listener *listener,
                     struct journal_found *found)
{
    struct numbers numbers = { 0 };
    struct queue_counters totals = { 0 };
    bool is_good = folder_read(journal, &numbers);
    for (size_t i = 0; is_good && i < numbers.count; i++)
        is_good =
            segment_recover(journal, numbers.items[i], i + 1 == numbers.count, &totals, listener, found);
    found->segments = numbers.count;
    free(numbers.items);
    if (!is_good) return false;
    totals_take(journal, &totals);
    open_again(journal, found->was_clean);
    seal_what_was_open(journal, found->was_clean);
    if (found->damaged) damage_salvage(journal, found);
    found->messages = journal->message_index->count;
    return true;
}
