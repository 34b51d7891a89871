/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Signals of a child that is no process of ours any more, or is about to become another program. */
#ifndef SEKIMORI_BASE_SIGNALS_H
#define SEKIMORI_BASE_SIGNALS_H

/* None is handled, ignored or blocked. */
void signals_default(void);

#endif
