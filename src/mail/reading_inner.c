/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "mail/reading_inner.h"

#include "mail/file_mark.h"
#include "mail/gap.h"
#include "mail/header.h"
#include "mail/signed.h"

enum { NESTED_MOST = 8 };

void reading_inner_begin(struct reading_list *list, enum reading_role role, struct mime *mime)
{
    list->before = TEXT_NONE;
    struct reading_list *inner = reading_list_new(list->arena, mime, list);
    inner->role = role;
    inner->nested = list->nested + 1;
    inner->is_other = list->stage != STAGE_PARTS;
    inner->exposure.is_secret = list->exposure.is_secret || list->stage != STAGE_PARTS;
    list->inner = inner;
}

/* May so many bytes be read once more, one level deeper? Says so in a finding when not. */
bool reading_inner_may_begin(struct reading_list *list, size_t length)
{
    struct finding_set *findings = &list->mime->findings;
    if (list->nested >= NESTED_MOST)
        finding_add(findings, FINDING_NESTED_TOO_DEEP);
    else if (length * list->budget->weight > list->budget->bytes)
        finding_add(findings, FINDING_DECODED_TOO_LARGE);
    else
        return true;
    return false;
}

/* The same, and if so they are spent. */
bool reading_inner_may_spend(struct reading_list *list, size_t length)
{
    bool may = reading_inner_may_begin(list, length);
    return may && reading_list_may_spend(list, length);
}

/* `part` is a leaf or container of the outer message, `message` what it is for all who open it. */
static void entity_begin(struct reading_list *list, const struct mime_part *part, struct text message)
{
    struct mime *mime = mime_parse(list->arena, message, list->mime->limits, MIME_FIRST);
    finding_merge(&list->mime->findings, &mime->findings);
    reading_inner_begin(list, ROLE_ENTITY, mime);
    bool is_file = part->kind == MIME_LEAF && exposure_is_file_type(part->type);
    list->inner->exposure.is_secret |= !is_file;
}

bool reading_inner_may_copy(struct reading_list *list, size_t length)
{
    if (length > list->budget->copies) {
        finding_add(&list->mime->findings, FINDING_DECODED_TOO_LARGE);
        return false;
    }
    list->budget->copies -= length;
    return true;
}

static bool may_keep_entity(struct reading_list *list, size_t length)
{
    return reading_inner_may_begin(list, length) && reading_inner_may_copy(list, length);
}

/* Has the bytes stay as long as the list does: none of the message's are copied. */
static bool keep(struct reading_list *list, struct text *bytes)
{
    struct text message = list->mime->message;
    if (bytes->at >= message.at && bytes->at <= message.at + message.length) return true;
    if (!reading_inner_may_copy(list, bytes->length)) return false;
    *bytes = arena_text(list->arena, *bytes);
    return true;
}

void reading_inner_kept_mail(struct reading_list *list, struct text mail)
{
    if (reading_inner_may_spend(list, mail.length))
        reading_inner_begin(list, ROLE_MAIL, mime_parse(list->arena, mail, list->mime->limits, MIME_FIRST));
}

static void mail_begin(struct reading_list *list, struct text mail)
{
    if (keep(list, &mail)) reading_inner_kept_mail(list, mail);
}

static void kept_body_begin(struct reading_list *list, struct text body, struct text boundary)
{
    reading_inner_begin(list, ROLE_BODY,
                        mime_parse_body(list->arena, body, boundary, list->mime->limits, MIME_FIRST));
}

void reading_inner_body(struct reading_list *list, struct text body, struct text boundary)
{
    if (!reading_inner_may_spend(list, body.length) || !keep(list, &body)) return;
    if (boundary.length == 0 || keep(list, &boundary)) kept_body_begin(list, body, boundary);
}

/* For the blocks in it: the bytes themselves were handed out. */
static void blocks_begin(struct reading_list *list, struct text bytes)
{
    reading_inner_body(list, bytes, TEXT_NONE);
    if (list->inner) reading_list_is_new(list->inner, list->inner->mime->message, METHOD_IDENTITY);
}

