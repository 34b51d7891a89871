/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "lookup/list_trial.h"

#include <stdio.h>

#include "lookup/list_token.h"
#include "mail/digest.h"

static bool lists_names(const struct list_setting *list)
{
    return !(list_setting_about(list) >> LIST_ABOUT_CLIENT & 1);
}

/* The first of what it is asked about. */
static enum list_about first_about(const struct list_setting *list)
{
    enum list_about about = 0;
    while (about + 1 < LIST_ABOUTS && !(list_setting_about(list) >> about & 1)) about++;
    return about;
}

static void digest_by_chance(const struct list_setting *list, uint64_t chance, struct buffer *out)
{
    char room[40], digits[DIGEST_HEX_SIZE];
    enum list_about about = first_about(list);
    snprintf(room, sizeof room, "%016llx@invalid", (unsigned long long)chance);
    if (about == LIST_ABOUT_HASH)
        list_token_of_file(list, text_of(digest_sha256_hex(text_of(room), digits)), out);
    else
        list_token(list, about, text_of(room), out);
}

struct text list_trial_listed(const struct list_setting *list)
{
    const struct list_preset *preset = list_preset_find(list->name);
    if (preset) return text_of(preset->listed);
    if (list_setting_is_hashed(list)) return TEXT_NONE;
    return lists_names(list) ? TEXT("test") : TEXT("2.0.0.127");
}

void list_trial_unlisted(const struct list_setting *list, uint64_t chance, struct buffer *out)
{
    const struct list_preset *preset = list_preset_find(list->name);
    if (list_setting_is_hashed(list))
        digest_by_chance(list, chance, out);
    else if (preset)
        buffer_add_text(out, text_of(preset->unlisted));
    else
        buffer_add_text(out, lists_names(list) ? TEXT("invalid") : TEXT("1.0.0.127"));
}

void list_trial_by_chance(const struct list_setting *list, uint64_t chance, struct buffer *out)
{
    unsigned low = (unsigned)(chance % 250), high = (unsigned)(chance / 250 % 250);
    if (list_setting_is_hashed(list))
        digest_by_chance(list, chance, out);
    else if (lists_names(list))
        buffer_printf(out, "c%08llx.invalid", (unsigned long long)(chance & UINT32_MAX));
    else
        buffer_printf(out, "1.%u.%u.127", low + 1, high + 1);
}
