/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goes through stages, each a cheap walk over parts or bytes; the stages behind the first are entered
   only when a finding asks for them. What was handed out once is not decoded again. */
#include "mail/reading.h"

#include "mail/decode.h"
#include "mail/exposure.h"
#include "mail/file_mark.h"
#include "mail/gap.h"
#include "mail/line_form.h"
#include "mail/seen.h"
#include "mail/signed.h"

/* A carved run of fewer bytes can hold nothing that does harm. */
enum {
    OTHERS_MOST = 2,
    NESTED_MOST = 8,
    WORDS_MOST = 64,
    CARVED_LEAST = 40,
    PARAGRAPH_LEAST = CARVED_LEAST / 3 * 4
};

enum stage {
    STAGE_PARTS,      /* the tree's leaves */
    STAGE_OTHERS,     /* the leaves of the other choices' trees */
    STAGE_METHODS,    /* the leaves of all, decoded otherwise */
    STAGE_BODIES,     /* what any header could stand before, as it is and as quoted-printable */
    STAGE_PARAGRAPHS, /* each as base64 and quoted-printable, whatever it looks like */
    STAGE_RUNS,       /* base64 anywhere */
    STAGE_BLOCKS,     /* uuencode and yEnc anywhere */
    STAGE_JOINED,     /* the yEnc blocks as parts of one file */
    STAGE_UU_LINES,   /* lines of uuencode, whatever stands before them */
    STAGE_BINHEX,
    STAGE_WORDS,   /* the body under boundaries that no header declares as we read it */
    STAGE_QUOTED,  /* the whole message as quoted-printable */
    STAGE_RETURNS, /* the message as it is where a CR alone ends a line, and where it is nothing */
    STAGE_DONE
};

enum method {
    METHOD_IDENTITY,
    METHOD_QUOTED,
    METHOD_QUOTED_RETURNS,
    METHOD_UUENCODE,
    METHOD_UUENCODE_LOOSE,
    METHOD_YENC,
    METHOD_BASE64, /* plus a decode_base64_mode */
    METHOD_COUNT = METHOD_BASE64 + DECODE_MODES
};

static const char *const method_names[METHOD_COUNT] = {
    "identity",      "quoted-printable", "quoted-printable-cr",
    "uuencode",      "uuencode-loose",   "yenc",
    "base64",        "base64-skip",      "base64-stop",
    "base64-strict", "base64-lines",     "base64-paragraphs",
    "base64-whole",
};

/* What may still be handed out, shared with the lists inside. */
struct budget {
    size_t bytes;
    size_t extras; /* readings that are no parts of the first tree */
};

/* What a list inside another one is, and what follows from it for the message. */
enum reading_role {
    ROLE_MESSAGE, /* the outermost */
    ROLE_ENTITY,  /* every program that opens the part reads it so: its findings are the message's */
    ROLE_MAIL,    /* a program that is given the part as a file may: its doubts are its own */
    ROLE_BODY     /* some may: nothing is held for it */
};

/* A boundary that some program may see, and the bytes that it divides. */
struct stray_word {
    struct text boundary, body;
};

/* What a reading of the same bytes with other line ends needs. */
struct forms {
    struct text encoded;
    enum method method;
    unsigned next; /* enum line_form; 0: none is due */
};

struct mail {
    struct text bytes;
    struct mail *next;
};

