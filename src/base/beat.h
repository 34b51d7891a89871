/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Signs of life out of long work that keeps the loop from turning, so that nobody takes it for hanging.
   Called where such work goes round (each step of a database query, each file of many); where nobody listens,
   as in `sekimori`, it does nothing. */
#ifndef SEKIMORI_BASE_BEAT_H
#define SEKIMORI_BASE_BEAT_H

/* `tell` is called by beat(), at most once a second. */
void beat_open(void (*tell)(void *context), void *context);

void beat(void); /* costs a look at the clock */

#endif
