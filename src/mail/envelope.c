/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The byte form of envelopes. */
#include "mail/envelope.h"

enum { RECIPIENT_LEAST_BYTES = 9 };

void envelope_put(const struct envelope *envelope, struct buffer *out)
{
    put_text(out, envelope->sender);
    put_text(out, envelope->envid);
    put_u64(out, envelope->size);
    put_u8(out, (uint8_t)envelope->body);
    put_u8(out, (uint8_t)envelope->ret);
    put_u8(out, envelope->smtputf8);
    put_text(out, envelope->origin);
    put_text(out, envelope->transaction);
    put_u32(out, envelope->recipient_count);
    for (uint32_t i = 0; i < envelope->recipient_count; i++) {
        put_text(out, envelope->recipients[i].address);
        put_text(out, envelope->recipients[i].orcpt);
        put_u8(out, envelope->recipients[i].notify);
    }
}

bool envelope_get(struct arena *arena, struct reader *reader, struct envelope *out)
{
    out->sender = get_text(reader);
    out->envid = get_text(reader);
    out->size = get_u64(reader);
    out->body = get_u8(reader);
    out->ret = get_u8(reader);
    uint8_t smtputf8 = get_u8(reader);
    out->smtputf8 = smtputf8 != 0;
    out->origin = get_text(reader);
    out->transaction = get_text(reader);
    out->recipient_count = get_count(reader, ENVELOPE_RECIPIENTS_MOST, RECIPIENT_LEAST_BYTES);
    out->recipients = arena_alloc_array(arena, out->recipient_count, sizeof *out->recipients);
    for (uint32_t i = 0; i < out->recipient_count; i++) {
        out->recipients[i].address = get_text(reader);
        out->recipients[i].orcpt = get_text(reader);
        out->recipients[i].notify = get_u8(reader);
    }
    bool has_transaction = out->transaction.length == TRANSACTION_BYTES;
    return !reader->failed && smtputf8 <= 1 && out->body <= BODY_8BITMIME && out->ret <= RETURN_HEADERS &&
           (has_transaction || out->transaction.length == 0);
}

struct text envelope_domain_of(struct text address)
{
    size_t at = text_find_last_char(address, '@');
    return text_slice(address, at + 1, address.length);
}
