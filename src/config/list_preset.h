/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Well-known lists of the DNS: where each is, what it is asked about and what its answers mean. Facts of
   their owners, in one table; none is asked before the configuration names it. */
#ifndef SEKIMORI_CONFIG_LIST_PRESET_H
#define SEKIMORI_CONFIG_LIST_PRESET_H

#include "config/settings.h"

/* Answers 127.0.THIRD.FIRST to 127.0.THIRD.LAST; or, of a list whose last byte is a set of bits, those with
   the bit FIRST. */
struct list_code {
    uint8_t third, first, last;
    bool is_bit;
    double points;
    const char *means; /* for people; NULL ends a table */
};

struct list_preset {
    const char *name;
    const char *zone;              /* NULL: it has none without a key */
    const char *keyed;             /* the zone behind the key; NULL: it knows no keys */
    uint8_t about;                 /* bits 1 << enum list_about */
    const char *listed, *unlisted; /* what it lists and does not list, to try it; names, where it lists names,
                                      else reversed addresses; NULL: nothing is known that it lists, or a
                                      digest by chance is tried */
    bool needs_registration;       /* it answers only resolvers whose address was told to its owner */
    uint8_t refusal; /* the last byte of 127.0.0.X that says that it does not answer us; 0: none but those of
                        list_preset_is_refusal */
    const struct list_code *codes;
    /* Of one that is asked about hashes. */
    enum list_digest digest;
    bool is_base32;
    bool has_labels; /* "_email" and the like stand before the zone */
};

/* NULL: none of that name (in lower case). */
const struct list_preset *list_preset_find(struct text name);

/* The `number`th from 0, NULL behind the last. */
const struct list_preset *list_preset_at(size_t number);

/* What an answer means; of several bits the one with most points. NULL: nothing that it is known for. */
const struct list_code *list_preset_code(const struct list_preset *preset, const struct address *answer);

/* The answer says that the list does not answer us (127.255.255.0/24, and what this preset has; NULL: no
   preset), or comes from somebody else: it is not in 127.0.0.0/8. */
bool list_preset_is_refusal(const struct list_preset *preset, const struct address *answer);

#endif
