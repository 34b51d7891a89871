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

enum { IN, OUT, THROUGH, THROUGH_OUT };

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
                                  "    broken.test 127.0.0.1:2525 { recipients table /broken }\n"
                                  "    asked.test 127.0.0.1:2525 { recipients call-out }\n"
                                  "    plain.test 127.0.0.1:2525 { smtputf8 off }\n"
                                  "}\n";

static const struct row {
    const char *name;
    int port;
    const char *before; /* addresses that were taken, with blanks between */
    const char *command;
    enum rcpt_choice choice;
    uint16_t code;
    const char *enhanced;
    const char *address; /* as it is named; NULL: as in the command */
    bool smtputf8;       /* MAIL had it */
    bool is_for_us;      /* those before are the node's own; and so is this one when it is taken */
} rows[] = {
#define TAKEN RCPT_TAKEN, 0, NULL
#define AGAIN RCPT_TAKEN_BEFORE, 0, NULL
#define ASKED RCPT_CALL_OUT, 0, NULL
#define NO(code, enhanced) RCPT_REFUSED, code, enhanced
#define UTF8 .smtputf8 = true
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
    { "a percent sign is no route", IN, "", "<a%world.test@example.test>", TAKEN },

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

    /* SMTPUTF8 */
    { "an address that needs it", IN, "", "<\xc3\xa4@example.test>", NO(553, "5.6.7") },
    { "and has it", IN, "", "<\xc3\xa4@example.test>", TAKEN, UTF8 },
    { "the server behind does not take it", IN, "", "<a@plain.test>", NO(553, "5.6.7"), UTF8 },
    { "the server behind, without it", IN, "", "<a@plain.test>", TAKEN },

    /* limits: three recipients, 64 KiB of addresses */
    { "the third", IN, "a@example.test b@example.test", "<c@example.test>", TAKEN },
    { "the fourth", IN, "a@example.test b@example.test c@example.test", "<d@example.test>",
      NO(452, "4.5.3") },
    { "the fourth of the world's", IN, "a@example.test b@example.test c@example.test", "<d@world.test>",
      NO(452, "4.5.3") },
    { "given twice is taken twice", IN, "a@example.test", "<a@example.test>", TAKEN },

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
    content_set(stage.config, "listed.test", "suzuki@listed.test\ntanaka\n");
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

static void before_add(struct envelope *envelope, const char *before)
{
    struct text rest = text_of(before), word;
    while (text_next_word(&rest, &word))
        envelope->recipients[envelope->recipient_count++] = (struct recipient){ .address = word };
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
    before_add(&envelope, row->before);
    const struct rcpt_scene scene = { .config = stage->config,
                                      .listener = &stage->config->listeners[row->port],
                                      .tables = stage->tables,
                                      .envelope = &envelope,
                                      .is_for_us = row->is_for_us && envelope.recipient_count,
                                      .arena = arena };
    struct rcpt_decision decision = rcpt_decide(&scene, &command);
    struct text address = row->address ? text_of(row->address) : command.mailbox.address;
    if (decision.choice != row->choice || decision.reply.code != row->code)
        fail_msg("%s: choice %d, %u", row->name, (int)decision.choice, decision.reply.code);
    if (row->enhanced) assert_string_equal(decision.reply.enhanced, row->enhanced);
    if (!text_equal(decision.recipient.address, address))
        fail_msg("%s: %.*s", row->name, TEXT_ARG(decision.recipient.address));
    if (row->choice != RCPT_REFUSED) assert_int_equal(decision.is_for_us, row->is_for_us);
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
    struct rcpt_scene scene = { stage->config, stage->config->listeners, stage->tables, &envelope, 0, false,
                                arena };
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
    const struct rcpt_scene scene = { &config, config.listeners, stage->tables, &envelope, 0, false, arena };
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
