/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The folder of a command for what it writes: empty when the command begins. */
#ifndef SEKIMORI_ENGINE_SCRATCH_H
#define SEKIMORI_ENGINE_SCRATCH_H

#include <stdbool.h>

/* Removes all that is in the folder, however deep, and whatever modes it was given. Nobody else may work in
   it. False with errno: something is left. */
bool scratch_clear(int folder);

#endif
