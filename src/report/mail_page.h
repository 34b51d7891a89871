/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The frame of an HTML mail or report: one column, as wide as there is room. Every mail program gets light
   colours by inline styles; one that knows media queries gets dark ones, and narrow tables, by the classes of
   the style sheet here:

   faint     secondary text          bad, good  what is wrong, what is well
   card      a box of its own        button     a link to press
   line      has a border            wide       a table whose rows become boxes on a narrow screen
   none      a cell with nothing in it, left out of such boxes
   label     the name of a cell, for such boxes; hidden elsewhere

   Nothing is fetched from anywhere. */
#ifndef SEKIMORI_REPORT_MAIL_PAGE_H
#define SEKIMORI_REPORT_MAIL_PAGE_H

#include "base/buffer.h"
#include "config/settings.h"

#define MAIL_PAGE_FAINT "class=\"faint\" style=\"color:#5c6673;"

/* Up to where the content begins; `title` is escaped here. */
void mail_page_open(enum language language, struct text title, struct buffer *out);
void mail_page_close(struct buffer *out);

#endif
