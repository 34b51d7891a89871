/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "impostor/one_edit.h"

static size_t same_in_front(struct text a, struct text b)
{
    size_t i = 0;
    while (i < a.length && i < b.length && a.at[i] == b.at[i]) i++;
    return i;
}

static bool is_same_from(struct text a, size_t from_a, struct text b, size_t from_b)
{
    return text_equal(text_slice(a, from_a, a.length), text_slice(b, from_b, b.length));
}

bool one_edit_is(struct text a, struct text b)
{
    if (a.length < b.length) return one_edit_is(b, a);
    size_t i = same_in_front(a, b);
    if (i == a.length || a.length > b.length + 1) return false;
    if (a.length == b.length + 1) return !char_is_digit(a.at[i]) && is_same_from(a, i + 1, b, i);
    if (char_is_digit(a.at[i]) && char_is_digit(b.at[i])) return false;
    if (is_same_from(a, i + 1, b, i + 1)) return true;
    bool is_swapped = i + 1 < a.length && a.at[i] == b.at[i + 1] && a.at[i + 1] == b.at[i];
    return is_swapped && is_same_from(a, i + 2, b, i + 2);
}
