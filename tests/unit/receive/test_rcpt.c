/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Who is taken as a recipient, one a row: where the message came in, what was taken before, the command, the
   decision. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/domains.h"
#include "config_text.h"
#include "receive/rcpt.h"

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X64 X50 "xxxxxxxxxxxxxx"
#define X250 X50 X50 X50 X50 X50

enum { IN, OUT, THROUGH, THROUGH_OUT, CLOUD }; /* CLOUD: at IN, a client that may be of inside */

static const char config_text[] = "hostname mx.test\nadmin boss@example.test\n"
                                  "listen 127.0.0.1:25 { direction in }\n"
                                  "listen 127.0.0.1:26 { direction out; from 127.0.0.0/8 }\n"
                                  "listen 127.0.0.1:27 { direction in; relay through }\n"
                                  "listen 127.0.0.1:28 { direction out; from 127.0.0.0/8; relay through }\n"
                                  "limits { recipients 3 }\n"
                                  "report { missed spam spam@example.test }\n"
                                  "domains {\n"
                                  "    example.test 127.0.0.1:2525\n"
                                  "    also.test 127.0.0.1:2525\n"
                                  "    other.test 127.0.0.1:2526\n"
                                  "    .under.test 127.0.0.1:2525\n"
                                  "    listed.test 127.0.0.1:2525 { recipients table /listed }\n"
                                  "    minus.test 127.0.0.1:2525 { recipients table /listed; recipients "
                                  "delimiter \"-=\" }\n"
                                  "    whole.test 127.0.0.1:2525 { recipients table /listed; recipients "
                                  "delimiter none }\n"
                                  "    routes.test 127.0.0.1:2525 { recipients routed on }\n"
                                  "    broken.test 127.0.0.1:2525 { recipients table /broken }\n"
                                  "    asked.test 127.0.0.1:2525 { recipients call-out }\n"
                                  "    plain.test 127.0.0.1:2525 { smtputf8 off }\n"
                                  "    xn--r8jz45g.test 127.0.0.1:2525\n"
                                  "}\n";

