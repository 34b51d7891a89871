/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Writes messages into a Maildir: tmp, then renamed into new. */
#ifndef SEKIMORI_CLI_TESTTOOLS_SINK_STORE_H
#define SEKIMORI_CLI_TESTTOOLS_SINK_STORE_H

#include "base/text.h"

enum { SINK_NAME_SIZE = 64 };

struct sink_store {
    int folder; /* -1: none */
    bool sync;  /* fdatasync each file and fsync the folder before it counts as kept */
    unsigned long made;
};

/* Makes the folder with tmp, new and cur where they are missing. False with errno. */
bool sink_store_open(struct sink_store *store, const char *path, bool sync);

/* Writes one file of both texts; its name below new/ goes to `name`. False with errno: nothing is left. */
bool sink_store_keep(struct sink_store *store, struct text header, struct text content,
                     char name[SINK_NAME_SIZE]);

#endif
