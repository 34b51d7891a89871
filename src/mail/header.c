/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Cuts a header into fields. One memchr a line and one a field; nothing is copied. */
#include "mail/header.h"

#include "base/die.h"

static const struct known_field {
    struct text name;
    enum header_id id;
} known_fields[] = {
    { { "From", 4 }, HEADER_FROM },
    { { "Sender", 6 }, HEADER_SENDER },
    { { "Reply-To", 8 }, HEADER_REPLY_TO },
    { { "To", 2 }, HEADER_TO },
    { { "Cc", 2 }, HEADER_CC },
    { { "Bcc", 3 }, HEADER_BCC },
    { { "Date", 4 }, HEADER_DATE },
    { { "Subject", 7 }, HEADER_SUBJECT },
    { { "Message-ID", 10 }, HEADER_MESSAGE_ID },
    { { "In-Reply-To", 11 }, HEADER_IN_REPLY_TO },
    { { "References", 10 }, HEADER_REFERENCES },
    { { "Received", 8 }, HEADER_RECEIVED },
    { { "Return-Path", 11 }, HEADER_RETURN_PATH },
    { { "MIME-Version", 12 }, HEADER_MIME_VERSION },
    { { "Content-Type", 12 }, HEADER_CONTENT_TYPE },
    { { "Content-Transfer-Encoding", 25 }, HEADER_CONTENT_TRANSFER_ENCODING },
    { { "Content-Disposition", 19 }, HEADER_CONTENT_DISPOSITION },
    { { "Content-ID", 10 }, HEADER_CONTENT_ID },
};

enum { NAME_ROOM = 32 };

enum header_id header_id_of(struct text name)
{
    for (size_t i = 0; i < sizeof known_fields / sizeof *known_fields; i++)
        if (known_fields[i].name.length == name.length && text_equal_nocase(known_fields[i].name, name))
            return known_fields[i].id;
    return HEADER_OTHER;
}

/* Where the parse stands. `room` is the capacity of the array in the arena. */
struct parse {
    struct arena *arena;
    struct text text;
    const struct header_limits *limits;
    struct header *out;
    size_t room;
    bool crlf_seen, lf_seen;
    bool behind_mbox; /* the line before was an mbox line */
};

/* One line without its end; `next` is where the line behind it begins. */
struct line {
    size_t start, end, next;
};

static struct line line_at(struct parse *parse, size_t start)
{
    const char *at = parse->text.at;
    size_t length = parse->text.length;
    const char *hit = memchr(at + start, '\n', length - start);
    if (!hit) return (struct line){ start, length, length };
    size_t end = (size_t)(hit - at);
    if (end > start && at[end - 1] == '\r') {
        parse->crlf_seen = true;
        return (struct line){ start, end - 1, end + 1 };
    }
    parse->lf_seen = true;
    return (struct line){ start, end, end + 1 };
}

static bool line_is_blank(struct text line)
{
    for (size_t i = 0; i < line.length; i++)
        if (!char_is_blank(line.at[i])) return false;
    return true;
}

/* The name without bytes that no field of ours has in its name, when it is that of a Content- field then;
   else empty. Some programs pass over such bytes, others take the line for another field. `room`: NAME_ROOM
   bytes.
 */
static struct text content_name(struct text name, char *room)
{
    size_t length = 0;
    for (size_t i = 0; i < name.length && length < NAME_ROOM; i++) {
        char c = name.at[i] == '_' ? '-' : name.at[i];
        bool is_first = c == '-' && length == 0;
        if ((char_is_alpha(c) || char_is_digit(c) || c == '-') && !is_first) room[length++] = c;
    }
    struct text plain = text_from(room, length);
    return text_starts_nocase(plain, TEXT("content-")) ? plain : TEXT_NONE;
}

/* Where the colon of a Content- field stands that is none by its name, or what stands in its place; the
   length of the line when it is no such field. */
static size_t content_colon(struct text line)
{
    char room[NAME_ROOM];
    size_t colon = text_find_char(line, ':');
    for (size_t i = 0; colon == line.length && i < line.length; i++)
        if (char_is_blank(line.at[i]) || line.at[i] == '=') colon = i;
    if (colon == line.length) return colon;
    bool is_content = content_name(text_slice(line, 0, colon), room).length > 0;
    return is_content ? colon : line.length;
}

/* Length of the field name that begins the line, blanks before the colon left out; out_colon is
   where the colon stands. False when the line is no field. RFC 5322 section 3.6.8. */
