/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The lines of a body as other stores keep them: with LF alone, and without the blanks that a relay may have
   added (RFC 2045 section 6.7, rule 3). A file that was sent as text is right in one of them. Pure. */
#ifndef SEKIMORI_MAIL_LINE_FORM_H
#define SEKIMORI_MAIL_LINE_FORM_H

#include "base/text.h"

enum line_form {
    LINE_FORM_TRIMMED = 1, /* no blanks before a line's end */
    LINE_FORM_FED = 2,     /* LF where CRLF stood */
    LINE_FORM_TIGHT = 3,   /* both */
    LINE_FORM_COUNT
};

/* Writes the lines in that form; `out` has room for in.length bytes. Returns how many were written. */
size_t line_form_write(struct text in, enum line_form form, char *out);

/* A CR stands in it that no LF follows. */
bool line_form_has_return(struct text in);

/* What a program reads that takes each such CR for the end of a line, or for nothing: `out` has room for
   twice in.length bytes. Returns how many were written. */
size_t line_form_write_returns(struct text in, bool is_end, char *out);

#endif
