/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The test disk: passes through to a temporary folder, fails on demand, records each step. */
#include "rig.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "ipc/event.h"

enum { RECENT = 4096 };

static uint64_t inode_of(int fd)
{
    struct stat facts;
    return fstat(fd, &facts) == 0 ? (uint64_t)facts.st_ino : 0;
}

static struct step *step_add(struct rig *rig, enum act act)
{
    if (!rig->is_tracing) return NULL;
    if (rig->step_count == rig->step_capacity) {
        rig->step_capacity = rig->step_capacity ? rig->step_capacity * 2 : 256;
        rig->steps = memory_grow(rig->steps, rig->step_capacity * sizeof *rig->steps);
    }
    struct step *step = &rig->steps[rig->step_count++];
    *step = (struct step){ .act = act };
    return step;
}

static bool is_due(int *countdown, struct rig *rig)
{
    if (*countdown < 0) return false;
    if (*countdown > 0) {
        (*countdown)--;
        return false;
    }
    if (--rig->fault_count <= 0) *countdown = -1;
    errno = rig->fault;
    return true;
}

static int rig_create(void *context, int folder, const char *name)
{
    struct rig *rig = context;
    if (rig->no_space) return errno = rig->why_no_space, -1;
    int fd = disk_real.create(NULL, folder, name);
    struct step *step = step_add(rig, ACT_CREATE);
    if (step) {
        step->inode = inode_of(fd);
        snprintf(step->name, sizeof step->name, "%s", name);
    }
    return fd;
}

static int rig_allocate(void *context, int fd, uint64_t length)
{
    struct rig *rig = context;
    struct stat facts;
    if (fstat(fd, &facts) == 0 && (uint64_t)facts.st_size >= length) return 0; /* it has all its blocks */
    if (rig->no_space) return errno = rig->why_no_space, -1;
    return ftruncate(fd, (off_t)length);
}

static ssize_t rig_write(void *context, int fd, const struct iovec *pieces, int count, uint64_t offset)
{
    struct rig *rig = context;
    if (is_due(&rig->fail_write_after, rig)) return -1;
    size_t total = 0;
    for (int i = 0; i < count; i++) total += pieces[i].iov_len;
    struct stat facts;
    if (rig->no_space && fstat(fd, &facts) == 0 && offset + total > (uint64_t)facts.st_size)
        return errno = ENOSPC, -1;
    struct step *step = step_add(rig, ACT_WRITE);
    if (step) {
        step->inode = inode_of(fd);
        step->offset = offset;
        step->bytes = memory_alloc(total + 1);
        for (int i = 0; i < count; i++) {
            memcpy(step->bytes + step->length, pieces[i].iov_base, pieces[i].iov_len);
            step->length += pieces[i].iov_len;
        }
    }
    return disk_real.write(NULL, fd, pieces, count, offset);
}

static int rig_sync(void *context, int fd)
{
    struct rig *rig = context;
    if (is_due(&rig->fail_sync_after, rig)) return -1;
    struct step *step = step_add(rig, ACT_SYNC);
    if (step) step->inode = inode_of(fd);
    return 0;
}

static int rig_rename(void *context, int folder, const char *from, const char *to)
{
    struct step *step = step_add(context, ACT_RENAME);
    if (step) {
        snprintf(step->name, sizeof step->name, "%s", from);
        snprintf(step->other, sizeof step->other, "%s", to);
    }
    return disk_real.rename(NULL, folder, from, to);
}

static int rig_remove(void *context, int folder, const char *name)
{
    struct step *step = step_add(context, ACT_REMOVE);
    if (step) snprintf(step->name, sizeof step->name, "%s", name);
    return disk_real.remove(NULL, folder, name);
}

static int rig_sync_folder(void *context, int folder)
{
    step_add(context, ACT_SYNC_FOLDER);
    return 0;
}

static int64_t rig_free_bytes(void *context, int folder)
{
    return ((struct rig *)context)->free_bytes;
}

