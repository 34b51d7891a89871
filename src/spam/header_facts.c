/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "spam/header_facts.h"

#include <stdlib.h>

#include "base/date.h"

static void fact(struct features *features, const char *name, bool is_so)
{
    if (is_so) features_note_fact(features, name, TEXT_NONE);
}

static struct text value_of(const struct header *header, enum header_id id)
{
    const struct header_field *field = header_find(header, id);
    return field ? text_trim(field->value) : TEXT_NONE;
}

/* --- Message-ID --- */

enum { ID_CLOCK_AT = 5, ID_CLOCK_DIGITS = 8, ID_FORM_LENGTH = 31 };

/* "<000501c1a2b3$4c5d6e7f$…@": as Outlook and Outlook Express make it. */
static bool is_outlook_form(struct text id)
{
    static const char form[] = "<xxxxxxxxxxxx$xxxxxxxx$xxxxxxxx@";
    if (id.length < ID_FORM_LENGTH) return false;
    for (size_t i = 0; i < ID_FORM_LENGTH; i++)
        if (form[i] == 'x' ? char_hex_value(id.at[i]) < 0 : id.at[i] != form[i]) return false;
    return true;
}

/* Its digits 5 to 12 are the upper half of the clock, in 100 ns since 1601: 429.5 seconds each. */
static int64_t outlook_seconds(struct text id)
{
    uint32_t clock = 0;
    for (size_t i = ID_CLOCK_AT; i < ID_CLOCK_AT + ID_CLOCK_DIGITS; i++)
        clock = clock << 4 | (uint32_t)char_hex_value(id.at[i]);
    return (int64_t)((uint64_t)clock * 429496730 / 1000000) - INT64_C(11644473600);
}

static void id_look(struct features *features, const struct header_look *look)
{
    enum { APART_MOST = 30 * 3600 };
    struct text id = value_of(look->header, HEADER_MESSAGE_ID);
    struct text date = value_of(look->header, HEADER_DATE);
    int64_t seconds = 0;
    bool has_date = date_read(date, &seconds), is_outlook = is_outlook_form(id);
    struct text provider = text_slice(look->own, 0, text_find_char(look->own, '.'));
    fact(features, "date-odd", date.length > 0 && !has_date);
    fact(features, "id-outlook", is_outlook);
    fact(features, "id-clock",
         is_outlook && (!has_date || llabs(outlook_seconds(id) - seconds) > APART_MOST));
    fact(features, "id-odd", id.length > 0 && (id.at[0] != '<' || text_find_char(id, '@') == id.length));
    fact(features, "id-of-another",
         look->is_free_mail && id.length > 0 && text_find_nocase(id, provider) == id.length);
}

/* --- Subject --- */

/* Blanks, then a word or number at the end that makes each copy another. */
static void subject_look(struct features *features, struct text subject)
{
    enum { GAP_LEAST = 5, TAIL_MOST = 16 };
    size_t tail = subject.length, gap;
    while (tail > 0 && subject.at[tail - 1] > ' ') tail--;
    for (gap = tail; gap > 0 && (subject.at[gap - 1] == ' ' || subject.at[gap - 1] == '\t');) gap--;
    fact(features, "subject-gap", gap > 0 && tail - gap >= GAP_LEAST && subject.length - tail <= TAIL_MOST);
}

void header_facts_add(struct features *features, const struct header_look *look)
{
    id_look(features, look);
    subject_look(features, look->subject);
}
