/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is remembered of senders: values, counts and sets by window and age; a process killed in the middle, a
   damaged file, a full map, a full disk, very many keys. With a number: so many keys, for measuring. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "senderdb/senderdb.h"
#include "senderdb/siphash.h"
#include "senderdb/value_forms.h"

enum { HOUR = 3600 * 1000, DAY = 24 * HOUR };
static const uint64_t start = UINT64_C(1700000000000);
static char folder_path[64];
static int folder = -1;

static int folder_make(void **state)
{
    strcpy(folder_path, "/tmp/senderdb-XXXXXX");
    if (!mkdtemp(folder_path)) return -1;
    folder = open(folder_path, O_RDONLY | O_DIRECTORY);
    return folder < 0;
}

static int folder_remove(void **state)
{
    static const char *const names[] = { "senders.mdb", "senders.key", "senders.damaged" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) unlinkat(folder, names[i], 0);
    close(folder);
    return rmdir(folder_path);
}

static struct senderdb *opened(uint64_t limit_bytes, enum senderdb_found expected)
{
    enum senderdb_found found;
    struct senderdb *db = senderdb_open(folder, limit_bytes, &found);
    assert_non_null(db);
    assert_int_equal(found, expected);
    return db;
}

static struct senderdb_key key_of(const struct senderdb *db, uint64_t number)
{
    struct text part = text_from((const char *)&number, sizeof number);
    return senderdb_key(db, 7, &part, 1);
}

static bool put(struct senderdb *db, uint64_t number, uint64_t now_ms, uint64_t owner)
{
    const struct senderdb_touch touch = { now_ms, 30 * (uint64_t)DAY, owner };
    struct senderdb_key key = key_of(db, number);
    return senderdb_put(db, &key, &touch, text_from((const char *)&number, sizeof number));
}

static bool has(struct senderdb *db, uint64_t number, uint64_t now_ms)
{
    uint64_t value = 0;
    struct senderdb_key key = key_of(db, number);
    size_t length = senderdb_get(db, &key, now_ms, &value, sizeof value);
    if (length) assert_true(length == sizeof value && value == number);
    return length > 0;
}

/* The vectors of the reference: key 00 01 … 0f, input 00 01 … of the length. */
static void hashes(void **state)
{
    static const uint8_t expected[][SIPHASH_BYTES] = {
        { 0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93 },
        { 0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45 },
    };
    uint8_t bytes[SIPHASH_BYTES], out[SIPHASH_BYTES];
    for (unsigned i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)i;
    for (size_t length = 0; length < sizeof expected / sizeof *expected; length++) {
        siphash(bytes, text_from((const char *)bytes, length), out);
        assert_memory_equal(out, expected[length], sizeof out);
    }
}

static void values_and_ages(void **state)
{
    struct senderdb *db = opened(0, SENDERDB_NEW);
    assert_false(has(db, 1, start));
    assert_true(put(db, 1, start, 0));
    assert_true(has(db, 1, start + 29 * (uint64_t)DAY));
    assert_false(has(db, 1, start + 33 * (uint64_t)DAY));
    struct senderdb_key key = key_of(db, 1);
    assert_true(senderdb_forget(db, &key));
    assert_false(senderdb_forget(db, &key));
    assert_false(has(db, 1, start));
    senderdb_close(db);
}

/* After its time an entry goes by itself, and what was touched in between stays. */
static void old_ones_go(void **state)
{
    struct senderdb_facts facts;
    struct senderdb *db = opened(0, SENDERDB_NEW);
    put(db, 1, start, 0);
    put(db, 2, start, 0);
    put(db, 2, start + 20 * (uint64_t)DAY, 0);
    has(db, 9, start + 40 * (uint64_t)DAY);
    assert_true(senderdb_commit(db));
    senderdb_facts(db, &facts);
    assert_int_equal(facts.entries, 1);
    assert_true(has(db, 2, start + 40 * (uint64_t)DAY));
    senderdb_close(db);
}

static const struct senderdb_window days = { DAY, 30, 2 };

static void count(struct senderdb *db, uint64_t now_ms, uint32_t all, uint32_t spam)
{
    const struct senderdb_touch touch = { now_ms, 40 * (uint64_t)DAY, 0 };
    struct senderdb_key key = key_of(db, 3);
    assert_true(senderdb_count(db, &key, &days, &touch, (uint32_t[]){ all, spam }));
}

static struct senderdb_counts counts(struct senderdb *db, uint64_t now_ms, uint64_t span_ms)
{
    struct senderdb_counts out;
    struct senderdb_key key = key_of(db, 3);
    senderdb_counts(db, &key, &days, now_ms, span_ms, 7 * (uint64_t)DAY, &out);
    return out;
}

