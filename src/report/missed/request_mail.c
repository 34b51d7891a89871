/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Reads foreign bytes with the same reader that the checks use. */
#include "report/missed/request_mail.h"

#include "ledgerdb/ticket.h"
#include "mail/encoded_word.h"
#include "mail/mime.h"
#include "mail/parameter.h"

enum { TICKET_LETTERS = TICKET_SIZE - 1 };

/* --- attached messages --- */

static bool is_message(const struct mime_part *part)
{
    return part->kind == MIME_MESSAGE || text_equal(part->type, TEXT("message/rfc822")) ||
           text_equal(part->type, TEXT("message/global")) ||
           (part->kind == MIME_LEAF && text_ends_nocase(part->name, TEXT(".eml")));
}

/* A message inside is the next part; a file is decoded. */
static struct text bytes_of(struct arena *arena, const struct mime *mime, size_t at)
{
    const struct mime_part *part = &mime->parts[at];
    if (part->kind == MIME_MESSAGE && at + 1 < mime->count) {
        const struct mime_part *inside = part + 1;
        return text_slice(mime->message, inside->offset, inside->offset + inside->length);
    }
    struct buffer room = { 0 };
    struct text bytes = arena_text(arena, mime_decode(part, &room, NULL));
    buffer_free(&room);
    return bytes;
}

size_t request_mail_enclosed(struct arena *arena, struct text mail, struct text *out, size_t most,
                             size_t *out_left)
{
    const struct mime *mime = mime_parse(arena, mail, &mime_limits_default, MIME_FIRST);
    size_t count = 0, behind = 0;
    *out_left = 0;
    for (size_t i = 0; i < mime->count; i++) {
        const struct mime_part *part = &mime->parts[i];
        if (part->offset < behind || !is_message(part)) continue;
        behind = part->offset + part->length;
        if (count == most) {
            ++*out_left;
            continue;
        }
        struct text bytes = bytes_of(arena, mime, i);
        if (text_trim(bytes).length) out[count++] = bytes;
    }
    return count;
}

/* --- the header --- */

static void header_read(struct arena *arena, struct text mail, struct header *out)
{
    struct header_limits limits = { .bytes = mime_limits_default.header_bytes,
                                    .fields = mime_limits_default.header_fields,
                                    .skip_junk = true };
    header_parse(arena, mail, &limits, out);
}

static bool is_letter(char c)
{
    return char_is_alpha(c) || char_is_digit(c);
}

/* By the word at the end of what stands before the ticket; "%20" was a blank. */
static enum ticket_wish wish_of(struct text before)
{
    static const char *const words[TICKET_WISHES] = { "release", "allow", "block", "approve" };
    if (text_ends(before, TEXT("%20"))) before = text_slice(before, 0, before.length - 3);
    before = text_trim(before);
    size_t from = before.length;
    while (from > 0 && char_is_alpha(before.at[from - 1])) from--;
    for (int i = 0; i < TICKET_WISHES; i++)
        if (text_equal_nocase(text_slice(before, from, before.length), text_of(words[i])))
            return (enum ticket_wish)i;
    return TICKET_RELEASE;
}

struct text request_mail_ticket(struct arena *arena, struct text mail, enum ticket_wish *out_wish)
{
    struct header header;
    header_read(arena, mail, &header);
    const struct header_field *field = header_find(&header, HEADER_SUBJECT);
    struct text subject = field ? word_decode_in(arena, field->value, TEXT_NONE, NULL) : TEXT_NONE;
    for (size_t i = 0; i < subject.length;) {
        size_t end = i;
        while (end < subject.length && is_letter(subject.at[end])) end++;
        if (i > 0 && subject.at[i - 1] == '%' && end - i == TICKET_LETTERS + 2)
            i += 2; /* "%20", left as it is */
        *out_wish = wish_of(text_slice(subject, 0, i));
        if (end - i == TICKET_LETTERS) return text_slice(subject, i, end);
        i = end + 1;
    }
    return TEXT_NONE;
}

static bool is_any(struct text word, const char *const *words)
{
    while (*words && !text_equal_nocase(word, text_of(*words))) words++;
    return *words != NULL;
}

/* RFC 3834 section 2, and what older programs say of themselves. */
static bool is_of_a_program(struct arena *arena, const struct header_field *field)
{
    static const char *const names[] = { "List-Id", "X-Autoreply", "X-Autorespond", NULL };
    static const char *const precedences[] = { "bulk", "junk", "list", "auto_reply", NULL };
    struct text word = header_unfold(arena, field->value);
    word = text_trim(text_slice(word, 0, text_find_char(word, ';')));
    if (text_equal_nocase(field->name, TEXT("Auto-Submitted"))) return !text_equal_nocase(word, TEXT("no"));
    if (text_equal_nocase(field->name, TEXT("Precedence"))) return is_any(word, precedences);
    return is_any(field->name, names);
}

bool request_mail_is_automatic(struct arena *arena, struct text mail)
{
    struct header header;
    header_read(arena, mail, &header);
    for (size_t i = 0; i < header.count; i++)
        if (is_of_a_program(arena, &header.fields[i])) return true;
    return false;
}

/* --- newsletters --- */

static struct text parameter_word(const struct parameter_list *list, struct text name)
{
    const struct parameter *found = parameter_find(list, name, false);
    return found ? found->value : TEXT_NONE;
}

bool request_mail_newsletter(struct arena *arena, struct text message, struct newsletter_wish *out)
{
    static const struct text name = TEXT("X-Sekimori-Class");
    enum { PARAMETERS_MOST = 8 };
    struct header header;
    struct parameter_list list;
    header_read(arena, message, &header);
    if (header_count_name(&header, name) != 1) return false;
    parameter_parse(arena, header_unfold(arena, header_find_name(&header, name)->value), TEXT_NONE,
                    PARAMETERS_MOST, &list);
    *out =
        (struct newsletter_wish){ parameter_word(&list, TEXT("name")), parameter_word(&list, TEXT("domain")),
                                  text_equal(parameter_word(&list, TEXT("tagged")), TEXT("yes")) };
    return text_equal_nocase(text_trim(list.value), TEXT("newsletter")) && out->name.length > 0 &&
           out->domain.length > 0;
}
