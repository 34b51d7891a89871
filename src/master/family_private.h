/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What family.c, starting.c and status.c share. */
#ifndef SEKIMORI_MASTER_FAMILY_PRIVATE_H
#define SEKIMORI_MASTER_FAMILY_PRIVATE_H

#include <sys/types.h>

#include "master/family.h"
#include "master/fitness.h"
#include "master/hang.h"

enum member_state { MEMBER_DOWN, MEMBER_STARTING, MEMBER_READY, MEMBER_STOPPING };

struct member {
    enum { MEMBER_MAGIC = 0x281c462c } magic;
    struct family *family;
    const struct part *part;
    uint16_t index;
    enum member_state state;
    pid_t pid; /* 0: none */
    struct channel *channel;
    struct timer *restart, *kill;
    uint64_t started_ms;
    uint32_t backoff_ms, restarts;
    bool has_reloaded, has_told_status, has_told_health;
    uint64_t unready_ms, health_ms;      /* since when it is not ready; when it last told its health */
    uint64_t ended_ms[FITNESS_RESTARTS]; /* its last ends, as a ring */
    struct health_facts health;
    struct hang hang;
    struct {
        uint64_t seen, missed; /* lines, as last told; that were missed since `since_ms` */
        uint64_t since_ms;
    } log;
    bool is_heard;        /* in this round of the pulse */
    bool waits_disk;      /* silent, for a disk; it has been said */
    struct buffer status; /* pairs of texts, as it told them */
};

struct family {
    enum { FAMILY_MAGIC = 0x5db1a5f5 } magic;
    struct family_start start;
    struct member *members;
    size_t count;
    bool was_ready, is_stopping;
    struct {
        void (*on_done)(void *context, const char *late);
        void *context;
        struct timer *timer;
        uint64_t round; /* the frames' id of the newest */
    } reload;
    struct {
        void (*on_done)(void *context, struct text json);
        void *context;
        struct timer *timer;
        uint64_t round;
    } status;
    struct {
        struct timer *timer;
        uint64_t round;
        bool is_open; /* not everybody has answered */
    } pulse;
    struct {
        const struct config *of; /* that it was looked up in */
        uint64_t again_ms;
        struct fitness_certificate first;
    } certificate;
    struct {
        bool is_on;
        char to[ADDRESS_TEXT_SIZE + 8]; /* ADDRESS:PORT; empty: no peer */
        unsigned empty_rounds;
    } drain;
};

/* starting.c: forks, executes, and tells the new process all it needs; joins it with its running peers. */
void member_start(struct member *member);
/* The configuration in a sealed memfd of its own; sent as MASTER_CONFIG with this id. */
void member_send_config(struct member *member, uint64_t id);
void member_send_listeners(struct member *member); /* copies, as its part has them */

void member_send_drain(struct member *member); /* as family_drain was told last */
void member_send_log(struct member *member, enum master_log which, int fd); /* a copy; `fd` is borrowed */

/* pulse.c */
/* Once: asks every process from now on, and writes the page. */
void pulse_begin(struct family *family);
void pulse_write(struct family *family);                               /* what is known now */
bool pulse_answered(struct member *member, const struct frame *frame); /* false: malformed */
void pulse_heard(struct member *member);                               /* a sign of life */
bool pulse_hangs(struct member *member, const struct frame *frame); /* of one of its own; false: malformed */

/* status.c */
/* `pairs` is copied. When the last of those that are ready has told, the status is given to who asked. */
void status_answered(struct member *member, struct text pairs);

#endif