static void windows(void **state)
{
    struct senderdb *db = opened(0, SENDERDB_NEW);
    count(db, start, 10, 4);
    count(db, start + 7 * (uint64_t)DAY, 1, 1);
    struct senderdb_counts of = counts(db, start + 7 * (uint64_t)DAY, 30 * (uint64_t)DAY);
    assert_int_equal(of.counts[0], 11);
    assert_int_equal(of.counts[1], 5);
    assert_int_equal(of.newest[0], 1);
    assert_int_equal(counts(db, start + 8 * (uint64_t)DAY, 30 * (uint64_t)DAY).newest[0], 0);
    assert_true(of.weights[0] > 5.9 && of.weights[0] < 6.1);
    assert_int_equal(counts(db, start + 7 * (uint64_t)DAY, 2 * (uint64_t)DAY).counts[0], 1);
    assert_int_equal(counts(db, start + 31 * (uint64_t)DAY, 30 * (uint64_t)DAY).counts[0], 1);
    count(db, start + 35 * (uint64_t)DAY, 70000, 0);
    assert_int_equal(counts(db, start + 35 * (uint64_t)DAY, 30 * (uint64_t)DAY).counts[0], 65536);
    count(db, start, 1, 0); /* the clock went back: nothing is lost but where it stood */
    assert_int_equal(counts(db, start, 30 * (uint64_t)DAY).counts[0], 1);
    senderdb_close(db);
}

static void different_ones(void **state)
{
    struct senderdb *db = opened(0, SENDERDB_NEW);
    struct senderdb_key key = key_of(db, 4);
    char name[16];
    for (uint32_t i = 0; i < 300; i++) {
        const struct senderdb_touch touch = { start + i * 1000, DAY, 0 };
        snprintf(name, sizeof name, "%u", i / 2);
        uint32_t found = senderdb_distinct(db, &key, HOUR, 100, &touch, text_of(name));
        assert_int_equal(found, i / 2 + 1 < 100 ? i / 2 + 1 : 100);
    }
    assert_int_equal(senderdb_distinct_count(db, &key, 9 * 1000, start + 300 * 1000), 5);
    assert_int_equal(senderdb_distinct_count(db, &key, HOUR, start + 2 * (uint64_t)HOUR), 0);
    senderdb_close(db);
}

/* Values that nobody here made. */
static void any_bytes(void **state)
{
    struct value_bytes value;
    struct senderdb_counts out;
    srand48(4);
    for (unsigned i = 0; i < 2000; i++) {
        value.length = (size_t)lrand48() % (sizeof value.at + 1);
        for (size_t at = 0; at < value.length; at++) value.at[at] = (uint8_t)lrand48();
        if (i % 2) value.length = 8 + 2 * 30 * 2;
        value_forms_counts(&value, &days, start, DAY, DAY, &out);
        value_forms_count(&value, &days, start, (uint32_t[]){ 1, UINT32_MAX });
        value_forms_see(&value, 64, start, (uint32_t)i);
        value_forms_distinct(&value, DAY, start);
        assert_true(value.length <= sizeof value.at);
    }
}

static void one_network_is_bounded(void **state)
{
    struct senderdb *db = opened(64 << 20, SENDERDB_NEW);
    uint64_t owner = senderdb_owner(db, TEXT("192.0.2.0/24")), other = senderdb_owner(db, TEXT("2001:db8::"));
    for (uint64_t i = 0; i < SENDERDB_OWNER_DAILY; i++) assert_true(put(db, i, start, owner));
    assert_false(senderdb_has_room_for(db, owner, start));
    assert_false(put(db, 100000, start, owner));
    assert_true(put(db, 5, start, owner)); /* what is there is renewed */
    assert_true(senderdb_has_room_for(db, other, start) && put(db, 100001, start, other));
    assert_true(senderdb_has_room_for(db, owner, start + DAY) && put(db, 100000, start + DAY, owner));
    senderdb_close(db);
}

/* Committed: there after a kill. A commit that the kill meets is there whole or not at all. */
static void killed_in_the_middle(void **state)
{
    for (unsigned round = 0; round < 8; round++) {
        int pipes[2];
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        if (child == 0) {
            enum senderdb_found found;
            struct senderdb *db = senderdb_open(folder, 0, &found);
            for (uint64_t i = 0; db; i++) {
                put(db, i % 3000, start + round, 0);
                if (i % 100 == 99 && senderdb_commit(db)) write(pipes[1], &i, sizeof i);
            }
            _exit(1);
        }
        uint64_t last = 0;
        close(pipes[1]);
        for (unsigned reads = 0; reads < 10 + 7 * round; reads++)
            assert_int_equal(read(pipes[0], &last, sizeof last), sizeof last);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        close(pipes[0]);
        struct senderdb *db = opened(0, SENDERDB_WHOLE);
        for (uint64_t i = 0; i <= last && i < 3000; i++) assert_true(has(db, i, start));
        senderdb_close(db);
    }
}

