/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What users tell us has leaked through, told to lookup: its near-duplicates weigh from then on
   (ipc/campaign_table.h). Reads foreign bytes with the reader that judging has. */
#ifndef SEKIMORI_REPORT_MISSED_CAMPAIGN_REPORT_H
#define SEKIMORI_REPORT_MISSED_CAMPAIGN_REPORT_H

#include "config/settings.h"
#include "ipc/channel.h"

/* Once, before the jail closes: what the reader opens when it is first used. */
void campaign_report_prepare(void);

/* Reports of spam and phishing are such; `reporter`: MAIL FROM of a mail from inside. Telling again changes
   nothing but the time. False: lookup is not there, and it is to be told later. */
bool campaign_report_messages(struct channel *lookup, const struct config *config, enum missed_kind kind,
                              struct text reporter, const struct text *messages, size_t count);

#endif
