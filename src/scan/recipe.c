/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One row for each kind of edit, and what composes them. Called by read.c and decide.c; who gets which kinds
   is said there. */
#include "scan/recipe.h"

#include "auth/authentication_results.h"
#include "auth/from_domains.h"
#include "config/hosted.h"
#include "mail/edits.h"
#include "mail/encoded_word.h"
#include "scan/authenticate.h"
#include "scan/wording.h"

enum { ROOM_MOST = 16 * 1024 }; /* encoded bytes of all edits that a message gives occasion for */

_Static_assert(ROOM_MOST / (8 + 8 + 4) <= POSSIBLE_EDITS_MOST, "what was found must be taken by facts_get");

/* --- the kinds --- */

/* RFC 8601 section 5: what says that we have looked, and we have not. */
static void results_find(const struct recipe_source *source, struct edits *out)
{
    struct text name = authenticate_name(source->config);
    struct edits cuts = { .arena = source->arena };
    for (size_t i = 0; i < source->header->count; i++) {
        const struct header_field *field = &source->header->fields[i];
        if (text_equal_nocase(field->name, TEXT("Authentication-Results")) &&
            authentication_results_is_of(field->value, name))
            edits_add(&cuts, field->offset, field->length, TEXT_NONE);
    }
    edits_merge(out, &cuts);
}

/* A text without a header may go on with "From ". */
static void mbox_line_find(const struct recipe_source *source, struct edits *out)
{
    size_t length = header_mbox_length(source->message);
    if (length > 0 && !header_is_missing(source->message)) edits_add(out, 0, length, TEXT_NONE);
}

/* What came with the message under a name that only we write is forged. An mbox line goes too: behind our
   fields, many programs would take it for the end of the header. */
static void forged_find(const struct recipe_source *source, struct edits *out)
{
    static const struct text fields[] = { { "X-Spam-Status", 13 },
                                          { "X-Spam-Flag", 11 },
                                          { "X-Virus-Scanned", 15 } };
    edits_remove_fields(out, source->header, fields, sizeof fields / sizeof *fields);
    edits_remove_prefixed(out, source->header, TEXT("X-Sekimori-"));
    results_find(source, out);
    mbox_line_find(source, out);
}

/* Some Subject has it already, be it behind "Re: ". */
static bool has_mark(const struct recipe_source *source)
{
    enum { SUBJECT_MOST = 2000 };
    struct text mark = text_trim(source->config->outside.mark);
    const struct header_field *field = header_find(source->header, HEADER_SUBJECT);
    if (!field) return false;
    struct text subject =
        word_decode_in(source->arena, text_slice(field->value, 0, SUBJECT_MOST), source->declared, NULL);
    return text_find(subject, mark) < subject.length;
}

static bool is_from_ours(const struct recipe_source *source)
{
    struct from_domains from;
    from_domains_find(source->arena, source->header, &from);
    for (uint32_t i = 0; i < from.count; i++)
        if (config_is_ours(source->config, from.domains[i])) return true;
    return false;
}

/* Before the text of the Subject, behind the tag and the warning. Empty: none. */
static struct text mark_of(const struct recipe_source *source)
{
    struct text mark = source->config->outside.mark;
    bool is_wanted = mark.length > 0 && source->direction == DIRECTION_IN && !has_mark(source);
    return is_wanted ? mark : TEXT_NONE;
}

/* `prefix` and the mark. With the tag or a warning, mail that says to be from us has none, nor any where not
   all mail from outside has it: what was found of the sender is not known here. */
static void prefix_find(const struct recipe_source *source, struct text prefix, struct edits *out)
{
    struct text mark = mark_of(source);
    bool is_known = source->config->outside.when == OUTSIDE_ALWAYS;
    if (mark.length > 0 && is_known && !is_from_ours(source))
        prefix = arena_printf(source->arena, "%.*s%.*s", TEXT_ARG(prefix), TEXT_ARG(mark));
    edits_prefix_subject(out, source->message, source->header, source->declared, prefix);
}

/* Outbound mail has no tag. */
static void tag_find(const struct recipe_source *source, struct edits *out)
{
    if (source->direction != DIRECTION_IN) return;
    prefix_find(source, source->config->spam.subject, out);
}

static void warning_find(const struct recipe_source *source, struct edits *out)
{
    if (!source->may_warn) return;
    prefix_find(source, source->config->virus.warning, out);
}

