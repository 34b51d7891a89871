/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The files of a folder as one text, so that a setting can name the folder as others name a file. */
#ifndef SEKIMORI_CONFIG_FOLDER_CONTENT_H
#define SEKIMORI_CONFIG_FOLDER_CONTENT_H

#include "base/arena.h"

enum { FOLDER_FILES_MOST = 200, FOLDER_BYTES_MOST = 4 << 20 };

/* Reads the files whose names have that ending, none that begins with a point, in the order of names. NULL,
   with the text in the arena; else the reason. A folder that is not there is empty. */
const char *folder_content_read(const char *folder, struct text ending, struct arena *arena,
                                struct text *out);

/* Cuts the next file off *rest; false: there is none, or the text is none of folder_content_read. */
bool folder_content_next(struct text *rest, struct text *out_path, struct text *out_content);

/* The text without the file of that path, in the arena. */
struct text folder_content_without(struct text content, struct text path, struct arena *arena);

#endif