static const struct row {
    const char *name;
    int port;
    const char *before; /* addresses that were taken, with blanks between */
    const char *command;
    enum rcpt_choice choice;
    uint16_t code;
    const char *enhanced;
    const char *address;  /* as it is named; NULL: as in the command */
    bool smtputf8;        /* MAIL had it */
    bool sender_needs_it; /* by its address */
    bool lacks;           /* the servers are known not to take it */
    bool is_for_us;       /* those before are the node's own; and so is this one when it is taken */
} rows[] = {
#define TAKEN RCPT_TAKEN, 0, NULL
#define AGAIN RCPT_TAKEN_BEFORE, 0, NULL
#define ASKED RCPT_CALL_OUT, 0, NULL
#define NO(code, enhanced) RCPT_REFUSED, code, enhanced
#define UTF8 .smtputf8 = true
#define SENDER .sender_needs_it = true
#define OURS .is_for_us = true
    /* domains */
    { "ours", IN, "", "<a@example.test>", TAKEN },
    { "ours, from inside", OUT, "", "<a@example.test>", TAKEN },
    { "ours in capitals", IN, "", "<A@EXAMPLE.Test>", TAKEN, "A@EXAMPLE.Test" },
    { "a subdomain of what has none", IN, "", "<a@mail.example.test>", NO(550, "5.7.1") },
    { "a subdomain", IN, "", "<a@deep.down.under.test>", TAKEN },
    { "above the subdomains", IN, "", "<a@under.test>", NO(550, "5.7.1") },
    { "the world's, from the world", IN, "", "<a@world.test>", NO(550, "5.7.1") },
    { "the world's, from inside", OUT, "", "<a@world.test>", TAKEN },
    { "a literal", IN, "", "<a@[192.0.2.1]>", NO(550, "5.1.2") },
    { "a literal, from inside", OUT, "", "<a@[192.0.2.1]>", NO(550, "5.1.2") },
    { "a source route is not followed", IN, "", "<@relay.test:a@world.test>", NO(550, "5.7.1"),
      "a@world.test" },

    /* what a server may read as a way to somewhere else */
    { "a percent sign", IN, "", "<a%world.test@example.test>", NO(550, "5.7.1") },
    { "two", IN, "", "<a%b%world.test@example.test>", NO(550, "5.7.1") },
    { "at the end", IN, "", "<a%@example.test>", NO(550, "5.7.1") },
    { "a bang", IN, "", "<world.test!a@example.test>", NO(550, "5.7.1") },
    { "both", IN, "", "<world.test!a%b@example.test>", NO(550, "5.7.1") },
    { "an address in quotes", IN, "", "<\"a@world.test\"@example.test>", NO(550, "5.7.1") },
    { "with a backslash", IN, "", "<\"a\\@world.test\"@example.test>", NO(550, "5.7.1") },
    { "a percent sign in quotes", IN, "", "<\"a%world.test\"@example.test>", NO(550, "5.7.1") },
    { "a bang in quotes", IN, "", "<\"world.test!a\"@example.test>", NO(550, "5.7.1") },
    { "a source route to us", IN, "", "<@relay.test,@b.test:a@example.test>", NO(550, "5.7.1"),
      "a@example.test" },
    { "a source route to our postmaster", IN, "", "<@relay.test:postmaster@example.test>", NO(550, "5.7.1"),
      "postmaster@example.test" },
    { "in a table", IN, "", "<suzuki%world.test@listed.test>", NO(550, "5.7.1") },
    { "before a server is asked", IN, "", "<a%world.test@asked.test>", NO(550, "5.7.1") },
    { "through an edge", THROUGH, "", "<a%world.test@example.test>", NO(550, "5.7.1") },
    { "from inside, a percent sign", OUT, "", "<a%world.test@example.test>", TAKEN },
    { "from inside, a bang", OUT, "", "<world.test!a@example.test>", TAKEN },
    { "from inside, a source route", OUT, "", "<@relay.test:a@example.test>", TAKEN, "a@example.test" },
    { "where it is allowed", IN, "", "<a%world.test@routes.test>", TAKEN },
    { "where it is allowed, a bang", IN, "", "<world.test!a@routes.test>", TAKEN },
    { "where it is allowed, in quotes", IN, "", "<\"a@world.test\"@routes.test>", TAKEN },
    { "where it is allowed, a source route", IN, "", "<@relay.test:a@routes.test>", TAKEN, "a@routes.test" },
    { "others that look odd are none", IN, "", "<a/b=c+d-e#f$g&h'i*j?k^l_m`n{o|p}q~@example.test>", TAKEN },
    { "nor is a colon in quotes", IN, "", "<\"a:b\"@example.test>", TAKEN },

    /* long ones */
    { "a local part of 65", IN, "", "<" X64 "x@example.test>", TAKEN },
    { "of 1,500", IN, "", "<" X250 X250 X250 X250 X250 X250 "@example.test>", TAKEN },
    { "in a table", IN, "", "<" X250 "@listed.test>", TAKEN },
    { "not in a table", IN, "", "<" X250 "x@listed.test>", NO(550, "5.1.1") },

    /* postmaster, RFC 5321 section 4.5.1 */
    { "postmaster without a domain is the administrator", IN, "", "<postmaster>", TAKEN,
      "boss@example.test" },
    { "in capitals", IN, "", "<PostMaster>", TAKEN, "boss@example.test" },
    { "postmaster of a domain", IN, "", "<postmaster@example.test>", TAKEN },
    { "postmaster is in every table", IN, "", "<postmaster@listed.test>", TAKEN },
    { "and in one that cannot be read", IN, "", "<postmaster@broken.test>", TAKEN },
    { "no server is asked about postmaster", IN, "", "<postmaster@asked.test>", TAKEN },
    { "postmaster of the world", IN, "", "<postmaster@world.test>", NO(550, "5.7.1") },

    /* tables, call-outs */
    { "in the table", IN, "", "<suzuki@listed.test>", TAKEN },
    { "in the table by the local part", IN, "", "<Tanaka@listed.test>", TAKEN },
    { "not in the table", IN, "", "<stranger@listed.test>", NO(550, "5.1.1") },
    { "not in the table, from inside", OUT, "", "<stranger@listed.test>", NO(550, "5.1.1") },
    { "nobody knows", IN, "", "<suzuki@broken.test>", NO(450, "4.3.0") },
    { "the server is asked", IN, "", "<a@asked.test>", ASKED },
    { "and again", IN, "b@asked.test", "<a@asked.test>", ASKED },
    { "relaying is denied before a server is asked", IN, "", "<a@mail.asked.test>", NO(550, "5.7.1") },

    { "in the table, in quotes", IN, "", "<\"suzuki\"@listed.test>", TAKEN },
    { "with a backslash", IN, "", "<\"suzuk\\i\"@listed.test>", TAKEN },
    { "what needs quotes", IN, "", "<\"a b\"@listed.test>", TAKEN },
    { "with a backslash that it does not need", IN, "", "<\"a\\ b\"@listed.test>", TAKEN },
    { "the table's quotes are none that an address needs", IN, "", "<ito@listed.test>", TAKEN },
    { "nor in the address", IN, "", "<\"ito\"@listed.test>", TAKEN },
    { "another blank", IN, "", "<\"a  b\"@listed.test>", NO(550, "5.1.1") },
    { "a folder", IN, "", "<suzuki+lists@listed.test>", TAKEN },
    { "a folder in quotes", IN, "", "<\"suzuki+my lists\"@listed.test>", TAKEN },
    { "two delimiters", IN, "", "<suzuki+lists+c@listed.test>", TAKEN },
    { "a folder without a name", IN, "", "<suzuki+@listed.test>", TAKEN },
    { "a stranger's folder", IN, "", "<stranger+suzuki@listed.test>", NO(550, "5.1.1") },
    { "a delimiter in front ends no name", IN, "", "<+suzuki@listed.test>", NO(550, "5.1.1") },
    { "the whole local part is in the table", IN, "", "<web+shop@listed.test>", TAKEN },
    { "and not what stands before", IN, "", "<web@listed.test>", NO(550, "5.1.1") },
    { "no folder", IN, "", "<suzuki-lists@listed.test>", NO(550, "5.1.1") },
    { "the postmaster's folder", IN, "", "<postmaster+x@listed.test>", TAKEN },
    { "the postmaster in quotes", IN, "", "<\"Postmaster\"@listed.test>", TAKEN },
    { "other delimiters", IN, "", "<suzuki-lists@minus.test>", TAKEN },
    { "either of them", IN, "", "<suzuki=lists@minus.test>", TAKEN },
    { "but none of another domain's", IN, "", "<suzuki+lists@minus.test>", NO(550, "5.1.1") },
    { "no delimiter", IN, "", "<suzuki+lists@whole.test>", NO(550, "5.1.1") },

    /* SMTPUTF8 */
    { "an address that needs it", IN, "", "<\xc3\xa4@example.test>", NO(553, "5.6.7") },
    { "and has it", IN, "", "<\xc3\xa4@example.test>", TAKEN, UTF8 },
    { "our domain in U-labels", IN, "", "<a@\xe4\xbe\x8b\xe3\x81\x88.test>", NO(553, "5.6.7"),
      "a@xn--r8jz45g.test" },
    { "and has it: it is the same domain", IN, "", "<a@\xe4\xbe\x8b\xe3\x81\x88.test>", TAKEN,
      "a@xn--r8jz45g.test", UTF8 },
    { "which needs nothing of the server", IN, "", "<a@\xe4\xbe\x8b\xe3\x81\x88.plain.test>",
      NO(550, "5.7.1"), UTF8 },
    { "another domain in U-labels", IN, "", "<a@\xe4\xbe\x8b.test>", NO(550, "5.7.1"), UTF8 },
    { "the same recipient in both forms", IN, "a@xn--r8jz45g.test", "<a@\xe4\xbe\x8b\xe3\x81\x88.test>",
      AGAIN, "a@xn--r8jz45g.test", UTF8 },
    { "said, and not needed", IN, "", "<a@plain.test>", TAKEN, UTF8, .lacks = true },
    { "needed by the recipient, and not taken", IN, "", "<\xc3\xa4@plain.test>", NO(553, "5.6.7"), UTF8 },
    { "needed by the sender, and not taken", IN, "", "<a@plain.test>", NO(553, "5.6.7"), UTF8, SENDER },
    { "the server behind, without it", IN, "", "<a@plain.test>", TAKEN },
    { "the sender needs it", IN, "", "<a@example.test>", TAKEN, UTF8, SENDER },
    { "of the world's, from inside", OUT, "", "<\xc3\xa4@world.test>", TAKEN, UTF8, SENDER },
    { "the node's own", OUT, "", "<spam@example.test>", TAKEN, UTF8, OURS },

    /* limits: three recipients, 64 KiB of addresses */
    { "the third", IN, "a@example.test b@example.test", "<c@example.test>", TAKEN },
    { "the fourth", IN, "a@example.test b@example.test c@example.test", "<d@example.test>",
      NO(452, "4.5.3") },
    { "the fourth of the world's", IN, "a@example.test b@example.test c@example.test", "<d@world.test>",
      NO(452, "4.5.3") },

    /* the same recipient again */
    { "again", IN, "a@example.test", "<a@example.test>", AGAIN },
    { "after another", IN, "b@example.test a@example.test", "<a@example.test>", AGAIN },
    { "the domain in capitals", IN, "a@example.test", "<a@EXAMPLE.test>", AGAIN },
    { "the local part in capitals is somebody else", IN, "a@example.test", "<A@example.test>", TAKEN },
    { "but not where a table says who is who", IN, "suzuki@listed.test", "<Suzuki@listed.test>", AGAIN },
    { "nor the postmaster", IN, "postmaster@example.test", "<PostMaster@example.test>", AGAIN },
    { "in quotes", IN, "a@example.test", "<\"a\"@example.test>", AGAIN },
    { "without", IN, "\"a\"@example.test", "<a@example.test>", AGAIN },
    { "odd dots in quotes", IN, "a..b@example.test", "<\"a..b\"@example.test>", AGAIN },
    { "with a backslash", IN, "\"a(b\"@example.test", "<\"a\\(b\"@example.test>", AGAIN },
    { "with another one", IN, "\"a(b\"@example.test", "<\"a\\\\(b\"@example.test>", TAKEN },
    { "a folder is another", IN, "suzuki@listed.test", "<suzuki+x@listed.test>", TAKEN },
    { "in another domain", IN, "a@example.test", "<a@also.test>", TAKEN },
    { "beyond the limit", IN, "a@example.test b@example.test c@example.test", "<b@example.test>", AGAIN },
    { "of the world's, from inside", OUT, "a@world.test", "<a@World.test>", AGAIN },
    { "that went through", THROUGH, "a@example.test", "<a@example.test>", AGAIN },
    { "no server is asked again", IN, "a@asked.test", "<a@asked.test>", AGAIN },
    { "postmaster without a domain", IN, "boss@example.test", "<postmaster>", AGAIN, "boss@example.test" },

    /* the node's own addresses */
    { "spam, from inside", OUT, "", "<spam@example.test>", TAKEN, OURS },
    { "spam, in capitals", OUT, "", "<SPAM@example.test>", TAKEN, OURS },
    { "spam, from outside", IN, "", "<spam@example.test>", NO(550, "5.7.1"), OURS },
    { "spam in quotes, from outside", IN, "", "<\"spam\"@example.test>", NO(550, "5.7.1"),
      "spam@example.test", OURS },
    { "spam in quotes, from inside", OUT, "", "<\"spam\"@example.test>", TAKEN, "spam@example.test", OURS },
    { "another in quotes stays so", OUT, "", "<\"a b\"@example.test>", TAKEN },
    { "spam twice", OUT, "spam@example.test", "<Spam@example.test>", AGAIN, OURS },
    { "spam after a user", OUT, "a@example.test", "<spam@example.test>", NO(452, "4.5.3") },
    { "a user after spam", OUT, "spam@example.test", "<a@example.test>", NO(452, "4.5.3"), OURS },

    /* a cloud that others use too: on trial, and nothing else */
    { "the world's, on trial", CLOUD, "", "<a@world.test>", TAKEN },
    { "ours, of a cloud", CLOUD, "a@world.test", "<a@example.test>", TAKEN },
    { "a way to somewhere else", CLOUD, "", "<a%world.test@example.test>", NO(550, "5.7.1") },
    { "from there, too", CLOUD, "", "<a%far.test@world.test>", NO(550, "5.7.1") },
    { "a source route, of a cloud", CLOUD, "", "<@relay.test:a@example.test>", NO(550, "5.7.1"),
      "a@example.test" },
    { "spam, of a cloud", CLOUD, "", "<spam@example.test>", NO(550, "5.7.1"), OURS },
    { "no such user, of a cloud", CLOUD, "", "<nobody@listed.test>", NO(550, "5.1.1") },

    /* one way only where a message goes through */
    { "through", THROUGH, "", "<a@example.test>", TAKEN },
    { "the same domain", THROUGH, "a@example.test", "<b@example.test>", TAKEN },
    { "the same domain in capitals", THROUGH, "a@example.test", "<b@EXAMPLE.TEST>", TAKEN },
    { "the same servers", THROUGH, "a@example.test", "<b@also.test>", TAKEN },
    { "other servers", THROUGH, "a@example.test", "<b@other.test>", NO(452, "4.5.3") },
    { "the other way round", THROUGH, "a@other.test", "<b@example.test>", NO(452, "4.5.3") },
    { "two of the world's", THROUGH_OUT, "a@world.test", "<b@wide.test>", NO(452, "4.5.3") },
    { "not through: other servers", IN, "a@example.test", "<b@other.test>", TAKEN },
    { "not through: two of the world's", OUT, "a@world.test", "<b@wide.test>", TAKEN },
    { "postmaster goes the administrator's way", THROUGH, "a@example.test", "<postmaster>", TAKEN,
      "boss@example.test" },
    { "and the others after it", THROUGH, "boss@example.test", "<a@other.test>", NO(452, "4.5.3") },
};

