/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The table of clients that all receive processes share: whoever of them dies, the others' counts stand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <unistd.h>

#include "receive/client_limits.h"

enum { PROCESSES = 60, TABLE_BYTES = 1024 * 1024, NOW_MS = 1000000000 };

/* Every process holds a connection of one client; each is restarted in turn while the rest work on. */
static void restarts(void **state)
{
    int fd = memfd_create("clients", MFD_CLOEXEC);
    assert_int_equal(ftruncate(fd, TABLE_BYTES), 0);
    struct client_limits *processes[PROCESSES];
    struct client_entry *entries[PROCESSES];
    struct client_numbers numbers;
    struct address client;
    assert_true(address_parse(TEXT("192.0.2.7"), &client));
    for (uint16_t i = 0; i < PROCESSES; i++) {
        processes[i] = client_limits_map(fd, i);
        entries[i] = client_limits_enter(processes[i], &client, NOW_MS, &numbers);
        assert_int_equal(numbers.connections, i + 1);
        assert_int_equal(numbers.all_connections, i + 1);
    }
    for (uint16_t i = 0; i < PROCESSES; i++) {
        processes[i] = client_limits_map(fd, i);
        entries[i] = client_limits_enter(processes[i], &client, NOW_MS, &numbers);
        assert_int_equal(numbers.connections, PROCESSES);
    }
    for (uint16_t i = 0; i < PROCESSES; i++) client_limits_leave(processes[i], entries[i]);
    client_limits_enter(processes[0], &client, NOW_MS, &numbers);
    assert_int_equal(numbers.connections, 1);
    assert_int_equal(numbers.all_connections, 1);
    close(fd);
}

static struct address numbered(uint32_t number)
{
    struct address address;
    assert_true(address_parse(TEXT("2001:db8::1"), &address));
    for (int i = 0; i < 4; i++) address.bytes[4 + i] = (uint8_t)(number >> (24 - 8 * i));
    return address;
}

/* More clients than the table has places: each goes on being counted, and so is who comes after them. */
static void full(void **state)
{
    enum { SMALL_BYTES = 64 * 1024, MANY = 2000, LIMIT = 20 };
    int fd = memfd_create("clients", MFD_CLOEXEC);
    assert_int_equal(ftruncate(fd, SMALL_BYTES), 0);
    struct client_limits *clients = client_limits_map(fd, 0);
    struct client_numbers numbers;
    for (uint32_t i = 0; i < MANY; i++) {
        struct address one = numbered(i);
        assert_non_null(client_limits_enter(clients, &one, NOW_MS, &numbers));
        assert_true(numbers.connections > 0 && numbers.in_minute > 0);
    }
    struct address late = numbered(MANY);
    struct client_entry *entry = NULL;
    for (uint32_t i = 1; i <= LIMIT; i++) {
        entry = client_limits_enter(clients, &late, NOW_MS, &numbers);
        assert_true(numbers.connections >= i && numbers.in_minute >= i);
    }
    uint32_t all;
    for (uint32_t i = 1; i <= LIMIT; i++)
        assert_true(client_limits_message(clients, entry, NOW_MS, &all) >= i);
    for (uint32_t i = 0; i < LIMIT; i++) client_limits_leave(clients, entry);
    client_limits_unmap(clients);
    close(fd);
}

/* Who has no connections makes room: first those of an earlier minute, and of this one those who came least.
 */
static void least_goes_first(void **state)
{
    enum { SMALL_BYTES = 16 * 1024, MANY = 5000, OFTEN = 30 };
    int fd = memfd_create("clients", MFD_CLOEXEC);
    assert_int_equal(ftruncate(fd, SMALL_BYTES), 0);
    struct client_limits *clients = client_limits_map(fd, 0);
    struct client_numbers numbers;
    struct address often = numbered(0);
    for (uint32_t i = 0; i < OFTEN; i++)
        client_limits_leave(clients, client_limits_enter(clients, &often, NOW_MS, &numbers));
    for (uint32_t i = 1; i < MANY; i++) {
        struct address one = numbered(i);
        client_limits_leave(clients, client_limits_enter(clients, &one, NOW_MS, &numbers));
        assert_int_equal(numbers.connections, 1);
    }
    client_limits_enter(clients, &often, NOW_MS, &numbers);
    assert_int_equal(numbers.in_minute, OFTEN + 1);
    client_limits_unmap(clients);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(restarts), cmocka_unit_test(full),
                                        cmocka_unit_test(least_goes_first) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
