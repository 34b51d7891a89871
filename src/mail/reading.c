/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goes through stages, each a cheap walk over parts or bytes; the stages behind the first are entered
   only when a finding asks for them. What was handed out once is not decoded again. */
#include "mail/reading.h"

#include "mail/decode.h"
#include "mail/exposure.h"
#include "mail/gap.h"
#include "mail/signed.h"

/* A carved run of fewer bytes can hold nothing that does harm. */
enum { OTHERS_MOST = 2, NESTED_MOST = 3, CARVED_LEAST = 40, PARAGRAPH_LEAST = CARVED_LEAST / 3 * 4 };

enum stage {
    STAGE_PARTS,      /* the tree's leaves */
    STAGE_OTHERS,     /* the leaves of the other choices' trees */
    STAGE_METHODS,    /* the leaves of all, decoded otherwise */
    STAGE_BODIES,     /* what any header could stand before, as it is and as quoted-printable */
    STAGE_PARAGRAPHS, /* each as base64 and quoted-printable, whatever it looks like */
    STAGE_RUNS,       /* base64 anywhere */
    STAGE_BLOCKS,     /* uuencode and yEnc anywhere */
    STAGE_BINHEX,
    STAGE_QUOTED, /* the whole message as quoted-printable */
    STAGE_DONE
};

enum method {
    METHOD_IDENTITY,
    METHOD_QUOTED,
    METHOD_UUENCODE,
    METHOD_YENC,
    METHOD_BASE64, /* plus a decode_base64_mode */
    METHOD_COUNT = METHOD_BASE64 + DECODE_MODES
};

static const char *const method_names[METHOD_COUNT] = {
    "identity", "quoted-printable", "uuencode",    "yenc",
    "base64",   "base64-skip",      "base64-stop", "base64-strict",
};

/* What was handed out: offset, length and method, mixed into one number. Open addressing, 0 is free. */
struct seen {
    uint64_t *keys;
    size_t count, room;
};

/* What may still be handed out, shared with the lists inside. */
struct budget {
    size_t bytes;
    size_t extras; /* readings that are no parts of the first tree */
};

struct reading_list {
    struct arena *arena;
    struct mime *mime, *others[OTHERS_MOST]; /* the tree of the first choice, those of other choices */
    size_t other_count;
    struct mime *short_tree; /* MIME_SHORT's among the others, or NULL */
    enum stage stage;
    size_t part; /* index among the parts of the stage's trees */
    size_t method, at;
    struct decode_block block; /* the last one found */
    struct seen seen;
    struct buffer rooms[2]; /* the reading before stays, to be compared */
    struct text before;
    const struct buffer *held; /* the one that `before` lies in; any when it lies elsewhere */
    struct budget own_budget, *budget;
    struct reading_list *inner; /* a message that was itself encoded */
    unsigned nested;
    struct exposure exposure;
};

struct reading_list *reading_open(struct arena *arena, struct mime *mime)
{
    struct reading_list *list = arena_alloc(arena, sizeof *list);
    list->arena = arena;
    list->mime = mime;
    list->own_budget = (struct budget){ mime->limits->decoded_bytes, mime->limits->parts };
    list->budget = &list->own_budget;
    list->exposure.arena = arena;
    return list;
}

void reading_close(struct reading_list *list)
{
    for (; list; list = list->inner) {
        buffer_free(&list->rooms[0]);
        buffer_free(&list->rooms[1]);
    }
}

static uint64_t key_of(size_t offset, size_t length, enum method method)
{
    uint64_t key = (offset * 0x9e3779b97f4a7c15u) ^ (length * 0xc2b2ae3d27d4eb4fu) ^ (method + 1);
    key = (key ^ key >> 29) * 0xbf58476d1ce4e5b9u;
    return key ? key : 1;
}

static void seen_place(struct seen *seen, uint64_t key)
{
    size_t at = key & (seen->room - 1);
    while (seen->keys[at] != 0) at = (at + 1) & (seen->room - 1);
    seen->keys[at] = key;
}

