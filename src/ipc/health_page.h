/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* run/health: one mapped page with the newest report, written by master about every second without a system
   call, read by `sekimori health` without asking anybody: the answer takes no longer when master hangs. */
#ifndef SEKIMORI_IPC_HEALTH_PAGE_H
#define SEKIMORI_IPC_HEALTH_PAGE_H

#include "ipc/health.h"

struct health_page;

enum { HEALTH_PAGE_BYTES = 8192, HEALTH_PAGE_STALE_MS = 3000 };

/* `fd`: a file of HEALTH_PAGE_BYTES, opened for what is to be done. NULL with errno. The descriptor may be
   closed then. */
struct health_page *health_page_map(int fd, bool writable);
void health_page_unmap(struct health_page *page);
/* As if nothing had ever been written. */
void health_page_clear(struct health_page *page);

/* From the process that is watched: its id and the time go along. */
void health_page_write(struct health_page *page, const struct health_report *report);

enum health_word {
    HEALTH_WORD_FRESH,
    HEALTH_WORD_GONE,  /* the process that wrote it has ended */
    HEALTH_WORD_STALE, /* it lives and has said nothing for HEALTH_PAGE_STALE_MS */
    HEALTH_WORD_NONE   /* never written since the machine was started */
};

/* A whole report or none, whatever the writer does meanwhile. `*out_age_ms` is set unless NONE. */
enum health_word health_page_read(const struct health_page *page, struct health_report *out,
                                  uint64_t *out_age_ms);

/* For a process that ends with the writer, in a jail: a whole report that is fresh, or false. */
bool health_page_peek(const struct health_page *page, struct health_report *out);

/* A descriptor that becomes readable when the writer ends, for poll; -1: it has ended, or there is none. */
int health_page_writer(const struct health_page *page);

#endif
