/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Receive's parts wired as main.c wires them, with one client on a socket; queue, scan and deliver are
 * played. */
#ifndef SEKIMORI_TESTS_RECEIVE_SCENE_H
#define SEKIMORI_TESTS_RECEIVE_SCENE_H

#include "receive/server.h"

/* What the played queue says to a message. */
enum queue_habit { QUEUE_KEEPS, QUEUE_SAYS_NOTHING, QUEUE_HAS_NO_ROOM, QUEUE_FAILS, QUEUE_KNOWS_IT };

/* What the played scan says. */
enum scan_habit {
    SCAN_PASSES,
    SCAN_REFUSES,
    SCAN_HOLDS,
    SCAN_DISCARDS,
    SCAN_BREAKS,
    SCAN_IS_POISONED,
    SCAN_RAVES,
    SCAN_SAYS_NOTHING
};

/* What the played deliver says to a message that goes through. */
enum deliver_habit { DELIVER_HANDS_ON, DELIVER_IS_REFUSED, DELIVER_FINDS_NOBODY, DELIVER_SAYS_NOTHING };

/* What the played lookup says to the history of a sender, and to SPF; it says nothing to all else. */
enum lookup_habit { LOOKUP_SAYS_NOTHING, LOOKUP_KNOWS_NOBODY };

/* Flags of a content as the played scan says them, which no content has. */
enum { SCENE_CONTENT = CONTENT_LONG_LINE | CONTENT_LEADING_DOT | CONTENT_HEADER_8BIT };

struct scene {
    struct server server;
    struct child child;
    struct config *config;
    struct port *port;
    struct channel *queue_end, *scan_end, *deliver_end, *lookup_end; /* NULL: that process is not there */
    struct arena *arena;
    struct counters_slot *page;

    enum queue_habit queue;
    unsigned keeps, resolves, confirmed, alerts;
    bool has_it;              /* what queue says to QUEUE_RESOLVE */
    struct keep_request kept; /* the last one, in the arena */
    struct text content;
    enum scan_habit scan;
    unsigned reads;
    uint32_t open; /* questions of the last one that had no answer */
    enum lookup_habit lookup;
    unsigned histories, spf_questions; /* that lookup was asked */
    enum deliver_habit deliver;
    unsigned relays, cancels;
    struct relay_request relayed; /* the last one, in the arena, without its body */

    uint64_t event_position;
    unsigned explained; /* events of that kind that scene_event passed over */
    struct text event;

    int client;
    struct watch *watch;
    struct buffer heard;
    const char *last; /* the last reply, whole */
    bool is_closed, is_late;
    struct timer *limit;
    unsigned *awaited; /* the loop stops when this is as many as: */
    unsigned awaited_count;
};

/* `config` stands behind a listener (direction in) with virus and spam off; its own listener comes first. All
   processes are there, and nobody is connected. */
void scene_start(struct scene *scene, const char *config);
void scene_stop(struct scene *scene);

/* The other processes come, and go. */
void scene_queue_comes(struct scene *scene);
void scene_queue_goes(struct scene *scene);
void scene_scan_comes(struct scene *scene);
void scene_scan_goes(struct scene *scene);
void scene_lookup_comes(struct scene *scene); /* it is not there at the start */

/* The codes of the replies, "220 250": connects, says the lines one by one (with | between) and awaits a
   reply to each. "DOT" ends a content; END, EIGHT, HUGE, WIDE, HOPS, BARE and ALONE stand for content with
   its dot: small; with a header in UTF-8; of 70,000 octets; with a header of 20,000; with six Received
   fields; with a bare LF; without a header. A reply that does not come is 0. */
const char *scene_talk(struct scene *scene, const char *lines);

/* Sends without awaiting anything; awaits a reply; hangs up. */
void scene_say(struct scene *scene, struct text bytes);
const char *scene_hear(struct scene *scene);
void scene_hang_up(struct scene *scene);

/* The next event that ledger is told, NULL at the end; all before the first call. */
const struct text *scene_event(struct scene *scene);

/* Some milliseconds pass. */
void scene_turn(struct scene *scene);

/* Until *count is `wanted`. */
void scene_await(struct scene *scene, unsigned *count, unsigned wanted);

#endif