struct reading_list {
    struct arena *arena;
    enum reading_role role;
    bool is_other;                           /* in a part that is in no tree of the first choice */
    struct mime *mime, *others[OTHERS_MOST]; /* the tree of the first choice, those of other choices */
    size_t other_count;
    struct mime *short_tree; /* MIME_SHORT's among the others, or NULL */
    enum stage stage;
    size_t part; /* index among the parts of the stage's trees */
    size_t method, at;
    struct finding_set found;    /* by decoding what the stage is at in one method and another */
    struct decode_block block;   /* the last one found */
    struct seen own_seen, *seen; /* what was handed out; one with the lists inside */
    struct stray_word *words;    /* WORDS_MOST; NULL before they were looked for */
    size_t word_count, word;
    struct forms forms;
    struct text behind_lines; /* what was handed out last without the empty lines before it; empty: not due */
    struct mail *mails;       /* found in what was handed out last */
    struct buffer rooms[2];   /* the reading before stays, to be compared */
    struct text before;
    const struct buffer *held; /* the one that `before` lies in; any when it lies elsewhere */
    struct budget own_budget, *budget;
    struct reading_list *inner; /* a message that was itself encoded */
    unsigned nested;
    struct exposure exposure;
    bool is_ambiguous_inside; /* a mail in it is */
};

