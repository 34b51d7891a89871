/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which files of a message are remembered by their digest: the infected ones first, then the largest. */
#ifndef SEKIMORI_VIRUS_PART_LIST_H
#define SEKIMORI_VIRUS_PART_LIST_H

#include "judge/part_digest.h"
#include "mail/digest.h"

/* Zero-initialised is empty. In the order in which they are kept. */
struct part_list {
    struct part_digest parts[PART_DIGESTS_MOST];
    size_t sizes[PART_DIGESTS_MOST]; /* bytes of each */
    uint8_t wholes[PART_DIGESTS_MOST][DIGEST_BYTES];
    uint32_t count;
};

/* One that is there already is not added again, but may turn out to be infected. One of fewer than
   PART_DIGEST_LEAST bytes is left out, and so is the last where there is no room. */
void part_list_add(struct part_list *list, const uint8_t digest[DIGEST_BYTES], size_t size, bool is_infected);

#endif
