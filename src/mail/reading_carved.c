/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "mail/reading_carved.h"

#include "mail/gap.h"
#include "mail/line_form.h"
#include "mail/reading_inner.h"
#include "mail/reading_trees.h"

enum { WORDS_MOST = 64, PARAGRAPH_LEAST = READING_CARVED_LEAST / 3 * 4 };

/* Where the message's header ends, by the choice that ends it first: no body begins before. */
static size_t header_end(const struct reading_list *list)
{
    size_t end = list->mime->parts[0].header->length;
    for (size_t i = 0; i < list->other_count; i++)
        if (list->others[i]->parts[0].header->length < end) end = list->others[i]->parts[0].header->length;
    return end;
}

/* The part in whose header, body or gap the byte is. */
static const struct mime_part *part_around(const struct mime *mime, size_t offset)
{
    size_t low = 0, high = mime->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (mime->parts[middle].offset <= offset)
            low = middle;
        else
            high = middle;
    }
    const struct mime_part *part = &mime->parts[low];
    return part->header || part->parent == MIME_NO_PARENT ? part : &mime->parts[part->parent];
}

static void word_add(struct reading_list *list, struct text boundary, struct text body)
{
    for (size_t i = 0; i < list->word_count; i++)
        if (text_equal(list->words[i].boundary, boundary) && list->words[i].body.at == body.at) return;
    if (list->word_count == WORDS_MOST)
        finding_add(&list->mime->findings, FINDING_TOO_MANY_PARTS);
    else
        list->words[list->word_count++] = (struct reading_word){ boundary, body };
}

/* A line that our tree has not for a boundary: it may divide the leaf that it stands in, or everything. */
static void stray_take(struct reading_list *list, const struct gap_run *stray)
{
    const struct mime *mime = list->mime;
    struct text message = mime->message;
    size_t next =
        stray->offset + text_find_char(text_slice(message, stray->offset, message.length), '\n') + 1;
    const struct mime_part *part = part_around(mime, next < message.length ? next : stray->offset);
    if (part->offset == next) return;
    struct text body = text_slice(message, header_end(list), message.length);
    part = part_around(mime, stray->offset);
    bool is_inside = stray->bytes.at < part->body.at + part->body.length;
    if (part->kind == MIME_LEAF && part != mime->parts && is_inside) word_add(list, stray->bytes, part->body);
    word_add(list, stray->bytes, body);
}

static void words_find(struct reading_list *list)
{
    struct gap_strays strays;
    list->words = arena_alloc_array(list->arena, WORDS_MOST, sizeof *list->words);
    for (size_t at = header_end(list); gap_next_strays(list->mime->message, at, &strays); at = strays.next)
        for (size_t i = 0; i < strays.count; i++) stray_take(list, &strays.lines[i]);
}

void reading_carved_words(struct reading_list *list)
{
    if (!list->words) words_find(list);
    while (list->word < list->word_count && !list->inner) {
        struct reading_word word = list->words[list->word++];
        reading_inner_body(list, word.body, word.boundary);
    }
}

static bool carve(struct reading_list *list, struct text encoded, enum reading_method method,
                  struct reading *out)
{
    if (!reading_list_is_new(list, encoded, method)) return false;
    struct text bytes = reading_list_decode(list, encoded, method, &list->found);
    if (!reading_list_hand_out(list, out, READING_CARVED, NULL, encoded, method, bytes)) return false;
    if (method != METHOD_IDENTITY) reading_inner_of_bytes(list, NULL, method, bytes);
    return true;
}

/* Each body twice: as it is, unless that is base64 from end to end, then, where it has an escape, as
 * quoted-printable. */
bool reading_carved_bodies(struct reading_list *list, struct reading *out)
{
    struct gap_run run;
    while (list->stage != STAGE_DONE && gap_next_body(list->mime->message, list->at, &run)) {
        bool again = list->method == 1;
        list->method = !again;
        if (again) list->at = run.offset + run.bytes.length;
        if (again ? text_find_char(run.bytes, '=') == run.bytes.length : gap_is_base64(run.bytes)) continue;
        if (carve(list, run.bytes, again ? METHOD_QUOTED : METHOD_IDENTITY, out)) return true;
    }
    return false;
}

/* A paragraph as it is; as base64, in its variants where they are due; a paragraph with an escape as
   quoted-printable likewise.
   False behind the last; else list->method says which is next. */
static bool carve_next(struct reading_list *list, struct text encoded, bool is_paragraph, struct reading *out,
                       bool *out_carved)
{
    static const enum reading_method methods[] = {
        METHOD_IDENTITY,
        METHOD_BASE64,
        METHOD_BASE64 + DECODE_SKIP,
        METHOD_BASE64 + DECODE_STOP,
        METHOD_BASE64 + DECODE_STRICT,
        METHOD_BASE64 + DECODE_LINES,
        METHOD_BASE64 + DECODE_PARAGRAPHS,
        METHOD_BASE64 + DECODE_WHOLE,
        METHOD_QUOTED,
        METHOD_QUOTED_RETURNS,
    };
    *out_carved = false;
    if (list->method == 0) list->found = (struct finding_set){ 0 };
    if (list->method == sizeof methods / sizeof *methods) return false;
    enum reading_method method = methods[list->method++];
    if (method == METHOD_IDENTITY && !is_paragraph) return true;
    bool is_variant = method > METHOD_BASE64 || method == METHOD_QUOTED_RETURNS;
    bool is_quoted = method == METHOD_QUOTED || method == METHOD_QUOTED_RETURNS;
    if (is_variant && !reading_trees_variant_is_due(&list->found, method)) return true;
    if (is_quoted && (!is_paragraph || text_find_char(encoded, '=') == encoded.length)) return true;
    *out_carved = carve(list, encoded, method, out);
    return true;
}