void rig_make(struct rig *rig, uint64_t segment_bytes)
{
    *rig = (struct rig){ .segment_bytes = segment_bytes,
                         .fail_sync_after = -1,
                         .fail_write_after = -1,
                         .fault = EIO,
                         .fault_count = 1,
                         .free_bytes = -1 };
    snprintf(rig->path, sizeof rig->path, "%s/journal-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(rig->path)) abort();
    rig->folder = open(rig->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    rig->why_no_space = ENOSPC;
    rig->disk = (struct disk){ rig,        rig_create, rig_allocate,    rig_write,     rig_sync,
                               rig_rename, rig_remove, rig_sync_folder, rig_free_bytes };
}

static void folder_clear(const struct rig *rig)
{
    DIR *folder = opendir(rig->path);
    for (struct dirent *one; (one = readdir(folder));)
        if (one->d_name[0] != '.') unlinkat(rig->folder, one->d_name, 0);
    closedir(folder);
}

void rig_free(struct rig *rig)
{
    rig_close(rig);
    folder_clear(rig);
    close(rig->folder);
    rmdir(rig->path);
    for (size_t i = 0; i < rig->step_count; i++) free(rig->steps[i].bytes);
    free(rig->steps);
}

bool rig_open(struct rig *rig, const struct journal_listener *listener)
{
    rig->message_index = message_index_new(RECENT);
    struct journal_options options = { rig->folder, &rig->disk, rig->message_index, rig->segment_bytes,
                                       1000 };
    rig->journal = journal_open(&options, listener, &rig->found, rig->error, sizeof rig->error);
    return rig->journal != NULL;
}

void rig_close(struct rig *rig)
{
    journal_close(rig->journal);
    message_index_free(rig->message_index);
    rig->journal = NULL;
    rig->message_index = NULL;
}

void rig_file_read(const struct rig *rig, const char *name, struct buffer *out)
{
    buffer_clear(out);
    int fd = openat(rig->folder, name, O_RDONLY | O_CLOEXEC);
    struct stat facts;
    if (fd < 0 || fstat(fd, &facts) != 0) abort();
    char *room = buffer_reserve(out, (size_t)facts.st_size + 1);
    if (read(fd, room, (size_t)facts.st_size) != facts.st_size) abort();
    buffer_commit(out, (size_t)facts.st_size);
    close(fd);
}

void rig_file_write(const struct rig *rig, const char *name, struct text bytes)
{
    int fd = openat(rig->folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, bytes.at, bytes.length) != (ssize_t)bytes.length) abort();
    close(fd);
}

bool rig_has_file(const struct rig *rig, const char *name)
{
    return faccessat(rig->folder, name, F_OK, 0) == 0;
}

void rig_files_copy(const struct rig *from, struct rig *to)
{
    folder_clear(to);
    DIR *folder = opendir(from->path);
    struct buffer bytes = { 0 };
    for (struct dirent *one; (one = readdir(folder));) {
        if (one->d_name[0] == '.') continue;
        rig_file_read(from, one->d_name, &bytes);
        rig_file_write(to, one->d_name, buffer_text(&bytes));
    }
    buffer_free(&bytes);
    closedir(folder);
}

void rig_body(uint64_t id, size_t size, struct buffer *out)
{
    buffer_clear(out);
    buffer_printf(out, "Subject: %llu\r\n\r\n", (unsigned long long)id);
    uint64_t state = id * 2654435761u + 1;
    while (buffer_length(out) < size) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        buffer_add_char(out, (char)(state >> 56));
    }
}

static size_t size_of(uint64_t id)
{
    return 40 + (size_t)(id * 7919 % 3000);
}

struct message *rig_keep(struct rig *rig, uint64_t id, uint32_t count, size_t size)
{
    static const char *const domains[] = { "d0.example", "d1.example", "d2.example" };
    struct lead_recipient recipients[16];
    for (uint32_t i = 0; i < count; i++)
        recipients[i] = (struct lead_recipient){ .domain = text_of(domains[i % 3]) };
    struct lead lead = { .arrived_ms = 1000 + id,
                         .recipient_count = count,
                         .recipients = recipients,
                         .edits_count = 1,
                         .edits = { TEXT("") },
                         .envelope = TEXT("envelope") };
    struct text prefix = TEXT("Received: by test\r\n");
    lead.prefix_length = (uint32_t)prefix.length;
    struct buffer body = { 0 };
    rig_body(id, size ? size : size_of(id), &body);
    struct message *message = journal_keep(rig->journal, id, &lead, prefix, buffer_text(&body));
    if (buffer_length(&body) > 64 * 1024) abort(); /* would be borrowed until the commit */
    buffer_free(&body);
    return message;
}

