/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* How bytes are decoded, paid for and handed out. What was handed out once is not decoded again. */
#include "mail/reading_list.h"

#include "mail/file_mark.h"
#include "mail/gap.h"
#include "mail/line_form.h"

static const char *const method_names[METHOD_COUNT] = {
    "identity",      "quoted-printable", "quoted-printable-cr",
    "uuencode",      "uuencode-loose",   "yenc",
    "base64",        "base64-skip",      "base64-stop",
    "base64-strict", "base64-lines",     "base64-paragraphs",
    "base64-whole",
};

/* However a message is read, each time it costs its length: that many times is enough for what programs do,
   of a large one fewer. */
static size_t budget_bytes(const struct mime *mime)
{
    enum { LEAST = 16 << 20, TIMES = 8, LARGE = 4 << 20, LARGE_TIMES = 2 };
    size_t length = mime->message.length, large = length > LARGE ? length - LARGE : 0;
    size_t wanted = LEAST + TIMES * (length - large) + LARGE_TIMES * large;
    return wanted < mime->limits->decoded_bytes ? wanted : mime->limits->decoded_bytes;
}

/* How many times its length a look at the message's lines costs: one line as much as 40 bytes. */
static unsigned line_weight(struct text message)
{
    enum { LINE_BYTES = 40 };
    size_t lines = 0;
    for (size_t i = 0; i < message.length; i++) lines += message.at[i] == '\n';
    return message.length == 0 ? 1 : 1 + (unsigned)(LINE_BYTES * lines / message.length);
}

static struct reading_budget budget_of(const struct mime *mime)
{
    enum { COPIES_LEAST = 16 << 20 };
    size_t decoded = mime->message.length / 4 * 3; /* from base64 */
    return (struct reading_budget){ .bytes = budget_bytes(mime),
                                    .extras = mime->limits->parts,
                                    .copies = decoded > COPIES_LEAST ? decoded : COPIES_LEAST,
                                    .weight = line_weight(mime->message) };
}

struct reading_list *reading_list_new(struct arena *arena, struct mime *mime,
                                      const struct reading_list *around)
{
    struct reading_list *list = arena_alloc(arena, sizeof *list);
    list->arena = arena;
    list->mime = mime;
    if (!around) list->own_budget = budget_of(mime);
    list->budget = around ? around->budget : &list->own_budget;
    list->seen = around ? around->seen : &list->own_seen;
    list->rooms = around ? around->rooms : list->own_rooms;
    list->exposure.arena = arena;
    return list;
}

enum reading_method reading_list_method_of(const struct mime_part *part)
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
struct buffer *reading_list_room(struct reading_list *list)
{
    struct buffer *room = &list->rooms[list->held == &list->rooms[0]];
    buffer_clear(room);
    return room;
}

/* Nothing was handed out of these bytes by that method. */
bool reading_list_is_new(struct reading_list *list, struct text encoded, enum reading_method method)
{
    return seen_add(list->arena, list->seen, encoded, method);
}

size_t reading_list_decode_to(struct text encoded, enum reading_method method, char *to,
                              struct finding_set *findings)
{
    switch (method) {
    case METHOD_QUOTED:
        return decode_quoted(encoded, to, findings);
    case METHOD_QUOTED_RETURNS:
        return decode_quoted_returns(encoded, to);
    case METHOD_UUENCODE:
        return decode_uuencode(encoded, to, findings);
    case METHOD_UUENCODE_LOOSE:
        return decode_uuencode_loose(encoded, to);
    case METHOD_YENC:
        return decode_yenc(encoded, to);
    default:
        return decode_base64(encoded, method - METHOD_BASE64, to, findings);
    }
}

struct text reading_list_decode(struct reading_list *list, struct text encoded, enum reading_method method,
                                struct finding_set *findings)
{
    if (method == METHOD_IDENTITY || encoded.length == 0) return encoded;
    struct buffer *room = reading_list_room(list);
    char *to = buffer_reserve(room, decode_room(encoded.length));
    buffer_commit(room, reading_list_decode_to(encoded, method, to, findings));
    return buffer_text(room);
}

