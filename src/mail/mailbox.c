/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Parses envelope addresses. One pass over each half; the text is never changed. */
#include "mail/mailbox.h"

#include "base/utf8.h"

#include "base/buffer.h"
#include "mail/idna.h"

/* What DNS can hold (RFC 1035 section 2.3.4). In UTF-8 a label is longer than its A-label, at most four
   octets for each of it. The lengths of RFC 5321 section 4.5.3.1 are what a server has to take at least, no
   limits. */
enum { DOMAIN_MOST = 253, LABEL_MOST = 63, UTF8_GROWTH = 4 };

static const struct {
    const char *reason, *sender_status, *recipient_status;
} outcomes[MAILBOX_OUTCOME_COUNT] = {
    [MAILBOX_GOOD] = { "good", "2.1.0", "2.1.5" },
    [MAILBOX_EMPTY] = { "the address is empty", "5.1.7", "5.1.3" },
    [MAILBOX_NO_DOMAIN] = { "the domain is missing", "5.1.7", "5.1.3" },
    [MAILBOX_BAD_LOCAL] = { "a character is not allowed in the local part", "5.1.7", "5.1.3" },
    [MAILBOX_DOTS] = { "the local part has a dot at an end or two in a row", "5.1.7", "5.1.3" },
    [MAILBOX_BAD_QUOTING] = { "the quoted local part is malformed", "5.1.7", "5.1.3" },
    [MAILBOX_BAD_DOMAIN] = { "the domain is malformed", "5.1.8", "5.1.2" },
    [MAILBOX_BAD_LITERAL] = { "the address literal is malformed", "5.1.8", "5.1.2" },
    [MAILBOX_TOO_LONG] = { "the address is too long", "5.1.7", "5.1.3" },
    [MAILBOX_NOT_UTF8] = { "the address is not UTF-8", "5.1.7", "5.1.3" },
    [MAILBOX_BAD_PATH] = { "the path is malformed", "5.1.7", "5.1.3" },
};

const char *mailbox_reason(enum mailbox_outcome outcome)
{
    return (unsigned)outcome < MAILBOX_OUTCOME_COUNT ? outcomes[outcome].reason : "unknown";
}

const char *mailbox_status(enum mailbox_outcome outcome, bool is_sender)
{
    if ((unsigned)outcome >= MAILBOX_OUTCOME_COUNT) return "5.0.0";
    return is_sender ? outcomes[outcome].sender_status : outcomes[outcome].recipient_status;
}

