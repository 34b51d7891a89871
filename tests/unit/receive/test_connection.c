/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Messages from the greeting to the reply, with queue, scan and deliver played: what the client hears, what
   queue is given, and that the counters tell of every recipient. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mail/edits.h"
#include "receive/drop.h"
#include "receive/eviction.h"
#include "receive/refusals.h"
#include "scene.h"

#define PLAIN "virus { mode off }\nspam { mode off }\nauth { mode off }\n"
#define AUTHENTICATED "virus { mode off }\nspam { mode off }\nauth { mode on }\n"
#define JUDGED "virus { mode off }\nspam { mode on }\nauth { mode off }\n"
#define IN_PORT "listen 127.0.0.1:24 { direction in }\n"
#define OUT_PORT "listen 127.0.0.1:24 { direction out; from 127.0.0.0/8; xclient 127.0.0.1 }\n"
#define MESSAGE "EHLO x|MAIL FROM:<a@b.test>|RCPT TO:<c@example.test>|DATA|END"
#define HEARD "220 250 250 250 354 "
#define BODY "Subject: hello\r\n\r\nhello\r\n"

enum { BLOCKS = 4 };

static struct scene scene;

/* No offer stands when all is answered. */
static void offers_check(void)
{
    for (int i = 0; i < COUNTERS_OFFERED_SLOTS; i++) assert_int_equal(scene.page->receive.offered[i].id, 0);
}

/* --- rows --- */

