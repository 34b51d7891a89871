/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "impostor/returned_mail.h"

#include "auth/from_domains.h"
#include "config/hosted.h"

enum { FIELDS_MOST = 200, HEADER_MOST = 64 * 1024, WORDS_MOST = 400 };

/* The header of what is returned; NULL: nothing is. */
static const struct header *returned_header(struct arena *arena, const struct mime *mime)
{
    const struct header_limits limits = { HEADER_MOST, FIELDS_MOST, .skip_junk = true };
    for (size_t i = 1; i < mime->count && i < 20; i++) {
        const struct mime_part *part = &mime->parts[i];
        bool is_inside = mime->parts[part->parent == MIME_NO_PARENT ? 0 : part->parent].kind == MIME_MESSAGE;
        if (is_inside && part->header) return part->header;
        if (!text_equal(part->type, TEXT("text/rfc822-headers")) || part->encoding != MIME_IDENTITY) continue;
        struct header *header = arena_alloc(arena, sizeof *header);
        header_parse(arena, part->body, &limits, header);
        return header;
    }
    return NULL;
}

static bool is_host_byte(char c)
{
    return char_is_alpha(c) || char_is_digit(c) || c == '-' || c == '.';
}

/* Some word of the value, a name with a dot in it, is a host or domain of ours. */
static bool names_ours(const struct config *config, struct text value)
{
    size_t at = 0;
    for (int words = 0; at < value.length && words < WORDS_MOST; words++) {
        while (at < value.length && !is_host_byte(value.at[at])) at++;
        size_t from = at;
        while (at < value.length && is_host_byte(value.at[at])) at++;
        struct text word = text_slice(value, from, at);
        bool is_name = text_find_char(word, '.') < word.length && word.length <= 253;
        if (is_name && (config_is_ours(config, word) || text_equal_nocase(word, config->hostname)))
            return true;
    }
    return false;
}

static bool is_trace(const struct header_field *field)
{
    return field->id == HEADER_RECEIVED || field->id == HEADER_MESSAGE_ID ||
           text_equal_nocase(field->name, TEXT("DKIM-Signature"));
}

/* "for <user@ours>" is written by whoever delivers to us. */
static struct text without_for(const struct header_field *field)
{
    size_t end = field->id == HEADER_RECEIVED ? text_find(field->value, TEXT(" for ")) : field->value.length;
    return text_slice(field->value, 0, end);
}

bool returned_mail_is_foreign(struct arena *arena, const struct config *config, const struct mime *mime,
                              struct text *out_about)
{
    const struct header *header = returned_header(arena, mime);
    struct from_domains from = { 0 };
    if (!header || !header_find(header, HEADER_FROM)) return false;
    from_domains_find(arena, header, &from);
    if (from.count == 0 || !config_is_ours(config, from.domains[0])) return false;
    bool has_trace = false;
    for (size_t i = 0; i < header->count && i < FIELDS_MOST; i++) {
        const struct header_field *field = &header->fields[i];
        if (!is_trace(field)) continue;
        has_trace = has_trace || field->id == HEADER_RECEIVED;
        if (names_ours(config, without_for(field))) return false;
    }
    *out_about = from.domains[0];
    return has_trace;
}
