/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The questions to lookup and its answers as bytes. Counts from the peer are bounded before memory is
   taken for them. */
#include "ipc/ask_lookup.h"

#include "base/codec.h"
#include "config/list_setting.h"

static struct address address_take(struct reader *reader)
{
    struct address address = { 0 };
    if (reader->rest.length < sizeof address.bytes) {
        reader->failed = true;
        return address;
    }
    memcpy(address.bytes, reader->rest.at, sizeof address.bytes);
    reader->rest = text_slice(reader->rest, sizeof address.bytes, reader->rest.length);
    return address;
}

static void name_ask(struct channel *lookup, enum lookup_frame type, uint64_t id, uint32_t deadline_ms,
                     struct text name)
{
    struct buffer *frame = channel_begin(lookup, (uint16_t)type, id);
    put_u32(frame, deadline_ms);
    put_text(frame, name);
    channel_end(lookup);
}

void lookup_host_ask(struct channel *lookup, uint64_t id, uint32_t deadline_ms, struct text host)
{
    name_ask(lookup, LOOKUP_HOST, id, deadline_ms, host);
}

void lookup_mx_ask(struct channel *lookup, uint64_t id, uint32_t deadline_ms, struct text domain)
{
    name_ask(lookup, LOOKUP_MX, id, deadline_ms, domain);
}

void lookup_client_name_ask(struct channel *lookup, uint64_t id, uint32_t deadline_ms,
                            const struct address *client)
{
    struct buffer *frame = channel_begin(lookup, LOOKUP_CLIENT_NAME, id);
    put_u32(frame, deadline_ms);
    buffer_add(frame, client->bytes, sizeof client->bytes);
    channel_end(lookup);
}

void lookup_sources_ask(struct channel *lookup, uint64_t id, uint32_t deadline_ms,
                        const struct sources_question *question)
{
    struct buffer *frame = channel_begin(lookup, LOOKUP_SOURCES, id);
    put_u32(frame, deadline_ms);
    buffer_add(frame, question->own.bytes, sizeof question->own.bytes);
    put_u32(frame, question->count);
    for (uint32_t i = 0; i < question->count; i++)
        buffer_add(frame, question->destinations[i].bytes, sizeof question->destinations[i].bytes);
    channel_end(lookup);
}

void spf_subject_put(const struct spf_subject *subject, struct buffer *out)
{
    enum { TEXT_MOST = 1000 };
    buffer_add(out, subject->client.bytes, sizeof subject->client.bytes);
    put_text(out, text_slice(subject->helo, 0, TEXT_MOST));
    put_text(out, text_slice(subject->sender, 0, TEXT_MOST));
}

bool spf_subject_get(struct text bytes, struct spf_subject *out)
{
    struct reader reader = reader_of(bytes);
    out->client = address_take(&reader);
    out->helo = get_text(&reader);
    out->sender = get_text(&reader);
    return reader_done(&reader);
}

void lookup_subject_ask(struct channel *lookup, enum lookup_frame type, uint64_t id, uint32_t deadline_ms,
                        struct text subject)
{
    name_ask(lookup, type, id, deadline_ms, subject);
}

bool lookup_text_get(struct frame *frame, struct text *out)
{
    struct reader reader = reader_of(frame->payload);
    *out = get_text(&reader);
    return reader_done(&reader);
}

bool lookup_name_get(struct frame *frame, uint32_t *out_deadline_ms, struct text *out_name)
{
    struct reader reader = reader_of(frame->payload);
    *out_deadline_ms = get_u32(&reader);
    *out_name = get_text(&reader);
    return reader_done(&reader);
}

bool lookup_client_get(struct frame *frame, uint32_t *out_deadline_ms, struct address *out_client)
{
    struct reader reader = reader_of(frame->payload);
    *out_deadline_ms = get_u32(&reader);
    *out_client = address_take(&reader);
    return reader_done(&reader);
}

bool lookup_sources_get(struct arena *arena, struct frame *frame, uint32_t *out_deadline_ms,
                        struct sources_question *out)
{
    struct reader reader = reader_of(frame->payload);
    *out_deadline_ms = get_u32(&reader);
    *out = (struct sources_question){ .own = address_take(&reader) };
    out->count = get_count(&reader, LOOKUP_SOURCES_MOST, sizeof out->destinations->bytes);
    out->destinations = arena_alloc_array(arena, out->count, sizeof *out->destinations);
    for (uint32_t i = 0; i < out->count; i++) out->destinations[i] = address_take(&reader);
    return reader_done(&reader);
}

/* A number of an enum, whose last member is `last`. */
static uint8_t enum_take(struct reader *reader, uint8_t last)
{
    uint8_t value = get_u8(reader);
    if (value > last) reader->failed = true;
    return value;
}

void host_answer_put(const struct host_answer *answer, struct buffer *frame)
{
    put_u8(frame, (uint8_t)answer->status);
    put_u8(frame, answer->secure);
    put_u32(frame, answer->address_count);
    for (uint32_t i = 0; i < answer->address_count; i++)
        buffer_add(frame, answer->addresses[i].bytes, sizeof answer->addresses[i].bytes);
}

