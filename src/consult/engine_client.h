/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One engine outside as its client sees it: messages that wait for it, its connections, how it is. A message
   is answered once: by the engine, or by why there is no answer. */
#ifndef SEKIMORI_CONSULT_ENGINE_CLIENT_H
#define SEKIMORI_CONSULT_ENGINE_CLIENT_H

#include <sys/queue.h>

#include "base/loop.h"
#include "config/settings.h"
#include "ipc/body.h"
#include "judge/engine_answer.h"

struct engine_client;
struct engine_link;

/* A message that an engine is asked about. Made by whoever asks, by look_new; freed behind `answered`. */
struct look {
    enum { LOOK_MAGIC = 0x62a0f4d3 } magic;
    TAILQ_ENTRY(look) line;    /* of the client, in the order in which they came */
    LIST_ENTRY(look) of_asker; /* the asker's own */
    struct engine_client *client;
    struct engine_link *link; /* where it was put; NULL: it waits */
    struct body body;
    struct buffer envelope; /* of an opinion: consult_envelope_put, the asker's to fill; empty: none */
    uint64_t id, due_ms;
    unsigned losses; /* links that were lost with it; from then on it has one for itself */
    bool is_own;     /* of the client itself: it is in no count */
    bool is_trial;   /* whether a sick engine is well again is seen by it */
    void *asker;     /* `answered` knows him */
    void (*answered)(struct look *look, const struct engine_answer *answer);
};

/* Takes over the body. */
struct look *look_new(struct body *body, uint64_t id, void *asker,
                      void (*answered)(struct look *look, const struct engine_answer *answer));

struct engine_counts {
    uint64_t asked, clean, found, limits; /* asked: those put to it, whatever came of it */
    uint64_t failed, late, spared;        /* spared: not put to it since it is sick or has too much to do */
    uint64_t skipped;                     /* asked, and then the message's lot was certain without it */
};

struct engine_link_calls;
/* `engine` is copied; `calls` are those of its kind; `ways`: by what a kind reaches all its engines, borrowed
   for good, or NULL. */
struct engine_client *engine_client_new(struct loop *loop, const struct outside_engine *engine,
                                        const struct engine_link_calls *calls, void *ways);

/* The look is answered, perhaps within the call. Takes it over. */
void engine_client_ask(struct engine_client *client, struct look *look);
/* True: it had not been put to the engine, or was taken from it, and is freed without an answer. False: the
   engine has it, and it will be answered; the asker is to make its `answered` mind nothing of his. */
bool engine_client_take_back(struct look *look);
/* The same since the message's lot is certain without it. */
bool engine_client_skip(struct look *look);

/* The statement says the same: nothing but the configuration around it is new. */
bool engine_client_is_of(const struct engine_client *client, const struct outside_engine *engine);
/* It gets no more looks; it is freed when those it has are answered. */
void engine_client_retire(struct engine_client *client);

/* Borrowed as long as the client lasts. */
const struct engine_counts *engine_client_counts(const struct engine_client *client);
/* What was counted since the last call. */
void engine_client_counts_take(struct engine_client *client, struct engine_counts *out);
const struct outside_engine *engine_client_engine(const struct engine_client *client);
/* It is not asked now, or one message tries it; where none comes, a few bytes of the client's own do. */
bool engine_client_is_sick(const struct engine_client *client);

/* Appends "well", or "failing: …" or "sick: Connection refused", and its version. */
void engine_client_print(const struct engine_client *client, struct buffer *out);

/* --- for links --- */

/* A kind of engine is such a table: what it does with one connection. */
struct engine_link {
    enum { LINK_MAGIC = 0x7d3be915 } magic;
    const struct engine_link_calls *calls;
    struct engine_client *client;
    LIST_ENTRY(engine_link) others;
    uint32_t looks; /* put to it and not answered */
    bool is_alone;  /* the one that it has was lost before: none comes beside it */
};

struct engine_link_calls {
    /* Begins to connect. Never NULL; fills nothing of struct engine_link. */
    struct engine_link *(*open)(struct engine_client *client, struct loop *loop);
    /* It takes one more beside those that it has. Of one that has none nobody asks: it takes one even before
       it is connected. */
    bool (*has_room)(const struct engine_link *link);
    /* May answer the look, and no other, within the call. */
    void (*take)(struct engine_link *link, struct look *look);
    /* The look is answered, and the connection can go on: nothing of the look is still being sent. */
    bool (*goes_on)(const struct engine_link *link, const struct look *look);
    /* Frees it; no call to the client follows. */
    void (*close)(struct engine_link *link);
    /* A look that nobody waits for any more is taken from the engine: its link is closed. */
    bool stops;
};

extern const struct engine_link_calls clamd_link_calls, icap_link_calls, command_link_calls,
    opinion_link_calls;

/* The engine's word on a look; with SCAN_UNSCANNED as engine_client_refused. Both close the link where it
   does not go on: the caller touches it no more then. */
void engine_client_answered(struct look *look, enum scan_state state, struct text name);
/* A second opinion: SCAN_FOUND where `is_spam`; see engine_answer.h. */
void engine_client_opined(struct look *look, bool is_spam, double score, double line, struct text names);
/* The engine cannot say of this one: no other link is tried. */
void engine_client_refused(struct look *look, struct text why);
/* The link is over, and closed by this call; its looks are tried once more, each on a link of its own. */
void engine_client_link_lost(struct engine_link *link, struct text why);
/* The connection is over by agreement. */
void engine_client_link_done(struct engine_link *link);
/* The link may take more than before. */
void engine_client_link_ready(struct engine_link *link);
/* What the engine said of itself. */
void engine_client_version(struct engine_client *client, struct text version);
/* The engine takes no more than so many connections; 0: any number. */
void engine_client_connections(struct engine_client *client, uint32_t most);

/* It cannot read descriptors that are passed to it (what is confined may not). Kept as long as the client. */
void engine_client_set_blind(struct engine_client *client);
bool engine_client_is_blind(const struct engine_client *client);

/* So many bytes for the kind of engine to keep what its links share: zeros at first, and always the same. */
void *engine_client_memo(struct engine_client *client, size_t size);

void *engine_client_ways(const struct engine_client *client); /* as they were given */

struct stream_events;
/* A stream to where the engine is, which the caller closes; see stream_connect. */
struct stream *engine_client_connect(struct engine_client *client, struct loop *loop,
                                     const struct stream_events *events, void *context);

#endif
