/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The private temporary folder of a scan worker: a tmpfs that is mounted nowhere, so that nobody else can
   reach it and it ends with the worker. */
#ifndef SEKIMORI_VIRUS_TEMP_FILES_H
#define SEKIMORI_VIRUS_TEMP_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Once, before workers are forked and before any jail: a process that may not mount gets a user namespace of
   its own in which it may. False with the reason in `why`. */
bool temporary_prepare(char *why, size_t size);

/* Makes a tmpfs of at most that many bytes and goes there. Returns the descriptor of its root, which is now
   the current folder, or -1 with the reason in `why`. */
int temporary_enter(uint64_t most_bytes, char *why, size_t size);

/* Bytes in use; 0 when nothing was left behind. UINT64_MAX when it cannot be told. */
uint64_t temporary_used(int root);

#endif
