/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The table of clients that all receive processes share: whoever of them dies, the others' counts stand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <unistd.h>

#include "receive/clients.h"

enum { PROCESSES = 60, TABLE_BYTES = 1024 * 1024, NOW_MS = 1000000000 };

/* Every process holds a connection of one client; each is restarted in turn while the rest work on. */
static void restarts(void **state)
{
    int fd = memfd_create("clients", MFD_CLOEXEC);
    assert_int_equal(ftruncate(fd, TABLE_BYTES), 0);
    struct clients *processes[PROCESSES];
    struct client_entry *entries[PROCESSES];
    struct client_numbers numbers;
    struct address client;
    assert_true(address_parse(TEXT("192.0.2.7"), &client));
    for (uint16_t i = 0; i < PROCESSES; i++) {
        processes[i] = clients_map(fd, i);
        entries[i] = clients_enter(processes[i], &client, NOW_MS, &numbers);
        assert_int_equal(numbers.connections, i + 1);
        assert_int_equal(numbers.all_connections, i + 1);
    }
    for (uint16_t i = 0; i < PROCESSES; i++) {
        processes[i] = clients_map(fd, i);
        entries[i] = clients_enter(processes[i], &client, NOW_MS, &numbers);
        assert_int_equal(numbers.connections, PROCESSES);
    }
    for (uint16_t i = 0; i < PROCESSES; i++) clients_leave(processes[i], entries[i]);
    clients_enter(processes[0], &client, NOW_MS, &numbers);
    assert_int_equal(numbers.connections, 1);
    assert_int_equal(numbers.all_connections, 1);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(restarts) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