static void damage(unsigned page, unsigned seed)
{
    uint8_t noise[4096];
    int fd = openat(folder, "senders.mdb", O_WRONLY);
    srand48((long)seed);
    for (size_t i = 0; i < sizeof noise; i++) noise[i] = (uint8_t)lrand48();
    assert_int_equal(pwrite(fd, noise, sizeof noise, (off_t)page * 4096), sizeof noise);
    close(fd);
}

/* Whatever page is noise: it is found, or nothing needs it; this process lives, and goes on. */
static void damaged(void **state)
{
    unsigned set_aside = 0;
    for (unsigned page = 0; page < 30; page++) {
        enum senderdb_found found;
        struct stat facts;
        unlinkat(folder, "senders.mdb", 0);
        struct senderdb *db = opened(0, SENDERDB_NEW);
        for (uint64_t i = 0; i < 2000; i++) put(db, i, start, 0);
        senderdb_close(db);
        damage(page, page);
        db = senderdb_open(folder, 0, &found);
        assert_non_null(db);
        if (found == SENDERDB_DAMAGED) {
            set_aside++;
            assert_int_equal(fstatat(folder, "senders.damaged", &facts, 0), 0);
            assert_false(has(db, 5, start));
        }
        assert_true(put(db, 1, start, 0) && senderdb_commit(db) && has(db, 1, start));
        senderdb_close(db);
    }
    assert_true(set_aside >= 6); /* of the others nothing needs what stood there */
}

/* Bits of a page: a few anywhere, many in its head; or all of it is zeros. */
static void spoil(unsigned page, unsigned seed)
{
    enum { HEAD = 64, WAYS = 3 };
    uint8_t room[4096];
    int fd = openat(folder, "senders.mdb", O_RDWR);
    srand48((long)seed);
    if (pread(fd, room, sizeof room, (off_t)page * 4096) == sizeof room) {
        long reach = seed % 2 ? (long)sizeof room : HEAD;
        if (seed % WAYS == 0) memset(room, 0, sizeof room);
        for (int i = 0; i < (seed % WAYS == 1 ? 3 : 40); i++)
            room[lrand48() % reach] ^= (uint8_t)(1 << lrand48() % 8);
        assert_int_equal(pwrite(fd, room, sizeof room, (off_t)page * 4096), sizeof room);
    }
    close(fd);
}

/* What of its pages is free stands in pages, too, which only who writes reads. 0: all was kept, 1: it was
   found before; 2: it was found when it was written to, which the next start has to know. EFBIG is told as a
   full disk is, again and again. */
static int written_to(void)
{
    enum senderdb_found found;
    struct senderdb *db = senderdb_open(folder, 0, &found);
    if (!db) return 3;
    for (uint64_t i = 0; i < 600; i++) {
        put(db, 100000 + i, start + i, 0);
        if (i % 20 == 0 && !senderdb_commit(db)) return errno == EUCLEAN ? 2 : errno == EFBIG ? 0 : 4;
    }
    senderdb_close(db);
    return found == SENDERDB_DAMAGED;
}

static void aged_make(void)
{
    unlinkat(folder, "senders.mdb", 0);
    unlinkat(folder, "senders.damaged", 0);
    struct senderdb *db = opened(0, SENDERDB_NEW);
    for (uint64_t i = 0; i < 3000; i++) {
        put(db, i, start + i * 60000, 0);
        if (i % 30 == 0) senderdb_commit(db);
    }
    senderdb_close(db);
}

/* Whatever of a file that was written to often is spoilt: it is found at the start, else it ends one process
   at most. */
static void spoilt(void **state)
{
    enum { PAGES = 120, ROUNDS = 200 };
    for (unsigned round = 0; round < ROUNDS; round++) {
        int status;
        aged_make();
        if (round < PAGES)
            damage(round, round);
        else
            spoil(round % PAGES, round);
        pid_t child = fork();
        if (child == 0) _exit(written_to());
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFEXITED(status) && WEXITSTATUS(status) > 2) fail_msg("round %u: status %d", round, status);
        if (WIFSIGNALED(status) || WEXITSTATUS(status) == 2) senderdb_close(opened(0, SENDERDB_DAMAGED));
    }
}

