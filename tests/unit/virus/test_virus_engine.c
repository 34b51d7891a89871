/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* libclamav under want: whatever is missing, the answer is never "clean". The signatures are the project's
 * own.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/temp_files.h"
#include "config/signatures.h"
#include "virus/canary.h"
#include "virus/clamav.h"
#include "virus/inspect.h"
#include "virus/verdict_cache.h"

enum { ROOM = 64 << 20 };

static unsigned loads;

struct cl_engine;
int __real_cl_load(const char *path, struct cl_engine *engine, unsigned *signatures, unsigned options);
int __wrap_cl_load(const char *path, struct cl_engine *engine, unsigned *signatures, unsigned options);
int __wrap_cl_load(const char *path, struct cl_engine *engine, unsigned *signatures, unsigned options)
{
    loads++;
    return __real_cl_load(path, engine, signatures, options);
}

static struct config limits(void)
{
    struct config config = { 0 };
    config.virus.embedded = EMBEDDED_ONLY;
    config.virus.own_database = text_of(SIGNATURES);
    config.virus.max_scan_bytes = 32 << 20;
    config.virus.max_file_bytes = 16 << 20;
    config.virus.max_files = 1000;
    config.virus.max_recursion = 8;
    config.virus.max_time_ms = 20000;
    return config;
}

static struct engine *open_engine(const struct config *config)
{
    char error[300] = "";
    struct engine *engine = clamav_open(config, ROOM, error, sizeof error);
    if (!engine) print_error("%s\n", error);
    assert_non_null(engine);
    return engine;
}

/* What a child that went through `prepare` says of the canary. */
static struct engine_result canary_result(bool (*prepare)(void))
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct config config = limits();
    struct engine *engine = open_engine(&config);
    pid_t child = fork();
    if (child == 0) {
        struct engine_result result = { .state = SCAN_NOT_ASKED };
        struct buffer message = { 0 };
        canary_write_message(&message);
        if (prepare()) engine->calls->scan_message(engine, buffer_text(&message), &result);
        if (write(ends[1], &result, sizeof result) != (ssize_t)sizeof result) _exit(1);
        _exit(0);
    }
    struct engine_result result;
    int status;
    waitpid(child, &status, 0);
    close(ends[1]);
    if (read(ends[0], &result, sizeof result) != (ssize_t)sizeof result)
        engine_result_set(&result, SCAN_UNSCANNED, TEXT("the scanner died"));
    close(ends[0]);
    engine->calls->close(engine);
    return result;
}

static bool room_private(void)
{
    char why[200];
    return temporary_prepare(why, sizeof why) && temporary_enter(ROOM, why, sizeof why) >= 0;
}

