/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A journal of foreign bytes. It must open, whatever is in it, and what the first opening made of it (reading
   records) the second must read from the index that the first wrote. The first byte chooses: R records whose
   checksums are put right here, I an index likewise, anything else is the bytes of a segment behind its
   header block. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "ipc/ask_queue.h"
#include "queue/journal/crc32c.h"
#include "queue/journal/journal.h"
#include "queue/journal/walk.h"

enum { SEGMENT = 64 * 1024, HEADER = 4096, SEED_AT = 16, INDEX_HEAD = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Alarms in the log are what is wanted here: the fuzzer keeps its own way to standard error. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    char **more = memory_alloc(((size_t)*argc + 2) * sizeof *more);
    memcpy(more, *argv, (size_t)*argc * sizeof *more);
    more[(*argc)++] = memory_string(TEXT("-close_fd_mask=2"));
    *argv = more;
    return 0;
}

enum { SEALING_ID = 101 };

struct place {
    char path[64];
    int folder;
    char header[HEADER];
    uint32_t seed;
    struct buffer index_head;
};

struct opened {
    struct message_index *message_index;
    struct journal *journal;
};

static void folder_clear(const struct place *place)
{
    DIR *folder = opendir(place->path);
    for (struct dirent *one; (one = readdir(folder));)
        if (one->d_name[0] != '.') unlinkat(place->folder, one->d_name, 0);
    closedir(folder);
}

static struct opened journal_of(const struct place *place)
{
    struct opened opened = { .message_index = message_index_new(1024) };
    struct journal_options options = { place->folder, &disk_real, opened.message_index, SEGMENT, 0 };
    struct journal_found found;
    char error[200];
    opened.journal = journal_open(&options, NULL, &found, error, sizeof error);
    if (!opened.journal) abort();
    return opened;
}

static void opened_close(struct opened *opened)
{
    journal_close(opened->journal);
    message_index_free(opened->message_index);
}

static struct message *keep(struct opened *opened, uint64_t id)
{
    struct lead_recipient recipients[2] = { { TEXT("a.example"), 0, 0, 0 },
                                            { TEXT("b.example"), 0, HOLD_ADMIN, 0 } };
    struct lead lead = { .recipient_count = 2, .recipients = recipients, .edits_count = 1 };
    return journal_keep(opened->journal, id, &lead, TEXT(""), TEXT("Subject: x\r\n\r\nbody\r\n"));
}

static void file_write(const struct place *place, const char *name, const char *head, size_t head_length,
                       struct text bytes)
{
    int fd = openat(place->folder, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || pwrite(fd, head, head_length, 0) != (ssize_t)head_length ||
        pwrite(fd, bytes.at, bytes.length, (off_t)head_length) != (ssize_t)bytes.length)
        abort();
    close(fd);
}

static struct place *place_make(void)
{
    struct place *place = memory_alloc(sizeof *place);
    snprintf(place->path, sizeof place->path, "/dev/shm/fuzz-journal-XXXXXX");
    if (!mkdtemp(place->path)) abort();
    place->folder = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct opened opened = journal_of(place);
    keep(&opened, 1);
    if (journal_commit(opened.journal) != COMMIT_DONE) abort();
    opened_close(&opened);
    int fd = openat(place->folder, "00000001.seg", O_RDONLY | O_CLOEXEC);
    if (read(fd, place->header, HEADER) != HEADER) abort();
    close(fd);
    memcpy(&place->seed, place->header + SEED_AT, sizeof place->seed);
    put_u32(&place->index_head, 0x58444953);
    put_u32(&place->index_head, 1);
    put_u32(&place->index_head, 1);
    put_u32(&place->index_head, place->seed);
    return place;
}

