/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What monitors are told of engines outside, in consult's page of the counters file. Called by main.c. */
#ifndef SEKIMORI_CONSULT_ENGINE_MEASURES_H
#define SEKIMORI_CONSULT_ENGINE_MEASURES_H

#include "consult/engine_client.h"
#include "ipc/measures.h"

/* Adds what was counted since the call before, under the engine's name: counts hold over a restart of this
   process and a reload. `clients` are all that are configured; the place of one that is no more is given to a
   new one when there is no other. */
void engine_measures_write(struct consult_measures *page, struct engine_client *const *clients, size_t count);

#endif
