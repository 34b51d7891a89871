/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The folder `lists`: of each list by HTTPS the file that was taken last, NAME.names, and beside it what is
   known of it, NAME.names.about. Only a copy: what is lost or damaged is fetched again. */
#ifndef SEKIMORI_CONSULT_LIST_STORE_H
#define SEKIMORI_CONSULT_LIST_STORE_H

#include "base/buffer.h"
#include "config/web_address.h"
#include "consult/list_reply.h"

struct list_record {
    char url[WEB_ADDRESS_MOST + 1]; /* that it was fetched for */
    struct list_validators validators;
    uint64_t fetched_ms; /* since 1970, when it was known to be the newest; 0: never */
    uint64_t came_ms;    /* since 1970, when its bytes came: tells one file from the next */
    uint64_t bytes;
};

/* `name` is config/list_setting.h's kept name. False: there is no whole record. */
bool list_store_read(int folder, const char *name, struct list_record *out);
/* The file, to be read, where it is as long as the record says; the caller's. Else -1. */
int list_store_open(int folder, const char *name, const struct list_record *record);

/* Puts a copy of the file `fd` in place of the one before, and the record. False with errno: the older file
   or none is there, and the record does not fit it. */
bool list_store_write(int folder, const char *name, int fd, const struct list_record *record);
/* The record alone. */
bool list_store_note(int folder, const char *name, const struct list_record *record);

/* Removes what is of no list: is_kept says of a name without ".about". */
void list_store_sweep(int folder, bool (*is_kept)(void *context, struct text name), void *context);

/* The record as text, six lines, appended; and back. False: it is none. */
void list_record_print(const struct list_record *record, struct buffer *out);
bool list_record_parse(struct text text, struct list_record *out);

#endif
