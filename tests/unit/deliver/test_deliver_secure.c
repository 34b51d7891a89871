/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: mail goes over TLS as the route says: off, offered, required, verified; and never in the clear when
   the route forbids it. */
#include "certificate.h"
#include "scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define FEATURES "PIPELINING\nSIZE\n8BITMIME\nCHUNKING\n"

enum certificate_kind { CERTIFICATE_NONE, CERTIFICATE_KNOWN, CERTIFICATE_UNKNOWN, CERTIFICATE_BROKEN };

struct row {
    const char *name, *options, *features;
    enum certificate_kind certificate;
    struct rule rules[2];
    enum recipient_ending ending;
    const char *enhanced;
    bool is_secure; /* the message went over TLS */
};

static struct row rows[] = {
    { "off",
      "tls off",
      FEATURES "STARTTLS\n",
      CERTIFICATE_KNOWN,
      { { NULL } },
      RECIPIENT_DELIVERED,
      "2.0.0",
      false },
    { "offered",
      "tls offered",
      FEATURES "STARTTLS\n",
      CERTIFICATE_KNOWN,
      { { NULL } },
      RECIPIENT_DELIVERED,
      "2.0.0",
      true },
    { "offered, unknown authority",
      "tls offered",
      FEATURES "STARTTLS\n",
      CERTIFICATE_UNKNOWN,
      { { NULL } },
      RECIPIENT_DELIVERED,
      "2.0.0",
      true },
    { "offered, not there",
      "tls offered",
      FEATURES,
      CERTIFICATE_KNOWN,
      { { NULL } },
      RECIPIENT_DELIVERED,
      "2.0.0",
      false },
    { "offered, refused",
      "tls offered",
      FEATURES "STARTTLS\n",
      CERTIFICATE_KNOWN,
      { { "STARTTLS", "454 4.7.0 not now\r\n" } },
      RECIPIENT_DELIVERED,
      "2.0.0",
      false },
    { "offered, handshake fails",
      "tls offered",
      FEATURES "STARTTLS\n",
      CERTIFICATE_BROKEN,
      { { "STARTTLS", "220 go\r\n", true, false, 1 } },
      RECIPIENT_DELIVERED,
      "2.0.0",
      false },
    { "offered, hangs up at STARTTLS",
      "tls offered",
      FEATURES "STARTTLS\n",
      CERTIFICATE_KNOWN,
      { { "STARTTLS", NULL, false, true, 1 } },
      RECIPIENT_DELIVERED,
      "2.0.0",
      false },
    { "offered, hangs up behind 220",
      "tls offered",
      FEATURES "STARTTLS\n",
      CERTIFICATE_KNOWN,
      { { "STARTTLS", "220 go\r\n", true, false, 1 } },
      RECIPIENT_DELIVERED,
      "2.0.0",
      false },
    { "offered, 421 to STARTTLS",
      "tls offered",
      FEATURES "STARTTLS\n",
      CERTIFICATE_KNOWN,
      { { "STARTTLS", "421 4.7.0 TLS is broken\r\n", true, false, 1 } },
      RECIPIENT_DELIVERED,
      "2.0.0",
      false },
    { "offered, no reply to STARTTLS",
      "tls offered",
      FEATURES "STARTTLS\n",
      CERTIFICATE_KNOWN,
      { { "STARTTLS", "what\r\n", false, false, 1 } },
      RECIPIENT_DELIVERED,
      "2.0.0",
      false },
    { "offered, 250 to STARTTLS",
      "tls offered",
      FEATURES "STARTTLS\n",
      CERTIFICATE_KNOWN,
      { { "STARTTLS", "250 fine\r\n", false, false, 1 } },
      RECIPIENT_DELIVERED,
      "2.0.0",
      false },
    { "required, hangs up at STARTTLS",
      "tls required",
      FEATURES "STARTTLS\n",
      CERTIFICATE_KNOWN,
      { { "STARTTLS", NULL, false, true } },
      RECIPIENT_DEFERRED,
      "4.4.1",
      false },
    { "required, 421 to STARTTLS",
      "tls required",
      FEATURES "STARTTLS\n",
      CERTIFICATE_KNOWN,
      { { "STARTTLS", "421 4.7.0 TLS is broken\r\n", true } },
      RECIPIENT_DEFERRED,
      "4.7.0",
      false },
    { "verified, hangs up at STARTTLS",
      "tls verified",
      FEATURES "STARTTLS\n",
      CERTIFICATE_KNOWN,
      { { "STARTTLS", NULL, false, true } },
      RECIPIENT_DEFERRED,
      "4.4.1",
      false },
    { "required",
      "tls required",
      FEATURES "STARTTLS\n",
      CERTIFICATE_UNKNOWN,
      { { NULL } },
      RECIPIENT_DELIVERED,
      "2.0.0",
      true },
    { "required, not there",
      "tls required",
      FEATURES,
      CERTIFICATE_KNOWN,
      { { NULL } },
      RECIPIENT_DEFERRED,
      "4.7.4",
      false },
    { "required, refused",
      "tls required",
      FEATURES "STARTTLS\n",
      CERTIFICATE_KNOWN,
      { { "STARTTLS", "454 4.7.0 not now\r\n" } },
      RECIPIENT_DEFERRED,
      "4.7.0",
      false },
    { "required, handshake fails",
      "tls required",
      FEATURES "STARTTLS\n",
      CERTIFICATE_BROKEN,
      { { "STARTTLS", "220 go\r\n", true } },
      RECIPIENT_DEFERRED,
      "4.7.5",
      false },
    { "required, no EHLO",
      "tls required",
      FEATURES "STARTTLS\n",
      CERTIFICATE_KNOWN,
      { { "EHLO", "500 what\r\n" } },
      RECIPIENT_DEFERRED,
      "4.3.2",
      false },
    { "verified by address",
      "tls verified",
      FEATURES "STARTTLS\n",
      CERTIFICATE_KNOWN,
      { { NULL } },
      RECIPIENT_DELIVERED,
      "2.0.0",
      true },
    { "verified by name",
      "tls verified name mail.inside.test",
      FEATURES "STARTTLS\n",
      CERTIFICATE_KNOWN,
      { { NULL } },
      RECIPIENT_DELIVERED,
      "2.0.0",
      true },
    { "verified, another name",
      "tls verified name other.inside.test",
      FEATURES "STARTTLS\n",
      CERTIFICATE_KNOWN,
      { { NULL } },
      RECIPIENT_DEFERRED,
      "4.7.5",
      false },
    { "verified, unknown authority",
      "tls verified",
      FEATURES "STARTTLS\n",
      CERTIFICATE_UNKNOWN,
      { { NULL } },
      RECIPIENT_DEFERRED,
      "4.7.5",
      false },
};

