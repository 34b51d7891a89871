/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: two nodes know each other by their authority and by nothing else. A client ends the handshake with a
   server that is not the one it wanted; a server goes on, but such a client has no name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/certificate.h"
#include "base/tls.h"

enum { DAY_S = 86400 };

enum who { WALL, EDGE, EXPIRED, FUTURE, STRANGER, NAMELESS, NOBODY, WHO_COUNT };

static struct certificate_pair ours, theirs, pairs[WHO_COUNT];

static void node_make(enum who who, const struct certificate_pair *authority, const char *name,
                      const char *address, int64_t from_days, int64_t until_days)
{
    char error[200];
    int64_t now = (int64_t)time(NULL);
    struct text dns = text_of(name);
    struct address ip;
    struct certificate_wish wish = { .name = dns,
                                     .dns = &dns,
                                     .dns_count = who == NAMELESS ? 0 : 1,
                                     .addresses = &ip,
                                     .address_count = address ? 1 : 0,
                                     .from_s = now + from_days * DAY_S,
                                     .until_s = now + until_days * DAY_S };
    if (address) assert_true(address_parse(text_of(address), &ip));
    if (!certificate_make_node(&wish, buffer_text(&authority->certificate), buffer_text(&authority->key),
                               &pairs[who], error, sizeof error))
        fail_msg("%s", error);
}

static void authority_make(struct certificate_pair *out)
{
    char error[200];
    int64_t now = (int64_t)time(NULL);
    struct certificate_wish wish = { .name = TEXT("authority"),
                                     .from_s = now - 99 * DAY_S,
                                     .until_s = now + 99 * DAY_S };
    assert_true(certificate_make_authority(&wish, out, error, sizeof error));
}

static int all_make(void **state)
{
    authority_make(&ours);
    authority_make(&theirs);
    node_make(WALL, &ours, "wall1.example.jp", "192.0.2.1", -1, 50);
    node_make(EDGE, &ours, "edge1.example.jp", "192.0.2.2", -1, 50);
    node_make(EXPIRED, &ours, "old.example.jp", "192.0.2.1", -9, -1);
    node_make(FUTURE, &ours, "new.example.jp", "192.0.2.1", 1, 9);
    node_make(STRANGER, &theirs, "wall1.example.jp", "192.0.2.1", -1, 50);
    node_make(NAMELESS, &ours, "wall1.example.jp", "192.0.2.9", -1, 50);
    return 0;
}

static void pair_free(struct certificate_pair *pair)
{
    buffer_free(&pair->certificate);
    buffer_free(&pair->key);
}

static int all_free(void **state)
{
    pair_free(&ours);
    pair_free(&theirs);
    for (int i = 0; i < WHO_COUNT; i++) pair_free(&pairs[i]);
    return 0;
}

static struct tls_context *context_of(bool is_server, enum who who)
{
    char error[200] = "";
    struct tls_context *context =
        who == NOBODY
            ? tls_context_client(TEXT_NONE, false, error, sizeof error)
            : tls_context_node(is_server, buffer_text(&pairs[who].certificate), buffer_text(&pairs[who].key),
                               buffer_text(who == STRANGER ? &theirs.certificate : &ours.certificate), error,
                               sizeof error);
    if (!context) fail_msg("%s", error);
    return context;
}

struct talk {
    struct tls *client, *server;
    enum tls_outcome client_outcome, server_outcome;
};

/* Until neither has anything to say. */
static void talk_run(struct talk *talk)
{
    struct buffer to_server = { 0 }, to_client = { 0 }, plain = { 0 };
    tls_begin(talk->client, &to_server);
    while (buffer_length(&to_server) > 0 || buffer_length(&to_client) > 0) {
        struct buffer fresh = { 0 };
        if (talk->server_outcome == TLS_OK && buffer_length(&to_server) > 0)
            talk->server_outcome = tls_receive(talk->server, buffer_text(&to_server), &plain, &to_client);
        buffer_clear(&to_server);
        if (talk->client_outcome == TLS_OK && buffer_length(&to_client) > 0)
            talk->client_outcome = tls_receive(talk->client, buffer_text(&to_client), &plain, &fresh);
        buffer_clear(&to_client);
        buffer_add_text(&to_server, buffer_text(&fresh));
        buffer_free(&fresh);
    }
    buffer_free(&to_server);
    buffer_free(&to_client);
    buffer_free(&plain);
}

#define NAMELESS_ERROR "there is no name to verify the certificate by"
#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN
#define LONG_NAME "wall1.example.jp" FIFTY FIFTY FIFTY FIFTY FIFTY