static void seen_grow(struct arena *arena, struct seen *seen)
{
    struct seen wider = { .room = seen->room ? seen->room * 2 : 64 };
    wider.keys = arena_alloc_array(arena, wider.room, sizeof *wider.keys);
    wider.count = seen->count;
    for (size_t i = 0; i < seen->room; i++)
        if (seen->keys[i]) seen_place(&wider, seen->keys[i]);
    *seen = wider;
}

/* True when it was not there yet. Blanks around the bytes make no difference. */
static bool seen_add(struct reading_list *list, struct text encoded, enum method method)
{
    struct seen *seen = &list->seen;
    encoded = text_trim(encoded);
    if (encoded.length == 0) return false;
    if (seen->count * 2 >= seen->room) seen_grow(list->arena, seen);
    uint64_t key = key_of((size_t)(encoded.at - list->mime->message.at), encoded.length, method);
    for (size_t at = key & (seen->room - 1); seen->keys[at]; at = (at + 1) & (seen->room - 1))
        if (seen->keys[at] == key) return false;
    seen_place(seen, key);
    seen->count++;
    return true;
}

static enum method method_of(const struct mime_part *part)
{
    switch (part->encoding) {
    case MIME_BASE64:
        return METHOD_BASE64;
    case MIME_QUOTED_PRINTABLE:
        return METHOD_QUOTED;
    case MIME_UUENCODE:
        return METHOD_UUENCODE;
    case MIME_YENC:
        return METHOD_YENC;
    case MIME_IDENTITY:
    case MIME_UNKNOWN_ENCODING:
        break;
    }
    return METHOD_IDENTITY;
}

/* The room that does not hold what was handed out last. */
static struct buffer *next_room(struct reading_list *list)
{
    struct buffer *room = &list->rooms[list->held == &list->rooms[0]];
    buffer_clear(room);
    return room;
}

static struct text decode_by(struct reading_list *list, struct text encoded, enum method method,
                             struct finding_set *findings)
{
    if (method == METHOD_IDENTITY || encoded.length == 0) return encoded;
    struct buffer *room = next_room(list);
    char *to = buffer_reserve(room, decode_room(encoded.length));
    size_t length = method == METHOD_QUOTED ? decode_quoted(encoded, to, findings)
                    : method == METHOD_YENC ? decode_yenc(encoded, to)
                    : method == METHOD_UUENCODE
                        ? decode_uuencode(encoded, to, findings)
                        : decode_base64(encoded, method - METHOD_BASE64, to, findings);
    buffer_commit(room, length);
    return buffer_text(room);
}

static bool give_up(struct reading_list *list)
{
    finding_add(&list->mime->findings, FINDING_DECODED_TOO_LARGE);
    *list->budget = (struct budget){ 0 };
    list->stage = STAGE_DONE;
    return false;
}

static enum exposure_method exposure_method_of(const struct reading_list *list, enum method method)
{
    static const enum exposure_method methods[METHOD_COUNT] = {
        [METHOD_QUOTED] = EXPOSURE_QUOTED,
        [METHOD_UUENCODE] = EXPOSURE_BLOCK,
        [METHOD_YENC] = EXPOSURE_BLOCK,
    };
    if (list->stage == STAGE_BINHEX) return EXPOSURE_BLOCK;
    return method >= METHOD_BASE64 ? EXPOSURE_BASE64 : methods[method];
}

/* Runs begin wherever a line looks like base64, in the middle of a header too, and the whole message as
   quoted-printable is what nobody sends: of these only a mark counts. */
static bool looks_encoded(const struct reading_list *list, struct text encoded, enum exposure_method method)
{
    struct text message = list->mime->message;
    if (method == EXPOSURE_IDENTITY || list->stage == STAGE_RUNS || list->stage == STAGE_QUOTED) return false;
    if (method == EXPOSURE_BLOCK) return true;
    if (method == EXPOSURE_QUOTED) return gap_is_quoted(encoded);
    return gap_is_base64(encoded) && !gap_is_armoured(message, (size_t)(encoded.at - message.at));
}

