/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Byte forms of what courier and ledger say; parcels go between nodes in the same form. */
#include "ipc/ask_courier.h"

void parcel_put(const struct parcel *parcel, struct buffer *out)
{
    put_u64(out, parcel->number);
    put_u64(out, parcel->given_up);
    put_text(out, parcel->records);
}

bool parcel_get(struct reader *reader, struct parcel *out)
{
    out->number = get_u64(reader);
    out->given_up = get_u64(reader);
    out->records = get_text(reader);
    return !reader->failed && out->number > 0 && out->number <= INT64_MAX && out->given_up <= INT64_MAX &&
           out->records.length <= COURIER_RECORDS_MOST;
}

void node_hello_put(const struct node_hello *hello, struct buffer *out)
{
    put_u16(out, hello->number);
    put_u8(out, hello->role);
    put_text(out, hello->name);
    put_u64(out, hello->series);
}

bool node_hello_get(struct reader *reader, struct node_hello *out)
{
    out->number = get_u16(reader);
    out->role = get_u8(reader);
    out->name = get_text(reader);
    out->series = get_u64(reader);
    return !reader->failed && out->number > 0 && out->number <= UINT8_MAX && out->name.length > 0 &&
           out->name.length <= COURIER_NAME_MOST && out->series > 0 && out->series <= INT64_MAX;
}

void courier_number_send(struct channel *channel, enum courier_frame type, uint64_t id, uint64_t number)
{
    put_u64(channel_begin(channel, (uint16_t)type, id), number);
    channel_end(channel);
}
