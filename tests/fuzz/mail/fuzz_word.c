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

static void check_tag(struct arena *arena, struct text value, struct text declared, struct text tag)
{
    struct buffer edited = { 0 }, shown = { 0 };
    struct subject subject = { value, declared, 8 };
    size_t cut;
    struct text insert;
    if (!subject_prefix(arena, &subject, tag, &cut, &insert)) return;
    must(cut <= value.length);
    buffer_add_text(&edited, insert);
    buffer_add_text(&edited, text_slice(value, cut, value.length));
    word_decode(buffer_text(&edited), declared, &shown, NULL);
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
    word_decode(value, TEXT("shift_jis"), &out, &findings);
    must(charset_is_utf8(buffer_text(&out)));
    static const struct text declared[] = {
        { "", 0 }, { "shift_jis", 9 }, { "euc-jp", 6 }, { "iso-8859-1", 10 }
    };
    struct text one = declared[size ? (uint8_t)copy[size - 1] % 4 : 0];
    check_tag(arena, value, one, TEXT("[SPAM] "));
    check_tag(arena, value, one, TEXT("[迷惑メール] "));
    check_tag(arena, value, one, TEXT("【外部】"));
    buffer_clear(&out);
    size_t name = text_find_char(value, '\n');
    charset_to_utf8(text_slice(value, 0, name), text_slice(value, name + 1, size), &out, &findings);
    must(charset_is_utf8(buffer_text(&out)));
    buffer_free(&out);
    arena_free(arena);
    free(copy);
    return 0;
}
