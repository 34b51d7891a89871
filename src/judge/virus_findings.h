/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The list of what the virus check found in one message, in its order: the worst class first, of one class
   the first that came. */
#ifndef SEKIMORI_JUDGE_VIRUS_FINDINGS_H
#define SEKIMORI_JUDGE_VIRUS_FINDINGS_H

#include "judge/evidence.h"

/* Makes room for one more of that class in `list`, which holds VIRUS_FINDINGS_MOST at most, and counts it;
   where there is none the last goes of the mildest class that has several, so that no class is pushed out by
   others. The caller fills what is returned. NULL: it would go itself. */
struct virus_finding *virus_findings_place(struct virus_finding *list, uint32_t *count,
                                           enum virus_class class);

/* What a message is whose worst finding has that class: SCAN_FOUND, SCAN_LIMITS or SCAN_CLOSED. */
enum scan_state virus_findings_state(enum virus_class class);

#endif
