/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One question to all lists that are asked about such a thing, files and zones alike. */
#ifndef SEKIMORI_LOOKUP_LIST_INQUIRY_H
#define SEKIMORI_LOOKUP_LIST_INQUIRY_H

#include <sys/queue.h>

#include "judge/list_answer.h"
#include "lookup/dns_lists.h"
#include "lookup/local_lists.h"

/* What answers. Borrowed as long as any inquiry. */
struct list_sources {
    struct loop *loop;
    const struct config *config;
    struct local_lists *local;
    struct dns_lists *dns;
};

struct list_inquiry;

/* `subject` is that of QUESTION_LIST and borrowed for the call; `is_trial`: every list that can have such a
   value is asked, whatever it is asked about otherwise. `answered` is called once, perhaps inside this call
   (NULL is returned then), with what is known within `deadline_ms` (0: dns.timeout); the answer is borrowed
   for the call. */
struct list_inquiry *list_inquiry_begin(const struct list_sources *sources, struct text subject,
                                        bool is_trial, uint32_t deadline_ms,
                                        void (*answered)(void *context, const struct list_answer *answer),
                                        void *context);

/* Who asked is gone: no answer. */
void list_inquiry_leave(struct list_inquiry *inquiry);

#endif
