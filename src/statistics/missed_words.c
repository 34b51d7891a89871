/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "statistics/missed_words.h"

void missed_words_put(struct sheet *sheet, size_t column, struct text kind)
{
    static const char *const words[] = { N_("spam"), N_("phishing"), N_("virus"), N_("newsletter"),
                                         N_("ham") };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!text_equal(kind, text_of(words[i]))) continue;
        sheet_put_word(sheet, column, words[i]);
        return;
    }
    sheet_put_text(sheet, column, kind);
}
