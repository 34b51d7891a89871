/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "config/sender_entry.h"

#include "base/utf8.h"

enum { LABEL_MOST = 63, DOMAIN_MOST = 253, V4_BEFORE = 96 };

const char *sender_entry_verb_name(enum entry_verb verb)
{
    return verb == ENTRY_ALLOW ? "allow" : "block";
}

static const char *const feature_names[ENTRY_FEATURES] = { "subject", "link", "attachment" };

const char *sender_entry_feature_name(enum entry_feature feature)
{
    return feature_names[feature];
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
    if (entry->kind != ENTRY_DOMAIN && entry->kind != ENTRY_ADDRESS) return TEXT_NONE;
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
    if (text_equal(word, TEXT("*"))) {
        out->kind = ENTRY_ANYBODY;
        return true;
    }
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

/* --- patterns --- */

/* What a character counts for: about the bytes that it has when it is folded. */
static unsigned letter_weight(struct text character)
{
    const uint8_t *at = (const uint8_t *)character.at;
    unsigned point =
        character.length == 3 ? (at[0] & 0xFu) << 12 | (at[1] & 0x3Fu) << 6 | (at[2] & 0x3Fu) : 0;
    bool is_wide_latin = point >= 0xFF01 && point <= 0xFF5E;
    bool is_gap = (point >= 0x2000 && point <= 0x206F) || point == 0x3000 || point == 0xFEFF;
    if (character.length == 3 && (is_wide_latin || is_gap)) return is_wide_latin;
    return character.length == 4 ? 1 : (unsigned)character.length;
}

/* Of one that has only valid UTF-8: how many stars, and the most letters between two of them. */
static void pattern_measure(struct text pattern, unsigned *out_stars, unsigned *out_letters)
{
    unsigned run = 0;
    *out_stars = *out_letters = 0;
    for (size_t i = 0, length; i < pattern.length; i += length) {
        length = utf8_sequence(text_slice(pattern, i, pattern.length));
        bool is_star = pattern.at[i] == '*';
        if (pattern.at[i] == '\\' && i + 1 < pattern.length) length = 2;
        run = is_star ? 0 : run + letter_weight(text_slice(pattern, i, i + length));
        *out_stars += is_star;
        if (run > *out_letters) *out_letters = run;
    }
}

/* C0, DEL and C1: what acts on a terminal. */
static bool has_control(struct text text)
{
    for (size_t i = 0; i < text.length; i++) {
        uint8_t byte = (uint8_t)text.at[i], next = i + 1 < text.length ? (uint8_t)text.at[i + 1] : 0;
        if (byte < ' ' || byte == 0x7f || (byte == 0xC2 && next < 0xA0)) return true;
    }
    return false;
}

/* A backslash stands before a star or a backslash. */
static bool has_bad_escape(struct text pattern)
{
    for (size_t i = 0; i < pattern.length; i++) {
        if (pattern.at[i] != '\\') continue;
        if (++i == pattern.length || (pattern.at[i] != '*' && pattern.at[i] != '\\')) return true;
    }
    return false;
}

bool sender_entry_read_pattern(struct arena *arena, enum entry_feature feature, struct text pattern,
                               struct sender_entry *out, const char **out_why)
{
    unsigned stars, letters;
    *out_why = "a pattern is UTF-8 without control characters, of 1 to 200 bytes";
    if (pattern.length == 0 || pattern.length > ENTRY_PATTERN_MOST || !utf8_is_valid(pattern) ||
        has_control(pattern))
        return false;
    *out_why = "in a pattern * is any text; a backslash stands before * or a backslash alone";
    if (has_bad_escape(pattern)) return false;
    pattern_measure(pattern, &stars, &letters);
    *out_why = "a pattern has at most 8 stars";
    if (stars > ENTRY_STARS_MOST) return false;
    *out_why = "a pattern has at least three letters in a row (or a kanji or kana): less is in every mail";
    if (letters < ENTRY_LETTERS_LEAST) return false;
    out->patterns[feature] = arena_text(arena, pattern);
    return true;
}

bool sender_entry_has_patterns(const struct sender_entry *entry)
{
    for (int i = 0; i < ENTRY_FEATURES; i++)
        if (entry->patterns[i].length) return true;
    return false;
}

uint32_t sender_entry_pattern_check(const struct sender_entry *entry)
{
    uint64_t sum = 0;
    if (!sender_entry_has_patterns(entry)) return 0;
    for (int i = 0; i < ENTRY_FEATURES; i++)
        sum = text_checksum_on(sum + (uint64_t)i + 1, entry->patterns[i]);
    return (uint32_t)(sum ^ sum >> 32) | 1U;
}

/* --- words --- */

/* False: "%" without two digits behind. */
static bool percent_decode(struct text word, struct buffer *out)
{
    for (size_t i = 0; i < word.length; i++) {
        if (word.at[i] != '%') {
            buffer_add_char(out, word.at[i]);
            continue;
        }
        int high = i + 2 < word.length ? char_hex_value(word.at[i + 1]) : -1;
        int low = i + 2 < word.length ? char_hex_value(word.at[i + 2]) : -1;
        if (high < 0 || low < 0) return false;
        buffer_add_char(out, (char)(high << 4 | low));
        i += 2;
    }
    return true;
}

static void percent_encode(struct text text, struct buffer *out)
{
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.at[i] <= ' ' || text.at[i] == '%' || text.at[i] == 0x7f)
            buffer_printf(out, "%%%02X", (unsigned char)text.at[i]);
        else
            buffer_add_char(out, text.at[i]);
}

