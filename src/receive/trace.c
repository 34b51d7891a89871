/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Writes trace fields; glances at headers for the loop limit. */
#include "receive/trace.h"

#include <stdio.h>
#include <time.h>

/* RFC 5322 section 3.3; made once a second. */
static struct text date_text(uint64_t wall_ms)
{
    static char room[48];
    static time_t made;
    time_t now = (time_t)(wall_ms / 1000);
    if (now != made) {
        static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
        static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
        struct tm parts;
        localtime_r(&now, &parts);
        char sign = parts.tm_gmtoff < 0 ? '-' : '+';
        long minutes = (parts.tm_gmtoff < 0 ? -parts.tm_gmtoff : parts.tm_gmtoff) / 60;
        snprintf(room, sizeof room, "%s, %d %s %d %02d:%02d:%02d %c%02ld%02ld", days[parts.tm_wday],
                 parts.tm_mday, months[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min,
                 parts.tm_sec, sign, minutes / 60, minutes % 60);
        made = now;
    }
    return text_of(room);
}

struct text trace_fields(struct session *session)
{
    const struct transaction *transaction = &session->transaction;
    const struct envelope *envelope = &transaction->envelope;
    char id[MESSAGE_ID_SIZE];
    message_id_print(transaction->id, id);
    struct text literal = session->client_text, recipient = TEXT_NONE;
    const char *tag = address_is_v4(&session->client) ? "" : "IPv6:";
    if (envelope->recipient_count == 1) recipient = envelope->recipients[0].address;
    struct buffer out = { 0 };
    buffer_printf(&out, "Received: from %.*s (%.*s [%s%.*s])\r\n", TEXT_ARG(session->conversation.helo),
                  TEXT_ARG(session->client_name), tag, TEXT_ARG(literal));
    if (stream_is_secure(session->stream))
        buffer_printf(&out, "\t(using %s with cipher %s (%d bits))\r\n", stream_tls_version(session->stream),
                      stream_tls_cipher(session->stream), stream_tls_bits(session->stream));
    buffer_printf(&out, "\tby %.*s (Sekimori) with %s id %s", TEXT_ARG(session->server->config->hostname),
                  session_protocol(session), id);
    if (recipient.length > 0) buffer_printf(&out, "\r\n\tfor <%.*s>", TEXT_ARG(recipient));
    buffer_printf(&out, ";\r\n\t%.*s\r\nX-Sekimori-Id: %s\r\n", TEXT_ARG(date_text(transaction->arrived_ms)),
                  id);
    struct text fields = arena_text(session->mail, buffer_text(&out));
    buffer_free(&out);
    return fields;
}

static bool has_high_byte(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if ((uint8_t)text.at[i] > 127) return true;
    return false;
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
    out->has_8bit = has_high_byte(text_slice(message, 0, out->bytes));
    out->body_has_8bit = !out->has_8bit || has_high_byte(rest);
}
