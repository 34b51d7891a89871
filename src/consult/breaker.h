/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* When an engine that fails is left alone: after so many failures in a row for a while, then one message at a
   time tries it, until one is answered. Pure: no clock of its own. */
#ifndef SEKIMORI_CONSULT_BREAKER_H
#define SEKIMORI_CONSULT_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

/* Zeros, but for the first two: well. */
struct breaker {
    uint32_t failures_most; /* in a row, until it is sick; at least 1 */
    uint32_t pause_ms;
    uint32_t failures; /* in a row */
    uint64_t until_ms; /* while it is sick: nobody is asked before */
    bool is_sick, is_tried;
};

/* It may be asked now. While it is sick the one who is told so tries it, and has to say what came of it by
   one of the next three. */
bool breaker_may_ask(struct breaker *breaker, uint64_t now_ms);

/* An answer came. True: it was sick until now. */
bool breaker_answered(struct breaker *breaker);
/* None came, or nonsense. True: it is sick from now on. */
bool breaker_failed(struct breaker *breaker, uint64_t now_ms);
/* Nobody knows: the question was taken back. */
void breaker_let_go(struct breaker *breaker);

#endif