/* What some may read as an entity with a header. */
static void entity_perhaps_begin(struct reading_list *list, struct text entity)
{
    if (!reading_inner_may_spend(list, entity.length) || !keep(list, &entity)) return;
    reading_inner_begin(list, ROLE_BODY, mime_parse(list->arena, entity, list->mime->limits, MIME_FIRST));
}

/* What was encoded twice. */
static void twice_begin(struct reading_list *list, struct text bytes)
{
    size_t room = decode_room(bytes.length);
    enum reading_method method = gap_is_quoted(bytes) ? METHOD_QUOTED : METHOD_BASE64;
    if (!reading_inner_may_copy(list, room)) return;
    char *to = arena_alloc(list->arena, room);
    struct text body = text_from(to, reading_list_decode_to(bytes, method, to, NULL));
    if (reading_inner_may_spend(list, body.length)) kept_body_begin(list, body, TEXT_NONE);
}

static bool has_yenc(struct text bytes)
{
    struct decode_block block = { 0 };
    for (size_t at = 0; decode_find_block(bytes, at, &block); at = block.next)
        if (block.form == DECODE_YENC) return true;
    return false;
}

/* uuencode, yEnc and BinHex in what was decoded or is no text: the tree has only those in a text that is not
   encoded. */
static bool has_blocks(const struct mime_part *part, struct text bytes)
{
    struct decode_block block = { 0 };
    struct text found;
    bool is_text = part && text_starts(part->type, TEXT("text/"));
    if (!is_text && !file_mark_is_plain(bytes)) return has_yenc(bytes);
    if (decode_find_block(bytes, 0, &block) || decode_has_uu_lines(bytes, READING_CARVED_LEAST)) return true;
    return decode_find_binhex(bytes, 0, &found) && found.length < text_trim(bytes).length;
}

/* One look at the message's own parts costs no more than the message does; any other one has to be paid for. */
static bool may_look(struct reading_list *list, size_t length)
{
    bool is_own = list->role == ROLE_MESSAGE && list->stage == STAGE_PARTS;
    return is_own || reading_inner_may_begin(list, length);
}

/* What a program may see in the bytes of a leaf that was just handed out, decoded by that method. */
void reading_inner_of_bytes(struct reading_list *list, const struct mime_part *part,
                            enum reading_method method, struct text bytes)
{
    struct text mail;
    struct gap_strays strays;
    if (list->inner) return;
    if (header_looks_like_mail(bytes, &mail)) {
        mail_begin(list, mail);
        return;
    }
    bool is_told_by_tree = method == METHOD_IDENTITY && part && text_starts(part->type, TEXT("text/"));
    if (is_told_by_tree || !may_look(list, bytes.length)) return;
    if (has_blocks(part, bytes))
        blocks_begin(list, bytes);
    else if (method == METHOD_IDENTITY)
        return;
    else if (gap_next_strays(bytes, 0, &strays))
        reading_inner_body(list, bytes, strays.lines[strays.count - 1].bytes);
    else if (gap_has_field_in(text_trim(bytes)))
        entity_perhaps_begin(list, text_trim(bytes));
    else if (gap_is_quoted(bytes) || gap_is_base64(text_trim(bytes)))
        twice_begin(list, bytes);
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
    enum signed_outcome outcome = signed_content(mime_decode(part, reading_list_room(list), NULL), &content);
    if (outcome == SIGNED_BROKEN)
        finding_add(&list->mime->findings, FINDING_SIGNED_BROKEN);
    else if (outcome == SIGNED_CONTENT && may_keep_entity(list, buffer_length(&content)))
        entity_begin(list, part, arena_text(list->arena, buffer_text(&content)));
    buffer_free(&content);
}

/* A container under an encoding is read by some programs as what it decodes to. */
void reading_inner_of_part(struct reading_list *list, const struct mime_part *part)
{
    open_signed(list, part);
    if (list->inner || !finding_has(&part->findings, FINDING_ENCODED_CONTAINER)) return;
    struct text decoded = mime_decode(part, reading_list_room(list), NULL);
    if (may_keep_entity(list, decoded.length)) entity_begin(list, part, arena_text(list->arena, decoded));
}
