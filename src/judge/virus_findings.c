/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A sorted array; it is short. */
#include "judge/virus_findings.h"

/* The last of the mildest class that would have several with one more of `class`; it may be that one. */
static uint32_t least_missed(const struct virus_finding *list, uint32_t count, enum virus_class class)
{
    uint32_t at = count - 1;
    while (at > 0 && list[at].class != class && list[at - 1].class != list[at].class) at--;
    return at;
}

struct virus_finding *virus_findings_place(struct virus_finding *list, uint32_t *count,
                                           enum virus_class class)
{
    uint32_t at = 0;
    while (at < *count && list[at].class <= class) at++;
    uint32_t end = *count;
    if (end == VIRUS_FINDINGS_MOST) {
        end = least_missed(list, end, class);
        if (list[end].class == class) return NULL;
        if (end < at) at--;
    } else {
        ++*count;
    }
    for (; end > at; end--) list[end] = list[end - 1];
    for (; end < at; end++) list[end] = list[end + 1];
    return &list[at];
}

enum scan_state virus_findings_state(enum virus_class class)
{
    if (class <= VIRUS_CLASS_PUA) return SCAN_FOUND;
    return class == VIRUS_CLASS_LIMITS ? SCAN_LIMITS : SCAN_CLOSED;
}