static void host_answer_take(struct arena *arena, struct reader *reader, struct host_answer *out)
{
    out->status = enum_take(reader, DNS_BOGUS);
    out->secure = get_u8(reader);
    out->address_count = get_count(reader, LOOKUP_ADDRESSES, sizeof out->addresses->bytes);
    out->addresses = arena_alloc_array(arena, out->address_count, sizeof *out->addresses);
    for (uint32_t i = 0; i < out->address_count; i++) out->addresses[i] = address_take(reader);
}

bool host_answer_get(struct arena *arena, struct frame *frame, struct host_answer *out)
{
    struct reader reader = reader_of(frame->payload);
    *out = (struct host_answer){ 0 };
    host_answer_take(arena, &reader, out);
    return reader_done(&reader);
}

void mx_answer_put(const struct mx_answer *answer, struct buffer *frame)
{
    put_u8(frame, (uint8_t)answer->status);
    put_u8(frame, answer->secure);
    put_u8(frame, answer->is_null);
    put_u8(frame, answer->is_implicit);
    put_u32(frame, answer->host_count);
    for (uint32_t i = 0; i < answer->host_count; i++) {
        put_u16(frame, answer->hosts[i].preference);
        put_text(frame, answer->hosts[i].host);
        host_answer_put(&answer->hosts[i].addresses, frame);
    }
}

bool mx_answer_get(struct arena *arena, struct frame *frame, struct mx_answer *out)
{
    struct reader reader = reader_of(frame->payload);
    *out = (struct mx_answer){ .status = enum_take(&reader, DNS_BOGUS) };
    out->secure = get_u8(&reader);
    out->is_null = get_u8(&reader);
    out->is_implicit = get_u8(&reader);
    out->host_count = get_count(&reader, LOOKUP_MX_HOSTS, 12);
    out->hosts = arena_alloc_array(arena, out->host_count, sizeof *out->hosts);
    for (uint32_t i = 0; i < out->host_count && !reader.failed; i++) {
        out->hosts[i].preference = get_u16(&reader);
        out->hosts[i].host = arena_text(arena, get_text(&reader));
        host_answer_take(arena, &reader, &out->hosts[i].addresses);
    }
    return reader_done(&reader);
}

void client_name_put(const struct client_name *name, struct buffer *frame)
{
    put_u8(frame, (uint8_t)name->status);
    put_text(frame, name->name);
}

bool client_name_get(struct frame *frame, struct client_name *out)
{
    struct reader reader = reader_of(frame->payload);
    out->status = enum_take(&reader, CLIENT_NAME_TEMPERROR);
    out->name = get_text(&reader);
    return reader_done(&reader);
}

void sources_answer_put(const struct sources_answer *answer, struct buffer *frame)
{
    put_u32(frame, answer->count);
    for (uint32_t i = 0; i < answer->count; i++) {
        buffer_add(frame, answer->sources[i].address.bytes, sizeof answer->sources[i].address.bytes);
        put_u8(frame, (uint8_t)answer->sources[i].status);
    }
}

bool sources_answer_get(struct arena *arena, struct frame *frame, struct sources_answer *out)
{
    struct reader reader = reader_of(frame->payload);
    *out = (struct sources_answer){ 0 };
    out->count = get_count(&reader, LOOKUP_SOURCES_MOST, sizeof out->sources->address.bytes + 1);
    out->sources = arena_alloc_array(arena, out->count, sizeof *out->sources);
    for (uint32_t i = 0; i < out->count; i++) {
        out->sources[i].address = address_take(&reader);
        out->sources[i].status = enum_take(&reader, CLIENT_NAME_TEMPERROR);
    }
    return reader_done(&reader);
}

void lookup_list_tell(struct channel *lookup, uint64_t id, const struct list_fetched *fetched, int fd)
{
    struct buffer *frame =
        channel_begin(lookup, (uint16_t)(fd < 0 ? LOOKUP_LIST_FETCHED : LOOKUP_LIST_FILE), id);
    put_text(frame, fetched->list);
    put_u64(frame, fetched->fetched_ms);
    put_text(frame, text_slice(fetched->trouble, 0, LOOKUP_TROUBLE_MOST));
    if (fd < 0)
        channel_end(lookup);
    else
        channel_end_fds(lookup, &fd, 1);
}

bool lookup_list_get(struct frame *frame, struct list_fetched *out)
{
    struct reader reader = reader_of(frame->payload);
    out->list = get_text(&reader);
    out->fetched_ms = get_u64(&reader);
    out->trouble = get_text(&reader);
    return reader_done(&reader) && out->list.length > 0 && out->list.length <= LIST_NAME_MOST &&
           out->trouble.length <= LOOKUP_TROUBLE_MOST && text_is_printable(out->trouble);
}