static struct tls_context *server_context(struct scene *scene, enum certificate_kind kind)
{
    struct text certificate, key, other;
    char error[200];
    certificate_make(scene->arena, "DNS:mail.inside.test,IP:127.0.0.1", &certificate, &key);
    scene->authorities = certificate;
    if (kind == CERTIFICATE_UNKNOWN)
        certificate_make(scene->arena, "DNS:mail.inside.test", &scene->authorities, &other);
    struct tls_context *context = tls_context_server(certificate, key, error, sizeof error);
    if (!context) fail_msg("%s", error);
    return context;
}

static void row_run(struct row *row)
{
    static struct scene scene;
    scene_start(&scene);
    struct script_server *server = scene_server(&scene, row->features, row->rules);
    server->tls = server_context(&scene, row->certificate);
    scene_configure(&scene, "domains { example.test 127.0.0.1:%u { %s } }\n", server->port, row->options);
    scene_send(&scene,
               &(struct scene_job){ .recipients = "user@example.test", .body = "Subject: a\r\n\r\nb\r\n" });
    scene_wait_results(&scene, 1);
    const struct recipient_result *result = &scene.results[0].recipients[0];
    struct text said = buffer_text(&server->said);
    size_t handshake = text_find(said, TEXT("(secure)")), mail = text_find(said, TEXT("MAIL"));
    bool was_secure = handshake < mail && mail < said.length;
    bool ended_well = result->ending == row->ending && text_equal(result->enhanced, text_of(row->enhanced));
    if (!ended_well || was_secure != row->is_secure || (scene.results[0].tls.length > 0) != row->is_secure)
        fail_msg("%s: ending %d %.*s %.*s, secure %d, tls %.*s", row->name, result->ending,
                 TEXT_ARG(result->enhanced), TEXT_ARG(result->reply), was_secure,
                 TEXT_ARG(scene.results[0].tls));
    if (row->ending != RECIPIENT_DELIVERED && mail < said.length)
        fail_msg("%s: it spoke of the message", row->name);
    struct tls_context *context = server->tls;
    scene_stop(&scene);
    tls_context_free(context);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) row_run(&rows[i]);
}

static unsigned count_of(struct text text, struct text wanted)
{
    unsigned count = 0;
    for (size_t at; (at = text_find(text, wanted)) < text.length; count++)
        text = text_slice(text, at + wanted.length, text.length);
    return count;
}

/* A server whose TLS did not come about is not asked for it again by the next connection. */
static void test_remembered(void **state)
{
    static struct scene scene;
    static struct rule rules[] = { { .command = "STARTTLS", .closes_first = true }, { NULL } };
    (void)state;
    scene_start(&scene);
    struct script_server *server = scene_server(&scene, FEATURES "STARTTLS\n", rules);
    server->tls = server_context(&scene, CERTIFICATE_KNOWN);
    scene_configure(&scene, "deliver { messages 1 }\ndomains { example.test 127.0.0.1:%u { tls offered } }\n",
                    server->port);
    for (unsigned i = 1; i <= 3; i++) {
        scene_send(&scene, &(struct scene_job){ .recipients = "user@example.test", .body = "S: a\r\n\r\n" });
        scene_wait_results(&scene, i);
        assert_int_equal(scene.results[i - 1].recipients[0].ending, RECIPIENT_DELIVERED);
    }
    assert_int_equal(count_of(buffer_text(&server->said), TEXT("STARTTLS")), 1);
    assert_int_equal(server->connections, 4);
    struct tls_context *context = server->tls;
    scene_stop(&scene);
    tls_context_free(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_remembered) };
    return cmocka_run_group_tests_name("deliver secure", tests, NULL, NULL);
}
