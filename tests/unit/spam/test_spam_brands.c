/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which names are taken for a brand's that the writer's domain does not have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "spam/brands.h"

static void test_claims(void **state)
{
    static const struct {
        const char *text, *organization;
        bool is_claimed;
    } rows[] = {
        { "paypal", "paypal.com", false },
        { "paypal", "paypal-secure.top", true },
        { "p a y p a l service", "kq77.top", true },
        { "p.a-y.p_a_l", "kq77.top", true },
        { "paypaling", "kq77.top", false },
        { "ups", "ups.com", false },
        { "ups", "kq77.top", true },
        { "startups weekly", "kq77.top", false },
        { "u p s and downs", "kq77.top", false }, /* too short to be read spread */
        { "brightledger", "brightledger.example", false },
        { "amazon.co.jp", "amazon.co.jp", false },
        { "三井住友カード", "vp-smcc.cn", true },
        { "三井住友カード", "smbc-card.com", false },
        { "google, microsoft and we", "google.com", false },
        { "mori hanako", "example.ac.jp", false },
        { "", "", false },
        { "paypal", "", true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (brands_are_claimed(text_of(rows[i].text), text_of(rows[i].organization)) != rows[i].is_claimed)
            fail_msg("row %zu: %s of %s", i, rows[i].text, rows[i].organization);
}

static void test_lent(void **state)
{
    static const struct {
        const char *host, *organization;
        bool is_lent;
    } rows[] = {
        { "secure-paypal.example", "secure-paypal.example", true },
        { "paypal.kuvx.example", "kuvx.example", true },
        { "www.paypal.com", "paypal.com", false },
        { "paypal.co.jp", "paypal.co.jp", false },
        { "paypalette.example", "paypalette.example", false },
        { "outlook.kuvx.example", "kuvx.example", false }, /* a common word */
        { "ups.kuvx.example", "kuvx.example", false },     /* too short */
        { "", "", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (brands_are_lent(text_of(rows[i].host), text_of(rows[i].organization)) != rows[i].is_lent)
            fail_msg("row %zu: %s", i, rows[i].host);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_claims), cmocka_unit_test(test_lent) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
