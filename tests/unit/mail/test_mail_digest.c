/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Texts signed under a key: known answers (reckoned by Python's hmac and RFC 8439's Poly1305), and what must
   differ. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mail/digest.h"

enum { PIECES_MOST = 3, LONG = 100000 };

static char xs[LONG + 1];

struct row {
    const char *pieces[PIECES_MOST]; /* xs stands for `xs_length` of the letter x */
    size_t count, xs_length;
    const char *wanted;
};

static const char *sign(const char *secret, const struct row *row, char room[DIGEST_HEX_SIZE])
{
    struct digest_key *key = digest_key_new(text_of(secret));
    struct text pieces[PIECES_MOST];
    uint8_t sum[DIGEST_BYTES];
    for (size_t i = 0; i < row->count; i++)
        pieces[i] = row->pieces[i] == xs ? text_from(xs, row->xs_length) : text_of(row->pieces[i]);
    digest_signed(key, pieces, row->count, sum);
    digest_signed(key, pieces, row->count, sum); /* what was signed before is nothing to it */
    for (size_t i = 0; i < DIGEST_BYTES; i++) snprintf(room + 2 * i, 3, "%02x", sum[i]);
    digest_key_free(key);
    return room;
}

static const struct row rows[] = {
    { { NULL }, 0, 0, "1f2eb8763fe3a59f1662cb128f52c9ebf91cd23b62f4a245a186fb8811c8e8c1" },
    { { "" }, 1, 0, "5e16cd29e601266a0b113bbe17e176921c54f1ca02c8569a3dcdc5c232945b01" },
    { { "a@example.jp", "b@example.jp" },
      2,
      0,
      "c1f65a4ec9ffee04603b17a67a6b87b6fe4db1f9e0cbeb3a374dd8070b1e690f" },
    { { "a@example.jp", xs }, 2, 256, "d976392f4d87ed44b66686e8add928893c11556955ad6d20c1f31ac2ced6a44b" },
    { { "a@example.jp", xs }, 2, 257, "c7390ecc178fa6606366cbe0dfb12ed68573bc388c35cf10378b62c7e5686d66" },
    { { xs }, 1, LONG, "c35ca2e36a6d6f7fb9558ccb675a0460963fe5c3ece8e4f4dbdfb718e850933c" },
};

static void known_answers(void **state)
{
    char room[DIGEST_HEX_SIZE], other[DIGEST_HEX_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal(sign("a secret of thirty-two bytes....", &rows[i], room), rows[i].wanted);
        assert_string_not_equal(sign("a secret of thirty-two bytes...!", &rows[i], other), room);
    }
}

/* Where one piece ends and the next begins counts, and each bit of a long one. */
static void what_differs(void **state)
{
    static const struct row pairs[][2] = { { { { "ab", "c" }, 2 }, { { "a", "bc" }, 2 } },
                                           { { { "ab" }, 1 }, { { "ab", "" }, 2 } } };
    char room[DIGEST_HEX_SIZE], other[DIGEST_HEX_SIZE];
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        assert_string_not_equal(sign("k", &pairs[i][0], room), sign("k", &pairs[i][1], other));
    const struct row whole = { { xs }, 1, LONG };
    sign("k", &whole, room);
    for (size_t at = 0; at < LONG; at += 9999) {
        xs[at] ^= 1;
        assert_string_not_equal(sign("k", &whole, other), room);
        xs[at] ^= 1;
    }
}

int main(void)
{
    memset(xs, 'x', LONG);
    const struct CMUnitTest tests[] = { cmocka_unit_test(known_answers), cmocka_unit_test(what_differs) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