struct stage {
    struct config *config;
    struct tables *tables;
};

static void content_set(struct config *config, const char *domain, const char *content)
{
    size_t at = (size_t)(config_find_domain(config, text_of(domain)) - config->domains);
    config->domains[at].recipients_table.content = text_of(content);
}

static int stage_set(void **state)
{
    static struct stage stage;
    stage.config = config_of_text(text_of(config_text), false);
    static const char listed[] = "suzuki@listed.test\ntanaka\n\"a b\"@listed.test\n\"ito\"\n"
                                 "web+shop@listed.test\n" X250 "@listed.test\nsuzuki@minus.test\n"
                                 "suzuki@whole.test\n";
    content_set(stage.config, "listed.test", listed);
    content_set(stage.config, "minus.test", listed);
    content_set(stage.config, "whole.test", listed);
    content_set(stage.config, "broken.test", "two words\n");
    stage.tables = tables_new(stage.config);
    *state = &stage;
    return 0;
}

static int stage_clear(void **state)
{
    struct stage *stage = *state;
    tables_free(stage->tables);
    config_free(stage->config);
    return 0;
}

/* The recipient is known as it was when it was taken. */
static uint64_t key_when_taken(const struct rcpt_scene *scene, struct text address)
{
    static const struct envelope nobody = { 0 };
    struct rcpt_scene before = *scene;
    struct smtp_command command = { 0 };
    before.envelope = &nobody;
    mailbox_parse(address, false, &command.mailbox);
    return rcpt_decide(&before, &command).key;
}

