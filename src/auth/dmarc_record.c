/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A record is split at its semicolons; each tag has a row that says what its value may be. */
#include "auth/dmarc_record.h"

const char *dmarc_policy_name(enum dmarc_policy policy)
{
    static const char *const names[DMARC_POLICY_COUNT] = { "none", "quarantine", "reject" };
    return names[policy];
}

/* --- Tags: RFC 9989 section 4.8 */

static struct text trimmed(struct text text)
{
    while (text.length > 0 && char_is_blank(text.at[0])) text = text_slice(text, 1, text.length);
    while (text.length > 0 && char_is_blank(text.at[text.length - 1])) text.length--;
    return text;
}

/* Takes the next tag off *rest; one without "=" has an empty name. False: there is none left. */
static bool tag_next(struct text *rest, struct text *out_name, struct text *out_value)
{
    if (rest->length == 0) return false;
    size_t end = text_find_char(*rest, ';');
    struct text tag = text_slice(*rest, 0, end);
    size_t equals = text_find_char(tag, '=');
    *out_name = equals < tag.length ? trimmed(text_slice(tag, 0, equals)) : TEXT_NONE;
    *out_value = trimmed(text_slice(tag, equals + 1, tag.length));
    *rest = text_slice(*rest, end + 1, rest->length);
    return true;
}

bool dmarc_record_is_one(struct text text)
{
    struct text name, value;
    if (text.length == 0 || char_is_blank(text.at[0]) || !tag_next(&text, &name, &value)) return false;
    return text_equal_nocase(name, TEXT("v")) && text_equal(value, TEXT("DMARC1"));
}

/* --- Values */

static bool policy_of(struct text value, enum dmarc_policy *out)
{
    for (int i = 0; i < DMARC_POLICY_COUNT; i++) {
        if (!text_equal_nocase(value, text_of(dmarc_policy_name((enum dmarc_policy)i)))) continue;
        *out = (enum dmarc_policy)i;
        return true;
    }
    return false;
}

static void set_policy(struct dmarc_record *record, enum dmarc_tag tag, struct text value)
{
    enum dmarc_policy *policy = tag == DMARC_P ? &record->p : tag == DMARC_SP ? &record->sp : &record->np;
    if (policy_of(value, policy))
        record->has |= tag;
    else
        record->is_bad |= tag;
}

static bool is_letter(struct text value, char letter)
{
    return value.length == 1 && char_lower(value.at[0]) == letter;
}

enum tag {
    TAG_P,
    TAG_SP,
    TAG_NP,
    TAG_PSD,
    TAG_T,
    TAG_ADKIM,
    TAG_ASPF,
    TAG_PCT,
    TAG_RUA,
    TAG_RUF,
    TAG_FO,
    TAG_COUNT
};

static const struct text tag_names[TAG_COUNT] = { { "p", 1 },   { "sp", 2 },    { "np", 2 },   { "psd", 3 },
                                                  { "t", 1 },   { "adkim", 5 }, { "aspf", 4 }, { "pct", 3 },
                                                  { "rua", 3 }, { "ruf", 3 },   { "fo", 2 } };

static void set_percent(struct dmarc_record *record, struct text value)
{
    uint64_t number;
    if (text_to_number(value, 100, &number)) record->percent = (uint8_t)number;
}

static void set(struct dmarc_record *record, enum tag tag, struct text value)
{
    switch (tag) {
    case TAG_P:
        set_policy(record, DMARC_P, value);
        break;
    case TAG_SP:
        set_policy(record, DMARC_SP, value);
        break;
    case TAG_NP:
        set_policy(record, DMARC_NP, value);
        break;
    case TAG_PSD:
        if (is_letter(value, 'y')) record->psd = DMARC_PSD_YES;
        if (is_letter(value, 'n')) record->psd = DMARC_PSD_NO;
        break;
    case TAG_T:
        record->is_testing = is_letter(value, 'y');
        break;
    case TAG_ADKIM:
        record->is_strict_dkim = is_letter(value, 's');
        break;
    case TAG_ASPF:
        record->is_strict_spf = is_letter(value, 's');
        break;
    case TAG_PCT:
        set_percent(record, value);
        break;
    case TAG_RUA:
        record->rua = value;
        break;
    case TAG_RUF:
        record->ruf = value;
        break;
    case TAG_FO:
        record->fo = value;
        break;
    case TAG_COUNT:
        break; /* an unknown one */
    }
}

bool dmarc_record_parse(struct text text, struct dmarc_record *out)
{
    struct text name, value;
    unsigned seen = 0;
    *out = (struct dmarc_record){ .text = text, .percent = 100 };
    if (!dmarc_record_is_one(text)) return false;
    while (tag_next(&text, &name, &value)) {
        unsigned tag = 0;
        while (tag < TAG_COUNT && !text_equal_nocase(name, tag_names[tag])) tag++;
        if (!(seen >> tag & 1)) set(out, (enum tag)tag, value);
        seen |= 1u << tag;
    }
    return true;
}

/* RFC 3986 section 3.1: a letter, then letters, digits and "+-.", a colon, and something behind it. */
static bool is_uri(struct text uri)
{
    size_t at = 0;
    if (uri.length == 0 || !char_is_alpha(uri.at[0])) return false;
    while (at < uri.length &&
           (char_is_alpha(uri.at[at]) || char_is_digit(uri.at[at]) || memchr("+-.", uri.at[at], 3)))
        at++;
    if (at == uri.length || uri.at[at] != ':' || at + 1 == uri.length) return false;
    for (; at < uri.length; at++)
        if (uri.at[at] <= ' ' || uri.at[at] >= 0x7f) return false;
    return true;
}

bool dmarc_record_has_uri(struct text list)
{
    while (list.length > 0) {
        size_t end = text_find_char(list, ',');
        if (is_uri(trimmed(text_slice(list, 0, end)))) return true;
        list = text_slice(list, end + 1, list.length);
    }
    return false;
}