/* A message that fits no segment of 64 KiB that has begun comes and goes. */
void rig_seal(struct rig *rig)
{
    enum { SEALING_ID = 900000 };
    struct message *message = rig_keep(rig, SEALING_ID, 1, 56 * 1024);
    if (journal_commit(rig->journal) != COMMIT_DONE) abort();
    rig_end(rig, message, ENDING_REMOVED);
    if (journal_commit(rig->journal) != COMMIT_DONE) abort();
}

void rig_end(struct rig *rig, struct message *message, int ending)
{
    struct changed_recipient changed[16];
    struct change change = { .when_ms = 5, .recipients = changed, .dsn = TEXT("2.0.0"), .reply = TEXT("ok") };
    for (uint32_t i = 0; i < message->recipient_count; i++)
        changed[change.count++] = (struct changed_recipient){ i, (uint8_t)ending, 0, 1 };
    journal_change(rig->journal, RECORD_OUTCOME, message, &change);
}

void rig_defer(struct rig *rig, struct message *message, uint64_t due_ms, const char *reply)
{
    struct changed_recipient changed[16];
    struct change change = { .when_ms = 5, .due_ms = due_ms, .recipients = changed, .reply = text_of(reply) };
    for (uint32_t i = 0; i < message->recipient_count; i++)
        changed[change.count++] =
            (struct changed_recipient){ i, 0, 0, (uint8_t)(message->recipients[i].attempts + 1) };
    journal_change(rig->journal, RECORD_DEFERRAL, message, &change);
}

bool rig_is_whole(const struct rig *rig, uint64_t id)
{
    struct message *message = message_index_find(rig->message_index, id);
    if (!message) return false;
    struct arena *arena = arena_new(0);
    struct buffer content = { 0 }, body = { 0 };
    struct lead lead;
    bool is_whole = journal_read_lead(rig->journal, arena, message, &lead) &&
                    text_equal(lead.envelope, TEXT("envelope")) &&
                    journal_read_content(rig->journal, message, &content);
    rig_body(id, message->body_length, &body);
    struct text bytes = buffer_text(&content);
    is_whole =
        is_whole && text_equal(text_slice(bytes, message->prefix_length, bytes.length), buffer_text(&body));
    buffer_free(&content);
    buffer_free(&body);
    arena_free(arena);
    return is_whole;
}

/* Power loss */

struct file {
    uint64_t inode;
    struct buffer bytes;
};

struct image {
    struct file files[512];
    size_t count;
};

static struct file *image_file(struct image *image, uint64_t inode)
{
    for (size_t i = 0; i < image->count; i++)
        if (image->files[i].inode == inode) return &image->files[i];
    if (image->count == 512) abort();
    struct file *file = &image->files[image->count++];
    *file = (struct file){ .inode = inode };
    return file;
}

static unsigned next_random(unsigned *state)
{
    *state = *state * 1103515245u + 12345u;
    return *state >> 16 & 0x7fff;
}

static void sector_write(struct file *file, uint64_t offset, const char *bytes, size_t length)
{
    size_t have = buffer_length(&file->bytes);
    if (have < offset + length) {
        size_t more = (size_t)(offset + length - have);
        memset(buffer_reserve(&file->bytes, more), 0, more);
        buffer_commit(&file->bytes, more);
    }
    memcpy(file->bytes.memory + file->bytes.start + offset, bytes, length);
}

static bool is_synced(const struct rig *rig, size_t step, size_t until)
{
    for (size_t i = step + 1; i < until; i++)
        if (rig->steps[i].act == ACT_SYNC && rig->steps[i].inode == rig->steps[step].inode) return true;
    return false;
}

