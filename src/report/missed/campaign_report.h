/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What users tell us has leaked through, told to lookup: its near-duplicates weigh from then on
   (ipc/campaign_table.h). Reads foreign bytes with the reader that judging has. */
#ifndef SEKIMORI_REPORT_MISSED_CAMPAIGN_REPORT_H
#define SEKIMORI_REPORT_MISSED_CAMPAIGN_REPORT_H

#include "config/settings.h"
#include "ipc/ask_campaign.h"

/* Once, before the jail closes: what the reader opens when it is first used. */
void campaign_report_prepare(void);

/* What a report of that kind says of campaigns. False: nothing. */
bool campaign_report_says(enum missed_kind kind, enum campaign_said *out);

/* `reporter`: MAIL FROM of a mail from inside; `message`: of ours, which the mail is a copy of, or 0. Telling
   again changes nothing but the time. False: lookup is not there, and it is to be told later. */
bool campaign_report_mail(struct channel *lookup, enum campaign_said said, struct text reporter,
                          struct text mail, uint64_t message);

#endif
