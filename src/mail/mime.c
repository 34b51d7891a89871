/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Walks a message once, from boundary line to boundary line, with a stack of open containers. A header is
   read when its part begins, a body is never looked at except for text that may hold uuencode. */
#include "mail/mime.h"

#include "mail/boundary.h"
#include "mail/content_fields.h"
#include "mail/decode.h"
#include "mail/gap.h"
#include "mail/line_form.h"

const struct mime_limits mime_limits_default = {
    .parts = 10000,
    .depth = 32,
    .header_bytes = 2 << 20,
    .header_fields = 100000,
    .parameters = 200,
    .notes = 200,
    .decoded_bytes = 256 << 20,
};

enum { NO_LEAF = UINT32_MAX };

struct walk {
    struct arena *arena;
    struct mime *mime;
    const struct mime_limits *limits;
    enum mime_choice choice;
    struct boundary_stack stack;
    struct boundary_search search;
    size_t part_room, note_room;
    uint32_t leaf;    /* the leaf whose body is being passed, or NO_LEAF: in a preamble or epilogue */
    size_t gap_start; /* where that began */
};

static struct mime_part *part_at(struct walk *walk, uint32_t index)
{
    return &walk->mime->parts[index];
}

/* Twice the room of an array in the arena; the old one stays there until the arena ends. */
static void *room_double(struct arena *arena, const void *items, size_t count, size_t size, size_t *room)
{
    *room = *room ? *room * 2 : 4;
    void *larger = arena_alloc_array(arena, *room, size);
    if (count > 0) memcpy(larger, items, count * size);
    return larger;
}

static void add_note(struct walk *walk, uint32_t index, enum finding finding, size_t offset)
{
    struct mime *mime = walk->mime;
    finding_add(&mime->findings, finding);
    if (mime->note_count >= walk->limits->notes) return;
    if (mime->note_count == walk->note_room)
        mime->notes =
            room_double(walk->arena, mime->notes, mime->note_count, sizeof *mime->notes, &walk->note_room);
    mime->notes[mime->note_count++] = (struct mime_note){ finding, index, offset };
}

/* Once for each part and finding. */
static void note(struct walk *walk, uint32_t index, enum finding finding, size_t offset)
{
    struct mime_part *part = part_at(walk, index);
    if (finding_has(&part->findings, finding)) return;
    finding_add(&part->findings, finding);
    add_note(walk, index, finding, offset);
}

/* What the header and its values brought. */
static void note_header(struct walk *walk, uint32_t index)
{
    struct mime_part *part = part_at(walk, index);
    for (int word = 0; word < 2; word++)
        for (uint64_t bits = part->findings.bits[word]; bits; bits &= bits - 1)
            add_note(walk, index, (enum finding)(word * 64 + __builtin_ctzll(bits)), part->offset);
}

static uint32_t part_new(struct walk *walk, uint32_t parent, size_t offset)
{
    struct mime *mime = walk->mime;
    if (mime->count == walk->part_room)
        mime->parts =
            room_double(walk->arena, mime->parts, mime->count, sizeof *mime->parts, &walk->part_room);
    struct mime_part *part = &mime->parts[mime->count];
    part->parent = parent;
    part->offset = offset;
    if (parent != MIME_NO_PARENT) {
        part->depth = mime->parts[parent].depth + 1;
        mime->parts[parent].children++;
    }
    return (uint32_t)mime->count++;
}

/* Where the bytes end that can belong to the header of a part that begins at `offset`: behind its empty
   line, or before the next boundary. */
static size_t header_end(struct walk *walk, size_t offset)
{
    struct text message = walk->mime->message;
    struct boundary_line line;
    if (walk->stack.count == 0) return message.length;
    while (offset < message.length) {
        const char *at = message.at + offset;
        if (*at == '-' && boundary_at(&walk->stack, message, offset, &walk->search, &line)) return offset;
        const char *feed = char_find_near(at, '\n', message.length - offset);
        if (!feed) return message.length;
        offset = (size_t)(feed + 1 - message.at);
        if (feed == at || (feed == at + 1 && *at == '\r')) return offset;
    }
    return message.length;
}

