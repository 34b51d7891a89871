/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* From a node's configuration to its ledger. */
#include "cli/ledger_files.h"

#include <errno.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

static int code_of(enum ledgerdb_outcome outcome)
{
    static const int codes[] = {
        [LEDGERDB_DONE] = EX_OK,         [LEDGERDB_ROW] = EX_OK,         [LEDGERDB_LATER] = EX_UNAVAILABLE,
        [LEDGERDB_DAMAGED] = EX_DATAERR, [LEDGERDB_NEWER] = EX_PROTOCOL, [LEDGERDB_MISSING] = EX_NOINPUT
    };
    return codes[outcome];
}

static bool is_closed(const char *folder)
{
    char path[4096 + 24];
    snprintf(path, sizeof path, "%s/ledger.db", folder);
    return access(path, R_OK) != 0 && errno == EACCES;
}

static struct ledgerdb_reader *database_open(const struct control_target *target, const char *verb,
                                             bool may_ask, int *out_code)
{
    char state[4096], folder[4096 + 8];
    struct ledgerdb_reader *ledgerdb;
    struct buffer why = { 0 };
    *out_code = control_state_folder(target, state, sizeof state);
    if (*out_code != EX_OK) return NULL;
    snprintf(folder, sizeof folder, "%s/ledger", state);
    if (may_ask && is_closed(folder)) {
        *out_code = EX_NOPERM;
        return NULL;
    }
    enum ledgerdb_outcome outcome = ledgerdb_open(folder, &ledgerdb, &why);
    if (outcome != LEDGERDB_DONE) fprintf(stderr, "sekimori %s: %.*s\n", verb, TEXT_ARG(buffer_text(&why)));
    *out_code = code_of(outcome);
    buffer_free(&why);
    return ledgerdb;
}

struct ledgerdb_reader *ledger_open(const struct control_target *target, const char *verb, int *out_code)
{
    return database_open(target, verb, false, out_code);
}

struct ledgerdb_reader *ledger_open_unless_closed(const struct control_target *target, const char *verb,
                                                  int *out_code)
{
    return database_open(target, verb, true, out_code);
}

int ledger_outcome(enum ledgerdb_outcome outcome, const char *verb)
{
    if (outcome == LEDGERDB_DAMAGED)
        fprintf(stderr,
                "sekimori %s: the ledger database is damaged; the node sets it aside when it meets that\n",
                verb);
    else if (outcome != LEDGERDB_DONE)
        fprintf(stderr,
                "sekimori %s: the ledger cannot be read now, or it takes too long: ask for less time\n",
                verb);
    return code_of(outcome);
}
