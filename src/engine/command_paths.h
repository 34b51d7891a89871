/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which files commands may open: programs and libraries of the system, what tells them its names and its
   time, the command's own folder, and what the statement says. No file of the node, and nothing to write. */
#ifndef SEKIMORI_ENGINE_COMMAND_PATHS_H
#define SEKIMORI_ENGINE_COMMAND_PATHS_H

#include "base/arena.h"
#include "base/sandbox.h"
#include "config/settings.h"

/* Of one engine, which is a command; NULL: of all of them, for the process that starts them. Lists and
   strings live in the arena. */
struct jail_paths command_paths(const struct config *config, const struct outside_engine *engine,
                                struct arena *arena);

#endif
