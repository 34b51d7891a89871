/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What queue asks of report: to do what mail to the node's own addresses wants (config/own_address.h). Queue
   offers what is held as HOLD_REPORT in the form of ask_ledger.h, report answers when it is done and would
   not be done twice; until then it is offered again, whoever dies. On the same channel report gives its
   letters, in the frames of ask_queue.h. */
#ifndef SEKIMORI_IPC_ASK_REPORT_H
#define SEKIMORI_IPC_ASK_REPORT_H

#include "ipc/ask_ledger.h"

enum report_frame {
    REPORT_MAIL = 48, /* queue: struct held_offer; frame id = message id; fd 0: the segment, for reading */
    REPORT_DONE,      /* report: same id; u32 count, count * u32 recipient number, text what became of it */
    REPORT_NOT_DONE,  /* report: same id; u8 enum held_refusal, text why: it stays where it is */
};

#endif
