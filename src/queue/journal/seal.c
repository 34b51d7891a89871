/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The index of a sealed segment, in a file beside it: who of its messages lived when it was sealed, and what
   its records did to messages of older segments. With it a start reads no bodies. */
#include "queue/journal/journal_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/die.h"
#include "ipc/ask_queue.h"
#include "ipc/event.h"
#include "queue/journal/crc32c.h"

enum { SEAL_MAGIC = 0x58444953, SEAL_VERSION = 1, MESSAGE_LEAST = 48, RECIPIENT_LEAST = 12 };

/* Shared texts of one index: numbers of the message index to numbers of the index. */
struct dictionary {
    const struct string_pool *pool;
    uint32_t *numbers; /* by message index number: index number + 1 */
    uint32_t count;
    struct buffer texts;
};

static uint32_t dictionary_number(struct dictionary *dictionary, uint32_t name)
{
    if (!dictionary->numbers[name]) {
        put_text(&dictionary->texts, string_pool_text(dictionary->pool, name));
        dictionary->numbers[name] = ++dictionary->count;
    }
    return dictionary->numbers[name] - 1;
}

static void dictionary_start(struct dictionary *dictionary, const struct string_pool *pool)
{
    *dictionary = (struct dictionary){ .pool = pool };
    dictionary->numbers = memory_alloc(string_pool_limit(pool) * sizeof *dictionary->numbers);
}

static void dictionary_put(struct dictionary *dictionary, struct buffer *out)
{
    put_u32(out, dictionary->count);
    buffer_add_text(out, buffer_text(&dictionary->texts));
    free(dictionary->numbers);
    buffer_free(&dictionary->texts);
}

static void message_put(const struct message *message, struct dictionary *domains, struct dictionary *reasons,
                        struct buffer *out)
{
    put_u64(out, message->id);
    put_u64(out, message->arrived_ms);
    put_u64(out, message->due_ms);
    put_u32(out, message->offset);
    put_u32(out, message->lead_length);
    put_u32(out, message->prefix_length);
    put_u32(out, message->body_length);
    put_u16(out, message->content);
    put_u8(out, message->direction);
    put_u8(out, message->flags);
    put_u32(out, message->recipient_count);
    for (uint32_t i = 0; i < message->recipient_count; i++) {
        const struct queued_recipient *recipient = &message->recipients[i];
        put_u32(out, dictionary_number(domains, recipient->domain));
        put_u32(out, dictionary_number(reasons, recipient->reason));
        put_u8(out, recipient->ending);
        put_u8(out, recipient->hold);
        put_u8(out, recipient->edits);
        put_u8(out, recipient->attempts);
    }
}

/* The state of a live message as changes: one for each run of recipients with the same reason. */
static uint32_t states_put(const struct journal *journal, const struct message *message, struct buffer *out)
{
    uint32_t written = 0;
    struct changed_recipient *list = memory_alloc(message->recipient_count * sizeof *list);
    for (uint32_t i = 0; i < message->recipient_count; written++) {
        uint32_t reason = message->recipients[i].reason;
        struct change change = { .due_ms = message->due_ms,
                                 .home = message->segment,
                                 .flags = message->flags,
                                 .recipients = list,
                                 .reply = string_pool_text(journal->message_index->reasons, reason) };
        for (; i < message->recipient_count && message->recipients[i].reason == reason; i++) {
            const struct queued_recipient *from = &message->recipients[i];
            list[change.count++] = (struct changed_recipient){ i, from->ending, from->hold, from->attempts };
        }
        put_u64(out, message->id);
        struct buffer one = { 0 };
        change_put(&change, &one);
        put_text(out, buffer_text(&one));
        buffer_free(&one);
    }
    free(list);
    return written;
}

static int reference_order(const void *a, const void *b)
{
    const struct reference *x = a, *y = b;
    if (x->id != y->id) return x->id < y->id ? -1 : 1;
    if (x->home != y->home) return x->home < y->home ? -1 : 1;
    return (int)x->is_cut - (int)y->is_cut;
}