/* Where the first line that has something on it begins. */
static size_t behind_empty_lines(struct text message, size_t offset)
{
    size_t at = offset;
    while (at < message.length &&
           (char_is_blank(message.at[at]) || message.at[at] == '\r' || message.at[at] == '\n')) {
        if (message.at[at] == '\n') offset = at + 1;
        at++;
    }
    return offset;
}

/* Reads the header; the body begins behind it and has no end yet. */
static void read_header(struct walk *walk, uint32_t index)
{
    struct mime_part *part = part_at(walk, index);
    struct header *header = arena_alloc(walk->arena, sizeof *header);
    bool last = walk->choice == MIME_LAST;
    struct header_limits limits = { walk->limits->header_bytes, walk->limits->header_fields, last, last,
                                    walk->choice == MIME_SHORT };
    struct text message = walk->mime->message;
    bool is_headless = index == 0 && walk->mime->is_body;
    size_t end = is_headless ? 0 : header_end(walk, part->offset);
    size_t behind = is_headless ? part->offset : behind_empty_lines(message, part->offset);
    bool is_empty = behind > part->offset && gap_has_field_in(text_slice(message, behind, message.length));
    if (is_empty && last) {
        part->offset = behind;
        end = header_end(walk, behind);
    }
    struct text bytes = text_slice(message, part->offset, end);
    header_parse(walk->arena, bytes, &limits, header);
    part->header = header;
    part->findings = header->findings;
    if (is_empty) finding_add(&part->findings, FINDING_HEADER_EMPTY);
    part->body = text_slice(message, part->offset + header->body_offset, part->offset + header->body_offset);
    bool in_digest = part->parent != MIME_NO_PARENT &&
                     text_equal(part_at(walk, part->parent)->type, TEXT("multipart/digest"));
    content_fields_read(walk->arena, walk->limits, walk->choice, in_digest, walk->mime->declared, part);
    if (is_headless && walk->mime->boundary.length > 0) part->type = TEXT("multipart/mixed");
    if (is_headless) part->boundary = walk->mime->boundary;
    bool is_text = index == 0 || text_starts(part->type, TEXT("text/"));
    if (is_text && walk->mime->declared.length == 0) walk->mime->declared = part->charset;
    note_header(walk, index);
}

static size_t body_start(struct walk *walk, uint32_t index)
{
    return (size_t)(part_at(walk, index)->body.at - walk->mime->message.at);
}

/* Without a boundary parameter some programs take the first line that looks like one. TEXT_NONE when there is
   none. */
static struct text guess_boundary(struct walk *walk, uint32_t index)
{
    struct text rest = text_slice(walk->mime->message, body_start(walk, index), walk->mime->message.length);
    if (!text_starts(rest, TEXT("--"))) {
        size_t hit = text_find(rest, TEXT("\n--"));
        if (hit == rest.length) return TEXT_NONE;
        rest = text_slice(rest, hit + 1, rest.length);
    }
    rest = text_trim(text_slice(rest, 2, text_find_char(rest, '\n')));
    return rest;
}

static bool begins_other(struct text a, struct text b)
{
    return text_starts(a, b) || text_starts(b, a);
}

static void look_for_ambiguity(struct walk *walk, uint32_t index)
{
    struct text boundary = part_at(walk, index)->boundary;
    for (size_t i = 0; i < walk->stack.count; i++) {
        const struct boundary_frame *frame = &walk->stack.frames[i];
        if (!frame->is_message && !frame->closed && begins_other(frame->text, boundary))
            note(walk, index, FINDING_AMBIGUOUS_BOUNDARY, part_at(walk, index)->offset);
    }
}

