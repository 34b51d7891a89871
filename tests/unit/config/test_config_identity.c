/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What `check` says of certificates: those of the node and those of listeners. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/certificate.h"
#include "config/bundle.h"
#include "config/load.h"

enum { DAY_S = 86400 };

static const char *const files[] = { "ca.pem",   "ca.key",        "other.pem", "other.key",
                                     "good.pem", "good.key",      "old.pem",   "old.key",
                                     "soon.pem", "soon.key",      "open.pem",  "open.key",
                                     "half.pem", "sekimori.conf", "t.table",   "both.pem" };

static char folder[] = "/tmp/sekimori-identity-XXXXXX";

static void file_write(const char *name, const char *ending, struct text content, mode_t mode)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, ending);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(content.at, 1, content.length, file), content.length);
    fclose(file);
    chmod(path, mode);
}

static void authority_make(const char *name, struct certificate_pair *out)
{
    char error[200];
    int64_t now = (int64_t)time(NULL);
    struct certificate_wish wish = { .name = text_of(name),
                                     .from_s = now - 400 * DAY_S,
                                     .until_s = now + 400 * DAY_S };
    assert_true(certificate_make_authority(&wish, out, error, sizeof error));
    file_write(name, "pem", buffer_text(&out->certificate), 0644);
    file_write(name, "key", buffer_text(&out->key), 0600);
}

static void node_make(const char *name, const struct certificate_pair *authority, int64_t days,
                      mode_t key_mode)
{
    char error[200];
    struct text dns = text_of(name);
    struct certificate_pair pair = { 0 };
    int64_t now = (int64_t)time(NULL);
    struct certificate_wish wish = { .name = dns,
                                     .dns = &dns,
                                     .dns_count = 1,
                                     .from_s = now - 300 * DAY_S,
                                     .until_s = now + days * DAY_S + 60 };
    assert_true(certificate_make_node(&wish, buffer_text(&authority->certificate),
                                      buffer_text(&authority->key), &pair, error, sizeof error));
    file_write(name, "pem", buffer_text(&pair.certificate), 0644);
    file_write(name, "key", buffer_text(&pair.key), key_mode);
    if (days > 100) file_write("half", "pem", text_slice(buffer_text(&pair.certificate), 0, 200), 0644);
    buffer_free(&pair.certificate);
    buffer_free(&pair.key);
}

static int scratch_make(void **state)
{
    struct certificate_pair ours = { 0 }, theirs = { 0 };
    assert_non_null(mkdtemp(folder));
    authority_make("ca", &ours);
    authority_make("other", &theirs);
    node_make("good", &ours, 300, 0600);
    node_make("old", &ours, -2, 0600);
    node_make("soon", &ours, 5, 0600);
    node_make("open", &ours, 60, 0644);
    buffer_free(&ours.certificate);
    buffer_free(&ours.key);
    buffer_free(&theirs.certificate);
    buffer_free(&theirs.key);
    return 0;
}

static int scratch_remove(void **state)
{
    char path[256];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    return rmdir(folder);
}

static const struct {
    const char *text;
    bool good;
    const char *says; /* "": nothing; stands in the only problem */
} rows[] = {
    { "node { certificate good.pem; key good.key; ca ca.pem }", true, "" },
    { "node { certificate good.pem; key good.key; ca ca.pem }; listen 127.0.0.1:2 { tls node }", true, "" },
    { "node { certificate old.pem; key old.key; ca ca.pem }; listen 127.0.0.1:2 { tls node }", true,
      "has expired, on 20" },
    { "node { certificate soon.pem; key soon.key; ca ca.pem }; listen 127.0.0.1:2 { tls node }", true,
      "soon.pem expires in 5 days, on 20" },
    { "node { certificate open.pem; key open.key; ca ca.pem }; listen 127.0.0.1:2 { tls node }", true,
      "everybody on this machine may read the key" },
    { "node { certificate good.pem; key old.key; ca ca.pem }", false, "old.key: key: key values mismatch" },
    { "node { certificate half.pem; key good.key; ca ca.pem }", false, "half.pem with key" },
    { "node { certificate good.pem; key good.key; ca other.pem }", false,
      "other.pem: unable to get local issuer certificate" },
    { "node { certificate good.pem; key good.key; ca good.key }", false,
      "good.key: there is no certificate of an authority" },
    { "node { certificate ca.pem; key ca.key; ca ca.pem }", false, "ca.pem: unsuitable certificate purpose" },
    { "node { certificate good.pem; key good.key; ca none.pem }", false,
      "none.pem: No such file or directory" },
    { "listen 127.0.0.1:2 { tls certificate old.pem key old.key }", true, "old.pem has expired, on 20" },
    { "listen 127.0.0.1:2 { tls certificate soon.pem key soon.key }; listen 127.0.0.1:3 { tls certificate "
      "soon.pem key soon.key }",
      true, "soon.pem expires in 5 days" },
    { "node { certificate good.pem; key good.key; ca ca.pem }; listen 127.0.0.1:2 { tls node certificate "
      "soon.pem key soon.key }",
      true, "soon.pem expires in 5 days" },
};

