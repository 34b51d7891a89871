/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The answers to the five questions of `sekimori setup`: what each may be, and what is wrong with one that it
   may not be. Pure. */
#ifndef SEKIMORI_CLI_SETUP_ANSWERS_H
#define SEKIMORI_CLI_SETUP_ANSWERS_H

#include "base/arena.h"
#include "base/buffer.h"
#include "config/settings.h"

/* In the order in which they are asked: the language first, since it is the language of the others. */
enum setup_question {
    SETUP_LANGUAGE,
    SETUP_HOSTNAME,
    SETUP_DOMAINS,
    SETUP_INSIDE,
    SETUP_ADMIN,
    SETUP_QUESTIONS
};

enum { SETUP_DOMAINS_MOST = 100, SETUP_ANSWER_MOST = 4096 };

/* Texts live in the arena. */
struct setup_answers {
    struct arena *arena;
    enum language language;
    struct text hostname, inside, admin;
    struct text domains[SETUP_DOMAINS_MOST]; /* lower case, each once */
    size_t domain_count;
    bool has[SETUP_QUESTIONS];
};

/* The option that answers it: "hostname". */
const char *setup_question_option(enum setup_question question);

/* Stores an answer; several domains stand between blanks or commas and are added to those that are there.
   False: nothing is stored, and what is wrong is appended to `complaint`, in the language of the answers. */
bool setup_answer_take(struct setup_answers *answers, enum setup_question question, struct text word,
                       struct buffer *complaint);

/* What is offered when nothing is typed: of the domains the host name without its first label, of the
   administrator postmaster at the first domain. Empty: nothing can be offered. In the arena. `hostname` is
   the machine's own full name, or empty. */
struct text setup_answer_offer(const struct setup_answers *answers, enum setup_question question,
                               struct text hostname);

#endif