static const struct {
    enum who server, client;
    const char *wanted;                 /* the server's name or address, as the client knows it */
    const char *client_says;            /* its error; NULL: the handshake is done */
    const char *peer_name, *peer_doubt; /* what the server then knows */
} rows[] = {
    { WALL, EDGE, "wall1.example.jp", NULL, "edge1.example.jp", "" },
    { WALL, EDGE, "WALL1.example.jp", NULL, "edge1.example.jp", "" },
    { WALL, EDGE, "192.0.2.1", NULL, "edge1.example.jp", "" },
    { WALL, NAMELESS, "192.0.2.1", NULL, "wall1.example.jp", "" },
    { WALL, EDGE, "wall2.example.jp", "hostname mismatch (certificate of wall1.example.jp, 192.0.2.1)", NULL,
      NULL },
    { WALL, EDGE, "192.0.2.7", "IP address mismatch (certificate of wall1.example.jp, 192.0.2.1)", NULL,
      NULL },
    { NAMELESS, EDGE, "wall1.example.jp", "hostname mismatch (certificate of 192.0.2.9)", NULL, NULL },
    { EXPIRED, EDGE, "192.0.2.1", "certificate has expired (certificate of old.example.jp, 192.0.2.1)", NULL,
      NULL },
    { FUTURE, EDGE, "192.0.2.1", "certificate is not yet valid (certificate of new.example.jp, 192.0.2.1)",
      NULL, NULL },
    { STRANGER, EDGE, "192.0.2.1",
      "unable to get local issuer certificate (certificate of wall1.example.jp, 192.0.2.1)", NULL, NULL },
    { WALL, EDGE, "", NAMELESS_ERROR, NULL, NULL },
    { WALL, EDGE, ".example.jp", NAMELESS_ERROR, NULL, NULL }, /* OpenSSL: any name below it */
    { WALL, EDGE, LONG_NAME, NAMELESS_ERROR, NULL, NULL },
    { WALL, NOBODY, "192.0.2.1", NULL, "", "" },
    { WALL, NOBODY, "", NULL, "", "" },
    { WALL, EXPIRED, "192.0.2.1", NULL, "",
      "certificate has expired (certificate of old.example.jp, 192.0.2.1)" },
    { WALL, FUTURE, "192.0.2.1", NULL, "",
      "certificate is not yet valid (certificate of new.example.jp, 192.0.2.1)" },
};

static void who_is_known(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tls_context *server = context_of(true, rows[i].server),
                           *client = context_of(false, rows[i].client);
        struct talk talk = { tls_new(client, false, text_of(rows[i].wanted)),
                             tls_new(server, true, TEXT_NONE), TLS_OK, TLS_OK };
        talk_run(&talk);
        bool is_done = tls_is_done(talk.client) && tls_is_done(talk.server) && talk.client_outcome == TLS_OK;
        if (is_done != !rows[i].client_says ||
            (!is_done && strcmp(tls_error(talk.client), rows[i].client_says) != 0))
            fail_msg("row %zu: done %d, \"%s\"", i, is_done, tls_error(talk.client));
        if (is_done && strcmp(tls_peer_name(talk.server), rows[i].peer_name) != 0)
            fail_msg("row %zu: the client is \"%s\"", i, tls_peer_name(talk.server));
        if (is_done && strcmp(tls_peer_doubt(talk.server), rows[i].peer_doubt) != 0)
            fail_msg("row %zu: \"%s\"", i, tls_peer_doubt(talk.server));
        tls_free(talk.client);
        tls_free(talk.server);
        tls_context_free(server);
        tls_context_free(client);
    }
}

/* The part before a NUL is not the name that was asked for. */
static void a_name_with_nul(void **state)
{
    struct tls_context *client = context_of(false, EDGE);
    struct tls *tls = tls_new(client, false, TEXT("wall1.example.jp\0.evil.example"));
    struct buffer flight = { 0 };
    assert_int_equal(tls_begin(tls, &flight), TLS_FAILED);
    assert_int_equal(buffer_length(&flight), 0);
    assert_string_equal(tls_error(tls), NAMELESS_ERROR);
    tls_free(tls);
    tls_context_free(client);
}

/* A client that does not ask whom it meets, with a certificate of another authority: the server has to see
 * it. */
