/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The queue process, shared by its files: main.c starts and stops it, intake.c takes messages from receive,
   turn.c commits and answers, dispatch.c gives jobs to deliver, result.c takes what became of them,
   undeliverable.c decides what becomes of failures, own_mail.c writes mails of our own, held_transfer.c moves
   held mail to ledger and report, event_log.c writes log lines and events, client.c answers `sekimori queue`.
 */
#ifndef SEKIMORI_QUEUE_PRIVATE_H
#define SEKIMORI_QUEUE_PRIVATE_H

#include "base/allowance.h"
#include "base/arena.h"
#include "base/steady_clock.h"
#include "ipc/ask_deliver.h"
#include "ipc/ask_ledger.h"
#include "ipc/ask_queue.h"
#include "ipc/child.h"
#include "ipc/counters.h"
#include "ipc/event.h"
#include "ipc/message_id.h"
#include "ipc/ring.h"
#include "mail/alert.h"
#include "queue/journal/journal.h"
#include "queue/journal/transactions.h"
#include "queue/schedule.h"
#include "queue/taken_ids.h"
#include "queue/vouching.h"

enum {
    OUTCOME_WAIT_MS = 10, /* outcomes ride with the next batch of messages, at most so long */
    CLOCK_SET_SAID_MS = 5000,
    RETRY_WAIT_MS = 1000, /* until a batch that could not be written is tried again */
    DRAIN_RETRY_FIRST_MS = 2000,
    DRAIN_RETRY_MOST_MS = 10000,
    TICK_MS = 250,                  /* how often the disk is looked at */
    BATCH_MOST = 8 * 1024 * 1024,   /* a larger one is committed before the turn ends */
    LARGE_LEAST = 1024 * 1024,      /* a body with more bytes goes behind all others, one a turn */
    BACKLOG_MOST = 2 * 1024 * 1024, /* bytes that deliver has not taken: no more jobs */
    JOBS_PER_CONNECTION = 4,        /* so that a connection finds its next job waiting */
    JOB_ROOM = 16 * 1024,           /* of a frame, kept free of recipients */
    RECENT_BYTES = 1024 * 1024,     /* a quarter of the ring to the ledger */
    CACHED_LEADS = 1024,
    CACHED_LEAD_MOST = 2048, /* bytes of one */
    OWN_PROCESS = 63,
    ALERTED_MOST = 64,
    NOTICE_ROOM = 16 * 1024,        /* of a notice beside what it gives back, and its own outcome */
    NOTICE_BODY_MOST = 1024 * 1024, /* DSN_FULL_MOST: more is never given back */
};

struct queue;

struct receiver {
    enum { RECEIVER_MAGIC = 0x2b7de53d } magic;
    LIST_ENTRY(receiver) others;
    struct queue *queue;
    struct channel *channel;
    uint16_t index;
    uint8_t flags; /* of its messages: MESSAGE_OWN from report, MESSAGE_AGAIN from ledger */
};

/* A message that somebody waits for. */
struct waiter {
    struct receiver *receiver; /* NULL: gone, or a message of our own */
    struct message *message;
    uint64_t id;
    struct body body; /* its bytes are in the batch by reference */
};

/* The last event records of one kind, to be told again when the process that tells them died. */
struct recent {
    struct buffer bytes; /* of each: the message's id, its records; the oldest go first */
};

/* Leads of messages that were kept a moment ago: most are delivered, and logged, before long. */
struct lead_cache {
    struct {
        uint64_t id;
        struct buffer bytes;
    } slots[CACHED_LEADS];
};

/* Held messages on their way to a process that takes them: into the quarantine; to the node's own addresses.
 */
