/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Frames over SEQPACKET. Outgoing frames gather in one buffer and leave by sendmmsg at the end of the turn;
   incoming ones are taken in batches by recvmmsg. Nothing here knows what a frame means. */
#include "ipc/channel.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/codec.h"
#include "base/context.h"
#include "base/die.h"

/* type u16, reserved u16, payload length u32, id u64 */
enum {
    HEADER_BYTES = 16,
    RECEIVE_BATCH = 8,
    SEND_BATCH = 32,
    SOCKET_BYTES = 1024 * 1024,
    OUT_KEEP = 256 * 1024
};

/* One frame in `out`, in order. */
struct outgoing {
    uint32_t length; /* header and payload */
    uint8_t fd_count;
    int fds[FRAME_DESCRIPTORS];
};

struct channel {
    enum { CHANNEL_MAGIC = 0x497ee86d } magic;
    struct loop *loop;
    struct watch *watch;
    struct deferred flush, bury;
    const struct channel_events *events;
    void *context;
    struct buffer out;
    struct outgoing *list;
    size_t list_first, list_count, list_capacity;
    size_t begun_at; /* offset from out.start of the frame being built, + 1; 0: none */
    int fd;
    bool closed, ended;
    bool is_unheard; /* the peer takes nothing any more; what it said before is still read */
};

static void ready(void *context, int what);
static void flush(void *context);
static void bury(void *context);

int frame_take_fd(struct frame *frame, int index)
{
    if (index < 0 || index >= frame->fd_count) return -1;
    int fd = frame->fds[index];
    frame->fds[index] = -1;
    return fd;
}

static void frame_close_fds(struct frame *frame)
{
    for (int i = 0; i < frame->fd_count; i++)
        if (frame->fds[i] >= 0) close(frame->fds[i]);
    frame->fd_count = 0;
}

struct channel *channel_open(struct loop *loop, int fd, const struct channel_events *events, void *context)
{
    struct channel *channel = memory_alloc(sizeof *channel);
    channel->magic = CHANNEL_MAGIC;
    channel->loop = loop;
    channel->fd = fd;
    channel->events = events;
    channel->context = context;
    channel->flush = (struct deferred){ .run = flush, .context = channel };
    channel->bury = (struct deferred){ .run = bury, .context = channel };
    int bytes = SOCKET_BYTES;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    channel->watch = watch_new(loop, fd, ready, channel);
    watch_set(channel->watch, WATCH_READ);
    return channel;
}

static void bury(void *context)
{
    struct channel *channel = CONTEXT(context, struct channel, CHANNEL_MAGIC);
    watch_free(channel->watch);
    for (size_t i = channel->list_first; i < channel->list_count; i++)
        for (int f = 0; f < channel->list[i].fd_count; f++) close(channel->list[i].fds[f]);
    free(channel->list);
    buffer_free(&channel->out);
    free(channel);
}

void channel_close(struct channel *channel)
{
    if (!channel || channel->closed) return;
    if (!channel->ended) flush(channel);
    channel->closed = true;
    watch_set(channel->watch, 0);
    loop_defer_cancel(channel->loop, &channel->flush);
    loop_defer(channel->loop, &channel->bury);
}

static void end(struct channel *channel)
{
    if (channel->ended || channel->closed) return;
    channel->ended = true;
    watch_set(channel->watch, 0);
    channel->events->on_closed(channel->context);
}

/* --- out --- */

struct buffer *channel_begin(struct channel *channel, uint16_t type, uint64_t id)
{
    if (channel->begun_at) bug("channel: a frame within a frame");
    channel->begun_at = buffer_length(&channel->out) + 1;
    put_u16(&channel->out, type);
    put_u16(&channel->out, 0);
    put_u32(&channel->out, 0);
    put_u64(&channel->out, id);
    return &channel->out;
}

static struct outgoing *list_add(struct channel *channel)
{
    if (channel->list_count == channel->list_capacity) {
        channel->list_capacity = channel->list_capacity ? channel->list_capacity * 2 : 16;
        channel->list = memory_grow(channel->list, channel->list_capacity * sizeof *channel->list);
    }
    return &channel->list[channel->list_count++];
}

static void frame_end(struct channel *channel, const int *fds, int count)
{
    size_t offset = channel->begun_at - 1, length = buffer_length(&channel->out) - offset;
    channel->begun_at = 0;
    if (length > FRAME_LIMIT) bug("channel: a frame of %zu bytes", length);
    if (count > FRAME_DESCRIPTORS) bug("channel: %d descriptors", count);
    uint32_t payload = htole32((uint32_t)(length - HEADER_BYTES));
    memcpy(channel->out.memory + channel->out.start + offset + 4, &payload, sizeof payload);
    struct outgoing *outgoing = list_add(channel);
    outgoing->length = (uint32_t)length;
    outgoing->fd_count = (uint8_t)count;
    if (count) memcpy(outgoing->fds, fds, (size_t)count * sizeof *fds);
}