static void references_put(const struct journal *journal, struct segment *segment, struct buffer *out)
{
    struct buffer states = { 0 };
    uint32_t count = 0, state_count = 0;
    if (segment->reference_count)
        qsort(segment->references, segment->reference_count, sizeof *segment->references, reference_order);
    for (size_t i = 0; i < segment->reference_count; i++) {
        struct reference *reference = &segment->references[i];
        if (i > 0 && reference_order(reference, &segment->references[count - 1]) == 0) continue;
        segment->references[count++] = *reference;
        const struct message *message =
            reference->is_cut ? NULL : message_index_find(journal->message_index, reference->id);
        if (message && message->segment == reference->home)
            state_count += states_put(journal, message, &states);
    }
    segment->reference_count = count;
    put_u32(out, count);
    for (uint32_t i = 0; i < count; i++) {
        put_u64(out, segment->references[i].id);
        put_u32(out, segment->references[i].home);
        put_u8(out, segment->references[i].is_cut);
    }
    put_u32(out, state_count);
    buffer_add_text(out, buffer_text(&states));
    buffer_free(&states);
}

static void messages_put(const struct journal *journal, const struct segment *segment, struct buffer *out)
{
    struct dictionary domains, reasons;
    dictionary_start(&domains, journal->message_index->domains);
    dictionary_start(&reasons, journal->message_index->reasons);
    struct buffer messages = { 0 };
    uint32_t count = 0;
    for (size_t i = 0; i < segment->id_count; i++) {
        const struct message *message = message_index_find(journal->message_index, segment->ids[i]);
        if (!message || message->segment != segment->number || (message->flags & MESSAGE_PENDING)) continue;
        message_put(message, &domains, &reasons, &messages);
        count++;
    }
    dictionary_put(&domains, out);
    dictionary_put(&reasons, out);
    put_u32(out, count);
    buffer_add_text(out, buffer_text(&messages));
    buffer_free(&messages);
}

static void index_make(const struct journal *journal, struct segment *segment, bool is_clean,
                       struct buffer *out)
{
    put_u32(out, SEAL_MAGIC);
    put_u32(out, SEAL_VERSION);
    put_u32(out, segment->number);
    put_u32(out, segment->seed);
    put_u64(out, segment->end);
    put_u8(out, is_clean);
    put_u64(out, journal->totals.accepted);
    put_u64(out, journal->totals.own);
    for (int i = 0; i < 8; i++) put_u64(out, journal->totals.ended[i]);
    put_u32(out, (uint32_t)segment->id_count);
    for (size_t i = 0; i < segment->id_count; i++) put_u64(out, segment->ids[i]);
    references_put(journal, segment, out);
    messages_put(journal, segment, out);
    put_u32(out, crc32c(0, buffer_text(out)));
}

static bool index_store(struct journal *journal, struct segment *segment, struct text bytes)
{
    const struct disk *disk = journal->options.disk;
    int folder = journal->options.folder;
    char name[SEGMENT_NAME_SIZE], temporary[SEGMENT_NAME_SIZE];
    segment_name(segment->number, "idx", name);
    segment_name(segment->number, "tmp", temporary);
    int fd = disk->create(disk->context, folder, temporary);
    if (fd < 0) return false;
    struct iovec piece = { (void *)bytes.at, bytes.length };
    bool is_stored = disk_write_all(disk, fd, &piece, 1, 0) && disk->sync(disk->context, fd) == 0 &&
                     disk->rename(disk->context, folder, temporary, name) == 0 &&
                     disk->sync_folder(disk->context, folder) == 0;
    int error = errno;
    close(fd);
    if (!is_stored) disk->remove(disk->context, folder, temporary);
    errno = error;
    return is_stored;
}

bool seal_write(struct journal *journal, struct segment *segment, bool is_clean)
{
    segment->is_sealed = true;
    struct buffer bytes = { 0 };
    batch_undo(&journal->batch);
    index_make(journal, segment, is_clean, &bytes);
    batch_redo(&journal->batch);
    segment->has_index = index_store(journal, segment, buffer_text(&bytes));
    int error = errno;
    buffer_free(&bytes);
    if (segment->has_index) { /* the lists are on disk now */
        free(segment->ids);
        free(segment->references);
        segment->ids = NULL;
        segment->references = NULL;
        segment->id_count = segment->id_capacity = 0;
        segment->reference_count = segment->reference_capacity = 0;
    }
    errno = error;
    return segment->has_index;
}

/* Reading */