/* RFC 5322 section 3.2.3, and UTF-8 by RFC 6531. */
static bool is_atom_char(char c)
{
    return char_is_alpha(c) || char_is_digit(c) || (uint8_t)c > 127 ||
           (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static enum mailbox_outcome parse_dot_string(struct text local, bool strict, struct mailbox *out)
{
    bool was_dot = true;
    for (size_t i = 0; i < local.length; i++) {
        bool is_dot = local.at[i] == '.';
        if (!is_dot && !is_atom_char(local.at[i])) return MAILBOX_BAD_LOCAL;
        if (is_dot && was_dot) out->has_odd_dots = true;
        was_dot = is_dot;
    }
    if (was_dot) out->has_odd_dots = true;
    return strict && out->has_odd_dots ? MAILBOX_DOTS : MAILBOX_GOOD;
}

/* The inside of a quoted string: qtextSMTP and quoted pairs of RFC 5321 section 4.1.2. */
static enum mailbox_outcome check_quoted(struct text quoted)
{
    for (size_t i = 1; i + 1 < quoted.length; i++) {
        uint8_t c = (uint8_t)quoted.at[i];
        if (c < 32 || c == 127 || c == '"') return MAILBOX_BAD_QUOTING;
        if (c != '\\') continue;
        if (++i + 1 >= quoted.length) return MAILBOX_BAD_QUOTING;
        c = (uint8_t)quoted.at[i];
        if (c < 32 || c > 126) return MAILBOX_BAD_QUOTING;
    }
    return MAILBOX_GOOD;
}

/* Index behind the closing quote of a text that starts with one, 0 when there is none. */
static size_t quoted_length(struct text text)
{
    for (size_t i = 1; i < text.length; i++) {
        if (text.at[i] == '\\')
            i++;
        else if (text.at[i] == '"')
            return i + 1;
    }
    return 0;
}

static bool is_too_long(struct text name, size_t most)
{
    return name.length > (text_is_ascii(name) ? most : most * UTF8_GROWTH);
}

/* Labels of letters, digits, hyphens and (in the wild) underscores; RFC 6531 adds UTF-8. A hyphen stands at
 * no end. */
static bool domain_is_good(struct text domain)
{
    size_t label = 0;
    for (size_t i = 0; i <= domain.length; i++) {
        if (i == domain.length || domain.at[i] == '.') {
            if (label == 0 || domain.at[i - 1] == '-') return false;
            if (is_too_long(text_slice(domain, i - label, i), LABEL_MOST)) return false;
            label = 0;
            continue;
        }
        char c = domain.at[i];
        if (!char_is_alpha(c) && !char_is_digit(c) && c != '_' && c != '-' && (uint8_t)c < 128) return false;
        if (c == '-' && label == 0) return false;
        label++;
    }
    return true;
}

/* RFC 5321 section 4.1.3: the tag stands before IPv6 addresses and nowhere else. Other tags are well formed
   and mean nothing to us. */
static enum mailbox_outcome parse_literal(struct text domain, struct mailbox *out)
{
    out->is_literal = true;
    if (domain.length < 3 || domain.at[domain.length - 1] != ']') return MAILBOX_BAD_LITERAL;
    struct text inner = text_slice(domain, 1, domain.length - 1);
    bool has_tag = text_starts_nocase(inner, TEXT("IPv6:"));
    bool has_colon = text_find_char(text_slice(inner, has_tag ? 5 : 0, inner.length), ':') <
                     inner.length - (has_tag ? 5 : 0);
    bool is_good = address_parse(domain, &out->literal) && has_tag == has_colon;
    return is_good ? MAILBOX_GOOD : MAILBOX_BAD_LITERAL;
}

static enum mailbox_outcome parse_domain(struct text domain, struct mailbox *out)
{
    if (domain.length == 0) return MAILBOX_NO_DOMAIN;
    if (is_too_long(domain, DOMAIN_MOST)) return MAILBOX_TOO_LONG;
    if (domain.at[0] == '[') return parse_literal(domain, out);
    return domain_is_good(domain) ? MAILBOX_GOOD : MAILBOX_BAD_DOMAIN;
}

static enum mailbox_outcome parse_local(struct text local, bool strict, struct mailbox *out)
{
    if (local.length == 0) return MAILBOX_EMPTY;
    out->is_quoted = local.at[0] == '"';
    return out->is_quoted ? check_quoted(local) : parse_dot_string(local, strict, out);
}

enum mailbox_outcome mailbox_parse(struct text text, bool strict, struct mailbox *out)
{
    *out = (struct mailbox){ .address = text };
    if (text.length == 0) return MAILBOX_EMPTY;
    size_t at = text.at[0] == '"' ? quoted_length(text) : text_find_char(text, '@');
    if (at == 0) return text.at[0] == '"' ? MAILBOX_BAD_QUOTING : MAILBOX_EMPTY;
    if (at < text.length && text.at[at] != '@') return MAILBOX_BAD_QUOTING;
    out->local = text_slice(text, 0, at);
    out->domain = text_slice(text, at + 1, text.length);
    out->needs_smtputf8 = !text_is_ascii(text);
    if (out->needs_smtputf8 && !utf8_is_valid(text)) return MAILBOX_NOT_UTF8;
    enum mailbox_outcome outcome = parse_local(out->local, strict, out);
    return outcome == MAILBOX_GOOD ? parse_domain(out->domain, out) : outcome;
}

/* "@a,@b:" in front of a mailbox. False: malformed. */
static bool drop_route(struct text *text)
{
    size_t colon = text_find_char(*text, ':');
    if (colon == text->length) return false;
    struct text route = text_slice(*text, 0, colon);
    *text = text_slice(*text, colon + 1, text->length);
    while (route.length > 0) {
        size_t comma = text_find_char(route, ',');
        struct text hop = text_slice(route, 0, comma);
        if (hop.length < 2 || hop.at[0] != '@' || !domain_is_good(text_slice(hop, 1, hop.length)))
            return false;
        if (comma + 1 == route.length) return false;
        route = text_slice(route, comma + 1, route.length);
    }
    return true;
}

enum mailbox_outcome mailbox_parse_path(struct text text, bool strict, struct mailbox *out)
{
    *out = (struct mailbox){ .address = text };
    bool opens = text.length > 0 && text.at[0] == '<';
    bool closes = text.length > 1 && text.at[text.length - 1] == '>';
    if (opens != closes || (!opens && strict)) return MAILBOX_BAD_PATH;
    if (opens) text = text_slice(text, 1, text.length - 1);
    if (text.length == 0) {
        *out = (struct mailbox){ .is_null = true };
        return opens ? MAILBOX_GOOD : MAILBOX_EMPTY;
    }
    bool has_route = text.at[0] == '@';
    if (has_route && !drop_route(&text)) return MAILBOX_BAD_PATH;
    enum mailbox_outcome outcome = mailbox_parse(text, strict, out);
    out->has_route = has_route;
    bool is_bare = outcome == MAILBOX_NO_DOMAIN && text_equal(out->local, text);
    return is_bare && mailbox_is_postmaster(out) ? MAILBOX_GOOD : outcome;
}

/* The next octet of a local part that means something: without the quotes around it and the backslashes in
   it. False at the end. */
static bool local_next(const struct mailbox *mailbox, size_t *at, char *out)
{
    struct text local = mailbox->local;
    size_t end = local.length - mailbox->is_quoted;
    if (*at == 0) *at = mailbox->is_quoted;
    if (*at < end && mailbox->is_quoted && local.at[*at] == '\\') ++*at;
    if (*at >= end) return false;
    *out = local.at[(*at)++];
    return true;
}

bool mailbox_is_postmaster(const struct mailbox *mailbox)
{
    static const char wanted[] = "postmaster";
    size_t at = 0, i = 0;
    char c;
    while (local_next(mailbox, &at, &c))
        if (char_lower(c) != wanted[i++]) return false;
    return wanted[i] == '\0';
}

bool mailbox_is_for_postmaster(struct text address)
{
    struct mailbox mailbox;
    return mailbox_parse(address, false, &mailbox) == MAILBOX_GOOD && mailbox_is_postmaster(&mailbox);
}

bool mailbox_is_routed(const struct mailbox *mailbox)
{
    size_t at = 0;
    char c;
    while (local_next(mailbox, &at, &c))
        if (c == '@' || c == '%' || c == '!') return true;
    return mailbox->has_route;
}

struct text mailbox_plain_local(struct arena *arena, const struct mailbox *mailbox)
{
    char *plain = arena_alloc(arena, mailbox->local.length + 1), c;
    size_t at = 0, length = 0;
    while (local_next(mailbox, &at, &c)) plain[length++] = c;
    return text_from(plain, length);
}

bool mailbox_to_ascii(struct arena *arena, struct text address, struct text *out)
{
    size_t at = text_find_last_char(address, '@');
    struct text local = text_slice(address, 0, at), domain;
    *out = address;
    if (text_is_ascii(address)) return true;
    if (!text_is_ascii(local) || !idna_to_ascii(arena, text_slice(address, at + 1, address.length), &domain))
        return false;
    *out = arena_printf(arena, "%.*s@%.*s", TEXT_ARG(local), TEXT_ARG(domain));
    return true;
}

/* A quoted string with a backslash only where one has to be. */
static struct text requote(struct arena *arena, struct text plain)
{
    struct buffer out = { 0 };
    buffer_add_char(&out, '"');
    for (size_t i = 0; i < plain.length; i++) {
        if (plain.at[i] == '"' || plain.at[i] == '\\') buffer_add_char(&out, '\\');
        buffer_add_char(&out, plain.at[i]);
    }
    buffer_add_char(&out, '"');
    struct text quoted = arena_text(arena, buffer_text(&out));
    buffer_free(&out);
    return quoted;
}

static struct text canonical_local(struct arena *arena, const struct mailbox *mailbox)
{
    if (!mailbox->is_quoted) return mailbox->local;
    struct text plain = mailbox_plain_local(arena, mailbox);
    struct mailbox ignored = { 0 };
    bool needs_quotes = plain.length == 0 || parse_dot_string(plain, false, &ignored) != MAILBOX_GOOD;
    return needs_quotes ? requote(arena, plain) : plain;
}

struct text mailbox_canonical(struct arena *arena, const struct mailbox *mailbox)
{
    struct text local = canonical_local(arena, mailbox), domain;
    if (mailbox->is_literal || !idna_to_ascii(arena, mailbox->domain, &domain))
        domain = arena_text_lower(arena, mailbox->domain);
    if (domain.length == 0) return arena_text(arena, local);
    return arena_printf(arena, "%.*s@%.*s", TEXT_ARG(local), TEXT_ARG(domain));
}

struct text mailbox_lower(struct arena *arena, struct text address)
{
    struct mailbox mailbox;
    if (mailbox_parse(address, false, &mailbox) != MAILBOX_GOOD || mailbox.domain.length == 0)
        return TEXT_NONE;
    return arena_text_lower(arena, mailbox_canonical(arena, &mailbox));
}
