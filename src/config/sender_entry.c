/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "config/sender_entry.h"

enum { LABEL_MOST = 63, DOMAIN_MOST = 253, V4_BEFORE = 96 };

const char *sender_entry_verb_name(enum entry_verb verb)
{
    return verb == ENTRY_ALLOW ? "allow" : "block";
}

/* --- domains and addresses --- */

static bool is_label(struct text label)
{
    if (label.length == 0 || label.length > LABEL_MOST) return false;
    for (size_t i = 0; i < label.length; i++) {
        char c = label.at[i];
        if (!char_is_alpha(c) && !char_is_digit(c) && c != '-' && c != '_') return false;
    }
    return true;
}

static bool is_number(struct text label)
{
    uint64_t number;
    return text_to_number(label, UINT64_MAX, &number);
}

/* A name of two labels or more, whose last one is no number: "com" alone would be half the world. */
static bool is_domain(struct text domain)
{
    size_t dot = text_find_last_char(domain, '.');
    if (domain.length > DOMAIN_MOST || dot >= domain.length) return false;
    if (is_number(text_slice(domain, dot + 1, domain.length))) return false;
    for (struct text rest = domain;; rest = text_slice(rest, dot + 1, rest.length)) {
        dot = text_find_char(rest, '.');
        if (!is_label(text_slice(rest, 0, dot))) return false;
        if (dot == rest.length) return true;
    }
}

/* Everything that no blank, control character or "@" is in. */
static bool is_local(struct text local)
{
    for (size_t i = 0; i < local.length; i++)
        if ((unsigned char)local.at[i] <= ' ' || local.at[i] == 0x7f || local.at[i] == '@') return false;
    return local.length > 0;
}

static bool is_address(struct text address)
{
    size_t at = text_find_last_char(address, '@');
    return address.length <= ENTRY_TEXT_MOST && at < address.length && is_local(text_slice(address, 0, at)) &&
           is_domain(text_slice(address, at + 1, address.length));
}

struct text sender_entry_domain(const struct sender_entry *entry)
{
    if (entry->kind == ENTRY_DOMAIN) return entry->what;
    return text_slice(entry->what, text_find_last_char(entry->what, '@') + 1, entry->what.length);
}

/* --- reading --- */

static bool is_too_wide(const struct network *network)
{
    unsigned least = address_is_v4(&network->address) ? V4_BEFORE + ENTRY_V4_BITS_LEAST : ENTRY_V6_BITS_LEAST;
    return network->bits < least;
}

/* Digits, dots, colons and a slash: somebody meant a network. */
static bool looks_like_network(struct text word)
{
    for (size_t i = 0; i < word.length; i++)
        if (word.at[i] == '/' || word.at[i] == ':') return true;
    size_t dot = text_find_last_char(word, '.');
    return dot < word.length && is_number(text_slice(word, dot + 1, word.length));
}

bool sender_entry_read_what(struct arena *arena, struct text word, struct sender_entry *out,
                            const char **out_why)
{
    bool is_mailbox = text_find_char(word, '@') < word.length;
    if (!is_mailbox && looks_like_network(word)) {
        out->kind = ENTRY_NETWORK;
        *out_why = "a network is written 192.0.2.0/24 or 2001:db8::/32, its host bits zero";
        if (!network_parse(word, &out->network)) return false;
        *out_why = "a network has at least 8 bits in IPv4 and 16 in IPv6";
        return !is_too_wide(&out->network);
    }
    out->kind = is_mailbox ? ENTRY_ADDRESS : ENTRY_DOMAIN;
    *out_why = "what is wanted is a network (192.0.2.0/24), an address (user@example.com) or a domain "
               "(example.com, as A-labels)";
    if (is_mailbox ? !is_address(word) : !is_domain(word)) return false;
    out->what = arena_text_lower(arena, word);
    return true;
}

bool sender_entry_read_to(struct arena *arena, struct text word, struct sender_entry *out,
                          const char **out_why)
{
    *out_why = "it is for an address (user@example.com) or a domain (example.com)";
    if (!is_address(word) && !is_domain(word)) return false;
    out->to = arena_text_lower(arena, word);
    return true;
}

bool sender_entry_read_flag(struct text word, struct sender_entry *out)
{
    bool is_block = out->verb == ENTRY_BLOCK;
    if (text_starts(word, TEXT("--"))) word = text_slice(word, 2, word.length);
    if (text_equal(word, TEXT("envelope")))
        out->is_envelope = true;
    else if (!is_block && text_equal(word, TEXT("unproven")))
        out->is_unproven = true;
    else if (is_block && text_equal(word, TEXT("quarantine")))
        out->action = ACTION_QUARANTINE;
    else if (is_block && text_equal(word, TEXT("tag")))
        out->action = ACTION_TAG;
    else
        return false;
    return true;
}

bool sender_entry_read(struct arena *arena, enum entry_verb verb, struct text words, struct sender_entry *out)
{
    struct text word;
    const char *why;
    *out = (struct sender_entry){ .verb = verb, .action = ACTION_REJECT };
    if (!text_next_word(&words, &word) || !sender_entry_read_what(arena, word, out, &why)) return false;
    while (text_next_word(&words, &word)) {
        bool is_to = text_equal(word, TEXT("--to"));
        if (is_to && (!text_next_word(&words, &word) || !sender_entry_read_to(arena, word, out, &why)))
            return false;
        if (!is_to && !sender_entry_read_flag(word, out)) return false;
    }
    return true;
}

/* --- printing --- */

void sender_entry_print_what(const struct sender_entry *entry, struct buffer *out)
{
    char room[ADDRESS_TEXT_SIZE];
    if (entry->kind != ENTRY_NETWORK) {
        buffer_add_text(out, entry->what);
        return;
    }
    const struct network *network = &entry->network;
    unsigned before = address_is_v4(&network->address) ? V4_BEFORE : 0;
    buffer_printf(out, "%s/%u", address_print(&network->address, room), network->bits - before);
}

void sender_entry_print_flags(const struct sender_entry *entry, struct buffer *out)
{
    if (entry->is_envelope) buffer_add_text(out, TEXT(" envelope"));
    if (entry->is_unproven) buffer_add_text(out, TEXT(" unproven"));
    if (entry->verb == ENTRY_BLOCK && entry->action == ACTION_QUARANTINE)
        buffer_add_text(out, TEXT(" quarantine"));
    if (entry->verb == ENTRY_BLOCK && entry->action == ACTION_TAG) buffer_add_text(out, TEXT(" tag"));
}
