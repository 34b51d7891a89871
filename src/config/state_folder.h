/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The folders below the state folder that processes write in: made and given away by master/folders.c, looked
   at by machine.c. `run/` is no such folder: it is master's own. */
#ifndef SEKIMORI_CONFIG_STATE_FOLDER_H
#define SEKIMORI_CONFIG_STATE_FOLDER_H

#include "config/process_kind.h"

struct state_folder {
    const char *name;
    enum process_kind writer, reader; /* PROCESS_MASTER: nobody else reads */
};

enum { STATE_FOLDERS = 8 };

extern const struct state_folder state_folders[STATE_FOLDERS];

#endif