static bool name_of(struct text line, struct finding_set *findings, size_t *out_length, size_t *out_colon)
{
    size_t colon = text_find_char(line, ':'), end = colon;
    if (colon == line.length) return false;
    while (end > 0 && char_is_blank(line.at[end - 1])) end--;
    bool odd = false;
    for (size_t i = 0; i < end; i++) {
        unsigned char c = (unsigned char)line.at[i];
        if (c == ' ' || c == '\t') return false;
        odd |= c < 0x21 || c > 0x7e;
    }
    char room[NAME_ROOM];
    if (odd) finding_add(findings, FINDING_HEADER_ODD_NAME);
    struct text name = text_slice(line, 0, end), content = content_name(name, room);
    bool is_cut = content.length == NAME_ROOM;
    size_t inside = text_find_nocase(name, TEXT("content-transfer-encoding")); /* some look no closer */
    bool is_inside = inside > 0 && inside < name.length;
    if (is_inside || (content.length > 0 && !is_cut && !text_equal_nocase(name, content)))
        finding_add(findings, FINDING_CONTENT_ODD_NAME);
    if (end == 0) finding_add(findings, FINDING_HEADER_EMPTY_NAME);
    if (end != colon) {
        bool is_content = text_starts_nocase(line, TEXT("content-"));
        finding_add(findings,
                    is_content ? FINDING_CONTENT_SPACE_BEFORE_COLON : FINDING_HEADER_SPACE_BEFORE_COLON);
    }
    *out_length = end;
    *out_colon = colon;
    return true;
}

/* A line of blanks: for some programs the end of the header. */
static bool is_separator(struct parse *parse, struct line line)
{
    if (!char_is_blank(parse->text.at[line.start])) return false;
    if (!line_is_blank(text_from(parse->text.at + line.start, line.end - line.start))) return false;
    finding_add(&parse->out->findings, FINDING_HEADER_BLANK_FOLD);
    return parse->limits->blank_ends;
}

static struct header_field *field_new(struct parse *parse)
{
    struct header *out = parse->out;
    if (out->count == parse->room) {
        size_t room = parse->room ? parse->room * 2 : 4;
        struct header_field *fields = arena_alloc_array(parse->arena, room, sizeof *fields);
        if (out->count) memcpy(fields, out->fields, out->count * sizeof *fields);
        out->fields = fields;
        parse->room = room;
    }
    return &out->fields[out->count++];
}

static void field_begin(struct parse *parse, struct line line, size_t name_length, size_t colon)
{
    struct header *out = parse->out;
    struct header_field *field = field_new(parse);
    field->offset = line.start;
    field->length = line.next - line.start;
    field->name = text_from(parse->text.at + line.start, name_length);
    size_t value = line.start + colon + 1;
    field->value = text_from(parse->text.at + value, line.end - value);
    field->id = header_id_of(field->name);
    char room[NAME_ROOM];
    if (parse->limits->skip_junk && field->id == HEADER_OTHER)
        field->id = header_id_of(content_name(field->name, room));
    if (out->times[field->id]++ == 0) out->first[field->id] = (uint32_t)out->count;
}

static void field_continue(struct parse *parse, struct line line)
{
    struct header_field *field = &parse->out->fields[parse->out->count - 1];
    field->length = line.next - field->offset;
    field->value.length = (size_t)(parse->text.at + line.end - field->value.at);
}

/* The header goes on behind what we read: only its end is of interest. */
static size_t pass_over(struct parse *parse, size_t start)
{
    while (start < parse->text.length) {
        struct line line = line_at(parse, start);
        if (line.end == line.start) break;
        start = line.next;
    }
    return start;
}

static bool over_limit(struct parse *parse, struct line line)
{
    struct finding_set *findings = &parse->out->findings;
    if (line.next > parse->limits->bytes) {
        finding_add(findings, FINDING_HEADER_TOO_LONG);
        return true;
    }
    if (parse->out->count < parse->limits->fields) return false;
    finding_add(findings, FINDING_TOO_MANY_FIELDS);
    return true;
}

/* What mbox files have before each message: "From a@b.test Fri Feb 14 08:55:52 2014", and what programs make
   of it that take it for a line of the text: ">From ", with any number of ">". Elsewhere than in the first
   line it needs a ">" or a time of day: a text without a header may go on with "From ". */
