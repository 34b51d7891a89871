/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What of a message's content lists are asked about, and what their answers weigh. Called by read.c and
   decide.c; asking is lookup's. */
#ifndef SEKIMORI_SCAN_LIST_QUESTIONS_H
#define SEKIMORI_SCAN_LIST_QUESTIONS_H

#include "auth/from_domains.h"
#include "judge/evidence.h"
#include "mail/header.h"
#include "spam/score.h"
#include "virus/part_list.h"

/* Different domains of From, hosts of links and files that are asked about. */
enum { LIST_FROMS_MOST = 3, LIST_LINKS_MOST = 20, LIST_HASHES_MOST = 12, LIST_LINK_HASHES_MOST = 10 };

/* Links have to be collected for lists. */
bool list_questions_want_links(const struct config *config);

/* What a message has beside its header. */
struct list_content {
    const struct from_domains *from;   /* as all of its From fields have it */
    struct text link_hosts, link_urls; /* a line each */
    const struct part_list *parts;     /* its files; NULL: not looked at */
};
/* Raises the questions of the content of mail from outside. */
void list_questions_raise(struct arena *arena, const struct config *config, const struct header *header,
                          const struct list_content *content, struct facts *out);

/* What lists ask for beside points. */
struct list_demand {
    enum action action;
    struct text says; /* of the list that asks for it; ASCII, in the arena */
};

/* Adds a signal LIST_NAME for each list that has something of the message, whatever it has of it once, by the
   points of its worst answer; and says what they ask for. */
void list_answers_weigh(const struct config *config, const struct question *answers, uint32_t count,
                        struct score *score, struct list_demand *out);

#endif
