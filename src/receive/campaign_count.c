/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "receive/campaign_count.h"

#include "ipc/ask_campaign.h"
#include "receive/session.h"

static bool is_delivered(const struct verdict *verdict)
{
    for (uint32_t i = 0; i < verdict->recipient_count; i++)
        if (verdict_is_taken(verdict, i)) return true;
    return false;
}

void campaign_count_tell(struct session *session)
{
    const struct transaction *transaction = &session->transaction;
    const struct envelope *envelope = &transaction->envelope;
    struct text sketch = transaction->read.sketch;
    if (sketch.length == 0 || !transaction->verdict.is_counted || !session->server->lookup) return;
    struct text recipients[CAMPAIGN_COUNTED_MOST];
    struct campaign_seen seen = { .sketch = sketch,
                                  .client = session->client,
                                  .sender = envelope->sender,
                                  .is_taken = is_delivered(&transaction->verdict),
                                  .recipients = recipients };
    while (seen.recipient_count < envelope->recipient_count && seen.recipient_count < CAMPAIGN_COUNTED_MOST) {
        recipients[seen.recipient_count] = envelope->recipients[seen.recipient_count].address;
        seen.recipient_count++;
    }
    campaign_tell(session->server->lookup, transaction->id, &seen);
}