static void push(struct walk *walk, uint32_t index, struct text boundary)
{
    boundary_frame_set(&walk->stack.frames[walk->stack.count++], index, boundary);
}

static enum mime_kind kind_of(const struct mime_part *part)
{
    if (text_starts(part->type, TEXT("multipart/"))) return MIME_MULTIPART;
    if (finding_has(&part->findings, FINDING_ENCODED_CONTAINER)) return MIME_LEAF;
    bool message = text_equal(part->type, TEXT("message/rfc822")) ||
                   text_equal(part->type, TEXT("message/global")) ||
                   text_equal(part->type, TEXT("message/news"));
    return message ? MIME_MESSAGE : MIME_LEAF;
}

/* A message with nothing in it has no part inside. */
static bool is_empty_at(struct walk *walk, size_t offset)
{
    struct boundary_line line;
    return offset >= walk->mime->message.length ||
           boundary_at(&walk->stack, walk->mime->message, offset, &walk->search, &line);
}

/* Makes the part a container when it is one. True when a message inside begins at its body. */
static bool open_container(struct walk *walk, uint32_t index)
{
    struct mime_part *part = part_at(walk, index);
    enum mime_kind kind = kind_of(part);
    walk->leaf = index;
    if (kind == MIME_LEAF) return false;
    if (walk->stack.count >= walk->limits->depth) {
        note(walk, index, FINDING_NESTED_TOO_DEEP, part->offset);
        return false;
    }
    if (kind == MIME_MESSAGE) {
        if (is_empty_at(walk, body_start(walk, index))) return false;
        part->kind = kind;
        push(walk, index, TEXT_NONE);
        return true;
    }
    if (part->boundary.length == 0 && walk->choice == MIME_LAST) part->boundary = guess_boundary(walk, index);
    bool is_empty = part->boundary.at && walk->choice == MIME_LAST;
    if (part->boundary.length == 0 && !is_empty) return false;
    part->kind = kind;
    look_for_ambiguity(walk, index);
    push(walk, index, part->boundary);
    walk->leaf = NO_LEAF;
    walk->gap_start = body_start(walk, index);
    return false;
}

/* The rest of the message becomes one part that nobody looks into. */
static size_t open_rest(struct walk *walk, uint32_t index)
{
    struct mime_part *part = part_at(walk, index);
    part->type = TEXT("application/octet-stream");
    part->body = text_slice(walk->mime->message, part->offset, part->offset);
    note(walk, index, FINDING_TOO_MANY_PARTS, part->offset);
    walk->leaf = index;
    return walk->mime->message.length;
}

/* A part begins at `offset`, and with it perhaps messages inside messages. Returns where to go on. */
static size_t open_part(struct walk *walk, uint32_t parent, size_t offset)
{
    for (;;) {
        uint32_t index = part_new(walk, parent, offset);
        if (index > 0 && walk->mime->count >= walk->limits->parts) return open_rest(walk, index);
        read_header(walk, index);
        offset = body_start(walk, index);
        if (!open_container(walk, index)) return offset;
        parent = index;
    }
}

/* A part that is a piece of the text in part `index`; NULL when there are too many. */
static struct mime_part *piece_new(struct walk *walk, uint32_t index, size_t offset, size_t length)
{
    if (walk->mime->count >= walk->limits->parts) {
        note(walk, index, FINDING_TOO_MANY_PARTS, offset);
        return NULL;
    }
    struct mime_part *part = part_at(walk, part_new(walk, index, offset));
    part->length = length;
    return part;
}

