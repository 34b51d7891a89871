/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "lookup/command_reply.h"

#include <unistd.h>

#include "base/codec.h"
#include "ipc/ask_master.h"

void command_reply(int fd, int code, struct text says)
{
    struct buffer answer = { 0 };
    put_u8(&answer, (uint8_t)code);
    put_text(&answer, says);
    channel_send_now(fd, MASTER_DONE, 0, buffer_text(&answer), NULL, 0);
    close(fd);
    buffer_free(&answer);
}
