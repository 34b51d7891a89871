/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Talks to a running sekimorid over STATE/run/control. */
#ifndef SEKIMORI_CLI_CONTROL_H
#define SEKIMORI_CLI_CONTROL_H

#include "base/buffer.h"

/* Which node: --config FILE, --state FOLDER; both may be NULL. The state folder is --state, else
   $SEKIMORI_STATE, else what the configuration says. */
struct control_target {
    const char *config, *state;
};

/* The text of options that every such command has, for its --help. */
#define CONTROL_OPTIONS_HELP                                        \
    "  --config FILE   configuration that names the state folder\n" \
    "  --state FOLDER  the state folder itself\n"

/* Room for the path of the state folder. Says on stderr what is wrong and returns a sysexits code, or 0. */
int control_state_folder(const struct control_target *target, char *room, size_t size);

/* Sends one command. Parts of a long answer (MASTER_MORE) go to on_more as they come, the last text into
   `out`. Returns the command's exit code; said on stderr: 69 (EX_UNAVAILABLE) when no node answers within
   timeout_ms between two parts, 77 (EX_NOPERM) when this user may not ask. on_more may be NULL: the parts are
   then gathered in `out` too. */
int control_ask(const struct control_target *target, struct text command, int timeout_ms,
                void (*on_more)(void *context, struct text part), void *context, struct buffer *out);

/* The halves of control_ask, for commands that go on talking in between (MASTER_LESSON). The descriptor is
   the caller's until control_end, which closes it. */
int control_begin(const struct control_target *target, struct text command, int *out_fd);
int control_end(int fd, int timeout_ms, void (*on_more)(void *context, struct text part), void *context,
                struct buffer *out);

/* control_ask for an answer that is lines: each goes to on_line without its end. */
int control_ask_lines(const struct control_target *target, struct text command, int timeout_ms,
                      void (*on_line)(void *context, struct text line), void *context, struct buffer *out);

/* For an on_more whose answer is lines: `rest` keeps what has no end yet; each whole line goes to on_line
   without its end. */
void control_lines_take(struct buffer *rest, struct text part,
                        void (*on_line)(void *context, struct text line), void *context);

/* True when a node answers on this state folder. Silent. */
bool control_is_running(const struct control_target *target);

#endif
