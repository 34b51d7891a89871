/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One reader a message, from its first container on. It may have been taken over by what it read: every frame
   of it is bounded, and whatever it says concerns this message alone. */
#include "scan/opening.h"

#include <stdio.h>
#include <unistd.h>

#include "ipc/ask_open.h"
#include "ipc/channel.h"
#include "mail/true_type.h"

enum { MARGIN_MS = 2000, MEMBER_KEPT = 1 << 20, NAMES_MOST = 64 * 1024 };

void opening_begin(struct opening *opening, const struct config *config, struct reader_source *source,
                   struct inspection *inspection)
{
    *opening = (struct opening){ .config = config, .source = source, .inspection = inspection, .reader = -1 };
}

void opening_end(struct opening *opening)
{
    if (opening->reader >= 0) close(opening->reader);
    opening->reader = -1;
    buffer_free(&opening->member);
    buffer_free(&opening->names);
}

/* --- what is said --- */

/* `path` is where it stands in the container that is looked at, and goes behind the part's name. */
static void part_set(struct opening *opening, struct text path)
{
    if (path.length == 0) {
        opening->inspection->part = opening->part;
        return;
    }
    snprintf(opening->place, sizeof opening->place, "%.*s/%.*s", TEXT_ARG(opening->part), TEXT_ARG(path));
    opening->inspection->part = text_of(opening->place);
}

static void name_keep(struct opening *opening, struct text path)
{
    if (!opening->wants_names || path.length == 0 ||
        buffer_length(&opening->names) + path.length > NAMES_MOST)
        return;
    buffer_add_text(&opening->names, path);
    buffer_add_char(&opening->names, '\n');
}

static void tell(struct opening *opening, enum open_notice_kind kind, struct text path, struct text what)
{
    static const enum virus_class classes[OPEN_NOTICE_COUNT] = { [OPEN_LIMITS] = VIRUS_CLASS_LIMITS,
                                                                 [OPEN_NOT_OPENED] = VIRUS_CLASS_NOT_OPENED,
                                                                 [OPEN_ENCRYPTED] = VIRUS_CLASS_ENCRYPTED };
    part_set(opening, path);
    name_keep(opening, path);
    inspect_add(opening->inspection, classes[kind], TEXT("open"), what);
    part_set(opening, TEXT_NONE);
}

static void lost(struct opening *opening, bool is_hung)
{
    opening->source->is_lost = true;
    opening->source->is_hung = is_hung;
    opening->is_over = true;
    opening->inspection->is_void = true;
    inspect_tell(opening->inspection, SCAN_UNSCANNED, TEXT("the reader of containers ended"));
}

/* --- one container --- */

static bool order_send(struct opening *opening, struct text bytes, uint32_t time_ms)
{
    const struct config *config = opening->config;
    uint64_t most = config->virus.max_scan_bytes;
    struct open_order order = {
        .bytes = bytes.length,
        .file_bytes = config->virus.max_file_bytes,
        .total_bytes = opening->total < most ? most - opening->total : 0,
        .files = opening->files < config->virus.max_files ? config->virus.max_files - opening->files : 0,
        .nesting = config->virus.max_recursion,
        .time_ms = time_ms,
    };
    struct buffer payload = { 0 };
    open_order_put(&order, &payload);
    bool is_good =
        channel_send_now(opening->reader, READER_OPEN, ++opening->last_id, buffer_text(&payload), NULL, 0);
    buffer_free(&payload);
    for (size_t at = 0; is_good && at < bytes.length; at += READER_PIECE)
        is_good = channel_send_now(opening->reader, READER_BYTES, opening->last_id,
                                   text_slice(bytes, at, at + READER_PIECE), NULL, 0);
    return is_good;
}

/* The next frame about this container. False: there will be none. */
static bool frame_get(struct opening *opening, struct frame *out)
{
    uint32_t left_ms = inspect_left_ms(opening->inspection);
    int wait_ms = left_ms > INT32_MAX - MARGIN_MS ? -1 : (int)left_ms + MARGIN_MS;
    if (channel_wait_into(opening->reader, wait_ms, opening->source->packet, out)) {
        for (int i = 0; i < out->fd_count; i++)
            if (out->fds[i] >= 0) close(out->fds[i]);
        if (out->id == opening->last_id) return true;
    }
    lost(opening, inspect_left_ms(opening->inspection) == 0);
    return false;
}

/* A mail in a container: by the engine's parser, and in every way that a program may read it. */
static void mail_look(struct opening *opening, struct text bytes)
{
    if (opening->readings && reading_add_mail(opening->readings, bytes))
        inspect_mail(opening->inspection, bytes);
}

