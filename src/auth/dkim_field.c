/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A rule a function; the first that is broken is the field's reason. */
#include "auth/dkim_field.h"

#include "dns/dns_name.h"
#include "mail/idna.h"

/* What a reading works with. */
struct reading_of_field {
    struct arena *arena;
    enum dkim_field_kind kind;
    struct tag_list tags;
    struct dkim_field *out;
    struct dkim_signature *signature;
};

static const struct text *find(const struct reading_of_field *reading, const char *name)
{
    return tag_list_find(&reading->tags, name);
}

/* RFC 6376 section 3.5; a seal has neither body nor fields of its own choice (RFC 8617 section 4.1.3). */
static enum dkim_reason required_check(const struct reading_of_field *reading)
{
    static const struct {
        const char *name;
        bool in_kind[3];
    } tags[] = { { "v", { true } },
                 { "a", { true, true, true } },
                 { "b", { true, true, true } },
                 { "d", { true, true, true } },
                 { "s", { true, true, true } },
                 { "bh", { true, true } },
                 { "h", { true, true } } };
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (tags[i].in_kind[reading->kind] && !find(reading, tags[i].name)) return DKIM_TAG_MISSING;
    return DKIM_GOOD;
}

static enum dkim_reason version_read(struct reading_of_field *reading)
{
    const struct text *version = find(reading, "v");
    if (reading->kind != DKIM_FIELD_SIGNATURE || !version) return DKIM_GOOD;
    return text_equal(*version, TEXT("1")) ? DKIM_GOOD : DKIM_VERSION;
}

static enum dkim_reason algorithm_read(struct reading_of_field *reading)
{
    const struct text *name = find(reading, "a");
    reading->signature->kind = KEY_RSA;
    if (!name) return DKIM_GOOD; /* another rule's */
    if (text_equal(*name, TEXT("rsa-sha256"))) return DKIM_GOOD;
    reading->signature->kind = KEY_ED25519;
    if (text_equal(*name, TEXT("ed25519-sha256"))) return DKIM_GOOD;
    reading->signature->kind = KEY_RSA;
    return text_equal(*name, TEXT("rsa-sha1")) ? DKIM_SHA1 : DKIM_ALGORITHM;
}

/* Empty: it is none (RFC 6376 section 3.5, RFC 8616 section 4). */
static struct text domain_of(struct reading_of_field *reading, struct text value)
{
    struct text domain = TEXT_NONE;
    if (value.length > 4 * DKIM_NAME_MOST || !idna_to_ascii(reading->arena, value, &domain)) return TEXT_NONE;
    return dns_name_has_labels(domain, DKIM_NAME_MOST) ? domain : TEXT_NONE;
}

static enum dkim_reason domains_read(struct reading_of_field *reading)
{
    const struct text *domain = find(reading, "d"), *selector = find(reading, "s");
    if (domain) reading->signature->domain = domain_of(reading, *domain);
    if (selector) reading->signature->selector = domain_of(reading, *selector);
    size_t domain_length = reading->signature->domain.length, length = reading->signature->selector.length;
    bool is_good = domain_length > 0 && length > 0 && domain_length + length <= DKIM_NAME_MOST;
    return is_good ? DKIM_GOOD : DKIM_DOMAIN;
}

/* DKIM-Quoted-Printable: RFC 6376 section 2.11. */
static struct text quoted_decode(struct arena *arena, struct text value)
{
    char *plain = arena_alloc(arena, value.length);
    size_t length = 0;
    for (size_t i = 0; i < value.length; i++) {
        char c = value.at[i];
        int high = c == '=' && i + 2 < value.length ? char_hex_value(value.at[i + 1]) : -1;
        int low = high >= 0 ? char_hex_value(value.at[i + 2]) : -1;
        if (low >= 0) {
            i += 2;
            c = (char)(high << 4 | low);
        }
        plain[length++] = c;
    }
    return text_from(plain, length);
}

