/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Names of people, made alike however they are written: family or given name first, capitals, full width,
   initials and titles. Pure. */
#ifndef SEKIMORI_IMPOSTOR_PERSON_NAME_H
#define SEKIMORI_IMPOSTOR_PERSON_NAME_H

#include "base/buffer.h"

enum { PERSON_NAME_MOST = 400, PERSON_KEY_MOST = 512 };

/* Which of a name's words: those in kana, kanji or hangul, or all others. */
enum person_script { PERSON_LATIN, PERSON_WIDE };

/* Appends the first PERSON_NAME_MOST bytes of a name in UTF-8, folded. */
void person_name_fold(struct text name, struct buffer *out);

/* Cuts the next part off a folded name: what stands between brackets, slashes and bars is a name of its own.
   False: there is none. */
bool person_name_part(struct text *rest, struct text *out_part);

/* What a folded part is found by, into `room`; returns its bytes. Of Latin words: two at least, sorted,
   without initials and titles. Of wide ones: three characters at least, in their order or turned, together,
   without titles behind them. 0: that is no name which says who somebody is. */
size_t person_name_key(struct text part, enum person_script script, bool is_turned,
                       char room[PERSON_KEY_MOST]);

/* The ways in which a name may be written: what is to be found by any of them has an entry for each. */
enum { PERSON_WAYS = 3 };
/* As person_name_key; `way` is below PERSON_WAYS. */
size_t person_name_key_in(struct text part, int way, char room[PERSON_KEY_MOST]);

#endif
