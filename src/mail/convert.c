/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Eight bits to seven: what changes in each part is written down as edits, then applied in one pass. */
#include "mail/convert.h"

#include "mail/base64.h"
#include "mail/edits.h"
#include "mail/field_ascii.h"
#include "mail/mime.h"

enum { LINE_MOST = 76 };

const char *convert_reason(enum convert_outcome outcome)
{
    static const char *const reasons[CONVERT_OUTCOME_COUNT] = {
        [CONVERT_DONE] = "converted",
        [CONVERT_HEADER_8BIT] = "8-bit header cannot be converted for a server without 8BITMIME",
        [CONVERT_SIGNED] = "signed or encrypted 8-bit part cannot be converted for a server without 8BITMIME",
        [CONVERT_STRUCTURE] = "8-bit content cannot be converted for a server without 8BITMIME",
    };
    return (unsigned)outcome < CONVERT_OUTCOME_COUNT ? reasons[outcome] : "unknown";
}

static size_t count_8bit(struct text text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.length; i++) count += (unsigned char)text.at[i] >> 7;
    return count;
}

/* --- the encodings --- */

static void hex_put(unsigned char byte, struct buffer *out)
{
    static const char digits[] = "0123456789ABCDEF";
    const char escape[3] = { '=', digits[byte >> 4], digits[byte & 15] };
    buffer_add(out, escape, sizeof escape);
}

/* RFC 2045 section 6.7: blanks at a line's end are escaped; a line end is CRLF, alone CR or LF is data. */
static bool quoted_is_plain(struct text line, size_t i)
{
    unsigned char byte = (unsigned char)line.at[i];
    if (byte == '=' || byte > 126) return false;
    if (byte == ' ' || byte == '\t') return i + 1 < line.length;
    return byte > ' ';
}

static void quoted_line(struct text line, struct buffer *out)
{
    size_t column = 0;
    for (size_t i = 0; i < line.length; i++) {
        bool is_plain = quoted_is_plain(line, i) && !(column == 0 && line.at[i] == '.');
        size_t width = is_plain ? 1 : 3;
        if (column + width > LINE_MOST - 1) {
            buffer_add_text(out, TEXT("=\r\n"));
            column = 0;
            is_plain = is_plain && line.at[i] != '.';
            width = is_plain ? 1 : 3;
        }
        if (is_plain)
            buffer_add_char(out, line.at[i]);
        else
            hex_put((unsigned char)line.at[i], out);
        column += width;
    }
}

static void quoted_encode(struct text body, struct buffer *out)
{
    while (body.length > 0) {
        size_t end = text_find(body, TEXT("\r\n"));
        quoted_line(text_slice(body, 0, end), out);
        if (end < body.length) buffer_add_text(out, TEXT("\r\n"));
        body = text_slice(body, end + 2, body.length);
    }
}

/* --- the parts --- */

struct conversion {
    struct arena *arena;
    const struct mime *mime;
    struct edits edits;
    bool is_trial; /* of what a report returns: what that returns in turn is not tried again */
    const struct mime_part *opaque; /* the message part that was encoded whole last, or NULL */
};

static bool is_kind(const struct mime_part *part, const char *prefix)
{
    return text_starts_nocase(part->type, text_of(prefix));
}

static bool is_sealed(const struct conversion *conversion, const struct mime_part *part)
{
    for (;;) {
        if (is_kind(part, "multipart/signed") || is_kind(part, "multipart/encrypted")) return true;
        if (part->parent == MIME_NO_PARENT) return false;
        part = &conversion->mime->parts[part->parent];
    }
}

static void insert(struct conversion *conversion, uint64_t offset, uint64_t length, const char *encoding,
                   const char *before)
{
    struct text line =
        arena_printf(conversion->arena, "%sContent-Transfer-Encoding: %s\r\n", before, encoding);
    edits_add(&conversion->edits, offset, length, line);
}