static void outside_find(const struct recipe_source *source, struct edits *out)
{
    struct text mark = mark_of(source);
    if (mark.length > 0) edits_prefix_subject(out, source->message, source->header, source->declared, mark);
}

/* `tag` and behind it the warning. */
static void both_find(const struct recipe_source *source, struct text tag, struct edits *out)
{
    if (!source->may_warn || source->direction != DIRECTION_IN) return;
    struct text both =
        arena_printf(source->arena, "%.*s%.*s", TEXT_ARG(tag), TEXT_ARG(source->config->virus.warning));
    prefix_find(source, both, out);
}

static void tag_warning_find(const struct recipe_source *source, struct edits *out)
{
    both_find(source, source->config->spam.subject, out);
}

/* Nobody is to see which it is where newsletters are not tagged. */
static void newsletter_find(const struct recipe_source *source, struct edits *out)
{
    if (source->direction != DIRECTION_IN || source->config->newsletter.action != ACTION_TAG) return;
    prefix_find(source, source->config->newsletter.subject, out);
}

static void newsletter_warning_find(const struct recipe_source *source, struct edits *out)
{
    if (source->config->newsletter.action == ACTION_TAG)
        both_find(source, source->config->newsletter.subject, out);
}

static struct text status_write(const struct recipe_basis *basis, const struct recipe_order *order)
{
    const struct edit_set set = order->kinds;
    const struct status_wish wish = { .required = order->required,
                                      .is_tagged = edit_set_has(set, EDIT_TAG) ||
                                                   edit_set_has(set, EDIT_TAG_WARNING) ||
                                                   edit_set_has(set, EDIT_FLAG),
                                      .is_newsletter_tagged = edit_set_has(set, EDIT_NEWSLETTER) ||
                                                              edit_set_has(set, EDIT_NEWSLETTER_WARNING) };
    struct text status =
        wording_status(basis->arena, basis->config, basis->occasion, basis->facts, basis->verdict, &wish);
    return arena_printf(basis->arena, "%.*s%.*s", TEXT_ARG(basis->results), TEXT_ARG(status));
}

/* By enum edit_kind, which says in which order they are composed. Edits of one kind must not overlap those of
   another. */
static const struct kind {
    /* What the message gives occasion for; NULL: nothing. */
    void (*find)(const struct recipe_source *source, struct edits *out);
    size_t room; /* encoded bytes of what was found, with the kinds before: more is left out */
    struct {
        const char *name, *about; /* name NULL: none */
        double points;
    } signal; /* of more */
    /* Header lines on top, when the verdict stands; NULL: none. */
    struct text (*write)(const struct recipe_basis *basis, const struct recipe_order *order);
} kinds[EDIT_KIND_COUNT] = {
    [EDIT_FORGED] = { .find = forged_find,
                      .room = ROOM_MOST / 2,
                      .signal = { "FORGED_FIELDS", "too many fields that only a gateway writes", 10 } },
    [EDIT_TAG] = { .find = tag_find, .room = ROOM_MOST },
    [EDIT_WARNING] = { .find = warning_find, .room = ROOM_MOST },
    [EDIT_TAG_WARNING] = { .find = tag_warning_find, .room = ROOM_MOST },
    [EDIT_NEWSLETTER] = { .find = newsletter_find, .room = ROOM_MOST },
    [EDIT_NEWSLETTER_WARNING] = { .find = newsletter_warning_find, .room = ROOM_MOST },
    [EDIT_OUTSIDE] = { .find = outside_find, .room = ROOM_MOST },
    [EDIT_STATUS] = { .write = status_write },
};

/* --- read --- */

static void possible_add(struct arena *arena, enum edit_kind kind, const struct edits *found,
                         struct facts *out)
{
    if (found->count == 0) return;
    struct possible_edit *all = arena_alloc_array(arena, out->edit_count + found->count, sizeof *all);
    for (uint32_t i = 0; i < out->edit_count; i++) all[i] = out->edits[i];
    for (size_t i = 0; i < found->count; i++) {
        const struct edit *edit = &found->items[i];
        all[out->edit_count++] = (struct possible_edit){ kind, edit->offset, edit->length, edit->insert };
    }
    out->edits = all;
}

