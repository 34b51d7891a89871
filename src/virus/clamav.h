/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The engine that is built in: libclamav. */
#ifndef SEKIMORI_VIRUS_CLAMAV_H
#define SEKIMORI_VIRUS_CLAMAV_H

#include "virus/engine.h"

/* Loads the own folder of signatures (config virus.own_database, unless virus.embedded is off) and, unless it
   is EMBEDDED_ONLY, virus.fetched; while that has no signatures the engine says what it lacks. Takes seconds
   and hundreds of megabytes with a full database; to be done once, before workers are forked. NULL with the
   reason in `error` when one of them cannot be loaded or there is not a single signature. Temporary files go
   to the current folder. virus.also is loaded beside; where it cannot be, the engine is without it and says
   in `refused` why. `temporary_bytes` is the room there: no limit of a scan is larger. */
struct engine *clamav_open(const struct config *config, uint64_t temporary_bytes, char *error, size_t size);

/* Loads the signature files of a folder one by one, and all of them together. `say` is called for each that
   cannot be taken, or of which a rule cannot, with the library's words. False: scan would not load this
   folder, or there is nothing in it. As dear as clamav_open, and no message is ever scanned. */
bool clamav_try(const char *folder, void (*say)(void *context, const char *file, const char *what),
                void *context);

#endif
