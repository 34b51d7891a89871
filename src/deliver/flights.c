/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A slot of the file for each connection. The packet that carries a descriptor names slot and serial; packets
   of connections that have ended stay in the pair until they are more than those that stand. */
#include "deliver/flights.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"

enum { SWEEP_LEAST = 16 };

enum slot_state { SLOT_FREE, SLOT_IDLE, SLOT_UNDER_WAY };

struct flight {
    _Atomic uint32_t state; /* enum slot_state */
    uint64_t serial;
    struct flight_load load;
};

_Static_assert(sizeof(struct flight) <= FLIGHT_BYTES, "a slot is too small");

union slot {
    struct flight flight;
    char bytes[FLIGHT_BYTES];
};

struct packet {
    uint64_t serial;
    uint32_t slot;
};

struct flights {
    union slot *slots;
    int in, out;
    uint64_t serial;
    unsigned packets, standing; /* in the pair; of them, of connections that stand */
    bool is_taking;
};

static uint64_t last_serial(const union slot *slots)
{
    uint64_t last = 0;
    for (size_t i = 0; i < FLIGHTS_MOST; i++)
        if (slots[i].flight.serial > last) last = slots[i].flight.serial;
    return last;
}

struct flights *flights_new(int file, int in, int out)
{
    struct stat facts;
    if (file < 0 || in < 0 || out < 0 || fstat(file, &facts) != 0 || facts.st_size < FLIGHTS_FILE_BYTES)
        return NULL;
    void *map = mmap(NULL, FLIGHTS_FILE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (map == MAP_FAILED) return NULL;
    struct flights *flights = memory_alloc(sizeof *flights);
    *flights = (struct flights){ .slots = map, .in = in, .out = out, .is_taking = true };
    flights->serial = last_serial(flights->slots);
    return flights;
}

void flights_free(struct flights *flights)
{
    if (!flights) return;
    munmap(flights->slots, FLIGHTS_FILE_BYTES);
    free(flights);
}

/* --- descriptors on their way --- */

union fd_room {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

static bool packet_send(const struct flights *flights, const struct packet *packet, int fd)
{
    union fd_room room = { 0 };
    struct iovec piece = { (void *)packet, sizeof *packet };
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = room.bytes, .msg_controllen = sizeof room.bytes
    };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    return sendmsg(flights->in, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof *packet;
}

/* False: there is none. *out_fd is -1 where the packet makes no sense. */
static bool packet_receive(const struct flights *flights, struct packet *out, int *out_fd)
{
    union fd_room room = { 0 };
    struct iovec piece = { out, sizeof *out };
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = room.bytes, .msg_controllen = sizeof room.bytes
    };
    *out_fd = -1;
    ssize_t got = recvmsg(flights->out, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got <= 0) return false;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
        header->cmsg_len == CMSG_LEN(sizeof *out_fd))
        memcpy(out_fd, CMSG_DATA(header), sizeof *out_fd);
    bool is_good =
        got == (ssize_t)sizeof *out && out->slot < FLIGHTS_MOST && !(message.msg_flags & MSG_CTRUNC);
    if (is_good || *out_fd < 0) return true;
    close(*out_fd);
    *out_fd = -1;
    return true;
}

static struct flight *flight_of(const struct flights *flights, const struct packet *packet)
{
    struct flight *flight = &flights->slots[packet->slot].flight;
    return flight->serial == packet->serial ? flight : NULL;
}

/* Sends those that stand once more, behind the others, and takes the others out. */
static void sweep(struct flights *flights)
{
    struct packet packet;
    int fd;
    unsigned left = flights->packets;
    flights->packets = 0;
    while (left-- > 0 && packet_receive(flights, &packet, &fd)) {
        if (fd < 0) continue;
        const struct flight *flight = flight_of(flights, &packet);
        if (flight && flight->state != SLOT_FREE && packet_send(flights, &packet, fd)) flights->packets++;
        close(fd);
    }
}

/* --- what the life before left --- */

/* Behind 354 DATA too has been answered. */
static bool stage_is_good(const struct flight_load *load)
{
    uint32_t whole = load->recipient_count + 2;
    switch ((enum flight_stage)load->stage) {
    case FLIGHT_UNSTATED:
        return load->replied < whole;
    case FLIGHT_CONTENT:
        return load->is_bdat ? load->replied < whole : load->replied == whole;
    case FLIGHT_VERDICT:
        return load->replied == whole;
    }
    return false;
}

