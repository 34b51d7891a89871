/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The folders below the state folder that processes write in, and whose they are. */
#ifndef SEKIMORI_MASTER_FOLDERS_H
#define SEKIMORI_MASTER_FOLDERS_H

#include <stdbool.h>

#include "master/os_users.h"

/* Makes what is missing below `state`. When we are root, gives each folder, and all that is in it, to the
   user of the process that writes there, where it is another's: at the first start with users of their own,
   and at the first after they are gone. Before any process runs. False with errno, *out_name is the folder.
 */
bool folders_open(int state, const struct os_users *users, const char **out_name);

#endif
