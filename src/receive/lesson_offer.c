/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "receive/lesson_offer.h"

#include "ipc/offered_lesson.h"
#include "ipc/ring.h"
#include "receive/session.h"

void lesson_offer_tell(struct session *session)
{
    const struct transaction *transaction = &session->transaction;
    const struct verdict *verdict = &transaction->verdict;
    struct server *server = session->server;
    struct buffer event = { 0 };
    if (!server->config->learn.is_automatic || verdict->teaches == TEACHES_NOTHING) return;
    const struct offered_lesson offered = { .id = transaction->id,
                                            .time_ms = loop_wall_ms(server->loop),
                                            .is_spam = verdict->teaches == TEACHES_SPAM,
                                            .client = session->client,
                                            .author = verdict->proof.author,
                                            .organization = verdict->taught_of,
                                            .sketch = transaction->read.sketch,
                                            .lesson = transaction->read.lesson };
    if (offered_lesson_put(&offered, &event)) ring_append_spare(server->ring, buffer_text(&event));
    buffer_free(&event);
}