static bool load_is_good(const struct flight_load *load)
{
    if (load->recipient_count == 0 || load->recipient_count > FLIGHT_RECIPIENTS_MOST ||
        !stage_is_good(load) || load->relay_length > FLIGHT_RELAY_MOST ||
        load->reply_length > FLIGHT_REPLY_MOST)
        return false;
    for (uint32_t i = 0; i < load->recipient_count; i++)
        if (load->states[i] > 2) return false;
    return true;
}

bool flights_take(struct flights *flights, struct flight_load *out, int *out_fd)
{
    struct packet packet;
    while (flights->is_taking && packet_receive(flights, &packet, out_fd)) {
        if (*out_fd < 0) continue;
        struct flight *flight = flight_of(flights, &packet);
        bool is_under_way = flight && flight->state == SLOT_UNDER_WAY;
        if (is_under_way) *out = flight->load;
        if (is_under_way && load_is_good(out)) return true;
        close(*out_fd);
    }
    if (flights->is_taking)
        for (size_t i = 0; i < FLIGHTS_MOST; i++) flights->slots[i].flight.state = SLOT_FREE;
    flights->is_taking = false;
    return false;
}

/* --- this life --- */

static struct flight *slot_find(const struct flights *flights, uint32_t *out_number)
{
    for (uint32_t i = 0; i < FLIGHTS_MOST; i++) {
        *out_number = (uint32_t)((flights->serial + i) % FLIGHTS_MOST);
        struct flight *flight = &flights->slots[*out_number].flight;
        if (flight->state == SLOT_FREE) return flight;
    }
    return NULL;
}

struct flight *flights_add(struct flights *flights, int fd)
{
    struct packet packet = { 0 };
    if (flights->packets > 2 * flights->standing + SWEEP_LEAST) sweep(flights);
    struct flight *flight = slot_find(flights, &packet.slot);
    if (!flight) return NULL;
    flight->serial = packet.serial = ++flights->serial;
    flight->state = SLOT_IDLE;
    if (!packet_send(flights, &packet, fd)) {
        flight->state = SLOT_FREE;
        return NULL;
    }
    flights->packets++;
    flights->standing++;
    return flight;
}

void flight_end(struct flights *flights, struct flight *flight)
{
    flight->state = SLOT_FREE;
    flights->standing--;
}

void flight_depart(struct flight *flight, const struct flight_load *load)
{
    flight->load = *load;
    atomic_store_explicit(&flight->state, SLOT_UNDER_WAY, memory_order_release);
}

/* Last: where a death comes before it, bytes are missing of what the connection brought, and the next life
   closes it. */
static void hear(struct flight *flight, uint64_t heard)
{
    atomic_thread_fence(memory_order_release);
    flight->load.heard = heard;
}

void flight_replied(struct flight *flight, uint64_t heard, uint32_t replied, bool awaits_xclient,
                    uint32_t recipient, uint8_t state)
{
    flight->load.replied = replied;
    flight->load.awaits_xclient = awaits_xclient;
    if (recipient < flight->load.recipient_count) flight->load.states[recipient] = state;
    hear(flight, heard);
}

static struct text last_line(struct text lines)
{
    struct text line = TEXT_NONE;
    while (text_next_line(&lines, &line)) continue;
    return text_slice(line, 0, FLIGHT_REPLY_MOST - 1);
}

void flight_judged(struct flight *flight, uint64_t heard, const struct flight_verdict *verdict,
                   struct text reply)
{
    struct flight_load *load = &flight->load;
    if (load->stage != FLIGHT_VERDICT) {
        struct text line = last_line(reply);
        memcpy(load->reply, line.at, line.length);
        load->reply[line.length] = '\n';
        load->reply_length = (uint16_t)(line.length + 1);
        load->replied = load->recipient_count + 2;
        load->stage = FLIGHT_VERDICT;
    }
    load->verdict = *verdict;
    hear(flight, heard);
}

void flight_land(struct flight *flight)
{
    flight->state = SLOT_IDLE;
}
