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
    if (local == 0 || domain > 253 * 4) abort();
    if (mailbox->local.at != mailbox->address.at) abort();
    if (domain > 0 && mailbox->domain.at != mailbox->address.at + local + 1) abort();
    for (size_t i = 0; i < mailbox->address.length; i++)
        if ((uint8_t)mailbox->address.at[i] < 32 || mailbox->address.at[i] == 127) abort();
}

/* What is compared is a mailbox itself, and the same when it is made again. */
static void check_canonical(const struct mailbox *mailbox)
{
    struct arena *arena = arena_new(0);
    struct mailbox again;
    struct text once = mailbox_canonical(arena, mailbox), ascii;
    bool has_domain = mailbox->domain.length > 0 && !mailbox->is_null;
    if (has_domain && mailbox_parse(once, false, &again) != MAILBOX_GOOD) abort();
    if (has_domain && !text_equal(mailbox_canonical(arena, &again), once)) abort();
    if (has_domain && mailbox_is_postmaster(mailbox) != mailbox_is_postmaster(&again)) abort();
    if (mailbox_plain_local(arena, mailbox).length > mailbox->local.length) abort();
    if (mailbox_to_ascii(arena, mailbox->address, &ascii) && !text_is_ascii(ascii)) abort();
    arena_free(arena);
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
        if (two == MAILBOX_GOOD) check_canonical(&lenient);
        if (!mailbox_reason(two) || !mailbox_status(two, i == 0)) abort();
    }
    return 0;
}
