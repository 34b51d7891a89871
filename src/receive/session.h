/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One client's connection: who it is, where its dialogue stands, the transaction under way. */
#ifndef SEKIMORI_RECEIVE_SESSION_H
#define SEKIMORI_RECEIVE_SESSION_H

#include "base/stream.h"
#include "ipc/question_set.h"
#include "receive/pace.h"
#include "receive/server.h"
#include "receive/server_dialogue.h"
#include "receive/spf_memory.h"
#include "smtp/dotted.h"

enum session_state {
    SESSION_PROXY, /* a PROXY header is awaited */
    SESSION_COMMAND,
    SESSION_DATA,
    SESSION_CHUNK,   /* the octets of a BDAT command */
    SESSION_WAITING, /* for a peer's answer; input is paused */
    SESSION_CLOSING, /* the last reply is said; ends at its timer */
};

enum session_queue {
    QUEUE_IS_THERE,
    QUEUE_IS_AWAITED, /* input is paused in front of MAIL */
    QUEUE_IS_MISSED,  /* it did not come in time: the MAIL that waited is refused */
};

/* The life of a message: see transaction.c. */
enum transaction_step {
    STEP_NONE,
    STEP_OPEN,      /* MAIL was accepted */
    STEP_READING,   /* content arrives */
    STEP_INQUIRING, /* lookup is asked what the header raises: for a moment its answers are awaited */
    STEP_JUDGING,   /* scan reads */
    STEP_ASKING,    /* facts are there; answers are awaited */
    STEP_DECIDING,  /* scan decides */
    STEP_PROBING,   /* it is good, and its client has closed its side: is it there to hear? */
    STEP_RELAYING,  /* deliver hands it on; the next server's reply is awaited */
    STEP_KEEPING,   /* queue writes */
};

/* What one pass over a message's header tells. */
struct header_glance {
    uint64_t bytes;    /* of the header with its empty line */
    uint32_t received; /* Received fields */
    bool has_date, has_message_id;
    bool is_missing; /* header_is_missing */
    bool has_8bit;   /* in the header */
    bool body_has_8bit;
};

struct transaction {
    struct text opinion_envelope; /* consult_envelope_put, in the mail's arena; empty: no opinion is asked */
    enum transaction_step step;
    uint64_t id, arrived_ms;
    struct header_glance glance;
    struct envelope envelope;
    uint32_t recipient_room;
    uint64_t *recipient_keys; /* of rcpt_decide, one a recipient */
    size_t recipient_bytes;   /* of all addresses and ORCPTs: they share one frame */
    struct body body;
    struct dotted dotted;
    uint64_t wire_octets; /* of content, as it came */
    uint16_t probes_left;
    bool is_reply_begun; /* "250-" is said: no other reply can follow */
    bool is_too_big, has_no_memory, is_poison;
    bool sender_needs_smtputf8; /* its address has no form in ASCII */
    bool lacks_smtputf8;        /* MAIL had SMTPUTF8, and some recipient's servers do not take it */
    bool is_for_us;             /* all recipients are addresses of the node's own */
    bool is_sender_checked; /* lookup said of its sender what it says of all recipients, or nothing in time */
    bool is_undecided;      /* its client may send mail of ours or of strangers: scan finds out */
    bool waits_for_file;    /* of queue, for a body over limits.memfd_body_bytes */
    enum session_state then;     /* where the session goes on when it is there */
    uint64_t verdict_by_ms;      /* loop clock: the end of the time for judging */
    uint64_t inquired_ms;        /* loop clock: STEP_INQUIRING began */
    uint64_t inquiring_ms;       /* so long it took */
    uint64_t whole_us, asked_us; /* measures_now_us: the content was whole, queue was asked; 0: not yet */
    struct text found;           /* the facts, as scan sent and signed them */
    struct facts read;
    struct verdict verdict;
    struct keep_request keep;
    int32_t offered; /* slot in counters.offered, -1: none */
};

/* A recipient that deliver is asked about before it is taken. */
struct candidate {
    struct recipient recipient;
    uint64_t key;
    bool asks_smtputf8; /* what is asked now is whether its servers offer that */
    bool needs_smtputf8, is_called_out;
};

