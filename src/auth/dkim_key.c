/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One record; which of several counts is said in dkim.c. */
#include "auth/dkim_key.h"

#include "auth/tag_list.h"

/* v= is first where it is (RFC 6376 section 3.6.1). */
static bool version_is_good(const struct tag_list *tags)
{
    const struct text *version = tag_list_find(tags, "v");
    return !version || (version == &tags->tags[0].value && text_equal(*version, TEXT("DKIM1")));
}

static enum dkim_reason kind_read(const struct tag_list *tags, struct dkim_key *out)
{
    const struct text *kind = tag_list_find(tags, "k");
    out->kind = KEY_RSA;
    if (!kind || text_equal(*kind, TEXT("rsa"))) return DKIM_GOOD;
    out->kind = KEY_ED25519;
    return text_equal(*kind, TEXT("ed25519")) ? DKIM_GOOD : DKIM_KEY_KIND;
}

static enum dkim_reason bytes_read(struct arena *arena, const struct tag_list *tags, struct dkim_key *out)
{
    const struct text *bytes = tag_list_find(tags, "p");
    if (!bytes) return DKIM_KEY_SYNTAX;
    if (bytes->length == 0) return DKIM_KEY_REVOKED;
    return tag_list_base64(arena, *bytes, DKIM_KEY_RECORD_MOST, &out->bytes) ? DKIM_GOOD : DKIM_KEY_BROKEN;
}

static enum dkim_reason uses_read(const struct tag_list *tags)
{
    const struct text *hashes = tag_list_find(tags, "h"), *services = tag_list_find(tags, "s");
    if (hashes && !tag_list_has_word(*hashes, TEXT("sha256"))) return DKIM_KEY_HASH;
    if (!services || tag_list_has_word(*services, TEXT("*"))) return DKIM_GOOD;
    return tag_list_has_word(*services, TEXT("email")) ? DKIM_GOOD : DKIM_KEY_SERVICE;
}

static void flags_read(const struct tag_list *tags, struct dkim_key *out)
{
    const struct text *flags = tag_list_find(tags, "t");
    out->is_testing = flags && tag_list_has_word(*flags, TEXT("y"));
    out->is_strict = flags && tag_list_has_word(*flags, TEXT("s"));
}

void dkim_key_parse(struct arena *arena, struct text record, struct dkim_key *out)
{
    struct tag_list tags;
    *out = (struct dkim_key){ .reason = DKIM_KEY_SYNTAX };
    if (record.length > DKIM_KEY_RECORD_MOST || !tag_list_parse(record, &tags) || !version_is_good(&tags))
        return;
    flags_read(&tags, out);
    out->reason = kind_read(&tags, out);
    if (out->reason == DKIM_GOOD) out->reason = bytes_read(arena, &tags, out);
    if (out->reason == DKIM_GOOD) out->reason = uses_read(&tags);
}

struct text dkim_key_name(struct arena *arena, struct text selector, struct text domain)
{
    static const struct text middle = { "._domainkey.", 12 };
    char *name = arena_alloc(arena, selector.length + middle.length + domain.length + 1);
    if (selector.length) memcpy(name, selector.at, selector.length);
    memcpy(name + selector.length, middle.at, middle.length);
    if (domain.length) memcpy(name + selector.length + middle.length, domain.at, domain.length);
    return text_from(name, selector.length + middle.length + domain.length);
}
