/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A jailed process that judges messages, one after another, as a scan worker does, without engine, DNS and
   node. The command gives it bytes and gets verdicts; it never looks into the bytes itself. */
#ifndef SEKIMORI_CLI_JUDGE_CHILD_H
#define SEKIMORI_CLI_JUDGE_CHILD_H

#include "cli/jailed_reader.h"
#include "config/settings.h"
#include "impostor/impostor_set.h"
#include "judge/evidence.h"
#include "rules/ruleset.h"
#include "spam/passages.h"

enum { JUDGE_MAIL_MOST = 64 << 20 }; /* bytes of a message; a longer one is not judged */

/* What messages are judged with. Borrowed for the child's life. */
struct entry_patterns;
struct judge_basis {
    struct config *config;                /* modes as judge_basis_narrow sets them */
    const struct base_model *base;        /* NULL: none */
    const struct ruleset *rules;          /* NULL: none */
    const struct local_model *local;      /* NULL: none */
    struct text told_by;                  /* whose Authentication-Results are believed; empty: nobody's */
    const struct impostor_set *impostors; /* of that configuration; NULL: nobody looks for them */
    struct entry_patterns *patterns;      /* room for those of that configuration */
};

/* Of a configuration what holds without a node: spam is judged for everybody, viruses and senders are not. */
void judge_basis_narrow(struct config *config);

struct judgement {
    double score, tag; /* from `tag` points it is tagged: a newsletter has its own line; INFINITY: never */
    enum action action;
    bool is_mail;      /* a field of RFC 5322 stands in its header */
    bool is_by_class;  /* that action is `newsletter action`, whatever the points */
    struct text class; /* "mail", "newsletter" or "list" */
    uint32_t signal_count;
    struct signal *signals;
};

/* False with errno. `basis` is borrowed for the call. */
bool judge_child_start(const struct judge_basis *basis, struct jailed_reader *out);

/* Line ends may be LF. `with_passages`: judge_child_passages follows the answer. False: the child is gone. */
bool judge_child_ask(const struct jailed_reader *child, struct text message, bool with_passages);
/* The answer to the oldest question. Texts live in the arena. False: the child is gone, or took more than a
   minute, or what it says makes no sense. */
bool judge_child_answer(const struct jailed_reader *child, struct arena *arena, struct judgement *out);
/* Likewise. */
bool judge_child_passages(const struct jailed_reader *child, struct arena *arena, struct passages *out);

#endif