/* Blocks in a text are parts too: many programs show them as attachments. */
static void find_blocks(struct walk *walk, uint32_t index)
{
    static const enum mime_encoding encodings[] = {
        [DECODE_UUENCODE] = MIME_UUENCODE, [DECODE_BASE64] = MIME_BASE64, [DECODE_YENC] = MIME_YENC
    };
    struct decode_block block = { 0 };
    struct text body = part_at(walk, index)->body;
    size_t base = body_start(walk, index);
    for (size_t at = 0; decode_find_block(body, at, &block); at = block.next) {
        bool is_yenc = block.form == DECODE_YENC;
        size_t data_end = (size_t)(block.data.at - body.at) + block.data.length;
        size_t end = is_yenc ? data_end : block.next;
        note(walk, index, is_yenc ? FINDING_YENC_IN_TEXT : FINDING_UUENCODE_IN_TEXT, base + block.offset);
        if (!block.ended && !is_yenc) note(walk, index, FINDING_UUENCODE_NO_END, base + block.offset);
        struct mime_part *part = piece_new(walk, index, base + block.offset, end - block.offset);
        if (!part) return;
        part->type = TEXT("application/octet-stream");
        part->name = block.name;
        part->encoding = encodings[block.form];
        part->encoding_text = text_of(mime_encoding_name(part->encoding));
        part->body = block.data;
    }
}

/* Likewise, but the engine decodes them. */
static void find_binhex(struct walk *walk, uint32_t index)
{
    struct text body = part_at(walk, index)->body, file;
    size_t base = body_start(walk, index);
    for (size_t at = 0; decode_find_binhex(body, at, &file);) {
        size_t offset = (size_t)(file.at - body.at);
        at = offset + file.length;
        note(walk, index, FINDING_BINHEX_IN_TEXT, base + offset);
        struct mime_part *part = piece_new(walk, index, base + offset, file.length);
        if (!part) return;
        part->type = TEXT("application/mac-binhex40");
        part->encoding_text = text_of(mime_encoding_name(part->encoding));
        part->body = file;
    }
}

/* The end of the block at or behind `from` that the lines are data of; 0: of none. */
static size_t behind_block(struct text body, size_t from, struct text lines)
{
    struct decode_block block = { 0 };
    if (!decode_find_block(body, from, &block)) return 0;
    lines = text_trim(lines);
    bool is_data = lines.at >= block.data.at && lines.at + lines.length <= block.data.at + block.data.length;
    return is_data ? block.next : 0;
}

/* What some program decodes though nothing says that it should. */
static void look_for_lines(struct walk *walk, uint32_t index)
{
    enum { DIGITS_LEAST = 54, BYTES_LEAST = 40 };
    struct text body = part_at(walk, index)->body, lines;
    bool is_own = part_at(walk, index)->parent == MIME_NO_PARENT || part_at(walk, index)->header;
    if (is_own && gap_has_field_in(text_slice(body, behind_empty_lines(body, 0), body.length)))
        note(walk, index, FINDING_HEADER_AGAIN, body_start(walk, index));
    enum mime_encoding encoding = part_at(walk, index)->encoding;
    if (encoding != MIME_BASE64 && gap_has_base64(body, DIGITS_LEAST, encoding == MIME_QUOTED_PRINTABLE))
        note(walk, index, FINDING_BASE64_IN_TEXT, body_start(walk, index));
    if (!decode_has_uu_lines(body, BYTES_LEAST)) return;
    for (size_t at = 0; decode_find_uu_lines(body, at, BYTES_LEAST, false, &lines);) {
        at = behind_block(body, at, lines);
        if (at == 0)
            note(walk, index, FINDING_UUENCODE_NO_BEGIN, (size_t)(lines.at - walk->mime->message.at));
        if (at == 0) break;
    }
}

static void finish_leaf(struct walk *walk, uint32_t index)
{
    struct mime_part *part = part_at(walk, index);
    bool identity = part->encoding == MIME_IDENTITY || part->encoding == MIME_UNKNOWN_ENCODING;
    if (part->kind != MIME_LEAF) return;
    look_for_lines(walk, index);
    if (!identity || !text_starts(part->type, TEXT("text/"))) return;
    if (part->body.length && memchr(part->body.at, '\0', part->body.length))
        note(walk, index, FINDING_BODY_NUL, body_start(walk, index));
    find_blocks(walk, index);
    find_binhex(walk, index);
}

