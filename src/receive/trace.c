/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Writes trace fields; glances at headers for the loop limit. */
#include "receive/trace.h"

#include "base/date.h"
#include "mail/header.h"
#include "mail/idna.h"

/* A longer address would make a line that is longer than RFC 5322 section 2.1.1 allows. */
enum { FOR_MOST = 900 };

static struct text in_ascii(struct arena *arena, struct text name)
{
    struct buffer escaped = { 0 };
    struct text ascii;
    if (text_is_ascii(name)) return name;
    if (idna_to_ascii(arena, name, &ascii) && text_is_ascii(ascii)) return ascii;
    xtext_encode(name, &escaped);
    ascii = arena_text(arena, buffer_text(&escaped));
    buffer_free(&escaped);
    return ascii;
}

/* "for <a@b>" names one recipient, where that can be said in ASCII. */
static void recipient_put(struct session *session, struct buffer *out)
{
    const struct envelope *envelope = &session->transaction.envelope;
    if (envelope->recipient_count != 1) return;
    struct text address = envelope->recipients[0].address;
    size_t at = text_find_last_char(address, '@');
    struct text domain = text_slice(address, at + 1, address.length);
    if (address.length == 0 || address.length > FOR_MOST || !text_is_ascii(text_slice(address, 0, at)))
        return;
    if (!text_is_ascii(domain) && !idna_to_ascii(session->mail, domain, &domain)) return;
    buffer_printf(out, "\r\n\tfor <%.*s%s%.*s>", TEXT_ARG(text_slice(address, 0, at)),
                  at < address.length ? "@" : "", TEXT_ARG(domain));
}

static void missing_put(struct session *session, const char *id, const char *date, struct buffer *out)
{
    const struct listener *listener = &session->port->listener;
    const struct header_glance *glance = &session->transaction.glance;
    if (listener->direction != DIRECTION_OUT || !listener->complete) return;
    if (!glance->has_message_id)
        buffer_printf(out, "Message-ID: <%s@%.*s>\r\n", id,
                      TEXT_ARG(in_ascii(session->mail, session->server->config->hostname)));
    if (!glance->has_date) buffer_printf(out, "Date: %s\r\n", date);
}

struct text trace_fields(struct session *session)
{
    const struct transaction *transaction = &session->transaction;
    char id[MESSAGE_ID_SIZE], date[DATE_SIZE];
    message_id_print(transaction->id, id);
    date_print_local(transaction->arrived_ms, date);
    const char *tag = address_is_v4(&session->client) ? "" : "IPv6:";
    struct buffer out = { 0 };
    buffer_printf(&out, "Received: from %.*s (%.*s [%s%.*s])\r\n",
                  TEXT_ARG(in_ascii(session->mail, session->dialogue.helo)),
                  TEXT_ARG(in_ascii(session->mail, session->client_name)), tag,
                  TEXT_ARG(session->client_text));
    if (stream_is_secure(session->stream))
        buffer_printf(&out, "\t(using %s with cipher %s (%d bits))\r\n", stream_tls_version(session->stream),
                      stream_tls_cipher(session->stream), stream_tls_bits(session->stream));
    buffer_printf(&out, "\tby %.*s (Sekimori) with %s id %s",
                  TEXT_ARG(in_ascii(session->mail, session->server->config->hostname)),
                  session_protocol(session), id);
    recipient_put(session, &out);
    buffer_printf(&out, ";\r\n\t%s\r\nX-Sekimori-Id: %s\r\n", date, id);
    missing_put(session, id, date, &out);
    struct text fields = arena_text(session->mail, buffer_text(&out));
    buffer_free(&out);
    return fields;
}

static bool is_named(struct text line, struct text name)
{
    if (!text_starts_nocase(line, name)) return false;
    return text_starts(text_trim(text_slice(line, name.length, line.length)), TEXT(":"));
}

void header_glance(struct text message, uint64_t most, bool has_8bit, struct header_glance *out)
{
    *out = (struct header_glance){ 0 };
    struct text rest = text_slice(message, 0, most + 1), line;
    size_t looked_at = rest.length;
    while (text_next_line(&rest, &line) && line.length > 0) {
        if (text_starts_nocase(line, TEXT("Received:"))) out->received++;
        if (is_named(line, TEXT("Date"))) out->has_date = true;
        if (is_named(line, TEXT("Message-ID"))) out->has_message_id = true;
    }
    out->is_missing = header_is_missing(text_slice(message, 0, most));
    out->bytes = looked_at - rest.length;
    if (!has_8bit || out->bytes > most) return;
    rest = text_slice(message, out->bytes, message.length);
    out->has_8bit = !text_is_ascii(text_slice(message, 0, out->bytes));
    out->body_has_8bit = !out->has_8bit || !text_is_ascii(rest);
}