static void a_stranger(void **state)
{
    char error[200];
    struct tls_context *server = context_of(true, WALL);
    struct tls_context *client =
        tls_context_node(false, buffer_text(&pairs[STRANGER].certificate), buffer_text(&pairs[STRANGER].key),
                         buffer_text(&ours.certificate), error, sizeof error);
    struct talk talk = { tls_new(client, false, TEXT("192.0.2.1")), tls_new(server, true, TEXT_NONE), TLS_OK,
                         TLS_OK };
    talk_run(&talk);
    assert_true(tls_is_done(talk.server) && tls_is_done(talk.client));
    assert_string_equal(tls_peer_name(talk.client), "wall1.example.jp");
    assert_string_equal(tls_peer_name(talk.server), "");
    assert_string_equal(
        tls_peer_doubt(talk.server),
        "unable to get local issuer certificate (certificate of wall1.example.jp, 192.0.2.1)");
    tls_free(talk.client);
    tls_free(talk.server);
    tls_context_free(server);
    tls_context_free(client);
}

/* Of a client that a server asks for its certificate: only one that is verified has a name, which is one of
   its subjectAltNames. */
static void who_is_asked(void **state)
{
    static const struct {
        enum who client;
        const char *name;
        bool has;
    } asked[] = {
        { EDGE, "edge1.example.jp", true },      { EDGE, "EDGE1.example.jp", true },
        { EDGE, "wall1.example.jp", false },     { EDGE, "", false },
        { EDGE, ".example.jp", false },          { EDGE, "example.jp", false },
        { NAMELESS, "wall1.example.jp", false }, /* its common name alone says so */
        { EXPIRED, "old.example.jp", false },    { FUTURE, "new.example.jp", false },
        { STRANGER, "wall1.example.jp", false }, { NOBODY, "edge1.example.jp", false },
    };
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        char error[200];
        const struct certificate_pair *pair = &pairs[asked[i].client];
        struct tls_context *server =
            tls_context_asking(buffer_text(&pairs[WALL].certificate), buffer_text(&pairs[WALL].key),
                               buffer_text(&ours.certificate), error, sizeof error);
        struct tls_context *client =
            asked[i].client == NOBODY
                ? context_of(false, NOBODY)
                : tls_context_node(false, buffer_text(&pair->certificate), buffer_text(&pair->key),
                                   buffer_text(&ours.certificate), error, sizeof error);
        struct talk talk = { tls_new(client, false, TEXT("192.0.2.1")), tls_new(server, true, TEXT_NONE),
                             TLS_OK, TLS_OK };
        talk_run(&talk);
        assert_true(tls_is_done(talk.server) && tls_is_done(talk.client));
        if (tls_peer_has_name(talk.server, text_of(asked[i].name)) != asked[i].has) fail_msg("row %zu", i);
        tls_free(talk.client);
        tls_free(talk.server);
        tls_context_free(server);
        tls_context_free(client);
    }
}

/* A port that asks for no certificate knows nobody, even when a node comes. */
static void not_asked(void **state)
{
    char error[200];
    struct tls_context *server = tls_context_server(buffer_text(&pairs[WALL].certificate),
                                                    buffer_text(&pairs[WALL].key), error, sizeof error);
    struct tls_context *client = context_of(false, EDGE);
    struct talk talk = { tls_new(client, false, TEXT("192.0.2.1")), tls_new(server, true, TEXT_NONE), TLS_OK,
                         TLS_OK };
    talk_run(&talk);
    assert_true(tls_is_done(talk.server) && tls_is_done(talk.client));
    assert_string_equal(tls_peer_name(talk.server), "");
    tls_free(talk.client);
    tls_free(talk.server);
    tls_context_free(server);
    tls_context_free(client);
}

/* An authority's file that says nothing must not become "the roots of the system". */
static void no_authority(void **state)
{
    const struct text nothing[] = { TEXT_NONE, TEXT("# empty\n") };
    for (size_t i = 0; i < 2; i++)
        for (int is_server = 0; is_server < 2; is_server++) {
            char error[200] = "";
            assert_null(tls_context_node(is_server, buffer_text(&pairs[WALL].certificate),
                                         buffer_text(&pairs[WALL].key), nothing[i], error, sizeof error));
            assert_true(text_starts(text_of(error), TEXT("authority")));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(who_is_known), cmocka_unit_test(a_name_with_nul),
                                        cmocka_unit_test(a_stranger),   cmocka_unit_test(who_is_asked),
                                        cmocka_unit_test(not_asked),    cmocka_unit_test(no_authority) };
    tls_warm_up();
    return cmocka_run_group_tests(tests, all_make, all_free);
}
