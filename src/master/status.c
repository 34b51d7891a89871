/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori status`: asks every process for its lines and writes them as one JSON text. */
#include <stdio.h>

#include "base/codec.h"
#include "base/context.h"
#include "base/json_text.h"
#include "master/certificates.h"
#include "master/process_table_private.h"

enum { ANSWER_LIMIT_MS = 1000 };

static const char *const state_names[] = { "down", "starting", "running", "stopping" };

/* Written as JSON writes a number (RFC 8259 section 6), without an exponent. */
static bool is_number(struct text value)
{
    size_t digits = 0, dot = text_find_char(value, '.');
    struct text whole = text_slice(value, value.length > 0 && value.at[0] == '-', dot);
    for (; digits < whole.length && char_is_digit(whole.at[digits]); digits++) {
    }
    if (digits == 0 || digits < whole.length || (digits > 1 && whole.at[0] == '0')) return false;
    struct text fraction = text_slice(value, dot + 1, value.length);
    for (digits = 0; digits < fraction.length && char_is_digit(fraction.at[digits]); digits++) {
    }
    return dot == value.length || (digits > 0 && digits == fraction.length);
}

static void member_print(const struct member *member, struct buffer *out)
{
    uint64_t lived_ms = loop_now_ms(member->table->start.loop) - member->started_ms;
    buffer_printf(
        out, "{\"name\":\"%s\",\"index\":%u,\"state\":\"%s\",\"pid\":%d,\"restarts\":%u,\"up_s\":%llu",
        process_name(member->part->kind), member->index, state_names[member->state], (int)member->pid,
        member->restarts, member->pid ? (unsigned long long)lived_ms / 1000 : 0ull);
    buffer_printf(out, ",\"answered\":%s,\"values\":{", member->has_told_status ? "true" : "false");
    struct reader reader = reader_of(buffer_text(&member->status));
    for (bool first = true; reader.rest.length > 0 && !reader.failed; first = false) {
        struct text name = get_text(&reader), value = get_text(&reader);
        if (reader.failed) break;
        if (!first) buffer_add_char(out, ',');
        json_text_add(out, name);
        buffer_add_char(out, ':');
        if (is_number(value))
            buffer_add_text(out, value);
        else
            json_text_add(out, value);
    }
    buffer_add_text(out, TEXT("}}"));
}

static void tell(void *context)
{
    struct process_table *table = CONTEXT(context, struct process_table, PROCESS_TABLE_MAGIC);
    struct buffer out = { 0 };
    if (!table->status.on_done) return;
    const struct os_users *users = table->start.users;
    buffer_printf(&out,
                  "{\"version\":\"%s\",\"users\":\"%s\",\"uid\":%u,\"ready\":%s,\"draining\":%s,\"drain_to\":"
                  "\"%s\",\"processes\":[",
                  SEKIMORI_VERSION, os_users_arrangement(users), (unsigned)users->node.uid,
                  process_table_is_ready(table) ? "true" : "false", table->drain.is_on ? "true" : "false",
                  table->drain.to);
    for (size_t i = 0; i < table->count; i++) {
        if (i) buffer_add_char(&out, ',');
        member_print(&table->members[i], &out);
    }
    buffer_add_text(&out, TEXT("],\"certificates\":"));
    certificates_print(table->start.config, (int64_t)(loop_wall_ms(table->start.loop) / 1000), &out);
    buffer_add_char(&out, '}');
    void (*on_done)(void *, struct text) = table->status.on_done;
    table->status.on_done = NULL;
    timer_clear(table->status.timer);
    on_done(table->status.context, buffer_text(&out));
    buffer_free(&out);
}

void status_answered(struct member *member, struct text pairs)
{
    struct process_table *table = member->table;
    buffer_clear(&member->status);
    buffer_add_text(&member->status, pairs);
    member->has_told_status = true;
    for (size_t i = 0; i < table->count; i++)
        if (table->members[i].state == MEMBER_READY && !table->members[i].has_told_status) return;
    tell(table);
}

void process_table_status(struct process_table *table, void (*on_done)(void *context, struct text json),
                          void *context)
{
    if (!table->status.timer) table->status.timer = timer_new(table->start.loop, tell, table);
    table->status.on_done = on_done;
    table->status.context = context;
    table->status.round++;
    for (size_t i = 0; i < table->count; i++) {
        struct member *member = &table->members[i];
        member->has_told_status = false;
        buffer_clear(&member->status);
        if (member->channel) channel_send(member->channel, MASTER_STATUS, table->status.round, TEXT_NONE);
    }
    timer_set(table->status.timer, ANSWER_LIMIT_MS);
}
