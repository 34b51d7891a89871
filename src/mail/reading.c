/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goes through stages, each a cheap walk over parts or bytes; the stages behind the first are entered
   only when a finding asks for them. Lists inside make this file recurse, eight deep at most. */
#include "mail/reading.h"

#include "mail/header.h"
#include "mail/reading_carved.h"
#include "mail/reading_inner.h"
#include "mail/reading_trees.h"

struct reading_list *reading_open(struct arena *arena, struct mime *mime)
{
    return reading_list_new(arena, mime, NULL);
}

void reading_close(struct reading_list *list)
{
    for (size_t i = 0; list && i < sizeof list->own_rooms / sizeof *list->own_rooms; i++)
        buffer_free(&list->own_rooms[i]);
}

bool reading_add_mail(struct reading_list *list, struct text bytes)
{
    struct text mail;
    if (!header_looks_like_mail(bytes, &mail)) return false;
    while (list->inner) list = list->inner;
    if (!reading_inner_may_spend(list, mail.length)) return true;
    struct reading_mail *added = arena_alloc(list->arena, sizeof *added);
    *added = (struct reading_mail){ arena_text(list->arena, mail), list->mails };
    list->mails = added;
    return true;
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
    list->inner = NULL;
}

static bool inner_next(struct reading_list *list, struct reading *out)
{
    for (;;) {
        if (!list->inner && list->mails) {
            struct text mail = list->mails->bytes;
            list->mails = list->mails->next;
            reading_inner_begin(list, ROLE_MAIL,
                                mime_parse(list->arena, mail, list->mime->limits, MIME_FIRST));
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

static void enter(struct reading_list *list, enum reading_stage stage)
{
    list->stage = stage;
    list->part = list->method = list->at = 0;
}

static bool stage_next(struct reading_list *list, struct reading *out)
{
    switch (list->stage) {
    case STAGE_PARTS:
        return reading_trees_parts(list, out);
    case STAGE_OTHERS:
        return reading_trees_others(list, out);
    case STAGE_METHODS:
        return reading_trees_methods(list, out);
    case STAGE_WORDS:
        reading_carved_words(list);
        break;
    case STAGE_BODIES:
        return reading_carved_bodies(list, out);
    case STAGE_PARAGRAPHS:
        return reading_carved_paragraphs(list, out);
    case STAGE_RUNS:
        return reading_carved_runs(list, out);
    case STAGE_BLOCKS:
        return reading_carved_blocks(list, out);
    case STAGE_BINHEX:
        return reading_carved_binhex(list, out);
    case STAGE_QUOTED:
        return reading_carved_quoted(list, out);
    case STAGE_JOINED:
        return reading_carved_joined(list, out);
    case STAGE_UU_LINES:
        return reading_carved_uu_lines(list, out);
    case STAGE_RETURNS:
        reading_carved_returns(list);
        break;
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
static enum reading_stage stage_after(struct reading_list *list)
{
    const struct finding_set *findings = &list->mime->findings;
    bool is_doubtful = finding_set_is_doubtful(findings);
    if (list->stage == STAGE_PARTS) {
        if (!is_doubtful && !finding_set_calls_for(findings, CONSEQUENCE_LOOK)) return STAGE_DONE;
        if (!reading_list_may_spend(list, list->mime->message.length)) {
            reading_list_give_up(list);
            return STAGE_DONE;
        }
        reading_trees_remember(list);
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
    if (reading_list_behind_lines(list, out) || reading_list_forms(list, out) || inner_next(list, out))
        return true;
    while (list->stage != STAGE_DONE) {
        if (stage_next(list, out)) return true;
        bool goes_on = list->inner != NULL; /* behind what lies inside */
        if (inner_next(list, out)) return true;
        if (!goes_on && list->stage != STAGE_DONE) enter(list, stage_after(list));
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
