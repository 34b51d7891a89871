/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* libc's calls by path and by descriptor, taken over for the virus library. A program that has this file
   linked in defines these names itself, so the dynamic linker binds the library's calls (and those of the
   libraries that it uses) to them. Between begin and end, in the thread that began, relative paths mean a
   file room, and so do the descriptors that come of them; absolute ones, other threads and other times go on
   to libc. What a room does not know is taken over too, and fails, and is told of: a library that comes to
   name its files in another way makes an error and never a "clean".
 */
#ifndef SEKIMORI_VIRUS_PATH_CALLS_H
#define SEKIMORI_VIRUS_PATH_CALLS_H

#include "virus/file_room.h"

/* The room is the caller's, and stays until the end. */
void path_calls_begin(struct file_room *room);

/* NULL: every call meant the room. Else the first one that did not, and failed with EACCES, with its path:
   good until the next begin. */
const char *path_calls_end(void);

#endif
