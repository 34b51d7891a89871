/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Tickets that users send by mail: report reads the mail, here the message is released, once. */
#ifndef SEKIMORI_LEDGER_QUARANTINE_REDEEM_H
#define SEKIMORI_LEDGER_QUARANTINE_REDEEM_H

#include "ledger/quarantine/curator.h"

struct redeem_desk;

/* Never NULL. All four are borrowed. To be freed before them. */
struct redeem_desk *redeem_desk_new(struct loop *loop, struct curator_desk *curators, struct custody *custody,
                                    struct harvest *harvest);
void redeem_desk_free(struct redeem_desk *desk);
/* Report is there, or there again. */
void redeem_desk_set_report(struct redeem_desk *desk, int fd);

#endif