static bool part_is_in(const struct mime *mime, const struct mime_part *part)
{
    return part >= mime->parts && part < mime->parts + mime->count;
}

static void expose(struct reading_list *list, const struct mime_part *part, struct text encoded,
                   enum method method, struct text bytes)
{
    struct text core = text_trim(encoded);
    struct exposure_view view = {
        .part = part,
        .start = (size_t)(core.at - list->mime->message.at),
        .method = exposure_method_of(list, method),
        .is_leaf = list->stage <= STAGE_OTHERS,
        .has_fields = part && list->short_tree && part_is_in(list->short_tree, part),
        .bytes = bytes,
    };
    view.end = view.start + core.length;
    view.is_encoded = looks_encoded(list, core, view.method);
    if (list->stage == STAGE_PARTS)
        exposure_add_part(&list->exposure, &view);
    else if (!list->exposure.has_hidden)
        exposure_add_other(&list->exposure, &view);
}

/* Checks and charges what is about to be handed out. */
static bool hand_out(struct reading_list *list, struct reading *out, enum reading_kind kind,
                     const struct mime_part *part, struct text encoded, enum method method, struct text bytes)
{
    bool extra = kind != READING_PART || list->nested > 0;
    if (bytes.length < (kind == READING_CARVED ? (size_t)CARVED_LEAST : 1)) return false;
    if (text_equal(bytes, list->before) && list->stage != STAGE_PARTS) return false;
    if (bytes.length > list->budget->bytes || (extra && list->budget->extras == 0)) return give_up(list);
    list->budget->bytes -= bytes.length;
    list->budget->extras -= extra;
    list->before = bytes;
    if (bytes.at == buffer_text(&list->rooms[0]).at) list->held = &list->rooms[0];
    if (bytes.at == buffer_text(&list->rooms[1]).at) list->held = &list->rooms[1];
    expose(list, part, encoded, method, bytes);
    size_t offset = (size_t)(encoded.at - list->mime->message.at);
    *out = (struct reading){ kind, part, offset, method_names[method], bytes };
    return true;
}

/* `part` is a leaf or container of the outer message. */
static void inner_begin(struct reading_list *list, const struct mime_part *part, struct text message)
{
    list->before = TEXT_NONE;
    struct mime *mime = mime_parse(list->arena, message, list->mime->limits, MIME_FIRST);
    finding_merge(&list->mime->findings, &mime->findings);
    list->inner = reading_open(list->arena, mime);
    list->inner->budget = list->budget;
    list->inner->nested = list->nested + 1;
    bool is_file = part->kind == MIME_LEAF && exposure_is_file_type(part->type);
    list->inner->exposure.is_secret = list->exposure.is_secret || list->stage != STAGE_PARTS || !is_file;
}

static bool is_signed_part(const struct mime_part *part)
{
    return text_equal(part->type, TEXT("application/pkcs7-mime")) ||
           text_equal(part->type, TEXT("application/x-pkcs7-mime")) ||
           text_ends_nocase(part->name, TEXT(".p7m"));
}

/* The message inside S/MIME signed data. */
static void open_signed(struct reading_list *list, const struct mime_part *part)
{
    struct buffer content = { 0 };
    if (list->inner || !is_signed_part(part)) return;
    enum signed_outcome outcome = signed_content(mime_decode(part, next_room(list), NULL), &content);
    if (outcome == SIGNED_BROKEN)
        finding_add(&list->mime->findings, FINDING_SIGNED_BROKEN);
    else if (outcome == SIGNED_CONTENT && list->nested >= NESTED_MOST)
        finding_add(&list->mime->findings, FINDING_NESTED_TOO_DEEP);
    else if (outcome == SIGNED_CONTENT && buffer_length(&content) > list->budget->bytes)
        finding_add(&list->mime->findings, FINDING_DECODED_TOO_LARGE);
    else if (outcome == SIGNED_CONTENT)
        inner_begin(list, part, arena_text(list->arena, buffer_text(&content)));
    buffer_free(&content);
}

