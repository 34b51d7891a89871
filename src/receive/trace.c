/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Writes trace fields; glances at headers for the loop limit. */
#include "receive/trace.h"

#include "base/date.h"

/* A longer address would make a line that is longer than RFC 5322 section 2.1.1 allows. */
enum { FOR_MOST = 900 };

struct text trace_fields(struct session *session)
{
    const struct transaction *transaction = &session->transaction;
    const struct envelope *envelope = &transaction->envelope;
    char id[MESSAGE_ID_SIZE], date[DATE_SIZE];
    message_id_print(transaction->id, id);
    struct text literal = session->client_text, recipient = TEXT_NONE;
    const char *tag = address_is_v4(&session->client) ? "" : "IPv6:";
    if (envelope->recipient_count == 1 && envelope->recipients[0].address.length <= FOR_MOST)
        recipient = envelope->recipients[0].address;
    struct buffer out = { 0 };
    buffer_printf(&out, "Received: from %.*s (%.*s [%s%.*s])\r\n", TEXT_ARG(session->dialogue.helo),
                  TEXT_ARG(session->client_name), tag, TEXT_ARG(literal));
    if (stream_is_secure(session->stream))
        buffer_printf(&out, "\t(using %s with cipher %s (%d bits))\r\n", stream_tls_version(session->stream),
                      stream_tls_cipher(session->stream), stream_tls_bits(session->stream));
    buffer_printf(&out, "\tby %.*s (Sekimori) with %s id %s", TEXT_ARG(session->server->config->hostname),
                  session_protocol(session), id);
    if (recipient.length > 0) buffer_printf(&out, "\r\n\tfor <%.*s>", TEXT_ARG(recipient));
    buffer_printf(&out, ";\r\n\t%s\r\nX-Sekimori-Id: %s\r\n", date_print_local(transaction->arrived_ms, date),
                  id);
    struct text fields = arena_text(session->mail, buffer_text(&out));
    buffer_free(&out);
    return fields;
}

void header_glance(struct text message, uint64_t most, bool has_8bit, struct header_glance *out)
{
    *out = (struct header_glance){ 0 };
    struct text rest = text_slice(message, 0, most + 1), line;
    size_t looked_at = rest.length;
    while (text_next_line(&rest, &line) && line.length > 0)
        if (text_starts_nocase(line, TEXT("Received:"))) out->received++;
    out->bytes = looked_at - rest.length;
    if (!has_8bit || out->bytes > most) return;
    rest = text_slice(message, out->bytes, message.length);
    out->has_8bit = !text_is_ascii(text_slice(message, 0, out->bytes));
    out->body_has_8bit = !out->has_8bit || !text_is_ascii(rest);
}
