/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Writes the XCLIENT attributes of a message that goes to the next node. Called by relay.c. */
#include "receive/origin.h"

#include <stdio.h>

#include "smtp/command.h"

/* `name` with its "=". A value that is too long to be said is said to be unknown. */
static void attribute_put(struct buffer *out, struct text name, struct text value)
{
    if (buffer_length(out)) buffer_add_char(out, ' ');
    buffer_add_text(out, name);
    size_t before = buffer_length(out);
    xtext_encode(value, out);
    size_t length = buffer_length(out) - before;
    if (length > 0 && length <= XCLIENT_VALUE_MOST) return;
    buffer_truncate(out, before);
    buffer_add_text(out, TEXT("[UNAVAILABLE]"));
}

static void transaction_put(struct buffer *out, struct text transaction)
{
    static const char digits[] = "0123456789abcdef";
    buffer_add_text(out, TEXT(" TRANSACTION="));
    for (size_t i = 0; i < transaction.length; i++) {
        buffer_add_char(out, digits[(uint8_t)transaction.at[i] >> 4]);
        buffer_add_char(out, digits[transaction.at[i] & 15]);
    }
}

static void name_put(const struct session *session, struct buffer *out)
{
    const struct question *name = session_name(session);
    bool is_open = !name || name->status == ANSWER_PENDING || name->status == ANSWER_TEMPERROR;
    if (name && name->status == ANSWER_FOUND)
        attribute_put(out, TEXT("NAME="), session->client_name);
    else
        buffer_add_text(out, is_open ? TEXT("NAME=[TEMPUNAVAIL]") : TEXT("NAME=[UNAVAILABLE]"));
}

static void tls_put(const struct session *session, struct buffer *out)
{
    char room[160];
    if (!stream_is_secure(session->stream)) return;
    snprintf(room, sizeof room, "%s %s %d", stream_tls_version(session->stream),
             stream_tls_cipher(session->stream), stream_tls_bits(session->stream));
    attribute_put(out, TEXT("TLS="), text_of(room));
}

struct text origin_of(struct session *session, struct text transaction)
{
    struct buffer out = { 0 };
    name_put(session, &out);
    attribute_put(&out, TEXT("ADDR="), session->client_text);
    attribute_put(&out, TEXT("PROTO="), session->dialogue.is_esmtp ? TEXT("ESMTP") : TEXT("SMTP"));
    attribute_put(&out, TEXT("HELO="), session->dialogue.helo);
    tls_put(session, &out);
    transaction_put(&out, transaction);
    struct text origin = arena_text(session->mail, buffer_text(&out));
    buffer_free(&out);
    return origin;
}
