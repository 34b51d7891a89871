/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Keys that sign mail from the file to the signature: what a configuration may say of them, which process is
   handed them, and that what they sign is verified by what is published. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "config/bundle.h"
#include "config/domains.h"
#include "config/load.h"
#include "signer/keyring.h"

static char folder[] = "/tmp/sekimori-signer-XXXXXX";
static const char *const files[] = { "r.pem", "e.pem", "open.pem", "no.pem", "test.conf" };

static void file_put(const char *name, struct text bytes, mode_t mode)
{
    char path[100];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    assert_true(fd >= 0 && file_write_all(fd, bytes) && fchmod(fd, mode) == 0);
    close(fd);
}

static void key_put(const char *name, enum key_kind kind, mode_t mode)
{
    struct buffer pem = { 0 };
    struct private_key *key = private_key_new(kind, 1024);
    private_key_pem_add(key, &pem);
    file_put(name, buffer_text(&pem), mode);
    private_key_free(key);
    buffer_free(&pem);
}

static int folder_open(void **state)
{
    if (!mkdtemp(folder)) return -1;
    key_put("r.pem", KEY_RSA, 0600);
    key_put("e.pem", KEY_ED25519, 0600);
    key_put("open.pem", KEY_RSA, 0644);
    file_put("no.pem", TEXT("no key\n"), 0600);
    return 0;
}

static int folder_close(void **state)
{
    char path[100];
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    return rmdir(folder);
}

/* `says`: a part of one problem, whatever kind; NULL: there must be none. */
static struct config *load(const char *domains, const char *says)
{
    char path[100];
    struct buffer content = { 0 }, all = { 0 };
    struct problem_list problems;
    snprintf(path, sizeof path, "%s/test.conf", folder);
    buffer_printf(
        &content,
        "hostname mx.a.test\nuser nobody\nadmin a@a.test\nlisten 127.0.0.1:2525\nvirus mode off\n%s\n",
        domains);
    file_put("test.conf", buffer_text(&content), 0600);
    problem_list_start(&problems);
    struct config *config = config_load(path, &problems);
    for (size_t i = 0; i < problems.count; i++) problem_print(&problems.items[i], &all);
    struct text told = buffer_text(&all);
    bool is_told = says ? text_find(told, text_of(says)) < told.length : told.length == 0;
    if (!is_told) fail_msg("%s: %.*s", domains, TEXT_ARG(told));
    problem_list_free(&problems);
    buffer_free(&content);
    buffer_free(&all);
    return config;
}

