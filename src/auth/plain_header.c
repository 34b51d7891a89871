/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "auth/plain_header.h"

#include "auth/dkim.h"
#include "auth/dkim_key.h"
#include "auth/tag_list.h"
#include "dns/dns_name.h"
#include "mail/mailbox.h"

/* One reading of a header. */
struct plain_reading {
    struct arena *arena;
    struct plain_header *out;
};

/* --- From --- */

/* A display name that says nothing of addresses: words, and quoted ones without a backslash. */
static bool is_phrase(struct text text)
{
    static const char marks[] = "(),:;<>";
    bool is_quoted = false;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.at[i];
        if (c == '\0' || (c == '\\' && is_quoted) || (!is_quoted && strchr(marks, c))) return false;
        if (c == '"') is_quoted = !is_quoted;
    }
    return !is_quoted;
}

/* `A <a@b.test>` or `a@b.test`. A second field is too many. */
static bool author_read(struct plain_reading *reading, struct text value)
{
    struct plain_header *out = reading->out;
    struct mailbox mailbox;
    value = text_trim(value);
    size_t angle = text_find_last_char(value, '<');
    if (angle < value.length) {
        if (value.at[value.length - 1] != '>' || !is_phrase(text_slice(value, 0, angle))) return false;
        value = text_slice(value, angle + 1, value.length - 1);
    }
    if (out->author.length > 0 || mailbox_parse(value, false, &mailbox) != MAILBOX_GOOD) return false;
    if (mailbox.is_quoted || mailbox.is_literal || mailbox.needs_smtputf8) return false;
    out->author = value;
    out->domain = arena_text_lower(reading->arena, mailbox.domain);
    return true;
}

/* --- signatures --- */

static bool key_add(struct plain_header *out, struct text name)
{
    for (uint32_t i = 0; i < out->key_count; i++)
        if (text_equal(out->keys[i], name)) return true;
    if (out->key_count == PLAIN_KEYS_MOST) return false;
    out->keys[out->key_count++] = name;
    return true;
}

/* *out_domain: its d=. */
static bool signature_read(struct plain_reading *reading, struct text value, struct text *out_domain)
{
    struct tag_list tags;
    if (!tag_list_parse(value, &tags)) return false;
    const struct text *domain = tag_list_find(&tags, "d"), *selector = tag_list_find(&tags, "s");
    bool is_plain = domain && selector && dns_name_has_labels(*domain, DKIM_NAME_MOST) &&
                    dns_name_has_labels(*selector, DKIM_NAME_MOST) &&
                    domain->length + selector->length <= DKIM_NAME_MOST;
    if (!is_plain) return false;
    *out_domain = arena_text_lower(reading->arena, *domain);
    struct text lower = arena_text_lower(reading->arena, *selector);
    return key_add(reading->out, dkim_key_name(reading->arena, lower, *out_domain));
}

static bool dkim_read(struct plain_reading *reading, struct text value)
{
    struct plain_header *out = reading->out;
    if (out->signer_count == PLAIN_SIGNERS_MOST) return false;
    return signature_read(reading, value, &out->signers[out->signer_count++]);
}

static bool arc_read(struct plain_reading *reading, struct text value)
{
    struct text domain;
    return signature_read(reading, value, &domain);
}

/* --- fields --- */

static const struct row {
    struct text name; /* with its colon */
    bool (*read)(struct plain_reading *reading, struct text value);
} rows[] = {
    { { "From:", 5 }, author_read },
    { { "DKIM-Signature:", 15 }, dkim_read },
    { { "ARC-Message-Signature:", 22 }, arc_read },
    { { "ARC-Seal:", 9 }, arc_read },
};

/* Cuts a field with what is folded from it off *rest; false: the header is over. */
static bool field_next(struct text *rest, struct text *out)
{
    struct text behind = *rest, line;
    if (!text_next_line(&behind, &line) || line.length == 0) return false;
    while (behind.length > 0 && char_is_blank(behind.at[0])) text_next_line(&behind, &line);
    *out = text_slice(*rest, 0, rest->length - behind.length);
    *rest = behind;
    return true;
}

/* False: it is one of those above, and not plain. */
static bool field_read(struct plain_reading *reading, struct text field)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (text_starts_nocase(field, rows[i].name))
            return rows[i].read(reading, text_slice(field, rows[i].name.length, field.length));
    return true;
}

bool plain_header_read(struct arena *arena, struct text message, struct plain_header *out)
{
    struct plain_reading reading = { arena, out };
    struct text rest = text_slice(message, 0, PLAIN_BYTES_MOST), field;
    *out = (struct plain_header){ 0 };
    while (field_next(&rest, &field))
        if (!field_read(&reading, field)) return false;
    return out->author.length > 0 && (rest.length > 0 || message.length < PLAIN_BYTES_MOST);
}
