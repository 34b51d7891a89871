/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Requests as bytes that are handed on; nothing of them is understood here but whose they are,
   how large, and where the message begins. */
#include "scan/request.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/codec.h"

static void weigh(struct request *request, uint32_t ipv6_prefix)
{
    struct reader reader = reader_of(buffer_text(&request->payload));
    struct stat facts;
    occasion_client(&reader, &request->client);
    request->client = address_client_network(&request->client, ipv6_prefix);
    request->bytes = buffer_length(&request->payload);
    for (int i = 0; i < request->fd_count; i++)
        if (fstat(request->fds[i], &facts) == 0) request->bytes += (uint64_t)facts.st_size;
    request->weight = request->bytes > REQUEST_SMALL_MOST ? REQUEST_LARGE : REQUEST_SMALL;
}

struct request *request_new(struct receiver *receiver, struct frame *frame, uint32_t ipv6_prefix,
                            uint64_t now_ms)
{
    struct request *request = memory_alloc(sizeof *request);
    request->receiver = receiver;
    request->type = frame->type;
    request->id = frame->id;
    request->arrived_ms = now_ms;
    buffer_add_text(&request->payload, frame->payload);
    for (int i = 0; i < frame->fd_count; i++) {
        int fd = frame_take_fd(frame, i);
        if (fd >= 0) request->fds[request->fd_count++] = fd;
    }
    weigh(request, ipv6_prefix);
    return request;
}

void request_free(struct request *request)
{
    for (int i = 0; i < request->fd_count; i++) close(request->fds[i]);
    buffer_free(&request->payload);
    buffer_free(&request->seals);
    free(request);
}

void request_digest(const struct request *request, uint8_t out[DIGEST_BYTES])
{
    struct frame frame = { request->type, request->id, buffer_text(&request->payload), { 0 }, 0 };
    struct arena *arena = arena_new(0);
    struct scan_question question;
    struct body body = { 0 };
    for (int i = 0; i < request->fd_count; i++) {
        int copy = fcntl(request->fds[i], F_DUPFD_CLOEXEC, 3);
        if (copy >= 0) frame.fds[frame.fd_count++] = copy;
    }
    bool has_body =
        (request->type == SCAN_READ || request->type == SCAN_AGAIN || request->type == SCAN_LESSON) &&
        scan_read_get(arena, &frame, &question, &body);
    struct text bytes = has_body ? body_text(&body) : TEXT_NONE;
    digest_sha256(bytes.at ? bytes : frame.payload, out);
    for (int i = 0; i < frame.fd_count; i++)
        if (frame.fds[i] >= 0) close(frame.fds[i]);
    body_free(&body);
    arena_free(arena);
}

bool poisons_meet(struct poisons *poisons, const uint8_t digest[DIGEST_BYTES])
{
    uint32_t kept = poisons->count < POISONS_MOST ? poisons->count : POISONS_MOST;
    for (uint32_t i = 0; i < kept; i++)
        if (memcmp(poisons->digests[i], digest, DIGEST_BYTES) == 0) return true;
    memcpy(poisons->digests[poisons->count++ % POISONS_MOST], digest, DIGEST_BYTES);
    return false;
}
