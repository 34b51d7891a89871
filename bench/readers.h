/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Readers of containers as the process open has them, forked by a bench program: one for each message. */
#ifndef SEKIMORI_BENCH_READERS_H
#define SEKIMORI_BENCH_READERS_H

#include "scan/opening.h"

/* For the life of the program. */
struct reader_source *readers_source(const struct config *config);
unsigned readers_forked(void); /* so far: messages that have a container */

#endif
