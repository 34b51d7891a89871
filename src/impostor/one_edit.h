/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#ifndef SEKIMORI_IMPOSTOR_ONE_EDIT_H
#define SEKIMORI_IMPOSTOR_ONE_EDIT_H

#include "base/text.h"

/* One becomes the other by a letter put in, left out or replaced, or by two neighbours changed over. Not
   where both letters are digits: school1 and school2 are two schools, not one and its impostor. Equal texts
   are none. */
bool one_edit_is(struct text a, struct text b);

#endif
