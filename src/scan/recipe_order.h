/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a recipient's recipe is to be made of. */
#ifndef SEKIMORI_SCAN_RECIPE_ORDER_H
#define SEKIMORI_SCAN_RECIPE_ORDER_H

#include "mail/edits.h"

/* What one recipient gets: the edits, and the points from which his mail is tagged, which X-Spam-Status
 * tells. */
struct recipe_order {
    struct edit_set kinds;
    double required;
};

#endif