/* ENTRY_FEATURES: it is none. */
static enum entry_feature feature_of(struct text name)
{
    int i = 0;
    while (i < ENTRY_FEATURES && !text_equal(name, text_of(feature_names[i]))) i++;
    return (enum entry_feature)i;
}

static bool pattern_word_read(struct arena *arena, enum entry_feature feature, struct text word,
                              struct sender_entry *out, const char **out_why)
{
    struct buffer pattern = { 0 };
    *out_why = "in a pattern's word % has two hexadecimal digits behind";
    bool is_read = percent_decode(word, &pattern) &&
                   sender_entry_read_pattern(arena, feature, buffer_text(&pattern), out, out_why);
    buffer_free(&pattern);
    return is_read;
}

static struct text without_dashes(struct text word)
{
    return text_starts(word, TEXT("--")) ? text_slice(word, 2, word.length) : word;
}

bool sender_entry_read_flag(struct arena *arena, struct text word, struct sender_entry *out,
                            const char **out_why)
{
    bool is_block = out->verb == ENTRY_BLOCK;
    word = without_dashes(word);
    size_t equals = text_find_char(word, '=');
    enum entry_feature feature = feature_of(text_slice(word, 0, equals));
    if (equals < word.length && feature != ENTRY_FEATURES)
        return pattern_word_read(arena, feature, text_slice(word, equals + 1, word.length), out, out_why);
    *out_why = is_block ? "block knows --envelope, --quarantine, --tag, --subject, --link and --attachment"
                        : "allow knows --envelope, --unproven, --subject, --link and --attachment";
    if (text_equal(word, TEXT("envelope")))
        out->is_envelope = true;
    else if (text_equal(word, TEXT("users")))
        out->is_users = true;
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

bool sender_entry_is_whole(const struct sender_entry *entry, const char **out_why)
{
    *out_why = "an entry for anybody has a pattern: --subject, --link or --attachment";
    if (entry->kind != ENTRY_ANYBODY) return true;
    if (!sender_entry_has_patterns(entry)) return false;
    *out_why =
        "anybody can write such a Subject, link or attachment: an allow entry names a sender beside it, "
        "or says --unproven";
    return entry->verb == ENTRY_BLOCK || entry->is_unproven;
}

/* The next word, or what stands between two '. */
static bool value_next(struct text *rest, struct text *out)
{
    while (rest->length && (rest->at[0] == ' ' || rest->at[0] == '\t'))
        *rest = text_slice(*rest, 1, rest->length);
    if (!text_starts(*rest, TEXT("'"))) return text_next_word(rest, out);
    struct text inside = text_slice(*rest, 1, rest->length);
    size_t end = text_find_char(inside, '\'');
    *out = text_slice(inside, 0, end);
    *rest = text_slice(inside, end + 1, inside.length);
    return end < inside.length;
}

/* An option and its value, if it has one. */
static bool option_read(struct arena *arena, struct text word, struct text *rest, struct sender_entry *out,
                        const char **out_why)
{
    struct text value;
    bool is_to = text_equal(word, TEXT("--to"));
    enum entry_feature feature =
        text_starts(word, TEXT("--")) ? feature_of(without_dashes(word)) : ENTRY_FEATURES;
    if (!is_to && feature == ENTRY_FEATURES) return sender_entry_read_flag(arena, word, out, out_why);
    *out_why = "--to, --subject, --link and --attachment have a value behind";
    if (!value_next(rest, &value)) return false;
    return is_to ? sender_entry_read_to(arena, value, out, out_why)
                 : sender_entry_read_pattern(arena, feature, value, out, out_why);
}

bool sender_entry_read(struct arena *arena, enum entry_verb verb, struct text words, struct sender_entry *out,
                       const char **out_why)
{
    struct text word;
    *out = (struct sender_entry){ .verb = verb, .action = ACTION_REJECT };
    *out_why = "nothing is named";
    if (!text_next_word(&words, &word) || !sender_entry_read_what(arena, word, out, out_why)) return false;
    while (text_next_word(&words, &word))
        if (!option_read(arena, word, &words, out, out_why)) return false;
    return sender_entry_is_whole(out, out_why);
}

bool sender_entry_is_same(const struct sender_entry *a, const struct sender_entry *b)
{
    if (a->verb != b->verb || a->kind != b->kind || !text_equal(a->to, b->to)) return false;
    for (int i = 0; i < ENTRY_FEATURES; i++)
        if (!text_equal(a->patterns[i], b->patterns[i])) return false;
    if (a->kind != ENTRY_NETWORK) return text_equal(a->what, b->what) && a->is_envelope == b->is_envelope;
    return a->network.bits == b->network.bits && address_equal(&a->network.address, &b->network.address);
}

/* --- printing --- */

void sender_entry_print_what(const struct sender_entry *entry, struct buffer *out)
{
    char room[ADDRESS_TEXT_SIZE];
    if (entry->kind != ENTRY_NETWORK) {
        buffer_add_text(out, entry->kind == ENTRY_ANYBODY ? TEXT("*") : entry->what);
        return;
    }
    const struct network *network = &entry->network;
    unsigned before = address_is_v4(&network->address) ? V4_BEFORE : 0;
    buffer_printf(out, "%s/%u", address_print(&network->address, room), network->bits - before);
}

void sender_entry_print_named(const struct sender_entry *entry, struct buffer *out)
{
    static const char *const names[ENTRY_FEATURES] = { "Subject", "link", "attachment" };
    const char *before = entry->kind == ENTRY_ANYBODY ? "" : " with ";
    if (entry->kind != ENTRY_ANYBODY) sender_entry_print_what(entry, out);
    for (int i = 0; i < ENTRY_FEATURES; i++) {
        if (entry->patterns[i].length == 0) continue;
        buffer_printf(out, "%s%s '%.*s'", before, names[i], TEXT_ARG(entry->patterns[i]));
        before = " and ";
    }
}

void sender_entry_print_flags(const struct sender_entry *entry, struct buffer *out)
{
    if (entry->is_envelope) buffer_add_text(out, TEXT(" envelope"));
    if (entry->is_users) buffer_add_text(out, TEXT(" users"));
    if (entry->is_unproven) buffer_add_text(out, TEXT(" unproven"));
    if (entry->verb == ENTRY_BLOCK && entry->action == ACTION_QUARANTINE)
        buffer_add_text(out, TEXT(" quarantine"));
    if (entry->verb == ENTRY_BLOCK && entry->action == ACTION_TAG) buffer_add_text(out, TEXT(" tag"));
}

void sender_entry_print_patterns(const struct sender_entry *entry, struct buffer *out)
{
    for (int i = 0; i < ENTRY_FEATURES; i++) {
        if (entry->patterns[i].length == 0) continue;
        buffer_printf(out, " %s=", feature_names[i]);
        percent_encode(entry->patterns[i], out);
    }
}
