/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A declaration: what people said on one node and what holds on all, as a line of text. Pure.

     say NUMBER KIND EXPIRES MADE BY BODY                it holds: a block entry, an approval, …
     end NUMBER KIND EXPIRES MADE BY NODE ENDED BODY     it holds no longer: BY said so on NODE

   NUMBER is the serial of the node that said it, times DECLARATION_NODES, and that node's number: 3 of node
   10 is 3010. Kinds that this version does not know are kept and passed on. */
#ifndef SEKIMORI_LEDGER_DECLARATION_H
#define SEKIMORI_LEDGER_DECLARATION_H

#include "base/buffer.h"
#include "base/text.h"

enum {
    DECLARATION_NODES = 1000,
    DECLARATION_MOST = 4096, /* bytes of a line without its end */
    DECLARATION_KIND_MOST = 32,
    DECLARATION_BY_MOST = 320,
    DECLARATION_BODY_MOST = 3400 /* so that its end is no longer than a line may be */
};

struct declaration {
    uint32_t number;
    bool is_end;
    uint16_t node;        /* where it was said: of a "say" the one in its number */
    struct text kind, by; /* words; by: who said this, of "end": who ended it */
    struct text body;     /* what the kind wants, not empty, one line */
    uint64_t made_ms;     /* of what is said, by the clock of the node in the number */
    uint64_t expires_ms;  /* 0: never */
    uint64_t ended_ms;    /* of "end", by the clock of `node`: for people */
};

/* Without the line's end; borrows from it. False: none, also where anything in it may not be shown. */
bool declaration_read(struct text line, struct declaration *out);
void declaration_write(const struct declaration *declaration,
                       struct buffer *out); /* appends, without an end */

/* Of two lines with one number, which stands: that of what was made later, which matters only where a node
   lost its file and gave the number again; of these the end; of these the lower one by bytes. All nodes
   agree, in whatever order they hear. True: `line` takes the place of `other`; both are declarations. */
bool declaration_beats(struct text line, struct text other);

/* The node in a number; 0: the number is one of a node that had none. */
uint16_t declaration_node(uint32_t number);

#endif
