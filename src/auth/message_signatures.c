/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* First all signature fields are read, then the body is hashed for all that want it, then each one's header.
 */
#include "auth/message_signatures.h"

#include "auth/arc_chain.h"
#include "auth/dkim_field.h"
#include "auth/dkim_selection.h"

/* One reading: `fields` are those that can be verified as far as was seen. */
struct message_reading {
    struct arena *arena;
    struct text message;
    const struct header *header;
    struct message_signatures *out;
    struct dkim_field *fields;
    uint32_t count;
    struct running_digest digest;
    size_t budget;
};

/* --- fields --- */

static bool is_cut(const struct header *header)
{
    return finding_has(&header->findings, FINDING_HEADER_TOO_LONG) ||
           finding_has(&header->findings, FINDING_TOO_MANY_FIELDS);
}

/* Keeps it for hashing where it is good so far. */
static void field_add(struct message_reading *reading, const struct header_field *field,
                      enum dkim_field_kind kind, struct dkim_signature *signature)
{
    struct dkim_field *next = &reading->fields[reading->count];
    dkim_field_read(reading->arena, field, kind, signature, next);
    if (signature->reason == DKIM_GOOD && is_cut(reading->header)) signature->reason = DKIM_HEADER_CUT;
    if (signature->reason == DKIM_GOOD) reading->count++;
}

static bool is_dkim(const struct header_field *field)
{
    return field->name.length == 14 && text_equal_nocase(field->name, TEXT("DKIM-Signature"));
}

static void dkim_fields_read(struct message_reading *reading, uint32_t times)
{
    struct dkim_facts *facts = &reading->out->dkim;
    uint32_t read = times < DKIM_SIGNATURES_MOST ? times : DKIM_SIGNATURES_MOST;
    facts->unread = times - read;
    facts->signatures = arena_alloc_array(reading->arena, read, sizeof *facts->signatures);
    for (size_t i = 0; i < reading->header->count && facts->count < read; i++) {
        const struct header_field *field = &reading->header->fields[i];
        if (is_dkim(field))
            field_add(reading, field, DKIM_FIELD_SIGNATURE, &facts->signatures[facts->count++]);
    }
}

/* --- ARC --- */

static bool cv_read(const struct header_field *field, enum arc_cv *out)
{
    struct tag_list tags;
    const struct text *value = tag_list_parse(field->value, &tags) ? tag_list_find(&tags, "cv") : NULL;
    for (int cv = ARC_CV_NONE; value && cv <= ARC_CV_FAIL; cv++) {
        *out = (enum arc_cv)cv;
        if (text_equal(*value, text_of(arc_cv_name(*out)))) return true;
    }
    return false;
}

static void arc_fail(struct arc_facts *facts, enum arc_reason reason, uint32_t set)
{
    if (facts->reason != ARC_GOOD) return;
    facts->reason = reason;
    facts->failed_set = set;
}

/* RFC 8617 section 5.2 steps 2 and 3: the newest may say fail, else the first says none and the others pass.
 */
static void cvs_check(struct arc_facts *facts)
{
    if (facts->count > 0 && facts->sets[facts->count - 1].cv == ARC_CV_FAIL)
        arc_fail(facts, ARC_CV_FAILED, facts->count);
    for (uint32_t i = 0; i < facts->count; i++)
        if (facts->sets[i].cv != (i == 0 ? ARC_CV_NONE : ARC_CV_PASS)) arc_fail(facts, ARC_CV, i + 1);
}

/* Of the newest first, as far as ARC_ALL_RESULTS_MOST goes. */
static void results_keep(struct message_reading *reading, const struct arc_chain *chain)
{
    size_t room = ARC_ALL_RESULTS_MOST;
    for (uint32_t i = chain->count; i > 0; i--) {
        struct text payload = arc_chain_payload(chain->fields[i - 1][ARC_FIELD_RESULTS]);
        struct text plain = header_unfold(reading->arena, payload);
        if (plain.length > ARC_RESULTS_MOST || plain.length > room) continue;
        reading->out->arc.sets[i - 1].results = plain;
        room -= plain.length;
    }
}