enum held_transfer_kind { TRANSFER_LEDGER, TRANSFER_REPORT, TRANSFERS };
struct held_transfer {
    enum held_transfer_kind kind;
    struct channel *taker; /* NULL: not there */
    uint64_t *ids;         /* a ring of slots: to be offered, the oldest first */
    size_t first, count, capacity;
    struct {
        uint64_t id; /* 0: free */
        uint32_t segment;
    } offers[HELD_OFFERS_MOST]; /* that the taker has not answered */
    uint64_t pause_until_ms;
    bool is_refused; /* said so in the log */
};

/* Looking again with new signatures. */
/* In the reply of a hold, between "virus" or "phishing" and the name of the signature. */
#define QUEUE_RESCAN_FOUND " found with new signatures: "

struct queue_rescan {
    struct channel *scan; /* NULL: not there */
    struct timer *timer;
    uint64_t wanted, signatures; /* which, as scan calls them: it has; the last pass was or is with */
    uint64_t begun_ms;           /* that pass; loop clock */
    uint64_t *ids;               /* what waited when the pass began; NULL: none is under way */
    size_t count, next;
    size_t busy;     /* the last ones of them: infected, and being delivered when they were looked at */
    uint64_t asked;  /* what scan has now; 0: nothing */
    unsigned losses; /* scan, or its worker, ended so often while it had the next message */
    unsigned found, failed;
};

/* The job id of a delivery that deliver says is under way, from before our restart. */
#define JOB_ADOPTED UINT64_MAX

struct carrier {
    struct channel *channel;
    bool is_synced;
    uint32_t *segments; /* that it has */
    size_t segment_count, segment_capacity;
    uint64_t job_id; /* the last one given */
};

/* Whom the administrator was told of, and by which kind of alert. */
struct alerted {
    uint64_t when_ms; /* 0: free */
    enum alert_kind kind;
    uint64_t whom; /* a hash; 0: it is of nobody */
};

struct queue {
    enum { QUEUE_MAGIC = 0x1caf490a } magic;
    struct child child;
    struct steady steady;
    int folder; /* spool */
    int journal_folder;
    char spool_path[512];
    struct message_index *message_index;
    struct journal *journal;
    struct schedule *schedule;
    LIST_HEAD(receiver_list, receiver) receivers;
    struct carrier carrier;
    struct held_transfer transfers[TRANSFERS];
    struct queue_rescan rescan;
    struct waiter *waiters;
    size_t waiter_count, waiter_capacity;
    uint64_t *acknowledgements; /* job ids whose results are in the batch */
    size_t acknowledgement_count, acknowledgement_capacity;
    struct buffer events_pending; /* records (length before each) that wait for the commit */
    struct recent accepted, delivered;
    struct transactions *transactions;
    struct digest_key *voucher_key; /* of scan */
    struct taken_ids *taken;
    uint64_t unvouched; /* messages that were refused for want of its word */
    struct allowance unvouched_said;
    struct lead_cache leads;
    struct ring *events;
    struct counters_slot *page;
    struct queue_measures *measures; /* in the page, for monitors; NULL: nobody looks */
    struct {
        struct queue_measures found; /* of what the walk has seen so far: age and held */
        size_t place, slot_count;    /* in the message index; how large it was */
    } walk;
    struct counters_slot *baseline; /* until the journal is read */
    struct deferred turn;
    TAILQ_HEAD(large_line, large) large; /* the oldest first */
    struct timer *commit_timer, *wake_timer, *tick_timer, *stop_timer, *large_timer;
    struct message_id_source ids;
    struct alerted alerted[ALERTED_MOST];
    struct arena *arena; /* of the frame or decision at hand */
    uint64_t moved_ms;   /* when deliver last told a result, or nothing was due */
    bool is_full, is_stopping;
    char why_full[120]; /* where is_full */
};

/* The steady time, in which messages arrive, are due and grow old. */
static inline uint64_t queue_now(const struct queue *queue)
{
    return steady_ms(&queue->steady, loop_boot_ms(queue->child.loop));
}

/* The clock, for what people read. */
static inline uint64_t queue_wall(const struct queue *queue)
{
    return loop_wall_ms(queue->child.loop);
}