static bool index_load(struct journal *journal, const struct segment *segment, struct buffer *out)
{
    char name[SEGMENT_NAME_SIZE];
    segment_name(segment->number, "idx", name);
    int fd = openat(journal->options.folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return false;
    struct stat facts;
    bool is_read = fstat(fd, &facts) == 0 && facts.st_size > 4 && facts.st_size < INT32_MAX &&
                   file_read(fd, (uint64_t)facts.st_size, out);
    close(fd);
    return is_read;
}

static bool index_check(const struct segment *segment, struct text bytes, struct reader *out)
{
    struct text checked = text_slice(bytes, 0, bytes.length - 4);
    struct reader last = reader_of(text_slice(bytes, bytes.length - 4, bytes.length));
    if (get_u32(&last) != crc32c(0, checked)) return false;
    *out = reader_of(checked);
    uint32_t magic = get_u32(out), version = get_u32(out), number = get_u32(out), seed = get_u32(out);
    return magic == SEAL_MAGIC && version == SEAL_VERSION && number == segment->number &&
           seed == segment->seed;
}

static bool lists_get(struct reader *reader, struct arena *arena, struct seal *out)
{
    out->end = get_u64(reader);
    out->is_clean = get_u8(reader);
    out->totals.accepted = get_u64(reader);
    out->totals.own = get_u64(reader);
    for (int i = 0; i < 8; i++) out->totals.ended[i] = get_u64(reader);
    out->id_count = get_count(reader, UINT32_MAX, 8);
    out->ids = arena_alloc_array(arena, out->id_count, sizeof *out->ids);
    for (size_t i = 0; i < out->id_count; i++) out->ids[i] = get_u64(reader);
    out->reference_count = get_count(reader, UINT32_MAX, 13);
    out->references = arena_alloc_array(arena, out->reference_count, sizeof *out->references);
    for (size_t i = 0; i < out->reference_count; i++) {
        out->references[i].id = get_u64(reader);
        out->references[i].home = get_u32(reader);
        out->references[i].is_cut = get_u8(reader);
    }
    return !reader->failed;
}

static void cut_apply(struct journal *journal, uint32_t number, uint64_t offset)
{
    struct segment *segment = segment_find(journal, number);
    if (!segment || segment->has_index) return; /* its index never had them */
    for (size_t i = 0; i < segment->id_count; i++) {
        struct message *message = message_index_find(journal->message_index, segment->ids[i]);
        if (message && message->segment == number && message->offset >= offset)
            journal_message_forget(journal, message);
    }
}

void seal_references_apply(struct journal *journal, const struct reference *references, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (references[i].is_cut) {
            cut_apply(journal, references[i].home, references[i].id);
            continue;
        }
        struct message *message = message_index_find(journal->message_index, references[i].id);
        if (message && message->segment == references[i].home) journal_message_forget(journal, message);
    }
}

struct sealed_state {
    uint64_t id;
    struct text change;
};

static int state_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = ((const struct sealed_state *)b)->id;
    return x < y ? -1 : x > y;
}

/* A message that is referred to and has no state here had ended by then. States come in the references'
   order, by id. */
static bool states_get(struct journal *journal, struct reader *reader, struct arena *arena,
                       const struct seal *seal)
{
    uint32_t count = get_count(reader, UINT32_MAX, 12);
    struct sealed_state *states = arena_alloc_array(arena, count, sizeof *states);
    for (uint32_t i = 0; i < count; i++) {
        states[i].id = get_u64(reader);
        states[i].change = get_text(reader);
        if (i > 0 && states[i].id < states[i - 1].id) reader->failed = true;
    }
    if (reader->failed) return false;
    for (size_t i = 0; i < seal->reference_count; i++) {
        const struct reference *reference = &seal->references[i];
        if (reference->is_cut || !count ||
            !bsearch(&reference->id, states, count, sizeof *states, state_order))
            seal_references_apply(journal, reference, 1);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct change change;
        struct message *message = message_index_find(journal->message_index, states[i].id);
        if (!change_get(arena, states[i].change, &change)) return false;
        if (message && message->segment == change.home) journal_change_apply(journal, message, &change);
    }
    return true;
}

static struct text *dictionary_get(struct reader *reader, struct arena *arena, uint32_t *out_count)
{
    *out_count = get_count(reader, UINT32_MAX, 4);
    struct text *texts = arena_alloc_array(arena, *out_count, sizeof *texts);
    for (uint32_t i = 0; i < *out_count; i++) texts[i] = get_text(reader);
    return texts;
}

struct dictionaries {
    struct text *domains, *reasons;
    uint32_t domain_count, reason_count;
};

