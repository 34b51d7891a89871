/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Pictures that are drawn with the cells of an HTML table, each of a background of its own. */
#ifndef SEKIMORI_OPEN_TABLE_DRAWING_H
#define SEKIMORI_OPEN_TABLE_DRAWING_H

#include "base/text.h"
#include "open/bitmap.h"

enum {
    TABLE_LINES_LEAST = 10,
    TABLE_LINES_MOST = 200,
    TABLE_CELLS_MOST = 65536, /* of all tables that are open at once */
    TABLE_DEPTH_MOST = 16,
    TABLES_MOST = 4
};

/* Each table of at least TABLE_LINES_LEAST lines that has light and dark cells; one in another for itself.
   The bitmap is borrowed for the call. False from `on_drawing`: no more is wanted. At most TABLES_MOST.
   Colours are those of `bgcolor` and of `background` in `style`; rowspan and style sheets are not followed.
 */
void table_drawing_find(struct text html, bool (*on_drawing)(void *context, const struct bitmap *bitmap),
                        void *context);

/* How light a colour is, 0 to 255: "#fff", "#ffffff", "ffffff", "rgb(…)", some names; anything else is white.
 */
uint8_t table_drawing_grey(struct text colour);

#endif
