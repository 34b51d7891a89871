/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Near-duplicates of the last days: a fixed table of campaigns, found by the keys of a sketch, counted by
   distinct networks, senders and recipients. It lives in a file that is mapped (run/campaigns), so that it
   outlives its process; each campaign there has a checksum of its own.

   What strangers can do to it: who sends from one network fills one of CAMPAIGN_SETS sets, where a campaign
   gives way to another only if it has spread no further; one that is stopped or was told of gives way last.
   How often one network sends a text counts for nothing. */
#ifndef SEKIMORI_IPC_CAMPAIGN_TABLE_H
#define SEKIMORI_IPC_CAMPAIGN_TABLE_H

#include "base/address.h"
#include "ipc/ask_campaign.h"

enum {
    CAMPAIGN_SETS = 256,
    CAMPAIGN_WAYS = 64, /* campaigns of a set */
    CAMPAIGN_MOST = CAMPAIGN_SETS * CAMPAIGN_WAYS,
    CAMPAIGN_REPORTERS_MOST = 8,
    CAMPAIGN_MESSAGES_MOST = 32 /* the newest that were delivered are named */
};
#define CAMPAIGN_PERIOD_MS \
    (UINT64_C(2) * 24 * 3600 * 1000) /* what came in this period and the one before counts */
#define CAMPAIGN_REPORT_MS (UINT64_C(7) * 24 * 3600 * 1000) /* a stop or a report ends after it */

struct campaign_table;

/* For who reads what another process writes: `room` is CAMPAIGN_FILE_BYTES, mapped, borrowed. What is being
   written at this moment, or is damaged, is as if it were not there; never reads outside, whatever stands in
   the file. Only campaign_table_look may be called. */
struct campaign_table *campaign_table_read(const void *room);

/* What was found in the file, for the log. */
struct campaign_table_found {
    bool is_other;           /* no table of this version: begun anew */
    uint32_t count, damaged; /* campaigns; those that were damaged, and are forgotten */
};

/* `room`: CAMPAIGN_FILE_BYTES, zeros or what a table left there, borrowed until it is freed. */
struct campaign_table *campaign_table_open(void *room, struct campaign_table_found *out_found);
void campaign_table_free(struct campaign_table *table); /* the room keeps all */

/* Of the campaigns that the message belongs to, the one that weighs most: stopped, told of, spread. Changes
   nothing. `recipients`: all of the message, or none where it has too many to be of a reporter's own. */
void campaign_table_look(const struct campaign_table *table, const struct campaign_sketch *sketch,
                         const struct text *recipients, uint32_t recipient_count, uint64_t now_ms,
                         struct campaign_answer *out);

/* A message that came. Borrowed for the call. */
struct campaign_message {
    uint64_t id; /* 0: none; it is not named */
    struct address client;
    struct text sender;            /* MAIL FROM: its domain counts, in any case */
    const struct text *recipients; /* at most CAMPAIGN_COUNTED_MOST count */
    uint32_t recipient_count;
    bool is_taken; /* somebody gets it */
};
/* Counts it in each campaign that it belongs to; one begins where there is none. */
void campaign_table_count(struct campaign_table *table, const struct campaign_sketch *sketch,
                          const struct campaign_message *message, uint64_t now_ms);

/* Somebody tells of a message; trusted: it is stopped. A campaign begins where there is none yet. Files count
   where the text has no keys. A stop that lasts stays whose it is. `message`: of ours, which is named from
   then on; 0: none is known. Returns the id; 0: the sketch has no keys. */
uint64_t campaign_table_report(struct campaign_table *table, const struct campaign_sketch *sketch,
                               struct text reporter, uint64_t message, bool is_trusted, uint64_t now_ms);
/* He says that it is no spam: what he told of it ends. Where the stop is his the campaign is forgotten, as by
   campaign_table_forget. Returns its id; 0: he told of none, and nothing changed. */
uint64_t campaign_table_withdraw(struct campaign_table *table, const struct campaign_sketch *sketch,
                                 struct text reporter, uint64_t now_ms);

/* An administrator says that it is no spam: campaigns of the sketch that are stopped or were told of are
   forgotten. Returns the id of one; 0: there was none such, and nothing changed. */
uint64_t campaign_table_clear(struct campaign_table *table, const struct campaign_sketch *sketch,
                              uint64_t now_ms);

/* By its id, or an id of a message that it names. False: there is none. */
bool campaign_table_find(const struct campaign_table *table, uint64_t id, uint64_t message,
                         uint32_t *out_number);
void campaign_table_stop(struct campaign_table *table, uint32_t number, uint64_t now_ms);
void campaign_table_forget(struct campaign_table *table, uint32_t number);

/* What others of its like are known by: its text, line or file. */
void campaign_table_sketch(const struct campaign_table *table, uint32_t number, struct campaign_sketch *out);
/* The campaign of the first piece of the sketch: its text or line, else its first file. False: there is none.
 */
bool campaign_table_seek(const struct campaign_table *table, const struct campaign_sketch *sketch,
                         uint32_t *out_number);
/* As on another node: stopped from that time on, or one that is stopped is forgotten. Returns its id; 0:
   nothing has changed. */
uint64_t campaign_table_rule(struct campaign_table *table, const struct campaign_ruling *ruling,
                             uint64_t now_ms);

/* What is known of one. */
struct campaign_view {
    struct campaign_answer answer; /* is_told_by_all: means nothing */
    uint64_t last_ms, stopped_ms;  /* stopped_ms: 0 where it is not */
    uint32_t message_count;
    uint64_t messages[CAMPAIGN_MESSAGES_MOST]; /* the newest first */
};
/* Numbers are 0 to CAMPAIGN_MOST - 1. False: there is none under that number. */
bool campaign_table_view(const struct campaign_table *table, uint32_t number, uint64_t now_ms,
                         struct campaign_view *out);

uint32_t campaign_table_count_all(const struct campaign_table *table); /* campaigns that are known */

/* What counts as one network: an IPv4 /16, an IPv6 /32. Large senders have few of these, a botnet has many.
 */
struct address campaign_network(const struct address *client);

#endif