/* i= is in d= or below it (RFC 6376 section 3.5); of ARC it is a number. */
static enum dkim_reason identity_read(struct reading_of_field *reading)
{
    struct dkim_signature *signature = reading->signature;
    const struct text *value = find(reading, "i");
    if (reading->kind != DKIM_FIELD_SIGNATURE || signature->domain.length == 0) return DKIM_GOOD;
    if (!value) {
        signature->identity = arena_printf(reading->arena, "@%.*s", TEXT_ARG(signature->domain));
        return DKIM_GOOD;
    }
    struct text identity = quoted_decode(reading->arena, tag_list_squeeze(reading->arena, *value));
    size_t at = text_find_last_char(identity, '@');
    if (identity.length > DKIM_IDENTITY_MOST || at == identity.length) return DKIM_SYNTAX;
    struct text domain = domain_of(reading, text_slice(identity, at + 1, identity.length));
    signature->identity = identity;
    return dns_name_is_within(domain, signature->domain) ? DKIM_GOOD : DKIM_IDENTITY;
}

static bool form_of(struct text word, enum canonical_form *out)
{
    *out = text_equal(word, TEXT("relaxed")) ? CANONICAL_RELAXED : CANONICAL_SIMPLE;
    return *out == CANONICAL_RELAXED || text_equal(word, TEXT("simple"));
}

/* One word alone is of the header (RFC 6376 section 3.5). A seal is relaxed, whatever it says; and the header
   of an ARC-Message-Signature without c=, as the ARC test suite has it. */
static enum dkim_reason forms_read(struct reading_of_field *reading)
{
    const struct text *value = find(reading, "c");
    struct dkim_field *out = reading->out;
    out->form = reading->kind != DKIM_FIELD_SIGNATURE ? CANONICAL_RELAXED : CANONICAL_SIMPLE;
    out->body.form = CANONICAL_SIMPLE;
    if (!value || reading->kind == DKIM_FIELD_ARC_SEAL) return DKIM_GOOD;
    size_t slash = text_find_char(*value, '/');
    bool is_good = form_of(text_slice(*value, 0, slash), &out->form);
    if (slash < value->length)
        is_good = form_of(text_slice(*value, slash + 1, value->length), &out->body.form) && is_good;
    return is_good ? DKIM_GOOD : DKIM_CANONICALIZATION;
}

static enum dkim_reason query_read(struct reading_of_field *reading)
{
    const struct text *value = find(reading, "q");
    if (!value || reading->kind != DKIM_FIELD_SIGNATURE || tag_list_has_word(*value, TEXT("dns/txt")))
        return DKIM_GOOD;
    return DKIM_QUERY;
}

/* Of up to `digits` digits (RFC 6376 section 3.5); what no clock of ours will say is UINT32_MAX and later. */
static bool number_read(const struct text *value, size_t digits, uint64_t *out)
{
    if (!value || value->length == 0 || value->length > digits) return !value;
    for (size_t i = 0; i < value->length; i++) {
        if (!char_is_digit(value->at[i])) return false;
        unsigned digit = (unsigned)(value->at[i] - '0');
        if (*out > ((uint64_t)INT64_MAX - digit) / 10)
            *out = INT64_MAX;
        else
            *out = *out * 10 + digit;
    }
    return true;
}

static enum dkim_reason numbers_read(struct reading_of_field *reading)
{
    struct dkim_signature *signature = reading->signature;
    uint64_t limit = 0;
    const struct text *length = reading->kind == DKIM_FIELD_ARC_SEAL ? NULL : find(reading, "l");
    if (!number_read(find(reading, "t"), 12, &signature->signed_s)) return DKIM_SYNTAX;
    if (!number_read(find(reading, "x"), 12, &signature->expires_s)) return DKIM_SYNTAX;
    if (!number_read(length, 76, &limit)) return DKIM_SYNTAX;
    reading->out->body.limit = length ? (int64_t)limit : CANONICAL_WHOLE;
    bool is_turned = find(reading, "x") && find(reading, "t") && signature->expires_s <= signature->signed_s;
    return is_turned ? DKIM_TIMES : DKIM_GOOD;
}

