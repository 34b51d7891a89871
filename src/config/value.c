/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Reads and prints the values of every type in enum schema_type. */
#include "config/value.h"
#include "config/sender_entry.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/die.h"
#include "config/units.h"

enum { SELECTOR_MOST = 120 };

static const char NOT_ONE[] = "is not valid here";
static const char LOG_FILE[] = "is a file, which `sekimori start --log FILE` names (with `log to stderr`)";

static void *field_of(const struct schema_row *row, void *base)
{
    return (char *)base + row->offset;
}

static const void *field_in(const struct schema_row *row, const void *base)
{
    return (const char *)base + row->offset;
}

static void number_store(const struct schema_row *row, void *base, uint64_t number)
{
    void *field = field_of(row, base);
    if (row->size == 1)
        *(uint8_t *)field = (uint8_t)number;
    else if (row->size == 2)
        *(uint16_t *)field = (uint16_t)number;
    else if (row->size == 4)
        *(uint32_t *)field = (uint32_t)number;
    else if (row->size == 8)
        *(uint64_t *)field = number;
    else
        bug("setting %s has a field of %u bytes", row->words, row->size);
}

uint64_t value_number(const struct schema_row *row, const void *base)
{
    const void *field = field_in(row, base);
    if (row->size == 1) return *(const uint8_t *)field;
    if (row->size == 2) return *(const uint16_t *)field;
    if (row->size == 4) return *(const uint32_t *)field;
    return *(const uint64_t *)field;
}

bool value_is_list(const struct schema_row *row)
{
    switch (row->type) {
    case SCHEMA_NETWORKS:
    case SCHEMA_SERVERS:
    case SCHEMA_USERS:
    case SCHEMA_ENDPOINTS:
    case SCHEMA_NAMES:
    case SCHEMA_MAILBOXES:
    case SCHEMA_SENDERS:
    case SCHEMA_ADDRESSES:
    case SCHEMA_ENTRIES:
    case SCHEMA_FOLDERS:
    case SCHEMA_STATUSES:
    case SCHEMA_COMMAND:
    case SCHEMA_SET:
    case SCHEMA_KEYS:
        return true;
    default:
        return false;
    }
}

void *value_list_grow(struct arena *arena, void *items, size_t count, size_t size)
{
    bool is_full = count == 0 || (count >= 4 && (count & (count - 1)) == 0);
    if (!is_full) return items;
    void *grown = arena_alloc_array(arena, count < 4 ? 4 : count * 2, size);
    if (count > 0) memcpy(grown, items, count * size);
    return grown;
}

static bool is_label(struct text label)
{
    if (label.length == 0 || label.length > 63) return false;
    if (label.at[0] == '-' || label.at[label.length - 1] == '-') return false;
    for (size_t i = 0; i < label.length; i++) {
        char c = label.at[i];
        if (!char_is_alpha(c) && !char_is_digit(c) && c != '-' && c != '_') return false;
    }
    return true;
}

bool value_is_host_name(struct text word)
{
    struct text label;
    uint64_t number;
    if (word.length > 253) return false;
    for (;;) {
        size_t dot = text_find_char(word, '.');
        label = text_slice(word, 0, dot);
        if (!is_label(label)) return false;
        if (dot == word.length) break;
        word = text_slice(word, dot + 1, word.length);
    }
    return !text_to_number(label, UINT64_MAX / 10, &number);
}

bool value_is_mailbox(struct text word)
{
    size_t at = text_find_last_char(word, '@');
    if (at == 0 || at == word.length) return false;
    for (size_t i = 0; i < at; i++)
        if ((unsigned char)word.at[i] <= ' ' || memchr("<>\"(),:;@[]\\", word.at[i], 12)) return false;
    return value_is_host_name(text_slice(word, at + 1, word.length));
}

