/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A DMARC policy record: RFC 9989 sections 4.7 and 4.8; pct of RFC 7489 section 6.3. Pure. */
#ifndef SEKIMORI_AUTH_DMARC_RECORD_H
#define SEKIMORI_AUTH_DMARC_RECORD_H

#include "base/text.h"

enum dmarc_policy { DMARC_POLICY_NONE, DMARC_POLICY_QUARANTINE, DMARC_POLICY_REJECT, DMARC_POLICY_COUNT };

enum dmarc_tag { DMARC_P = 1 << 0, DMARC_SP = 1 << 1, DMARC_NP = 1 << 2 };

enum dmarc_psd { DMARC_PSD_UNKNOWN, DMARC_PSD_YES, DMARC_PSD_NO };

/* Texts are slices of the record. A tag that stands twice counts as it stands first. */
struct dmarc_record {
    struct text text;            /* the whole record */
    enum dmarc_policy p, sp, np; /* of those that `has` names */
    unsigned has;                /* enum dmarc_tag: there with a valid value */
    unsigned is_bad;             /* enum dmarc_tag: there with another value */
    enum dmarc_psd psd;
    bool is_testing;                    /* t=y */
    bool is_strict_dkim, is_strict_spf; /* adkim=s, aspf=s */
    uint8_t percent;                    /* pct; 100 where it is missing or no number up to 100 */
    struct text rua, ruf, fo;           /* as written, without blanks around; empty: not there */
};

const char *dmarc_policy_name(enum dmarc_policy policy); /* "none", "quarantine", "reject" */

/* It begins with v=DMARC1: others are passed over (RFC 9989 section 4.10). */
bool dmarc_record_is_one(struct text text);

/* False: dmarc_record_is_one is. All other faults leave the default of the tag they are in. */
bool dmarc_record_parse(struct text text, struct dmarc_record *out);

/* A URI with a scheme stands in `list`, a value of rua or ruf. */
bool dmarc_record_has_uri(struct text list);

#endif
