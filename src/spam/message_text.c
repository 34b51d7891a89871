/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "spam/message_text.h"

#include "mail/charset.h"
#include "mail/encoded_word.h"

enum { RAW_SUBJECT_MOST = 20000 }; /* bytes of the field that are decoded */

void message_text_begin(struct message_text *text, struct arena *arena)
{
    *text = (struct message_text){ .markup.arena = arena };
}

/* --- folding --- */

/* A character of three bytes: one of no width (0), of full width (its ASCII), else -1. */
static int fold_of_three(const uint8_t *at)
{
    unsigned point = (at[0] & 0xFu) << 12 | (at[1] & 0x3Fu) << 6 | (at[2] & 0x3Fu);
    if ((point >= 0x200B && point <= 0x200F) || point == 0x2060 || point == 0xFEFF) return 0;
    if (point >= 0xFF01 && point <= 0xFF5E) return (int)(point - 0xFEE0);
    if (point == 0x3000) return ' ';
    return -1;
}

void message_text_fold(struct text text, struct buffer *out, uint32_t *gaps, uint32_t *wide_forms)
{
    uint32_t no_width = 0, wide = 0;
    const uint8_t *at = (const uint8_t *)text.at;
    char *to = buffer_reserve(out, text.length), last = ' ';
    size_t length = 0;
    for (size_t i = 0; i < text.length; i++) {
        char c = char_lower((char)at[i]);
        size_t left = text.length - i;
        int folded = -1;
        if (at[i] >= 0xE2 && left > 2 && (at[i] == 0xE2 || at[i] == 0xE3 || at[i] == 0xEF))
            folded = fold_of_three(at + i);
        bool is_soft_hyphen = at[i] == 0xC2 && left > 1 && at[i + 1] == 0xAD;
        bool is_hard_blank = at[i] == 0xC2 && left > 1 && at[i + 1] == 0xA0;
        if (folded >= 0 || is_soft_hyphen || is_hard_blank) {
            no_width += folded == 0 || is_soft_hyphen;
            wide += folded > ' ';
            c = folded > 0 ? char_lower((char)folded) : ' ';
            i += folded >= 0 ? 2 : 1;
        }
        if (c == '\n' || c == '\t' || c == '\r') c = ' ';
        if (c == ' ' && last == ' ') continue;
        last = to[length++] = c;
    }
    buffer_commit(out, length);
    if (gaps) *gaps += no_width;
    if (wide_forms) *wide_forms += wide;
}

/* --- parts --- */

void message_text_part(struct message_text *text, const struct mime_part *part, struct text bytes)
{
    bool is_html = text_equal(part->type, TEXT("text/html")),
         is_plain = text_equal(part->type, TEXT("text/plain"));
    if ((!is_html && !is_plain) || text_equal(part->disposition, TEXT("attachment"))) return;
    struct buffer *out = is_html ? &text->markup.text : &text->plain;
    if (buffer_length(out) >= MESSAGE_TEXT_MOST) return;
    buffer_clear(&text->room);
    charset_to_utf8(part->charset, text_slice(bytes, 0, MESSAGE_TEXT_MOST), is_html ? &text->room : out,
                    NULL);
    if (is_html) markup_read(&text->markup, buffer_text(&text->room));
    buffer_add_char(out, '\n');
    text->html_parts += is_html;
    text->plain_parts += is_plain;
}

static uint32_t longest_line_of(struct text all)
{
    uint32_t longest = 0;
    struct text line;
    while (text_next_line(&all, &line))
        if (line.length > longest) longest = (uint32_t)line.length;
    return longest;
}

void message_text_finish(struct message_text *text, const struct mime *mime)
{
    struct arena *arena = text->markup.arena;
    const struct header_field *subject = header_find(mime->parts[0].header, HEADER_SUBJECT);
    struct text plain = buffer_text(&text->plain), html = buffer_text(&text->markup.text);
    text->longest_line = longest_line_of(plain);
    message_text_fold(plain.length >= html.length ? plain : html, &text->folded, &text->gaps,
                      &text->wide_forms);
    text->visible = buffer_text(&text->folded);
    if (!subject) return;
    text->subject = word_decode_in(arena, text_slice(text_trim(subject->value), 0, RAW_SUBJECT_MOST),
                                   mime->declared, NULL);
    buffer_clear(&text->room);
    message_text_fold(text_slice(text->subject, 0, 2000), &text->room, &text->gaps, NULL);
    text->subject_folded = arena_text(arena, buffer_text(&text->room));
}

void message_text_read(struct message_text *text, struct arena *arena, const struct mime *mime)
{
    struct buffer room = { 0 };
    message_text_begin(text, arena);
    for (size_t i = 0; i < mime->count; i++)
        if (mime->parts[i].kind == MIME_LEAF)
            message_text_part(text, &mime->parts[i], mime_decode(&mime->parts[i], &room, NULL));
    message_text_finish(text, mime);
    buffer_free(&room);
}

void message_text_free(struct message_text *text)
{
    buffer_free(&text->plain);
    buffer_free(&text->room);
    buffer_free(&text->folded);
    markup_free(&text->markup);
}
