/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The whole of deliver in a test: pool, jobs and call-outs on one loop, with a queue that the test plays over
   real channels, and an event ring. */
#ifndef SEKIMORI_TESTS_DELIVER_SCENE_H
#define SEKIMORI_TESTS_DELIVER_SCENE_H

#include "deliver/callout.h"
#include "deliver/jobs.h"
#include "deliver/own_addresses.h"
#include "script_server.h"

enum { SCENE_RESULTS_MOST = 1000, SCENE_SERVERS_MOST = 4, SCENE_RECIPIENTS_MOST = 5000 };

struct scene {
    struct loop *loop;
    struct arena *arena; /* results live here */
    struct outbound_ground ground;
    struct own_addresses own;
    struct config *config;
    struct pool *pool;
    struct jobs *jobs;
    struct callouts *callouts;
    struct ring *ring;
    struct channel *queue_end, *jobs_end;       /* the test's and deliver's end */
    struct channel *receive_end, *callouts_end; /* likewise */
    int segment_fd;
    uint64_t segment_bytes, last_id;
    struct text authorities; /* PEM; before scene_configure; empty: the system's */
    bool keeps_results;      /* answers RESULT_KEPT at once */
    bool has_new_servers;    /* else those made from now on have shown themselves in step before */

    struct deliver_result results[SCENE_RESULTS_MOST];
    unsigned result_count, synced, under_way, call_outs;
    enum recipient_ending call_out_ending;
    uint16_t call_out_code;

    struct script_server servers[SCENE_SERVERS_MOST];
    unsigned server_count;
    struct timer *limit;
    bool (*is_over)(struct scene *scene);
    bool is_late;
    unsigned wanted;
    /* what the test's lookup answers, at the end of the turn; NULL: never */
    const struct mx_answer *mx;
    const struct host_answer *host;
    const struct sources_answer *sources;
    unsigned asked;
    uint64_t ask_id;
    enum route_status asked_for;
    struct deferred answer;
};

void scene_start(struct scene *scene);
void scene_stop(struct scene *scene);

/* A server of the scene, stopped with it. `rules` may be NULL. */
struct script_server *scene_server(struct scene *scene, const char *features, struct rule *rules);

/* A reload; `format`: the configuration behind a fixed head (role, hostname mx.example.test, a listener on
   127.0.0.1:2525). To be called once before the first job. */
void scene_configure(struct scene *scene, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* queue goes and a new one comes. */
void scene_queue_restart(struct scene *scene);

/* A job for `domain` with the message in the segment; recipients separated by blanks. */
struct scene_job {
    const char *domain, *sender, *recipients, *prefix, *body;
    size_t body_length; /* 0: as the string */
    uint16_t content;
    bool smtputf8;
    const char *envid, *orcpt;
    uint8_t notify;
    struct text edits;
};
uint64_t scene_send(struct scene *scene, const struct scene_job *job);
void scene_ask(struct scene *scene, const char *address);

/* Turns the loop until so many results (call-outs) are there; fails the test after five seconds. */
void scene_wait_results(struct scene *scene, unsigned count);
void scene_wait_call_outs(struct scene *scene, unsigned count);
void scene_wait_ms(struct scene *scene, uint64_t ms);

unsigned scene_events(struct scene *scene); /* delivered events in the ring, taken out */

#endif
