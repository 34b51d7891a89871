/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Shares and changes of counts. */
#include "statistics/amount.h"

#include <math.h>

double amount_change(uint64_t now, uint64_t before)
{
    return before ? 100.0 * ((double)now - (double)before) / (double)before : NAN;
}

double amount_share(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : NAN;
}
