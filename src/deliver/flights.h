/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Connections on which a message has left whole and whose reply is awaited, kept so that a reply is heard
   though this process dies meanwhile. What each carries stands in a file (run/flights); its socket waits, as
   a descriptor on its way, in a socket pair that master holds. The next life takes both. Connections in the
   clear only: the keys of TLS die with the process. */
#ifndef SEKIMORI_DELIVER_FLIGHTS_H
#define SEKIMORI_DELIVER_FLIGHTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "ipc/ask_master.h"

enum {
    FLIGHT_BYTES = 1024,
    FLIGHTS_MOST = FLIGHTS_FILE_BYTES / FLIGHT_BYTES,
    FLIGHT_RECIPIENTS_MOST = 64,
    FLIGHT_RELAY_MOST = 340,
    FLIGHT_REPLY_MOST = 200
};

enum flight_stage {
    FLIGHT_UNSTATED, /* by a release that did not tell a reply awaited behind 354 from one that was read */
    FLIGHT_CONTENT,  /* the content's reply is awaited */
    FLIGHT_VERDICT   /* it was read; what is awaited shows whether it is the content's */
};

/* What was read since the content was answered. */
struct flight_verdict {
    uint32_t surplus;                                          /* replies since QUIT */
    uint8_t quit_is_said, reset_is_answered, reset_is_refused; /* 0: no */
};

struct flights;
struct flight; /* of one connection */

/* The message under way. */
struct flight_load {
    uint64_t job_id, message_id;
    uint64_t heard;                    /* bytes of all replies on the connection that have been taken in */
    uint32_t recipient_count, replied; /* replies read: to MAIL, then to each RCPT */
    uint8_t is_bdat, awaits_xclient, offers_dsn; /* 0: no */
    uint32_t
        numbers[FLIGHT_RECIPIENTS_MOST]; /* of the recipients in the message, in the order they were asked */
    uint8_t states[FLIGHT_RECIPIENTS_MOST]; /* enum recipient_state */
    uint16_t relay_length;
    char relay[FLIGHT_RELAY_MOST];
    uint8_t stage;         /* enum flight_stage */
    uint8_t reset_is_said; /* 0: no */
    struct flight_verdict verdict;
    uint16_t reply_length;
    char reply[FLIGHT_REPLY_MOST]; /* the content's, one line with its end */
};

/* `file` and both ends of the pair are borrowed. NULL: one is missing (-1), and nothing is kept. What the
   life before left is to be taken (flights_take) before anything is added. */
struct flights *flights_new(int file, int in, int out);
void flights_free(struct flights *flights); /* NULL is allowed; nothing is forgotten */

/* The next message that the life before left. Descriptor and bytes are whatever it wrote; what makes no sense
   is closed and passed over. False: there is none left. */
bool flights_take(struct flights *flights, struct flight_load *out, int *out_fd);

/* Keeps a connection that stands. NULL: no room. Its owner shuts the socket down before it lets go, since the
   kept descriptor would hold the connection open. */
struct flight *flights_add(struct flights *flights, int fd);
void flight_end(struct flights *flights, struct flight *flight); /* the slot is free for another */

/* The content has left whole; what of the replies has been read; its results are known. */
void flight_depart(struct flight *flight, const struct flight_load *load);
void flight_replied(struct flight *flight, uint64_t heard, uint32_t replied, bool awaits_xclient,
                    uint32_t recipient, uint8_t state);
/* Another reply was read, the content's or one behind it. The first that is told is the content's; its last
   line is kept. */
void flight_judged(struct flight *flight, uint64_t heard, const struct flight_verdict *verdict,
                   struct text reply);
void flight_land(struct flight *flight);

#endif
