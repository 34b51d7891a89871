/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Text, links and first pages of a PDF, by poppler-glib, from memory. */
#ifndef SEKIMORI_OPEN_PDF_READER_H
#define SEKIMORI_OPEN_PDF_READER_H

#include "base/text.h"
#include "open/bitmap.h"

/* Texts are borrowed for the call, the bitmap becomes the callee's. False: no more is wanted. */
struct pdf_events {
    bool (*on_text)(void *context, struct text text); /* UTF-8: of a page */
    bool (*on_link)(void *context, struct text address);
    bool (*on_page)(void *context, struct bitmap *page);
};

enum pdf_outcome { PDF_READ, PDF_ENCRYPTED, PDF_DAMAGED };

enum { PDF_PAGES_MOST = 50, PDF_PICTURES_MOST = 2 };

/* Opens a document and keeps it for good, so that poppler has its lists of files before the jail closes and
   never looks into folders again. */
void pdf_reader_warm_up(void);

/* PDF_PAGES_MOST pages, PDF_PICTURES_MOST of them as pictures. PDF_ENCRYPTED: it wants a password that is not
   empty. */
enum pdf_outcome pdf_reader_read(struct text bytes, const struct pdf_events *events, void *context);

#endif