/* What a part without MIME fields needs to be read as one (RFC 1428 for the charset). */
static const char *missing_fields(const struct conversion *conversion, const struct mime_part *part)
{
    bool has_type = header_find(part->header, HEADER_CONTENT_TYPE) != NULL;
    bool is_root = part == conversion->mime->parts;
    bool has_version = !is_root || header_find(part->header, HEADER_MIME_VERSION) != NULL;
    static const char version[] = "MIME-Version: 1.0\r\n";
    static const char type[] = "Content-Type: text/plain; charset=unknown-8bit\r\n";
    static const char both[] = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=unknown-8bit\r\n";
    return has_type ? (has_version ? "" : version) : (has_version ? type : both);
}

/* The first Content-Transfer-Encoding is replaced, others are cut; without one it goes behind the last field.
 */
static void encoding_set(struct conversion *conversion, const struct mime_part *part, const char *encoding)
{
    const struct header *header = part->header;
    const char *before = missing_fields(conversion, part);
    bool is_set = false;
    for (size_t i = 0; i < header->count; i++) {
        const struct header_field *field = &header->fields[i];
        if (field->id != HEADER_CONTENT_TRANSFER_ENCODING) continue;
        if (is_set)
            edits_add(&conversion->edits, part->offset + field->offset, field->length, TEXT_NONE);
        else
            insert(conversion, part->offset + field->offset, field->length, encoding, before);
        is_set = true;
    }
    if (!is_set) insert(conversion, part->offset + header->length, 0, encoding, before);
}

/* Inside a signed or encrypted part nothing may change; its own header is not signed. */
static bool is_inside_sealed(const struct conversion *conversion, const struct mime_part *part)
{
    return part->parent != MIME_NO_PARENT && is_sealed(conversion, &conversion->mime->parts[part->parent]);
}

/* False: some 8-bit field has no form in ASCII. */
static bool header_convert(struct conversion *conversion, const struct mime_part *part)
{
    bool is_good = true;
    for (size_t i = 0; i < part->header->count && is_good; i++) {
        const struct header_field *field = &part->header->fields[i];
        struct buffer ascii = { 0 };
        struct text whole = text_slice(conversion->mime->message, part->offset + field->offset,
                                       part->offset + field->offset + field->length);
        if (text_is_ascii(whole)) continue;
        is_good = field_ascii_put(field, part->charset, &ascii);
        edits_add(&conversion->edits, part->offset + field->offset, field->length,
                  arena_text(conversion->arena, buffer_text(&ascii)));
        buffer_free(&ascii);
    }
    return is_good;
}

static bool header_is_7bit(const struct conversion *conversion, const struct mime_part *part)
{
    size_t end = part->offset + part->header->body_offset;
    return text_is_ascii(text_slice(conversion->mime->message, part->offset, end));
}

static bool has_separator(const struct conversion *conversion, const struct mime_part *part)
{
    size_t at = part->offset + part->header->length;
    struct text message = conversion->mime->message;
    return at < message.length && (message.at[at] == '\r' || message.at[at] == '\n');
}

/* Base64 where a quarter or more would be escaped, and for anything that is not text. */
static void leaf_encode(struct conversion *conversion, const struct mime_part *part, size_t high)
{
    struct buffer encoded = { 0 };
    bool is_quoted = is_kind(part, "text/") && high * 4 < part->body.length;
    struct text message = conversion->mime->message;
    size_t offset = (size_t)(part->body.at - message.at), end = offset + part->body.length;
    if (is_quoted)
        quoted_encode(part->body, &encoded);
    else
        base64_add_lines(&encoded, part->body, false);
    if (!is_quoted && (end == message.length || message.at[end] != '\r'))
        buffer_add_text(&encoded, TEXT("\r\n"));
    encoding_set(conversion, part, is_quoted ? "quoted-printable" : "base64");
    edits_add(&conversion->edits, offset, part->body.length,
              arena_text(conversion->arena, buffer_text(&encoded)));
    buffer_free(&encoded);
}

/* --- messages inside --- */

static void field_replace(struct conversion *conversion, const struct mime_part *part, enum header_id id,
                          struct text line)
{
    const struct header_field *field = header_find(part->header, id);
    if (field) edits_add(&conversion->edits, part->offset + field->offset, field->length, line);
}