static inline uint64_t queue_shown(const struct queue *queue, uint64_t steady)
{
    return steady_to_wall(&queue->steady, steady);
}

/* There is room for more than outcomes: a deferral, a hold, a notice that gives all of the message back. */
static inline bool queue_may_write(const struct queue *queue, const struct message *message)
{
    uint64_t about = message_bytes(message);
    return journal_has_room(queue->journal,
                            NOTICE_ROOM + (about < NOTICE_BODY_MOST ? about : NOTICE_BODY_MOST));
}

/* queue_measures.c: what monitors are told. Each does nothing where nobody looks. */
void queue_measures_result(struct queue *queue, const struct message *message,
                           const struct deliver_result *result);
/* One step of the walk over all that is queued, and the journal's figures. */
void queue_measures_tick(struct queue *queue);

/* large.c */
bool large_is(const struct frame *frame); /* of QUEUE_KEEP: its body stands aside */
/* Copies the payload and takes the frame's first descriptor. */
void large_put(struct queue *queue, struct receiver *receiver, struct frame *frame);
void large_take(void *context);           /* the first that stands aside; the rest at the next turns */
void large_take_all(struct queue *queue); /* now */
void large_forget(struct queue *queue, const struct receiver *receiver); /* which has gone */

/* intake.c */
bool intake_keep(struct queue *queue, struct receiver *receiver,
                 struct frame *frame); /* QUEUE_KEEP; false: malformed */
void intake_add_receiver(struct queue *queue, uint16_t index, uint8_t flags,
                         int fd);            /* flags: of its messages */
void intake_tell_space(struct queue *queue); /* to every receive process */
/* To report, for the alarm hook: an alert in its byte form, and the id of its message. */
void intake_tell_alert(struct queue *queue, uint64_t id, struct text alert);
/* Answers `receiver` once the batch is committed. Takes the body over, which may be NULL. */
void waiter_add(struct queue *queue, struct receiver *receiver, struct message *message,
                const struct body *body);

/* turn.c */
void turn_wanted(struct queue *queue);      /* at the end of this loop turn */
void turn_wanted_soon(struct queue *queue); /* outcomes wait for company */
bool turn_commit(struct queue *queue);      /* now; true: nothing is left in the batch */
void turn_space_look(struct queue *queue);  /* tells receive where that changes */
/* Callbacks of the loop; `context` is the queue. */
void turn_wake(void *context);
void turn_run(void *context);

/* dispatch.c */
/* Takes the descriptor over; what the one before had is given back to the schedule. */
void dispatch_set_deliver(struct queue *queue, int fd);
/* Gives deliver what is due, as far as its channel takes and limits allow. */
void dispatch_jobs(struct queue *queue);
/* Of the journal, which gives back `context`, the queue: deliver closes its descriptor of the segment. */
void dispatch_segment_ended(void *context, uint32_t segment);
/* After endings and holds: deliveries without recipients go; "removed" is logged when nothing is left. */
void dispatch_settle(struct queue *queue, struct message *message);
/* By the configuration, and by whether the node is drained; borrows the queue. */
struct schedule_policy dispatch_policy(struct queue *queue);

/* result.c */
bool result_take(struct queue *queue, struct frame *frame); /* false: malformed */

/* undeliverable.c */
struct failure {
    uint32_t number;
    struct text status, reply, relay;
    bool is_smtp_reply;
};
/* These recipients will not be delivered to: each is returned, or held as undeliverable. */
void undeliverable_fail(struct queue *queue, struct message *message, const struct failure *failures,
                        uint32_t count);
/* The success notices of RFC 3461 section 5.2.2: next server speaks no DSN. */
void undeliverable_relayed(struct queue *queue, struct message *message, const struct failure *passed,
                           uint32_t count);
