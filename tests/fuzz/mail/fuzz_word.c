/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Header values: decoding always gives UTF-8, and a Subject with a tag always shows it first. */
#include <stdlib.h>

#include "mail/charset.h"
#include "mail/encoded_word.h"
#include "mail/subject_tag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) abort();
}

static void check_tag(struct arena *arena, struct text value, struct text tag)
{
    struct buffer edited = { 0 }, shown = { 0 };
    size_t cut;
    struct text insert;
    if (!subject_prefix(arena, value, tag, &cut, &insert)) return;
    must(cut <= value.length);
    buffer_add_text(&edited, insert);
    buffer_add_text(&edited, text_slice(value, cut, value.length));
    word_decode(buffer_text(&edited), TEXT_NONE, &shown, NULL);
    must(text_starts(buffer_text(&shown), text_trim(tag)));
    buffer_free(&edited);
    buffer_free(&shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(0);
    struct buffer out = { 0 };
    struct finding_set findings = { 0 };
    char *copy = malloc(size ? size : 1);
    memcpy(copy, data ? data : (const uint8_t *)"", size);
    struct text value = text_from(copy, size);
    word_decode(value, TEXT_NONE, &out, &findings);
    must(charset_is_utf8(buffer_text(&out)));
    check_tag(arena, value, TEXT("[SPAM] "));
    buffer_clear(&out);
    size_t name = text_find_char(value, '\n');
    charset_to_utf8(text_slice(value, 0, name), text_slice(value, name + 1, size), &out, &findings);
    must(charset_is_utf8(buffer_text(&out)));
    buffer_free(&out);
    arena_free(arena);
    free(copy);
    return 0;
}