static bool is_user(struct text word)
{
    if (word.length == 0 || word.length > 32 || word.at[0] == '-') return false;
    for (size_t i = 0; i < word.length; i++) {
        char c = word.at[i];
        if (!char_is_alpha(c) && !char_is_digit(c) && c != '-' && c != '_' && c != '.') return false;
    }
    return true;
}

bool value_endpoint_parse(struct text word, uint16_t port_fallback, struct endpoint *out)
{
    return endpoint_parse(word, port_fallback > 0 ? port_fallback : -1, out) && out->port > 0;
}

void value_endpoint_print(const struct endpoint *endpoint, uint16_t port_fallback, struct buffer *out)
{
    char room[ADDRESS_TEXT_SIZE];
    bool is_v4 = address_is_v4(&endpoint->address), has_port = endpoint->port != port_fallback;
    buffer_printf(out, is_v4 || !has_port ? "%s" : "[%s]", address_print(&endpoint->address, room));
    if (has_port) buffer_printf(out, ":%u", endpoint->port);
}

bool value_is_server(struct text word)
{
    struct address address;
    uint64_t port = 53;
    size_t at = text_find_char(word, '@');
    if (at < word.length && !text_to_number(text_slice(word, at + 1, word.length), 65535, &port))
        return false;
    return port > 0 && address_parse(text_slice(word, 0, at), &address);
}

static bool is_interface(struct text word)
{
    return is_user(word) && word.length <= 15;
}

static bool is_list_word(enum schema_type type, struct text word)
{
    struct endpoint endpoint;
    struct network network;
    uint64_t number;
    switch (type) {
    case SCHEMA_SERVERS:
        return value_is_server(word);
    case SCHEMA_USERS:
        return is_user(word);
    case SCHEMA_ENDPOINTS:
        return value_endpoint_parse(word, 0, &endpoint);
    case SCHEMA_NAMES:
        return value_is_host_name(word);
    case SCHEMA_MAILBOXES:
        return value_is_mailbox(word);
    case SCHEMA_SENDERS:
        return value_is_host_name(text_slice(word, word.at[0] == '.', word.length));
    case SCHEMA_STATUSES:
        return text_to_number(word, 255, &number);
    case SCHEMA_FOLDERS:
    case SCHEMA_COMMAND:
        return word.at[0] == '/';
    default: /* 192.0.2.1, 192.0.2.1/24: an address as an interface has it */
        return network_parse_interface(word, &network);
    }
}

static const char *choice_parse(const struct schema_row *row, void *base, struct text word)
{
    for (const struct schema_choice *choice = row->choices; choice->word; choice++)
        if (text_equal(word, text_of(choice->word))) {
            number_store(row, base, (uint64_t)choice->value);
            return NULL;
        }
    bool is_log_file = word.length > 0 && word.at[0] == '/' && strcmp(row->words, "log to") == 0;
    return is_log_file ? LOG_FILE : NOT_ONE;
}

static const char *set_add(const struct schema_row *row, void *base, struct text word)
{
    uint64_t *set = field_of(row, base);
    for (const struct schema_choice *choice = row->choices; choice->word; choice++)
        if (text_equal(word, text_of(choice->word))) {
            *set |= UINT64_C(1) << choice->value;
            return NULL;
        }
    return NOT_ONE;
}

static const char *switch_parse(const struct schema_row *row, void *base, struct text word)
{
    bool on = text_equal(word, TEXT("on"));
    if (!on && !text_equal(word, TEXT("off"))) return NOT_ONE;
    *(bool *)field_of(row, base) = on;
    return NULL;
}

static const char *number_parse(const struct schema_row *row, void *base, struct text word)
{
    uint64_t number;
    bool good = row->type == SCHEMA_SIZE    ? units_size_parse(word, &number)
                : row->type == SCHEMA_TIME  ? units_time_parse(word, &number)
                : row->type == SCHEMA_CLOCK ? units_clock_parse(word, &number)
                                            : text_to_number(word, INT64_MAX, &number);
    if (!good) return NOT_ONE;
    if (row->most > 0 && number < row->least) return "is too small";
    if (row->most > 0 && number > row->most) return "is too large";
    number_store(row, base, number);
    return NULL;
}

