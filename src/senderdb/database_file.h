/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The file of LMDB: made, looked through, set aside where it is damaged. Called by senderdb.c. */
#ifndef SEKIMORI_SENDERDB_DATABASE_FILE_H
#define SEKIMORI_SENDERDB_DATABASE_FILE_H

#include <lmdb.h>

#include "senderdb/senderdb.h"

struct database_file {
    MDB_env *env;
    MDB_dbi entries; /* 16 bytes of a key: u32 the hour after which it is forgotten, then the value */
    MDB_dbi order;   /* that hour, big-endian, and the key: nothing */
};

enum { DATABASE_HOUR_BYTES = 4, DATABASE_ORDER_BYTES = DATABASE_HOUR_BYTES + SENDERDB_KEY_BYTES };

/* As senderdb_open. False: errno says why. */
bool database_file_open(int folder_fd, uint64_t limit_bytes, struct database_file *out,
                        enum senderdb_found *out_found);
void database_file_close(struct database_file *file);
/* Makes what is open a file that the next start finds damaged: a jail opens no other one. A signal that ends
   the process between busy(true) and busy(false) does so, too: else each next process would end likewise. */
void database_file_spoil(void);
void database_file_busy(bool is_busy);

/* errno for an error of LMDB. */
int database_file_errno(int error);

#endif
