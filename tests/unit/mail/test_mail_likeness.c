/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Copies of one mail are alike, other mails are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/likeness.h"

#define HEAD "From: a@b.example\r\nDate: Wed, 25 Nov 2026 01:00:00 +0000\r\nMessage-ID: <1@b.example>\r\n"

static const struct {
    const char *message;
    bool is_alike;
} rows[] = {
    { HEAD "Subject: buy\r\n\r\nBuy now.\r\nNow.\r\n", true },
    { "Received: from x by y\r\nDelivered-To: me\r\n" HEAD "Subject: [SPAM] buy\r\n\r\nBuy now.\r\nNow.\r\n",
      true },
    { "From: a@b.example\nDate: Wed, 25 Nov 2026\n 01:00:00 +0000\nMessage-ID: <1@b.example>\n\nBuy "
      "now.\nNow.",
      true },
    { HEAD "\r\nBuy now.\r\nNow.\r\n\r\n\r\n", true },
    { HEAD "\r\nBuy now.\r\nNow!\r\n", false },
    { HEAD "\r\nBuy now.\r\n\r\nNow.\r\n", false },
    { "From: a@b.example\r\nDate: Wed, 25 Nov 2026 01:00:00 +0000\r\n\r\nBuy now.\r\nNow.\r\n", false },
    { "From: other@b.example\r\nDate: Wed, 25 Nov 2026 01:00:00 +0000\r\nMessage-ID: "
      "<1@b.example>\r\n\r\nBuy now.\r\nNow.\r\n",
      false },
    { "", false },
};

static void alike(void **state)
{
    char first[DIGEST_HEX_SIZE], other[DIGEST_HEX_SIZE];
    likeness_hex(text_of(rows[0].message), first);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if ((strcmp(likeness_hex(text_of(rows[i].message), other), first) == 0) != rows[i].is_alike)
            fail_msg("row %zu", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(alike) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
