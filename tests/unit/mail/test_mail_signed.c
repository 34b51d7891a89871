/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The content of S/MIME signed data. A row is DER or BER, and what is in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "mail/signed.h"

#define SIGNED "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
#define DATA "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
#define ENVELOPED "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03"
#define LEAD "\x02\x01\x01\x31\x00" /* version 1, no digest algorithm */
#define OPEN_LEAD "\x02\x01\x01\x31\x80\x30\x80\x05\x00\x00\x00\x00\x00"
#define END "\x00\x00"
#define ROW(bytes, outcome, content)                  \
    {                                                 \
        { bytes, sizeof bytes - 1 }, outcome, content \
    }

static void contents(void **state)
{
    static const struct {
        struct text cms;
        enum signed_outcome outcome;
        const char *content;
    } rows[] = {
        ROW("\x30\x27" SIGNED "\xa0\x1a\x30\x18" LEAD "\x30\x11" DATA "\xa0\x04\x04\x02Hi", SIGNED_CONTENT,
            "Hi"),
        ROW("\x30\x82\x00\x2a" SIGNED "\xa0\x81\x1c\x30\x1a" LEAD "\x30\x11" DATA
            "\xa0\x04\x04\x02Hi\x31\x00",
            SIGNED_CONTENT, "Hi"),
        ROW("\x30\x80" SIGNED "\xa0\x80\x30\x80" OPEN_LEAD "\x30\x80" DATA
            "\xa0\x80\x24\x80\x04\x01H\x24\x04\x04\x02i,\x04\x02 y" END END END "\x31\x00" END END END,
            SIGNED_CONTENT, "Hi, y"),
        ROW("\x30\x80" SIGNED "\xa0\x80\x30\x80" LEAD "\x30\x80" DATA
            "\xa0\x80\x24\x06\x04\x01H\x04\x01i\x31\x00",
            SIGNED_CONTENT, "Hi"),
        ROW("\x30\x80" SIGNED "\xa0\x80\x30\x80" LEAD "\x30\x80" DATA "\xa0\x80\x04\x7fHi", SIGNED_CONTENT,
            "Hi"),
        ROW("\x30\x80" SIGNED "\xa0\x80\x30\x80" LEAD "\x30\x0b" DATA "\x31\x00", SIGNED_NONE, ""),
        ROW("\x30\x80" SIGNED "\xa0\x80\x30\x80" LEAD "\x30\x80" DATA END "\x31\x00", SIGNED_NONE, ""),
        ROW("\x30\x80" ENVELOPED "\xa0\x80\x30\x80", SIGNED_NONE, ""),
        ROW("Content-Type: text/plain", SIGNED_NONE, ""),
        ROW("", SIGNED_NONE, ""),
        ROW("\x30\x80" SIGNED "\x04\x02Hi", SIGNED_BROKEN, ""),
        ROW("\x30\x80" SIGNED "\xa0\x80\x30\x80\x02\x01", SIGNED_BROKEN, ""),
        ROW("\x30\x80" SIGNED "\xa0\x80\x30\x80" LEAD "\x30\x80" DATA "\xa0\x80\x0c\x02Hi", SIGNED_BROKEN,
            ""),
        ROW("\x30\x80" SIGNED "\xa0\x80\x30\x80" LEAD "\x30\x80" DATA "\xa0\x89\x01", SIGNED_BROKEN, ""),
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = { 0 };
        enum signed_outcome outcome = signed_content(rows[i].cms, &out);
        if (outcome != rows[i].outcome) fail_msg("row %zu: %d, not %d", i, outcome, rows[i].outcome);
        if (!text_equal(buffer_text(&out), text_of(rows[i].content)))
            fail_msg("row %zu: \"%.*s\"", i, TEXT_ARG(buffer_text(&out)));
        buffer_free(&out);
    }
}

/* However it is cut, it is read within its bounds (the sanitizers look). */
static void cut_anywhere(void **state)
{
    static const char whole[] = "\x30\x80" SIGNED "\xa0\x80\x30\x80" OPEN_LEAD "\x30\x80" DATA
                                "\xa0\x80\x24\x80\x04\x82\x00\x01H\x24\x04\x04\x02i," END;
    for (size_t length = 0; length < sizeof whole; length++) {
        char *copy = memcpy(malloc(length + !length), whole, length);
        struct buffer out = { 0 };
        signed_content(text_from(copy, length), &out);
        assert_true(buffer_length(&out) <= 3);
        buffer_free(&out);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(contents), cmocka_unit_test(cut_anywhere) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