static void check_says(void **state)
{
    char path[256];
    snprintf(path, sizeof path, "%s/sekimori.conf", folder);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct problem_list problems;
        struct buffer content = { 0 }, line = { 0 };
        buffer_printf(&content, "hostname a.jp\nlisten 127.0.0.1:2525\ndomains a.jp 10.0.0.1\n%s\n",
                      rows[i].text);
        file_write("sekimori", "conf", buffer_text(&content), 0600);
        problem_list_start(&problems);
        struct config *config = config_load(path, &problems);
        for (size_t j = 0; j < problems.count; j++) problem_print(&problems.items[j], &line);
        struct text said = buffer_text(&line);
        bool fits = problems.count == (*rows[i].says ? 1 : 0) &&
                    (!*rows[i].says || text_find(said, text_of(rows[i].says)) < said.length);
        if (!fits || (config != NULL) != rows[i].good)
            fail_msg("row %zu: %s\n%.*s", i, config ? "good" : "bad", TEXT_ARG(said));
        config_free(config);
        problem_list_free(&problems);
        buffer_free(&content);
        buffer_free(&line);
    }
}

/* Processes in jails get the three files, and the listener the node's. */
static void in_the_bundle(void **state)
{
    char path[256], error[200] = "";
    struct problem_list problems;
    struct buffer bundle = { 0 };
    snprintf(path, sizeof path, "%s/sekimori.conf", folder);
    file_write(
        "sekimori", "conf",
        TEXT("hostname a.jp\nlisten 127.0.0.1:2525 { tls node }\n"
             "node { certificate good.pem; key good.key; ca ca.pem }\ndomains a.jp 10.0.0.1 { tls node }\n"),
        0600);
    problem_list_start(&problems);
    struct config *config = config_load(path, &problems);
    assert_non_null(config);
    config_bundle_write(config, &bundle);
    struct config *again = config_bundle_read(buffer_text(&bundle), error, sizeof error);
    if (!again) fail_msg("%s", error);
    assert_true(text_equal(again->node.certificate.content, config->node.certificate.content));
    assert_true(text_equal(again->node.key.content, config->node.key.content));
    assert_true(text_equal(again->node.ca.content, config->node.ca.content));
    assert_true(again->node.ca.content.length > 100);
    assert_int_equal(again->listeners[0].tls, TLS_NODE);
    assert_true(text_equal(again->listeners[0].certificate.content, config->node.certificate.content));
    assert_true(text_equal(again->listeners[0].key.content, config->node.key.content));
    assert_int_equal(again->domains[0].tls, TLS_NODE);
    buffer_free(&bundle);
    config_free(config);
    config_free(again);
    problem_list_free(&problems);
}

static bool has(struct text content, const char *words)
{
    return text_find(content, text_of(words)) < content.length;
}

static void file_add(const char *name, struct buffer *out)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    buffer_commit(out, fread(buffer_reserve(out, 65536), 1, 65536, file));
    fclose(file);
}

