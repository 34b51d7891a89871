/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Whose mail may leave, one a row: the listener, the sender, whether it is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config_text.h"
#include "receive/sender_right.h"

enum { IN, OURS, LISTED, ANY };

static const char config_text[] =
    "hostname mx.test\n"
    "listen 127.0.0.1:25 { direction in }\n"
    "listen 127.0.0.1:26 { direction out; from 127.0.0.0/8 }\n"
    "listen 127.0.0.1:27 { direction out; from 127.0.0.0/8; senders partner.test .lists.test "
    "xn--fsq.partner.test }\n"
    "listen 127.0.0.1:28 { direction out; from 127.0.0.0/8; senders any }\n"
    "domains { example.test 127.0.0.1:2525; .under.test 127.0.0.1:2525; xn--r8jz45g.test 127.0.0.1:2525; "
    "* 127.0.0.1:2526 }\n";

static const struct {
    int port;
    const char *sender;
    const char *named; /* the domain that the refusal names; NULL: it is taken */
} rows[] = {
    { OURS, "<a@example.test>", NULL },
    { OURS, "<a@EXAMPLE.Test>", NULL },
    { OURS, "<>", NULL },
    { OURS, "<postmaster>", NULL },
    { OURS, "<a@例え.test>", NULL },
    { OURS, "<a@XN--R8JZ45G.test>", NULL },
    { OURS, "<@foreign.test:a@example.test>", NULL },
    /* a domain below is ours where `domains` has it; what is above, or only ends alike, is not */
    { OURS, "<a@deep.under.test>", NULL },
    { OURS, "<a@under.test>", "under.test" },
    { OURS, "<a@sub.example.test>", "sub.example.test" },
    { OURS, "<a@test>", "test" },
    { OURS, "<a@badexample.test>", "badexample.test" },
    { OURS, "<a@foreign.test>", "foreign.test" },
    { OURS, "<\"a@example.test\"@foreign.test>", "foreign.test" },
    { OURS, "<a%example.test@foreign.test>", "foreign.test" },
    { OURS, "<@example.test:a@foreign.test>", "foreign.test" },
    { OURS, "<a@[127.0.0.1]>", "[127.0.0.1]" },
    { OURS, "<a@異国.test>", "xn--vcs912e.test" },
    /* further ones beside ours */
    { LISTED, "<a@example.test>", NULL },
    { LISTED, "<a@Partner.test>", NULL },
    { LISTED, "<a@例.partner.test>", NULL },
    { LISTED, "<a@sub.partner.test>", "sub.partner.test" },
    { LISTED, "<a@x.lists.test>", NULL },
    { LISTED, "<a@lists.test>", "lists.test" },
    { LISTED, "<a@mylists.test>", "mylists.test" },
    { LISTED, "<a@any>", "any" },
    /* all, and where nobody looks */
    { ANY, "<a@foreign.test>", NULL },
    { ANY, "<a@[127.0.0.1]>", NULL },
    { IN, "<a@foreign.test>", NULL },
};

static bool row_holds(const struct config *config, size_t i, struct arena *arena)
{
    struct mailbox sender;
    struct text why =
        rows[i].named ? arena_printf(arena, "the domain %s is not ours", rows[i].named) : TEXT_NONE;
    if (mailbox_parse_path(text_of(rows[i].sender), false, &sender) != MAILBOX_GOOD) return false;
    struct reply reply = sender_right_refusal(config, &config->listeners[rows[i].port], &sender, arena);
    if (!rows[i].named) return reply.code == 0;
    return reply.code == 550 && strcmp(reply.enhanced, "5.7.1") == 0 && reply.kind == REFUSAL_POLICY &&
           text_find(text_of(reply.text), why) < strlen(reply.text);
}

static void test_rows(void **state)
{
    struct config *config = config_of_text(text_of(config_text), false);
    struct arena *arena = arena_new(0);
    unsigned wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool holds = row_holds(config, i, arena);
        if (!holds) print_error("%s at listener %d\n", rows[i].sender, rows[i].port);
        wrong += !holds;
    }
    assert_int_equal(wrong, 0);
    arena_free(arena);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
