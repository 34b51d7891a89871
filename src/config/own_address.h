/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Addresses of the node itself, to which users inside write: what is sent there is not relayed, it is done.
 */
#ifndef SEKIMORI_CONFIG_OWN_ADDRESS_H
#define SEKIMORI_CONFIG_OWN_ADDRESS_H

#include "config/settings.h"

enum own_address {
    OWN_ADDRESS_NONE,   /* an address like any other */
    OWN_ADDRESS_MISSED, /* `report missed`: what leaked through, or was taken for spam by mistake */
    OWN_ADDRESS_REPLY   /* `digest reply`: releases by ticket */
};

/* Case is ignored, as in tables of recipients. `out_kind` is set for OWN_ADDRESS_MISSED; it may be NULL. */
enum own_address own_address_find(const struct config *config, struct text address,
                                  enum missed_kind *out_kind);

/* "spam", "phishing", "virus", "newsletter", "ham". */
const char *missed_kind_name(enum missed_kind kind);

/* Whether reports of that sender (MAIL FROM, without brackets) count by themselves: `report trusted`. Case is
   ignored. False for the null sender. Ask it only of mail from inside: anybody outside writes what he likes
   there. */
bool config_reporter_is_trusted(const struct config *config, struct text address);

#endif