static bool may_spend_bytes(struct reading_list *list, size_t bytes)
{
    if (bytes > list->budget->bytes) return false;
    list->budget->bytes -= bytes;
    return true;
}

bool reading_list_may_spend(struct reading_list *list, size_t length)
{
    return may_spend_bytes(list, length * list->budget->weight);
}

static bool may_spend_extra(struct reading_list *list, size_t length)
{
    if (list->budget->extras == 0 || !reading_list_may_spend(list, length)) return false;
    list->budget->extras--;
    return true;
}

bool reading_list_give_up(struct reading_list *list)
{
    finding_add(&list->mime->findings, FINDING_DECODED_TOO_LARGE);
    *list->budget = (struct reading_budget){ .weight = list->budget->weight };
    list->stage = STAGE_DONE;
    return false;
}

static enum exposure_method exposure_method_of(const struct reading_list *list, enum reading_method method)
{
    static const enum exposure_method methods[METHOD_COUNT] = {
        [METHOD_QUOTED] = EXPOSURE_QUOTED,  [METHOD_QUOTED_RETURNS] = EXPOSURE_QUOTED,
        [METHOD_UUENCODE] = EXPOSURE_BLOCK, [METHOD_UUENCODE_LOOSE] = EXPOSURE_BLOCK,
        [METHOD_YENC] = EXPOSURE_BLOCK,
    };
    if (list->stage == STAGE_BINHEX) return EXPOSURE_BLOCK;
    return method >= METHOD_BASE64 ? EXPOSURE_BASE64 : methods[method];
}

/* Runs begin wherever a line looks like base64, in the middle of a header too, rules and drawings look like
   lines of uuencode, and the whole message as
   quoted-printable is what nobody sends: of these only a mark counts. */
static bool looks_encoded(struct reading_list *list, struct text encoded, enum exposure_method method)
{
    struct text message = list->mime->message;
    bool is_guess = list->stage == STAGE_RUNS || list->stage == STAGE_QUOTED || list->stage == STAGE_UU_LINES;
    if (method == EXPOSURE_IDENTITY || is_guess) return false;
    if (method == EXPOSURE_BLOCK) return true;
    if (method == EXPOSURE_QUOTED) return gap_is_quoted(encoded);
    if (encoded.at != list->looked_at.at || encoded.length != list->looked_at.length) {
        list->looked_at = encoded;
        list->is_base64 =
            gap_is_base64(encoded) && !gap_is_armoured(message, (size_t)(encoded.at - message.at));
    }
    return list->is_base64;
}

static bool part_is_in(const struct mime *mime, const struct mime_part *part)
{
    return part >= mime->parts && part < mime->parts + mime->count;
}

static void expose(struct reading_list *list, const struct mime_part *part, struct text encoded,
                   enum reading_method method, struct text bytes, bool is_plain)
{
    struct text core = text_trim(encoded);
    struct exposure_view view = {
        .part = part,
        .start = (size_t)(core.at - list->mime->message.at),
        .method = exposure_method_of(list, method),
        .is_leaf = list->stage <= STAGE_OTHERS,
        .has_fields = part && list->short_tree && part_is_in(list->short_tree, part),
        .bytes = bytes,
        .is_plain = is_plain,
    };
    view.end = view.start + core.length;
    view.is_encoded = looks_encoded(list, core, view.method);
    if (list->stage == STAGE_PARTS)
        exposure_add_part(&list->exposure, &view);
    else if (!list->exposure.has_hidden)
        exposure_add_other(&list->exposure, &view);
}

/* --- handing out --- */

/* What is about to be handed out has to be paid for, and stays until the next one. */
static bool charge(struct reading_list *list, struct text bytes, bool is_extra)
{
    if (is_extra ? !may_spend_extra(list, bytes.length) : !may_spend_bytes(list, bytes.length))
        return reading_list_give_up(list);
    list->before = bytes;
    if (bytes.at == buffer_text(&list->rooms[0]).at) list->held = &list->rooms[0];
    if (bytes.at == buffer_text(&list->rooms[1]).at) list->held = &list->rooms[1];
    return true;
}

