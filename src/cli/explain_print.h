/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What `sekimori explain` says of a message: for people in Japanese or English, as JSON, and as a page whose
   text is shaded. Texts of strangers are escaped everywhere. */
#ifndef SEKIMORI_CLI_EXPLAIN_PRINT_H
#define SEKIMORI_CLI_EXPLAIN_PRINT_H

#include "ipc/explanation.h"
#include "spam/passages.h"

/* All that is known; borrowed. */
struct explain_view {
    enum language language;
    const char *name; /* the message's id, or the file's name */
    bool is_kept;     /* the record was kept by a node; else the message was judged now, without one */
    const struct explanation *explanation;
    const struct ruleset *rules; /* NULL: what they are about is not known */
    const struct signal *abouts; /* of a message that was judged now, for names that have no words */
    uint32_t about_count;
    const struct passages *passages; /* NULL: the text was not looked at */
};

/* In one line, why the message fared as it did; appended. Pure. */
void explain_why(const struct explain_view *view, struct buffer *out);

/* On standard output. */
void explain_print_text(struct arena *arena, const struct explain_view *view);
void explain_print_json(struct arena *arena, const struct explain_view *view);

/* What a signal of the view means; empty: nobody knows. */
struct text explain_about(const struct explain_view *view, struct text name);
const char *explain_action_word(enum action action, enum language language); /* "隔離" */

#endif
