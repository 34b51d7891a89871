/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* ISO-2022-JP and EUC-JP, as met in mail, rewritten as CP932 bytes by arithmetic: one table then serves all
   three, vendor characters included. Called by charset.c. */
#ifndef SEKIMORI_MAIL_JAPANESE_H
#define SEKIMORI_MAIL_JAPANESE_H

#include "base/buffer.h"

/* Appends. ISO-2022-JP with JIS X 0201 kana (ESC ( I, SO/SI or 8-bit) and JIS X 0208 in all its designations;
   a line end returns to ASCII. False when bytes belong to none of these (they become "?"). */
bool japanese_from_jis(struct text bytes, struct buffer *out);

/* Appends. False when the bytes are not EUC-JP, or use JIS X 0212, which CP932 lacks. */
bool japanese_from_euc(struct text bytes, struct buffer *out);

/* Bytes of a run of two-byte characters that begins here with its escape and ends before the next one; 0:
   none begins, or none is closed. */
size_t japanese_jis_run(struct text at);

/* CP932 without a vendor's characters and without those that others map elsewhere (a wave dash, a minus): JIS
   X 0208, and half-width kana where `has_kana`. */
bool japanese_is_standard(struct text cp932, bool has_kana);

/* Has an escape sequence that designates a Japanese set. */
bool japanese_is_jis(struct text bytes);

#endif