static const struct row {
    const char *name, *config, *lines, *codes;
    const char *says; /* in the last reply */
    enum queue_habit queue;
    enum scan_habit scan;
    enum deliver_habit deliver;
    unsigned keeps;
    uint64_t accepted, discarded, refused, refused_content, aborted, relayed;
} rows[] = {
    /* by what queue says */
    { "kept", IN_PORT PLAIN, MESSAGE, HEARD "250", "2.0.0 kept as ", .keeps = 1, .accepted = 1 },
    { "kept for two", IN_PORT PLAIN,
      "HELO x|MAIL FROM:<>|RCPT TO:<c@example.test>|RCPT TO:<d@example.test>|DATA|END|QUIT",
      "220 250 250 250 250 354 250 221", "bye", .keeps = 1, .accepted = 2 },
    { "two messages", IN_PORT PLAIN, MESSAGE "|MAIL FROM:<a@b.test>|RCPT TO:<d@example.test>|DATA|END",
      HEARD "250 250 250 354 250", "kept as ", .keeps = 2, .accepted = 2 },
    { "no room in queue", IN_PORT PLAIN, MESSAGE, HEARD "452", "4.3.1 no room for the message now",
      QUEUE_HAS_NO_ROOM, .keeps = 1, .refused = 1, .refused_content = 1 },
    { "queue fails", IN_PORT PLAIN, MESSAGE, HEARD "451", "4.3.0 the message could not be kept now",
      QUEUE_FAILS, .keeps = 1, .refused = 1, .refused_content = 1 },
    { "queue has it from before", IN_PORT PLAIN, MESSAGE, HEARD "250", "kept as ", QUEUE_KNOWS_IT,
      .keeps = 1 },
    { "chunks", IN_PORT PLAIN,
      "EHLO x|MAIL FROM:<a@b.test>|RCPT TO:<c@example.test>|BDAT 7\r\nSubje|BDAT 4 LAST\r\nx:|QUIT",
      "220 250 250 250 250 250 221", "bye", .keeps = 1, .accepted = 1 },

    /* by the content */
    { "too large", IN_PORT PLAIN "limits { message 64K; header 16K }\n",
      "EHLO x|MAIL FROM:<a@b.test>|RCPT TO:<c@example.test>|DATA|HUGE", HEARD "552",
      "5.3.4 the message is larger than this server takes", .refused = 1, .refused_content = 1 },
    { "a header that is too large", IN_PORT PLAIN "limits { header 16K }\n",
      "HELO x|MAIL FROM:<>|RCPT TO:<c@example.test>|DATA|WIDE", "220 250 250 250 354 552",
      "5.3.4 the header is larger", .refused = 1, .refused_content = 1 },
    { "round in a loop", IN_PORT PLAIN "limits { received 5 }\n",
      "HELO x|MAIL FROM:<>|RCPT TO:<c@example.test>|DATA|HOPS", "220 250 250 250 354 554",
      "5.4.6 too many hops", .refused = 1, .refused_content = 1 },
    { "a bare LF", IN_PORT PLAIN, "HELO x|MAIL FROM:<>|RCPT TO:<c@example.test>|DATA|BARE",
      "220 250 250 250 354 554", "5.6.0 the content has a bare CR or LF", .refused = 1,
      .refused_content = 1 },

    /* by what the servers inside are found to offer */
    { "a header in UTF-8 that they take", IN_PORT PLAIN,
      "EHLO x|MAIL FROM:<a@b.test> SMTPUTF8|RCPT TO:<c@example.test>|DATA|EIGHT", HEARD "250", "kept as ",
      .keeps = 1, .accepted = 1 },
    { "that they do not take", IN_PORT PLAIN,
      "EHLO x|MAIL FROM:<a@b.test> SMTPUTF8|RCPT TO:<c@example.test>|DATA|EIGHT", HEARD "554",
      "5.6.9 the header is in UTF-8", .deliver = DELIVER_IS_REFUSED, .refused = 1, .refused_content = 1 },
    { "that they are known not to take", IN_PORT PLAIN,
      "EHLO x|MAIL FROM:<a@b.test> SMTPUTF8|RCPT TO:<c@plain.test>|DATA|EIGHT", HEARD "554",
      "5.6.9 the header is in UTF-8", .refused = 1, .refused_content = 1 },
    { "as mail was before SMTPUTF8", IN_PORT PLAIN,
      "EHLO x|MAIL FROM:<a@b.test>|RCPT TO:<c@plain.test>|DATA|EIGHT", HEARD "250", "kept as ",
      .deliver = DELIVER_IS_REFUSED, .keeps = 1, .accepted = 1 },
    { "SMTPUTF8 said, and ASCII sent", IN_PORT PLAIN,
      "EHLO x|MAIL FROM:<a@b.test> SMTPUTF8|RCPT TO:<c@example.test>|DATA|END", HEARD "250", "kept as ",
      .deliver = DELIVER_IS_REFUSED, .keeps = 1, .accepted = 1 },
    { "to servers known not to take it", IN_PORT PLAIN,
      "EHLO x|MAIL FROM:<a@b.test> SMTPUTF8|RCPT TO:<c@plain.test>|DATA|END", HEARD "250", "kept as ",
      .keeps = 1, .accepted = 1 },
    { "a sender in UTF-8", IN_PORT PLAIN,
      "EHLO x|MAIL FROM:<\xc3\xa4@b.test> SMTPUTF8|RCPT TO:<c@example.test>|DATA|END", HEARD "250",
      "kept as ", .keeps = 1, .accepted = 1 },
    { "a sender in UTF-8 that they do not take", IN_PORT PLAIN,
      "EHLO x|MAIL FROM:<\xc3\xa4@b.test> SMTPUTF8|RCPT TO:<c@example.test>", "220 250 250 553",
      "5.6.7 <c@example.test>: the server behind takes no addresses in UTF-8", .deliver = DELIVER_IS_REFUSED,
      .refused = 1 },
    { "a sender's domain in UTF-8", IN_PORT PLAIN,
      "EHLO x|MAIL FROM:<a@\xe4\xbe\x8b\xe3\x81\x88.test> SMTPUTF8|RCPT TO:<c@plain.test>|DATA|END",
      HEARD "250", "kept as ", .keeps = 1, .accepted = 1 },
    { "a recipient in UTF-8 that they do not take", IN_PORT PLAIN,
      "EHLO x|MAIL FROM:<> SMTPUTF8|RCPT TO:<\xc3\xa4@example.test>|RCPT TO:<c@example.test>|DATA|END",
      "220 250 250 553 250 354 250", "kept as ", .deliver = DELIVER_IS_REFUSED, .keeps = 1, .accepted = 1,
      .refused = 1 },
    { "a recipient in UTF-8 who is asked for too", IN_PORT PLAIN,
      "EHLO x|MAIL FROM:<> SMTPUTF8|RCPT TO:<\xc3\xa4@asked.test>|DATA|END", HEARD "250", "kept as ",
      .keeps = 1, .accepted = 1 },
    { "nobody can say", IN_PORT PLAIN,
      "EHLO x|MAIL FROM:<a@b.test> SMTPUTF8|RCPT TO:<c@example.test>|RCPT TO:<c@example.test>|DATA|EIGHT",
      "220 250 250 250 250 354 250", "kept as ", .keeps = 1, .accepted = 1 },

    /* the same recipient again */
    { "twice", IN_PORT PLAIN,
      "EHLO x|MAIL FROM:<a@b.test>|RCPT TO:<c@example.test>|RCPT TO:<\"c\"@Example.TEST>|DATA|END",
      "220 250 250 250 250 354 250", "kept as ", .keeps = 1, .accepted = 1 },

    /* by what scan says */
    { "passed", IN_PORT JUDGED, MESSAGE, HEARD "250", "kept as ", .keeps = 1, .accepted = 1 },
    { "refused", IN_PORT JUDGED, MESSAGE, HEARD "550", "5.7.1 spam found (id ", .scan = SCAN_REFUSES,
      .refused = 1, .refused_content = 1 },
    { "held", IN_PORT JUDGED, MESSAGE, HEARD "250", "kept as ", .scan = SCAN_HOLDS, .keeps = 1,
      .accepted = 1 },
    { "discarded", IN_PORT JUDGED, MESSAGE, HEARD "250", "taken as ", .scan = SCAN_DISCARDS, .discarded = 1 },
    { "discarded for one of two", IN_PORT JUDGED,
      "HELO x|MAIL FROM:<>|RCPT TO:<c@example.test>|RCPT TO:<d@example.test>|DATA|END",
      "220 250 250 250 250 354 250", "kept as ", .scan = SCAN_DISCARDS, .keeps = 1, .accepted = 1,
      .discarded = 1 },
    { "a worker died", IN_PORT JUDGED, MESSAGE, HEARD "451", "4.3.0 the message could not be judged now",
      .scan = SCAN_BREAKS, .refused = 1, .refused_content = 1 },
    { "poison", IN_PORT JUDGED, MESSAGE, HEARD "250", "kept as ", .scan = SCAN_IS_POISONED, .keeps = 1,
      .accepted = 1 },
    { "a verdict that makes no sense", IN_PORT JUDGED, MESSAGE, HEARD "451", "could not be judged now",
      .scan = SCAN_RAVES, .refused = 1, .refused_content = 1 },
    { "a port that judges nothing", "listen 127.0.0.1:24 { direction in; check off }\n" JUDGED, MESSAGE,
      HEARD "250", "kept as ", .scan = SCAN_REFUSES, .keeps = 1, .accepted = 1 },

    /* by what the next node says */
    { "through", "listen 127.0.0.1:24 { direction in; relay through }\n" PLAIN, MESSAGE, HEARD "250",
      "2.6.0 says the wall", .relayed = 1 },
    { "refused by the next node", "listen 127.0.0.1:24 { direction in; relay through }\n" PLAIN, MESSAGE,
      HEARD "554", "5.7.9 says the wall", .deliver = DELIVER_IS_REFUSED, .refused = 1, .refused_content = 1 },
    { "no next node: the journal keeps it", "listen 127.0.0.1:24 { direction in; relay through }\n" PLAIN,
      MESSAGE, HEARD "250", "kept as ", .deliver = DELIVER_FINDS_NOBODY, .keeps = 1, .accepted = 1 },

    /* by what the server behind says */
    { "asked", IN_PORT PLAIN, "HELO x|MAIL FROM:<>|RCPT TO:<c@asked.test>|DATA|END",
      "220 250 250 250 354 250", "kept as ", .keeps = 1, .accepted = 1 },
    { "asked, and refused", IN_PORT PLAIN, "HELO x|MAIL FROM:<>|RCPT TO:<c@asked.test>", "220 250 250 550",
      "5.1.6 <c@asked.test>: the server behind says: says the wall", .deliver = DELIVER_IS_REFUSED,
      .refused = 1 },

    /* before content */
    { "denied", "listen 127.0.0.1:24 { direction in; deny 127.0.0.0/8 }\n" PLAIN, "", "554",
      "5.7.1 access denied", .refused = 1 },
    { "not listed", "listen 127.0.0.1:24 { direction in; from 192.0.2.0/24 }\n" PLAIN, "", "554",
      "5.7.1 access denied: this port is for listed hosts", .refused = 1 },
    { "relaying denied", IN_PORT PLAIN, "HELO x|MAIL FROM:<>|RCPT TO:<c@world.test>|DATA",
      "220 250 250 550 554", "no valid recipients", .refused = 1 },
    { "a bad recipient is told", IN_PORT PLAIN, "HELO x|MAIL FROM:<>|RCPT TO:<c@>", "220 250 250 553", "",
      .refused = 1 },
    { "taken back before content", IN_PORT PLAIN, "HELO x|MAIL FROM:<>|RCPT TO:<c@example.test>|RSET|QUIT",
      "220 250 250 250 250 221", "bye" },
    { "taken back between chunks", IN_PORT PLAIN,
      "EHLO x|MAIL FROM:<>|RCPT TO:<c@example.test>|BDAT 7\r\nSubje|RSET|QUIT", "220 250 250 250 250 250 221",
      "bye", .aborted = 1 },
    { "a sender of no domain of ours, outbound", OUT_PORT PLAIN,
      "HELO x|MAIL FROM:<a@b.test>|RCPT TO:<c@world.test>|MAIL FROM:<a@example.test>|RCPT TO:<c@world.test>",
      "220 250 550 503 250 250", "recipient ok", .refused = 1 },
    { "a sender of no domain of ours, outbound, by XCLIENT", OUT_PORT PLAIN,
      "EHLO x|XCLIENT ADDR=192.0.2.7 PROTO=ESMTP HELO=y|MAIL FROM:<a@b.test>", "220 250 220 550",
      "5.7.1 sender refused: the domain b.test is not ours", .refused = 1 },
    { "the node in front has looked at its sender, of one message", OUT_PORT PLAIN,
      "EHLO x|XCLIENT ADDR=192.0.2.7 PROTO=ESMTP HELO=y TRANSACTION=000102030405060708090a0b0c0d0e0f|"
      "MAIL FROM:<a@b.test>|RSET|MAIL FROM:<a@b.test>",
      "220 250 220 250 250 550", "5.7.1 sender refused", .refused = 1 },
    { "XCLIENT", "listen 127.0.0.1:24 { direction in; xclient 127.0.0.1; deny 192.0.2.66 }\n" PLAIN,
      "XCLIENT ADDR=192.0.2.66 PROTO=ESMTP HELO=y|MAIL FROM:<>|XCLIENT ADDR=192.0.2.7 PROTO=ESMTP "
      "HELO=y|MAIL FROM:<>",
      "220 220 554 220 250", "sender ok", .refused = 1 },
    { "XCLIENT without an address", "listen 127.0.0.1:24 { direction in; xclient 127.0.0.1 }\n" PLAIN,
      "XCLIENT ADDR=what|MAIL FROM:<>", "220 501 503", "say EHLO" },
    { "XCLIENT with half a transaction", "listen 127.0.0.1:24 { direction in; xclient 127.0.0.1 }\n" PLAIN,
      "EHLO x|XCLIENT ADDR=192.0.2.7 TRANSACTION=0123|MAIL FROM:<>", "220 250 501 503",
      "XCLIENT was refused" },
    { "XCLIENT with a transaction in no hexadecimal",
      "listen 127.0.0.1:24 { direction in; xclient 127.0.0.1 }\n" PLAIN,
      "EHLO x|XCLIENT ADDR=192.0.2.7 TRANSACTION=z0010203040506070809-a0b0c0d0e0f|MAIL FROM:<>",
      "220 250 501 503", "XCLIENT was refused" },
    { "one message a minute", IN_PORT PLAIN "limits { messages per client and minute 1 }\n",
      MESSAGE "|MAIL FROM:<a@b.test>", HEARD "250 450", "4.7.1 too many messages from your address",
      .keeps = 1, .accepted = 1 },
};