/* A container under an encoding is read by some programs as what it decodes to. */
static void open_inner(struct reading_list *list, const struct mime_part *part)
{
    open_signed(list, part);
    if (!finding_has(&part->findings, FINDING_ENCODED_CONTAINER) || list->nested >= NESTED_MOST) return;
    struct buffer *room = next_room(list);
    struct text decoded = arena_text(list->arena, mime_decode(part, room, NULL));
    if (decoded.length > list->budget->bytes) return;
    inner_begin(list, part, decoded);
}

static bool inner_next(struct reading_list *list, struct reading *out)
{
    while (list->inner) {
        if (reading_next(list->inner, out)) {
            out->kind = READING_ALTERNATIVE;
            out->offset = 0;
            return true;
        }
        finding_merge(&list->mime->findings, &list->inner->mime->findings);
        list->exposure.has_hidden |= list->inner->exposure.has_hidden;
        reading_close(list->inner);
        list->inner = NULL;
    }
    return false;
}

static void enter(struct reading_list *list, enum stage stage)
{
    list->stage = stage;
    list->part = list->method = list->at = 0;
}

static bool parts_next(struct reading_list *list, struct reading *out)
{
    while (list->part < list->mime->count) {
        struct mime_part *part = &list->mime->parts[list->part++];
        bool container = part->kind != MIME_LEAF;
        if (container && !finding_has(&part->findings, FINDING_ENCODED_CONTAINER)) continue;
        if (container) {
            open_inner(list, part);
            if (inner_next(list, out)) return true;
            continue;
        }
        struct finding_set findings = { 0 };
        struct text bytes = mime_decode(part, next_room(list), &findings);
        finding_merge(&part->findings, &findings);
        finding_merge(&list->mime->findings, &findings);
        bool given = hand_out(list, out, READING_PART, part, part->body, method_of(part), bytes);
        if (list->stage == STAGE_DONE) return false;
        open_inner(list, part);
        if (given) return true;
    }
    return false;
}

static struct mime *other_add(struct reading_list *list, enum mime_choice choice)
{
    struct mime *other = mime_parse(list->arena, list->mime->message, list->mime->limits, choice);
    finding_merge(&list->mime->findings, &other->findings);
    list->others[list->other_count++] = other;
    return other;
}

/* The other trees are made, and what the first gave is remembered. */
static void prepare_others(struct reading_list *list)
{
    for (size_t i = 0; i < list->mime->count; i++)
        if (list->mime->parts[i].kind == MIME_LEAF)
            seen_add(list, list->mime->parts[i].body, method_of(&list->mime->parts[i]));
    other_add(list, MIME_LAST);
    if (finding_has(&list->mime->findings, FINDING_HEADER_MBOX_LINE))
        list->short_tree = other_add(list, MIME_SHORT);
}

/* The part that `index` names among those of the other trees, one tree after the other; NULL behind them. */
static struct mime_part *part_of_others(struct reading_list *list, size_t index)
{
    for (size_t i = 0; i < list->other_count; i++) {
        if (index < list->others[i]->count) return &list->others[i]->parts[index];
        index -= list->others[i]->count;
    }
    return NULL;
}

static bool others_next(struct reading_list *list, struct reading *out)
{
    struct mime_part *part;
    while (list->stage != STAGE_DONE && (part = part_of_others(list, list->part)) != NULL) {
        list->part++;
        if (part->kind != MIME_LEAF || !seen_add(list, part->body, method_of(part))) continue;
        struct text bytes = mime_decode(part, next_room(list), &part->findings);
        finding_merge(&list->mime->findings, &part->findings);
        bool given = hand_out(list, out, READING_ALTERNATIVE, part, part->body, method_of(part), bytes);
        if (list->stage != STAGE_DONE) open_inner(list, part);
        if (given) return true;
    }
    return false;
}

