/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The one id of a message: in the SMTP reply, header, log, journal and ledger. 64 bits: milliseconds since
   1970 (42), the receive process (6), the node (8), a counter (8); written as 13 characters of Crockford's
   base 32. Nodes with numbers of their own never make the same one, so that one ledger can hold them all. */
#ifndef SEKIMORI_IPC_MESSAGE_ID_H
#define SEKIMORI_IPC_MESSAGE_ID_H

#include "base/text.h"

enum { MESSAGE_ID_SIZE = 14 };

struct message_id_source {
    uint64_t last;
    uint8_t process; /* 0-63; queue uses 63 for messages of its own (DSN) */
    uint8_t node;    /* `node number` of the configuration */
};

/* Never gives one twice, nor one below the last, also when the clock steps back; nor over a restart, when
   `last` is kept and put back by message_id_resume. A `last` that cannot be one is passed over. */
uint64_t message_id_next(struct message_id_source *source, uint64_t wall_ms);
void message_id_resume(struct message_id_source *source, uint64_t last);
/* The same for who kept only the last id. */
void message_id_resume_behind(struct message_id_source *source, uint64_t id);
/* No id is given that is from before `ms`: the counts that began then are told by ids. */
void message_id_not_before(struct message_id_source *source, uint64_t ms);
uint64_t message_id_time_ms(uint64_t id);
uint8_t message_id_node(uint64_t id);
char *message_id_print(uint64_t id, char room[MESSAGE_ID_SIZE]); /* NUL-ended; returns room */
/* Letters in any case. False: not of an id's length, or with other letters than its. */
bool message_id_parse(struct text text, uint64_t *out_id);

#endif
