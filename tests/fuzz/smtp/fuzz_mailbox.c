/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Any text is a mailbox or an outcome with a reason. A good one is put together from its halves, keeps the
   limits, and what is good when strict is good when lenient. */
#include <stdlib.h>

#include "mail/mailbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct mailbox *mailbox)
{
    size_t local = mailbox->local.length, domain = mailbox->domain.length;
    if (mailbox->is_null) return;
    if (mailbox->address.length > 254 || local == 0 || local > 64 || domain > 255) abort();
    if (mailbox->local.at != mailbox->address.at) abort();
    if (domain > 0 && mailbox->domain.at != mailbox->address.at + local + 1) abort();
    for (size_t i = 0; i < mailbox->address.length; i++)
        if ((uint8_t)mailbox->address.at[i] < 32 || mailbox->address.at[i] == 127) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text text = text_from((const char *)data, size);
    enum mailbox_outcome (*const parsers[])(struct text, bool, struct mailbox *) = { mailbox_parse,
                                                                                     mailbox_parse_path };
    for (int i = 0; i < 2; i++) {
        struct mailbox strict, lenient;
        enum mailbox_outcome one = parsers[i](text, true, &strict), two = parsers[i](text, false, &lenient);
        if (one == MAILBOX_GOOD && two != MAILBOX_GOOD) abort();
        if (two == MAILBOX_GOOD) check(&lenient);
        if (!mailbox_reason(two) || !mailbox_status(two, i == 0)) abort();
    }
    return 0;
}