static bool encoding_is_doubtful(const struct mime_part *part)
{
    static const enum finding doubts[] = {
        FINDING_DUPLICATE_TRANSFER_ENCODING,
        FINDING_UNKNOWN_TRANSFER_ENCODING,
        FINDING_QUOTED_TRANSFER_ENCODING,
        FINDING_TRANSFER_ENCODING_SYNTAX,
        FINDING_CONTENT_SPACE_BEFORE_COLON,
        FINDING_QUOTED_BAD_ESCAPE,
        FINDING_UUENCODE_BAD_LINE,
        FINDING_HEADER_NO_COLON,
        FINDING_HEADER_MBOX_LINE,
        FINDING_HEADER_BARE_CR,
        FINDING_HEADER_NUL,
        FINDING_HEADER_STARTS_FOLDED,
        FINDING_HEADER_BLANK_FOLD,
        FINDING_MIXED_LINE_ENDS,
        FINDING_BOUNDARY_UNUSED,
    };
    for (size_t i = 0; i < sizeof doubts / sizeof *doubts; i++)
        if (finding_has(&part->findings, doubts[i])) return true;
    return false;
}

static bool base64_is_doubtful(const struct mime_part *part)
{
    return finding_has(&part->findings, FINDING_BASE64_JUNK) ||
           finding_has(&part->findings, FINDING_BASE64_INNER_PADDING);
}

/* Likewise among those of all trees, the first one's first. */
static const struct mime_part *part_of_all(struct reading_list *list, size_t index)
{
    if (index < list->mime->count) return &list->mime->parts[index];
    return part_of_others(list, index - list->mime->count);
}

static bool is_due(const struct mime_part *part, enum method method)
{
    if (method == METHOD_UUENCODE || method == METHOD_YENC)
        return false; /* need a "begin" line, and those are found anywhere */
    if (method <= METHOD_BASE64) return encoding_is_doubtful(part);
    return base64_is_doubtful(part);
}

/* What is declared as a multipart and has no part is a text to some. */
static bool is_read_whole(const struct mime_part *part)
{
    return part->kind == MIME_LEAF || finding_has(&part->findings, FINDING_BOUNDARY_UNUSED);
}

static bool methods_next(struct reading_list *list, struct reading *out)
{
    const struct mime_part *part;
    while (list->stage != STAGE_DONE && (part = part_of_all(list, list->part)) != NULL) {
        enum method method = (enum method)list->method++;
        if (method == METHOD_COUNT) {
            list->method = 0;
            list->part++;
            continue;
        }
        if (!is_read_whole(part) || !is_due(part, method) || !seen_add(list, part->body, method)) continue;
        struct text bytes = decode_by(list, part->body, method, NULL);
        if (hand_out(list, out, READING_ALTERNATIVE, part, part->body, method, bytes)) return true;
    }
    return false;
}

/* Where the message's header ends, by the choice that ends it first: no body begins before. */
static size_t header_end(const struct reading_list *list)
{
    size_t end = list->mime->parts[0].header->length;
    for (size_t i = 0; i < list->other_count; i++)
        if (list->others[i]->parts[0].header->length < end) end = list->others[i]->parts[0].header->length;
    return end;
}

static bool carve(struct reading_list *list, struct text encoded, enum method method, struct reading *out)
{
    if (!seen_add(list, encoded, method)) return false;
    struct text bytes = decode_by(list, encoded, method, NULL);
    return hand_out(list, out, READING_CARVED, NULL, encoded, method, bytes);
}

/* Each body twice: as it is, unless that is base64 from end to end, then, where it has an escape, as
 * quoted-printable. */
static bool bodies_next(struct reading_list *list, struct reading *out)
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