/* What monitors are told is made of the same recipients, each in one place. */
static void measures_check(const struct row *row)
{
    const struct receive_measures *measures = &scene.page->measures.receive;
    const uint64_t *recipients = measures->recipients;
    uint64_t refused = 0;
    for (int stage = 0; stage < MEASURES_STAGES; stage++)
        refused += measures->refused[stage][0] + measures->refused[stage][1];
    assert_int_equal(recipients[MEASURES_ACCEPTED] + recipients[MEASURES_TAGGED] +
                         recipients[MEASURES_QUARANTINED],
                     row->accepted);
    assert_int_equal(recipients[MEASURES_DISCARDED], row->discarded);
    assert_int_equal(recipients[MEASURES_DEFERRED] + recipients[MEASURES_REJECTED], row->refused_content);
    assert_int_equal(recipients[MEASURES_ABORTED], row->aborted);
    assert_int_equal(measures->messages[MEASURES_RELAYED], row->relayed);
    assert_int_equal(refused, row->refused);
}

static void row_check(const struct row *row)
{
    if (scene.keeps != row->keeps) print_error("%s:\n", row->name);
    const struct receive_counters *counters = &scene.page->receive;
    assert_int_equal(scene.keeps, row->keeps);
    assert_int_equal(counters->accepted, row->accepted);
    assert_int_equal(counters->discarded, row->discarded);
    assert_int_equal(counters->refused_4xx + counters->refused_5xx, row->refused);
    assert_int_equal(counters->refused_content, row->refused_content);
    assert_int_equal(counters->aborted, row->aborted);
    assert_int_equal(counters->messages_relayed, row->relayed);
    assert_int_equal(scene.server.bodies_bytes, 0);
    measures_check(row);
    offers_check();
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scene_start(&scene, rows[i].config);
        scene.queue = rows[i].queue;
        scene.scan = rows[i].scan;
        scene.deliver = rows[i].deliver;
        const char *codes = scene_talk(&scene, rows[i].lines);
        if (strcmp(codes, rows[i].codes) != 0) fail_msg("%s: %s", rows[i].name, codes);
        if (!strstr(scene.last, rows[i].says)) fail_msg("%s: %s", rows[i].name, scene.last);
        row_check(&rows[i]);
        scene_stop(&scene);
    }
}

/* --- what queue is given --- */

static void test_request(void **state)
{
    (void)state;
    scene_start(&scene, IN_PORT PLAIN);
    scene_talk(&scene, "EHLO client.test|MAIL FROM:<a@b.test> SIZE=99 BODY=8BITMIME RET=HDRS ENVID=e|"
                       "RCPT TO:<C@example.test> NOTIFY=NEVER|DATA|END");
    const struct keep_request *kept = &scene.kept;
    assert_true(text_equal(scene.content, TEXT(BODY)));
    assert_true(text_equal(kept->envelope.sender, TEXT("a@b.test")));
    assert_true(text_equal(kept->envelope.envid, TEXT("e")));
    assert_int_equal(kept->envelope.size, 99);
    assert_int_equal(kept->envelope.recipient_count, 1);
    assert_true(text_equal(kept->envelope.recipients[0].address, TEXT("C@example.test")));
    assert_int_equal(kept->recipients[0].hold, HOLD_NONE);
    assert_int_equal(kept->direction, DIRECTION_IN);
    assert_int_equal(kept->content, CONTENT_IS_LINES);
    assert_true(text_starts(kept->prefix, TEXT("Received: from client.test (unknown [127.0.0.1])\r\n"
                                               "\tby mx.test (Sekimori) with ESMTP id ")));
    assert_true(text_find(kept->prefix, TEXT("\r\n\tfor <C@example.test>;\r\n\t")) < kept->prefix.length);
    assert_true(text_find(kept->prefix, TEXT("\r\nX-Sekimori-Id: ")) < kept->prefix.length);
    scene_stop(&scene);
}

/* What stands before the text that came, and the text. */
static struct text delivered(struct buffer *room)
{
    const struct keep_request *kept = &scene.kept;
    struct edits edits;
    buffer_clear(room);
    buffer_add_text(room, kept->prefix);
    assert_true(edits_decode(scene.arena, kept->edits[0], scene.content.length, &edits));
    edits_apply(&edits, scene.content, room);
    return buffer_text(room);
}

static bool has(struct text text, struct text part)
{
    return text_find(text, part) < text.length;
}