/* A member's bytes, to the engine. */
static bool member_take(struct opening *opening, struct text payload)
{
    struct open_member member;
    struct frame frame;
    bool is_good = open_member_get(payload, &member) && member.bytes <= opening->config->virus.max_file_bytes;
    buffer_clear(&opening->member);
    if (is_good) part_set(opening, member.path);
    if (is_good) name_keep(opening, member.path);
    while (is_good && buffer_length(&opening->member) < member.bytes) {
        if (!frame_get(opening, &frame)) return false;
        uint64_t left = member.bytes - buffer_length(&opening->member);
        is_good = frame.type == READER_BYTES && frame.payload.length > 0 && frame.payload.length <= left;
        if (is_good) buffer_add_text(&opening->member, frame.payload);
    }
    if (!is_good) {
        lost(opening, false);
        return false;
    }
    inspect_bytes(opening->inspection, buffer_text(&opening->member));
    if (opening->extraction)
        extraction_offer(opening->extraction, NULL, buffer_text(&opening->member), TEXT_NONE);
    mail_look(opening, buffer_text(&opening->member));
    part_set(opening, TEXT_NONE);
    if (opening->member.capacity > MEMBER_KEPT) buffer_free(&opening->member);
    return true;
}

static bool notice_take(struct opening *opening, struct text payload, bool is_part)
{
    struct open_notice notice;
    if (!open_notice_get(payload, &notice)) {
        lost(opening, false);
        return false;
    }
    if (is_part || notice.kind != OPEN_NOT_OPENED) tell(opening, notice.kind, notice.path, notice.what);
    return true;
}

static void done_take(struct opening *opening, struct text payload)
{
    struct reader reader = reader_of(payload);
    opening->total += get_u64(&reader);
    opening->files += get_u32(&reader);
    if (!reader_done(&reader)) lost(opening, false);
}

/* Ends early when something was found: then nothing else matters, and the reader is of no more use. */
static void answers_take(struct opening *opening, bool is_part)
{
    struct frame frame;
    bool goes_on = true;
    while (goes_on && frame_get(opening, &frame)) {
        switch (frame.type) {
        case READER_MEMBER:
            goes_on = member_take(opening, frame.payload);
            break;
        case READER_NOTICE:
            goes_on = notice_take(opening, frame.payload, is_part);
            break;
        case READER_DONE:
            done_take(opening, frame.payload);
            return;
        default:
            lost(opening, false);
            return;
        }
        if (inspect_is_over(opening->inspection)) {
            opening->is_over = true;
            return;
        }
    }
}

int opening_reader(struct opening *opening)
{
    struct reader_source *source = opening->source;
    if (!source || source->is_lost) return -1;
    if (opening->reader < 0) opening->reader = source->get(source->context);
    return opening->reader;
}

static void container_open(struct opening *opening, struct text bytes, bool is_part)
{
    uint32_t time_ms = inspect_left_ms(opening->inspection);
    if (time_ms == 0) {
        tell(opening, OPEN_LIMITS, TEXT_NONE, TEXT("time"));
        return;
    }
    if (bytes.length > opening->config->virus.max_scan_bytes) {
        tell(opening, OPEN_LIMITS, TEXT_NONE, TEXT("size of a container"));
        return;
    }
    if (opening_reader(opening) < 0) {
        opening->is_over = true;
        inspect_tell(opening->inspection, SCAN_UNSCANNED, TEXT("containers cannot be opened at present"));
        return;
    }
    if (order_send(opening, bytes, time_ms))
        answers_take(opening, is_part);
    else
        lost(opening, false);
}

void opening_look(struct opening *opening, struct text bytes, bool is_part)
{
    if (!opening->source || !opening->inspection || opening->is_over) return;
    if (inspect_is_over(opening->inspection)) return;
    opening->part = opening->inspection->part;
    enum true_type type = true_type_of(bytes);
    struct text name = text_of(true_type_name(type));
    switch (true_type_opener(type)) {
    case OPENED_BY_READER:
        container_open(opening, bytes, is_part);
        return;
    case OPENED_BY_KEY:
        tell(opening, OPEN_ENCRYPTED, TEXT_NONE, name);
        return;
    case OPENED_BY_NOBODY:
        if (is_part) tell(opening, OPEN_NOT_OPENED, TEXT_NONE, name);
        return;
    case OPENED_BY_NOBODY_NEEDED:
    case OPENED_BY_ENGINE:
        return;
    }
}
