/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A value is read byte by byte: what stands in angle brackets and what stands outside is gathered without
   comments, and looked at where an address ends. A quote or comment that does not end is read again as if it
   were none, and a value with NUL also as if it ended there: mail programs differ in both. */
#include "auth/from_domains.h"

#include "base/utf8.h"
#include "dns/dns_name.h"
#include "mail/encoded_word.h"
#include "mail/idna.h"
#include "mail/mailbox.h"

enum { BYTES_MOST = 1 << 18, NAME_MOST = 253 };

struct gathered {
    char *bytes;
    size_t length;
};

struct scan {
    struct arena *arena;
    struct from_domains *out;
    struct gathered bare, angle; /* of this address; bare: the display name where there are brackets */
    bool has_angle, in_angle;
    bool reads_marks; /* quotes and comments are what they seem */
};

const char *from_oddity_name(enum from_oddity oddity)
{
    static const char *const names[FROM_ODDITY_COUNT] = {
        [FROM_MISSING] = "missing",
        [FROM_SEVERAL_FIELDS] = "several-fields",
        [FROM_SEVERAL_ADDRESSES] = "several-addresses",
        [FROM_SEVERAL_DOMAINS] = "several-domains",
        [FROM_GROUP] = "group",
        [FROM_NO_DOMAIN] = "no-domain",
        [FROM_BAD_DOMAIN] = "bad-domain",
        [FROM_NUL] = "nul",
        [FROM_CONTROL] = "control",
        [FROM_NOT_UTF8] = "not-utf8",
        [FROM_DEEP_COMMENT] = "deep-comment",
        [FROM_UNCLOSED] = "unclosed",
        [FROM_ADDRESS_IN_NAME] = "address-in-name",
        [FROM_NO_BRACKETS] = "no-brackets",
        [FROM_ROUTE] = "route",
        [FROM_TOO_MANY] = "too-many",
    };
    return names[oddity];
}

static void note(struct from_domains *out, enum from_oddity oddity)
{
    out->oddities |= 1u << oddity;
}

/* --- A domain */

static bool is_domain_byte(char c)
{
    return char_is_alpha(c) || char_is_digit(c) || c == '-' || c == '_' || c == '.' || (c & 0x80);
}

static bool name_of(struct scan *scan, struct text written, struct text *out)
{
    if (written.length > 0 && written.at[written.length - 1] == '.') written.length--;
    return written.length <= 4 * NAME_MOST && idna_to_ascii(scan->arena, written, out) &&
           dns_name_has_labels(*out, NAME_MOST);
}

/* Of a domain that is none, its beginning may be one: "b.test!". */
static bool read_domain(struct scan *scan, struct text written, struct text *out)
{
    size_t end = 0;
    if (name_of(scan, written, out)) return true;
    note(scan->out, written.length ? FROM_BAD_DOMAIN : FROM_NO_DOMAIN);
    while (end < written.length && is_domain_byte(written.at[end])) end++;
    return end < written.length && name_of(scan, text_slice(written, 0, end), out);
}

static void add_domain(struct scan *scan, struct text written)
{
    struct from_domains *out = scan->out;
    struct text domain;
    if (!read_domain(scan, written, &domain)) return;
    for (uint32_t i = 0; i < out->count; i++)
        if (text_equal(out->domains[i], domain)) return;
    if (out->count == FROM_DOMAINS_MOST) {
        note(out, FROM_TOO_MANY);
        return;
    }
    if (!out->domains) out->domains = arena_alloc_array(scan->arena, FROM_DOMAINS_MOST, sizeof *out->domains);
    out->domains[out->count++] = domain;
    if (out->count > 1) note(out, FROM_SEVERAL_DOMAINS);
}

static void add_address(struct scan *scan, struct text address, size_t at)
{
    struct from_domains *out = scan->out;
    if (out->addresses == FROM_ADDRESSES_MOST) {
        note(out, FROM_TOO_MANY);
        return;
    }
    if (++out->addresses > 1) note(out, FROM_SEVERAL_ADDRESSES);
    uint32_t before = out->count;
    add_domain(scan, text_slice(address, at + 1, address.length));
    if (before == 0 && out->count == 1) out->address = arena_text(scan->arena, address);
}

/* --- Words */

static bool is_between(char c)
{
    return char_is_blank(c) || c == ',' || c == ';';
}

/* Takes the next word off *rest, up to a blank, comma or semicolon outside quotes; *out_at: its last "@"
   outside quotes, or its length. */