/* Each paragraph twice: as base64, then, where it has an escape, as quoted-printable. */
static bool paragraphs_next(struct reading_list *list, struct reading *out)
{
    struct gap_run run;
    struct text message = list->mime->message;
    if (list->at == 0) list->at = header_end(list);
    while (list->stage != STAGE_DONE && gap_next_paragraph(message, list->at, PARAGRAPH_LEAST, &run)) {
        bool again = list->method == 1;
        list->method = !again;
        list->at = again ? run.offset + run.bytes.length : run.offset;
        if (again && text_find_char(run.bytes, '=') == run.bytes.length) continue;
        if (carve(list, run.bytes, again ? METHOD_QUOTED : METHOD_BASE64, out)) return true;
    }
    return false;
}

static bool runs_next(struct reading_list *list, struct reading *out)
{
    struct gap_run run;
    while (list->stage != STAGE_DONE && gap_next_run(list->mime->message, list->at, &run)) {
        list->at = run.offset + run.bytes.length;
        if (carve(list, run.bytes, METHOD_BASE64, out)) return true;
    }
    return false;
}

static bool blocks_next(struct reading_list *list, struct reading *out)
{
    static const enum method methods[] = {
        [DECODE_UUENCODE] = METHOD_UUENCODE, [DECODE_BASE64] = METHOD_BASE64, [DECODE_YENC] = METHOD_YENC
    };
    struct decode_block *block = &list->block;
    while (list->stage != STAGE_DONE && decode_find_block(list->mime->message, list->at, block)) {
        list->at = block->next;
        if (carve(list, block->data, methods[block->form], out)) return true;
    }
    return false;
}

static bool binhex_next(struct reading_list *list, struct reading *out)
{
    struct text message = list->mime->message, file;
    while (list->stage != STAGE_DONE && decode_find_binhex(message, list->at, &file)) {
        list->at = (size_t)(file.at - message.at) + file.length;
        if (carve(list, file, METHOD_IDENTITY, out)) return true;
    }
    return false;
}

static bool quoted_next(struct reading_list *list, struct reading *out)
{
    struct text message = list->mime->message;
    if (list->at > 0 || text_find_char(message, '=') == message.length) return false;
    list->at = 1;
    return hand_out(list, out, READING_CARVED, NULL, message, METHOD_QUOTED,
                    decode_by(list, message, METHOD_QUOTED, NULL));
}

static bool stage_next(struct reading_list *list, struct reading *out)
{
    switch (list->stage) {
    case STAGE_PARTS:
        return parts_next(list, out);
    case STAGE_OTHERS:
        if (list->other_count == 0) prepare_others(list);
        return others_next(list, out);
    case STAGE_METHODS:
        return methods_next(list, out);
    case STAGE_BODIES:
        return bodies_next(list, out);
    case STAGE_PARAGRAPHS:
        return paragraphs_next(list, out);
    case STAGE_RUNS:
        return runs_next(list, out);
    case STAGE_BLOCKS:
        return blocks_next(list, out);
    case STAGE_BINHEX:
        return binhex_next(list, out);
    case STAGE_QUOTED:
        return quoted_next(list, out);
    case STAGE_DONE:
        break;
    }
    return false;
}

bool reading_next(struct reading_list *list, struct reading *out)
{
    if (inner_next(list, out)) return true;
    while (list->stage != STAGE_DONE) {
        if (stage_next(list, out)) return true;
        if (inner_next(list, out)) return true;
        if (list->stage == STAGE_PARTS && list->part >= list->mime->count &&
            !finding_set_is_doubtful(&list->mime->findings))
            list->stage = STAGE_DONE;
        if (list->stage != STAGE_DONE) enter(list, list->stage + 1);
    }
    return false;
}

bool reading_is_ambiguous(const struct reading_list *list)
{
    const struct finding_set *findings = &list->mime->findings;
    const struct exposure *exposure = &list->exposure;
    if (finding_set_calls_for(findings, CONSEQUENCE_HOLD)) return exposure->has_file || exposure->has_hidden;
    return exposure->has_hidden && finding_set_is_doubtful(findings);
}
