/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "mail/reading_trees.h"

#include "mail/reading_inner.h"

bool reading_trees_parts(struct reading_list *list, struct reading *out)
{
    while (list->part < list->mime->count) {
        struct mime_part *part = &list->mime->parts[list->part++];
        bool container = part->kind != MIME_LEAF;
        if (container && !finding_has(&part->findings, FINDING_ENCODED_CONTAINER)) continue;
        if (container) {
            reading_inner_of_part(list, part);
            if (list->inner) return false;
            continue;
        }
        if (list->role == ROLE_BODY && !reading_list_is_new(list, part->body, reading_list_method_of(part)))
            continue;
        struct finding_set findings = { 0 };
        struct text bytes = mime_decode(part, reading_list_room(list), &findings);
        finding_merge(&part->findings, &findings);
        finding_merge(&list->mime->findings, &findings);
        bool given = reading_list_hand_out(list, out, READING_PART, part, part->body,
                                           reading_list_method_of(part), bytes);
        if (list->stage == STAGE_DONE) return false;
        reading_inner_of_part(list, part);
        if (given) reading_inner_of_bytes(list, part, reading_list_method_of(part), bytes);
        if (given || list->inner) return given;
    }
    return false;
}

static struct mime *other_add(struct reading_list *list, enum mime_choice choice)
{
    struct mime *other = mime_parse_again(list->arena, list->mime, choice);
    finding_merge(&list->mime->findings, &other->findings);
    list->others[list->other_count++] = other;
    return other;
}

void reading_trees_remember(struct reading_list *list)
{
    for (size_t i = 0; i < list->mime->count; i++)
        if (list->mime->parts[i].kind == MIME_LEAF)
            reading_list_is_new(list, list->mime->parts[i].body,
                                reading_list_method_of(&list->mime->parts[i]));
}

static void prepare(struct reading_list *list)
{
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

bool reading_trees_others(struct reading_list *list, struct reading *out)
{
    struct mime_part *part;
    if (list->other_count == 0) prepare(list);
    while (list->stage != STAGE_DONE && (part = part_of_others(list, list->part)) != NULL) {
        list->part++;
        if (part->kind != MIME_LEAF || !reading_list_is_new(list, part->body, reading_list_method_of(part)))
            continue;
        struct text bytes = mime_decode(part, reading_list_room(list), &part->findings);
        finding_merge(&list->mime->findings, &part->findings);
        bool given = reading_list_hand_out(list, out, READING_ALTERNATIVE, part, part->body,
                                           reading_list_method_of(part), bytes);
        if (list->stage != STAGE_DONE) reading_inner_of_part(list, part);
        if (given) reading_inner_of_bytes(list, part, reading_list_method_of(part), bytes);
        if (given || list->inner) return given;
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
        FINDING_CONTENT_ODD_NAME,
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
        FINDING_CONTENT_TYPE_SYNTAX,
    };
    for (size_t i = 0; i < sizeof doubts / sizeof *doubts; i++)
        if (finding_has(&part->findings, doubts[i])) return true;
    return false;
}

bool reading_trees_variant_is_due(const struct finding_set *found, enum reading_method method)
{
    if (method == METHOD_QUOTED_RETURNS) return finding_has(found, FINDING_QUOTED_BAD_ESCAPE);
    if (method == METHOD_UUENCODE_LOOSE) return finding_has(found, FINDING_UUENCODE_BAD_LINE);
    if (finding_has(found, FINDING_BASE64_INNER_PADDING)) return true;
    if (method == METHOD_BASE64 + DECODE_WHOLE && finding_has(found, FINDING_BASE64_JUNK)) return true;
    bool is_by_lines = method >= METHOD_BASE64 + DECODE_LINES;
    return finding_has(found, is_by_lines ? FINDING_BASE64_UNEVEN_LINE : FINDING_BASE64_JUNK);
}

/* Likewise among those of all trees, the first one's first. */
static const struct mime_part *part_of_all(struct reading_list *list, size_t index)
{
    if (index < list->mime->count) return &list->mime->parts[index];
    return part_of_others(list, index - list->mime->count);
}

static bool is_due(const struct finding_set *found, const struct mime_part *part, enum reading_method method)
{
    if (method == METHOD_UUENCODE || method == METHOD_YENC)
        return false; /* need a "begin" line, and those are found anywhere */
    if (method == METHOD_IDENTITY || method == METHOD_QUOTED || method == METHOD_BASE64)
        return encoding_is_doubtful(part);
    return reading_trees_variant_is_due(found, method);
}

/* What some take for the bytes of the part: what is declared as a multipart and has no part is a text to
   them, and so is what stands before the first part. Empty for any other container. */
static struct text whole_of(const struct mime_part *part)
{
    if (part->kind == MIME_LEAF || finding_has(&part->findings, FINDING_BOUNDARY_UNUSED)) return part->body;
    if (part->kind != MIME_MULTIPART || part->children == 0) return TEXT_NONE;
    const struct mime_part *first = part + 1; /* in document order */
    size_t start = part->offset + part->header->body_offset, end = first->offset;
    struct text preamble = text_slice(part->body, 0, end > start ? end - start : 0);
    if (preamble.length > 0) preamble.length--; /* of the boundary line its end, then all of it */
    size_t feed = text_find_last_char(preamble, '\n');
    return feed == preamble.length ? TEXT_NONE : text_slice(preamble, 0, feed + 1);
}

bool reading_trees_methods(struct reading_list *list, struct reading *out)
{
    const struct mime_part *part;
    while (list->stage != STAGE_DONE && (part = part_of_all(list, list->part)) != NULL) {
        enum reading_method method = (enum reading_method)list->method++;
        if (method == METHOD_IDENTITY) list->found = part->findings;
        if (method == METHOD_COUNT) {
            list->method = 0;
            list->part++;
            continue;
        }
        struct text whole = whole_of(part);
        if (whole.length == 0 || !is_due(&list->found, part, method) ||
            !reading_list_is_new(list, whole, method))
            continue;
        struct text bytes = reading_list_decode(list, whole, method, &list->found);
        if (!reading_list_hand_out(list, out, READING_ALTERNATIVE, part, whole, method, bytes)) continue;
        if (list->nested <= 1)
            reading_inner_of_bytes(list, part, method,
                                   bytes); /* else what is doubtful would be its own inside */
        return true;
    }
    return false;
}
