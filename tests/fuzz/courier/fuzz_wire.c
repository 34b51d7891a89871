/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What another node sends to a ledger: any bytes are frames or are refused, frames can be written again as
   they were, and every record in a parcel is told to be that node's or not. */
#include <stdlib.h>

#include "courier/wire.h"
#include "ledgerdb/nodes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void records_look(struct text records)
{
    struct reader reader = reader_of(records);
    while (reader.rest.length && !reader.failed) nodes_may_tell(2, get_text(&reader));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text bytes = text_from((const char *)data, size);
    struct wire_frame frame;
    struct buffer again = { 0 };
    size_t used;
    while (wire_take(bytes, &frame, &used) == WIRE_WHOLE) {
        bool is_of_this_version =
            (frame.type != WIRE_HELLO && frame.type != WIRE_WELCOME) || wire_is_spoken(frame.version);
        buffer_clear(&again);
        wire_put(&frame, &again);
        if (is_of_this_version && !text_equal(buffer_text(&again), text_slice(bytes, 0, used))) abort();
        if (frame.type == WIRE_PARCEL) records_look(frame.parcel.records);
        bytes = text_slice(bytes, used, bytes.length);
    }
    buffer_free(&again);
    return 0;
}