static bool room_full(void)
{
    if (!room_private()) return false;
    int fd = open("filler", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    static const char page[65536];
    while (write(fd, page, sizeof page) > 0) {
    }
    close(fd);
    return true;
}

static bool room_gone(void)
{
    char folder[] = "/tmp/sekimori-gone-XXXXXX";
    return mkdtemp(folder) && chdir(folder) == 0 && rmdir(folder) == 0;
}

static bool room_unwritable(void)
{
    return chdir("/proc/self") == 0;
}

static bool descriptors_exhausted(void)
{
    if (!room_private()) return false;
    struct rlimit few = { 16, 16 };
    if (setrlimit(RLIMIT_NOFILE, &few) != 0) return false;
    while (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0) {
    }
    return true;
}

static bool files_without_bytes(void)
{
    if (!room_private()) return false;
    struct rlimit none = { 0, 0 };
    return setrlimit(RLIMIT_FSIZE, &none) == 0;
}

static void test_want(void **state)
{
    static const struct {
        const char *name;
        bool (*prepare)(void);
        bool is_found;
    } rows[] = {
        { "a private room", room_private, true },
        { "temporary folder full", room_full, false },
        { "temporary folder gone", room_gone, false },
        { "temporary folder unwritable", room_unwritable, false },
        { "descriptors exhausted", descriptors_exhausted, false },
        { "files may not grow", files_without_bytes, false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct engine_result result = canary_result(rows[i].prepare);
        print_message("%s: %d %s\n", rows[i].name, (int)result.state, result.name);
        assert_int_not_equal(result.state, SCAN_NOT_ASKED);
        assert_int_not_equal(result.state, SCAN_CLEAN);
        if (rows[i].is_found) {
            assert_int_equal(result.state, SCAN_FOUND);
            assert_string_equal(result.name, "Eicar-Test-Signature");
        }
    }
}

/* Zips in zips, deeper than the limit. */
static void test_limits(void **state)
{
    struct config config = limits();
    config.virus.max_recursion = 3;
    struct engine *engine = open_engine(&config);
    assert_true(room_private());
    struct engine_result result;
    struct buffer zip = { 0 }, outer = { 0 };
    canary_write_file(&zip);
    for (int depth = 0; depth < 6; depth++) {
        buffer_clear(&outer);
        canary_zip(&outer, buffer_text(&zip), TEXT("inner.zip"));
        struct buffer swap = zip;
        zip = outer;
        outer = swap;
    }
    engine->calls->scan(engine, buffer_text(&zip), &result);
    print_message("too deep: %d %s\n", (int)result.state, result.name);
    assert_int_equal(result.state, SCAN_LIMITS);
    size_t large = (size_t)config.virus.max_file_bytes + 1;
    buffer_clear(&outer);
    memset(buffer_reserve(&outer, large), 'a', large);
    buffer_commit(&outer, large);
    engine->calls->scan(engine, buffer_text(&outer), &result);
    assert_int_equal(result.state, SCAN_LIMITS);
    buffer_free(&zip);
    buffer_free(&outer);
    engine->calls->close(engine);
}

static void test_no_signatures(void **state)
{
    char error[300] = "";
    struct config config = limits();
    config.virus.own_database = TEXT("/nonexistent");
    assert_null(clamav_open(&config, ROOM, error, sizeof error));
    assert_string_equal(error, "/nonexistent holds no signatures");
    config.virus.embedded = EMBEDDED_OFF;
    assert_null(clamav_open(&config, ROOM, error, sizeof error));
    assert_string_equal(error, "there are no signatures");
}

/* What the engine says of a message, after the readings of its parts. */
static enum scan_state state_of(struct engine *engine, struct text message)
{
    struct verdict_cache *cache = verdict_cache_new(16);
    struct inspection inspection;
    struct arena *arena = arena_new(0);
    inspect_begin(&inspection, arena, engine, cache, message, NULL);
    inspect_whole(&inspection);
    inspect_end(&inspection, false);
    verdict_cache_free(cache);
    arena_free(arena);
    return inspection.result.state;
}

static void write_file(const char *folder, const char *name, const char *content)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

static void remove_file(const char *folder, const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    remove(path);
}

/* More is wanted than the built-in ones, and nothing else is there: a virus that is found is one, and nothing
   is clean, until there is a file of signatures. */
static void test_built_in_alone(void **state)
{
    char base[] = "/tmp/sekimori-alone-XXXXXX";
    struct text clean = TEXT("Subject: hello\r\n\r\nhi\r\n");
    struct buffer canary = { 0 };
    canary_write_message(&canary);
    assert_non_null(mkdtemp(base));
    struct config config = limits();
    config.virus.fetched = text_of(base);
    struct engine *engine = open_engine(&config);
    assert_int_equal(state_of(engine, clean), SCAN_CLEAN);
    assert_int_equal(engine->newest_s, 0);
    engine->calls->close(engine);
    config.virus.embedded = EMBEDDED_ON;
    engine = open_engine(&config);
    assert_non_null(strstr(engine->lacks, base));
    assert_int_equal(state_of(engine, clean), SCAN_UNSCANNED);
    assert_int_equal(state_of(engine, buffer_text(&canary)), SCAN_FOUND);
    engine->calls->close(engine);
    write_file(base, "own.hdb", "44d88612fea8a8f36de82e1278abb02e:68:Other\n");
    engine = open_engine(&config);
    assert_string_equal(engine->lacks, "");
    assert_true(engine->newest_s > 0);
    assert_int_equal(state_of(engine, clean), SCAN_CLEAN);
    engine->calls->close(engine);
    remove_file(base, "own.hdb");
    rmdir(base);
    buffer_free(&canary);
}

/* The second set is loaded beside, named, and left out where it cannot be loaded. */
static void test_second_set(void **state)
{
    char base[] = "/tmp/sekimori-also-XXXXXX";
    assert_non_null(mkdtemp(base));
    struct config config = limits();
    config.virus.also = text_of(base);
    config.virus.also_name = TEXT("others");
    write_file(base, "own.ndb", "Own.Word:0:*:66726f626e6963617465\n");
    struct engine *engine = open_engine(&config);
    assert_int_equal(engine->set_count, 2);
    assert_string_equal(engine->sets[1].name, "others");
    assert_string_equal(engine->sets[1].version, "1 file");
    assert_true(engine->sets[1].is_also && engine->sets[1].newest_s > 0);
    assert_string_equal(engine->refused, "");
    assert_int_equal(state_of(engine, TEXT("Subject: a\r\n\r\nfrobnicate\r\n")), SCAN_FOUND);
    engine->calls->close(engine);
    write_file(base, "own.ndb", "this is no signature\n");
    engine = open_engine(&config);
    assert_int_equal(engine->set_count, 1);
    assert_non_null(strstr(engine->refused, base));
    assert_int_equal(state_of(engine, TEXT("Subject: a\r\n\r\nfrobnicate\r\n")), SCAN_CLEAN);
    engine->calls->close(engine);
    remove_file(base, "own.ndb");
    rmdir(base);
}

/* A picture of 32 by 32 dots, and its hash. */
static const unsigned char picture[] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
    0x00, 0x00, 0x00, 0x20, 0x00, 0x00, 0x00, 0x20, 0x08, 0x00, 0x00, 0x00, 0x00, 0x56, 0x11, 0x25,
    0x28, 0x00, 0x00, 0x00, 0x31, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0x60, 0x80, 0x82, 0xff,
    0x50, 0xd0, 0xd0, 0x31, 0x61, 0xc6, 0x82, 0x15, 0x1b, 0x76, 0x1c, 0x38, 0x71, 0xe1, 0xc6, 0x83,
    0x17, 0x1f, 0x7e, 0x30, 0x8c, 0x10, 0x05, 0x30, 0x09, 0x98, 0xc2, 0x91, 0xaa, 0x60, 0x34, 0x3d,
    0x8c, 0xa6, 0x07, 0x24, 0x05, 0x00, 0xa4, 0x10, 0x77, 0x1f, 0x50, 0xf4, 0x37, 0x77, 0x00, 0x00,
    0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82
};
#define PICTURE_HASH "a207000700700070"

/* Pictures are hashed where a signature may ask for it. */
static void test_pictures(void **state)
{
    static const struct {
        const char *file, *content;
        bool may;
        enum scan_state is;
    } rows[] = {
        { "a.ldb", "Own.Picture;Engine:150-255,Target:0;0;fuzzy_img#" PICTURE_HASH "#0\n", true, SCAN_FOUND },
        { "a.ldb", "Own.Word;Engine:81-255,Target:0;0;66726f626e6963617465\n", false, SCAN_CLEAN },
        { "a.ndb", "Own.Word:0:*:66726f626e6963617465\n", false, SCAN_CLEAN },
    };
    char base[] = "/tmp/sekimori-picture-XXXXXX";
    assert_non_null(mkdtemp(base));
    struct config config = limits();
    config.virus.also = text_of(base);
    config.virus.also_name = TEXT("others");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct engine_result result = { 0 };
        write_file(base, rows[i].file, rows[i].content);
        assert_int_equal(signatures_may_name_pictures(text_of(base)), rows[i].may);
        struct engine *engine = open_engine(&config);
        assert_int_equal(engine->set_count, 2);
        engine->calls->scan(engine, text_from((const char *)picture, sizeof picture), &result);
        assert_int_equal(result.state, rows[i].is);
        engine->calls->close(engine);
        remove_file(base, rows[i].file);
    }
    write_file(base, "daily.cvd", "packed");
    assert_true(signatures_may_name_pictures(text_of(base)));
    remove_file(base, "daily.cvd");
    rmdir(base);
}