/* RFC 6532 section 3.7: unlike message/rfc822, message/global may be encoded. */
static void opaque_encode(struct conversion *conversion, const struct mime_part *part)
{
    bool is_global = is_kind(part, "message/global");
    conversion->opaque = part;
    if (!is_global)
        field_replace(conversion, part, HEADER_CONTENT_TYPE, TEXT("Content-Type: message/global\r\n"));
    leaf_encode(conversion, part, part->body.length);
}

/* The message that a report gives back: a copy, of which no signature is checked. */
static bool is_returned(const struct conversion *conversion, const struct mime_part *part)
{
    return !conversion->is_trial && part->kind == MIME_MESSAGE && part->parent != MIME_NO_PARENT &&
           is_kind(&conversion->mime->parts[part->parent], "multipart/report");
}

static enum convert_outcome convert(struct text message, bool is_trial, struct buffer *out);

static bool is_convertible(struct text message)
{
    struct buffer unused = { 0 };
    enum convert_outcome outcome = convert(message, true, &unused);
    buffer_free(&unused);
    return outcome == CONVERT_DONE;
}

static bool is_to_be_opaque(const struct conversion *conversion, const struct mime_part *part)
{
    if (text_is_ascii(part->body) || is_sealed(conversion, part)) return false;
    if (part->kind == MIME_MESSAGE && is_kind(part, "message/global")) return true;
    return is_returned(conversion, part) && !is_convertible(part->body);
}

static bool is_inside_opaque(const struct conversion *conversion, const struct mime_part *part)
{
    while (part->parent != MIME_NO_PARENT) {
        part = &conversion->mime->parts[part->parent];
        if (part == conversion->opaque) return true;
    }
    return false;
}

static enum convert_outcome part_convert(struct conversion *conversion, const struct mime_part *part)
{
    if (conversion->opaque && is_inside_opaque(conversion, part)) return CONVERT_DONE;
    if (!part->header) return CONVERT_DONE; /* uuencode inside a text: the text is encoded as a whole */
    bool is_7bit = header_is_7bit(conversion, part);
    if (!is_7bit && is_inside_sealed(conversion, part)) return CONVERT_SIGNED;
    if (!is_7bit && !header_convert(conversion, part)) return CONVERT_HEADER_8BIT;
    size_t high = count_8bit(part->body);
    if (high == 0) return CONVERT_DONE;
    if (is_sealed(conversion, part)) return CONVERT_SIGNED;
    if (!has_separator(conversion, part) || part->encoding != MIME_IDENTITY) return CONVERT_STRUCTURE;
    if (is_to_be_opaque(conversion, part)) {
        opaque_encode(conversion, part);
        return CONVERT_DONE;
    }
    if (part->kind != MIME_LEAF) {
        if (header_find(part->header, HEADER_CONTENT_TRANSFER_ENCODING))
            encoding_set(conversion, part, "7bit");
        return CONVERT_DONE;
    }
    /* RFC 2045 section 6.4: these may not be encoded; a leaf of that type was too deep to look into */
    if (is_kind(part, "multipart/") || is_kind(part, "message/")) return CONVERT_STRUCTURE;
    leaf_encode(conversion, part, high);
    return CONVERT_DONE;
}

static enum convert_outcome convert(struct text message, bool is_trial, struct buffer *out)
{
    struct arena *arena = arena_new(0);
    struct conversion conversion = { .arena = arena, .edits = { .arena = arena }, .is_trial = is_trial };
    enum convert_outcome outcome = CONVERT_DONE;
    size_t before = buffer_length(out);
    conversion.mime = mime_parse(arena, message, &mime_limits_default, MIME_FIRST);
    for (size_t i = 0; i < conversion.mime->count && outcome == CONVERT_DONE; i++)
        outcome = part_convert(&conversion, &conversion.mime->parts[i]);
    if (outcome == CONVERT_DONE) {
        edits_apply(&conversion.edits, message, out);
        struct text converted = text_slice(buffer_text(out), before, buffer_length(out));
        if (!text_is_ascii(converted)) outcome = CONVERT_STRUCTURE; /* between parts */
    }
    arena_free(arena);
    return outcome;
}

enum convert_outcome convert_to_7bit(struct text message, struct buffer *out)
{
    return convert(message, false, out);
}
