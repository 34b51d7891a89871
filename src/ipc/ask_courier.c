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

void saying_put(const struct saying *saying, struct buffer *out)
{
    put_u64(out, saying->turn);
    put_text(out, saying->lines);
}

bool saying_get(struct reader *reader, struct saying *out)
{
    out->turn = get_u64(reader);
    out->lines = get_text(reader);
    return !reader->failed && out->turn > 0 && out->turn <= INT64_MAX &&
           out->lines.length <= COURIER_RECORDS_MOST;
}

void courier_peer_put(const struct courier_peer *peer, struct buffer *out)
{
    put_u8(out, peer->is_listening);
    put_u16(out, peer->number);
    put_text(out, peer->name);
}

bool courier_peer_get(struct reader *reader, struct courier_peer *out)
{
    out->is_listening = get_u8(reader);
    out->number = get_u16(reader);
    out->name = get_text(reader);
    return !reader->failed && out->is_listening <= 1 && out->number <= UINT8_MAX && out->name.length > 0 &&
           out->name.length <= COURIER_NAME_MOST;
}

void courier_number_send(struct channel *channel, enum courier_frame type, uint64_t id, uint64_t number)
{
    put_u64(channel_begin(channel, (uint16_t)type, id), number);
    channel_end(channel);
}
