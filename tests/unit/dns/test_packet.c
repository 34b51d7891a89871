/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* DNS answers in bytes: what is read from good ones, and that bad ones give temperror and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dns/packet.h"

#define HEAD(flags, answers) "\x12\x34" flags "\0\1\0" answers "\0\0\0\0"
#define OK "\x81\x80"
#define NXDOMAIN "\x81\x83"
#define SERVFAIL "\x81\x82"
#define QUESTION "\1a\4test\0\0\1\0\1" /* the name at 12, "test" at 14 */
#define HERE "\xc0\x0c"
#define TEST "\xc0\x0e"
#define RECORD(type, length) "\0" type "\0\1\0\0\0\5\0" length
#define BYTES(literal)                 \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

static const struct row {
    const char *name;
    struct text message;
    enum dns_record_type type;
    const char *wanted;
} rows[] = {
    { "an address", BYTES(HEAD(OK, "\1") QUESTION HERE RECORD("\1", "\4") "\x7f\0\0\2"), RECORD_A,
      "found 127.0.0.2" },
    { "two, other types between",
      BYTES(HEAD(OK, "\3") QUESTION HERE RECORD("\1", "\4") "\x7f\0\0\2" HERE RECORD(
          "\x10", "\3") "\2hi" HERE RECORD("\1", "\4") "\x7f\0\0\3"),
      RECORD_A, "found 127.0.0.2 127.0.0.3" },
    { "an IPv6 address",
      BYTES(HEAD(OK, "\1") QUESTION HERE RECORD("\x1c", "\x10") "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"),
      RECORD_AAAA, "found 2001:db8::1" },
    { "an alias and its end",
      BYTES(HEAD(OK, "\2") QUESTION HERE RECORD("\5", "\4") "\1b" TEST
                                                            "\1B" TEST RECORD("\1", "\4") "\x7f\0\0\2"),
      RECORD_A, "found 127.0.0.2" },
    { "an alias that leads to nothing", BYTES(HEAD(OK, "\1") QUESTION HERE RECORD("\5", "\4") "\1b" TEST),
      RECORD_A, "none" },
    { "records of somebody else", BYTES(HEAD(OK, "\1") QUESTION "\1c" TEST RECORD("\1", "\4") "\x7f\0\0\2"),
      RECORD_A, "none" },
    { "of another class", BYTES(HEAD(OK, "\1") QUESTION HERE "\0\1\0\3\0\0\0\5\0\4\x7f\0\0\2"), RECORD_A,
      "none" },
    { "mail exchangers",
      BYTES(HEAD(OK, "\2")
                QUESTION HERE RECORD("\x0f", "\6") "\0\x0a\1M" TEST HERE RECORD("\x0f", "\3") "\0\0\0"),
      RECORD_MX, "found 10=m.test 0=" },
    { "a name with odd bytes", BYTES(HEAD(OK, "\1") QUESTION HERE RECORD("\x0c", "\6") "\4a.\0\\\0"),
      RECORD_PTR, "found a\\046\\000\\092" },
    { "a text of two strings", BYTES(HEAD(OK, "\1") QUESTION HERE RECORD("\x10", "\6") "\2v=\2DK"),
      RECORD_TXT, "found v=DK" },
    { "an empty text and one of no string",
      BYTES(HEAD(OK, "\2") QUESTION HERE RECORD("\x10", "\1") "\0" HERE RECORD("\x10", "\0")), RECORD_TXT,
      "found  " },
    { "a text that runs out of its record", BYTES(HEAD(OK, "\1") QUESTION HERE RECORD("\x10", "\3") "\3hi"),
      RECORD_TXT, "temperror" },
    { "does not exist", BYTES(HEAD(NXDOMAIN, "\0") QUESTION), RECORD_A, "none nxdomain" },
    { "exists without records", BYTES(HEAD(OK, "\0") QUESTION), RECORD_A, "none" },
    { "the server failed", BYTES(HEAD(SERVFAIL, "\0") QUESTION), RECORD_A, "temperror" },
    { "nothing", BYTES(""), RECORD_A, "temperror" },
    { "half a header", BYTES("\x12\x34\x81\x80\0\1"), RECORD_A, "temperror" },
    { "more answers promised than there are",
      BYTES(HEAD(OK, "\2") QUESTION HERE RECORD("\1", "\4") "\x7f\0\0\2"), RECORD_A, "temperror" },
    { "an address of three bytes", BYTES(HEAD(OK, "\1") QUESTION HERE RECORD("\1", "\3") "\x7f\0\0"),
      RECORD_A, "temperror" },
    { "data longer than the message", BYTES(HEAD(OK, "\1") QUESTION HERE RECORD("\1", "\x40") "\x7f\0\0\2"),
      RECORD_A, "temperror" },
    { "a pointer to itself", BYTES(HEAD(OK, "\1") QUESTION "\xc0\x18" RECORD("\1", "\4") "\x7f\0\0\2"),
      RECORD_A, "temperror" },
    { "a pointer forward", BYTES(HEAD(OK, "\1") QUESTION "\xc0\x20" RECORD("\1", "\4") "\x7f\0\0\2"),
      RECORD_A, "temperror" },
    { "a label type that does not exist",
      BYTES(HEAD(OK, "\1") QUESTION "\x80\x0c" RECORD("\1", "\4") "\x7f\0\0\2"), RECORD_A, "temperror" },
    { "an exchanger's name that runs out of its record",
      BYTES(HEAD(OK, "\1") QUESTION HERE RECORD("\x0f", "\5") "\0\x0a\1m" TEST "\0"), RECORD_MX,
      "temperror" },
};