static bool is_mbox_line(struct text line, bool is_first)
{
    size_t quotes = 0;
    while (quotes < line.length && line.at[quotes] == '>') quotes++;
    if (!text_starts(text_slice(line, quotes, line.length), TEXT("From "))) return false;
    if (is_first || quotes > 0) return true;
    for (size_t i = 5; i + 4 < line.length; i++)
        if (char_is_digit(line.at[i]) && char_is_digit(line.at[i + 1]) && line.at[i + 2] == ':' &&
            char_is_digit(line.at[i + 3]) && char_is_digit(line.at[i + 4]))
            return true;
    return false;
}

/* A folded line. False when it cannot belong to the header. */
static bool take_fold(struct parse *parse, struct line line)
{
    struct header *out = parse->out;
    if (out->count > 0 && parse->behind_mbox && !parse->limits->skip_junk) return true;
    if (out->count > 0) {
        field_continue(parse, line);
        return true;
    }
    finding_add(&out->findings, FINDING_HEADER_STARTS_FOLDED);
    return parse->limits->skip_junk || parse->behind_mbox;
}

/* False when it begins the body. "From " as the first line is known to all. */
static bool take_mbox_line(struct parse *parse, struct line line)
{
    parse->behind_mbox = true;
    if (line.start == 0 && parse->text.at[0] == 'F') return true;
    finding_add(&parse->out->findings, FINDING_HEADER_MBOX_LINE);
    return !parse->limits->mbox_ends;
}

/* A line that is neither empty nor folded. False when it begins the body. */
static bool take_line(struct parse *parse, struct line line)
{
    struct text bytes = text_from(parse->text.at + line.start, line.end - line.start);
    size_t name_length, colon;
    if (is_mbox_line(bytes, line.start == 0)) return take_mbox_line(parse, line);
    parse->behind_mbox = false;
    if (name_of(bytes, &parse->out->findings, &name_length, &colon)) {
        field_begin(parse, line, name_length, colon);
        return true;
    }
    finding_add(&parse->out->findings, FINDING_HEADER_NO_COLON);
    colon = content_colon(bytes);
    if (parse->limits->skip_junk && colon < bytes.length) field_begin(parse, line, colon, colon);
    return parse->limits->skip_junk;
}

static void look_at_bytes(struct parse *parse, size_t end)
{
    struct text all = text_slice(parse->text, 0, end);
    struct finding_set *findings = &parse->out->findings;
    if (all.length == 0) return;
    if (!text_is_ascii(all)) finding_add(findings, FINDING_HEADER_8BIT);
    if (memchr(all.at, '\0', all.length)) finding_add(findings, FINDING_HEADER_NUL);
    if (parse->crlf_seen && parse->lf_seen) finding_add(findings, FINDING_MIXED_LINE_ENDS);
}

/* What a doubled field means: nothing worse than untidiness when all say the same. */
static enum finding duplicate_finding(const struct header *header, enum header_id id)
{
    struct text first = text_trim(header_find(header, id)->value);
    bool equal = true;
    for (size_t i = header->first[id]; i < header->count; i++)
        if (header->fields[i].id == id) equal &= text_equal(first, text_trim(header->fields[i].value));
    if (equal) return FINDING_DUPLICATE_FIELD;
    if (id == HEADER_CONTENT_TYPE) return FINDING_DUPLICATE_CONTENT_TYPE;
    if (id == HEADER_CONTENT_TRANSFER_ENCODING) return FINDING_DUPLICATE_TRANSFER_ENCODING;
    if (id == HEADER_CONTENT_DISPOSITION) return FINDING_DUPLICATE_DISPOSITION;
    return FINDING_DUPLICATE_FIELD;
}

static void look_for_duplicates(struct header *out)
{
    for (int id = HEADER_OTHER + 1; id < HEADER_ID_COUNT; id++) {
        if (out->times[id] < 2 || id == HEADER_RECEIVED || id == HEADER_RETURN_PATH) continue;
        finding_add(&out->findings, duplicate_finding(out, (enum header_id)id));
    }
}

void header_parse(struct arena *arena, struct text text, const struct header_limits *limits,
                  struct header *out)
{
    struct parse parse = { arena, text, limits, out, 0, false, false, false };
    memset(out, 0, sizeof *out);
    size_t start = 0;
    bool separated = false;
    while (start < text.length) {
        struct line line = line_at(&parse, start);
        if (line.end == line.start || is_separator(&parse, line)) {
            separated = true;
            break;
        }
        if (over_limit(&parse, line)) {
            start = pass_over(&parse, start);
            separated = start < text.length;
            break;
        }
        if (memchr(text.at + line.start, '\r', line.end - line.start))
            finding_add(&out->findings, FINDING_HEADER_BARE_CR);
        bool fold = char_is_blank(text.at[line.start]);
        if (!(fold ? take_fold(&parse, line) : take_line(&parse, line))) break;
        start = line.next;
    }
    out->length = start;
    out->body_offset = separated ? line_at(&parse, start).next : start;
    if (!separated && text.length > 0) finding_add(&out->findings, FINDING_HEADER_NO_SEPARATOR);
    look_at_bytes(&parse, start);
    look_for_duplicates(out);
}

