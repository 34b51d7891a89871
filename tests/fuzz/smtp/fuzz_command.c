/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Any line is a command or an error with a code; what is good holds no control and keeps its limits. */
#include <stdlib.h>

#include "base/utf8.h"
#include "mail/orcpt.h"
#include "smtp/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct arena *arena, const struct smtp_command *command)
{
    struct text address = command->mailbox.address, ascii = orcpt_to_ascii(arena, command->orcpt);
    if (address.length + command->envid.length + command->orcpt.length > COMMAND_LINE_MOST) abort();
    if (utf8_is_valid(command->orcpt) && !text_is_ascii(ascii)) abort();
    for (size_t i = 0; i < address.length; i++)
        if ((uint8_t)address.at[i] < 32 || address.at[i] == 127) abort();
    if ((command->notify & NOTIFY_NEVER) && command->notify != NOTIFY_NEVER) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(0);
    struct smtp_command command;
    struct text line = text_from((const char *)data, size), again;
    for (int strict = 0; strict < 2; strict++) {
        struct smtp_error error = smtp_command_parse(arena, line, strict != 0, &command);
        if (error.code == 0)
            check(arena, &command);
        else if (error.code < 500 || error.code > 559 || !error.text || !error.enhanced)
            abort();
    }
    struct buffer encoded = { 0 };
    xtext_encode(line, &encoded); /* what is encoded decodes to itself */
    if (!xtext_decode(arena, buffer_text(&encoded), &again) || !text_equal(again, line)) abort();
    buffer_free(&encoded);
    arena_free(arena);
    return 0;
}