void channel_end_fds(struct channel *channel, const int *fds, int count)
{
    frame_end(channel, fds, count);
    loop_defer(channel->loop, &channel->flush);
}

void channel_end(struct channel *channel)
{
    channel_end_fds(channel, NULL, 0);
}

void channel_end_note(struct channel *channel)
{
    frame_end(channel, NULL, 0);
    loop_defer_lazily(channel->loop, &channel->flush);
}

void channel_send_fds(struct channel *channel, uint16_t type, uint64_t id, struct text payload,
                      const int *fds, int count)
{
    buffer_add_text(channel_begin(channel, type, id), payload);
    channel_end_fds(channel, fds, count);
}

void channel_send(struct channel *channel, uint16_t type, uint64_t id, struct text payload)
{
    channel_send_fds(channel, type, id, payload, NULL, 0);
}

size_t channel_backlog(const struct channel *channel)
{
    return buffer_length(&channel->out);
}

union fd_room {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int) * FRAME_DESCRIPTORS)];
};

static void attach_fds(struct msghdr *message, union fd_room *room, const int *fds, int count)
{
    if (count == 0) return;
    memset(room, 0, sizeof *room);
    message->msg_control = room->bytes;
    message->msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
    memcpy(CMSG_DATA(header), fds, sizeof(int) * (size_t)count);
}

/* Fills up to SEND_BATCH messages from the head of the list. */
static unsigned batch_fill(struct channel *channel, struct mmsghdr *messages, struct iovec *pieces,
                           union fd_room *rooms)
{
    unsigned count = 0;
    char *at = channel->out.memory + channel->out.start;
    for (size_t i = channel->list_first; i < channel->list_count && count < SEND_BATCH; i++, count++) {
        struct outgoing *outgoing = &channel->list[i];
        pieces[count] = (struct iovec){ at, outgoing->length };
        at += outgoing->length;
        messages[count].msg_hdr = (struct msghdr){ .msg_iov = &pieces[count], .msg_iovlen = 1 };
        attach_fds(&messages[count].msg_hdr, &rooms[count], outgoing->fds, outgoing->fd_count);
    }
    return count;
}

static void sent_drop(struct channel *channel, int count)
{
    for (int i = 0; i < count; i++) {
        struct outgoing *outgoing = &channel->list[channel->list_first++];
        for (int f = 0; f < outgoing->fd_count; f++) close(outgoing->fds[f]);
        buffer_consume(&channel->out, outgoing->length);
    }
    if (channel->list_first < channel->list_count) return;
    channel->list_first = channel->list_count = 0;
    if (channel->out.capacity > OUT_KEEP) buffer_free(&channel->out);
}

/* The peer has gone. What it sent before stands in the socket still: it ends the channel when it is read. */
static void unheard(struct channel *channel)
{
    channel->is_unheard = true;
    sent_drop(channel, (int)(channel->list_count - channel->list_first));
}

static void flush(void *context)
{
    struct channel *channel = CONTEXT(context, struct channel, CHANNEL_MAGIC);
    struct mmsghdr messages[SEND_BATCH];
    struct iovec pieces[SEND_BATCH];
    union fd_room rooms[SEND_BATCH];
    if (channel->closed || channel->ended) return;
    if (channel->begun_at) bug("channel: flushed inside a frame");
    if (channel->is_unheard) unheard(channel);
    while (channel->list_first < channel->list_count) {
        unsigned count = batch_fill(channel, messages, pieces, rooms);
        int sent = sendmmsg(channel->fd, messages, count, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS)) {
            watch_set(channel->watch, WATCH_READ | WATCH_WRITE);
            return;
        }
        if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) {
            unheard(channel);
            break;
        }
        if (sent < 0) {
            end(channel);
            return;
        }
        sent_drop(channel, sent);
    }
    watch_set(channel->watch, WATCH_READ);
}

void channel_flush(struct channel *channel)
{
    flush(channel);
}

/* --- in --- */

/* Descriptors out of the control data, whatever the frame turns out to be. */
static void collect_fds(struct msghdr *message, struct frame *frame)
{
    frame->fd_count = 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
            if (frame->fd_count < FRAME_DESCRIPTORS)
                frame->fds[frame->fd_count++] = fd;
            else
                close(fd);
        }
    }
}

static bool frame_parse(struct text packet, int flags, struct frame *frame)
{
    if (flags & MSG_TRUNC) return false;
    frame->is_short = flags & MSG_CTRUNC;
    struct reader reader = reader_of(packet);
    frame->type = get_u16(&reader);
    get_u16(&reader);
    uint32_t length = get_u32(&reader);
    frame->id = get_u64(&reader);
    frame->payload = reader.rest;
    return !reader.failed && length == reader.rest.length;
}

