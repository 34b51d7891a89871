/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Each field says by i= which set it is of. */
#include "auth/arc_chain.h"

#include "auth/dkim_field.h"
#include "auth/tag_list.h"

static const struct text names[ARC_FIELDS] = { [ARC_FIELD_RESULTS] = { "ARC-Authentication-Results", 26 },
                                               [ARC_FIELD_MESSAGE] = { "ARC-Message-Signature", 21 },
                                               [ARC_FIELD_SEAL] = { "ARC-Seal", 8 } };

static enum arc_field field_of(struct text name)
{
    int field = 0;
    while (field < ARC_FIELDS && !text_equal_nocase(name, names[field])) field++;
    return (enum arc_field)field;
}

/* "i=1" at the front, up to the semicolon; RFC 8617 section 4.1.1. */
static bool results_instance(struct text value, struct text *out)
{
    struct tag_list tags;
    if (!tag_list_parse(text_slice(value, 0, text_find_char(value, ';')), &tags)) return false;
    const struct text *instance = tag_list_find(&tags, "i");
    if (instance) *out = *instance;
    return instance;
}

static bool tagged_instance(struct text value, struct text *out)
{
    struct tag_list tags;
    if (!tag_list_parse(value, &tags)) return false;
    const struct text *instance = tag_list_find(&tags, "i");
    if (instance) *out = *instance;
    return instance;
}

/* From 1; 0 with the reason. */
static uint32_t instance_read(const struct header_field *field, enum arc_field kind, enum arc_reason *reason)
{
    struct text digits = TEXT_NONE;
    uint64_t number = 0;
    bool is_read = kind == ARC_FIELD_RESULTS ? results_instance(field->value, &digits)
                                             : tagged_instance(field->value, &digits);
    if (!is_read || !text_to_number(digits, 999, &number) || number == 0)
        *reason = ARC_SYNTAX;
    else if (number > ARC_SETS_MOST)
        *reason = ARC_TOO_MANY;
    else
        return (uint32_t)number;
    return 0;
}

static bool fail(struct arc_chain *chain, enum arc_reason reason, uint32_t set)
{
    chain->reason = reason;
    chain->failed_set = set;
    return false;
}

/* False: the chain is broken. */
static bool field_take(struct arc_chain *chain, const struct header_field *field, enum arc_field kind)
{
    enum arc_reason reason = ARC_GOOD;
    uint32_t number = instance_read(field, kind, &reason);
    if (number == 0) return fail(chain, reason, 0);
    if (chain->fields[number - 1][kind]) return fail(chain, ARC_DOUBLED, number);
    chain->fields[number - 1][kind] = field;
    if (number > chain->count) chain->count = number;
    return true;
}

void arc_chain_collect(const struct header *header, struct arc_chain *out)
{
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < header->count; i++) {
        const struct header_field *field = &header->fields[i];
        if (field->name.length < 8 || !text_starts_nocase(field->name, TEXT("arc-"))) continue;
        enum arc_field kind = field_of(field->name);
        if (kind != ARC_FIELDS && !field_take(out, field, kind)) return;
    }
    for (uint32_t set = 0; set < out->count; set++)
        for (int kind = 0; kind < ARC_FIELDS; kind++)
            if (!out->fields[set][kind]) {
                fail(out, ARC_INCOMPLETE, set + 1);
                return;
            }
}

struct text arc_chain_payload(const struct header_field *field)
{
    struct text value = field->value;
    return text_trim(text_slice(value, text_find_char(value, ';') + 1, value.length));
}

void arc_chain_set_add(struct running_digest *digest, const struct header_field *const fields[ARC_FIELDS])
{
    for (int kind = 0; kind < ARC_FIELDS; kind++)
        if (fields[kind])
            canonical_field_add(digest, CANONICAL_RELAXED, dkim_field_bytes(fields[kind]), true);
}