static bool is_field(struct text line, enum header_id *out_id)
{
    struct finding_set ignored = { 0 };
    size_t length = 0, colon;
    if (char_is_blank(line.at[0]) || !name_of(line, &ignored, &length, &colon)) return false;
    *out_id = header_id_of(text_slice(line, 0, length));
    return length > 0;
}

bool header_is_missing(struct text text)
{
    struct text line;
    bool has_line = false;
    while (text_next_line(&text, &line) && line.length > 0) {
        enum header_id id;
        if (!has_line && is_mbox_line(line, true)) continue;
        if (is_field(line, &id) && (!has_line || id != HEADER_OTHER)) return false;
        has_line = true;
    }
    return has_line;
}

/* Up to the first line that has something on it. */
static struct text begin_of(struct text text)
{
    size_t at = 0;
    if (text_starts(text, TEXT("\xEF\xBB\xBF"))) at = 3;
    while (at < text.length && (char_is_white(text.at[at]) || text.at[at] == '\f')) at++;
    return text_slice(text, at, text.length);
}

static bool may_begin_mail(struct text line)
{
    enum header_id id;
    if (line.length == 0) return false;
    return is_mbox_line(line, true) || is_field(line, &id);
}

bool header_looks_like_mail(struct text text, struct text *out_mail)
{
    struct text rest = begin_of(text), line;
    *out_mail = rest;
    char room[NAME_ROOM];
    unsigned known = 0;
    if (!text_next_line(&rest, &line) || !may_begin_mail(line)) return false;
    do {
        struct text name = text_slice(line, 0, text_find_char(line, ':'));
        if (line.length == 0) return false;
        if (content_name(name, room).length > 0) return true;
        if (text_find_nocase(line, TEXT("content-t")) < line.length) return true; /* however it is broken */
        if (name.length == line.length) continue;
        while (name.length > 0 && char_is_blank(name.at[name.length - 1])) name.length--;
        known += header_id_of(name) != HEADER_OTHER;
        if (known >= 2) return true;
    } while (text_next_line(&rest, &line));
    return false;
}

size_t header_mbox_length(struct text text)
{
    struct text rest = text, line;
    if (!text_starts(text, TEXT("From "))) return 0;
    do text_next_line(&rest, &line);
    while (rest.length > 0 && char_is_blank(*rest.at));
    return text.length - rest.length;
}

const struct header_field *header_find(const struct header *header, enum header_id id)
{
    return header->first[id] ? &header->fields[header->first[id] - 1] : NULL;
}

const struct header_field *header_find_last(const struct header *header, enum header_id id)
{
    if (header->times[id] < 2) return header_find(header, id);
    for (size_t i = header->count; i > 0; i--)
        if (header->fields[i - 1].id == id) return &header->fields[i - 1];
    bug("header_find_last: counted, not there");
}

const struct header_field *header_find_name(const struct header *header, struct text name)
{
    for (size_t i = 0; i < header->count; i++)
        if (text_equal_nocase(header->fields[i].name, name)) return &header->fields[i];
    return NULL;
}

size_t header_count_name(const struct header *header, struct text name)
{
    size_t count = 0;
    for (size_t i = 0; i < header->count; i++) count += text_equal_nocase(header->fields[i].name, name);
    return count;
}

struct text header_unfold(struct arena *arena, struct text value)
{
    value = text_trim(value);
    if (value.length == 0) return value;
    if (!memchr(value.at, '\n', value.length) && !memchr(value.at, '\0', value.length)) return value;
    char *flat = arena_alloc(arena, value.length);
    size_t length = 0;
    for (size_t i = 0; i < value.length; i++) {
        char c = value.at[i];
        if (c == '\0') continue;
        if (c != '\n') {
            flat[length++] = c;
            continue;
        }
        if (length > 0 && flat[length - 1] == '\r') length--;
        while (length > 0 && char_is_blank(flat[length - 1])) length--;
        while (i + 1 < value.length && (char_is_blank(value.at[i + 1]) || value.at[i + 1] == '\r')) i++;
        if (length > 0) flat[length++] = ' ';
    }
    return text_from(flat, length);
}