/* False when the channel has ended or was closed by its owner. */
static bool packet_take(struct channel *channel, struct msghdr *message, size_t length, int flags)
{
    struct frame frame = { 0 };
    collect_fds(message, &frame);
    bool is_good = !channel->closed && !channel->ended && length > 0 &&
                   frame_parse(text_from(message->msg_iov->iov_base, length), flags, &frame) &&
                   channel->events->on_frame(channel->context, &frame);
    frame_close_fds(&frame);
    if (!is_good) end(channel);
    return !channel->closed && !channel->ended;
}

static void read_batch(struct channel *channel)
{
    static char(*packets)[FRAME_LIMIT];
    static union fd_room rooms[RECEIVE_BATCH];
    struct mmsghdr messages[RECEIVE_BATCH] = { 0 };
    struct iovec pieces[RECEIVE_BATCH];
    if (!packets) packets = memory_alloc(RECEIVE_BATCH * sizeof *packets);
    for (int i = 0; i < RECEIVE_BATCH; i++) {
        pieces[i] = (struct iovec){ packets[i], FRAME_LIMIT };
        messages[i].msg_hdr = (struct msghdr){ .msg_iov = &pieces[i],
                                               .msg_iovlen = 1,
                                               .msg_control = rooms[i].bytes,
                                               .msg_controllen = sizeof rooms[i].bytes };
    }
    int got;
    /* ECONNRESET comes once, before the frames of a peer that ended without reading all of ours. */
    do got = recvmmsg(channel->fd, messages, RECEIVE_BATCH, MSG_DONTWAIT | MSG_CMSG_CLOEXEC, NULL);
    while (got < 0 && errno == ECONNRESET);
    if (got < 0 && errno != EAGAIN && errno != EINTR) end(channel);
    if (got == 0) end(channel);
    for (int i = 0; i < got; i++) /* after the end, only to close descriptors */
        packet_take(channel, &messages[i].msg_hdr, messages[i].msg_len, messages[i].msg_hdr.msg_flags);
}

static void ready(void *context, int what)
{
    struct channel *channel = CONTEXT(context, struct channel, CHANNEL_MAGIC);
    if (channel->closed) return;
    if (what & WATCH_WRITE) flush(channel);
    if ((what & WATCH_READ) && !channel->closed && !channel->ended) read_batch(channel);
}

/* --- blocking, for start-up and for processes that do one thing --- */

bool channel_wait(int fd, int timeout_ms, struct frame *out_frame)
{
    static char packet[FRAME_LIMIT]; /* of which a page is memory once a frame reaches it */
    return channel_wait_into(fd, timeout_ms, packet, out_frame);
}

static bool is_readable(int fd, int timeout_ms)
{
    struct pollfd waiting = { fd, POLLIN, 0 };
    int count;
    do count = poll(&waiting, 1, timeout_ms);
    while (count < 0 && errno == EINTR);
    return count > 0;
}

bool channel_wait_into(int fd, int timeout_ms, char *packet, struct frame *out_frame)
{
    static union fd_room room;
    if (timeout_ms >= 0 && !is_readable(fd, timeout_ms)) return false;
    struct iovec piece = { packet, FRAME_LIMIT };
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = room.bytes, .msg_controllen = sizeof room.bytes
    };
    ssize_t got;
    do got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);           /* waits by itself, where the socket blocks */
    while (got < 0 && (errno == EINTR || errno == ECONNRESET || /* see read_batch */
                       (errno == EAGAIN && timeout_ms < 0 && is_readable(fd, timeout_ms))));
    if (got <= 0) return false;
    collect_fds(&message, out_frame);
    if (frame_parse(text_from(packet, (size_t)got), message.msg_flags, out_frame)) return true;
    frame_close_fds(out_frame);
    return false;
}

bool channel_send_now(int fd, uint16_t type, uint64_t id, struct text payload, const int *fds, int count)
{
    if (payload.length > FRAME_LIMIT - HEADER_BYTES) bug("channel: a frame of %zu bytes", payload.length);
    struct buffer header = { 0 };
    union fd_room room;
    put_u16(&header, type);
    put_u16(&header, 0);
    put_u32(&header, (uint32_t)payload.length);
    put_u64(&header, id);
    struct iovec pieces[2] = { { header.memory + header.start, HEADER_BYTES },
                               { (void *)payload.at, payload.length } };
    struct msghdr message = { .msg_iov = pieces, .msg_iovlen = payload.length ? 2 : 1 };
    attach_fds(&message, &room, fds, count);
    ssize_t sent;
    do {
        sent = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN) poll(&(struct pollfd){ fd, POLLOUT, 0 }, 1, -1);
    } while (sent < 0 && (errno == EINTR || errno == EAGAIN));
    buffer_free(&header);
    return sent >= 0;
}