static bool word_next(struct text *rest, struct text *out, size_t *out_at)
{
    size_t begin = 0, end;
    bool is_quoted = false;
    while (begin < rest->length && is_between(rest->at[begin])) begin++;
    *out_at = SIZE_MAX;
    for (end = begin; end < rest->length; end++) {
        char c = rest->at[end];
        if (c == '\\' && is_quoted) {
            end++;
            continue;
        }
        if (c == '"') is_quoted = !is_quoted;
        if (is_quoted) continue;
        if (c == '@') *out_at = end - begin;
        if (is_between(c)) break;
    }
    *out = text_slice(*rest, begin, end);
    if (*out_at > out->length) *out_at = out->length;
    *rest = text_slice(*rest, begin + out->length, rest->length);
    return out->length > 0;
}

/* Each address in it; the number of words. */
static size_t take_words(struct scan *scan, struct text content, size_t *out_addresses)
{
    struct text word;
    size_t at, words = 0;
    *out_addresses = 0;
    while (word_next(&content, &word, &at)) {
        words++;
        if (at == word.length) continue;
        ++*out_addresses;
        add_address(scan, word, at);
    }
    return words;
}

/* RFC 5322 section 4.4: blanks around "@" and "." mean nothing. In place, outside quotes. */
static struct text close_up(const struct gathered *gathered)
{
    char *bytes = gathered->bytes;
    size_t length = 0;
    bool is_quoted = false;
    for (size_t i = 0; i < gathered->length; i++) {
        char c = bytes[i];
        if (c == '"') is_quoted = !is_quoted;
        if (c == '\\' && is_quoted && i + 1 < gathered->length) bytes[length++] = bytes[i++], c = bytes[i];
        if (!is_quoted && (c == '@' || c == '.'))
            while (length > 0 && char_is_blank(bytes[length - 1])) length--;
        bool is_joined = length > 0 && (bytes[length - 1] == '@' || bytes[length - 1] == '.');
        if (!is_quoted && char_is_blank(c) && is_joined) continue;
        bytes[length++] = c;
    }
    return text_from(bytes, length);
}

/* "@a,@b:c@d": the route is no address (RFC 5322 section 4.4). */
static struct text without_route(struct scan *scan, struct text content)
{
    content = text_trim(content);
    size_t colon = text_find_char(content, ':');
    if (content.length == 0 || content.at[0] != '@' || colon == content.length) return content;
    note(scan->out, FROM_ROUTE);
    return text_slice(content, colon + 1, content.length);
}

/* --- The display name */

static bool is_known_domain(const struct scan *scan, struct text domain)
{
    for (uint32_t i = 0; i < scan->out->count; i++)
        if (text_equal_nocase(scan->out->domains[i], domain)) return true;
    return false;
}

/* An address that no author has: what people see may be that one. */
static bool shows_other_address(const struct scan *scan, struct text name)
{
    for (size_t at = 1; at + 1 < name.length; at++) {
        if (name.at[at] != '@' || char_is_blank(name.at[at - 1])) continue;
        size_t end = at + 1;
        while (end < name.length && is_domain_byte(name.at[end])) end++;
        struct text domain = text_slice(name, at + 1, end);
        while (domain.length > 0 && domain.at[domain.length - 1] == '.') domain.length--;
        if (domain.length > 0 && !is_known_domain(scan, domain)) return true;
        at = end - 1;
    }
    return false;
}

static void look_at_name(struct scan *scan, struct text name)
{
    if (text_find(name, TEXT("=?")) < name.length) name = word_decode_in(scan->arena, name, TEXT_NONE, NULL);
    if (shows_other_address(scan, name)) note(scan->out, FROM_ADDRESS_IN_NAME);
}

/* --- An address as a whole */

static void take_angle(struct scan *scan)
{
    size_t addresses;
    struct text content = without_route(scan, close_up(&scan->angle));
    scan->angle.length = 0;
    if (content.length == 0) return;
    if (take_words(scan, content, &addresses) != addresses || addresses > 1)
        note(scan->out, FROM_NO_BRACKETS);
    if (addresses == 0) note(scan->out, FROM_NO_DOMAIN);
}

static void take_bare(struct scan *scan)
{
    size_t addresses;
    struct text content = text_trim(close_up(&scan->bare));
    if (content.length == 0) return;
    size_t words = take_words(scan, content, &addresses);
    if (addresses == 0) note(scan->out, FROM_NO_DOMAIN);
    if (addresses > 0 && words > 1) note(scan->out, FROM_NO_BRACKETS);
}

static void end_address(struct scan *scan)
{
    if (scan->in_angle) {
        note(scan->out, FROM_UNCLOSED);
        take_angle(scan);
    }
    if (scan->has_angle)
        look_at_name(scan, text_from(scan->bare.bytes, scan->bare.length));
    else
        take_bare(scan);
    scan->bare.length = scan->angle.length = 0;
    scan->has_angle = scan->in_angle = false;
}

/* What stood before the colon names a group (RFC 5322 section 3.4). */
static void begin_group(struct scan *scan)
{
    note(scan->out, FROM_GROUP);
    look_at_name(scan, text_from(scan->bare.bytes, scan->bare.length));
    scan->bare.length = 0;
}

