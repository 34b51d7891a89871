/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What courier and ledger say to each other. courier has the network and nothing on disk, ledger the database
   and no network. Parcels are those of ledgerdb/outbox.h: records as ring_append took them, each as put_text
   writes it. */
#ifndef SEKIMORI_IPC_ASK_COURIER_H
#define SEKIMORI_IPC_ASK_COURIER_H

#include "base/codec.h"
#include "ipc/channel.h"

enum {
    COURIER_RECORDS_MOST = 60 * 1024, /* bytes of records in a parcel */
    COURIER_WINDOW = 16,              /* parcels of one node on their way, not stored yet */
    COURIER_NAME_MOST = 255
};

enum courier_frame {
    /* The node that tells: courier to ledger */
    COURIER_PARCEL_WANTED = 1, /* u64 after: the next parcel behind it is wanted, now or as soon as there is
                                 one; a new wish takes the place of the last */
    COURIER_PARCELS_TOLD,      /* u64 number: the collector has all up to it on disk */
    /* The node that collects: courier to ledger. Frame id: the connection */
    COURIER_NODE_HELLO,  /* struct node_hello */
    COURIER_NODE_PARCEL, /* struct parcel: of the node that said hello last on this connection */
    COURIER_NODE_GONE,   /* the connection has ended; also one that COURIER_PEER told of */
    /* Declarations (ledger/declaration.h), in both directions. Frame id: the connection; those that this node
       made itself have COURIER_OUTWARD in it */
    COURIER_PEER,       /* struct courier_peer: declarations go over this connection */
    COURIER_PEER_SAYS,  /* struct saying: of the other node; no more of it before COURIER_PEER_HEARD */
    COURIER_PEER_HEARD, /* u64 turn: it has what COURIER_SAY gave, on disk */
    /* ledger to courier */
    COURIER_SERIES = 64,  /* u64: parcels can be had; their series. Again when it is another one */
    COURIER_PARCEL,       /* id of the wish; struct parcel */
    COURIER_NODE_WELCOME, /* id; u64 the last parcel that is stored, text why not (empty: welcome) */
    COURIER_NODE_STORED,  /* id; u64 number: once for each parcel, in their order, when it is on disk */
    COURIER_SAY,          /* id of a peer; struct saying: no more before COURIER_PEER_HEARD */
    COURIER_SAY_HEARD,    /* id of a peer; u64 turn: what it said is on disk */
};

/* Series and numbers are below 2^63. */
struct parcel {
    uint64_t number;
    uint64_t given_up; /* events that this node could not tell anybody, ever */
    struct text records;
};
void parcel_put(const struct parcel *parcel, struct buffer *out); /* appends */
bool parcel_get(struct reader *reader, struct parcel *out);       /* borrows; false: malformed */

struct node_hello {
    uint16_t number;  /* `node number`, 1 to 255: it stands in the ids of what is told */
    uint8_t role;     /* enum role of config/settings.h */
    struct text name; /* as its certificate proves it */
    uint64_t series;
};
void node_hello_put(const struct node_hello *hello, struct buffer *out); /* appends */
bool node_hello_get(struct reader *reader, struct node_hello *out);      /* borrows; false: malformed */

#define COURIER_OUTWARD (UINT64_C(1) << 63)

/* Declarations, each a line with its end, COURIER_RECORDS_MOST bytes at most. Turns are those of the side
   that says; below 2^63. */
struct saying {
    uint64_t turn;
    struct text lines;
};
void saying_put(const struct saying *saying, struct buffer *out); /* appends */
bool saying_get(struct reader *reader, struct saying *out);       /* borrows; false: malformed */

struct courier_peer {
    uint8_t is_listening; /* it takes what this node says */
    uint16_t number;      /* of a node that came: `node number`; 0: a collector, to which this node went */
    struct text name;     /* as its certificate proves it */
};
void courier_peer_put(const struct courier_peer *peer, struct buffer *out); /* appends */
bool courier_peer_get(struct reader *reader, struct courier_peer *out);     /* borrows; false: malformed */

/* A frame of one number. */
void courier_number_send(struct channel *channel, enum courier_frame type, uint64_t id, uint64_t number);

#endif
