/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Called by read.c and seal_compose.c. */
#include "scan/seal_basis.h"

#include "auth/dkim_signing.h"
#include "auth/from_domains.h"
#include "base/codec.h"
#include "config/domains.h"
#include "scan/tenancy.h"

enum { FIELDS_MOST = 4096 };

/* --- read --- */

/* Mail of several authors' domains is nobody's to sign. */
static bool author_find(struct arena *arena, const struct config *config, const struct header *header,
                        struct text *out)
{
    struct from_domains from;
    if (!config_signs(config)) return false;
    from_domains_find(arena, header, &from);
    if (from.count != 1 || !config_signing_domain(config, from.domains[0])) return false;
    *out = from.domains[0];
    return true;
}

static bool is_kept(enum seal_purpose purpose, struct text name)
{
    bool is_chain = purpose != SEAL_DKIM && text_starts_nocase(name, TEXT("ARC-"));
    return is_chain || dkim_signing_covers(name);
}

/* An empty line stands between header and body, or there is no body: else others may see the body begin
   elsewhere. */
static bool is_whole(struct text message, const struct header *header)
{
    bool has_end = header->length < header->body_offset;
    return has_end || (header->length == message.length && text_ends(message, TEXT("\r\n")));
}

static void fields_keep(struct arena *arena, struct text message, const struct header *header,
                        struct seal_basis *out)
{
    size_t most = out->purpose == SEAL_DKIM ? SEAL_DKIM_BYTES_MOST : SEAL_ARC_BYTES_MOST, bytes = 0;
    out->fields = arena_alloc_array(arena, header->count, sizeof *out->fields);
    for (size_t i = 0; i < header->count; i++) {
        const struct header_field *field = &header->fields[i];
        if (!is_kept(out->purpose, field->name)) continue;
        bytes += field->length;
        if (bytes > most || out->count == FIELDS_MOST) out->why = TEXT("too-long");
        if (out->why.length > 0) break;
        out->fields[out->count++] =
            (struct seal_field){ field->offset,
                                 text_slice(message, field->offset, field->offset + field->length) };
    }
    if (!is_whole(message, header)) out->why = TEXT("malformed");
    if (out->why.length > 0) out->count = 0;
}

static void basis_put(const struct seal_basis *basis, struct buffer *out)
{
    put_u8(out, (uint8_t)basis->purpose);
    put_text(out, basis->why);
    put_text(out, basis->domain);
    buffer_add(out, basis->body, sizeof basis->body);
    put_u32(out, basis->count);
    for (uint32_t i = 0; i < basis->count; i++) {
        put_u64(out, basis->fields[i].offset);
        put_text(out, basis->fields[i].bytes);
    }
}

static void basis_store(struct arena *arena, const struct seal_basis *basis, struct facts *out)
{
    struct buffer bytes = { 0 };
    basis_put(basis, &bytes);
    out->seal_basis = arena_text(arena, buffer_text(&bytes));
    buffer_free(&bytes);
}

static enum seal_purpose purpose_of(struct arena *arena, const struct config *config,
                                    const struct occasion *occasion, const struct header *header,
                                    const struct facts *facts, struct text *out_author)
{
    bool is_out = tenancy_direction(occasion, facts->tenancy) == DIRECTION_OUT;
    bool is_open = facts->tenancy == TENANCY_OPEN;
    if (facts->lacks_header) return SEAL_NOTHING;
    bool may_sign = (is_out || is_open) && author_find(arena, config, header, out_author);
    bool may_seal = !is_out && facts->authentication.length > 0 && config_sealing_domain(config);
    if (may_sign && is_open) return SEAL_EITHER;
    return may_sign ? SEAL_DKIM : may_seal ? SEAL_ARC : SEAL_NOTHING;
}

void seal_basis_read(struct arena *arena, const struct config *config, const struct occasion *occasion,
                     struct text message, const struct header *header, struct facts *out)
{
    struct seal_basis basis = { 0 };
    basis.purpose = purpose_of(arena, config, occasion, header, out, &basis.domain);
    if (basis.purpose == SEAL_NOTHING) return;
    fields_keep(arena, message, header, &basis);
    dkim_signing_body(text_slice(message, header->body_offset, message.length), basis.body);
    basis_store(arena, &basis, out);
}

void seal_basis_drop(struct arena *arena, struct facts *facts)
{
    struct seal_basis basis;
    if (!seal_basis_get(arena, facts->seal_basis, &basis)) return;
    basis.why = TEXT("too-long");
    basis.count = 0;
    basis_store(arena, &basis, facts);
}

/* --- decide --- */

bool seal_basis_get(struct arena *arena, struct text bytes, struct seal_basis *out)
{
    struct reader reader = reader_of(bytes);
    *out = (struct seal_basis){ .purpose = get_u8(&reader) };
    out->why = get_text(&reader);
    out->domain = get_text(&reader);
    get_bytes(&reader, out->body, sizeof out->body);
    out->count = get_count(&reader, FIELDS_MOST, 8 + 4);
    out->fields = arena_alloc_array(arena, out->count, sizeof *out->fields);
    for (uint32_t i = 0; i < out->count; i++) {
        out->fields[i].offset = get_u64(&reader);
        out->fields[i].bytes = get_text(&reader);
        uint64_t end = i ? out->fields[i - 1].offset + out->fields[i - 1].bytes.length : 0;
        if (out->fields[i].offset < end || out->fields[i].offset > UINT32_MAX) reader.failed = true;
    }
    return reader_done(&reader) && out->purpose > SEAL_NOTHING && out->purpose <= SEAL_EITHER;
}

/* Where a place of the message is among the bytes that are kept; *at walks forward with it. */
struct projection {
    const struct seal_basis *basis;
    uint32_t at;
    uint64_t before; /* kept bytes of fields before `at` */
};

static uint64_t project(struct projection *projection, uint64_t offset)
{
    const struct seal_basis *basis = projection->basis;
    while (projection->at < basis->count) {
        const struct seal_field *field = &basis->fields[projection->at];
        if (offset < field->offset + field->bytes.length)
            return projection->before + (offset > field->offset ? offset - field->offset : 0);
        projection->before += field->bytes.length;
        projection->at++;
    }
    return projection->before;
}

struct text seal_basis_apply(struct arena *arena, const struct seal_basis *basis, struct text prefix,
                             const struct edits *edits)
{
    struct edits kept = { .arena = arena };
    struct buffer fields = { 0 }, out = { 0 };
    struct projection projection = { .basis = basis };
    for (size_t i = 0; i < edits->count; i++) {
        uint64_t from = project(&projection, edits->items[i].offset);
        uint64_t to = project(&projection, edits->items[i].offset + edits->items[i].length);
        edits_add(&kept, from, to - from, edits->items[i].insert);
    }
    for (uint32_t i = 0; i < basis->count; i++) buffer_add_text(&fields, basis->fields[i].bytes);
    buffer_add_text(&out, prefix);
    edits_apply(&kept, buffer_text(&fields), &out);
    buffer_add_text(&out, TEXT("\r\n"));
    struct text all = arena_text(arena, buffer_text(&out));
    buffer_free(&fields);
    buffer_free(&out);
    return all;
}
