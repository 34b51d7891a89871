/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A term is read where it stands in the record, without a copy: once when the record is checked, once when it
   is evaluated. */
#include "auth/spf_term.h"

#include "auth/spf_macro.h"

enum domain_need { DOMAIN_NONE, DOMAIN_OPTIONAL, DOMAIN_NEEDED };

static const struct mechanism {
    struct text name;
    enum spf_kind kind;
    enum domain_need domain;
    bool has_cidr;
} mechanisms[] = {
    { { "ip4", 3 }, SPF_IP4, DOMAIN_NEEDED, false },
    { { "include", 7 }, SPF_INCLUDE, DOMAIN_NEEDED, false },
    { { "all", 3 }, SPF_ALL, DOMAIN_NONE, false },
    { { "a", 1 }, SPF_A, DOMAIN_OPTIONAL, true },
    { { "mx", 2 }, SPF_MX, DOMAIN_OPTIONAL, true },
    { { "ip6", 3 }, SPF_IP6, DOMAIN_NEEDED, false },
    { { "exists", 6 }, SPF_EXISTS, DOMAIN_NEEDED, false },
    { { "ptr", 3 }, SPF_PTR, DOMAIN_OPTIONAL, false },
};

bool spf_term_is_record(struct text text)
{
    return text_starts_nocase(text, TEXT("v=spf1")) && (text.length == 6 || text.at[6] == ' ');
}

struct text spf_term_all(struct text record)
{
    return text_slice(record, 6, record.length);
}

/* Takes "/" and a number without leading zeros off the end of *text. False: there is none, or it is over
   `most`
   (*text is as it was). */
static bool take_bits(struct text *text, unsigned most, uint8_t *out)
{
    size_t at = text->length;
    unsigned bits = 0;
    while (at > 0 && char_is_digit(text->at[at - 1])) at--;
    if (at == 0 || at == text->length || text->at[at - 1] != '/' || text->length - at > 3) return false;
    if (text->at[at] == '0' && text->length - at > 1) return false;
    for (size_t i = at; i < text->length; i++) bits = 10 * bits + (unsigned)(text->at[i] - '0');
    if (bits > most) return false;
    *out = (uint8_t)bits;
    text->length = at - 1;
    return true;
}

/* dual-cidr-length of section 5.6: "/24", "//64", "/24//64". */
static void take_dual_bits(struct text *text, struct spf_term *out)
{
    struct text rest = *text;
    out->bits4 = 32;
    out->bits6 = 128;
    if (take_bits(&rest, 128, &out->bits6)) {
        if (rest.length > 0 && rest.at[rest.length - 1] == '/') {
            rest.length--;
            *text = rest;
        } else {
            out->bits6 = 128;
        }
    }
    take_bits(text, 32, &out->bits4);
}

/* Section 12: qnum has no leading zero. */
static bool ip4_parse(struct text text, uint8_t out[4])
{
    size_t at = 0;
    for (size_t i = 0; i < 4; i++) {
        size_t begun = at;
        unsigned value = 0;
        while (at < text.length && char_is_digit(text.at[at]) && at - begun < 3)
            value = 10 * value + (unsigned)(text.at[at++] - '0');
        if (at == begun || value > 255 || (text.at[begun] == '0' && at - begun > 1)) return false;
        out[i] = (uint8_t)value;
        if (i < 3 && (at == text.length || text.at[at++] != '.')) return false;
    }
    return at == text.length;
}

static bool is_plain_ip6(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if (char_hex_value(text.at[i]) < 0 && text.at[i] != ':' && text.at[i] != '.') return false;
    return memchr(text.at, ':', text.length) != NULL;
}

static bool network_of(struct text text, struct spf_term *out)
{
    bool is_v4 = out->kind == SPF_IP4;
    uint8_t bits = is_v4 ? 32 : 128, quad[4];
    if (memchr(text.at, '/', text.length) && !take_bits(&text, bits, &bits)) return false;
    if (is_v4) {
        if (!ip4_parse(text, quad)) return false;
        address_from_bytes(quad, 4, &out->network.address);
    } else if (text.length == 0 || !is_plain_ip6(text) || !address_parse(text, &out->network.address)) {
        return false;
    }
    out->network.bits = is_v4 ? (uint8_t)(bits + 96) : bits;
    return true;
}