struct reading_list *reading_open(struct arena *arena, struct mime *mime)
{
    struct reading_list *list = arena_alloc(arena, sizeof *list);
    list->arena = arena;
    list->mime = mime;
    list->own_budget = (struct budget){ mime->limits->decoded_bytes, mime->limits->parts };
    list->budget = &list->own_budget;
    list->seen = &list->own_seen;
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

/* Nothing was handed out of these bytes by that method. */
static bool is_new(struct reading_list *list, struct text encoded, enum method method)
{
    return seen_add(list->arena, list->seen, encoded, method);
}

static size_t decode_to(struct text encoded, enum method method, char *to, struct finding_set *findings)
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

static struct text decode_by(struct reading_list *list, struct text encoded, enum method method,
                             struct finding_set *findings)
{
    if (method == METHOD_IDENTITY || encoded.length == 0) return encoded;
    struct buffer *room = next_room(list);
    char *to = buffer_reserve(room, decode_room(encoded.length));
    buffer_commit(room, decode_to(encoded, method, to, findings));
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
static bool looks_encoded(const struct reading_list *list, struct text encoded, enum exposure_method method)
{
    struct text message = list->mime->message;
    bool is_guess = list->stage == STAGE_RUNS || list->stage == STAGE_QUOTED || list->stage == STAGE_UU_LINES;
    if (method == EXPOSURE_IDENTITY || is_guess) return false;
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

/* --- handing out --- */

/* What is about to be handed out has to be paid for, and stays until the next one. */
static bool charge(struct reading_list *list, struct text bytes, bool is_extra)
{
    if (bytes.length > list->budget->bytes || (is_extra && list->budget->extras == 0)) return give_up(list);
    list->budget->bytes -= bytes.length;
    list->budget->extras -= is_extra;
    list->before = bytes;
    if (bytes.at == buffer_text(&list->rooms[0]).at) list->held = &list->rooms[0];
    if (bytes.at == buffer_text(&list->rooms[1]).at) list->held = &list->rooms[1];
    return true;
}

/* A file that was sent as lines; a text is one only by bytes that no text has. */
static bool is_file_of_lines(const struct mime_part *part, struct text encoded, enum method method,
                             struct text bytes)
{
    if (method != METHOD_IDENTITY && method != METHOD_QUOTED) return false;
    if (!memchr(encoded.at, '\n', encoded.length)) return false;
    if (part && exposure_is_file_type(part->type)) return true;
    return !file_mark_is_plain(bytes);
}

/* Of a file: what stands behind its empty lines; empty when it begins at once, and of a text. */
static struct text behind_lines(const struct mime_part *part, struct text bytes)
{
    size_t start = 0;
    if (bytes.length == 0 || !memchr(" \t\r\n", bytes.at[0], 4)) return TEXT_NONE;
    if (!(part && exposure_is_file_type(part->type)) && file_mark_is_plain(bytes)) return TEXT_NONE;
    for (size_t at = 0; at < bytes.length && memchr(" \t\r\n", bytes.at[at], 4); at++)
        if (bytes.at[at] == '\n') start = at + 1;
    return start > 0 ? text_slice(bytes, start, bytes.length) : TEXT_NONE;
}

static bool hand_out(struct reading_list *list, struct reading *out, enum reading_kind kind,
                     const struct mime_part *part, struct text encoded, enum method method, struct text bytes)
{
    if (bytes.length < (kind == READING_CARVED ? (size_t)CARVED_LEAST : 1)) return false;
    if (text_equal(bytes, list->before) && list->stage != STAGE_PARTS) return false;
    if (!charge(list, bytes, kind != READING_PART || list->role != ROLE_MESSAGE)) return false;
    expose(list, part, encoded, method, bytes);
    if (is_file_of_lines(part, encoded, method, bytes))
        list->forms = (struct forms){ encoded, method, LINE_FORM_TRIMMED };
    list->behind_lines = behind_lines(part, bytes);
    size_t offset = (size_t)(encoded.at - list->mime->message.at);
    bool is_part = kind == READING_PART && list->role != ROLE_BODY && !list->is_other;
    *out = (struct reading){ kind, is_part, part, offset, method_names[method], bytes };
    return true;
}

/* Quoted-printable is decoded from one half of the room into the other. */
static struct text decode_form(struct reading_list *list, const struct forms *forms, enum line_form form)
{
    struct buffer *room = next_room(list);
    size_t half = decode_room(forms->encoded.length);
    char *to = buffer_reserve(room, 2 * half), *shaped = to + half;
    size_t length = line_form_write(forms->encoded, form, shaped);
    if (forms->method == METHOD_QUOTED)
        length = decode_quoted(text_from(shaped, length), to, NULL);
    else
        memcpy(to, shaped, length);
    buffer_commit(room, length);
    return buffer_text(room);
}

static bool behind_lines_next(struct reading_list *list, struct reading *out)
{
    struct text bytes = list->behind_lines;
    list->behind_lines = TEXT_NONE;
    if (bytes.length == 0 || !charge(list, bytes, true)) return false;
    *out = (struct reading){ READING_ALTERNATIVE, false, NULL, 0, "behind-empty-lines", bytes };
    return true;
}

/* The last reading with other line ends. Blanks are taken away only from quoted-printable, which knows that
   they may have been added. */
static bool forms_next(struct reading_list *list, struct reading *out)
{
    static const char *const names[] = { "", "quoted-printable-trim", "quoted-printable-lf",
                                         "quoted-printable-trim-lf" };
    struct forms *forms = &list->forms;
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

/* --- what lies inside --- */

static void list_begin(struct reading_list *list, enum reading_role role, struct mime *mime)
{
    list->before = TEXT_NONE;
    struct reading_list *inner = reading_open(list->arena, mime);
    inner->role = role;
    inner->budget = list->budget;
    inner->seen = list->seen;
    inner->nested = list->nested + 1;
    inner->is_other = list->stage != STAGE_PARTS;
    inner->exposure.is_secret = list->exposure.is_secret || list->stage != STAGE_PARTS;
    list->inner = inner;
}

/* May so many bytes be read once more, one level deeper? Says so in a finding when not. */
static bool may_begin(struct reading_list *list, size_t length)
{
    struct finding_set *findings = &list->mime->findings;
    if (list->nested >= NESTED_MOST)
        finding_add(findings, FINDING_NESTED_TOO_DEEP);
    else if (length > list->budget->bytes)
        finding_add(findings, FINDING_DECODED_TOO_LARGE);
    else
        return true;
    return false;
}

/* The same, and if so they are spent. */
static bool may_spend(struct reading_list *list, size_t length)
{
    bool may = may_begin(list, length);
    if (may) list->budget->bytes -= length;
    return may;
}

/* `part` is a leaf or container of the outer message, `message` what it is for all who open it. */
static void entity_begin(struct reading_list *list, const struct mime_part *part, struct text message)
{
    struct mime *mime = mime_parse(list->arena, message, list->mime->limits, MIME_FIRST);
    finding_merge(&list->mime->findings, &mime->findings);
    list_begin(list, ROLE_ENTITY, mime);
    bool is_file = part->kind == MIME_LEAF && exposure_is_file_type(part->type);
    list->inner->exposure.is_secret |= !is_file;
}

/* Bytes that stay as long as the list does. */
static struct text kept(struct reading_list *list, struct text bytes)
{
    struct text message = list->mime->message;
    bool stays = bytes.at >= message.at && bytes.at <= message.at + message.length;
    return stays ? bytes : arena_text(list->arena, bytes);
}

static void mail_begin(struct reading_list *list, struct text mail)
{
    if (!may_spend(list, mail.length)) return;
    list_begin(list, ROLE_MAIL, mime_parse(list->arena, kept(list, mail), list->mime->limits, MIME_FIRST));
}

static void body_begin(struct reading_list *list, struct text body, struct text boundary)
{
    if (!may_spend(list, body.length)) return;
    body = kept(list, body);
    if (boundary.length > 0) boundary = kept(list, boundary);
    list_begin(list, ROLE_BODY, mime_parse_body(list->arena, body, boundary, list->mime->limits, MIME_FIRST));
}

/* For the blocks in it: the bytes themselves were handed out. */
static void blocks_begin(struct reading_list *list, struct text bytes)
{
    body_begin(list, bytes, TEXT_NONE);
    if (list->inner) is_new(list->inner, list->inner->mime->message, METHOD_IDENTITY);
}

/* What some may read as an entity with a header. */
static void entity_perhaps_begin(struct reading_list *list, struct text entity)
{
    if (!may_begin(list, entity.length)) return;
    list->budget->bytes -= entity.length;
    entity = kept(list, entity);
    list_begin(list, ROLE_BODY, mime_parse(list->arena, entity, list->mime->limits, MIME_FIRST));
}

/* What was encoded twice. */
static void twice_begin(struct reading_list *list, struct text bytes)
{
    struct buffer room = { 0 };
    char *to = buffer_reserve(&room, decode_room(bytes.length));
    enum method method = gap_is_quoted(bytes) ? METHOD_QUOTED : METHOD_BASE64;
    buffer_commit(&room, decode_to(bytes, method, to, NULL));
    body_begin(list, buffer_text(&room), TEXT_NONE);
    buffer_free(&room);
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
static bool has_blocks(const struct mime_part *part, enum method method, struct text bytes)
{
    struct decode_block block = { 0 };
    struct text found;
    bool is_text = part && text_starts(part->type, TEXT("text/"));
    if (is_text && method == METHOD_IDENTITY) return false;
    if (!is_text && !file_mark_is_plain(bytes)) return has_yenc(bytes);
    if (decode_find_block(bytes, 0, &block) || decode_has_uu_lines(bytes, CARVED_LEAST)) return true;
    return decode_find_binhex(bytes, 0, &found) && found.length < text_trim(bytes).length;
}

/* What a program may see in the bytes of a leaf that was just handed out, decoded by that method. */
static void open_bytes(struct reading_list *list, const struct mime_part *part, enum method method,
                       struct text bytes)
{
    struct text mail;
    struct gap_strays strays;
    if (list->inner) return;
    if (header_looks_like_mail(bytes, &mail))
        mail_begin(list, mail);
    else if (has_blocks(part, method, bytes))
        blocks_begin(list, bytes);
    else if (method == METHOD_IDENTITY)
        return;
    else if (gap_next_strays(bytes, 0, &strays))
        body_begin(list, bytes, strays.lines[strays.count - 1].bytes);
    else if (gap_has_field_in(text_trim(bytes)))
        entity_perhaps_begin(list, text_trim(bytes));
    else if (gap_is_quoted(bytes) || gap_is_base64(text_trim(bytes)))
        twice_begin(list, bytes);
}

bool reading_add_mail(struct reading_list *list, struct text bytes)
{
    struct text mail;
    if (!header_looks_like_mail(bytes, &mail)) return false;
    while (list->inner) list = list->inner;
    if (!may_spend(list, mail.length)) return true;
    struct mail *added = arena_alloc(list->arena, sizeof *added);
    *added = (struct mail){ arena_text(list->arena, mail), list->mails };
    list->mails = added;
    return true;
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
        entity_begin(list, part, arena_text(list->arena, buffer_text(&content)));
    buffer_free(&content);
}

/* A container under an encoding is read by some programs as what it decodes to. */
static void open_inner(struct reading_list *list, const struct mime_part *part)
{
    open_signed(list, part);
    if (list->inner || !finding_has(&part->findings, FINDING_ENCODED_CONTAINER)) return;
    struct text decoded = mime_decode(part, next_room(list), NULL);
    if (may_begin(list, decoded.length)) entity_begin(list, part, arena_text(list->arena, decoded));
}

/* What the list inside came to, for the message. Its limits are always the message's. */
static void inner_end(struct reading_list *list)
{
    struct reading_list *inner = list->inner;
    finding_merge_those(&list->mime->findings, &inner->mime->findings, CONSEQUENCE_LIMIT);
    if (inner->role == ROLE_ENTITY) {
        finding_merge(&list->mime->findings, &inner->mime->findings);
        list->exposure.has_hidden |= inner->exposure.has_hidden;
        list->is_ambiguous_inside |= inner->is_ambiguous_inside;
    } else if (inner->role == ROLE_MAIL && !inner->is_other) {
        list->is_ambiguous_inside |= reading_is_ambiguous(inner);
    }
    reading_close(inner);
    list->inner = NULL;
}

static bool inner_next(struct reading_list *list, struct reading *out)
{
    for (;;) {
        if (!list->inner && list->mails) {
            struct text mail = list->mails->bytes;
            list->mails = list->mails->next;
            list_begin(list, ROLE_MAIL, mime_parse(list->arena, mail, list->mime->limits, MIME_FIRST));
        }
        if (!list->inner) return false;
        if (reading_next(list->inner, out)) break;
        inner_end(list);
    }
    out->kind = READING_ALTERNATIVE;
    out->offset = 0;
    return true;
}

/* --- stages --- */

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
        if (list->role == ROLE_BODY && !is_new(list, part->body, method_of(part))) continue;
        struct finding_set findings = { 0 };
        struct text bytes = mime_decode(part, next_room(list), &findings);
        finding_merge(&part->findings, &findings);
        finding_merge(&list->mime->findings, &findings);
        bool given = hand_out(list, out, READING_PART, part, part->body, method_of(part), bytes);
        if (list->stage == STAGE_DONE) return false;
        open_inner(list, part);
        if (given) open_bytes(list, part, method_of(part), bytes);
        if (given) return true;
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

static void remember_parts(struct reading_list *list)
{
    for (size_t i = 0; i < list->mime->count; i++)
        if (list->mime->parts[i].kind == MIME_LEAF)
            is_new(list, list->mime->parts[i].body, method_of(&list->mime->parts[i]));
}

static void prepare_others(struct reading_list *list)
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

static bool others_next(struct reading_list *list, struct reading *out)
{
    struct mime_part *part;
    while (list->stage != STAGE_DONE && (part = part_of_others(list, list->part)) != NULL) {
        list->part++;
        if (part->kind != MIME_LEAF || !is_new(list, part->body, method_of(part))) continue;
        struct text bytes = mime_decode(part, next_room(list), &part->findings);
        finding_merge(&list->mime->findings, &part->findings);
        bool given = hand_out(list, out, READING_ALTERNATIVE, part, part->body, method_of(part), bytes);
        if (list->stage != STAGE_DONE) open_inner(list, part);
        if (given) open_bytes(list, part, method_of(part), bytes);
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

/* A variant of another method is due where that one met what it is for. */
static bool variant_is_due(const struct finding_set *found, enum method method)
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

static bool is_due(const struct finding_set *found, const struct mime_part *part, enum method method)
{
    if (method == METHOD_UUENCODE || method == METHOD_YENC)
        return false; /* need a "begin" line, and those are found anywhere */
    if (method == METHOD_IDENTITY || method == METHOD_QUOTED || method == METHOD_BASE64)
        return encoding_is_doubtful(part);
    return variant_is_due(found, method);
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

static bool methods_next(struct reading_list *list, struct reading *out)
{
    const struct mime_part *part;
    while (list->stage != STAGE_DONE && (part = part_of_all(list, list->part)) != NULL) {
        enum method method = (enum method)list->method++;
        if (method == METHOD_IDENTITY) list->found = part->findings;
        if (method == METHOD_COUNT) {
            list->method = 0;
            list->part++;
            continue;
        }
        struct text whole = whole_of(part);
        if (whole.length == 0 || !is_due(&list->found, part, method) || !is_new(list, whole, method))
            continue;
        struct text bytes = decode_by(list, whole, method, &list->found);
        if (!hand_out(list, out, READING_ALTERNATIVE, part, whole, method, bytes)) continue;
        if (list->nested <= 1)
            open_bytes(list, part, method, bytes); /* else what is doubtful would be its own inside */
        return true;
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
        list->words[list->word_count++] = (struct stray_word){ boundary, body };
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

static bool words_next(struct reading_list *list, struct reading *out)
{
    if (!list->words) words_find(list);
    while (list->word < list->word_count) {
        struct stray_word word = list->words[list->word++];
        body_begin(list, word.body, word.boundary);
        if (inner_next(list, out)) return true;
    }
    return false;
}

static bool carve(struct reading_list *list, struct text encoded, enum method method, struct reading *out)
{
    if (!is_new(list, encoded, method)) return false;
    struct text bytes = decode_by(list, encoded, method, &list->found);
    if (!hand_out(list, out, READING_CARVED, NULL, encoded, method, bytes)) return false;
    if (method != METHOD_IDENTITY) open_bytes(list, NULL, method, bytes);
    return true;
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

/* A paragraph as it is; as base64, in its variants where they are due; a paragraph with an escape as
   quoted-printable likewise.
   False behind the last; else list->method says which is next. */
static bool carve_next(struct reading_list *list, struct text encoded, bool is_paragraph, struct reading *out,
                       bool *out_carved)
{
    static const enum method methods[] = {
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
    enum method method = methods[list->method++];
    if (method == METHOD_IDENTITY && !is_paragraph) return true;
    bool is_variant = method > METHOD_BASE64 || method == METHOD_QUOTED_RETURNS;
    bool is_quoted = method == METHOD_QUOTED || method == METHOD_QUOTED_RETURNS;
    if (is_variant && !variant_is_due(&list->found, method)) return true;
    if (is_quoted && (!is_paragraph || text_find_char(encoded, '=') == encoded.length)) return true;
    *out_carved = carve(list, encoded, method, out);
    return true;
}

static bool paragraphs_next(struct reading_list *list, struct reading *out)
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

static bool runs_next(struct reading_list *list, struct reading *out)
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

/* The first block that is yEnc at or behind list->at. */
static bool yenc_find(struct reading_list *list)
{
    while (decode_find_block(list->mime->message, list->at, &list->block)) {
        list->at = list->block.next;
        if (list->block.form == DECODE_YENC) return true;
    }
    return false;
}

static bool joined_next(struct reading_list *list, struct reading *out)
{
    unsigned blocks = 0;
    if (list->at > 0) return false;
    struct buffer *room = next_room(list);
    while (yenc_find(list)) {
        struct text data = list->block.data;
        buffer_commit(room, decode_yenc(data, buffer_reserve(room, decode_room(data.length))));
        blocks++;
    }
    list->at = 1;
    return blocks > 1 &&
           hand_out(list, out, READING_CARVED, NULL, list->block.data, METHOD_YENC, buffer_text(room));
}

static bool uu_lines_next(struct reading_list *list, struct reading *out)
{
    struct text message = list->mime->message, lines;
    for (; list->method < 2; list->method++, list->at = 0) {
        bool is_one = list->method == 1;
        while (decode_find_uu_lines(message, list->at, CARVED_LEAST, is_one, &lines)) {
            list->at = (size_t)(lines.at - message.at) + lines.length;
            if (carve(list, lines, METHOD_UUENCODE_LOOSE, out)) return true;
            if (list->stage == STAGE_DONE) return false;
        }
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

/* Whoever reads the message so has another one: what is in doubt there is not in this one. */
static bool returns_next(struct reading_list *list, struct reading *out)
{
    struct text message = list->mime->message;
    while (list->at < 2 && line_form_has_return(message)) {
        bool is_end = list->at++ == 0;
        if (!may_begin(list, 2 * message.length)) return false;
        char *bytes = arena_alloc(list->arena, 2 * message.length);
        size_t length = line_form_write_returns(message, is_end, bytes);
        mail_begin(list, text_from(bytes, length));
        if (inner_next(list, out)) return true;
    }
    return false;
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
    case STAGE_WORDS:
        return words_next(list, out);
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
    case STAGE_JOINED:
        return joined_next(list, out);
    case STAGE_UU_LINES:
        return uu_lines_next(list, out);
    case STAGE_RETURNS:
        return returns_next(list, out);
    case STAGE_DONE:
        break;
    }
    return false;
}

static bool calls_for_carving(const struct finding_set *findings)
{
    static const enum finding calls[] = {
        FINDING_STRAY_BOUNDARY, FINDING_BASE64_IN_TEXT, FINDING_UUENCODE_NO_BEGIN,
        FINDING_YENC_IN_TEXT,   FINDING_BODY_BARE_CR,   FINDING_HEADER_AGAIN,
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (finding_has(findings, calls[i])) return true;
    return false;
}

/* What does not ask for other readings has none; what asks only for a look is read in no other tree. In a
   body only that is carved which decodes to something else, so that nothing is read in itself for ever. */
static enum stage stage_after(struct reading_list *list)
{
    const struct finding_set *findings = &list->mime->findings;
    bool is_doubtful = finding_set_is_doubtful(findings);
    if (list->stage == STAGE_PARTS) {
        if (!is_doubtful && !finding_set_calls_for(findings, CONSEQUENCE_LOOK)) return STAGE_DONE;
        remember_parts(list);
        return is_doubtful ? STAGE_OTHERS : STAGE_METHODS;
    }
    bool is_carved = is_doubtful || calls_for_carving(findings);
    bool is_body = list->role == ROLE_BODY;
    if (is_body) is_carved = calls_for_carving(findings);
    if (list->stage == STAGE_METHODS && !is_carved) return STAGE_DONE;
    if (list->stage == STAGE_METHODS && is_body) return STAGE_RUNS;
    if (list->stage == STAGE_BINHEX && is_body) return STAGE_DONE;
    return list->stage + 1;
}

bool reading_next(struct reading_list *list, struct reading *out)
{
    if (behind_lines_next(list, out) || forms_next(list, out) || inner_next(list, out)) return true;
    while (list->stage != STAGE_DONE) {
        if (stage_next(list, out)) return true;
        if (inner_next(list, out)) return true;
        if (list->stage != STAGE_DONE) enter(list, stage_after(list));
    }
    return false;
}

bool reading_is_ambiguous(const struct reading_list *list)
{
    const struct finding_set *findings = &list->mime->findings;
    const struct exposure *exposure = &list->exposure;
    if (list->is_ambiguous_inside) return true;
    if (finding_set_calls_for(findings, CONSEQUENCE_HOLD)) return exposure->has_file || exposure->has_hidden;
    return exposure->has_hidden && finding_set_is_doubtful(findings);
}
