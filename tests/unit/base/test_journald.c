/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Entries as journald reads them: each row is a value that a stranger may have chosen. A reader of the
   protocol, written from its description alone, takes them apart again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <endian.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/journald.h"

/* The next field of an entry. False: malformed. */
static bool field_read(struct text *rest, struct text *out_name, struct text *out_value)
{
    size_t end = text_find_char(*rest, '\n'), equals = text_find_char(*rest, '=');
    uint64_t length;
    if (end == rest->length) return false;
    if (equals < end) {
        *out_name = text_slice(*rest, 0, equals);
        *out_value = text_slice(*rest, equals + 1, end);
        *rest = text_slice(*rest, end + 1, rest->length);
        return true;
    }
    *out_name = text_slice(*rest, 0, end);
    if (rest->length - end - 1 < sizeof length) return false;
    memcpy(&length, rest->at + end + 1, sizeof length);
    size_t start = end + 1 + sizeof length;
    if (le64toh(length) >= rest->length - start || rest->at[start + le64toh(length)] != '\n') return false;
    *out_value = text_slice(*rest, start, start + le64toh(length));
    *rest = text_slice(*rest, start + le64toh(length) + 1, rest->length);
    return true;
}

#define VALUE(literal)                 \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

static const struct row {
    struct text value;
    size_t most, kept;
    bool is_binary;
} rows[] = {
    { VALUE("user@example.test"), 600, 17, false },
    { VALUE("a=b"), 600, 3, false },
    { VALUE("a\nPRIORITY=0"), 600, 12, true },
    { VALUE("\n"), 600, 1, true },
    { VALUE("x\nMESSAGE\n\x01\0\0\0\0\0\0\0y\n"), 600, 20, true },
    { VALUE("a\0b\rc\x1b\xff"), 600, 7, false },
    { VALUE("\"quoted\nlocal\"@example.test"), 600, 27, true },
    { VALUE("123456789"), 4, 4, false },
    { VALUE("123\n56789"), 3, 3, false }, /* its newline is cut off */
    { VALUE("件名件名"), 7, 6, false },
    { VALUE("件名件名"), 3, 3, false },
    { VALUE("\x80\x80\x80\x80\x80\x80"), 5, 2, false }, /* no UTF-8 */
    { VALUE(""), 600, 0, false },
};

static void values(void **state)
{
    for (const struct row *row = rows; row < rows + sizeof rows / sizeof *rows; row++) {
        struct journald_entry entry = { 0 };
        struct text name, value;
        journald_field(&entry, "RCPT", row->value, row->most);
        journald_field(&entry, "MESSAGE", TEXT("end"), 600);
        struct text rest = text_from(entry.bytes, entry.length);
        if (row->kept > 0) {
            assert_int_equal(entry.bytes[4] == '\n', row->is_binary);
            assert_true(field_read(&rest, &name, &value));
            assert_true(text_equal(name, TEXT("RCPT")));
            if (!text_equal(value, text_slice(row->value, 0, row->kept)))
                fail_msg("row %zu: %zu bytes", (size_t)(row - rows), value.length);
        }
        assert_true(field_read(&rest, &name, &value));
        assert_true(text_equal(name, TEXT("MESSAGE")) && text_equal(value, TEXT("end")));
        assert_int_equal(rest.length, 0);
    }
}

/* However much comes, with newlines or without, an entry is whole and below 4096 bytes. */
static void sizes(void **state)
{
    static char much[10000];
    struct text name, value;
    for (size_t length = 0; length < sizeof much; length += 37) {
        struct journald_entry entry = { 0 };
        memset(much, 'x', sizeof much);
        if (length % 2) much[length / 2] = '\n';
        for (int i = 0; i < 3; i++) journald_field(&entry, "RCPT", text_from(much, length), SIZE_MAX);
        assert_true(entry.length < 4096);
        struct text rest = text_from(entry.bytes, entry.length);
        while (rest.length > 0) assert_true(field_read(&rest, &name, &value));
    }
}

static void numbered(struct journald_entry *entry, int number)
{
    char text[16];
    snprintf(text, sizeof text, "%d", number);
    entry->length = 0;
    journald_field(entry, "MESSAGE", text_of(text), 600);
}

/* One that does not read: entries wait, in order, until there is no room, and go when it reads again. */
static void busy_journal(void **state)
{
    static struct journald_backlog backlog;
    struct journald_entry entry;
    int ends[2], taken = 0, seen = 0;
    char room[64];
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    for (numbered(&entry, 0); journald_send(&backlog, ends[0], &entry); numbered(&entry, taken)) taken++;
    assert_true(backlog.length > sizeof backlog.bytes - 64 && backlog.length <= sizeof backlog.bytes);
    assert_false(journald_flush(&backlog, ends[0]));
    while (seen < taken) {
        ssize_t got = recv(ends[1], room, sizeof room, MSG_DONTWAIT);
        if (got < 0) {
            size_t before = backlog.length;
            journald_flush(&backlog, ends[0]);
            assert_true(backlog.length < before);
            continue;
        }
        numbered(&entry, seen++);
        assert_int_equal(got, entry.length);
        assert_memory_equal(room, entry.bytes, entry.length);
    }
    assert_int_equal(backlog.length, 0);
    assert_true(taken > 1000);
    close(ends[1]);
    assert_false(journald_send(&backlog, ends[0], &entry)); /* it is gone */
    close(ends[0]);
}

static void stream(void **state)
{
    struct stat facts;
    char own[64];
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fstat(ends[1], &facts), 0);
    snprintf(own, sizeof own, "%lu:%lu", (unsigned long)facts.st_dev, (unsigned long)facts.st_ino);
    assert_true(journald_is_stream(ends[1], own));
    close(ends[0]);
    close(ends[1]);
    assert_false(journald_is_stream(ends[1], own)); /* closed */
    static const char *const others[] = { NULL, "", ":", "0:0", "8:1x", "nonsense" };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(journald_is_stream(STDIN_FILENO, others[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(values), cmocka_unit_test(sizes),
                                        cmocka_unit_test(busy_journal), cmocka_unit_test(stream) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
