/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* From a node's configuration to its ledger. */
#include "cli/ledger_files.h"

#include <stdio.h>
#include <sysexits.h>

static int code_of(enum books_outcome outcome)
{
    static const int codes[] = {
        [BOOKS_DONE] = EX_OK,         [BOOKS_ROW] = EX_OK,         [BOOKS_LATER] = EX_UNAVAILABLE,
        [BOOKS_DAMAGED] = EX_DATAERR, [BOOKS_NEWER] = EX_PROTOCOL, [BOOKS_MISSING] = EX_NOINPUT
    };
    return codes[outcome];
}

struct reader_books *ledger_open(const struct control_target *target, const char *verb, int *out_code)
{
    char state[4096], folder[4096 + 8];
    struct reader_books *books;
    struct buffer why = { 0 };
    *out_code = control_state_folder(target, state, sizeof state);
    if (*out_code != EX_OK) return NULL;
    snprintf(folder, sizeof folder, "%s/ledger", state);
    enum books_outcome outcome = books_open(folder, &books, &why);
    if (outcome != BOOKS_DONE) fprintf(stderr, "sekimori %s: %.*s\n", verb, TEXT_ARG(buffer_text(&why)));
    *out_code = code_of(outcome);
    buffer_free(&why);
    return books;
}

int ledger_outcome(enum books_outcome outcome, const char *verb)
{
    if (outcome == BOOKS_DAMAGED)
        fprintf(stderr,
                "sekimori %s: the ledger database is damaged; the node sets it aside when it meets that\n",
                verb);
    else if (outcome != BOOKS_DONE)
        fprintf(stderr,
                "sekimori %s: the ledger cannot be read now, or it takes too long: ask for less time\n",
                verb);
    return code_of(outcome);
}