static const char *points_parse(const struct schema_row *row, void *base, struct text word)
{
    double points, most = (double)row->most;
    if (!units_points_parse(word, &points)) return NOT_ONE;
    if (points > most && !text_equal(word, TEXT("never"))) return "is too large";
    if (points < (double)row->least) return "is too small";
    *(double *)field_of(row, base) = points;
    return NULL;
}

static struct text path_in(struct text folder, struct text word, struct arena *arena)
{
    if (word.at[0] == '/' || folder.length == 0) return arena_text(arena, word);
    return arena_printf(arena, "%.*s/%.*s", TEXT_ARG(folder), TEXT_ARG(word));
}

static const char *address_store(const struct schema_row *row, void *base, struct text word)
{
    struct address *address = field_of(row, base);
    if (!address_parse(word, address)) return NOT_ONE;
    if (address_is_v4(address) == (row->type == SCHEMA_IP4)) return NULL;
    *address = (struct address){ 0 };
    return "is of the other family";
}

static const char *network_add(const struct schema_row *row, void *base, struct text word,
                               struct arena *arena)
{
    struct network_list *list = field_of(row, base);
    struct network network;
    if (!network_parse(word, &network)) {
        struct text alone = text_slice(word, 0, text_find_char(word, '/'));
        if (address_parse(alone, &network.address)) return "has no prefix length that fits its address";
        return address_parse_zoned(alone, &network.address) ? "has a zone, which no rule tells apart"
                                                            : NOT_ONE;
    }
    if (list->count == VALUE_LIST_MOST) return "is one item too many (9000 are allowed)";
    list->items = value_list_grow(arena, list->items, list->count, sizeof *list->items);
    list->items[list->count++] = network;
    return NULL;
}

static const char *word_add(const struct schema_row *row, void *base, struct text word, struct arena *arena)
{
    struct text_list *list = field_of(row, base);
    bool is_argument = row->type == SCHEMA_COMMAND && list->count > 0;
    if (!is_argument && !is_list_word(row->type, word)) return NOT_ONE;
    if (list->count == VALUE_LIST_MOST) return "is one item too many (9000 are allowed)";
    list->items = value_list_grow(arena, list->items, list->count, sizeof *list->items);
    list->items[list->count++] = arena_text(arena, word);
    return NULL;
}

static const char *entry_add(const struct schema_row *row, void *base, struct text word, struct arena *arena)
{
    struct text_list *list = field_of(row, base);
    struct sender_entry entry;
    const char *why;
    enum entry_verb verb = text_starts(text_of(row->words), TEXT("allow")) ? ENTRY_ALLOW : ENTRY_BLOCK;
    if (!sender_entry_read(arena, verb, word, &entry, &why))
        return arena_printf(arena, "is no entry (%s)", why).at;
    if (list->count == VALUE_LIST_MOST) return "is one item too many (9000 are allowed)";
    list->items = value_list_grow(arena, list->items, list->count, sizeof *list->items);
    list->items[list->count++] = arena_text(arena, word);
    return NULL;
}

/* Each label of a selector is one of a name in the DNS, and may be a number (RFC 6376 section 3.1). */
static bool is_selector(struct text word)
{
    struct text rest = word;
    if (word.length > SELECTOR_MOST) return false;
    for (size_t dot; (dot = text_find_char(rest, '.')) < rest.length;
         rest = text_slice(rest, dot + 1, rest.length))
        if (!is_label(text_slice(rest, 0, dot))) return false;
    return is_label(rest);
}