static void close_part(struct walk *walk, uint32_t index, size_t end)
{
    struct mime_part *part = part_at(walk, index);
    size_t start = body_start(walk, index);
    part->body.length = end > start ? end - start : 0;
    part->length = (end > start ? end : start) - part->offset;
}

/* Preamble or epilogue of the innermost container ends here. */
static void close_gap(struct walk *walk, size_t end)
{
    if (walk->leaf != NO_LEAF || walk->stack.count == 0) return;
    struct boundary_frame *frame = &walk->stack.frames[walk->stack.count - 1];
    struct text gap = text_trim(text_slice(walk->mime->message, walk->gap_start, end));
    if (gap.length == 0) return;
    note(walk, frame->part, frame->met ? FINDING_EPILOGUE : FINDING_PREAMBLE, walk->gap_start);
    if (gap_looks_like_content(gap)) note(walk, frame->part, FINDING_BYTES_BETWEEN_PARTS, walk->gap_start);
}

/* Ends the leaf and every container above the lowest `keep` of the stack. */
static void close_above(struct walk *walk, size_t keep, size_t end)
{
    close_gap(walk, end);
    while (walk->stack.count > keep) {
        struct boundary_frame *frame = &walk->stack.frames[--walk->stack.count];
        close_part(walk, frame->part, end);
        if (frame->is_message || frame->closed) continue;
        enum finding unclosed = keep > 0 ? FINDING_NO_CLOSING_BOUNDARY : FINDING_TRUNCATED_MULTIPART;
        note(walk, frame->part, frame->met ? unclosed : FINDING_BOUNDARY_UNUSED, end);
    }
    if (walk->leaf == NO_LEAF) return;
    close_part(walk, walk->leaf, end);
    finish_leaf(walk, walk->leaf);
    walk->leaf = NO_LEAF;
}

/* The line end before a boundary belongs to the boundary, unless a header or another boundary ends in it. RFC
   2046 section 5.1.1. */
static size_t before_line_end(struct text message, size_t from, size_t at)
{
    if (at > from && message.at[at - 1] == '\n') at--;
    if (at > from && message.at[at - 1] == '\r') at--;
    return at;
}

static void note_search(struct walk *walk)
{
    uint32_t index = walk->leaf != NO_LEAF ? walk->leaf : walk->stack.frames[walk->stack.count - 1].part;
    struct boundary_search *search = &walk->search;
    if (search->prefix_line != SIZE_MAX) note(walk, index, FINDING_BOUNDARY_PREFIX, search->prefix_line);
    if (search->reopen_line != SIZE_MAX)
        note(walk, index, FINDING_DELIMITER_AFTER_CLOSE, search->reopen_line);
    if (search->stray_line != SIZE_MAX) note(walk, index, FINDING_STRAY_BOUNDARY, search->stray_line);
    search->prefix_line = search->reopen_line = search->stray_line = SIZE_MAX;
}

/* `from` is where the search for the line began. Returns where to go on. */
static size_t take_boundary(struct walk *walk, size_t from, const struct boundary_line *line)
{
    struct boundary_frame *frame = &walk->stack.frames[line->frame];
    close_above(walk, line->frame + 1, before_line_end(walk->mime->message, from, line->start));
    frame->met = true;
    frame->closed = line->closing;
    walk->gap_start = line->end;
    return line->closing ? line->end : open_part(walk, frame->part, line->end);
}

