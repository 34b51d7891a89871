/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What nodes say to each other about their ledgers, inside TLS. Pure.

   A frame is u32 the length of the rest, u8 its type, and its payload, all as base/codec.h writes them.

     the node that tells                the node that collects
     HELLO                          ->
                                    <-  WELCOME: up to which parcel of this series it has; or REFUSED
     PARCEL, PARCEL, …              ->                       at most COURIER_WINDOW without STORED
                                    <-  STORED: one for each, in order, when it is on disk
     ALIVE, when nothing else is    ->
                                    <-  ALIVE
     SAY, where WELCOME wants it    ->                       declarations; the next one behind HEARD
                                    <-  HEARD: they are on disk
                                    <-  SAY                  likewise, whenever there are any
     HEARD                          ->

   SAY and HEARD are of version 2; a node of version 1 refuses its HELLO, and is told of events alone.

   Whoever hears nothing for WIRE_SILENCE_MS ends the connection; what is not STORED is told again in the
   next. */
#ifndef SEKIMORI_COURIER_WIRE_H
#define SEKIMORI_COURIER_WIRE_H

#include "ipc/ask_courier.h"

enum { WIRE_VERSION = 2, WIRE_VERSION_FIRST = 1 }; /* all between are spoken */
enum { WIRE_ALIVE_MS = 15000, WIRE_SILENCE_MS = 60000, WIRE_REASON_MOST = 400 };

/* The longest frame: its length itself is not counted. */
enum { WIRE_MOST = COURIER_RECORDS_MOST + 64 };

enum wire_type {
    WIRE_HELLO = 1,
    WIRE_WELCOME,
    WIRE_REFUSED,
    WIRE_PARCEL,
    WIRE_STORED,
    WIRE_ALIVE,
    WIRE_SAY,
    WIRE_HEARD
};

struct wire_frame {
    enum wire_type type;
    uint16_t version;        /* HELLO, WELCOME */
    struct node_hello hello; /* HELLO; without a name: the certificate has it */
    uint64_t number;         /* WELCOME: the last parcel that is stored, 0 none; STORED; HEARD: the turn */
    bool is_listening;       /* WELCOME of version 2: what the node that tells says, too, is wanted */
    struct saying saying;    /* SAY */
    struct parcel parcel;    /* PARCEL */
    struct text reason;      /* REFUSED */
};

enum wire_outcome { WIRE_MORE, WIRE_WHOLE, WIRE_BROKEN };

static inline bool wire_is_spoken(uint16_t version)
{
    return version >= WIRE_VERSION_FIRST && version <= WIRE_VERSION;
}

/* The first frame of `bytes`, from which it borrows; *out_used: its bytes. A HELLO or WELCOME of another
   version is whole, with nothing in it but that version. */
enum wire_outcome wire_take(struct text bytes, struct wire_frame *out, size_t *out_used);

/* What ledger says by COURIER_SAY or COURIER_SAY_HEARD, as the frame for the other node. False: malformed. */
bool wire_of_ledger(const struct frame *frame, struct wire_frame *out);

void wire_put(const struct wire_frame *frame, struct buffer *out); /* appends */

#endif