static void before_add(const struct rcpt_scene *scene, struct envelope *envelope, uint64_t *keys,
                       const char *before)
{
    struct text rest = text_of(before), word;
    while (text_next_word(&rest, &word)) {
        keys[envelope->recipient_count] = key_when_taken(scene, word);
        envelope->recipients[envelope->recipient_count++] = (struct recipient){ .address = word };
    }
}

/* The servers inside are asked what they take where MAIL had SMTPUTF8, unless that is known. */
static void smtputf8_check(const struct row *row, const struct rcpt_decision *decision)
{
    bool is_new = decision->choice == RCPT_TAKEN || decision->choice == RCPT_CALL_OUT;
    bool is_outside = strstr(row->command, "world.test") != NULL;
    bool concerns_a_server = is_new && row->smtputf8 && !row->is_for_us && !is_outside;
    bool needs = row->sender_needs_it || !text_is_ascii(decision->recipient.address);
    if (decision->lacks_smtputf8 != row->lacks) fail_msg("%s: lacks", row->name);
    if (decision->asks_smtputf8 != (concerns_a_server && !row->lacks)) fail_msg("%s: asks", row->name);
    if (decision->needs_smtputf8 != (concerns_a_server && needs)) fail_msg("%s: needs", row->name);
}

static void row_run(const struct stage *stage, const struct row *row)
{
    struct arena *arena = arena_new(0);
    struct recipient recipients[4];
    struct envelope envelope = { .recipients = recipients, .smtputf8 = row->smtputf8 };
    struct smtp_command command;
    struct smtp_error error =
        smtp_command_parse(arena, arena_printf(arena, "RCPT TO:%s", row->command), false, &command);
    if (error.code) fail_msg("%s: %s", row->name, error.text);
    uint64_t keys[4];
    struct rcpt_scene scene = { .config = stage->config,
                                .listener = &stage->config->listeners[row->port == CLOUD ? IN : row->port],
                                .is_undecided = row->port == CLOUD,
                                .tables = stage->tables,
                                .envelope = &envelope,
                                .keys = keys,
                                .arena = arena };
    before_add(&scene, &envelope, keys, row->before);
    scene.sender_needs_smtputf8 = row->sender_needs_it;
    scene.is_for_us = row->is_for_us && envelope.recipient_count;
    struct rcpt_decision decision = rcpt_decide(&scene, &command);
    struct text address = row->address ? text_of(row->address) : command.mailbox.address;
    if (decision.choice != row->choice || decision.reply.code != row->code)
        fail_msg("%s: choice %d, %u", row->name, (int)decision.choice, decision.reply.code);
    if (row->enhanced) assert_string_equal(decision.reply.enhanced, row->enhanced);
    if (!text_equal(decision.recipient.address, address))
        fail_msg("%s: %.*s", row->name, TEXT_ARG(decision.recipient.address));
    if (row->choice != RCPT_REFUSED) assert_int_equal(decision.is_for_us, row->is_for_us);
    smtputf8_check(row, &decision);
    arena_free(arena);
}

