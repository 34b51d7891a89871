/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The command line's side of the control socket. */
#include "cli/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/codec.h"
#include "config/load.h"
#include "ipc/ask_master.h"

static int state_from_config(const char *path, char *room, size_t size)
{
    if (config_find_state(path, room, size)) return EX_OK;
    if (access(path, R_OK) != 0)
        fprintf(stderr, "sekimori: %s: %s\n", path, strerror(errno));
    else
        fprintf(stderr, "sekimori: %s does not say where the node's state is; --state FOLDER does\n", path);
    return EX_CONFIG;
}

int control_state_folder(const struct control_target *target, char *room, size_t size)
{
    const char *state = target->state ? target->state : getenv("SEKIMORI_STATE");
    if (!state || target->config)
        return state_from_config(target->config ? target->config : config_default_path(), room, size);
    snprintf(room, size, "%s", state);
    return EX_OK;
}

/* Through a descriptor of the folder: a socket's path is limited to 107 bytes, a state folder's is not. */
static int control_connect(const char *state)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/run", state);
    int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return -1;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/control", folder);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    bool connected = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    int error = errno;
    close(folder);
    if (connected) return fd;
    if (fd >= 0) close(fd);
    errno = error;
    return -1;
}

static int done(struct frame *frame, struct buffer *out)
{
    struct reader reader = reader_of(frame->payload);
    int code = get_u8(&reader);
    buffer_add_text(out, get_text(&reader));
    return reader.failed ? EX_PROTOCOL : code;
}

int control_begin(const struct control_target *target, struct text command, int *out_fd)
{
    char state[4096];
    int code = control_state_folder(target, state, sizeof state);
    *out_fd = -1;
    if (code != EX_OK) return code;
    int fd = control_connect(state);
    if (fd < 0 && errno == EACCES) {
        fprintf(stderr, "sekimori: %s belongs to somebody else: only who started the node may ask it\n",
                state);
        return EX_NOPERM;
    }
    if (fd < 0) {
        fprintf(stderr, "sekimori: no sekimorid is running on %s (%s)\n", state, strerror(errno));
        return EX_UNAVAILABLE;
    }
    struct buffer payload = { 0 };
    put_text(&payload, command);
    channel_send_now(fd, MASTER_DO, 0, buffer_text(&payload), NULL, 0); /* who is gone is noticed below */
    buffer_free(&payload);
    *out_fd = fd;
    return EX_OK;
}

int control_end(int fd, int timeout_ms, void (*on_more)(void *context, struct text part), void *context,
                struct buffer *out)
{
    struct frame frame = { 0 };
    int code = -1;
    bool alive = true;
    while (code < 0 && (alive = channel_wait(fd, timeout_ms, &frame))) {
        struct reader reader = reader_of(frame.payload);
        if (frame.type == MASTER_DONE)
            code = done(&frame, out);
        else if (frame.type == MASTER_MORE && on_more)
            on_more(context, get_text(&reader));
        else if (frame.type == MASTER_MORE)
            buffer_add_text(out, get_text(&reader));
    }
    close(fd);
    if (code >= 0) return code;
    if (!alive) buffer_add_text(out, TEXT("the node or a process of it went away before it answered"));
    return EX_TEMPFAIL;
}

int control_ask(const struct control_target *target, struct text command, int timeout_ms,
                void (*on_more)(void *context, struct text part), void *context, struct buffer *out)
{
    int fd, code = control_begin(target, command, &fd);
    return code == EX_OK ? control_end(fd, timeout_ms, on_more, context, out) : code;
}

void control_lines_take(struct buffer *rest, struct text part,
                        void (*on_line)(void *context, struct text line), void *context)
{
    buffer_add_text(rest, part);
    for (;;) {
        struct text bytes = buffer_text(rest);
        size_t end = text_find_char(bytes, '\n');
        if (end == bytes.length) return;
        on_line(context, text_slice(bytes, 0, end));
        buffer_consume(rest, end + 1);
    }
}

struct line_split {
    void (*on_line)(void *context, struct text line);
    void *context;
    struct buffer rest;
};

static void lines_take(void *context, struct text part)
{
    struct line_split *lines = context;
    control_lines_take(&lines->rest, part, lines->on_line, lines->context);
}

int control_ask_lines(const struct control_target *target, struct text command, int timeout_ms,
                      void (*on_line)(void *context, struct text line), void *context, struct buffer *out)
{
    struct line_split lines = { on_line, context, { 0 } };
    int code = control_ask(target, command, timeout_ms, lines_take, &lines, out);
    buffer_free(&lines.rest);
    return code;
}

bool control_is_running(const struct control_target *target)
{
    char state[4096];
    if (control_state_folder(target, state, sizeof state) != EX_OK) return false;
    int fd = control_connect(state);
    if (fd < 0) return false;
    close(fd);
    return true;
}
