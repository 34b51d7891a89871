/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The table. */
#include "config/state_folder.h"

const struct state_folder state_folders[STATE_FOLDERS] = {
    { "spool", PROCESS_QUEUE, PROCESS_MASTER },       { "ledger", PROCESS_LEDGER, PROCESS_REPORT },
    { "quarantine", PROCESS_LEDGER, PROCESS_MASTER }, { "report", PROCESS_REPORT, PROCESS_MASTER },
    { "learn", PROCESS_REPORT, PROCESS_MASTER },      { "signatures", PROCESS_HELPER, PROCESS_SCAN },
    { "senders", PROCESS_LOOKUP, PROCESS_MASTER },    { "lists", PROCESS_CONSULT, PROCESS_MASTER },
};
