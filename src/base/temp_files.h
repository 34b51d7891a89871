/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The private temporary folder of a scan worker: a tmpfs that is mounted nowhere, so that nobody else can
   reach it and it ends with the worker. And those of engine's commands, mounted where engine alone sees them.
 */
#ifndef SEKIMORI_BASE_TEMP_FILES_H
#define SEKIMORI_BASE_TEMP_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Once, before others are forked and before any jail: a process that may not mount gets a user namespace of
   its own in which it may. False with the reason in `why`. */
bool temporary_prepare(char *why, size_t size);

/* Makes a tmpfs of at most that many bytes and goes there. Returns the descriptor of its root, which is now
   the current folder, or -1 with the reason in `why`. */
int temporary_enter(uint64_t most_bytes, char *why, size_t size);

/* Once, instead of temporary_prepare: this process gets a user namespace, mounts and a network (none) of its
   own, in which a small tmpfs covers the folder `place`. False with the reason in `why`. */
bool temporary_separate(const char *place, char *why, size_t size);

/* Makes a tmpfs of at most that many bytes, files and folders, at a new folder `path` below that place, where
   it stays as long as these mounts. False with the reason in `why`. */
bool temporary_mount(const char *path, uint64_t most_bytes, uint64_t most_files, char *why, size_t size);

/* Bytes in use; 0 when nothing was left behind. UINT64_MAX when it cannot be told. */
uint64_t temporary_used(int root);

#endif
