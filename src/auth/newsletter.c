/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Called by authentication.c, scan/authenticate.c and `sekimori judge`. */
#include "auth/newsletter.h"

#include "auth/authentication.h"
#include "auth/organization.h"
#include "mail/envelope.h"

/* --- what the header says --- */

enum { NAME_MOST = MAILING_LIST_ID_MOST, LINKS_MOST = 8 };

/* The next text in angle brackets (RFC 2369 section 2). False: there is none. */
static bool bracketed_next(struct text *rest, struct text *out)
{
    size_t open = text_find_char(*rest, '<');
    if (open == rest->length) return false;
    *rest = text_slice(*rest, open + 1, rest->length);
    size_t close = text_find_char(*rest, '>');
    if (close == rest->length) return false;
    *out = text_trim(text_slice(*rest, 0, close));
    *rest = text_slice(*rest, close + 1, rest->length);
    return true;
}

static size_t end_of_host(struct text text)
{
    size_t i = 0;
    while (i < text.length && text.at[i] != '/' && text.at[i] != '?' && text.at[i] != '#') i++;
    return i;
}

/* Host of an http or https link, domain of a mailto address; empty where it is neither, or no plain name. */
static struct text host_of(struct text link, bool *is_https)
{
    static const struct text schemes[] = { TEXT("https://"), TEXT("http://"), TEXT("mailto:") };
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (!text_equal_nocase(text_slice(link, 0, schemes[i].length), schemes[i])) continue;
        struct text host = text_slice(link, schemes[i].length, link.length);
        host = text_slice(host, 0, end_of_host(host));
        bool is_address = i == 2;
        size_t at = text_find_last_char(host, '@');
        if (is_address != (at < host.length)) return TEXT_NONE; /* a link with a user hides its host */
        if (is_address) host = text_slice(host, at + 1, host.length);
        if (!is_address) host = text_slice(host, 0, text_find_char(host, ':'));
        *is_https = i == 0;
        return mailing_list_is_id(host) ? host : TEXT_NONE;
    }
    return TEXT_NONE;
}

static struct text unsubscribe_find(struct arena *arena, const struct header *header, bool *out_https)
{
    const struct header_field *field = header_find_name(header, TEXT("List-Unsubscribe"));
    struct text link, found = TEXT_NONE;
    if (!field || header_count_name(header, TEXT("List-Unsubscribe")) != 1) return TEXT_NONE;
    struct text rest = header_unfold(arena, field->value);
    for (int i = 0; i < LINKS_MOST && bracketed_next(&rest, &link); i++) {
        bool is_https = false;
        struct text host = host_of(link, &is_https);
        if (host.length > 0 && found.length == 0) found = host;
        if (host.length > 0 && is_https) *out_https = true;
    }
    return arena_text_lower(arena, found);
}

static bool says(struct arena *arena, const struct header *header, struct text name, struct text word)
{
    const struct header_field *field = header_find_name(header, name);
    return field && text_equal_nocase(text_trim(header_unfold(arena, field->value)), word);
}

static bool asks_for_posts(struct arena *arena, const struct header *header)
{
    return header_find_name(header, TEXT("List-Post")) &&
           !says(arena, header, TEXT("List-Post"), TEXT("NO")); /* RFC 2369 section 3.4 */
}

void newsletter_read(struct arena *arena, const struct header *header, struct newsletter_fields *out)
{
    bool has_https = false;
    *out = (struct newsletter_fields){ .list_id = mailing_list_id(arena, header) };
    out->unsubscribe = unsubscribe_find(arena, header, &has_https);
    out->is_one_click =
        has_https && says(arena, header, TEXT("List-Unsubscribe-Post"), TEXT("List-Unsubscribe=One-Click"));
    out->is_to_many = out->list_id.length > 0 || header_find_name(header, TEXT("Feedback-ID")) ||
                      says(arena, header, TEXT("Precedence"), TEXT("bulk")) ||
                      says(arena, header, TEXT("Precedence"), TEXT("list"));
    out->is_discussion = asks_for_posts(arena, header);
}

bool newsletter_is_said(const struct newsletter_fields *fields)
{
    return fields->unsubscribe.length > 0 && (fields->is_one_click || fields->is_to_many) &&
           !fields->is_discussion;
}

void newsletter_put(const struct newsletter_fields *fields, struct buffer *out)
{
    put_text(out, fields->list_id);
    put_text(out, fields->unsubscribe);
    put_u8(out, (uint8_t)(fields->is_one_click | fields->is_to_many << 1 | fields->is_discussion << 2));
}

static bool is_name(struct text name)
{
    return name.length == 0 || mailing_list_is_id(name);
}

void newsletter_get(struct reader *reader, struct newsletter_fields *out)
{
    out->list_id = get_text(reader);
    out->unsubscribe = get_text(reader);
    uint8_t flags = get_u8(reader);
    out->is_one_click = flags & 1;
    out->is_to_many = flags >> 1 & 1;
    out->is_discussion = flags >> 2 & 1;
    if (flags > 7 || !is_name(out->list_id) || !is_name(out->unsubscribe)) reader->failed = true;
}

/* --- what is proven --- */

/* A-labels in lower case; empty where it has none that could be compared. */
static struct text organization_of(struct arena *arena, struct text domain)
{
    if (!mailing_list_is_id(domain)) return TEXT_NONE;
    const struct public_suffix_list *suffixes = public_suffix_builtin();
    struct text lower = arena_text_lower(arena, domain);
    return suffixes ? organization_listed(suffixes, lower) : lower;
}

static bool is_one_author(const struct from_domains *from)
{
    return from->count == 1 && from->addresses == 1 && !from_has(from, FROM_SEVERAL_FIELDS) &&
           !from_has(from, FROM_NUL);
}

/* What the author's organization signed; enum dkim_covered of all that hold. */
static unsigned covered_by_author(struct arena *arena, const struct auth_facts *facts,
                                  const struct authentication *result, struct text organization)
{
    const struct dkim_facts *dkim = &facts->signatures.dkim;
    unsigned covered = 0;
    for (uint32_t i = 0; i < dkim->count; i++) {
        const struct dkim_signature *signature = &dkim->signatures[i];
        bool holds =
            result->dkim[i].result == AUTH_PASS && !result->dkim[i].is_testing && !signature->is_partial;
        if (holds && text_equal(organization_of(arena, signature->domain), organization))
            covered |= signature->covered;
    }
    return covered;
}

struct newsletter newsletter_prove(struct arena *arena, const struct auth_facts *facts,
                                   const struct authentication *result, struct text sender)
{
    const struct newsletter_fields *fields = &facts->newsletter;
    struct newsletter none = { 0 };
    if (!newsletter_is_said(fields) || !is_one_author(&facts->from)) return none;
    struct text organization = organization_of(arena, facts->from.domains[0]);
    if (organization.length == 0 || result->dmarc.outcome == DMARC_FAIL) return none;
    struct text path = organization_of(arena, envelope_domain_of(sender));
    bool by_path = result->spf.sender.outcome == SPF_PASS && text_equal(path, organization);
    unsigned covered = covered_by_author(arena, facts, result, organization);
    if (!by_path && !(covered & DKIM_COVERS_UNSUBSCRIBE)) return none;
    bool has_id = fields->list_id.length > 0 && (by_path || (covered & DKIM_COVERS_LIST_ID));
    return (struct newsletter){ has_id ? fields->list_id : fields->unsubscribe, organization };
}