/* --- Bytes */

static void gather(struct scan *scan, char c)
{
    struct gathered *into = scan->in_angle ? &scan->angle : &scan->bare;
    if (c == '\0') return;
    if (c == '\r' || c == '\n') c = ' ';
    if (((unsigned char)c < ' ' && c != '\t') || c == 0x7f) {
        note(scan->out, FROM_CONTROL);
        return;
    }
    into->bytes[into->length++] = c;
}

/* Behind the comment that begins at `at`, or the value's length when it does not end. */
static size_t skip_comment(struct scan *scan, struct text value, size_t at)
{
    size_t depth = 0;
    for (; at < value.length; at++) {
        if (value.at[at] == '\\')
            at++;
        else if (value.at[at] == '(' && ++depth > FROM_DEPTH_MOST)
            note(scan->out, FROM_DEEP_COMMENT);
        else if (value.at[at] == ')' && --depth == 0)
            return at + 1;
    }
    return value.length + 1;
}

/* Behind the quote that begins at `at`, or over the value's length when it does not end. */
static size_t skip_quote(struct text value, size_t at)
{
    for (at++; at < value.length; at++) {
        if (value.at[at] == '\\')
            at++;
        else if (value.at[at] == '"')
            return at + 1;
    }
    return value.length + 1;
}

/* The quote or comment at `at`; where reading goes on. One without an end is an ordinary byte, as are all
   marks behind it. */
static size_t take_mark(struct scan *scan, struct text value, size_t at)
{
    bool is_comment = value.at[at] == '(';
    size_t end = is_comment ? skip_comment(scan, value, at) : skip_quote(value, at);
    if (end > value.length) {
        note(scan->out, FROM_UNCLOSED);
        scan->reads_marks = false;
        return at + 1;
    }
    if (is_comment)
        gather(scan, ' ');
    else
        for (; at < end; at++) gather(scan, value.at[at]);
    return end;
}

static void take_byte(struct scan *scan, char c)
{
    if (c == '<') {
        if (scan->in_angle) {
            note(scan->out, FROM_UNCLOSED);
            take_angle(scan);
        }
        scan->in_angle = scan->has_angle = true;
    } else if (c == '>') {
        if (!scan->in_angle) note(scan->out, FROM_UNCLOSED);
        if (scan->in_angle) take_angle(scan);
        scan->in_angle = false;
    } else if (!scan->in_angle && (c == ',' || c == ';')) {
        end_address(scan);
    } else if (!scan->in_angle && c == ':') {
        begin_group(scan);
    } else if (c == ')' && scan->reads_marks) {
        note(scan->out, FROM_UNCLOSED);
    } else if (c != '"') { /* comes here only where it is no mark */
        gather(scan, c);
    }
}

static void read_value(struct scan *scan, struct text value)
{
    scan->reads_marks = true;
    for (size_t at = 0; at < value.length;) {
        char c = value.at[at];
        if (scan->reads_marks && (c == '(' || c == '"'))
            at = take_mark(scan, value, at);
        else
            take_byte(scan, value.at[at++]);
    }
    end_address(scan);
}

void from_domains_add(struct arena *arena, struct text value, struct from_domains *out)
{
    struct scan scan = { .arena = arena, .out = out };
    if (value.length > BYTES_MOST) {
        note(out, FROM_TOO_MANY);
        value.length = BYTES_MOST;
    }
    scan.bare.bytes = arena_alloc(arena, value.length + 1);
    scan.angle.bytes = arena_alloc(arena, value.length + 1);
    if (!utf8_is_valid(value)) note(out, FROM_NOT_UTF8);
    size_t nul = text_find_char(value, '\0');
    if (nul < value.length) {
        note(out, FROM_NUL);
        read_value(&scan, text_slice(value, 0, nul));
    }
    read_value(&scan, value);
}

void from_domains_find(struct arena *arena, const struct header *header, struct from_domains *out)
{
    uint32_t fields = 0;
    *out = (struct from_domains){ 0 };
    if (header->times[HEADER_FROM] > 1) note(out, FROM_SEVERAL_FIELDS);
    if (header->times[HEADER_FROM] > FROM_FIELDS_MOST) note(out, FROM_TOO_MANY);
    for (size_t i = 0; i < header->count && fields < FROM_FIELDS_MOST; i++) {
        if (header->fields[i].id != HEADER_FROM) continue;
        from_domains_add(arena, header->fields[i].value, out);
        fields++;
    }
    if (out->addresses == 0) note(out, FROM_MISSING);
}

struct text from_address_shown(struct arena *arena, struct text from, struct text envelope_sender)
{
    struct from_domains found = { 0 };
    if (from.length) from_domains_add(arena, from, &found);
    struct text shown = mailbox_lower(arena, found.address);
    return shown.length ? shown : mailbox_lower(arena, envelope_sender);
}