/* Text without a header: our fields are the header, and an empty line ends it. */
static void test_text_alone(void **state)
{
    struct buffer room = { 0 };
    (void)state;
    scene_start(&scene, IN_PORT PLAIN);
    scene_talk(&scene, "EHLO x|MAIL FROM:<a@b.test>|RCPT TO:<c@example.test>|DATA|ALONE");
    struct text all = delivered(&room);
    assert_true(text_ends(all, TEXT("\r\n\r\nDisk full on host1\r\n\r\nplease look\r\n")));
    assert_false(has(text_slice(all, 0, text_find(all, TEXT("Disk"))), TEXT("Date:")));
    scene_stop(&scene);
    buffer_free(&room);
}

/* Mail that goes out gets what RFC 5322 asks for; what it has stays alone. */
static void test_complete(void **state)
{
    static const struct {
        const char *config;
        bool is_due;
    } listeners[] = { { "listen 127.0.0.1:24 { direction out; senders any }\n" PLAIN, true },
                      { "listen 127.0.0.1:24 { direction out; senders any; complete off }\n" PLAIN, false },
                      { "listen 127.0.0.1:24 { direction in; complete on }\n" PLAIN, false } };
    struct buffer room = { 0 };
    (void)state;
    for (size_t i = 0; i < sizeof listeners / sizeof *listeners; i++) {
        scene_start(&scene, listeners[i].config);
        scene_talk(&scene, MESSAGE);
        struct text all = delivered(&room);
        assert_int_equal(has(all, TEXT("\r\nMessage-ID: <")), listeners[i].is_due);
        assert_int_equal(has(all, TEXT("@mx.test>\r\n")), listeners[i].is_due);
        assert_int_equal(has(all, TEXT("\r\nDate: ")), listeners[i].is_due);
        scene_stop(&scene);
    }
    buffer_free(&room);
}

/* Names that others say in UTF-8, as they stand in our fields. */
static void test_names_in_ascii(void **state)
{
    static const struct {
        const char *lines, *says;
    } names[] = {
        { "EHLO 例え.test|MAIL FROM:<a@b.test>|RCPT TO:<c@example.test>|DATA|END",
          "Received: from xn--r8jz45g.test (unknown [127.0.0.1])\r\n" },
        { "EHLO 💩..x|MAIL FROM:<a@b.test>|RCPT TO:<c@example.test>|DATA|END",
          "Received: from +F0+9F+92+A9..x (unknown [127.0.0.1])\r\n" },
        { "EHLO x|XCLIENT ADDR=192.0.2.7 NAME=+E4+BE+8B+E3+81+88.test PROTO=ESMTP HELO=+E9+E9|MAIL FROM:<>|"
          "RCPT TO:<c@example.test>|DATA|END",
          "Received: from +E9+E9 (xn--r8jz45g.test [192.0.2.7])\r\n" },
        { "EHLO x|MAIL FROM:<> SMTPUTF8|RCPT TO:<名@example.test>|DATA|END", "SMTP id " },
    };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        scene_start(&scene, "listen 127.0.0.1:24 { direction in; xclient 127.0.0.1 }\n" PLAIN);
        scene_talk(&scene, names[i].lines);
        assert_int_equal(scene.keeps, 1);
        assert_true(has(scene.kept.prefix, text_of(names[i].says)));
        assert_true(text_is_ascii(scene.kept.prefix));
        scene_stop(&scene);
    }
}

/* What receive sees of a content, where nobody judges; else what scan said. */
static const struct {
    const char *config, *content;
    unsigned flags;
    enum scan_habit scan;
    enum hold_reason hold;
} contents[] = {
    { PLAIN, BODY, CONTENT_IS_LINES, SCAN_PASSES, HOLD_NONE },
    { PLAIN, "Subject: h\xc3\xa9\r\n\r\nhello\r\n", CONTENT_IS_LINES | CONTENT_HEADER_8BIT, SCAN_PASSES,
      HOLD_NONE },
    { PLAIN, "Subject: h\r\n\r\nh\xc3\xa9\r\n", CONTENT_IS_LINES | CONTENT_BODY_8BIT, SCAN_PASSES,
      HOLD_NONE },
    { PLAIN, "Subject: h\r\n\r\n..\r\n", CONTENT_IS_LINES | CONTENT_LEADING_DOT, SCAN_PASSES, HOLD_NONE },
    { JUDGED, BODY, SCENE_CONTENT, SCAN_PASSES, HOLD_NONE },
    { JUDGED, BODY, SCENE_CONTENT, SCAN_HOLDS, HOLD_QUARANTINE },
    { JUDGED, BODY, CONTENT_IS_LINES, SCAN_IS_POISONED, HOLD_POISON },
};

static void test_contents(void **state)
{
    char config[2000];
    (void)state;
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        snprintf(config, sizeof config, "%s%s", IN_PORT, contents[i].config);
        scene_start(&scene, config);
        scene.scan = contents[i].scan;
        scene_talk(&scene, "EHLO x|MAIL FROM:<a@b.test>|RCPT TO:<c@example.test>|DATA");
        scene_say(&scene, text_of(contents[i].content));
        assert_string_equal(scene_talk(&scene, "DOT"), "250");
        assert_int_equal(scene.kept.content, contents[i].flags);
        assert_int_equal(scene.kept.recipients[0].hold, contents[i].hold);
        scene_stop(&scene);
    }
}

/* Mail to the node itself is held for report, unjudged. */
static void test_own_address(void **state)
{
    (void)state;
    scene_start(&scene, "listen 127.0.0.1:24 { direction out; from 127.0.0.0/8 }\n" JUDGED
                        "report { missed spam spam@example.test }\n");
    scene.scan = SCAN_REFUSES;
    assert_string_equal(
        scene_talk(&scene, "HELO x|MAIL FROM:<a@example.test>|RCPT TO:<spam@example.test>|DATA|END"),
        "220 250 250 250 354 250");
    assert_int_equal(scene.reads, 0);
    assert_int_equal(scene.kept.recipients[0].hold, HOLD_REPORT);
    scene_stop(&scene);
}

/* A body that has outgrown memory goes on in queue's file. */
static void test_large_body(void **state)
{
    static char block[64 * 1024];
    (void)state;
    memset(block, 'x', sizeof block);
    for (size_t at = 70; at < sizeof block; at += 72) memcpy(block + at, "\r\n", 2);
    scene_start(&scene, IN_PORT PLAIN "limits { bodies in memory 128K }\n");
    scene_talk(&scene, "EHLO x|MAIL FROM:<a@b.test>|RCPT TO:<c@example.test>|DATA");
    scene_say(&scene, TEXT("Subject: large\r\n\r\n"));
    for (int i = 0; i < BLOCKS; i++) scene_say(&scene, text_from(block, sizeof block));
    size_t size = 18 + BLOCKS * sizeof block + 2;
    scene_say(&scene, TEXT("\r\n.\r\n"));
    assert_true(text_starts(text_of(scene_hear(&scene)), TEXT("250 2.0.0 kept as ")));
    assert_int_equal(scene.content.length, size);
    scene_stop(&scene);
}

/* --- restarts --- */

static void keep_begin(void)
{
    scene_start(&scene, IN_PORT PLAIN);
    scene.queue = QUEUE_SAYS_NOTHING;
    scene_talk(&scene, "EHLO x|MAIL FROM:<a@b.test>|RCPT TO:<c@example.test>|DATA");
    scene_say(&scene, TEXT(BODY ".\r\n"));
    scene_await(&scene, &scene.keeps, 1);
}

