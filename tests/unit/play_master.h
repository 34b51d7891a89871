/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Plays master for one real process in a test: starts it, hands over what it needs, stops it. Anything that
   goes wrong ends the test program. */
#ifndef SEKIMORI_TESTS_PLAY_MASTER_H
#define SEKIMORI_TESTS_PLAY_MASTER_H

#include <sys/types.h>

#include "ipc/ask_master.h"
#include "ipc/channel.h"

struct played {
    pid_t pid;
    int control;
};

_Noreturn void play_fail(const char *what);

/* Starts PROGRAM KIND 0 and gives it the configuration of `config`, a file. */
void play_start(struct played *played, const char *program, enum process_kind kind, const char *config);
void play_give_peer(struct played *played, enum process_kind kind, int fd);
void play_give_map(struct played *played, const char *name, uint16_t slot, int fd);
void play_give_secret(struct played *played, const char *name); /* a map of CHILD_SECRET_BYTES zeros */
void play_give_folder(struct played *played, const char *name, int fd);
void play_wait_ready(struct played *played); /* all has been given */
void play_reload(struct played *played, const char *config);
void play_give_client(struct played *played, const char *command, int fd);
void play_status_print(struct played *played); /* "status name=value …" */
int play_stop(struct played *played);          /* the exit code */

#endif
