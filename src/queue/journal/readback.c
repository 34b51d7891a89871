/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Reading what the journal keeps: leads and contents, each checked; segments for those who read from them. */
#include <errno.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "queue/journal/crc32c.h"
#include "queue/journal/journal_private.h"

int journal_segment_fd(const struct journal *journal, uint32_t segment)
{
    struct segment *found = segment_find(journal, segment);
    return found ? found->fd : -1;
}

void journal_segment_use(struct journal *journal, uint32_t segment, int jobs)
{
    struct segment *found = segment_find(journal, segment);
    if (found) found->jobs += jobs;
}

void journal_segment_never_reuse(struct journal *journal, uint32_t segment)
{
    struct segment *found = segment_find(journal, segment);
    if (found) found->is_unreusable = true;
}

void journal_on_segment_end(struct journal *journal, void (*ended)(void *context, uint32_t segment),
                            void *context)
{
    journal->on_segment_end = ended;
    journal->on_segment_end_context = context;
}

static bool bytes_read(const struct journal *journal, const struct message *message, uint64_t offset,
                       char *to, size_t length)
{
    int fd = journal_segment_fd(journal, message->segment);
    while (length > 0) {
        ssize_t got = pread(fd, to, length, (off_t)offset);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            log_error("journal: segment %08u cannot be read: %s", message->segment,
                      got < 0 ? strerror(errno) : "it ends too early");
            return false;
        }
        to += got;
        offset += (uint64_t)got;
        length -= (size_t)got;
    }
    return true;
}

static bool header_check(const struct journal *journal, const struct message *message, const char *bytes,
                         struct record_header *out)
{
    const struct segment *segment = segment_find(journal, message->segment);
    if (segment && record_header_get(bytes, segment->seed, segment->number, out) && out->id == message->id &&
        out->lead_length == message->lead_length && out->length == message_bytes(message))
        return true;
    log_error("journal: segment %08u: the record at %u is damaged", message->segment, message->offset);
    return false;
}

bool journal_read_lead(const struct journal *journal, struct arena *arena, const struct message *message,
                       struct lead *out)
{
    size_t length = RECORD_HEADER_BYTES + message->lead_length;
    char *bytes = arena_alloc(arena, length);
    struct record_header header;
    return bytes_read(journal, message, message->offset, bytes, length) &&
           header_check(journal, message, bytes, &header) &&
           lead_get(arena, text_from(bytes + RECORD_HEADER_BYTES, message->lead_length), out);
}

bool journal_read_content(const struct journal *journal, const struct message *message, struct buffer *out)
{
    buffer_clear(out);
    size_t length = RECORD_HEADER_BYTES + message_bytes(message);
    char *bytes = buffer_reserve(out, length);
    struct record_header header;
    if (!bytes_read(journal, message, message->offset, bytes, length) ||
        !header_check(journal, message, bytes, &header))
        return false;
    if (crc32c(0, text_from(bytes + RECORD_HEADER_BYTES, header.length)) != header.payload_crc) {
        log_error("journal: segment %08u: the message at %u is damaged", message->segment, message->offset);
        return false;
    }
    buffer_commit(out, length);
    buffer_consume(out, RECORD_HEADER_BYTES + message->lead_length);
    return true;
}

struct queue_counters journal_counters(const struct journal *journal)
{
    return journal->totals;
}

struct journal_facts journal_facts(const struct journal *journal)
{
    struct journal_facts facts = journal->facts;
    facts.spares = journal->spare_count;
    facts.claimed = journal->claimed;
    facts.segments = journal->segment_count;
    for (size_t i = 0; i < journal->segment_count; i++) facts.bytes += journal->segments[i]->size;
    return facts;
}

void journal_set_free(struct journal *journal, uint64_t free_bytes)
{
    journal->options.free_bytes = free_bytes;
}

bool journal_is_full(struct journal *journal)
{
    const struct disk *disk = journal->options.disk;
    spare_look(journal);
    if (journal->is_tight) return true;
    int64_t left = disk->free_bytes(disk->context, journal->options.folder);
    return left >= 0 && (uint64_t)left < journal->options.free_bytes;
}

int journal_full_error(const struct journal *journal)
{
    return journal->spare_error && journal->spare_error != EDQUOT ? journal->spare_error : ENOSPC;
}
