/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Spellings of one word made alike: NFKC_Casefold (Unicode, UAX 44) by ICU, wave dashes and minus signs as
   ASCII, Greek and Cyrillic letters in a Latin word as those they look like. */
#ifndef SEKIMORI_SPAM_TEXT_FOLD_H
#define SEKIMORI_SPAM_TEXT_FOLD_H

#include "base/buffer.h"

struct fold_counts {
    uint32_t gaps;        /* characters of no width; they are left out */
    uint32_t wide_forms;  /* Latin letters and digits written in full width */
    uint32_t look_alikes; /* letters of another script, or of mathematics, that stand for Latin ones; marks of
                             another script on Latin letters */
};

/* Appends `text` folded; runs of blanks and line ends become one blank, those in front none. Bytes that are
   no UTF-8 stay as they are. `counts` are added to; NULL: nobody wants them. At most 11 times as long. */
void text_fold(struct text text, struct buffer *out, struct fold_counts *counts);

#endif
