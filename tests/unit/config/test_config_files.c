/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Configurations on disk: conf.d, the files that settings name, the examples that come with the product, and
   the manual page against the schema. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "config/bundle.h"
#include "config/dump.h"
#include "config/load.h"
#include "config/machine.h"
#include "config/manual.h"

static const char *const scratch_files[] = { "sekimori.conf",
                                             "conf.d/10-a.conf",
                                             "conf.d/20-b.conf",
                                             "conf.d/note.txt",
                                             "conf.d/.x.conf",
                                             "table",
                                             "certificate.pem",
                                             "key.pem",
                                             "other.pem",
                                             "conf.d",
                                             "" };

static void path_in(const char *folder, const char *name, char room[256])
{
    snprintf(room, 256, "%s/%s", folder, name);
}

static void file_write(const char *folder, const char *name, const char *content)
{
    char path[256];
    path_in(folder, name, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(content, file);
    fclose(file);
    chmod(path, 0600);
}

static int scratch_make(void **state)
{
    char path[256], *folder = memory_string(TEXT("/tmp/sekimori-config-XXXXXX"));
    assert_non_null(mkdtemp(folder));
    path_in(folder, "conf.d", path);
    assert_int_equal(mkdir(path, 0700), 0);
    *state = folder;
    return 0;
}

static int scratch_remove(void **state)
{
    char path[256];
    for (size_t i = 0; i < sizeof scratch_files / sizeof *scratch_files; i++) {
        path_in(*state, scratch_files[i], path);
        remove(path);
    }
    free(*state);
    return 0;
}

static struct config *scratch_load(const char *folder, struct problem_list *problems)
{
    char path[256];
    path_in(folder, "sekimori.conf", path);
    problem_list_start(problems);
    return config_load(path, problems);
}

/* The first error must end with this. */
static void fails_with(const char *folder, const char *wanted)
{
    struct problem_list problems;
    struct buffer line = { 0 };
    struct config *config = scratch_load(folder, &problems);
    assert_null(config);
    for (size_t i = 0; i < problems.count && buffer_length(&line) == 0; i++)
        if (!problems.items[i].is_warning) problem_print(&problems.items[i], &line);
    if (!text_ends(buffer_text(&line), text_of(wanted)))
        fail_msg("%.*s, not %s", TEXT_ARG(buffer_text(&line)), wanted);
    buffer_free(&line);
    problem_list_free(&problems);
}

static void conf_d(void **state)
{
    struct problem_list problems;
    file_write(*state, "sekimori.conf", "hostname a.jp\nlisten 127.0.0.1:25\n");
    file_write(*state, "conf.d/20-b.conf", "domains b.jp 10.0.0.2\n");
    file_write(*state, "conf.d/10-a.conf", "domains a.jp 10.0.0.1\n");
    file_write(*state, "conf.d/note.txt", "no configuration\n");
    file_write(*state, "conf.d/.x.conf", "no configuration\n");
    struct config *config = scratch_load(*state, &problems);
    assert_non_null(config);
    assert_int_equal(problems.count, 0);
    assert_int_equal(config->domain_count, 3);
    assert_true(text_equal(config->domains[0].name, TEXT("a.jp")));
    assert_true(text_equal(config->domains[1].name, TEXT("b.jp")));
    config_free(config);
    problem_list_free(&problems);
    file_write(*state, "conf.d/20-b.conf", "hostname b.jp\n");
    fails_with(*state, "/sekimori.conf:1; it stands once");
}

/* Files whose content must be what they are named for. */
static void wrong_content(void **state)
{
    file_write(*state, "table", "not a certificate\n");
    file_write(*state, "sekimori.conf", "hostname a.jp\ndeliver { authorities table }\n");
    fails_with(*state, "table: no root certificate in what the configuration names");
    file_write(*state, "table", "");
    fails_with(*state, "table: the file is empty");
    file_write(*state, "table", "not a certificate\n");
    file_write(*state, "sekimori.conf", "hostname a.jp\nlisten 127.0.0.1:25 { tls certificate table }\n");
    fails_with(*state, "table: certificate: no PEM block of that kind in the file");
}

/* A user may be made after the file: a warning. */
static void unknown_user(void **state)
{
    struct problem_list problems;
    file_write(*state, "sekimori.conf",
               "hostname a.jp\nuser no-such-user\nlisten 127.0.0.1:25\ndomains a.jp 10.0.0.1\n");
    struct config *config = scratch_load(*state, &problems);
    assert_non_null(config);
    assert_int_equal(problems.count, 0); /* not asked by whom it must not keep waiting */
    machine_check_for_start(config, &problems);
    assert_int_equal(problems.count, 1);
    assert_int_equal(problems.items[0].line, 2);
    assert_true(
        text_starts(problems.items[0].message, TEXT("there is no user no-such-user on this machine")));
    config_free(config);
    problem_list_free(&problems);
}

/* Where a running node's state is can be read from a file with errors; another node's never. */
static void state_of_broken_file(void **state)
{
    char path[256], room[256];
    path_in(*state, "sekimori.conf", path);
    file_write(*state, "sekimori.conf", "nonsense 1\nstate /srv/a\nlisten {\n");
    assert_true(config_find_state(path, room, sizeof room));
    assert_string_equal(room, "/srv/a");
    file_write(*state, "sekimori.conf", "hostname a.jp\nstat /srv/a\n");
    assert_false(config_find_state(path, room, sizeof room));
    setenv("SEKIMORI_CONFIG", path, 1);
    assert_true(config_find_state(path, room, sizeof room));
    assert_string_equal(room, "/var/lib/sekimori");
    unsetenv("SEKIMORI_CONFIG");
    path_in(*state, "none.conf", path);
    assert_false(config_find_state(path, room, sizeof room));
}

static void missing(void **state)
{
    fails_with(*state, "sekimori.conf: error: No such file or directory");
    file_write(*state, "sekimori.conf",
               "hostname a.jp\ndomains a.jp 10.0.0.1 { recipients table none-such }\n");
    fails_with(*state, "none-such: No such file or directory");
    file_write(*state, "sekimori.conf", "hostname a.jp\ndomains a.jp 10.0.0.1 { recipients table conf.d }\n");
    fails_with(*state, "conf.d: is a folder");
    file_write(*state, "sekimori.conf", "hostname a.jp\ndomains a.jp 10.0.0.1 { recipients table table }\n");
    file_write(*state, "table", "good\nnot good\n");
    fails_with(*state, "table:2: more than one word; allowed: an address, a local part or @domain");
}

static void too_large(void **state)
{
    char path[256];
    file_write(*state, "sekimori.conf", "hostname a.jp\n");
    path_in(*state, "sekimori.conf", path);
    assert_int_equal(truncate(path, CONFIG_FILE_MOST + 1), 0);
    fails_with(*state, "sekimori.conf: error: is larger than 16 MiB");
}

/* One table for two domains is read once and comes back from the bundle. */
static void tables(void **state)
{
    struct problem_list problems;
    struct buffer out = { 0 };
    char why[256];
    file_write(
        *state, "sekimori.conf",
        "hostname a.jp\nlisten 127.0.0.1:25\n"
        "domains { a.jp 10.0.0.1 { recipients table table }; b.jp 10.0.0.1 { recipients table table } }\n");
    file_write(*state, "table", "postmaster\n");
    struct config *config = scratch_load(*state, &problems);
    assert_non_null(config);
    assert_int_equal(config->domains[0].recipients, RECIPIENTS_TABLE);
    assert_ptr_equal(config->domains[0].recipients_table.content.at,
                     config->domains[1].recipients_table.content.at);
    config_bundle_write(config, &out);
    struct config *again = config_bundle_read(buffer_text(&out), why, sizeof why);
    assert_non_null(again);
    assert_int_equal(again->domains[1].recipients, RECIPIENTS_TABLE);
    assert_true(text_equal(again->domains[1].recipients_table.content, TEXT("postmaster\n")));
    config_free(again);
    config_free(config);
    buffer_free(&out);
    problem_list_free(&problems);
}

static void certificates(void **state)
{
    struct problem_list problems;
    char command[1024];
    const char *folder = *state;
    for (int i = 0; i < 2; i++) {
        snprintf(command, sizeof command,
                 "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=mx -days 90 "
                 "-keyout %s/%s -out %s/certificate.pem 2>/dev/null",
                 folder, i ? "key.pem" : "other.pem", folder);
        assert_int_equal(system(command), 0);
    }
    file_write(folder, "sekimori.conf",
               "hostname a.jp\nlisten 127.0.0.1:25 { tls certificate certificate.pem key key.pem }\n"
               "domains a.jp 10.0.0.1\n");
    struct config *config = scratch_load(folder, &problems);
    assert_non_null(config);
    assert_int_equal(problems.count, 0);
    assert_true(text_starts(config->listeners[0].certificate.content, TEXT("-----BEGIN")));
    config_free(config);
    problem_list_free(&problems);

    snprintf(command, sizeof command, "%s/key.pem", folder);
    chmod(command, 0644);
    config = scratch_load(folder, &problems);
    assert_non_null(config);
    assert_int_equal(problems.warnings, 1);
    config_free(config);
    problem_list_free(&problems);

    file_write(folder, "sekimori.conf",
               "hostname a.jp\nlisten 127.0.0.1:25 { tls certificate certificate.pem key other.pem }\n");
    assert_null(scratch_load(folder, &problems));
    problem_list_free(&problems);
    file_write(folder, "sekimori.conf",
               "hostname a.jp\nlisten 127.0.0.1:25 { tls certificate sekimori.conf }\n");
    assert_null(scratch_load(folder, &problems));
    problem_list_free(&problems);
}

static struct text source_read(const char *path, struct buffer *out)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *room = buffer_reserve(out, 1 << 20);
    buffer_commit(out, fread(room, 1, 1 << 20, file));
    fclose(file);
    return buffer_text(out);
}

