/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a dialogue is waiting for, in words: for reasons and the log. */
#ifndef SEKIMORI_DELIVER_DIALOGUE_STAGE_H
#define SEKIMORI_DELIVER_DIALOGUE_STAGE_H

#include "deliver/dialogue.h"

/* "while sending RCPT TO"; lives as long as the process. */
const char *dialogue_stage(const struct dialogue *dialogue);

#endif
