/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One evaluation of auth/ with the resolver behind it: what the evaluator wants is asked, all at once, and
   with each answer it begins again, until its result stands. */
#ifndef SEKIMORI_LOOKUP_EVALUATION_H
#define SEKIMORI_LOOKUP_EVALUATION_H

#include "dns/answers.h"
#include "lookup/resolver.h"

struct evaluation {
    enum { EVALUATION_MAGIC = 0x2c7e61d3 } magic;
    struct resolver *resolver;
    struct dns_answers answers;
    /* True: the result stands. What it makes lives in `scratch`, and ends with the next call. */
    bool (*evaluate)(void *context, struct arena *scratch, struct dns_answers *answers);
    struct arena *scratch;
    void (*progressed)(void *context);
    void *context;
    bool is_over;     /* the result stands */
    uint32_t pending; /* questions not answered yet */
};

/* `evaluate` writes its result where context has it, each time anew. `progressed` is called when the result
   stands, perhaps inside this call; the last call is the one with `pending` 0, and the evaluation, the arena
   and the context must live until then. */
void evaluation_begin(struct evaluation *evaluation, struct resolver *resolver, struct arena *arena,
                      bool (*evaluate)(void *context, struct arena *scratch, struct dns_answers *answers),
                      void (*progressed)(void *context), void *context);

void evaluation_end(struct evaluation *evaluation); /* what was evaluated is gone */

/* Somebody's time is over: `evaluate` is called with what is known by now, the rest as DNS_TEMPERROR. The
   evaluation goes on. */
void evaluation_hurry(struct evaluation *evaluation);

#endif