bool reading_carved_paragraphs(struct reading_list *list, struct reading *out)
{
    struct gap_run run;
    struct text message = list->mime->message;
    if (list->at == 0) list->at = header_end(list);
    while (list->stage != STAGE_DONE && gap_next_paragraph(message, list->at, PARAGRAPH_LEAST, &run)) {
        bool carved;
        list->at = run.offset;
        while (list->stage != STAGE_DONE && carve_next(list, run.bytes, true, out, &carved))
            if (carved) return true;
        list->method = 0;
        list->at = run.offset + run.bytes.length;
        struct text behind = gap_behind_fields(run.bytes);
        if (behind.length > 0 && carve(list, behind, METHOD_IDENTITY, out)) return true;
    }
    return false;
}

bool reading_carved_runs(struct reading_list *list, struct reading *out)
{
    struct gap_run run;
    while (list->stage != STAGE_DONE && gap_next_run(list->mime->message, list->at, &run)) {
        bool carved;
        list->at = run.offset;
        while (list->stage != STAGE_DONE && carve_next(list, run.bytes, false, out, &carved))
            if (carved) return true;
        list->method = 0;
        list->at = run.offset + run.bytes.length;
        struct text regular = gap_regular_lines(run.bytes);
        if (regular.length < run.bytes.length && carve(list, regular, METHOD_BASE64, out)) return true;
    }
    return false;
}

bool reading_carved_blocks(struct reading_list *list, struct reading *out)
{
    static const enum reading_method methods[] = {
        [DECODE_UUENCODE] = METHOD_UUENCODE, [DECODE_BASE64] = METHOD_BASE64, [DECODE_YENC] = METHOD_YENC
    };
    struct decode_block *block = &list->block;
    while (list->stage != STAGE_DONE && decode_find_block(list->mime->message, list->at, block)) {
        list->at = block->next;
        if (carve(list, block->data, methods[block->form], out)) return true;
    }
    return false;
}

/* The first block that is yEnc at or behind list->at. */
static bool yenc_find(struct reading_list *list)
{
    while (decode_find_block(list->mime->message, list->at, &list->block)) {
        list->at = list->block.next;
        if (list->block.form == DECODE_YENC) return true;
    }
    return false;
}

bool reading_carved_joined(struct reading_list *list, struct reading *out)
{
    unsigned blocks = 0;
    if (list->at > 0) return false;
    struct buffer *room = reading_list_room(list);
    while (yenc_find(list)) {
        struct text data = list->block.data;
        buffer_commit(room, decode_yenc(data, buffer_reserve(room, decode_room(data.length))));
        blocks++;
    }
    list->at = 1;
    return blocks > 1 && reading_list_hand_out(list, out, READING_CARVED, NULL, list->block.data, METHOD_YENC,
                                               buffer_text(room));
}

bool reading_carved_uu_lines(struct reading_list *list, struct reading *out)
{
    struct text message = list->mime->message, lines;
    for (; list->method < 2; list->method++, list->at = 0) {
        bool is_one = list->method == 1;
        while (decode_find_uu_lines(message, list->at, READING_CARVED_LEAST, is_one, &lines)) {
            list->at = (size_t)(lines.at - message.at) + lines.length;
            if (carve(list, lines, METHOD_UUENCODE_LOOSE, out)) return true;
            if (list->stage == STAGE_DONE) return false;
        }
    }
    return false;
}

bool reading_carved_binhex(struct reading_list *list, struct reading *out)
{
    struct text message = list->mime->message, file;
    while (list->stage != STAGE_DONE && decode_find_binhex(message, list->at, &file)) {
        list->at = (size_t)(file.at - message.at) + file.length;
        if (carve(list, file, METHOD_IDENTITY, out)) return true;
    }
    return false;
}

bool reading_carved_quoted(struct reading_list *list, struct reading *out)
{
    struct text message = list->mime->message;
    if (list->at > 0 || text_find_char(message, '=') == message.length) return false;
    list->at = 1;
    return reading_list_hand_out(list, out, READING_CARVED, NULL, message, METHOD_QUOTED,
                                 reading_list_decode(list, message, METHOD_QUOTED, NULL));
}

/* Whoever reads the message so has another one: what is in doubt there is not in this one. */
void reading_carved_returns(struct reading_list *list)
{
    struct text message = list->mime->message;
    while (list->at < 2 && !list->inner && line_form_has_return(message)) {
        bool is_end = list->at++ == 0;
        if (!reading_inner_may_copy(list, 2 * message.length)) return;
        char *bytes = arena_alloc(list->arena, 2 * message.length);
        size_t length = line_form_write_returns(message, is_end, bytes);
        reading_inner_kept_mail(list, text_from(bytes, length));
    }
}