/* A file that was sent as lines; a text is one only by bytes that no text has. */
static bool is_file_of_lines(const struct mime_part *part, struct text encoded, enum reading_method method,
                             bool is_plain)
{
    if (method != METHOD_IDENTITY && method != METHOD_QUOTED) return false;
    if (!memchr(encoded.at, '\n', encoded.length)) return false;
    if (part && exposure_is_file_type(part->type)) return true;
    return !is_plain;
}

/* Of a file: what stands behind its empty lines; empty when it begins at once, and of a text. */
static struct text behind_lines(const struct mime_part *part, struct text bytes, bool is_plain)
{
    size_t start = 0;
    if (bytes.length == 0 || !char_is_white(bytes.at[0])) return TEXT_NONE;
    if (!(part && exposure_is_file_type(part->type)) && is_plain) return TEXT_NONE;
    for (size_t at = 0; at < bytes.length && char_is_white(bytes.at[at]); at++)
        if (bytes.at[at] == '\n') start = at + 1;
    return start > 0 ? text_slice(bytes, start, bytes.length) : TEXT_NONE;
}

bool reading_list_hand_out(struct reading_list *list, struct reading *out, enum reading_kind kind,
                           const struct mime_part *part, struct text encoded, enum reading_method method,
                           struct text bytes)
{
    if (bytes.length < (kind == READING_CARVED ? (size_t)READING_CARVED_LEAST : 1)) return false;
    if (text_equal(bytes, list->before) && list->stage != STAGE_PARTS) return false;
    if (!charge(list, bytes, kind != READING_PART || list->role != ROLE_MESSAGE)) return false;
    bool is_plain = file_mark_is_plain(bytes);
    expose(list, part, encoded, method, bytes, is_plain);
    if (is_file_of_lines(part, encoded, method, is_plain))
        list->forms = (struct reading_forms){ encoded, method, LINE_FORM_TRIMMED };
    list->behind_lines = behind_lines(part, bytes, is_plain);
    size_t offset = (size_t)(encoded.at - list->mime->message.at);
    bool is_part = kind == READING_PART && list->role != ROLE_BODY && !list->is_other;
    *out = (struct reading){ kind, is_part, part, offset, method_names[method], bytes };
    return true;
}

static struct text decode_form(struct reading_list *list, const struct reading_forms *forms,
                               enum line_form form)
{
    struct buffer *room = reading_list_room(list);
    char *to = buffer_reserve(room, decode_room(forms->encoded.length));
    size_t length = line_form_write(forms->encoded, form, to);
    if (forms->method == METHOD_QUOTED) length = decode_quoted(text_from(to, length), to, NULL);
    buffer_commit(room, length);
    return buffer_text(room);
}

bool reading_list_behind_lines(struct reading_list *list, struct reading *out)
{
    struct text bytes = list->behind_lines;
    list->behind_lines = TEXT_NONE;
    if (bytes.length == 0 || !charge(list, bytes, true)) return false;
    *out = (struct reading){ READING_ALTERNATIVE, false, NULL, 0, "behind-empty-lines", bytes };
    return true;
}

/* The last reading with other line ends. Blanks are taken away only from quoted-printable, which knows that
   they may have been added. */
bool reading_list_forms(struct reading_list *list, struct reading *out)
{
    static const char *const names[] = { "", "quoted-printable-trim", "quoted-printable-lf",
                                         "quoted-printable-trim-lf" };
    struct reading_forms *forms = &list->forms;
    while (forms->next > 0 && forms->next < LINE_FORM_COUNT) {
        enum line_form form = forms->next++;
        bool is_plain = forms->method == METHOD_IDENTITY;
        if (is_plain && form != LINE_FORM_FED) continue;
        struct text bytes = decode_form(list, forms, form);
        if (bytes.length == 0 || text_equal(bytes, list->before)) continue;
        if (!charge(list, bytes, true)) break;
        size_t offset = (size_t)(forms->encoded.at - list->mime->message.at);
        *out = (struct reading){
            READING_ALTERNATIVE, false, NULL, offset, is_plain ? "identity-lf" : names[form], bytes
        };
        return true;
    }
    forms->next = 0;
    return false;
}
