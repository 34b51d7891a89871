/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A message's bytes between processes: inline, in a sealed memfd, or in a file. */
#include "ipc/body.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/codec.h"
#include "base/file.h"

enum { FRAME_MARGIN = 256 };
enum body_carrier { CARRIER_INLINE, CARRIER_MEMFD, CARRIER_FILE, CARRIER_LOST };

static const int SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

static bool spill(struct body *body)
{
    if (body->fd != 0) return true;
    int fd = memfd_create("body", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return false;
    body->fd = fd;
    struct text bytes = body->mapped.at ? body->mapped : buffer_text(&body->small);
    body->mapped = TEXT_NONE; /* it was a frame's */
    if (!file_write_all(body->fd, bytes)) return false;
    buffer_free(&body->small);
    return true;
}

bool body_append(struct body *body, struct text bytes)
{
    body->size += bytes.length;
    if (body->fd == 0 && body->size <= (body->inline_most ? body->inline_most : BODY_INLINE_LIMIT)) {
        buffer_add_text(&body->small, bytes);
        return true;
    }
    return spill(body) && file_write_all(body->fd, bytes);
}

bool body_to_file(struct body *body, int fd)
{
    bool good = true;
    off_t offset = 0;
    if (body->fd == 0) good = file_write_all(fd, buffer_text(&body->small));
    while (good && body->fd > 0 && (uint64_t)offset < body->size) {
        ssize_t sent = sendfile(fd, body->fd, &offset, body->size - (uint64_t)offset);
        if (sent < 0 && errno == EINTR) continue;
        good = sent > 0;
    }
    if (body->fd > 0) close(body->fd);
    buffer_free(&body->small);
    body->fd = fd;
    body->is_file = true;
    return good;
}

bool body_finish(struct body *body)
{
    if (body->fd == 0 || body->is_file || body->is_sealed) return true;
    if (fcntl(body->fd, F_ADD_SEALS, SEALS) != 0) return false;
    body->is_sealed = true;
    return true;
}

void body_free(struct body *body)
{
    if (body->fd > 0 && body->mapped.at) munmap((void *)body->mapped.at, body->mapped.length);
    if (body->fd > 0) close(body->fd);
    buffer_free(&body->small);
    *body = (struct body){ 0 };
}

struct text body_text(struct body *body)
{
    if (body->mapped.at || body->size == 0) return body->mapped;
    if (body->fd == 0) return buffer_text(&body->small);
    void *bytes = mmap(NULL, body->size, PROT_READ, MAP_SHARED, body->fd, 0);
    if (bytes == MAP_FAILED) return TEXT_NONE;
    body->mapped = text_from(bytes, body->size);
    return body->mapped;
}

void body_fit(struct body *body, size_t used)
{
    if (body->fd != 0 || used + body->size + FRAME_MARGIN <= FRAME_LIMIT) return;
    body->is_lost = !spill(body) || !body_finish(body);
}

void body_put(struct body *body, struct buffer *frame, int *fds, int *fd_count)
{
    int copy = -1;
    if (!body->is_lost && body->fd == 0) {
        put_u8(frame, CARRIER_INLINE);
        put_text(frame, body_text(body));
        return;
    }
    if (!body->is_lost) copy = fcntl(body->fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) {
        put_u8(frame, CARRIER_LOST);
        return;
    }
    put_u8(frame, body->is_file ? CARRIER_FILE : CARRIER_MEMFD);
    put_u64(frame, body->size);
    fds[(*fd_count)++] = copy;
}

static bool descriptor_is_good(const struct body *body)
{
    struct stat facts;
    if (fstat(body->fd, &facts) != 0 || !S_ISREG(facts.st_mode) || (uint64_t)facts.st_size != body->size)
        return false;
    return body->is_file || (fcntl(body->fd, F_GET_SEALS) & SEALS) == SEALS;
}

bool body_get(struct reader *reader, struct frame *frame, int *fd_index, struct body *out_body)
{
    *out_body = (struct body){ 0 };
    enum body_carrier carrier = get_u8(reader);
    if (carrier == CARRIER_INLINE) {
        out_body->mapped = get_text(reader);
        out_body->size = out_body->mapped.length;
        return !reader->failed;
    }
    if (carrier == CARRIER_LOST) out_body->is_lost = true;
    if (carrier == CARRIER_LOST) return !reader->failed;
    if (carrier != CARRIER_MEMFD && carrier != CARRIER_FILE) return false;
    uint64_t size = get_u64(reader);
    int fd = reader->failed ? -1 : frame_take_fd(frame, (*fd_index)++);
    out_body->is_lost = fd < 0 && frame->is_short && !reader->failed;
    if (fd <= 0) return out_body->is_lost;
    out_body->size = size;
    out_body->fd = fd;
    out_body->is_file = carrier == CARRIER_FILE;
    out_body->is_sealed = !out_body->is_file;
    if (out_body->size > 0 && descriptor_is_good(out_body)) return true;
    body_free(out_body);
    return false;
}

void body_keep(struct body *body)
{
    if (body->fd != 0) return;
    buffer_add_text(&body->small, body->mapped);
    body->mapped = TEXT_NONE;
}