/* A first set that cannot be loaded is not tried again without the second. */
static void test_first_set(void **state)
{
    char base[] = "/tmp/sekimori-first-XXXXXX", error[300] = "";
    assert_non_null(mkdtemp(base));
    struct config config = limits();
    config.virus.embedded = EMBEDDED_OFF;
    config.virus.fetched = text_of(base);
    config.virus.also = text_of(SIGNATURES);
    config.virus.also_name = TEXT("others");
    write_file(base, "own.ndb", "this is no signature\n");
    loads = 0;
    assert_null(clamav_open(&config, ROOM, error, sizeof error));
    assert_non_null(strstr(error, base));
    assert_int_equal(loads, 1);
    remove_file(base, "own.ndb");
    rmdir(base);
}

static void said_keep(void *context, const char *file, const char *what)
{
    buffer_printf(context, "%s|", file);
}

/* A trial names what cannot be taken, and loads the rest. */
static void test_trial(void **state)
{
    char base[] = "/tmp/sekimori-trial-XXXXXX";
    struct buffer said = { 0 };
    assert_non_null(mkdtemp(base));
    assert_false(clamav_try(base, said_keep, &said));
    buffer_clear(&said);
    write_file(base, "good.ndb", "Own.Word:0:*:66726f626e6963617465\n");
    write_file(base, "part.yar", "import \"cuckoo\"\nrule a { condition: cuckoo.x }\n");
    write_file(base, "readme.txt", "no signatures\n");
    assert_true(clamav_try(base, said_keep, &said));
    assert_true(text_equal(buffer_text(&said), TEXT("part.yar|")));
    buffer_clear(&said);
    write_file(base, "bad.ndb", "this is no signature\n");
    assert_false(clamav_try(base, said_keep, &said));
    assert_true(text_equal(buffer_text(&said), TEXT("bad.ndb|part.yar|")));
    remove_file(base, "good.ndb");
    remove_file(base, "part.yar");
    remove_file(base, "readme.txt");
    remove_file(base, "bad.ndb");
    rmdir(base);
    buffer_free(&said);
}

