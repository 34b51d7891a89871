/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori status`: asks every process for its lines and writes them as one JSON text. */
#include <stdio.h>

#include "base/codec.h"
#include "base/context.h"
#include "base/json_text.h"
#include "master/certificates.h"
#include "master/family_private.h"

enum { ANSWER_LIMIT_MS = 1000 };

static const char *const state_names[] = { "down", "starting", "running", "stopping" };

static void member_print(const struct member *member, struct buffer *out)
{
    uint64_t lived_ms = loop_now_ms(member->family->start.loop) - member->started_ms;
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
        json_text_add(out, value);
    }
    buffer_add_text(out, TEXT("}}"));
}

static void tell(void *context)
{
    struct family *family = CONTEXT(context, struct family, FAMILY_MAGIC);
    struct buffer out = { 0 };
    if (!family->status.on_done) return;
    buffer_printf(&out,
                  "{\"version\":\"%s\",\"ready\":%s,\"draining\":%s,\"drain_to\":\"%s\",\"processes\":[",
                  SEKIMORI_VERSION, family_is_ready(family) ? "true" : "false",
                  family->drain.is_on ? "true" : "false", family->drain.to);
    for (size_t i = 0; i < family->count; i++) {
        if (i) buffer_add_char(&out, ',');
        member_print(&family->members[i], &out);
    }
    buffer_add_text(&out, TEXT("],\"certificates\":"));
    certificates_print(family->start.config, (int64_t)(loop_wall_ms(family->start.loop) / 1000), &out);
    buffer_add_char(&out, '}');
    void (*on_done)(void *, struct text) = family->status.on_done;
    family->status.on_done = NULL;
    timer_clear(family->status.timer);
    on_done(family->status.context, buffer_text(&out));
    buffer_free(&out);
}

void status_answered(struct member *member, struct text pairs)
{
    struct family *family = member->family;
    buffer_clear(&member->status);
    buffer_add_text(&member->status, pairs);
    member->has_told_status = true;
    for (size_t i = 0; i < family->count; i++)
        if (family->members[i].state == MEMBER_READY && !family->members[i].has_told_status) return;
    tell(family);
}

void family_status(struct family *family, void (*on_done)(void *context, struct text json), void *context)
{
    if (!family->status.timer) family->status.timer = timer_new(family->start.loop, tell, family);
    family->status.on_done = on_done;
    family->status.context = context;
    family->status.round++;
    for (size_t i = 0; i < family->count; i++) {
        struct member *member = &family->members[i];
        member->has_told_status = false;
        buffer_clear(&member->status);
        if (member->channel) channel_send(member->channel, MASTER_STATUS, family->status.round, TEXT_NONE);
    }
    timer_set(family->status.timer, ANSWER_LIMIT_MS);
}