static void test_rows(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) row_run(*state, &rows[i]);
}

/* What all recipients take in a frame has its limit, whatever their number. */
static void test_bytes(void **state)
{
    const struct stage *stage = *state;
    struct arena *arena = arena_new(0);
    struct envelope envelope = { 0 };
    struct smtp_command command;
    struct rcpt_scene scene = { .config = stage->config,
                                .listener = stage->config->listeners,
                                .tables = stage->tables,
                                .envelope = &envelope,
                                .arena = arena };
    smtp_command_parse(arena, TEXT("RCPT TO:<a@example.test> ORCPT=rfc822;b@example.test NOTIFY=DELAY"),
                       false, &command);
    struct rcpt_decision decision = rcpt_decide(&scene, &command);
    assert_true(text_equal(decision.recipient.orcpt, command.orcpt));
    assert_int_equal(decision.recipient.notify, command.notify);
    scene.recipient_bytes = 64 * 1024 - rcpt_bytes(&decision.recipient);
    assert_int_equal(rcpt_decide(&scene, &command).choice, RCPT_TAKEN);
    scene.recipient_bytes++;
    assert_int_equal(rcpt_decide(&scene, &command).reply.code, 452);
    arena_free(arena);
}

/* Without an administrator there is the node's own name. */
static void test_postmaster_without_admin(void **state)
{
    const struct stage *stage = *state;
    struct arena *arena = arena_new(0);
    struct config config = *stage->config;
    struct envelope envelope = { 0 };
    struct smtp_command command;
    const struct rcpt_scene scene = { .config = &config,
                                      .listener = config.listeners,
                                      .tables = stage->tables,
                                      .envelope = &envelope,
                                      .arena = arena };
    config.admin = TEXT_NONE;
    smtp_command_parse(arena, TEXT("RCPT TO:<postmaster>"), false, &command);
    struct rcpt_decision decision = rcpt_decide(&scene, &command);
    assert_int_equal(decision.choice, RCPT_TAKEN);
    assert_true(text_equal(decision.recipient.address, TEXT("postmaster@mx.test")));
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_bytes),
                                        cmocka_unit_test(test_postmaster_without_admin) };
    return cmocka_run_group_tests(tests, stage_set, stage_clear);
}
