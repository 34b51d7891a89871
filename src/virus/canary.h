/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The canary: the EICAR test file in a zip in a mail, made in memory. An engine that does not see it any more
   sees nothing. Needs what real scans need: unpacking, temporary files, descriptors. */
#ifndef SEKIMORI_VIRUS_CANARY_H
#define SEKIMORI_VIRUS_CANARY_H

#include "virus/engine.h"

/* Appends the EICAR test file's 68 bytes, which stand nowhere in one piece; or the mail around its zip. */
void canary_write_file(struct buffer *out);
void canary_write_message(struct buffer *out);

/* Appends a zip with one stored entry of that name and content. */
void canary_zip(struct buffer *out, struct text content, struct text name);

/* The engine finds it. False with the reason in `why`. */
bool canary_is_caught(struct engine *engine, char *why, size_t size);

#endif