static const char *key_add(const struct schema_row *row, void *base, struct text word, struct text folder,
                           struct arena *arena)
{
    struct signing_key_list *list = field_of(row, base);
    size_t colon = text_find_char(word, ':');
    struct text selector = text_slice(word, 0, colon), path = text_slice(word, colon + 1, word.length);
    if (!is_selector(selector) || path.length == 0) return NOT_ONE;
    if (list->count == SIGNING_KEYS_MOST) return "is one key too many (4 are allowed)";
    list->items = value_list_grow(arena, list->items, list->count, sizeof *list->items);
    list->items[list->count++] =
        (struct signing_key){ arena_text(arena, selector), { .path = path_in(folder, path, arena) } };
    return NULL;
}

static const char *text_store(const struct schema_row *row, void *base, struct text word, bool good,
                              struct arena *arena)
{
    if (!good) return NOT_ONE;
    *(struct text *)field_of(row, base) = arena_text(arena, word);
    return NULL;
}

/* The word for "not set" leaves the field as zeros. */
static const char *none_parse(const struct schema_row *row, void *base)
{
    if (row->type == SCHEMA_SENDERS) return NULL;
    bool is_set = row->type == SCHEMA_SET;
    if (is_set && value_number(row, base) != 0) return "stands alone";
    if (!is_set && value_is_list(row) && ((struct text_list *)field_of(row, base))->count > 0)
        return "stands alone";
    memset(field_of(row, base), 0, row->size);
    return NULL;
}

const char *value_parse(const struct schema_row *row, void *base, const struct token *token,
                        struct text folder, struct arena *arena)
{
    struct text word = token->text;
    struct endpoint endpoint;
    bool is_none = row->none && token->kind == TOKEN_WORD && text_equal(word, text_of(row->none));
    if (is_none) return none_parse(row, base);
    if (word.length == 0 && row->type != SCHEMA_TEXT) return "is empty";
    switch (row->type) {
    case SCHEMA_CHOICE:
        return choice_parse(row, base, word);
    case SCHEMA_SWITCH:
        return switch_parse(row, base, word);
    case SCHEMA_COUNT:
    case SCHEMA_SIZE:
    case SCHEMA_TIME:
    case SCHEMA_CLOCK:
        return number_parse(row, base, word);
    case SCHEMA_POINTS:
        return points_parse(row, base, word);
    case SCHEMA_TEXT:
        return text_store(row, base, word, true, arena);
    case SCHEMA_NAME:
        return text_store(row, base, word, value_is_host_name(word), arena);
    case SCHEMA_MAILBOX:
        return text_store(row, base, word, value_is_mailbox(word), arena);
    case SCHEMA_USER:
        return text_store(row, base, word, is_user(word), arena);
    case SCHEMA_SOCKET:
        return text_store(row, base, word, value_endpoint_parse(word, 0, &endpoint), arena);
    case SCHEMA_PATH:
        *(struct text *)field_of(row, base) = path_in(folder, word, arena);
        return NULL;
    case SCHEMA_ORIGIN:
        if (text_starts_nocase(word, TEXT("https:")) || text_starts_nocase(word, TEXT("http:")))
            return text_store(row, base, word, true, arena); /* list_setting.c looks at it */
        *(struct text *)field_of(row, base) = path_in(folder, word, arena);
        return NULL;
    case SCHEMA_FILE:
    case SCHEMA_RULES:
        ((struct file_content *)field_of(row, base))->path = path_in(folder, word, arena);
        return NULL;
    case SCHEMA_IP4:
    case SCHEMA_IP6:
        return address_store(row, base, word);
    case SCHEMA_NETWORKS:
        return network_add(row, base, word, arena);
    case SCHEMA_PEER:
        return text_store(row, base, word, value_endpoint_parse(word, UINT16_MAX, &endpoint), arena);
    case SCHEMA_INTERFACE:
        return text_store(row, base, word, is_interface(word), arena);
    case SCHEMA_SERVERS:
    case SCHEMA_ENDPOINTS:
    case SCHEMA_NAMES:
    case SCHEMA_MAILBOXES:
    case SCHEMA_SENDERS:
    case SCHEMA_USERS:
    case SCHEMA_ADDRESSES:
    case SCHEMA_FOLDERS:
    case SCHEMA_STATUSES:
    case SCHEMA_COMMAND:
        return word_add(row, base, word, arena);
    case SCHEMA_SET:
        return set_add(row, base, word);
    case SCHEMA_ENTRIES:
        return entry_add(row, base, word, arena);
    case SCHEMA_KEYS:
        return key_add(row, base, word, folder, arena);
    case SCHEMA_LISTEN:
    case SCHEMA_CLOUD:
    case SCHEMA_LISTED:
    case SCHEMA_WHOM:
    case SCHEMA_ENGINES:
    case SCHEMA_OPINIONS:
    case SCHEMA_DOMAINS:
        break;
    }
    bug("setting %s has no plain value", row->words);
}

