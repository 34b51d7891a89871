/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "spam/message_text.h"

#include "mail/charset.h"
#include "mail/encoded_word.h"

enum { RAW_SUBJECT_MOST = 20000 }; /* bytes of the field that are decoded */

void message_text_begin(struct message_text *text, struct arena *arena)
{
    *text = (struct message_text){ .markup.arena = arena };
}

struct message_text *message_text_new(struct arena *arena)
{
    struct message_text *text = arena_alloc(arena, sizeof *text);
    text->markup.arena = arena;
    return text;
}

/* --- parts --- */

/* Text that begins as a page of HTML does: some programs for junk send it as plain. */
static bool begins_as_html(struct text bytes)
{
    static const char *const starts[] = { "<html",  "<!doctype html", "<body", "<head",
                                          "<table", "<center",        "<font" };
    bytes = text_trim(text_slice(bytes, 0, 400));
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (text_starts_nocase(bytes, text_of(starts[i]))) return true;
    return false;
}

void message_text_found(struct message_text *text, struct text bytes)
{
    size_t length = buffer_length(&text->found);
    if (length >= MESSAGE_FOUND_MOST) return;
    charset_to_utf8(TEXT("utf-8"), text_slice(bytes, 0, MESSAGE_FOUND_MOST - length), &text->found, NULL);
    buffer_add_char(&text->found, '\n');
}

void message_text_found_link(struct message_text *text, struct text address)
{
    buffer_clear(&text->room);
    charset_to_utf8(TEXT("utf-8"), text_slice(address, 0, MARKUP_TARGET_MOST), &text->room, NULL);
    text->found_links += markup_link_add(&text->markup, MARKUP_LINK, buffer_text(&text->room));
}

/* A drawing is read as HTML: its text and links are among what is found in files, however it is sent. */
static void svg_read(struct message_text *text, struct text bytes)
{
    struct markup *drawing = arena_alloc(text->markup.arena, sizeof *drawing);
    drawing->arena = text->markup.arena;
    buffer_clear(&text->room);
    charset_to_utf8(TEXT("utf-8"), text_slice(bytes, 0, MESSAGE_TEXT_MOST), &text->room, NULL);
    markup_read(drawing, buffer_text(&text->room));
    message_text_found(text, buffer_text(&drawing->text));
    for (uint32_t i = 0; i < drawing->link_count; i++)
        message_text_found_link(text, drawing->links[i].target);
    markup_free(drawing);
}

struct text message_text_part(struct message_text *text, const struct mime_part *part, struct text bytes)
{
    bool is_html = text_equal(part->type, TEXT("text/html")),
         is_plain = text_equal(part->type, TEXT("text/plain"));
    if (text_equal(part->type, TEXT("image/svg+xml"))) svg_read(text, bytes);
    if ((!is_html && !is_plain) || text_equal(part->disposition, TEXT("attachment"))) return TEXT_NONE;
    if (is_plain && begins_as_html(bytes)) {
        is_html = text->html_as_plain = true;
        is_plain = false;
    }
    struct buffer *out = is_html ? &text->markup.text : &text->plain;
    struct buffer *utf8 = is_html ? &text->room : out;
    bool is_whole = bytes.length <= MESSAGE_TEXT_MOST;
    text->is_cut = text->is_cut || !is_whole || buffer_length(out) >= MESSAGE_TEXT_MOST;
    if (buffer_length(out) >= MESSAGE_TEXT_MOST) return TEXT_NONE;
    buffer_clear(&text->room);
    size_t before = buffer_length(utf8);
    charset_to_utf8(part->charset, text_slice(bytes, 0, MESSAGE_TEXT_MOST), utf8, NULL);
    size_t length = buffer_length(utf8) - before;
    if (is_html) markup_read(&text->markup, buffer_text(&text->room));
    buffer_add_char(out, '\n');
    text->html_parts += is_html;
    text->plain_parts += is_plain;
    return is_whole ? text_slice(buffer_text(utf8), before, before + length) : TEXT_NONE;
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
    text_fold(plain.length >= html.length ? plain : html, &text->folded, &text->counts);
    if (buffer_length(&text->found)) {
        buffer_add_char(&text->folded, ' ');
        text_fold(buffer_text(&text->found), &text->folded, &text->counts);
    }
    text->visible = buffer_text(&text->folded);
    if (!subject) return;
    text->is_subject_cut = text_trim(subject->value).length > RAW_SUBJECT_MOST;
    text->subject = word_decode_in(arena, text_slice(text_trim(subject->value), 0, RAW_SUBJECT_MOST),
                                   mime->declared, NULL);
    buffer_clear(&text->room);
    text_fold(text_slice(text->subject, 0, 2000), &text->room, &text->counts);
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
    buffer_free(&text->found);
    markup_free(&text->markup);
}