/* Every example parses, without a warning. Files they name need not be there. */
static void examples(void **state)
{
    static const char *const names[] = { "conf/sekimori.conf", "conf/three-lines.conf" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct problem_list problems;
        struct buffer content = { 0 }, line = { 0 };
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", SOURCE_ROOT, names[i]);
        problem_list_start(&problems);
        struct config *config = config_load_text(source_read(path, &content), names[i], false, &problems);
        if (problems.count > 0) problem_print(&problems.items[0], &line);
        if (!config || problems.count > 0) fail_msg("%.*s", TEXT_ARG(buffer_text(&line)));
        config_free(config);
        buffer_free(&content);
        problem_list_free(&problems);
    }
}

/* sekimori.conf(5) has, between its two marks, what the schema says: `sekimori dump --manual`. */
static void manual_page(void **state)
{
    struct buffer page = { 0 }, wanted = { 0 };
    struct text text = source_read(SOURCE_ROOT "/man/sekimori.conf.5", &page);
    size_t from = text_find(text, TEXT(".\\\" begin of the schema\n")),
           to = text_find(text, TEXT(".\\\" end of the schema\n"));
    assert_true(from < to && to < text.length);
    manual_print(&wanted);
    struct text found = text_slice(text, from + strlen(".\\\" begin of the schema\n"), to);
    if (!text_equal(found, buffer_text(&wanted)))
        fail_msg("man/sekimori.conf.5 is not what the schema says; put the output of `sekimori dump "
                 "--manual` there");
    buffer_free(&page);
    buffer_free(&wanted);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(conf_d, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(missing, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(wrong_content, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(unknown_user, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(state_of_broken_file, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(too_large, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(tables, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(certificates, scratch_make, scratch_remove),
        cmocka_unit_test(examples),
        cmocka_unit_test(manual_page),
    };
    return cmocka_run_group_tests_name("config files", tests, NULL, NULL);
}