static bool is_bare(struct text word)
{
    for (size_t i = 0; i < word.length; i++) {
        unsigned char c = (unsigned char)word.at[i];
        if (c <= ' ' || c == 0x7F || strchr("\"\\;{}#", c)) return false;
    }
    return word.length > 0;
}

static void quoted_print(struct text word, struct buffer *out)
{
    buffer_add_char(out, '"');
    for (size_t i = 0; i < word.length; i++) {
        char c = word.at[i];
        if (c == '"' || c == '\\') buffer_add_char(out, '\\');
        if (c == '\t')
            buffer_printf(out, "\\t");
        else
            buffer_add_char(out, c);
    }
    buffer_add_char(out, '"');
}

void value_word_print(struct text word, struct buffer *out)
{
    if (is_bare(word))
        buffer_add_text(out, word);
    else
        quoted_print(word, out);
}

static void choice_print(const struct schema_row *row, const void *base, struct buffer *out)
{
    for (const struct schema_choice *choice = row->choices; choice->word; choice++)
        if ((uint64_t)choice->value == value_number(row, base)) buffer_printf(out, "%s", choice->word);
}

static void set_print(const struct schema_row *row, const void *base, struct buffer *out)
{
    const char *separator = "";
    uint64_t set = value_number(row, base);
    if (set == 0) buffer_printf(out, "%s", row->none);
    for (const struct schema_choice *choice = row->choices; choice->word; choice++) {
        if (!(set >> choice->value & 1)) continue;
        buffer_printf(out, "%s%s", separator, choice->word);
        separator = " ";
    }
}

static void word_or_none_print(const struct schema_row *row, struct text word, struct buffer *out)
{
    if (word.length == 0)
        buffer_printf(out, "%s", row->none ? row->none : "\"\"");
    else if (row->none && text_equal(word, text_of(row->none)))
        quoted_print(word, out);
    else
        value_word_print(word, out);
}

static void networks_print(const struct schema_row *row, const struct network_list *list, struct buffer *out)
{
    char room[ADDRESS_TEXT_SIZE];
    if (list->count == 0) buffer_printf(out, "%s", row->none);
    for (size_t i = 0; i < list->count; i++) {
        const struct network *network = &list->items[i];
        unsigned bits = network->bits, all = 128;
        if (address_is_v4(&network->address)) bits -= 96, all = 32;
        buffer_printf(out, "%s%s", i > 0 ? " " : "", address_print(&network->address, room));
        if (bits != all) buffer_printf(out, "/%u", bits);
    }
}

static void words_print(const struct schema_row *row, const struct text_list *list, struct buffer *out)
{
    if (list->count == 0) buffer_printf(out, "%s", row->none);
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0) buffer_add_char(out, ' ');
        value_word_print(list->items[i], out);
    }
}

