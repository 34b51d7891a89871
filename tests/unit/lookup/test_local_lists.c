/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: a list file is in force once it is whole, a bad one leaves the one before it, and the loop turns
 * meanwhile. */
#include "lookup/local_lists.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config_text.h"

static const char one_list[] =
    "role single; hostname mx.test; listen 192.0.2.25:25; domains { a.test 10.0.0.7 }\n"
    "list own { networks /own.txt }\n";

struct scene {
    struct loop *loop;
    struct local_lists *lists;
    struct config *config;
    unsigned settled, ticks;
    struct timer *ticking;
};

static void settled(void *context)
{
    struct scene *scene = context;
    scene->settled++;
    loop_stop(scene->loop);
}

static void tick(void *context)
{
    struct scene *scene = context;
    scene->ticks++;
    timer_set(scene->ticking, 1);
}

static int file_of(struct text content)
{
    int fd = memfd_create("list", MFD_CLOEXEC);
    assert_true(fd >= 0 && write(fd, content.at, content.length) == (ssize_t)content.length);
    return fd;
}

/* Configures it with that file, and turns until no file is left to be read. */
static struct local_list_state given(struct scene *scene, struct text content)
{
    struct local_list_state state;
    int fd = content.at ? file_of(content) : -1;
    local_lists_configure(scene->lists, scene->config, &fd);
    loop_run(scene->loop);
    assert_true(local_lists_are_settled(scene->lists));
    assert_true(local_lists_state(scene->lists, TEXT("own"), &state));
    return state;
}

static void begin(struct scene *scene)
{
    *scene = (struct scene){ .loop = loop_new(), .config = config_of_text(text_of(one_list), false) };
    scene->lists = local_lists_new(scene->loop, settled, scene);
    scene->ticking = timer_new(scene->loop, tick, scene);
}

static bool has(const struct scene *scene, const char *word)
{
    struct address address;
    struct blocklist_entry entry;
    const struct blocklist *list = local_lists_find(scene->lists, TEXT("own"));
    assert_true(address_parse(text_of(word), &address));
    return list && blocklist_has_address(list, &address, &entry);
}

static void test_bad_files_leave_the_list(void **state)
{
    static const struct {
        const char *content, *problem;
    } rows[] = {
        { "198.51.100.0/24\n0.0.0.0/0\n", "/own.txt:2: \"0.0.0.0/0\" is too wide: IPv4 needs /8, IPv6 /16" },
        { "192.0.2.0/24\n", "/own.txt:1: \"192.0.2.0/24\" has an address of our own" },
        { "10.0.0.7\n", "/own.txt:1: \"10.0.0.7\" has an address of our own" },
        { "\177ELF\1\2\3", "/own.txt:1: a control character: this is no list" },
        { NULL, "/own.txt: cannot be read: the log of master says why" },
    };
    struct scene scene;
    begin(&scene);
    struct local_list_state first = given(&scene, TEXT("203.0.113.0/24 spam\n203.0.114.1\n"));
    assert_true(first.is_in_force && first.entries == 2 && first.problem.length == 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct local_list_state after =
            given(&scene, rows[i].content ? text_of(rows[i].content) : (struct text){ 0 });
        if (!text_equal(after.problem, text_of(rows[i].problem))) fail_msg("%.*s", TEXT_ARG(after.problem));
        assert_true(after.is_in_force && after.entries == 2 && has(&scene, "203.0.113.9"));
        assert_false(has(&scene, "198.51.100.1"));
    }
    struct local_list_state last = given(&scene, TEXT("198.51.100.0/24\n"));
    assert_true(last.problem.length == 0 && last.entries == 1);
    assert_true(has(&scene, "198.51.100.1") && !has(&scene, "203.0.113.9"));
    config_free(scene.config);
}

