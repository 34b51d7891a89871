/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What signer reads of scan, and scan of signer: any bytes are an order or an answer within their limits, or
   refused, and what was read is written again as it was. */
#include <stdlib.h>

#include "ipc/ask_signer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text payload = text_from((const char *)data, size), said;
    struct sign_order order;
    struct buffer again = { 0 };
    if (sign_order_get(payload, &order)) {
        if (order.key.length == 0 || order.key.length > SIGN_KEY_MOST) abort();
        sign_order_put(&order, &again);
        if (!text_equal(buffer_text(&again), payload)) abort();
    }
    buffer_clear(&again);
    if (sign_answer_get(payload, &said)) {
        if (said.length == 0 || said.length > SIGN_SIGNATURE_MOST) abort();
        put_text(&again, said);
        if (!text_equal(buffer_text(&again), payload)) abort();
    }
    buffer_free(&again);
    return 0;
}
