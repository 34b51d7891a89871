/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Files written whole: all bytes or an error, under another name until they are on disk, and their folders.
 */
#ifndef SEKIMORI_BASE_FILE_H
#define SEKIMORI_BASE_FILE_H

#include <sys/types.h>

#include "base/buffer.h"
#include "base/text.h"

/* Writes all of `bytes` where the descriptor stands, over interruptions and short writes. False with errno
   (ENOSPC where the kernel takes nothing); how much is written then is not told. */
bool file_write_all(int fd, struct text bytes);

/* The same at `offset` bytes from the start; the descriptor's place stays. */
bool file_write_at(int fd, struct text bytes, uint64_t offset);

/* Makes what was renamed, made and removed in a folder hold over a power loss. `path` is below `folder`, or
   anywhere for AT_FDCWD; "." is `folder` itself. False with errno. */
bool file_sync_folder(int folder, const char *path);

/* The path of an open file or folder, as /proc has it, NUL-ended. False with errno: it has none, or none that
   is shorter than `size`. */
bool file_path_of(int fd, char *out_path, size_t size);

/* An empty file under the name `made` in `folder`, which is to get its right name by file_finish; what a
   crash left there is written over. Returns a descriptor for writing that the caller owns, or -1 with errno.
 */
int file_begin(int folder, const char *made, mode_t mode);

/* Syncs and closes `fd`, which may be -1, and gives the file its right name, in place of the file that has
   it. Where the caller says that its content is not good, or anything fails here, the file is removed:
   false, with the first errno. The folder is not synced. */
bool file_finish(int fd, bool is_good, int folder, const char *made, const char *name);

/* The same of a file that the caller has synced. */
bool file_close_as(int fd, bool is_good, int folder, const char *made, const char *name);

/* Appends the content of a file of the folder, `most` bytes or a little more of it. False: errno; what could
   be read of it is there. */
bool file_read_at(int folder, const char *name, size_t most, struct buffer *out);

/* file_begin under "NAME.new", the whole content, file_finish, and the folder synced: after true the file
   holds over a power loss; after false, with errno, the older file may still be the one. */
bool file_replace(int folder, const char *name, struct text content, mode_t mode);

#endif