struct session {
    struct session *next, *previous;
    struct session *next_by_number, *next_by_id; /* in the server's buckets */
    bool has_id;
    struct server *server;
    struct port *port;
    struct stream *stream;
    struct arena *who;  /* texts about the client; reset when the session stands for another one */
    struct arena *mail; /* of the transaction; reset when it is dropped */
    struct timer *timer;
    uint64_t number, started_ms;
    struct pace pace;
    enum session_state state;
    struct server_dialogue dialogue;
    struct endpoint peer;    /* who is connected */
    struct address client;   /* who it stands for: PROXY and XCLIENT change it */
    struct text client_text; /* "192.0.2.1" */
    struct text client_name; /* confirmed, or "unknown" */
    struct text client_tls;  /* of a client that a node named by XCLIENT; empty: in the clear */
    const struct port_hosted
        *asked_as; /* the cloud as whose client it was asked for a certificate; NULL: not */
    char transaction_id[TRANSACTION_BYTES]; /* by XCLIENT, of the next message */
    bool has_transaction_id;
    uint64_t unconfirmed;          /* message whose 250 the node may not have seen; 0: none */
    struct question_set questions; /* to lookup and consult, of the session and of its message */
    uint16_t question_ids;         /* given out so far: a part of them */
    struct spf_memory spf;
    struct client_entry *entry;
    bool is_quiet;        /* its client's connections are too many to have lines of their own */
    bool has_closed_side; /* or is gone: see stream_peer */
    bool has_entered;
    uint32_t messages;
    enum session_queue queue; /* how MAIL stands with a queue that is being restarted */
    bool waits_for_lists;     /* RCPT waits for what lists say of the client */
    bool lists_missed;        /* they did not say it in time */
    uint64_t sender_ask;      /* id at lookup of the question about sender and recipient, 0: none */
    uint64_t callout;         /* id at deliver of the recipient being asked for, 0: none */
    struct transaction transaction;
    struct candidate candidate;
    struct arena *asked; /* its texts while deliver is asked; NULL: none was asked for yet */
};

/* Of a connection that was accepted: in the server's lists, without a stream and a timer yet, which are given
   to it. Counts in no limit before it is admitted. */
struct session *session_new(struct server *server, struct port *port, const struct endpoint *peer);

/* Closes the connection; what was written and not sent is tried once. Its transaction is dropped before. */
void session_free(struct session *session);

/* Its client's place among the connections is free for others. */
void session_leave(struct session *session);

/* The session stands for this client from now on (connection, PROXY, XCLIENT); its name is not asked for yet.
 */
void session_client_set(struct session *session, const struct address *client);
void session_name_ask(struct session *session);

/* The question for the client's name; NULL: names are off. */
const struct question *session_name(const struct session *session);

/* What it sends is from outside, and judged here: by its listener. */
bool session_is_judged(const struct session *session);

/* Puts to lookup and consult what is open and was not asked yet. */
void session_ask(struct session *session);

/* A line about the client, "lost connection from mx.example.jp[192.0.2.1]: closed by peer": nothing of a
   quiet session. `what` and `more` are literals or our own words. */
void session_note(const struct session *session, const char *what, const char *more);

/* "ESMTPS" and its kin, RFC 3848. */
const char *session_protocol(const struct session *session);

/* --- finding a session for an answer --- */

/* An id for a question to lookup or deliver. Its answer finds the session by it, and can be told from a late
   answer to a question before. NULL: the session is gone. */
uint64_t session_question_id(struct session *session);
struct session *session_by_question(struct server *server, uint64_t id);

/* The message id of the transaction, for answers that name it. NULL: its transaction is over. */
void session_remember_id(struct session *session);
void session_forget_id(struct session *session);
struct session *session_by_message(struct server *server, uint64_t id);

/* --- replies --- */

/* server_dialogue_reply; the other with a text made by printf. */
void session_answer(struct session *session, const struct reply *reply);
void session_reply(struct session *session, uint16_t code, const char *enhanced, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Sends what the dialogue has written to server->replies, if anything. */
void session_speak(struct session *session);

/* --- time --- */

/* The time limit of what the client is to say next begins anew, within what its pace leaves. */
void session_await(struct session *session);

/* The stage of the client's pace: a message is over, or a later stage than the one it is in is reached. */
void session_pace_renew(struct session *session, enum pace_stage stage);
void session_pace_reach(struct session *session, enum pace_stage stage);
struct pace_limits session_pace_limits(const struct config *config);

/* Octets of content came; and: the time since the last count was ours. */
void session_pace_count(struct session *session, uint64_t octets);
void session_pace_skip(struct session *session);

/* What is left of the whole session's time, in milliseconds; it ends between two messages. */
uint64_t session_left_ms(const struct session *session);

/* Input pauses until session_go_on, at most so long. What came meanwhile is done within session_go_on, and
   the session may be gone after it. */
void session_wait(struct session *session, uint64_t limit_ms);
void session_go_on(struct session *session, enum session_state state);

#endif
