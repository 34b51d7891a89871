/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The stages that know no structure: they find in the bytes what some program may take for a file or a mail.
 */
#ifndef SEKIMORI_MAIL_READING_CARVED_H
#define SEKIMORI_MAIL_READING_CARVED_H

#include "mail/reading_list.h"

/* Each function hands out the next reading of its stage. False: there is none, or first comes what lies
   inside (list->inner is set) and the stage goes on behind it. */
bool reading_carved_bodies(struct reading_list *list, struct reading *out);
bool reading_carved_paragraphs(struct reading_list *list, struct reading *out);
bool reading_carved_runs(struct reading_list *list, struct reading *out);
bool reading_carved_blocks(struct reading_list *list, struct reading *out);

/* The same, for the yEnc blocks joined, lines of uuencode, BinHex, and the whole as quoted-printable. */
bool reading_carved_joined(struct reading_list *list, struct reading *out);
bool reading_carved_uu_lines(struct reading_list *list, struct reading *out);
bool reading_carved_binhex(struct reading_list *list, struct reading *out);
bool reading_carved_quoted(struct reading_list *list, struct reading *out);

/* These hand out nothing: they begin the next list inside; where none begins, there is none. */
void reading_carved_words(struct reading_list *list);
void reading_carved_returns(struct reading_list *list);

#endif