/* A file that comes, changes, or a folder that comes is another number; nothing else is. */
static void test_on_disk(void **state)
{
    char base[] = "/tmp/sekimori-disk-XXXXXX", later[200];
    assert_non_null(mkdtemp(base));
    snprintf(later, sizeof later, "%s/later", base);
    struct config config = limits();
    config.virus.embedded = EMBEDDED_ON;
    config.virus.fetched = text_of(base);
    uint64_t before = signatures_on_disk(&config);
    write_file(base, "notes.txt", "no signatures\n");
    assert_true(signatures_on_disk(&config) == before);
    write_file(base, "own.hdb", "44d88612fea8a8f36de82e1278abb02e:68:Other\n");
    uint64_t after = signatures_on_disk(&config);
    assert_true(after != before && after == signatures_on_disk(&config));
    config.virus.also = text_of(later);
    after = signatures_on_disk(&config);
    assert_int_equal(mkdir(later, 0700), 0);
    assert_true(signatures_on_disk(&config) == after);
    write_file(later, "own.hdb", "44d88612fea8a8f36de82e1278abb02e:68:Other\n");
    assert_true(signatures_on_disk(&config) != after);
    remove_file(later, "own.hdb");
    remove_file(base, "later");
    remove_file(base, "own.hdb");
    remove_file(base, "notes.txt");
    rmdir(base);
}

/* What was found here is told once; what another found is known, and not told on. */
static void test_news(void **state)
{
    struct verdict_cache *cache = verdict_cache_new(8);
    uint8_t ours[DIGEST_BYTES] = { 1 }, theirs[DIGEST_BYTES] = { 2 }, told[DIGEST_BYTES];
    const char *name;
    assert_false(verdict_cache_news(cache, told, &name));
    verdict_cache_take(cache, theirs, "Theirs");
    assert_false(verdict_cache_news(cache, told, &name));
    assert_string_equal(verdict_cache_infected(cache, theirs), "Theirs");
    verdict_cache_add_infected(cache, ours, "Ours");
    assert_true(verdict_cache_news(cache, told, &name));
    assert_memory_equal(told, ours, DIGEST_BYTES);
    assert_string_equal(name, "Ours");
    assert_false(verdict_cache_news(cache, told, &name));
    verdict_cache_free(cache);
}

/* What each look sees, and which looks say that something is to be loaded. */
static void test_watch(void **state)
{
    static const struct {
        const char *seen, *says;
    } rows[] = {
        { "aaaaaaaa", "........" },
        { "aabbbbbb", ".....!.." },               /* told once, when it is quiet */
        { "abcdefff", "........" },               /* not while it is being written */
        { "abcdefffff", "........!." },           /* but then */
        { "abbbbaaaaabbbbb", "....!........!." }, /* what was in use again, then the same once more */
        { "abbbbcccccc", "....!...!.." },         /* another one after it */
        { "abbbabbba", "........." },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct signatures_watch watch = { .loaded = 'a', .seen = 'a' };
        for (size_t at = 0; rows[i].seen[at]; at++)
            if (signatures_watch_turn(&watch, (uint64_t)rows[i].seen[at]) != (rows[i].says[at] == '!'))
                fail_msg("%s: look %zu", rows[i].seen, at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_want),          cmocka_unit_test(test_limits),
        cmocka_unit_test(test_no_signatures), cmocka_unit_test(test_built_in_alone),
        cmocka_unit_test(test_second_set),    cmocka_unit_test(test_trial),
        cmocka_unit_test(test_on_disk),       cmocka_unit_test(test_watch),
        cmocka_unit_test(test_news),          cmocka_unit_test(test_first_set),
        cmocka_unit_test(test_pictures)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
