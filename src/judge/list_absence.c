/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "judge/list_absence.h"

static const struct text all_end = { "all are tried anew", 18 };
static const struct text ends = { "is in force", 11 };
static const struct text begins = { "is aside: ", 10 };

void list_absence_put(enum list_absence_act act, struct text name, struct text why, struct buffer *out)
{
    if (act == LIST_ABSENCE_ALL_END)
        buffer_add_text(out, all_end);
    else if (act == LIST_ABSENCE_ENDS)
        buffer_printf(out, "%.*s %.*s", TEXT_ARG(name), TEXT_ARG(ends));
    else
        buffer_printf(out, "%.*s %.*s%.*s", TEXT_ARG(name), TEXT_ARG(begins), TEXT_ARG(why));
}

bool list_absence_get(struct text about, enum list_absence_act *out_act, struct text *out_name,
                      struct text *out_why)
{
    size_t blank = text_find_char(about, ' ');
    struct text rest = text_slice(about, blank + 1, about.length);
    *out_name = text_slice(about, 0, blank);
    *out_why = TEXT_NONE;
    if (text_equal(about, all_end)) {
        *out_act = LIST_ABSENCE_ALL_END;
        *out_name = TEXT_NONE;
        return true;
    }
    *out_act = text_starts(rest, begins) ? LIST_ABSENCE_BEGINS : LIST_ABSENCE_ENDS;
    if (*out_act == LIST_ABSENCE_BEGINS) *out_why = text_slice(rest, begins.length, rest.length);
    return out_name->length > 0 && (*out_act == LIST_ABSENCE_BEGINS || text_equal(rest, ends));
}