static size_t bytes_of(const struct dkim_signature *signature)
{
    return signature->domain.length + signature->selector.length + signature->signature.length;
}

static void arc_fields_read(struct message_reading *reading, const struct arc_chain *chain)
{
    struct arc_facts *facts = &reading->out->arc;
    uint32_t before = reading->count;
    size_t bytes = 0;
    facts->sets = arena_alloc_array(reading->arena, chain->count, sizeof *facts->sets);
    facts->count = chain->count;
    for (uint32_t i = 0; i < chain->count; i++) {
        const struct header_field *const *fields = chain->fields[i];
        struct arc_set *set = &facts->sets[i];
        if (!cv_read(fields[ARC_FIELD_SEAL], &set->cv)) arc_fail(facts, ARC_SYNTAX, i + 1);
        field_add(reading, fields[ARC_FIELD_MESSAGE], DKIM_FIELD_ARC_MESSAGE, &set->message);
        field_add(reading, fields[ARC_FIELD_SEAL], DKIM_FIELD_ARC_SEAL, &set->seal);
        bytes += bytes_of(&set->message) + bytes_of(&set->seal);
    }
    cvs_check(facts);
    results_keep(reading, chain);
    if (bytes > ARC_CHAIN_BYTES_MOST) {
        facts->count = 0;
        arc_fail(facts, ARC_TOO_MANY, 0);
    }
    if (facts->reason != ARC_GOOD) reading->count = before; /* there is nothing to verify */
}

/* --- hashing --- */

/* Of each name all fields are signed where h= names it as often as they are there: RFC 6376 section 5.4.2. */
static unsigned covered_by(struct text names, const struct header *header)
{
    static const struct {
        enum header_id id;
        enum dkim_covered covered;
    } rows[] = { { HEADER_FROM, DKIM_COVERS_FROM },
                 { HEADER_SUBJECT, DKIM_COVERS_SUBJECT },
                 { HEADER_TO, DKIM_COVERS_TO },
                 { HEADER_CC, DKIM_COVERS_CC } };
    static const struct {
        struct text name;
        enum dkim_covered covered;
    } others[] = { { TEXT("List-Unsubscribe"), DKIM_COVERS_UNSUBSCRIBE },
                   { TEXT("List-Id"), DKIM_COVERS_LIST_ID } };
    enum { OTHERS = sizeof others / sizeof *others };
    uint32_t named[HEADER_ID_COUNT] = { 0 }, named_others[OTHERS] = { 0 };
    unsigned covered = 0;
    struct text name;
    while (tag_list_next_word(&names, &name)) {
        named[header_id_of(name)]++;
        for (size_t i = 0; i < OTHERS; i++) named_others[i] += text_equal_nocase(name, others[i].name);
    }
    for (size_t i = 0; i < OTHERS; i++)
        if (named_others[i] >= header_count_name(header, others[i].name)) covered |= others[i].covered;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (named[rows[i].id] >= header->times[rows[i].id]) covered |= rows[i].covered;
    return covered;
}

static bool has_body(const struct dkim_field *field)
{
    return field->kind != DKIM_FIELD_ARC_SEAL;
}

static void bodies_hash(struct message_reading *reading)
{
    uint32_t count = 0;
    struct canonical_want **wants = arena_alloc_array(reading->arena, reading->count, sizeof *wants);
    for (uint32_t i = 0; i < reading->count; i++)
        if (has_body(&reading->fields[i])) wants[count++] = &reading->fields[i].body;
    struct text body = text_slice(reading->message, reading->header->body_offset, reading->message.length);
    canonical_body_hash(body, wants, count);
    for (uint32_t i = 0; i < reading->count; i++) {
        const struct dkim_field *field = &reading->fields[i];
        if (!has_body(field)) continue;
        field->signature->is_partial = field->body.is_partial;
        field->signature->body_differs =
            memcmp(field->body.digest, field->body_digest, KEY_DIGEST_BYTES) != 0;
        if (field->body.is_short) field->signature->reason = DKIM_LENGTH;
    }
}

static bool take(struct message_reading *reading, size_t bytes)
{
    if (bytes > reading->budget) return false;
    reading->budget -= bytes;
    return true;
}

