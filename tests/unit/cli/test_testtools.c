/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The pure parts of the test tools: what the sink is told to do, and messages made ready for the wire; and
   the JSON that the command prints. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "cli/mail_files.h"
#include "cli/testtools/sink_behaviour.h"
#include "said.h"

static void describe(const struct sink_behaviour *behaviour, char *room, size_t size)
{
    static const char *const states[] = {
        "connect", "hello", "mail", "rcpt", "data", "end", "kept", "never"
    };
    snprintf(room, size, "defer %u@%s refuse %s stall %llu@%s drop %s without %x to %s,%s",
             behaviour->defer_percent, states[behaviour->defer_at], states[behaviour->refuse_at],
             (unsigned long long)behaviour->stall_ms, states[behaviour->stall_at], states[behaviour->drop_at],
             behaviour->without, behaviour->defer_to, behaviour->refuse_to);
}

#define NOTHING "defer 0@never refuse never stall 0@never drop never without 0 to ,"

static void statements(void **state)
{
    static const struct {
        const char *word, *value, *wanted; /* NULL: refused */
    } rows[] = {
        { "defer", "30", "defer 30@end refuse never stall 0@never drop never without 0 to ," },
        { "defer", "100@rcpt", "defer 100@rcpt refuse never stall 0@never drop never without 0 to ," },
        { "defer", "ALL@Connect", "defer 100@connect refuse never stall 0@never drop never without 0 to ," },
        { "defer", "0@mail", NOTHING },
        { "defer", "101", NULL },
        { "defer", "-1", NULL },
        { "defer", "", NULL },
        { "defer", "30@", NULL },
        { "defer", "30@never", NULL },
        { "defer", "30@kept", NULL },
        { "refuse", "all", "defer 0@never refuse mail stall 0@never drop never without 0 to ," },
        { "refuse", "data", "defer 0@never refuse data stall 0@never drop never without 0 to ," },
        { "refuse", "kept", NULL },
        { "refuse", "", NULL },
        { "stall", "2", "defer 0@never refuse never stall 2000@end drop never without 0 to ," },
        { "stall", "2.5@data", "defer 0@never refuse never stall 2500@data drop never without 0 to ," },
        { "stall", "0.001", "defer 0@never refuse never stall 1@end drop never without 0 to ," },
        { "stall", "86400", "defer 0@never refuse never stall 86400000@end drop never without 0 to ," },
        { "stall", "0", NOTHING },
        { "stall", "86401", NULL },
        { "stall", "2.", NULL },
        { "stall", ".5", NULL },
        { "stall", "2.5000", NULL },
        { "stall", "2s", NULL },
        { "drop", "kept", "defer 0@never refuse never stall 0@never drop kept without 0 to ," },
        { "drop", "all", NULL },
        { "no-ext", "DSN,size", "defer 0@never refuse never stall 0@never drop never without 22 to ," },
        { "no-ext", "all", "defer 0@never refuse never stall 0@never drop never without 1ff to ," },
        { "no-ext", "", NOTHING },
        { "no-ext", "DSN SIZE", NULL },
        { "no-ext", "DSN,,SIZE", NULL },
        { "defer-to", "slow@", "defer 0@never refuse never stall 0@never drop never without 0 to slow@," },
        { "refuse-to", "nobody", "defer 0@never refuse never stall 0@never drop never without 0 to ,nobody" },
        { "refuse-to", "", NULL },
        { "Defer", "30", NULL },
        { "", "", NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sink_behaviour behaviour;
        char got[300];
        sink_behaviour_start(&behaviour);
        const char *why = sink_behaviour_set(&behaviour, text_of(rows[i].word), text_of(rows[i].value));
        describe(&behaviour, got, sizeof got);
        if (!why != (rows[i].wanted != NULL))
            fail_msg("%s %s: %s", rows[i].word, rows[i].value, why ? why : got);
        if (!why) assert_string_equal(got, rows[i].wanted);
    }
}

static void file_fill(const char *path, const char *content)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && write(fd, content, strlen(content)) == (ssize_t)strlen(content));
    close(fd);
}