static void what_may_be_said(void **state)
{
    static const struct {
        const char *domains, *says;
        bool is_good;
    } rows[] = {
        { "domains { a.test 127.0.0.1:9 { dkim rsa r:r.pem; dkim ed25519 e:e.pem } }\nauth { seal a.test }",
          NULL, true },
        { "domains { a.test 127.0.0.1:9 { dkim rsa 2026:r.pem x.y_z:open.pem } }",
          "everybody on this machine may read", true },
        { "domains { a.test 127.0.0.1:9 { dkim ed25519 e:e.pem } }", "dkim ed25519 without dkim rsa", true },
        { "domains { a.test 127.0.0.1:9 { dkim rsa r:e.pem } }", "not a key of RSA", false },
        { "domains { a.test 127.0.0.1:9 { dkim rsa r:r.pem; dkim ed25519 e:r.pem } }", "not a key of Ed25519",
          false },
        { "domains { a.test 127.0.0.1:9 { dkim rsa r:no.pem } }", "no private key in PEM", false },
        { "domains { a.test 127.0.0.1:9 { dkim rsa r:gone.pem } }", "No such file", false },
        { "domains { a.test 127.0.0.1:9 { dkim rsa r.pem } }", "selectors and key files", false },
        { "domains { a.test 127.0.0.1:9 { dkim rsa -r:r.pem } }", "is not valid here", false },
        { "domains { a.test 127.0.0.1:9 { dkim rsa r: } }", "is not valid here", false },
        { "domains { a.test 127.0.0.1:9 { dkim rsa a:r.pem b:r.pem c:r.pem d:r.pem e:r.pem } }",
          "one key too many", false },
        { "domains { a.test 127.0.0.1:9 { dkim rsa r:r.pem; dkim ed25519 R:e.pem } }", "stands for two keys",
          false },
        { "domains { a.test 127.0.0.1:9; * mx { dkim rsa r:r.pem } }", "nobody's domain", false },
        { "domains { a.test 127.0.0.1:9 { dkim rsa r:r.pem } }\nauth { seal b.test }",
          "no such domain with a key", false },
        { "role edge\ndomains { a.test 127.0.0.1:9 { dkim rsa r:r.pem } }", "an edge signs nothing", true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct config *config = load(rows[i].domains, rows[i].says);
        if (rows[i].is_good != (config != NULL)) fail_msg("row %zu", i);
        config_free(config);
    }
}

/* Only signer's bundle has them; a printed configuration is read back with the same keys. */
static void who_is_handed_them(void **state)
{
    static const enum bundle_keys parts[] = { BUNDLE_NO_KEYS, BUNDLE_NODE_KEY, BUNDLE_TLS_KEYS,
                                              BUNDLE_SIGNING_KEYS };
    struct config *config = load("domains { a.test 127.0.0.1:9 { dkim rsa r:r.pem } }", NULL);
    char error[200] = "";
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        struct stat facts;
        int fd = config_bundle_memory(config, parts[i]);
        assert_true(fd >= 0 && fstat(fd, &facts) == 0);
        void *map = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        struct text bytes = text_from(map, (size_t)facts.st_size);
        struct config *again = config_bundle_read(bytes, error, sizeof error);
        if (!again) fail_msg("%s", error);
        assert_int_equal(text_find(bytes, TEXT("PRIVATE KEY")) < bytes.length,
                         parts[i] == BUNDLE_SIGNING_KEYS);
        const struct domain *domain = config_signing_domain(again, TEXT("A.test"));
        assert_true(domain && text_equal(domain->dkim_rsa.items[0].selector, TEXT("r")));
        config_free(again);
        munmap(map, (size_t)facts.st_size);
        close(fd);
    }
    config_free(config);
}

static void each_signs_as_itself(void **state)
{
    static const uint8_t digest[KEY_DIGEST_BYTES] = { 1, 2, 3 };
    struct config *config = load("domains {\na.test 127.0.0.1:9 { dkim rsa r:r.pem; dkim ed25519 e:e.pem }\n"
                                 ".b.test 127.0.0.1:9 { dkim rsa r:r.pem } }",
                                 NULL);
    struct keyring *keyring = keyring_new(config);
    struct buffer signature = { 0 }, public = { 0 };
    const char *why = "";
    char error[200];
    uint32_t bits;
    keyring_warm_up(keyring);
    assert_int_equal(keyring_count(keyring), 3);
    assert_true(keyring_sign(keyring, TEXT("r._domainkey.b.test"), digest, &signature, &why));
    buffer_clear(&signature);
    assert_true(keyring_sign(keyring, TEXT("e._domainkey.a.test"), digest, &signature, &why));
    struct private_key *key =
        private_key_load(config_signing_domain(config, TEXT("a.test"))->dkim_ed25519.items[0].file.content,
                         error, sizeof error);
    private_key_public_add(key, &public);
    assert_int_equal(
        public_key_verify(KEY_ED25519, buffer_text(&public), digest, buffer_text(&signature), &bits),
        KEY_HOLDS);
    buffer_clear(&signature);
    assert_false(keyring_sign(keyring, TEXT("e._domainkey.b.test"), digest, &signature, &why));
    assert_string_equal(why, "there is no such key");
    assert_int_equal(buffer_length(&signature), 0);
    private_key_free(key);
    keyring_free(keyring);
    buffer_free(&signature);
    buffer_free(&public);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_may_be_said),
                                        cmocka_unit_test(who_is_handed_them),
                                        cmocka_unit_test(each_signs_as_itself) };
    return cmocka_run_group_tests(tests, folder_open, folder_close);
}