static void test_queue_restarts_and_has_it(void **state)
{
    (void)state;
    keep_begin();
    scene.has_it = true;
    scene_queue_goes(&scene);
    scene_queue_comes(&scene);
    assert_true(text_starts(text_of(scene_hear(&scene)), TEXT("250 2.0.0 kept as ")));
    assert_int_equal(scene.keeps, 1);
    assert_true(scene.resolves >= 1);
    assert_int_equal(scene.page->receive.accepted, 1);
    offers_check();
    scene_stop(&scene);
}

static void test_queue_restarts_and_has_not(void **state)
{
    (void)state;
    keep_begin();
    scene_queue_goes(&scene);
    scene.queue = QUEUE_KEEPS;
    scene_queue_comes(&scene);
    assert_true(text_starts(text_of(scene_hear(&scene)), TEXT("250 2.0.0 kept as ")));
    assert_int_equal(scene.keeps, 2);
    assert_true(text_equal(scene.content, TEXT(BODY)));
    assert_int_equal(scene.page->receive.accepted, 1);
    offers_check();
    scene_stop(&scene);
}

/* The client is gone, but queue was asked: the offer stands until its answer is known, and counts as
 * unreplied. */
static void test_client_goes_while_queue_keeps(void **state)
{
    (void)state;
    keep_begin();
    scene.has_it = true;
    drop_session(scene.server.sessions);
    assert_int_equal(scene.page->receive.aborted, 0);
    scene_queue_goes(&scene);
    scene_queue_comes(&scene);
    scene_await(&scene, &scene.resolves, 1);
    for (int i = 0; i < 100 && scene.page->receive.unreplied == 0; i++) scene_turn(&scene);
    assert_int_equal(scene.page->receive.unreplied, 1);
    assert_int_equal(scene.page->receive.accepted, 0);
    offers_check();
    scene_stop(&scene);
}

/* MAIL waits for a queue that is being restarted, and what came along with it. */
static void test_mail_waits_for_queue(void **state)
{
    (void)state;
    scene_start(&scene, IN_PORT PLAIN);
    scene_talk(&scene, "EHLO x");
    scene_queue_goes(&scene);
    scene_say(&scene, TEXT("MAIL FROM:<a@b.test>\r\nRCPT TO:<c@example.test>\r\nNOOP\r\n"));
    while (scene.server.sessions->queue != QUEUE_IS_AWAITED) scene_turn(&scene);
    scene_queue_comes(&scene);
    assert_string_equal(scene_hear(&scene), "250 2.1.0 sender ok\r\n");
    assert_string_equal(scene_hear(&scene), "250 2.1.5 recipient ok\r\n");
    assert_string_equal(scene_hear(&scene), "250 2.0.0 ok\r\n");
    scene_stop(&scene);
}

static void test_mail_does_not_wait_for_ever(void **state)
{
    (void)state;
    scene_start(&scene, IN_PORT PLAIN);
    scene.config->limits.verdict_ms = 300;
    scene_talk(&scene, "EHLO x");
    scene_queue_goes(&scene);
    assert_string_equal(scene_talk(&scene, "MAIL FROM:<a@b.test>|NOOP"), "451 250");
    scene_stop(&scene);
}

static void test_scan_restarts(void **state)
{
    (void)state;
    scene_start(&scene, IN_PORT JUDGED);
    scene.scan = SCAN_SAYS_NOTHING;
    scene_talk(&scene, "EHLO x|MAIL FROM:<a@b.test>|RCPT TO:<c@example.test>|DATA");
    scene_say(&scene, TEXT(BODY ".\r\n"));
    scene_await(&scene, &scene.reads, 1);
    scene_scan_goes(&scene);
    scene.scan = SCAN_PASSES;
    scene_scan_comes(&scene);
    assert_true(text_starts(text_of(scene_hear(&scene)), TEXT("250 2.0.0 kept as ")));
    assert_int_equal(scene.reads, 2);
    scene_stop(&scene);
}

static void test_no_verdict_in_time(void **state)
{
    (void)state;
    scene_start(&scene, IN_PORT JUDGED);
    scene.config->limits.verdict_ms = 300;
    scene.scan = SCAN_SAYS_NOTHING;
    assert_string_equal(scene_talk(&scene, MESSAGE "|NOOP"), HEARD "451 250");
    assert_int_equal(scene.page->receive.refused_content, 1);
    scene_stop(&scene);
}

/* --- what the header raises --- */

#define AUTHOR "From: A <a@b.test>\r\n"

/* How the message to scan has it: with the answer, without one that does not come, without a question where
   From is not plain, or lookup is not there. */
static void test_header_is_asked_about(void **state)
{
    static const struct {
        const char *name;
        bool is_there;
        enum lookup_habit lookup;
        struct text content;
        unsigned histories, open;
    } cases[] = {
        { "answered", true, LOOKUP_KNOWS_NOBODY, TEXT(AUTHOR BODY ".\r\n"), 1, 0 },
        { "slow", true, LOOKUP_SAYS_NOTHING, TEXT(AUTHOR BODY ".\r\n"), 1, 1 },
        { "not there", false, LOOKUP_KNOWS_NOBODY, TEXT(AUTHOR BODY ".\r\n"), 0, 0 },
        { "not plain", true, LOOKUP_KNOWS_NOBODY, TEXT(AUTHOR AUTHOR BODY ".\r\n"), 0, 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scene_start(&scene, IN_PORT JUDGED);
        scene.lookup = cases[i].lookup;
        if (cases[i].is_there) scene_lookup_comes(&scene);
        scene_talk(&scene, "EHLO x|MAIL FROM:<a@b.test>|RCPT TO:<c@example.test>|DATA");
        scene_say(&scene, cases[i].content);
        if (!text_starts(text_of(scene_hear(&scene)), TEXT("250 "))) fail_msg("%s: refused", cases[i].name);
        if (scene.histories != cases[i].histories || scene.open != cases[i].open || scene.reads != 1)
            fail_msg("%s: %u were asked, %u are open", cases[i].name, scene.histories, scene.open);
        scene_stop(&scene);
    }
}

/* Once for messages of one sender after each other, if lookup answered; anew for another sender. */
static void test_spf_is_asked_once_a_sender(void **state)
{
    static const struct {
        enum lookup_habit lookup;
        unsigned questions[3];
    } cases[] = { { LOOKUP_KNOWS_NOBODY, { 1, 1, 2 } }, { LOOKUP_SAYS_NOTHING, { 1, 2, 3 } } };
    static const char *const senders[] = { "MAIL FROM:<a@b.test>", "MAIL FROM:<a@b.test>",
                                           "MAIL FROM:<z@b.test>" };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scene_start(&scene, IN_PORT AUTHENTICATED);
        scene.lookup = cases[i].lookup;
        scene_lookup_comes(&scene);
        scene_talk(&scene, "EHLO x");
        for (size_t k = 0; k < sizeof senders / sizeof *senders; k++) {
            scene_talk(&scene, senders[k]);
            scene_talk(&scene, "RCPT TO:<c@example.test>|DATA");
            scene_say(&scene, TEXT(AUTHOR AUTHOR BODY ".\r\n"));
            assert_true(text_starts(text_of(scene_hear(&scene)), TEXT("250 ")));
            assert_int_equal(scene.spf_questions, cases[i].questions[k]);
            assert_int_equal(scene.open, cases[i].lookup == LOOKUP_SAYS_NOTHING);
        }
        scene_stop(&scene);
    }
}

