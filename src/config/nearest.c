/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Damerau-Levenshtein distance in its restricted form, over three rows. */
#include "config/nearest.h"

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t nearest_distance(struct text a, struct text b)
{
    size_t rows[3][NEAREST_WORD_MOST + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    if (a.length > NEAREST_WORD_MOST || b.length > NEAREST_WORD_MOST) return SIZE_MAX;
    for (size_t j = 0; j <= b.length; j++) last[j] = j;
    for (size_t i = 1; i <= a.length; i++) {
        now[0] = i;
        for (size_t j = 1; j <= b.length; j++) {
            char x = char_lower(a.at[i - 1]), y = char_lower(b.at[j - 1]);
            now[j] = least(last[j - 1] + (x != y), least(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && x == char_lower(b.at[j - 2]) && y == char_lower(a.at[i - 2]))
                now[j] = least(now[j], before[j - 2] + 1);
        }
        size_t *spare = before;
        before = last, last = now, now = spare;
    }
    return last[b.length];
}

void nearest_offer(struct text wrong, struct text candidate, struct text *best, size_t *distance)
{
    size_t steps = nearest_distance(wrong, candidate);
    size_t near = candidate.length < 3 ? 1 : (candidate.length + 2) / 3;
    if (text_equal(wrong, candidate) || steps > near || steps >= candidate.length || steps >= *distance)
        return;
    *best = candidate;
    *distance = steps;
}

const char *nearest_of(struct text wrong, const char *const *names)
{
    struct text best = TEXT_NONE;
    size_t distance = SIZE_MAX;
    const char *begun = NULL;
    for (const char *const *name = names; *name; name++) {
        nearest_offer(wrong, text_of(*name), &best, &distance);
        if (wrong.length > 1 && text_starts_nocase(text_of(*name), wrong)) begun = *name;
    }
    return best.length > 0 ? best.at : begun;
}