/* Each record: type, flags (1: last of its batch), id, lead length, length (2 bytes), then the payload. */
static void records_make(const struct place *place, struct reader *reader, struct buffer *out)
{
    uint32_t batch = HEADER;
    while (reader->rest.length >= 6 && buffer_length(out) < SEGMENT) {
        struct record_header header = { .type = (enum record_type)(1 + get_u8(reader) %
                                                                           (RECORD_TYPE_COUNT - 1)) };
        header.is_last = get_u8(reader) & 1;
        header.id = get_u8(reader) % 8;
        header.lead_length = get_u8(reader);
        header.length = get_u16(reader);
        if (header.length > reader->rest.length) header.length = (uint32_t)reader->rest.length;
        if (header.lead_length > header.length) header.lead_length = header.length;
        struct text payload = text_slice(reader->rest, 0, header.length);
        reader->rest = text_slice(reader->rest, header.length, SIZE_MAX);
        header.generation = 1;
        header.batch = batch;
        header.payload_crc = crc32c(0, payload);
        char bytes[RECORD_HEADER_BYTES];
        record_header_put(&header, place->seed, bytes);
        buffer_add(out, bytes, sizeof bytes);
        buffer_add_text(out, payload);
        size_t align = header.is_last ? BATCH_ALIGN : RECORD_ALIGN;
        while (buffer_length(out) % align) buffer_add_char(out, '\0');
        if (header.is_last) batch = HEADER + (uint32_t)buffer_length(out);
    }
}

static void segment_make(const struct place *place, struct text input)
{
    struct reader reader = reader_of(text_slice(input, 1, SIZE_MAX));
    struct buffer bytes = { 0 };
    if (input.length && input.at[0] == 'R') {
        records_make(place, &reader, &bytes);
        file_write(place, "00000001.seg", place->header, HEADER, buffer_text(&bytes));
    } else if (input.length && input.at[0] == 'I') {
        file_write(place, "00000001.seg", place->header, HEADER, TEXT(""));
        buffer_add_text(&bytes, buffer_text(&place->index_head));
        buffer_add_text(&bytes, reader.rest);
        put_u32(&bytes, crc32c(0, buffer_text(&bytes)));
        file_write(place, "00000001.idx", "", 0, buffer_text(&bytes));
    } else {
        file_write(place, "00000001.seg", place->header, HEADER, input);
    }
    buffer_free(&bytes);
}

static void must_be_same(const struct opened *a, const struct opened *b)
{
    struct queue_counters first = journal_counters(a->journal), second = journal_counters(b->journal);
    if (memcmp(&first, &second, sizeof first) != 0) abort();
    size_t place = 0;
    for (struct message *message; (message = message_index_next(a->message_index, &place));) {
        struct message *other = message_index_find(b->message_index, message->id);
        if (!other || other->live_count != message->live_count || other->due_ms != message->due_ms ||
            message_held(other) != message_held(message))
            abort();
    }
}

/* A message that does not fit behind others: the segment before it is sealed. */
static void must_seal(struct opened *opened)
{
    static char body[SEGMENT - 2 * HEADER];
    struct lead_recipient recipient = { .domain = TEXT("d.example") };
    struct lead lead = {
        .recipient_count = 1, .recipients = &recipient, .edits_count = 1, .edits = { TEXT("") }
    };
    if (message_index_find(opened->message_index, SEALING_ID)) return;
    journal_keep(opened->journal, SEALING_ID, &lead, TEXT(""), text_from(body, sizeof body));
    if (journal_commit(opened->journal) != COMMIT_DONE) abort();
}

/* What is live can be read, or is said to be damaged; a message more can be kept. */
static void must_work(struct opened *opened)
{
    struct arena *arena = arena_new(0);
    struct buffer content = { 0 };
    size_t place = 0;
    for (struct message *message; (message = message_index_next(opened->message_index, &place));) {
        struct lead lead;
        journal_read_lead(opened->journal, arena, message, &lead);
        journal_read_content(opened->journal, message, &content);
    }
    buffer_free(&content);
    arena_free(arena);
    if (!message_index_find(opened->message_index, 100)) keep(opened, 100);
    if (journal_commit(opened->journal) != COMMIT_DONE) abort();
    while (journal_tidy(opened->journal)) {
    }
    if (!message_index_find(opened->message_index, 100)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct place *place;
    if (!place) place = place_make();
    folder_clear(place);
    segment_make(place, text_from((const char *)data, size));
    struct opened first = journal_of(place);
    must_seal(&first);
    struct opened second = journal_of(place);
    must_be_same(&first, &second);
    opened_close(&first);
    must_work(&second);
    opened_close(&second);
    return 0;
}