/* Arguments in quotes: a bare one may be a word of the language. */
static void command_print(const struct schema_row *row, const struct text_list *list, struct buffer *out)
{
    if (list->count == 0) buffer_printf(out, "%s", row->none);
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0) buffer_add_char(out, ' ');
        if (i > 0)
            quoted_print(list->items[i], out);
        else
            value_word_print(list->items[i], out);
    }
}

static void keys_print(const struct schema_row *row, const struct signing_key_list *list, struct buffer *out)
{
    struct buffer word = { 0 };
    if (list->count == 0) buffer_printf(out, "%s", row->none);
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0) buffer_add_char(out, ' ');
        buffer_clear(&word);
        buffer_printf(&word, "%.*s:%.*s", TEXT_ARG(list->items[i].selector),
                      TEXT_ARG(list->items[i].file.path));
        value_word_print(buffer_text(&word), out);
    }
    buffer_free(&word);
}

static void address_field_print(const struct schema_row *row, const struct address *address,
                                struct buffer *out)
{
    static const struct address none;
    char room[ADDRESS_TEXT_SIZE];
    buffer_printf(out, "%s", address_equal(address, &none) ? row->none : address_print(address, room));
}

void value_print(const struct schema_row *row, const void *base, struct buffer *out)
{
    const void *field = field_in(row, base);
    switch (row->type) {
    case SCHEMA_CHOICE:
        choice_print(row, base, out);
        return;
    case SCHEMA_SWITCH:
        buffer_printf(out, "%s", *(const bool *)field ? "on" : "off");
        return;
    case SCHEMA_COUNT:
        buffer_printf(out, "%" PRIu64, value_number(row, base));
        return;
    case SCHEMA_SIZE:
        units_size_print(value_number(row, base), out);
        return;
    case SCHEMA_TIME:
        units_time_print(value_number(row, base), out);
        return;
    case SCHEMA_CLOCK:
        units_clock_print(value_number(row, base), out);
        return;
    case SCHEMA_POINTS:
        units_points_print(*(const double *)field, out);
        return;
    case SCHEMA_TEXT:
        quoted_print(*(const struct text *)field, out);
        return;
    case SCHEMA_NAME:
    case SCHEMA_MAILBOX:
    case SCHEMA_USER:
    case SCHEMA_PATH:
    case SCHEMA_ORIGIN:
    case SCHEMA_SOCKET:
    case SCHEMA_PEER:
    case SCHEMA_INTERFACE:
        word_or_none_print(row, *(const struct text *)field, out);
        return;
    case SCHEMA_FILE:
    case SCHEMA_RULES:
        word_or_none_print(row, ((const struct file_content *)field)->path, out);
        return;
    case SCHEMA_IP4:
    case SCHEMA_IP6:
        address_field_print(row, field, out);
        return;
    case SCHEMA_NETWORKS:
        networks_print(row, field, out);
        return;
    case SCHEMA_SERVERS:
    case SCHEMA_ENDPOINTS:
    case SCHEMA_NAMES:
    case SCHEMA_MAILBOXES:
    case SCHEMA_SENDERS:
    case SCHEMA_ADDRESSES:
    case SCHEMA_ENTRIES:
    case SCHEMA_FOLDERS:
    case SCHEMA_STATUSES:
    case SCHEMA_USERS:
        words_print(row, field, out);
        return;
    case SCHEMA_COMMAND:
        command_print(row, field, out);
        return;
    case SCHEMA_SET:
        set_print(row, base, out);
        return;
    case SCHEMA_KEYS:
        keys_print(row, field, out);
        return;
    case SCHEMA_LISTEN:
    case SCHEMA_CLOUD:
    case SCHEMA_LISTED:
    case SCHEMA_WHOM:
    case SCHEMA_ENGINES:
    case SCHEMA_OPINIONS:
    case SCHEMA_DOMAINS:
        return;
    }
}

bool value_is_user_group(struct text word)
{
    return text_equal(word, TEXT("recipients")) || text_equal(word, TEXT("operators"));
}