static void data_replay(const struct rig *rig, size_t until, unsigned *random, struct image *image)
{
    for (size_t i = 0; i < until; i++) {
        const struct step *step = &rig->steps[i];
        if (step->act != ACT_WRITE) continue;
        bool is_sure = is_synced(rig, i, until);
        unsigned odds = next_random(random) % 4; /* 0: nothing of it, 3: all, else by chance */
        for (size_t at = 0; at < step->length;) {
            size_t piece = 512 - (size_t)((step->offset + at) % 512);
            if (piece > step->length - at) piece = step->length - at;
            if (is_sure || odds == 3 || (odds && next_random(random) % 2))
                sector_write(image_file(image, step->inode), step->offset + at, step->bytes + at, piece);
            at += piece;
        }
    }
}

struct entry_name {
    char name[40];
    uint64_t inode;
};

static void names_replay(const struct rig *rig, size_t until, unsigned *random, struct image *image,
                         struct rig *to)
{
    size_t sure = 0;
    for (size_t i = 0; i < until; i++)
        if (rig->steps[i].act == ACT_SYNC_FOLDER) sure = i;
    size_t last = sure + (until > sure ? next_random(random) % (until - sure + 1) : 0);
    struct entry_name names[64];
    size_t count = 0;
    for (size_t i = 0; i < last; i++) {
        const struct step *step = &rig->steps[i];
        const char *wanted = step->act == ACT_RENAME ? step->other : step->name;
        uint64_t inode = step->inode;
        if (step->act != ACT_CREATE && step->act != ACT_RENAME && step->act != ACT_REMOVE) continue;
        for (size_t n = 0; n < count; n++) {
            if (strcmp(names[n].name, step->name) != 0) continue;
            if (step->act == ACT_RENAME) inode = names[n].inode;
            names[n--] = names[--count];
        }
        for (size_t n = 0; n < count; n++)
            if (strcmp(names[n].name, wanted) == 0) names[n--] = names[--count];
        if (step->act == ACT_REMOVE) continue;
        if (count == 64) abort();
        snprintf(names[count].name, sizeof names[count].name, "%s", wanted);
        names[count++].inode = inode;
    }
    for (size_t n = 0; n < count; n++)
        rig_file_write(to, names[n].name, buffer_text(&image_file(image, names[n].inode)->bytes));
}

void rig_power_loss(const struct rig *from, size_t until, unsigned seed, struct rig *to)
{
    struct image *image = memory_alloc(sizeof *image);
    folder_clear(to);
    data_replay(from, until, &seed, image);
    names_replay(from, until, &seed, image, to);
    for (size_t i = 0; i < image->count; i++) buffer_free(&image->files[i].bytes);
    free(image);
}

/* Inodes are of the folder that was traced: followed here by name. */
void rig_replay(const struct rig *from, size_t stop, struct rig *to)
{
    struct entry_name names[64];
    size_t count = 0;
    for (size_t i = 0; i < stop; i++) {
        const struct step *step = &from->steps[i];
        size_t n = 0;
        while (n < count && (step->act == ACT_WRITE ? names[n].inode != step->inode
                                                    : strcmp(names[n].name, step->name) != 0))
            n++;
        if (step->act == ACT_CREATE) {
            if (n == count) count++;
            snprintf(names[n].name, sizeof names[n].name, "%s", step->name);
            names[n].inode = step->inode;
            rig_file_write(to, step->name, TEXT(""));
        } else if (step->act == ACT_WRITE && n < count) {
            int fd = openat(to->folder, names[n].name, O_WRONLY | O_CLOEXEC);
            if (pwrite(fd, step->bytes, step->length, (off_t)step->offset) != (ssize_t)step->length) abort();
            close(fd);
        } else if (step->act == ACT_RENAME) {
            renameat(to->folder, step->name, to->folder, step->other);
            if (n < count) snprintf(names[n].name, sizeof names[n].name, "%s", step->other);
        } else if (step->act == ACT_REMOVE) {
            unlinkat(to->folder, step->name, 0);
            if (n < count) names[n] = names[--count];
        }
    }
}
