/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Byte forms of what scan and signer say. */
#include "ipc/ask_signer.h"

void sign_order_put(const struct sign_order *order, struct buffer *out)
{
    put_text(out, order->key);
    buffer_add(out, order->digest, sizeof order->digest);
}

bool sign_order_get(struct text payload, struct sign_order *out)
{
    struct reader reader = reader_of(payload);
    out->key = get_text(&reader);
    get_bytes(&reader, out->digest, sizeof out->digest);
    return reader_done(&reader) && out->key.length > 0 && out->key.length <= SIGN_KEY_MOST;
}

bool sign_answer_get(struct text payload, struct text *out)
{
    struct reader reader = reader_of(payload);
    *out = get_text(&reader);
    return reader_done(&reader) && out->length > 0 && out->length <= SIGN_SIGNATURE_MOST;
}