static void header_hash(struct message_reading *reading, struct dkim_selection *selection,
                        struct dkim_field *field)
{
    struct running_digest *digest = &reading->digest;
    running_digest_restart(digest);
    bool is_small =
        take(reading, field->field->length) &&
        dkim_selection_add(selection, digest, field->form, field->names, field->field, &reading->budget);
    if (!is_small) {
        field->signature->reason = DKIM_TOO_MUCH;
        return;
    }
    canonical_field_add(digest, field->form, dkim_field_unsigned(reading->arena, field->field), false);
    running_digest_end(digest, field->signature->digest);
    field->signature->covered = covered_by(field->names, reading->header);
}

static void headers_hash(struct message_reading *reading)
{
    struct dkim_selection *selection = NULL;
    for (uint32_t i = 0; i < reading->count; i++) {
        struct dkim_field *field = &reading->fields[i];
        if (!has_body(field) || field->signature->reason != DKIM_GOOD) continue;
        if (!selection) selection = dkim_selection_new(reading->arena, reading->header);
        header_hash(reading, selection, field);
    }
}

/* Each seal covers all sets up to its own (RFC 8617 section 5.1.1), so one digest runs through them, and a
   copy of it ends in each seal. */
static void seals_hash(struct message_reading *reading, const struct arc_chain *chain)
{
    struct running_digest seal, *digest = &reading->digest;
    running_digest_open(&seal);
    running_digest_restart(digest);
    for (uint32_t i = 0; i < chain->count; i++) {
        const struct header_field *set[ARC_FIELDS];
        memcpy(set, chain->fields[i], sizeof set);
        struct dkim_signature *signature = &reading->out->arc.sets[i].seal;
        const struct header_field *own = set[ARC_FIELD_SEAL];
        set[ARC_FIELD_SEAL] = NULL;
        arc_chain_set_add(digest, set);
        running_digest_copy(&seal, digest);
        canonical_field_add(&seal, CANONICAL_RELAXED, dkim_field_unsigned(reading->arena, own), false);
        running_digest_end(&seal, signature->digest);
        canonical_field_add(digest, CANONICAL_RELAXED, dkim_field_bytes(own), true);
    }
    running_digest_close(&seal);
}

void message_signatures_read(struct arena *arena, struct text message, const struct header *header,
                             struct message_signatures *out)
{
    struct arc_chain chain;
    struct message_reading reading = { .arena = arena,
                                       .message = message,
                                       .header = header,
                                       .out = out,
                                       .budget = MESSAGE_SIGNATURES_HEADER_BYTES };
    uint32_t times = 0;
    *out = (struct message_signatures){ 0 };
    for (size_t i = 0; i < header->count; i++) times += is_dkim(&header->fields[i]);
    arc_chain_collect(header, &chain);
    out->arc.reason = chain.reason;
    out->arc.failed_set = chain.failed_set;
    if (chain.reason != ARC_GOOD) chain.count = 0;
    if (times == 0 && chain.count == 0) return;
    reading.fields =
        arena_alloc_array(arena, DKIM_SIGNATURES_MOST + 2 * (size_t)chain.count + 1, sizeof *reading.fields);
    dkim_fields_read(&reading, times);
    arc_fields_read(&reading, &chain);
    if (reading.count == 0) return;
    running_digest_open(&reading.digest);
    bodies_hash(&reading);
    headers_hash(&reading);
    if (out->arc.reason == ARC_GOOD && out->arc.count > 0) seals_hash(&reading, &chain);
    running_digest_close(&reading.digest);
}

bool message_signatures_judge(struct arena *arena, const struct message_signatures *signatures,
                              struct dns_answers *answers, uint64_t now_s, struct dkim_verdict *out_dkim,
                              struct arc_verdict *out_arc)
{
    bool is_chain_known = arc_ask(&signatures->arc, answers, now_s);
    if (!dkim_judge(&signatures->dkim, answers, now_s, out_dkim) || !is_chain_known) return false;
    return arc_judge(arena, &signatures->arc, answers, now_s, out_arc);
}

