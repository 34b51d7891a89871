/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Remembers what was changed in the configuration, over reloads and restarts: report/configuration has the
   last one, report/changes a line a change. */
#ifndef SEKIMORI_REPORT_DAILY_CHANGES_H
#define SEKIMORI_REPORT_DAILY_CHANGES_H

#include "base/arena.h"
#include "base/buffer.h"
#include "config/settings.h"

/* Compares with the configuration kept in the folder, notes what is different with the time, and keeps this
   one. The first one ever, or one that another version kept in another form, is only replaced. Files that
   cannot be written are logged and left. */
void changes_note(int folder, const struct config *config, uint64_t now_ms);

/* Calls back for each change in [from_ms, until_ms): "+" or "-", and the statement. */
void changes_list(int folder, uint64_t from_ms, uint64_t until_ms,
                  void (*each)(void *context, uint64_t time_ms, struct text change), void *context);

#endif
