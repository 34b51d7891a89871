/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A sorted array; it is short. */
#include "judge/virus_findings.h"

struct virus_finding *virus_findings_place(struct virus_finding *list, uint32_t *count,
                                           enum virus_class class)
{
    uint32_t at = 0;
    while (at < *count && list[at].class <= class) at++;
    if (at == VIRUS_FINDINGS_MOST) return NULL;
    if (*count < VIRUS_FINDINGS_MOST) ++*count;
    for (uint32_t i = *count - 1; i > at; i--) list[i] = list[i - 1];
    return &list[at];
}

enum scan_state virus_findings_state(enum virus_class class)
{
    if (class <= VIRUS_CLASS_PUA) return SCAN_FOUND;
    return class == VIRUS_CLASS_LIMITS ? SCAN_LIMITS : SCAN_CLOSED;
}