static void test_the_loop_turns_meanwhile(void **state)
{
    enum { ENTRIES = 200000 };
    struct buffer file = { 0 };
    struct scene scene;
    begin(&scene);
    for (unsigned i = 0; i < ENTRIES; i++)
        buffer_printf(&file, "%u.%u.%u.0/24\n", 20 + (i >> 16), i >> 8 & 255, i & 255);
    timer_set(scene.ticking, 1);
    struct local_list_state whole = given(&scene, buffer_text(&file));
    assert_int_equal(whole.entries, ENTRIES);
    assert_in_range(scene.ticks, 5, 1000000);
    assert_true(has(&scene, "20.1.2.3"));
    buffer_free(&file);
    config_free(scene.config);
}

static void test_at_the_start_nobody_waits(void **state)
{
    struct scene scene;
    begin(&scene);
    int fd = file_of(TEXT("203.0.113.0/24\n"));
    local_lists_configure(scene.lists, scene.config, &fd);
    local_lists_finish(scene.lists);
    assert_true(has(&scene, "203.0.113.1"));
    config_free(scene.config);
}

/* What was said of a file that was offered. */
static void taken(void *context, const char *why)
{
    snprintf(context, 300, "%s", why ? why : "taken");
}

static void offered(struct scene *scene, uint64_t came_ms, struct text content, char says[300])
{
    const struct local_list_offer offer = { taken, says };
    says[0] = '\0';
    local_lists_offer(scene->lists, TEXT("own"), came_ms, file_of(content), &offer);
    if (!says[0]) loop_run(scene->loop);
    assert_true(says[0]);
}

static void test_files_by_https(void **state)
{
    char says[300];
    struct scene scene;
    struct local_list_state now;
    begin(&scene);
    config_free(scene.config);
    scene.config = config_of_text(
        TEXT("role single; hostname mx.test; listen 192.0.2.25:25; domains { a.test 10.0.0.7 }\n"
             "list own { networks https://a.test/own.txt }\nlist file { names /n }\n"),
        false);
    int fds[] = { -1, file_of(TEXT("a.test\n")) };
    local_lists_configure(scene.lists, scene.config, fds);
    loop_run(scene.loop);
    assert_true(local_lists_state(scene.lists, TEXT("own"), &now));
    assert_true(now.is_fetched && !now.is_in_force && !now.is_stale && now.problem.length == 0);
    offered(&scene, 1, TEXT("198.51.100.0/24\n"), says);
    assert_string_equal(says, "taken");
    assert_true(has(&scene, "198.51.100.7"));
    offered(&scene, 1, TEXT("what has the same time is not read\n"), says);
    assert_string_equal(says, "taken");
    offered(&scene, 2, TEXT("10.0.0.0/24\n"), says);
    assert_string_equal(says, "https://a.test/own.txt:1: \"10.0.0.0/24\" has an address of our own");
    assert_true(has(&scene, "198.51.100.7"));
    local_lists_fetched(scene.lists, TEXT("own"), 1000, TEXT("the server says 404"));
    assert_true(local_lists_state(scene.lists, TEXT("own"), &now));
    assert_true(now.is_stale && now.fetched_ms == 1000 &&
                text_equal(now.trouble, TEXT("the server says 404")));
    const struct local_list_offer offer = { taken, says };
    local_lists_offer(scene.lists, TEXT("file"), 1, file_of(TEXT("b.test\n")), &offer);
    assert_string_equal(says, "no list by HTTPS has this name");
    local_lists_offer(scene.lists, TEXT("own"), 3, file_of(TEXT("198.51.100.0/24\n")), &offer);
    int again[] = { -1, file_of(TEXT("a.test\n")) };
    local_lists_configure(scene.lists, scene.config,
                          again); /* a reload in between: it is to be brought again */
    assert_string_equal(says, "the configuration was read anew");
    assert_true(has(&scene, "198.51.100.7"));
    config_free(scene.config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_files_leave_the_list),
        cmocka_unit_test(test_the_loop_turns_meanwhile),
        cmocka_unit_test(test_at_the_start_nobody_waits),
        cmocka_unit_test(test_files_by_https),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