/* --- the byte form --- */

static void signature_put(const struct dkim_signature *signature, struct buffer *out)
{
    put_u8(out, (uint8_t)signature->reason);
    put_u8(out, (uint8_t)signature->kind);
    put_u8(out, (uint8_t)(signature->body_differs | signature->is_partial << 1 | signature->covered << 2));
    put_text(out, signature->domain);
    put_text(out, signature->selector);
    put_text(out, signature->identity);
    put_text(out, signature->signature);
    buffer_add(out, signature->digest, sizeof signature->digest);
    put_u64(out, signature->signed_s);
    put_u64(out, signature->expires_s);
}

enum { SIGNATURE_LEAST = 3 + 4 * 4 + KEY_DIGEST_BYTES + 2 * 8 };

static void signature_get(struct reader *reader, struct dkim_signature *out)
{
    out->reason = get_u8(reader);
    out->kind = get_u8(reader);
    uint8_t flags = get_u8(reader);
    out->body_differs = flags & 1;
    out->is_partial = flags >> 1 & 1;
    out->covered = flags >> 2 & DKIM_COVERS_ALL;
    out->domain = get_text(reader);
    out->selector = get_text(reader);
    out->identity = get_text(reader);
    out->signature = get_text(reader);
    get_bytes(reader, out->digest, sizeof out->digest);
    out->signed_s = get_u64(reader);
    out->expires_s = get_u64(reader);
    bool is_good = (unsigned)out->reason < DKIM_REASON_COUNT && (unsigned)out->kind < KEY_KIND_COUNT &&
                   out->domain.length + out->selector.length <= 2 * (size_t)DKIM_NAME_MOST &&
                   out->identity.length <= DKIM_IDENTITY_MOST && out->signature.length <= KEY_SIGNATURE_MOST;
    if (!is_good) reader->failed = true;
}

void message_signatures_put(const struct message_signatures *signatures, struct buffer *out)
{
    const struct dkim_facts *dkim = &signatures->dkim;
    const struct arc_facts *arc = &signatures->arc;
    put_u32(out, dkim->unread);
    put_u32(out, dkim->count);
    for (uint32_t i = 0; i < dkim->count; i++) signature_put(&dkim->signatures[i], out);
    put_u8(out, (uint8_t)arc->reason);
    put_u32(out, arc->failed_set);
    put_u32(out, arc->count);
    for (uint32_t i = 0; i < arc->count; i++) {
        put_u8(out, (uint8_t)arc->sets[i].cv);
        signature_put(&arc->sets[i].message, out);
        signature_put(&arc->sets[i].seal, out);
        put_text(out, arc->sets[i].results);
    }
}

static void set_get(struct reader *reader, struct arc_set *out)
{
    out->cv = get_u8(reader);
    signature_get(reader, &out->message);
    signature_get(reader, &out->seal);
    out->results = get_text(reader);
    if ((unsigned)out->cv > ARC_CV_FAIL || out->results.length > ARC_RESULTS_MOST) reader->failed = true;
}

bool message_signatures_get(struct arena *arena, struct reader *reader, struct message_signatures *out)
{
    struct dkim_facts *dkim = &out->dkim;
    struct arc_facts *arc = &out->arc;
    dkim->unread = get_u32(reader);
    dkim->count = get_count(reader, DKIM_SIGNATURES_MOST, SIGNATURE_LEAST);
    dkim->signatures = arena_alloc_array(arena, dkim->count, sizeof *dkim->signatures);
    for (uint32_t i = 0; i < dkim->count; i++) signature_get(reader, &dkim->signatures[i]);
    arc->reason = get_u8(reader);
    arc->failed_set = get_u32(reader);
    arc->count = get_count(reader, ARC_SETS_MOST, 1 + 2 * SIGNATURE_LEAST + 4);
    arc->sets = arena_alloc_array(arena, arc->count, sizeof *arc->sets);
    for (uint32_t i = 0; i < arc->count; i++) set_get(reader, &arc->sets[i]);
    return !reader->failed && (unsigned)arc->reason < ARC_REASON_COUNT && arc->failed_set <= ARC_SETS_MOST;
}
