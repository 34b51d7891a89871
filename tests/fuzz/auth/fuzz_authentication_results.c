/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Authentication-Results from foreign bytes: what is read and written again is read as the same. */
#include <stdlib.h>

#include "auth/authentication_results.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What can be a word of ours. */
static bool is_plain(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if (!char_is_alpha(text.at[i]) && text.at[i] != '-') return false;
    return text.length > 0;
}

static bool is_writable(const struct authentication_results *results)
{
    for (uint32_t i = 0; i < results->count; i++) {
        const struct auth_statement *statement = &results->statements[i];
        if (!is_plain(statement->method)) return false;
        for (uint32_t j = 0; j < statement->property_count; j++)
            if (!is_plain(statement->properties[j].type) || !is_plain(statement->properties[j].name))
                return false;
    }
    return true;
}

static void compare(const struct authentication_results *a, const struct authentication_results *b)
{
    if (!text_equal(a->authserv_id, b->authserv_id) || a->count != b->count) abort();
    for (uint32_t i = 0; i < a->count; i++) {
        const struct auth_statement *x = &a->statements[i], *y = &b->statements[i];
        if (!text_equal(x->method, y->method) || x->result != y->result || !text_equal(x->reason, y->reason))
            abort();
        if (x->property_count != y->property_count) abort();
        for (uint32_t j = 0; j < x->property_count; j++)
            if (!text_equal(x->properties[j].value, y->properties[j].value)) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct authentication_results results, back;
    struct buffer out = { 0 };
    struct arena *arena = arena_new(0);
    struct text value = text_from((const char *)data, size);
    authentication_results_is_of(value, TEXT("mx.example.jp"));
    if (authentication_results_read(arena, value, &results) && is_writable(&results)) {
        authentication_results_add(&out, TEXT("X"), &results);
        if (!authentication_results_read(arena, text_slice(buffer_text(&out), 2, SIZE_MAX), &back)) abort();
        compare(&results, &back);
        if (!authentication_results_is_of(text_slice(buffer_text(&out), 2, SIZE_MAX), results.authserv_id))
            abort();
    }
    buffer_free(&out);
    arena_free(arena);
    return 0;
}