/* Of a message that schedule_aged gave: returned as expired, or its sender warned; else watched on. */
void undeliverable_aged(struct queue *queue, struct message *message);
bool undeliverable_is_expired(const struct queue *queue, const struct message *message);
/* Wakes for the message when it expires or its sender is to be warned. Nothing where no delivery is left. */
void undeliverable_watch(struct queue *queue, struct message *message);

/* own_mail.c: messages of our own */
/* One that no message has or had. */
uint64_t own_mail_id(struct queue *queue);
/* A message of our own, with the null sender: it never causes another. */
void own_mail_keep(struct queue *queue, uint64_t id, struct text to, struct text content);
bool own_mail_alert_take(struct queue *queue, struct frame *frame); /* false: malformed */

/* event_log.c */
/* A line of the log. */
void event_log_queued(const struct queue *queue, const struct message *message, struct text sender);
struct logged_delivery {
    struct text address, orcpt, relay, dsn, status, reply;
    uint64_t arrived_ms;
    uint32_t connect_ms, transfer_ms;
};
/* A line of the log. */
void event_log_recipient(const struct queue *queue, uint64_t id, const struct logged_delivery *delivery);
/* Gathers an event, which goes to ledger after the commit. Texts are copied. */
void event_log_ended(struct queue *queue, uint64_t id, uint32_t number, enum ending ending, struct text dsn,
                     struct text relay, struct text reply);
/* Deferrals, holds and releases; other records tell nothing. */
void event_log_steps(struct queue *queue, enum record_type type, uint64_t id, const struct change *change);
void event_log_accepted(struct queue *queue, uint64_t id, const struct lead *lead,
                        const struct envelope *envelope, uint64_t size);
/* Keeps the record to be told again if the teller dies. */
void event_log_remember_delivered(struct queue *queue, uint64_t id, uint32_t number, struct text dsn,
                                  struct text relay, struct text reply);
void event_log_remember_accepted(struct queue *queue, uint64_t id, const struct lead *lead,
                                 const struct envelope *envelope, uint64_t size);
/* `only`: one message's, 0: all. */
void event_log_again(struct queue *queue, const struct recent *recent, uint64_t only);
/* Gives ledger what was gathered. The other: for journal_open, whose calls tell what came back. */
void event_log_committed(struct queue *queue);
struct journal_listener event_log_listener(struct queue *queue);

/* held_transfer.c */
void held_transfer_note(struct queue *queue, uint64_t id); /* some of its recipients are held now */
void held_transfer_note_all(struct queue *queue);          /* after a start or reload */
/* As many of those held as their takers have room for. */
void held_transfer_offer(struct queue *queue);
/* An offer of the message has no answer yet: it must stay. */
bool held_transfer_has_offered(const struct queue *queue, uint64_t id);
/* Report and ledger speak on the channels by which they give messages; a receiver's flags tell them. */
void held_transfer_set_taker(struct queue *queue, const struct receiver *receiver);
void held_transfer_taker_gone(struct queue *queue, const struct receiver *receiver);
bool held_transfer_frame(struct queue *queue, const struct receiver *receiver,
                         struct frame *frame); /* false: malformed */

/* queue_rescan.c */
void queue_rescan_set_scan(struct queue *queue, int fd); /* scan is there, or there again */
void queue_rescan_turn(void *context);                   /* of its timer; `context` is the queue */

/* client.c */
/* Answers `sekimori queue …` on `fd`, which is taken over. `commander` and `command` are copied. */
void client_command(struct queue *queue, const struct commander *commander, struct text command, int fd);

/* A copy of the lead, for queue_envelope to find. */
void queue_lead_remember(struct queue *queue, uint64_t id, const struct lead *lead);
/* The message's lead and envelope in the queue's arena. False: damaged; it is then held. */
bool queue_envelope(struct queue *queue, struct message *message, struct lead *out_lead,
                    struct envelope *out_envelope);
/* In lower case, in the arena; of a bare local part the administrator's, else the host's name. */
struct text queue_domain_of(const struct queue *queue, struct arena *arena, struct text address);

#endif
