/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What process_table.c, starting.c and status.c share. */
#ifndef SEKIMORI_MASTER_PROCESS_TABLE_PRIVATE_H
#define SEKIMORI_MASTER_PROCESS_TABLE_PRIVATE_H

#include <sys/types.h>

#include "master/hang.h"
#include "master/health_rules.h"
#include "master/process_table.h"

enum member_state { MEMBER_DOWN, MEMBER_STARTING, MEMBER_READY, MEMBER_STOPPING };

struct member {
    enum { MEMBER_MAGIC = 0x281c462c } magic;
    struct process_table *table;
    const struct part *part;
    uint16_t index;
    enum member_state state;
    pid_t pid; /* 0: none */
    struct channel *channel;
    struct timer *restart, *kill;
    uint64_t started_ms, started_wall_ms; /* by the loop's clock and by the wall's */
    uint32_t backoff_ms, restarts;
    bool has_reloaded, has_told_status, has_told_health;
    uint64_t unready_ms, health_ms;          /* since when it is not ready; when it last told its health */
    uint64_t ended_ms[HEALTH_RULE_RESTARTS]; /* its last ends, as a ring */
    struct health_facts health;
    struct hang hang;
    struct {
        uint64_t seen, missed; /* lines, as last told; that were missed since `since_ms` */
        uint64_t since_ms;
    } log;
    bool is_heard;        /* in this round of the heartbeat */
    bool waits_disk;      /* silent, for a disk; it has been said */
    struct buffer status; /* pairs of texts, as it told them */
};

struct process_table {
    enum { PROCESS_TABLE_MAGIC = 0x5db1a5f5 } magic;
    struct process_table_start start;
    struct member *members;
    size_t count;
    bool was_ready, is_stopping;
    bool clock_is_hidden; /* the kernel does not tell us of it; it has been said */
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
    } heartbeat;
    struct {
        uint64_t started_wall_ms; /* of master; 0: not noted yet */
        uint64_t again_ms;        /* when /proc is looked at again */
    } measuring;
    struct {
        const struct config *of; /* that it was looked up in */
        uint64_t again_ms;
        struct judged_certificate first;
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
void member_send_list_files(
    struct member *member); /* as its part reads them; a line for what cannot be opened */
void member_send_listeners(struct member *member); /* copies, as its part has them */

void member_send_drain(struct member *member); /* as process_table_drain was told last */
void member_send_log(struct member *member, enum master_log which, int fd); /* a copy; `fd` is borrowed */

/* heartbeat.c */
/* Once: asks every process from now on, and writes the page. */
void heartbeat_begin(struct process_table *table);
void heartbeat_write(struct process_table *table);                         /* what is known now */
bool heartbeat_answered(struct member *member, const struct frame *frame); /* false: malformed */
void heartbeat_heard(struct member *member);                               /* a sign of life */
bool heartbeat_hangs(struct member *member,
                     const struct frame *frame); /* of one of its own; false: malformed */

/* master_measures.c: what monitors are told of processes, each second, and of certificates, when they were
   read. */
void master_measures_round(struct process_table *table);
void master_measures_certificates(struct process_table *table);

/* status.c */
/* `pairs` is copied. When the last of those that are ready has told, the status is given to who asked. */
void status_answered(struct member *member, struct text pairs);

#endif