static void test_lookup_goes_while_it_is_asked(void **state)
{
    (void)state;
    scene_start(&scene, IN_PORT JUDGED);
    scene_lookup_comes(&scene);
    scene_talk(&scene, "EHLO x|MAIL FROM:<a@b.test>|RCPT TO:<c@example.test>|DATA");
    scene_say(&scene, TEXT(AUTHOR BODY ".\r\n"));
    scene_await(&scene, &scene.histories, 1);
    channel_close(scene.lookup_end);
    scene.lookup_end = NULL;
    assert_true(text_starts(text_of(scene_hear(&scene)), TEXT("250 ")));
    assert_int_equal(scene.reads, 1);
    scene_stop(&scene);
}

/* --- the client goes --- */

static void sessions_end(void)
{
    scene_hang_up(&scene);
    while (scene.server.sessions) scene_turn(&scene);
}

static void test_gone_in_the_content(void **state)
{
    (void)state;
    scene_start(&scene, IN_PORT PLAIN);
    scene_talk(&scene, "EHLO x|MAIL FROM:<a@b.test>|RCPT TO:<c@example.test>|RCPT TO:<d@example.test>|DATA");
    scene_say(&scene, TEXT("Subject: half"));
    sessions_end();
    assert_int_equal(scene.page->receive.aborted, 2);
    assert_int_equal(scene.server.bodies_bytes, 0);
    assert_int_equal(scene.keeps, 0);
    scene_stop(&scene);
}

static void test_gone_before_content(void **state)
{
    (void)state;
    scene_start(&scene, IN_PORT PLAIN);
    scene_talk(&scene, "EHLO x|MAIL FROM:<a@b.test>|RCPT TO:<c@example.test>");
    sessions_end();
    assert_int_equal(scene.page->receive.aborted, 0);
    assert_int_equal(client_limits_connected(scene.server.clients), 0);
    scene_stop(&scene);
}

/* A script that closes its side and listens on hears the reply; it begins before queue is asked. */
static void test_half_closed(void **state)
{
    (void)state;
    scene_start(&scene, IN_PORT JUDGED);
    scene_talk(&scene, "EHLO x|MAIL FROM:<a@b.test>|RCPT TO:<c@example.test>|DATA");
    scene_say(&scene, TEXT(BODY ".\r\n"));
    shutdown(scene.client, SHUT_WR);
    assert_true(text_starts(text_of(scene_hear(&scene)), TEXT("250-2.0.0 one moment\r\n250 2.0.0 kept as ")));
    assert_int_equal(scene.page->receive.accepted, 1);
    scene_stop(&scene);
}

/* Half a reply is none: what queue then does not take has no second one. */
static void test_half_closed_and_not_kept(void **state)
{
    (void)state;
    scene_start(&scene, IN_PORT JUDGED);
    scene.queue = QUEUE_HAS_NO_ROOM;
    scene_talk(&scene, "EHLO x|MAIL FROM:<a@b.test>|RCPT TO:<c@example.test>|DATA");
    scene_say(&scene, TEXT(BODY ".\r\n"));
    shutdown(scene.client, SHUT_WR);
    assert_string_equal(scene_hear(&scene), "");
    assert_true(scene.is_closed);
    assert_true(text_equal(buffer_text(&scene.heard), TEXT("250-2.0.0 one moment\r\n")));
    assert_int_equal(scene.page->receive.refused_content, 1);
    offers_check();
    scene_stop(&scene);
}

/* --- patience --- */

static void test_silence(void **state)
{
    (void)state;
    scene_start(&scene, IN_PORT PLAIN);
    scene_talk(&scene, "EHLO x");
    scene.config->limits.command_ms = 200;
    scene_talk(&scene, "NOOP");
    assert_string_equal(scene_hear(&scene), "421 4.4.2 mx.test timeout, closing\r\n");
    assert_string_equal(scene_hear(&scene), "");
    assert_true(scene.is_closed);
    scene_stop(&scene);
}

static void test_no_answer_to_a_call_out(void **state)
{
    (void)state;
    scene_start(&scene, IN_PORT PLAIN);
    scene.deliver = DELIVER_SAYS_NOTHING;
    scene_talk(&scene, "HELO x|MAIL FROM:<>");
    scene.config->limits.command_ms = 2000; /* a call-out has a quarter of it, and a second */
    assert_string_equal(scene_talk(&scene, "RCPT TO:<c@asked.test>|RCPT TO:<c@example.test>"), "450 250");
    scene_stop(&scene);
}

/* Room is taken from the slowest, who hears why; not from who keeps the pace. */
static void test_eviction(void **state)
{
    const uint64_t room = 1000;
    (void)state;
    scene_start(&scene, IN_PORT PLAIN);
    scene.config->limits.bodies_bytes = room;
    scene_talk(&scene, "EHLO x|MAIL FROM:<a@b.test>|RCPT TO:<c@example.test>|DATA");
    scene_say(&scene, TEXT("Subject: slow\r\n"));
    while (scene.server.bodies_bytes == 0) scene_turn(&scene);
    assert_false(eviction_makes_room(&scene.server, NULL, room));
    scene.server.sessions->pace.at_ms -= 20000;
    assert_false(eviction_makes_room(&scene.server, scene.server.sessions, room)); /* never for itself */
    assert_true(eviction_makes_room(&scene.server, NULL, room));
    assert_int_equal(scene.server.bodies_bytes, 0);
    assert_int_equal(client_limits_connected(scene.server.clients), 0);
    assert_string_equal(scene_hear(&scene), "421 4.3.2 mx.test has no room for clients as slow as you\r\n");
    assert_int_equal(scene.page->receive.aborted, 1);
    while (scene.server.sessions) scene_turn(&scene);
    scene_stop(&scene);
}

/* --- what ledger is told --- */

static void accepted_check(const struct text *record, const char *action)
{
    struct event_accepted event;
    uint32_t first;
    assert_true(record && event_kind_of(*record) == EVENT_ACCEPTED);
    assert_true(event_accepted_get(scene.arena, *record, &event, &first));
    assert_int_equal(event.size, sizeof BODY - 1);
    assert_true(text_equal(event.sender, TEXT("a@b.test")));
    assert_true(text_equal(event.helo, TEXT("x")));
    assert_int_equal(event.recipient_count, 1);
    assert_true(text_equal(event.recipients[0].address, TEXT("d@example.test")));
    assert_int_equal(event.recipients[0].hold, HOLD_NONE);
    assert_string_equal(evidence_action_name(event.recipients[0].action), action);
}