void recipe_look(const struct recipe_source *source, struct score *score, struct facts *out)
{
    size_t used = 0;
    out->lacks_header = header_is_missing(source->message);
    for (unsigned kind = 0; kind < EDIT_KIND_COUNT; kind++) {
        const struct kind *row = &kinds[kind];
        struct edits found = { .arena = source->arena };
        if (!row->find) continue;
        row->find(source, &found);
        if (used + edits_encoded_length(&found) <= row->room) {
            used += edits_encoded_length(&found) - edits_none.length;
            possible_add(source->arena, kind, &found, out);
        } else if (row->signal.name) {
            score_add(score, row->signal.name, row->signal.points, text_of(row->signal.about));
        }
    }
}

/* --- decide --- */

static struct edits possible_of(const struct recipe_basis *basis, enum edit_kind kind)
{
    const struct facts *facts = basis->facts;
    struct edits edits = { .arena = basis->arena };
    for (uint32_t i = 0; i < facts->edit_count; i++) edits.count += facts->edits[i].kind == kind;
    if (edits.count == 0) return edits;
    edits.items = arena_alloc_array(basis->arena, edits.count, sizeof *edits.items);
    edits.capacity = edits.count;
    struct edit *at = edits.items;
    for (uint32_t i = 0; i < facts->edit_count; i++)
        if (facts->edits[i].kind == kind)
            *at++ = (struct edit){ facts->edits[i].offset, facts->edits[i].length, facts->edits[i].insert };
    return edits;
}

/* Text without a header begins behind an empty line, the last thing before its first byte. */
static struct text compose(const struct recipe_basis *basis, const struct recipe_order *order)
{
    struct edits edits = { .arena = basis->arena };
    for (unsigned kind = 0; kind < EDIT_KIND_COUNT; kind++) {
        if (!edit_set_has(order->kinds, kind)) continue;
        struct edits possible = possible_of(basis, kind);
        edits_merge(&edits, &possible);
        struct text top = kinds[kind].write ? kinds[kind].write(basis, order) : TEXT_NONE;
        if (top.length > 0) edits_insert_top(&edits, top);
    }
    if (basis->facts->lacks_header) edits_add(&edits, 0, 0, TEXT("\r\n"));
    struct buffer bytes = { 0 };
    edits_encode(&edits, &bytes);
    struct text encoded = arena_text(basis->arena, buffer_text(&bytes));
    buffer_free(&bytes);
    return encoded;
}

/* decide.c: forged and status are in every set, with one of the five kinds that change the Subject, or the
   flag, or the flag and the warning, or the mark of mail from outside in the place of no such kind. A kind
   more that may be in a set or not needs more here, in QUEUE_KEEP and in the journal. */
_Static_assert(EDIT_KIND_COUNT - 2 + 1 <= RECIPES_MOST, "there is room for every set");

static bool is_alike(const struct recipe_order *a, const struct recipe_order *b)
{
    return edit_set_equal(a->kinds, b->kinds) && a->required == b->required;
}

/* The first of those before `count`, or `count`. */
static uint32_t order_find(const struct recipe_order *known, uint32_t count, const struct recipe_order *order,
                           bool is_exact)
{
    uint32_t i = 0;
    while (i < count &&
           !(is_exact ? is_alike(&known[i], order) : edit_set_equal(known[i].kinds, order->kinds)))
        i++;
    return i;
}

static void order_add(struct recipe_order *known, uint32_t *count, const struct recipe_order *order,
                      bool is_exact)
{
    if (*count < RECIPES_MOST && order_find(known, *count, order, is_exact) == *count)
        known[(*count)++] = *order;
}

void recipe_write(const struct recipe_basis *basis, const struct recipe_order *orders, struct verdict *out)
{
    struct recipe_order known[RECIPES_MOST];
    out->recipe_count = 0;
    for (uint32_t i = 0; i < out->recipient_count; i++)
        order_add(known, &out->recipe_count, &orders[i], false);
    for (uint32_t i = 0; i < out->recipient_count; i++)
        order_add(known, &out->recipe_count, &orders[i], true);
    out->recipes = arena_alloc_array(basis->arena, RECIPES_MOST, sizeof *out->recipes);
    for (uint32_t i = 0; i < out->recipe_count; i++)
        out->recipes[i] = (struct recipe){ known[i].kinds, compose(basis, &known[i]) };
    for (uint32_t i = 0; i < out->recipient_count; i++) {
        uint32_t found = order_find(known, out->recipe_count, &orders[i], true);
        if (found == out->recipe_count) found = order_find(known, out->recipe_count, &orders[i], false);
        out->recipients[i].recipe = (uint8_t)found;
    }
}