static bool mechanism_of(struct text name, struct text rest, struct spf_term *out)
{
    const struct mechanism *mechanism = mechanisms;
    const struct mechanism *end = mechanisms + sizeof mechanisms / sizeof *mechanisms;
    while (mechanism < end && !text_equal_nocase(mechanism->name, name)) mechanism++;
    if (mechanism == end) return false;
    out->kind = mechanism->kind;
    if (mechanism->has_cidr) take_dual_bits(&rest, out);
    if (rest.length == 0) return mechanism->domain != DOMAIN_NEEDED;
    if (rest.at[0] != ':' || mechanism->domain == DOMAIN_NONE) return false;
    rest = text_slice(rest, 1, rest.length);
    if (out->kind == SPF_IP4 || out->kind == SPF_IP6) return rest.length > 0 && network_of(rest, out);
    out->domain = rest;
    return spf_macro_check_domain(rest);
}

/* Section 6: "redirect" and "exp" have a domain-spec; others have a macro-string and are passed over. */
static bool modifier_of(struct text name, struct text value, struct spf_term *out)
{
    if (!char_is_alpha(name.at[0])) return false;
    for (size_t i = 1; i < name.length; i++)
        if (!char_is_alpha(name.at[i]) && !char_is_digit(name.at[i]) && !memchr("-_.", name.at[i], 3))
            return false;
    out->kind = SPF_MODIFIER;
    if (text_equal_nocase(name, TEXT("redirect")))
        out->kind = SPF_REDIRECT;
    else if (text_equal_nocase(name, TEXT("exp")))
        out->kind = SPF_EXP;
    out->domain = value;
    return out->kind == SPF_MODIFIER ? spf_macro_check(value, false) : spf_macro_check_domain(value);
}

static bool qualifier_of(char c, enum spf_outcome *out)
{
    switch (c) {
    case '+':
        *out = SPF_PASS;
        return true;
    case '-':
        *out = SPF_FAIL;
        return true;
    case '~':
        *out = SPF_SOFTFAIL;
        return true;
    case '?':
        *out = SPF_NEUTRAL;
        return true;
    default:
        *out = SPF_PASS;
        return false;
    }
}

static bool term_of(struct text word, struct spf_term *out)
{
    bool is_qualified = qualifier_of(word.at[0], &out->qualifier);
    if (is_qualified) word = text_slice(word, 1, word.length);
    size_t end = 0;
    while (end < word.length && word.at[end] != ':' && word.at[end] != '/' && word.at[end] != '=') end++;
    struct text name = text_slice(word, 0, end), rest = text_slice(word, end, word.length);
    if (name.length == 0) return false;
    if (rest.length == 0 || rest.at[0] != '=') return mechanism_of(name, rest, out);
    return !is_qualified && modifier_of(name, text_slice(rest, 1, rest.length), out);
}

bool spf_term_next(struct text *rest, struct spf_term *out)
{
    size_t begin = 0;
    while (begin < rest->length && rest->at[begin] == ' ') begin++;
    if (begin == rest->length) return false;
    const char *blank = memchr(rest->at + begin, ' ', rest->length - begin);
    size_t end = blank ? (size_t)(blank - rest->at) : rest->length;
    *out = (struct spf_term){ .written = text_slice(*rest, begin, end) };
    if (!term_of(out->written, out)) out->kind = SPF_FAULT;
    *rest = text_slice(*rest, end, rest->length);
    return true;
}

bool spf_term_check(struct text terms, struct text *out_bad)
{
    struct spf_term term;
    unsigned redirects = 0, explanations = 0;
    while (spf_term_next(&terms, &term)) {
        redirects += term.kind == SPF_REDIRECT;
        explanations += term.kind == SPF_EXP;
        *out_bad = term.written;
        if (term.kind == SPF_FAULT || redirects > 1 || explanations > 1) return false;
    }
    return true;
}