static void cut_short(void **state)
{
    struct senderdb *db = opened(0, SENDERDB_NEW);
    for (uint64_t i = 0; i < 3000; i++) put(db, i, start, 0);
    senderdb_close(db);
    int fd = openat(folder, "senders.mdb", O_WRONLY);
    assert_int_equal(ftruncate(fd, 5 * 4096), 0);
    close(fd);
    senderdb_close(opened(0, SENDERDB_DAMAGED));
}

/* Of more than there is room for the oldest go; the newest are there, and the file keeps its bound. */
static void full_map(void **state)
{
    struct senderdb_facts facts;
    struct stat file;
    struct senderdb *db = opened(SENDERDB_BYTES_LEAST, SENDERDB_NEW);
    for (uint64_t i = 0; i < 150000; i++) {
        assert_true(put(db, i, start + i * 10000, 0));
        if (i % 500 == 0) assert_true(senderdb_commit(db));
    }
    senderdb_facts(db, &facts);
    assert_true(facts.evicted > 50000 && facts.bytes <= SENDERDB_BYTES_LEAST);
    assert_false(has(db, 1, start + 150000 * (uint64_t)10000));
    for (uint64_t i = 149000; i < 150000; i++) assert_true(has(db, i, start + 150000 * (uint64_t)10000));
    assert_int_equal(fstatat(folder, "senders.mdb", &file, 0), 0);
    assert_true((uint64_t)file.st_size <= SENDERDB_BYTES_LEAST);
    senderdb_close(db);
    senderdb_close(opened(SENDERDB_BYTES_LEAST, SENDERDB_WHOLE));
}

/* As on a full disk: the newest are lost, what was there stays, and it goes on when there is room. */
static void full_disk(void **state)
{
    struct rlimit before;
    struct senderdb *db = opened(0, SENDERDB_NEW);
    assert_true(put(db, 1, start, 0) && senderdb_commit(db));
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 64 * 1024, before.rlim_max }), 0);
    bool is_kept = true;
    for (uint64_t i = 100; i < 3000; i++) is_kept = put(db, i, start, 0) && is_kept;
    is_kept = senderdb_commit(db) && is_kept;
    assert_false(is_kept);
    assert_true(has(db, 1, start));
    assert_false(has(db, 2999, start));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    senderdb_commit(db);
    assert_true(put(db, 5, start, 0) && senderdb_commit(db));
    senderdb_close(db);
    db = opened(0, SENDERDB_WHOLE);
    assert_true(has(db, 1, start) && has(db, 5, start));
    senderdb_close(db);
}

/* Without a folder: until the process ends. */
static void in_memory(void **state)
{
    enum senderdb_found found;
    struct senderdb *db = senderdb_open(-1, 0, &found);
    assert_non_null(db);
    assert_true(put(db, 1, start, 0) && senderdb_commit(db) && has(db, 1, start));
    senderdb_close(db);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint64_t many = 200000; /* or as the command line says */

/* Very many keys: within the bound; what making and looking up takes is printed. */
static void very_many(void **state)
{
    enum { LOOKS = 100000 };
    struct senderdb_facts facts;
    struct senderdb *db = opened((uint64_t)256 << 20, SENDERDB_NEW);
    double begun = seconds();
    for (uint64_t i = 0; i < many; i++) {
        assert_true(put(db, i, start + i, 0));
        if (i % 10000 == 0) assert_true(senderdb_commit(db));
    }
    double made = seconds();
    senderdb_commit(db);
    for (uint64_t i = 0; i < LOOKS; i++) assert_true(has(db, i * 7919 % many, start));
    double looked = seconds();
    senderdb_facts(db, &facts);
    print_message("%llu entries, %llu MB; an entry made in %.1f us, looked up in %.2f us\n",
                  (unsigned long long)facts.entries, (unsigned long long)facts.bytes >> 20,
                  (made - begun) / (double)many * 1e6, (looked - made) / LOOKS * 1e6);
    assert_int_equal(facts.entries, many);
    senderdb_close(db);
    begun = seconds();
    db = opened((uint64_t)256 << 20, SENDERDB_WHOLE);
    print_message("opened in %.2f s\n", seconds() - begun);
    senderdb_close(db);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_make, folder_remove)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes),
        IN_FOLDER(values_and_ages),
        IN_FOLDER(old_ones_go),
        IN_FOLDER(windows),
        IN_FOLDER(different_ones),
        cmocka_unit_test(any_bytes),
        IN_FOLDER(one_network_is_bounded),
        IN_FOLDER(killed_in_the_middle),
        IN_FOLDER(damaged),
        IN_FOLDER(spoilt),
        IN_FOLDER(cut_short),
        IN_FOLDER(full_map),
        IN_FOLDER(full_disk),
        cmocka_unit_test(in_memory),
        IN_FOLDER(very_many),
    };
    if (argc > 1) many = strtoull(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