static void answer_print(const struct dns_answer *answer, enum dns_record_type type, char *room, size_t size)
{
    char address[ADDRESS_TEXT_SIZE];
    size_t at = (size_t)snprintf(room, size, "%s%s", dns_status_name(answer->status),
                                 answer->is_nxdomain ? " nxdomain" : "");
    for (uint32_t i = 0; i < answer->count; i++) {
        const struct dns_record *record = &answer->records[i];
        if (type == RECORD_MX)
            at += (size_t)snprintf(room + at, size - at, " %u=%.*s", record->preference,
                                   TEXT_ARG(record->name));
        else if (type == RECORD_TXT)
            at += (size_t)snprintf(room + at, size - at, " %.*s", TEXT_ARG(record->text));
        else if (type == RECORD_PTR)
            at += (size_t)snprintf(room + at, size - at, " %.*s", TEXT_ARG(record->name));
        else
            at += (size_t)snprintf(room + at, size - at, " %s", address_print(&record->address, address));
    }
}

static void test_rows(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char got[512];
        struct dns_answer answer;
        struct arena *arena = arena_new(0);
        packet_parse(arena, rows[i].message, TEXT("a.test"), rows[i].type, &answer);
        answer_print(&answer, rows[i].type, got, sizeof got);
        if (strcmp(got, rows[i].wanted) != 0)
            fail_msg("%s: %s, wanted %s", rows[i].name, got, rows[i].wanted);
        arena_free(arena);
    }
}

#define WITH_TTL(type, ttl, length) "\0" type "\0\1" ttl "\0" length
#define DENIED(flags, authority) "\x12\x34" flags "\0\1\0\0\0" authority "\0\0"
#define SOA(ttl, minimum) "\0" WITH_TTL("\6", ttl, "\x16") "\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4" minimum

static const struct ttl_row {
    const char *name;
    struct text message;
    uint32_t wanted;
} ttl_rows[] = {
    { "the least of two",
      BYTES(HEAD(OK, "\2") QUESTION HERE WITH_TTL("\1", "\0\0\1\0", "\4") "\x7f\0\0\2" HERE WITH_TTL(
          "\1", "\0\0\0\7", "\4") "\x7f\0\0\3"),
      7 },
    { "of an alias",
      BYTES(HEAD(OK, "\2") QUESTION HERE WITH_TTL("\5", "\0\0\0\3", "\4") "\1b" TEST "\1b" TEST WITH_TTL(
          "\1", "\0\0\0\7", "\4") "\x7f\0\0\2"),
      3 },
    { "the highest bit", BYTES(HEAD(OK, "\1") QUESTION HERE WITH_TTL("\1", "\x80\0\0\7", "\4") "\x7f\0\0\2"),
      0 },
    { "none: TTL of the SOA", BYTES(DENIED(NXDOMAIN, "\1") QUESTION SOA("\0\0\0\7", "\0\0\0\x9")), 7 },
    { "none: minimum of the SOA", BYTES(DENIED(OK, "\1") QUESTION SOA("\0\0\0\7", "\0\0\0\5")), 5 },
    { "none, without an SOA", BYTES(DENIED(NXDOMAIN, "\0") QUESTION), 0 },
    { "none, an SOA cut short", BYTES(DENIED(NXDOMAIN, "\1") QUESTION "\0\0\6\0\1\0\0\0\7\0\x16\0\0"), 0 },
    { "no answer", BYTES(HEAD(SERVFAIL, "\0") QUESTION), 0 },
};

static void test_ttls(void **state)
{
    for (size_t i = 0; i < sizeof ttl_rows / sizeof *ttl_rows; i++) {
        struct dns_answer answer;
        struct arena *arena = arena_new(0);
        packet_parse(arena, ttl_rows[i].message, TEXT("a.test"), RECORD_A, &answer);
        if (answer.ttl_s != ttl_rows[i].wanted)
            fail_msg("%s: %u, wanted %u", ttl_rows[i].name, answer.ttl_s, ttl_rows[i].wanted);
        arena_free(arena);
    }
}

/* Every message cut anywhere is temperror. */
static void test_every_cut(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t length = 0; length < rows[i].message.length; length++) {
            struct dns_answer answer;
            struct arena *arena = arena_new(0);
            char *exact = malloc(length + 1);
            memcpy(exact, rows[i].message.at, length);
            packet_parse(arena, text_from(exact, length), TEXT("a.test"), rows[i].type, &answer);
            if (answer.status != DNS_TEMPERROR) fail_msg("%s, cut at %zu: not seen", rows[i].name, length);
            free(exact);
            arena_free(arena);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_ttls),
                                        cmocka_unit_test(test_every_cut) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
