/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Shares and changes of counts, in per cent. Pure. */
#ifndef SEKIMORI_STATISTICS_AMOUNT_H
#define SEKIMORI_STATISTICS_AMOUNT_H

#include <stdint.h>

/* NAN where there was nothing before. */
double amount_change(uint64_t now, uint64_t before);

/* NAN of nothing. */
double amount_share(uint64_t part, uint64_t whole);

#endif