/* What the control file says comes on top of the options, and goes with it. */
static void control_file(void **state)
{
    char path[] = "/tmp/sekimori-control-XXXXXX", why[200] = "", got[300];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    struct sink_behaviour base, behaviour;
    struct sink_control control = { .path = path };
    sink_behaviour_start(&base);
    assert_null(sink_behaviour_set(&base, TEXT("drop"), TEXT("rcpt")));
    file_fill(path, "# a comment\n\n  defer 30 # and why\r\nstall  1.5@mail\n");
    assert_true(sink_control_check(&control, &base, &behaviour, why, sizeof why));
    describe(&behaviour, got, sizeof got);
    assert_string_equal(got, "defer 30@end refuse never stall 1500@mail drop rcpt without 0 to ,");
    file_fill(path, "refuse all\nwobble 3\ndefer 20\n");
    assert_false(sink_control_check(&control, &base, &behaviour, why, sizeof why));
    assert_true(text_starts(text_of(why), TEXT("line 2: the word is not one of ")));
    describe(&behaviour, got, sizeof got); /* what stands before the error is in force */
    assert_string_equal(got, "defer 0@never refuse mail stall 0@never drop rcpt without 0 to ,");
    assert_true(sink_control_check(&control, &base, &behaviour, why, sizeof why)); /* not read again */
    unlink(path);
    assert_true(sink_control_check(&control, &base, &behaviour, why, sizeof why));
    describe(&behaviour, got, sizeof got);
    assert_string_equal(got, "defer 0@never refuse never stall 0@never drop rcpt without 0 to ,");
}

static void line_ends(void **state)
{
    static const struct {
        struct text raw, wanted;
    } rows[] = {
        { TEXT(""), TEXT("") },
        { TEXT("a"), TEXT("a\r\n") },
        { TEXT("a\n"), TEXT("a\r\n") },
        { TEXT("a\r\n"), TEXT("a\r\n") },
        { TEXT("a\rb"), TEXT("a\r\nb\r\n") },
        { TEXT("a\n\nb\r\r\n"), TEXT("a\r\n\r\nb\r\n\r\n") },
        { TEXT("\0\n\xff"), TEXT("\0\r\n\xff\r\n") },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buffer out = { 0 };
        mail_crlf(rows[i].raw, &out);
        if (!text_equal(buffer_text(&out), rows[i].wanted))
            fail_msg("row %zu: %.*s", i, TEXT_ARG(buffer_text(&out)));
        buffer_free(&out);
    }
}

static int json_sample(void *context)
{
    struct json *object = json_new_object(), *array = json_new_array();
    json_set_string(object, "z", "first");
    json_set_text(object, "bad", TEXT("a\xff\xe3\x81z\"\\\x01"));
    json_set_string(object, "none", NULL);
    json_set_number(object, "number", INT64_MIN);
    json_set_bool(object, "yes", true);
    json_add_text(array, TEXT("日本"));
    json_add_number(array, 7);
    json_set(object, "array", array);
    json_print(object, stdout, false);
    return 0;
}

static void json_is_printed(void **state)
{
    struct said said;
    said_by(json_sample, NULL, &said);
    struct json *back = json_parse(text_of(said.out));
    assert_non_null(back);
    assert_true(text_starts(text_of(said.out), TEXT("{\"z\"")) && text_ends(text_of(said.out), TEXT("}\n")));
    assert_string_equal(json_get_string(back, "z"), "first");
    assert_true(text_starts(text_of(json_get_string(back, "bad")), TEXT("a\xef\xbf\xbd")));
    assert_true(text_ends(text_of(json_get_string(back, "bad")), TEXT("z\"\\\x01")));
    assert_true(json_get_number(back, "number") == INT64_MIN);
    assert_int_equal(json_count(json_get(back, "array")), 2);
    assert_true(text_equal(json_as_text(json_at(json_get(back, "array"), 0)), TEXT("日本")));
    assert_string_equal(json_get_string(back, "missing"), "");
    assert_int_equal(json_get_number(back, "z"), 0);
    json_free(back);
    static const char *const broken[] = { "", "{", "{\"a\":}", "nonsense", "{\"a\":1}x" };
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        if (json_parse(text_of(broken[i]))) fail_msg("%s is JSON?", broken[i]);
    json_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements),
        cmocka_unit_test(control_file),
        cmocka_unit_test(line_ends),
        cmocka_unit_test(json_is_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
