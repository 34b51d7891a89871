/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "impostor/shown_mailbox.h"

#include "mail/encoded_word.h"
#include "mail/idna.h"

enum { DOMAIN_MOST = 253 };

/* Bytes up to the comma or semicolon that ends the mailbox: outside quotes, comments and brackets. */
static size_t mailbox_length(struct text rest)
{
    bool is_quoted = false, in_brackets = false;
    unsigned depth = 0;
    for (size_t i = 0; i < rest.length; i++) {
        char c = rest.at[i];
        if (c == '\\' && (is_quoted || depth)) {
            i++;
        } else if (c == '"' && !depth) {
            is_quoted = !is_quoted;
        } else if (!is_quoted) {
            depth += c == '(';
            depth -= c == ')' && depth > 0;
            if (c == '<' || c == '>') in_brackets = c == '<';
            if ((c == ',' || c == ';') && !depth && !in_brackets) return i;
        }
    }
    return rest.length;
}

static struct text name_of(struct arena *arena, struct text raw, struct text declared)
{
    raw = text_trim(text_slice(raw, 0, SHOWN_NAME_MOST));
    struct text decoded = word_decode_in(arena, raw, declared, NULL);
    char *plain = arena_alloc(arena, decoded.length + 1);
    size_t length = 0;
    for (size_t i = 0; i < decoded.length; i++)
        if (decoded.at[i] != '"' && decoded.at[i] != '\\') plain[length++] = decoded.at[i];
    return text_trim(text_from(plain, length));
}

static struct text domain_of(struct arena *arena, struct text address)
{
    size_t at = text_find_last_char(address, '@');
    struct text domain = text_trim(text_slice(address, at + 1, address.length)), ascii;
    if (text_ends(domain, TEXT("."))) domain.length--;
    if (at == address.length || domain.length == 0 || domain.length > DOMAIN_MOST) return TEXT_NONE;
    return idna_to_ascii(arena, domain, &ascii) ? ascii : arena_text_lower(arena, domain);
}

/* "Name <address>", "address (Name)" or an address alone. */
static void mailbox_read(struct arena *arena, struct text raw, struct text declared,
                         struct shown_mailbox *out)
{
    size_t open = text_find_last_char(raw, '<'), comment = text_find_char(raw, '(');
    bool has_brackets = open < raw.length;
    struct text inner = text_slice(raw, open + 1, raw.length);
    struct text name = has_brackets ? text_slice(raw, 0, open) : text_slice(raw, comment + 1, raw.length);
    if (!has_brackets) name = text_slice(name, 0, text_find_last_char(name, ')'));
    out->name = name_of(arena, name, declared);
    out->address = text_trim(has_brackets ? text_slice(inner, 0, text_find_char(inner, '>'))
                                          : text_slice(raw, 0, comment));
    out->domain = domain_of(arena, out->address);
}

uint32_t shown_mailboxes_read(struct arena *arena, struct text value, struct text declared,
                              struct shown_mailbox out[SHOWN_MAILBOXES_MOST])
{
    struct text rest = text_slice(value, 0, SHOWN_FIELD_MOST);
    uint32_t count = 0;
    while (rest.length > 0 && count < SHOWN_MAILBOXES_MOST) {
        size_t length = mailbox_length(rest);
        struct text raw = text_trim(text_slice(rest, 0, length));
        rest = text_slice(rest, length + 1, rest.length);
        if (raw.length == 0) continue;
        mailbox_read(arena, raw, declared, &out[count]);
        if (out[count].address.length > 0) count++;
    }
    return count;
}