/* `mime` has what is to be read, and how. */
static struct mime *parse(struct arena *arena, struct mime *mime, enum mime_choice choice)
{
    const struct mime_limits *limits = mime->limits;
    struct text message = mime->message;
    struct walk walk = { .arena = arena, .mime = mime, .limits = limits, .choice = choice, .leaf = NO_LEAF };
    walk.stack.frames = arena_alloc_array(arena, limits->depth + 1, sizeof *walk.stack.frames);
    walk.search =
        (struct boundary_search){ choice == MIME_LAST, choice == MIME_LAST, SIZE_MAX, SIZE_MAX, SIZE_MAX };
    size_t at = open_part(&walk, MIME_NO_PARENT, 0);
    struct boundary_line line;
    for (bool found = true; found;) {
        found = boundary_next(&walk.stack, message, at, &walk.search, &line);
        note_search(&walk);
        if (found) at = take_boundary(&walk, at, &line);
    }
    close_above(&walk, 0, message.length);
    if (line_form_has_return(message)) add_note(&walk, 0, FINDING_BODY_BARE_CR, 0);
    return mime;
}

static struct mime *mime_new(struct arena *arena, struct text message, const struct mime_limits *limits)
{
    struct mime *mime = arena_alloc(arena, sizeof *mime);
    mime->message = message.at ? message : TEXT("");
    mime->limits = limits;
    return mime;
}

struct mime *mime_parse(struct arena *arena, struct text message, const struct mime_limits *limits,
                        enum mime_choice choice)
{
    return parse(arena, mime_new(arena, message, limits), choice);
}

struct mime *mime_parse_body(struct arena *arena, struct text body, struct text boundary,
                             const struct mime_limits *limits, enum mime_choice choice)
{
    struct mime *mime = mime_new(arena, body, limits);
    mime->is_body = true;
    mime->boundary = boundary;
    return parse(arena, mime, choice);
}

struct mime *mime_parse_again(struct arena *arena, const struct mime *mime, enum mime_choice choice)
{
    if (!mime->is_body) return mime_parse(arena, mime->message, mime->limits, choice);
    return mime_parse_body(arena, mime->message, mime->boundary, mime->limits, choice);
}

static size_t decode_uu_part(struct text body, char *room, struct finding_set *findings)
{
    struct decode_block block = { 0 };
    if (!decode_find_block(body, 0, &block)) return decode_uuencode(body, room, findings);
    if (block.form == DECODE_BASE64) return decode_base64(block.data, DECODE_RESTART, room, findings);
    if (block.form == DECODE_YENC) return decode_yenc(block.data, room);
    return decode_uuencode(block.data, room, findings);
}

struct text mime_decode(const struct mime_part *part, struct buffer *room, struct finding_set *findings)
{
    bool identity = part->encoding == MIME_IDENTITY || part->encoding == MIME_UNKNOWN_ENCODING;
    if (identity || part->body.length == 0) return part->body;
    buffer_clear(room);
    char *to = buffer_reserve(room, decode_room(part->body.length));
    size_t length = 0;
    switch (part->encoding) {
    case MIME_BASE64:
        length = decode_base64(part->body, DECODE_RESTART, to, findings);
        break;
    case MIME_QUOTED_PRINTABLE:
        length = decode_quoted(part->body, to, findings);
        break;
    case MIME_UUENCODE:
        length = part->header ? decode_uu_part(part->body, to, findings)
                              : decode_uuencode(part->body, to, findings);
        break;
    case MIME_YENC:
        length = decode_yenc(part->body, to);
        break;
    case MIME_IDENTITY:
    case MIME_UNKNOWN_ENCODING:
        break;
    }
    buffer_commit(room, length);
    return buffer_text(room);
}

bool mime_part_is_file(const struct mime_part *part)
{
    if (part->kind != MIME_LEAF) return false;
    return part->name.length > 0 || text_equal(part->disposition, TEXT("attachment")) ||
           !(text_starts(part->type, TEXT("text/")) || text_starts(part->type, TEXT("multipart/")));
}

const char *mime_encoding_name(enum mime_encoding encoding)
{
    static const char *const names[] = { "identity", "base64", "quoted-printable",
                                         "uuencode", "yenc",   "unknown" };
    return names[encoding];
}