static void refused_check(const struct text *record, enum event_stage stage, uint16_t code,
                          const char *recipient, bool is_message)
{
    struct event_refused event;
    assert_true(record && event_kind_of(*record) == EVENT_REFUSED);
    assert_true(event_refused_get(scene.arena, *record, &event));
    assert_int_equal(event.stage, stage);
    assert_int_equal(event.code, code);
    assert_int_equal(event.is_message, is_message);
    assert_true(text_equal(event.recipient, text_of(recipient)));
}

/* The one that is discarded is told beside the other, who is the first of those that were kept. */
static void test_events_of_one_kept_one_discarded(void **state)
{
    (void)state;
    scene_start(&scene, IN_PORT JUDGED);
    scene.scan = SCAN_DISCARDS;
    scene_talk(&scene,
               "HELO x|MAIL FROM:<a@b.test>|RCPT TO:<c@example.test>|RCPT TO:<d@example.test>|DATA|END");
    accepted_check(scene_event(&scene), "accept");
    refused_check(scene_event(&scene), STAGE_CONTENT, 250, "c@example.test", false);
    assert_null(scene_event(&scene));
    assert_int_equal(scene.explained, 1);
    scene_stop(&scene);
}

/* Of several recipients of a refused message the first counts as the message. */
static void test_events_of_a_refusal(void **state)
{
    (void)state;
    scene_start(&scene, IN_PORT JUDGED);
    scene.scan = SCAN_REFUSES;
    scene_talk(&scene, "HELO x|MAIL FROM:<a@b.test>|RCPT TO:<u@world.test>|RCPT TO:<c@example.test>|"
                       "RCPT TO:<d@example.test>|DATA|END");
    refused_check(scene_event(&scene), STAGE_RCPT, 550, "u@world.test", false);
    refused_check(scene_event(&scene), STAGE_CONTENT, 550, "c@example.test", true);
    refused_check(scene_event(&scene), STAGE_CONTENT, 550, "d@example.test", false);
    assert_null(scene_event(&scene));
    assert_int_equal(scene.explained, 1);
    scene_stop(&scene);
}

static void test_events_of_an_abort(void **state)
{
    (void)state;
    scene_start(&scene, IN_PORT PLAIN);
    scene_talk(&scene, "EHLO x|MAIL FROM:<a@b.test>|RCPT TO:<c@example.test>|BDAT 7\r\nSubje|RSET");
    refused_check(scene_event(&scene), STAGE_CONTENT, 0, "c@example.test", true);
    assert_null(scene_event(&scene));
    scene_stop(&scene);
}

/* Of one client's refusals that are alike the first hundred of a minute are told one by one, the others
 * together. */
static void test_events_of_a_flood(void **state)
{
    struct event_refused event;
    unsigned alone = 0;
    const struct text *record;
    (void)state;
    scene_start(&scene, IN_PORT PLAIN "limits { errors 1000 }\n");
    scene_talk(&scene, "EHLO x|MAIL FROM:<a@b.test>");
    for (int i = 0; i < 130; i++) assert_string_equal(scene_talk(&scene, "RCPT TO:<u@world.test>"), "550");
    while ((record = scene_event(&scene))) alone++;
    assert_int_equal(alone, 100);
    refusals_flush(scene.server.refusals);
    record = scene_event(&scene);
    assert_true(record && event_refused_get(scene.arena, *record, &event));
    assert_int_equal(event.count, 30);
    assert_null(scene_event(&scene));
    assert_int_equal(scene.page->receive.refused_5xx, 130);
    scene_stop(&scene);
}

/* Of all clients together a thousand at once are told one by one, however many they are, and none is lost. */
static void test_events_of_many_strangers(void **state)
{
    enum { STRANGERS = 3000, EACH = 3 };
    struct event_refused event;
    unsigned alone = 0, together = 0;
    const struct text *record;
    (void)state;
    scene_start(&scene, IN_PORT PLAIN);
    for (unsigned n = 0; n < STRANGERS * EACH; n++) {
        char address[64];
        struct refusal refusal = { .event = { .code = 550,
                                              .stage = STAGE_RCPT,
                                              .reply = TEXT("550 5.1.1 nobody"),
                                              .recipient = TEXT("u@world.test") },
                                   .client_name = TEXT("unknown"),
                                   .protocol = "ESMTP" };
        snprintf(address, sizeof address, "2001:db8:%x:%x::1", n / EACH / 60000, n / EACH % 60000);
        assert_true(address_parse(text_of(address), &refusal.event.client));
        refusals_add(scene.server.refusals, &refusal);
    }
    refusals_flush(scene.server.refusals);
    while ((record = scene_event(&scene))) {
        assert_true(event_refused_get(scene.arena, *record, &event));
        assert_int_equal(event.code, 550);
        assert_int_equal(address_is_zero(&event.client), event.count > 1);
        *(event.count > 1 ? &together : &alone) += event.count;
    }
    assert_in_range(alone, 1000, 1200); /* time passes meanwhile: 20 a second */
    assert_int_equal(alone + together, STRANGERS * EACH);
    assert_int_equal(ring_lost(scene.server.ring) + ring_lost_minor(scene.server.ring), 0);
    scene_stop(&scene);
}

/* More kinds of refusals than are told apart are told all the same, in a bounded number of events. */
static void test_events_of_many_kinds(void **state)
{
    enum { KINDS = 100, EACH = 30 };
    struct event_refused event;
    unsigned sum = 0, events = 0;
    const struct text *record;
    (void)state;
    scene_start(&scene, IN_PORT PLAIN);
    for (unsigned n = 0; n < KINDS * EACH; n++) {
        struct refusal refusal = { .event = { .code = (uint16_t)(450 + n % KINDS),
                                              .stage = STAGE_MAIL,
                                              .reply = TEXT("450 4.7.0 later"),
                                              .client = { { 0x20, 1, (uint8_t)(n >> 8), (uint8_t)n } } },
                                   .client_name = TEXT("unknown"),
                                   .protocol = "ESMTP" };
        refusals_add(scene.server.refusals, &refusal);
    }
    refusals_flush(scene.server.refusals);
    while ((record = scene_event(&scene))) {
        assert_true(event_refused_get(scene.arena, *record, &event));
        sum += event.count;
        events++;
    }
    assert_int_equal(sum, KINDS * EACH);
    assert_in_range(events, 1000, 1000 + 64 + 100);
    scene_stop(&scene);
}

/* --- what a node is told of another's client --- */

