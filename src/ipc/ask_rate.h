/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What lookup is told of senders inside beside its questions (judge/sender_rate.h): by receive and deliver.
 */
#ifndef SEKIMORI_IPC_ASK_RATE_H
#define SEKIMORI_IPC_ASK_RATE_H

#include "ipc/ask_lookup.h"
#include "ipc/two_images.h"

/* Of run/inside, which lookup keeps: two images of those who are held. */
enum {
    SENDER_RATES_IMAGE_MOST = 96 * 1024,
    SENDER_RATES_FILE_BYTES = TWO_IMAGES_BYTES(SENDER_RATES_IMAGE_MOST)
};

enum rate_event {
    RATE_EVENT_SPAM,    /* receive: a message of his looks like spam */
    RATE_EVENT_REFUSED, /* receive, deliver: a recipient of his was refused for good */
    RATE_EVENTS
};

/* LOOKUP_RATE_SEEN. `sender`: MAIL FROM without brackets; nothing is told of an empty one. */
void rate_tell(struct channel *lookup, enum rate_event event, struct text sender);
/* What lookup reads; the text is borrowed. False: malformed. */
bool rate_event_get(struct text payload, enum rate_event *out_event, struct text *out_sender);

#endif
