/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The temporary files of one scan. A virus library makes a folder for each layer that it unpacks, and all of
   them go again within the scan: here folders, names and small files are memory (virus/room_file.h), and only
   large files are of the file system, under numbers in the current folder. */
#ifndef SEKIMORI_VIRUS_FILE_ROOM_H
#define SEKIMORI_VIRUS_FILE_ROOM_H

#include <dirent.h>
#include <stdbool.h>
#include <sys/stat.h>

struct file_room;
struct room_files;
struct file_room_walk; /* over the names of one folder */

/* A room is empty: paths are relative to it, "." is its own folder, and ".." is nowhere. */
struct file_room *file_room_new(void);
void file_room_free(struct file_room *room);

/* A scan begins in this process: what a process that it was forked from had open is not open here. */
void file_room_begin(struct file_room *room);

/* What is open; the room's. */
struct room_files *file_room_files(struct file_room *room);

/* The room's files and folders end; descriptors and walks that are open stay what they are. How many there
   were. */
unsigned file_room_clear(struct file_room *room);

/* True: since the last time it was asked here something could not be made for want of space, names, memory or
   descriptors, so that what the library said is worth nothing. */
bool file_room_was_short(struct file_room *room);

/* True: since the last time it was asked here some file was one of the file system. */
bool file_room_was_settled(struct file_room *room);

/* These do as open(2), mkdir, rmdir, unlink, stat and access do, with their errors: -1 and errno. A path that
   is absolute or goes up is EXDEV: it is none of the room's. Folders cannot be opened (EISDIR). Files are
   made for their owner alone. The descriptor is the caller's. */
int file_room_open(struct file_room *room, const char *path, int flags);
int file_room_make_folder(struct file_room *room, const char *path);
int file_room_remove_folder(struct file_room *room, const char *path);
int file_room_remove_file(struct file_room *room, const char *path);
/* Likewise; the second says only whether it is there. */
int file_room_stat(struct file_room *room, const char *path, struct stat *out);
int file_room_find(struct file_room *room, const char *path);

/* As opendir and the like do; the newest name comes first, as in a tmpfs, and "." and ".." never. What comes
   of `next` is good until the next call for that walk; NULL: no more. What is removed meanwhile does not
   come. */
struct file_room_walk *file_room_walk_open(struct file_room *room, const char *path);
const struct dirent *file_room_walk_next(struct file_room_walk *walk);
void file_room_walk_rewind(struct file_room_walk *walk);
void file_room_walk_close(struct file_room_walk *walk);

/* True: `walk` is an open walk of this room, and no pointer to anything else. */
bool file_room_walks(const struct file_room *room, const void *walk);

#endif
