/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What queue has given us: segments of the journal and jobs in them, from the frame that brings a job to the
   frame that says its result is kept. A queue that was restarted is told all of it again. */
#ifndef SEKIMORI_DELIVER_JOBS_H
#define SEKIMORI_DELIVER_JOBS_H

#include "deliver/flights.h"
#include "deliver/pool.h"
#include "deliver/results.h"

struct jobs;

struct jobs_counts {
    uint64_t jobs, delivered, deferred, failed; /* recipients, but jobs */
    uint32_t waiting, under_way, unkept;        /* jobs now */
    uint32_t segments;
};

/* `events` may be NULL: nobody keeps the record. */
struct jobs *jobs_new(struct loop *loop, struct pool *pool, struct ring *events);
/* What outlives this process; borrowed. Before the first channel; without it a death doubles more. */
void jobs_set_results(struct jobs *jobs, struct results *results);
/* Hears of each recipient that a server refused for good. */
void jobs_set_refused(struct jobs *jobs, void (*refused)(void *context, const struct deliver_job *job),
                      void *context);
void jobs_free(struct jobs *jobs); /* after pool_free: nothing is under way */

/* A channel to queue stands: says what is under way and what was done, then DELIVER_SYNCED. */
void jobs_queue_opened(struct jobs *jobs, struct channel *queue);
/* It is gone: jobs that have not been started are forgotten, the new queue gives them again. */
void jobs_queue_closed(struct jobs *jobs);

/* A frame from queue. False: malformed. */
bool jobs_frame(struct jobs *jobs, struct frame *frame);

/* A job that the life before this one had under way, with the recipients it had asked about; those that were
   refused are given back with the result. Its errand is to be carried on; NULL: there is such a job already.
 */
struct errand *jobs_adopt(struct jobs *jobs, const struct flight_load *load);

/* Gives every job back that has not been started, and each that comes from now on. */
void jobs_stop(struct jobs *jobs);

/* Walks every job. */
void jobs_count(const struct jobs *jobs, struct jobs_counts *out);

#endif