static enum dkim_reason names_read(struct reading_of_field *reading)
{
    const struct text *names = find(reading, "h");
    if (reading->kind == DKIM_FIELD_ARC_SEAL) return names ? DKIM_SEAL_FIELDS : DKIM_GOOD;
    if (!names) return DKIM_GOOD; /* another rule's */
    reading->out->names = *names;
    if (reading->kind == DKIM_FIELD_ARC_MESSAGE)
        return tag_list_has_word(*names, TEXT("arc-seal")) ? DKIM_SEAL_FIELDS : DKIM_GOOD;
    return tag_list_has_word(*names, TEXT("from")) ? DKIM_GOOD : DKIM_FROM_UNSIGNED;
}

static enum dkim_reason bytes_read(struct reading_of_field *reading)
{
    const struct text *signature = find(reading, "b"), *body = find(reading, "bh");
    struct text *bytes = &reading->signature->signature;
    if (!signature || !tag_list_base64(reading->arena, *signature, SIZE_MAX, bytes)) return DKIM_SYNTAX;
    if (bytes->length > KEY_SIGNATURE_MOST) return DKIM_KEY_LONG;
    if (reading->kind == DKIM_FIELD_ARC_SEAL) return DKIM_GOOD;
    uint8_t *digest = reading->out->body_digest;
    return body && tag_list_base64_exact(*body, digest, KEY_DIGEST_BYTES) ? DKIM_GOOD : DKIM_SYNTAX;
}

void dkim_field_read(struct arena *arena, const struct header_field *field, enum dkim_field_kind kind,
                     struct dkim_signature *signature, struct dkim_field *out)
{
    static enum dkim_reason (*const rules[])(
        struct reading_of_field *) = { version_read, algorithm_read, domains_read, identity_read, forms_read,
                                       query_read,   numbers_read,   names_read,   bytes_read };
    struct reading_of_field reading = { .arena = arena, .kind = kind, .out = out, .signature = signature };
    *out = (struct dkim_field){ .field = field, .kind = kind, .signature = signature };
    if (!tag_list_parse(field->value, &reading.tags)) {
        signature->reason = DKIM_SYNTAX;
        reading.tags.count = 0;
        return;
    }
    signature->reason = required_check(&reading);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        enum dkim_reason reason = rules[i](&reading);
        if (signature->reason == DKIM_GOOD) signature->reason = reason;
    }
    if (signature->reason != DKIM_GOOD) signature->signature = TEXT_NONE;
}

struct text dkim_field_bytes(const struct header_field *field)
{
    return text_from(field->name.at, field->length);
}

/* Where the value of b= begins and ends in `text`; both its length when there is none. */
static void signature_find(struct text text, size_t *out_from, size_t *out_to)
{
    size_t at = 0;
    *out_from = *out_to = text.length;
    while (at < text.length) {
        size_t end = at + text_find_char(text_slice(text, at, text.length), ';');
        struct text item = text_slice(text, at, end);
        size_t equals = text_find_char(item, '=');
        if (equals < item.length && text_equal(text_trim(text_slice(item, 0, equals)), TEXT("b"))) {
            *out_from = at + equals + 1;
            *out_to = end;
            return;
        }
        at = end + 1;
    }
}

struct text dkim_field_unsigned(struct arena *arena, const struct header_field *field)
{
    struct text bytes = dkim_field_bytes(field);
    size_t head = (size_t)(field->value.at - bytes.at), from, to;
    signature_find(field->value, &from, &to);
    size_t behind = field->value.length - to; /* without the field's line end */
    char *copy = arena_alloc(arena, head + from + behind);
    memcpy(copy, bytes.at, head + from);
    if (behind) memcpy(copy + head + from, field->value.at + to, behind);
    return text_from(copy, head + from + behind);
}