/* A process gets the keys that its part in master/roles.c says, and of other files their certificates. */
static void keys_in_the_bundle(void **state)
{
    static const struct {
        enum bundle_keys keys;
        bool has_node, has_listener;
    } parts[] = { { BUNDLE_NO_KEYS, false, false },
                  { BUNDLE_NODE_KEY, true, false },
                  { BUNDLE_TLS_KEYS, true, true } };
    struct buffer both = { 0 };
    struct problem_list problems;
    char path[256], error[200] = "";
    snprintf(path, sizeof path, "%s/sekimori.conf", folder);
    file_write("sekimori", "conf",
               TEXT("hostname a.jp\nlisten 127.0.0.1:2525 { tls certificate both.pem }\n"
                    "node { certificate good.pem; key good.key; ca ca.pem }\n"),
               0600);
    file_add("good.key", &both);
    file_add("good.pem", &both);
    file_write("both", "pem", buffer_text(&both), 0600);
    problem_list_start(&problems);
    struct config *config = config_load(path, &problems);
    assert_non_null(config);
    assert_true(has(config->node.key.content, "SECRET") && has(config->node.key.content, "PRIVATE KEY"));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct stat facts;
        int fd = config_bundle_memory(config, parts[i].keys);
        assert_true(fd >= 0 && fstat(fd, &facts) == 0);
        void *map = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        struct text bytes = text_from(map, (size_t)facts.st_size);
        struct config *again = config_bundle_read(bytes, error, sizeof error);
        if (!again) fail_msg("%s", error);
        assert_int_equal(has(again->node.key.content, "PRIVATE KEY"), parts[i].has_node);
        assert_int_equal(has(again->node.key.content, "SECRET"), parts[i].has_node);
        assert_int_equal(has(again->listeners[0].key.content, "PRIVATE KEY"), parts[i].has_listener);
        assert_int_equal(has(bytes, "PRIVATE KEY"), parts[i].has_node || parts[i].has_listener);
        assert_true(has(again->listeners[0].certificate.content, "-----BEGIN CERTIFICATE-----"));
        assert_true(text_equal(again->node.certificate.content, config->node.certificate.content));
        assert_true(text_equal(again->node.ca.content, config->node.ca.content));
        config_free(again);
        munmap(map, (size_t)facts.st_size);
        close(fd);
    }
    buffer_free(&both);
    config_free(config);
    problem_list_free(&problems);
}

static void conf_write(const char *tail)
{
    struct buffer content = { 0 };
    buffer_printf(&content,
                  "hostname a.jp\nlisten 127.0.0.1:2525 { tls certificate good.pem key good.key }\n"
                  "domains a.jp 10.0.0.1 { recipients table t.table }\n%s\n",
                  tail);
    file_write("sekimori", "conf", buffer_text(&content), 0600);
    buffer_free(&content);
}

/* Only certificates are read anew; statements and tables stay what they were. */
static void renewed(void **state)
{
    char path[256], error[200] = "";
    struct problem_list problems;
    struct certificate_pair authority = { 0 };
    snprintf(path, sizeof path, "%s/sekimori.conf", folder);
    problem_list_start(&problems);
    conf_write("node { certificate good.pem; key good.key; ca ca.pem }");
    file_write("t", "table", TEXT("postmaster\n"), 0600);
    struct config *config = config_load(path, &problems);
    assert_non_null(config);
    conf_write("no configuration");
    file_write("t", "table", TEXT("not good either\n"), 0600);
    struct config *same = config_renew(config, &problems);
    assert_non_null(same);
    assert_true(text_equal(same->node.key.content, config->node.key.content));
    authority_make("ca", &authority);
    assert_null(config_renew(config, &problems)); /* good.pem is of the old one */
    node_make("good", &authority, 300, 0600);
    struct config *fresh = config_renew(config, &problems);
    assert_non_null(fresh);
    assert_false(text_equal(fresh->node.key.content, config->node.key.content));
    assert_true(text_equal(fresh->node.key.content, fresh->listeners[0].key.content));
    assert_true(text_equal(fresh->domains[0].recipients_table.content, TEXT("postmaster\n")));
    assert_true(text_equal(fresh->hostname, TEXT("a.jp")));
    config_free(config);
    struct buffer bundle = { 0 }; /* it stands on its own, and can be renewed and passed on again */
    config_bundle_write(fresh, &bundle);
    struct config *passed = config_bundle_read(buffer_text(&bundle), error, sizeof error);
    struct config *again = config_renew(fresh, &problems);
    assert_true(passed && again);
    assert_true(text_equal(again->node.key.content, passed->node.key.content));
    file_write("good", "key", TEXT("-----BEGIN PRIVATE KEY-----\n"), 0600);
    assert_null(config_renew(fresh, &problems));
    config_free(same);
    config_free(fresh);
    config_free(passed);
    config_free(again);
    buffer_free(&bundle);
    buffer_free(&authority.certificate);
    buffer_free(&authority.key);
    problem_list_free(&problems);
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(check_says), cmocka_unit_test(in_the_bundle),
                                               cmocka_unit_test(keys_in_the_bundle),
                                               cmocka_unit_test(renewed) };
    return cmocka_run_group_tests_name("config identity", tests, scratch_make, scratch_remove);
}