static const struct {
    const char *lines, *origin; /* up to the name of the transaction */
} origins[] = {
    { "EHLO a.test", "NAME=[TEMPUNAVAIL] ADDR=127.0.0.1 PROTO=ESMTP HELO=a.test TRANSACTION=" },
    { "HELO a.test", "NAME=[TEMPUNAVAIL] ADDR=127.0.0.1 PROTO=SMTP HELO=a.test TRANSACTION=" },
    { "EHLO a+b=c", "NAME=[TEMPUNAVAIL] ADDR=127.0.0.1 PROTO=ESMTP HELO=a+2Bb+3Dc TRANSACTION=" },
    { "XCLIENT NAME=m.test ADDR=192.0.2.7 PROTO=ESMTP HELO=y",
      "NAME=m.test ADDR=192.0.2.7 PROTO=ESMTP HELO=y TRANSACTION=" },
    { "XCLIENT NAME=[UNAVAILABLE] ADDR=2001:db8::1 PROTO=SMTP",
      "NAME=[UNAVAILABLE] ADDR=2001:db8::1 PROTO=SMTP HELO=unknown TRANSACTION=" },
    { "XCLIENT NAME=[TEMPUNAVAIL] ADDR=192.0.2.7 PROTO=ESMTP HELO=y",
      "NAME=[TEMPUNAVAIL] ADDR=192.0.2.7 PROTO=ESMTP HELO=y TRANSACTION=" },
    { "XCLIENT NAME=m.test ADDR=192.0.2.7|EHLO z",
      "NAME=m.test ADDR=192.0.2.7 PROTO=ESMTP HELO=z TRANSACTION=" },
    { "XCLIENT NAME=m.test ADDR=192.0.2.7 PROTO=ESMTP HELO=y|XCLIENT NAME=[UNAVAILABLE] "
      "ADDR=[UNAVAILABLE]|EHLO z",
      "NAME=[UNAVAILABLE] ADDR=127.0.0.1 PROTO=ESMTP HELO=z TRANSACTION=" },
};

static void test_origins(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++) {
        scene_start(&scene, "listen 127.0.0.1:24 { direction in; relay through; xclient 127.0.0.1 }\n" PLAIN);
        scene_talk(&scene, origins[i].lines);
        assert_string_equal(scene_talk(&scene, "MAIL FROM:<a@b.test>|RCPT TO:<c@example.test>|DATA|END"),
                            "250 250 354 250");
        struct text origin = scene.relayed.envelope.origin;
        if (!text_starts(origin, text_of(origins[i].origin)))
            fail_msg("%s: %.*s", origins[i].lines, TEXT_ARG(origin));
        assert_int_equal(origin.length, strlen(origins[i].origin) + 2 * TRANSACTION_BYTES);
        assert_int_equal(scene.relayed.envelope.transaction.length, TRANSACTION_BYTES);
        assert_true(text_equal(scene.relayed.domain, TEXT("example.test")));
        scene_stop(&scene);
    }
}

static struct text name_of(const char *lines)
{
    scene_start(&scene, "listen 127.0.0.1:24 { direction in; relay through }\n" PLAIN);
    scene_talk(&scene, lines);
    struct text name = text_from(memory_string(scene.relayed.envelope.transaction), TRANSACTION_BYTES);
    scene_stop(&scene);
    return name;
}

/* The same message has the same name, and another one another. */
static void test_names(void **state)
{
    static const char *const others[] = { "EHLO x|MAIL FROM:<z@b.test>|RCPT TO:<c@example.test>|DATA|END",
                                          "EHLO x|MAIL FROM:<a@b.test>|RCPT TO:<d@example.test>|DATA|END",
                                          "EHLO x|MAIL FROM:<a@b.test>|RCPT TO:<c@example.test>|DATA|WIDE" };
    struct text name = name_of(MESSAGE),
                again = name_of("EHLO other|MAIL FROM:<a@b.test>|RCPT TO:<c@example.test>|DATA|END");
    (void)state;
    assert_true(text_equal(name, again));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct text other = name_of(others[i]);
        assert_false(text_equal(name, other));
        free((char *)other.at);
    }
    free((char *)name.at);
    free((char *)again.at);
}

/* Who goes while the next node has the message: deliver is told. */
static void test_gone_while_it_goes_through(void **state)
{
    (void)state;
    scene_start(&scene, "listen 127.0.0.1:24 { direction in; relay through }\n" PLAIN);
    scene.deliver = DELIVER_SAYS_NOTHING;
    scene_talk(&scene, "EHLO x|MAIL FROM:<a@b.test>|RCPT TO:<c@example.test>|DATA");
    scene_say(&scene, TEXT(BODY ".\r\n"));
    scene_await(&scene, &scene.relays, 1);
    drop_session(scene.server.sessions);
    scene_await(&scene, &scene.cancels, 1);
    assert_int_equal(scene.keeps, 0);
    scene_stop(&scene);
}

/* The node has seen our reply when it says another word. */
static void test_confirmed(void **state)
{
    (void)state;
    scene_start(&scene, "listen 127.0.0.1:24 { direction in; xclient 127.0.0.1 }\n" PLAIN);
    scene_talk(&scene,
               "EHLO x|XCLIENT ADDR=192.0.2.7 NAME=mail.test PROTO=ESMTP HELO=y "
               "TRANSACTION=000102030405060708090a0b0c0d0e0f|MAIL FROM:<>|RCPT TO:<c@example.test>|DATA|END");
    assert_int_equal(scene.kept.envelope.transaction.length, TRANSACTION_BYTES);
    assert_true(text_starts(scene.kept.prefix, TEXT("Received: from y (mail.test [192.0.2.7])\r\n")));
    assert_int_equal(scene.confirmed, 0);
    scene_talk(&scene, "NOOP");
    scene_await(&scene, &scene.confirmed, 1);
    scene_talk(&scene, "NOOP");
    assert_int_equal(scene.confirmed, 1);
    scene_stop(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_text_alone),
        cmocka_unit_test(test_complete),
        cmocka_unit_test(test_names_in_ascii),
        cmocka_unit_test(test_contents),
        cmocka_unit_test(test_own_address),
        cmocka_unit_test(test_large_body),
        cmocka_unit_test(test_queue_restarts_and_has_it),
        cmocka_unit_test(test_queue_restarts_and_has_not),
        cmocka_unit_test(test_client_goes_while_queue_keeps),
        cmocka_unit_test(test_mail_waits_for_queue),
        cmocka_unit_test(test_mail_does_not_wait_for_ever),
        cmocka_unit_test(test_scan_restarts),
        cmocka_unit_test(test_no_verdict_in_time),
        cmocka_unit_test(test_header_is_asked_about),
        cmocka_unit_test(test_spf_is_asked_once_a_sender),
        cmocka_unit_test(test_lookup_goes_while_it_is_asked),
        cmocka_unit_test(test_gone_in_the_content),
        cmocka_unit_test(test_gone_before_content),
        cmocka_unit_test(test_half_closed),
        cmocka_unit_test(test_half_closed_and_not_kept),
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_no_answer_to_a_call_out),
        cmocka_unit_test(test_eviction),
        cmocka_unit_test(test_events_of_one_kept_one_discarded),
        cmocka_unit_test(test_events_of_a_refusal),
        cmocka_unit_test(test_events_of_an_abort),
        cmocka_unit_test(test_events_of_a_flood),
        cmocka_unit_test(test_events_of_many_strangers),
        cmocka_unit_test(test_events_of_many_kinds),
        cmocka_unit_test(test_origins),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_gone_while_it_goes_through),
        cmocka_unit_test(test_confirmed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
