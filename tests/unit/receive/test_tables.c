/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Who is known to which table, and that a table nobody can read lets nobody in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "receive/tables.h"

static struct domain domain_of(enum recipient_check check, struct text content)
{
    return (struct domain){ .name = TEXT("example.jp"),
                            .recipients = check,
                            .recipients_table = { .path = TEXT("/etc/users"), .content = content } };
}

static void answers(void **state)
{
    (void)state;
    struct domain domains[] = { domain_of(RECIPIENTS_TABLE, TEXT("suzuki@example.jp\ntanaka\n")),
                                domain_of(RECIPIENTS_ANY, TEXT_NONE),
                                domain_of(RECIPIENTS_CALL_OUT, TEXT_NONE),
                                domain_of(RECIPIENTS_TABLE, TEXT("two words\n")),
                                domain_of(RECIPIENTS_TABLE, text_from("\x7f\n", 2)),
                                domain_of(RECIPIENTS_TABLE, TEXT_NONE) };
    static const struct {
        size_t domain;
        struct text address;
        enum tables_answer wanted;
    } rows[] = { { 0, TEXT("suzuki@example.jp"), TABLES_KNOWN },
                 { 0, TEXT("Tanaka@example.jp"), TABLES_KNOWN },
                 { 0, TEXT("stranger@example.jp"), TABLES_UNKNOWN },
                 { 1, TEXT("stranger@example.jp"), TABLES_NONE },
                 { 2, TEXT("stranger@example.jp"), TABLES_NONE },
                 { 3, TEXT("two@example.jp"), TABLES_UNREADABLE },
                 { 4, TEXT("suzuki@example.jp"), TABLES_UNREADABLE },
                 { 5, TEXT("suzuki@example.jp"), TABLES_UNKNOWN }, /* an empty one is a table all the same */
                 { 6, TEXT("suzuki@example.jp"), TABLES_UNREADABLE } };
    struct config config = { .domains = domains, .domain_count = sizeof domains / sizeof *domains };
    struct tables *tables = tables_new(&config);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t at = text_find_char(rows[i].address, '@');
        struct text local = text_slice(rows[i].address, 0, at);
        struct text name = text_slice(rows[i].address, at + 1, rows[i].address.length);
        assert_int_equal(tables_ask(tables, rows[i].domain, &domains[0], local, name), rows[i].wanted);
    }
    tables_free(tables);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(answers) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
