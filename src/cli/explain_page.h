/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* `sekimori explain --html`: one file that needs nothing else. The message is shown as text alone: none of
   its markup, pictures or links is carried over, and the page may load nothing. */
#ifndef SEKIMORI_CLI_EXPLAIN_PAGE_H
#define SEKIMORI_CLI_EXPLAIN_PAGE_H

#include "cli/explain_print.h"

/* Appends the page. `passages` of the view are there. */
void explain_page_write(const struct explain_view *view, struct buffer *out);

#endif