static bool recipient_get(struct journal *journal, struct reader *reader,
                          const struct dictionaries *dictionaries, struct queued_recipient *out)
{
    uint32_t domain = get_u32(reader), reason = get_u32(reader);
    out->ending = get_u8(reader);
    out->hold = get_u8(reader);
    out->edits = get_u8(reader);
    out->attempts = get_u8(reader);
    if (domain >= dictionaries->domain_count || reason >= dictionaries->reason_count ||
        out->ending >= ENDING_COUNT)
        return false;
    out->domain = string_pool_hold(journal->message_index->domains, dictionaries->domains[domain]);
    out->reason = string_pool_hold(journal->message_index->reasons, dictionaries->reasons[reason]);
    return true;
}

static void message_count_in(struct journal *journal, struct message *message, struct segment *segment)
{
    for (uint32_t i = 0; i < message->recipient_count; i++) {
        if (message->recipients[i].ending != ENDING_NONE) continue;
        message->live_count++;
        journal->totals.live++;
        if (message->recipients[i].hold) journal->totals.held++;
    }
    struct message *older = message_index_find(journal->message_index, message->id);
    if (older) journal_message_forget(journal, older);
    journal_message_enter(journal, message);
    journal_message_at_home(journal, message, segment);
}

static bool message_get(struct journal *journal, struct reader *reader,
                        const struct dictionaries *dictionaries, struct segment *segment)
{
    struct message fixed = { .id = get_u64(reader) };
    fixed.arrived_ms = get_u64(reader);
    fixed.due_ms = get_u64(reader);
    fixed.offset = get_u32(reader);
    fixed.lead_length = get_u32(reader);
    fixed.prefix_length = get_u32(reader);
    fixed.body_length = get_u32(reader);
    fixed.content = get_u16(reader);
    fixed.direction = get_u8(reader);
    fixed.flags = get_u8(reader);
    fixed.recipient_count = get_count(reader, RECORD_RECIPIENTS_MOST, RECIPIENT_LEAST);
    if (reader->failed || fixed.offset < SEGMENT_HEADER_BYTES || !fixed.recipient_count ||
        fixed.offset + RECORD_HEADER_BYTES + message_bytes(&fixed) > segment->size)
        return false;
    struct message *message =
        memory_alloc(sizeof *message + fixed.recipient_count * sizeof message->recipients[0]);
    *message = fixed;
    for (uint32_t i = 0; i < fixed.recipient_count; i++) {
        if (recipient_get(journal, reader, dictionaries, &message->recipients[i])) continue;
        free(message); /* a few names stay held: the index is given up anyway */
        return false;
    }
    message_count_in(journal, message, segment);
    return true;
}

bool seal_read_lists(struct journal *journal, struct segment *segment, struct arena *arena, struct seal *out)
{
    if (!segment->has_index) {
        *out = (struct seal){ .ids = segment->ids,
                              .id_count = segment->id_count,
                              .references = segment->references,
                              .reference_count = segment->reference_count };
        return true;
    }
    struct buffer bytes = { 0 };
    struct reader reader;
    bool is_good = index_load(journal, segment, &bytes) &&
                   index_check(segment, buffer_text(&bytes), &reader) && lists_get(&reader, arena, out);
    buffer_free(&bytes);
    return is_good;
}

bool seal_read(struct journal *journal, struct segment *segment, struct arena *arena, struct seal *out)
{
    struct buffer bytes = { 0 };
    struct reader reader;
    bool is_good = index_load(journal, segment, &bytes) &&
                   index_check(segment, buffer_text(&bytes), &reader) && lists_get(&reader, arena, out) &&
                   states_get(journal, &reader, arena, out);
    if (is_good) {
        struct dictionaries dictionaries;
        dictionaries.domains = dictionary_get(&reader, arena, &dictionaries.domain_count);
        dictionaries.reasons = dictionary_get(&reader, arena, &dictionaries.reason_count);
        uint32_t count = get_count(&reader, UINT32_MAX, MESSAGE_LEAST);
        for (uint32_t i = 0; is_good && i < count; i++)
            is_good = message_get(journal, &reader, &dictionaries, segment);
        is_good = is_good && reader_done(&reader);
    }
    buffer_free(&bytes);
    for (size_t i = 0; is_good && i < out->id_count; i++)
        message_index_remember(journal->message_index, out->ids[i]);
    return is_good;
}
