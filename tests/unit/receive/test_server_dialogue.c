/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a client may say when, and what it hears: every verb in every state, then rows of lines and what came
   of them, in the words of talk.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "talk.h"

#define HI "EHLO x\n"
#define FROM "MAIL FROM:<a@b.test>\n"
#define TO "RCPT TO:<c@d.test>\n"
#define OPEN HI FROM TO
#define COUNT(list) (sizeof(list) / sizeof *(list))

/* --- every verb in every state --- */

enum { FRESH, GREETED, EXTENDED, OPENED, ADDRESSED, CHUNKS, SECURED, MISNAMED, STATES };

static const struct {
    const char *name, *lines;
    bool is_listed;
} states[STATES] = {
    [FRESH] = { "nothing was said", "" },
    [GREETED] = { "after HELO", "HELO x\n" },
    [EXTENDED] = { "after EHLO", HI },
    [OPENED] = { "after MAIL", HI FROM },
    [ADDRESSED] = { "after RCPT", OPEN },
    [CHUNKS] = { "between chunks", OPEN "BDAT 2\n#2\n" },
    [SECURED] = { "after the handshake", OPEN "STARTTLS\n*\n" },
    [MISNAMED] = { "after a refused XCLIENT", HI "XCLIENT HUE=1\n", true },
};

/* By state, in their order. */
static const struct {
    const char *line;
    const char *words[STATES];
} verbs[] = {
#define ALL(words)                                             \
    {                                                          \
        words, words, words, words, words, words, words, words \
    }
#define NOT_BETWEEN(words)                                     \
    {                                                          \
        words, words, words, words, words, "503", words, words \
    }
    { "HELO x", NOT_BETWEEN("250 hello") },
    { "helo x", NOT_BETWEEN("250 hello") },
    { "HELO", ALL("501") },
    { "EHLO x", NOT_BETWEEN("250 hello") },
    { "EHLO [192.0.2.1]", NOT_BETWEEN("250 hello") },
    { "EHLO", ALL("501") },
    { "MAIL FROM:<a@b.test>", { "503", "mail 250", "mail 250", "503", "503", "503", "503", "503" } },
    { "MAIL FROM:<>", { "503", "mail 250", "mail 250", "503", "503", "503", "503", "503" } },
    { "MAIL FROM:<a@b.test> SIZE=1000",
      { "503", "mail 250", "mail 250", "503", "503", "503", "503", "503" } },
    { "MAIL FROM:<a@b.test> SIZE=1001", { "503", "552", "552", "503", "503", "503", "503", "503" } },
    { "MAIL FROM:<a@b.test> BODY=8BITMIME",
      { "503", "mail 250", "mail 250", "503", "503", "503", "503", "503" } },
    { "MAIL FROM:<\xc3\xa4@b.test>", { "503", "553", "553", "503", "503", "503", "503", "503" } },
    { "MAIL FROM:<\xc3\xa4@b.test> SMTPUTF8",
      { "503", "mail 250", "mail 250", "503", "503", "503", "503", "503" } },
    { "MAIL FROM:<a@b.test> HUE=1", ALL("555 refused") },
    { "MAIL FROM:a b", ALL("501 refused") },
    { "MAIL", ALL("501 refused") },
    { "RCPT TO:<c@d.test>", { "503", "503", "503", "rcpt 250", "rcpt 250", "503", "503", "503" } },
    { "RCPT TO:<postmaster>", { "503", "503", "503", "rcpt 250", "rcpt 250", "503", "503", "503" } },
    { "RCPT TO:<c@d.test> NOTIFY=NEVER",
      { "503", "503", "503", "rcpt 250", "rcpt 250", "503", "503", "503" } },
    { "RCPT TO:<c@d.test> HUE=1", ALL("555 refused") },
    { "RCPT TO:c d", ALL("553 refused") },
    { "RCPT TO:<>", ALL("553 refused") },
    { "DATA", { "503", "503", "503", "554", "354 data", "503", "503", "503" } },
    { "DATA now", ALL("501") },
    { "BDAT 0",
      { "chunk 503", "chunk 503", "chunk 503", "chunk 554", "chunk 250", "chunk 250", "chunk 503",
        "chunk 503" } },
    { "BDAT 0 LAST",
      { "chunk 503", "chunk 503", "chunk 503", "chunk 554", "chunk settle", "chunk settle", "chunk 503",
        "chunk 503" } },
    { "BDAT 5", ALL("chunk") },
    { "BDAT 5 LAST", ALL("chunk") },
    { "BDAT", ALL("501 askew") },
    { "BDAT x", ALL("501 askew") },
    { "BDAT -1", ALL("501 askew") },
    { "BDAT 5 FIRST", ALL("501 askew") },
    { "RSET", ALL("250 reset") },
    { "NOOP", ALL("250") },
    { "NOOP what", ALL("250") },
    { "QUIT", ALL("221 close") },
    { "VRFY a", NOT_BETWEEN("252") },
    { "EXPN list", NOT_BETWEEN("502") },
    { "HELP", NOT_BETWEEN("214") },
    { "HELP MAIL", NOT_BETWEEN("214") },
    { "STARTTLS", { "220 tls", "220 tls", "220 tls", "220 tls", "220 tls", "503", "503", "220 tls" } },
    { "STARTTLS now", ALL("501") },
    { "AUTH PLAIN AGEAYg==", NOT_BETWEEN("502") },
    { "XCLIENT ADDR=192.0.2.1", { "550", "550", "550", "550", "550", "503", "550", "xclient 220" } },
    { "XCLIENT HUE=1", ALL("501") },
    { "XCLIENT", ALL("501") },
    { "WHAT", ALL("500") },
    { "", ALL("500") },
    { " NOOP", ALL("250") },
    { "GET / HTTP/1.1", ALL("500 askew") },
    { "POST /x HTTP/1.0", ALL("500 askew") },
    { "CONNECT a.test:25 HTTP/1.1", ALL("500 askew") },
    { "Subject: hello", ALL("500 askew") },
    { "NO\rOP", ALL("500 askew") },
};

static void talk_in_state(struct talk *talk, int state)
{
    talk_begin(talk);
    talk->config.limits.errors = talk->config.limits.junk = 100;
    server_dialogue_start(&talk->dialogue, &talk->listener, true, states[state].is_listed);
    talk_lines(talk, states[state].lines);
    talk_words(talk);
}

/* False: something else came of it. */
static bool verb_holds(size_t verb, int state)
{
    struct talk talk;
    talk_in_state(&talk, state);
    talk_bytes(&talk, arena_printf(talk.arena, "%s\r\n", verbs[verb].line));
    const char *words = talk_words(&talk), *due = verbs[verb].words[state];
    bool holds = strcmp(words, due) == 0;
    if (!holds) print_error("\"%s\" %s: %s, not %s\n", verbs[verb].line, states[state].name, words, due);
    talk_end(&talk);
    return holds;
}

static void test_verbs(void **state)
{
    unsigned wrong = 0;
    (void)state;
    for (size_t i = 0; i < COUNT(verbs); i++)
        for (int at = 0; at < STATES; at++) wrong += !verb_holds(i, at);
    assert_int_equal(wrong, 0);
}

/* --- rows --- */

struct row {
    const char *name, *lines, *words;
    enum tls_level tls;
    bool has_tls, is_listed, is_node;
};

#define TLS .has_tls = true
#define FOR_NODES .has_tls = true, .tls = TLS_NODE
#define LISTED .is_listed = true
#define N4 "NOOP\nNOOP\nNOOP\nNOOP\n"

static const struct row rows[] = {
    /* a message */
    { "one message", OPEN "DATA\n+\nQUIT\n", "250 hello mail 250 rcpt 250 354 data 221 close" },
    { "two messages", OPEN "DATA\n+\n" FROM TO "DATA\n+\n",
      "250 hello mail 250 rcpt 250 354 data mail 250 rcpt 250 354 data" },
    { "by HELO", "HELO x\n" FROM TO "DATA\n", "250 hello mail 250 rcpt 250 354 data" },
    { "sender refused", HI "<451\n" FROM TO "DATA\n", "250 hello mail 451 503 503" },
    { "sender refused, and again", HI "<452\n" FROM FROM TO, "250 hello mail 452 mail 250 rcpt 250" },
    { "recipient refused", HI FROM "<550\n" TO "DATA\n", "250 hello mail 250 rcpt 550 554" },
    { "one of two refused", HI FROM "<550\n" TO TO "DATA\n",
      "250 hello mail 250 rcpt 550 rcpt 250 354 data" },
    { "RSET forgets the recipients", OPEN "RSET\n" FROM "DATA\n",
      "250 hello mail 250 rcpt 250 250 reset mail 250 554" },
    { "RSET needs MAIL again", OPEN "RSET\n" TO "DATA\n", "250 hello mail 250 rcpt 250 250 reset 503 503" },
    { "EHLO forgets the message", OPEN HI TO, "250 hello mail 250 rcpt 250 250 hello 503" },
    { "HELO forgets the message",
      OPEN "HELO x\n"
           "DATA\n",
      "250 hello mail 250 rcpt 250 250 hello 503" },
    { "a message after another has no recipients", OPEN "DATA\n+\n" FROM "DATA\n",
      "250 hello mail 250 rcpt 250 354 data mail 250 554" },
    { "RCPT after DATA needs MAIL", OPEN "DATA\n.\n" TO, "250 hello mail 250 rcpt 250 354 data 503" },
    { "a name of 255 is kept",
      "HELO 123456789012345678901234567890123456789012345678901234567890123."
      "123456789012345678901234567890123456789012345678901234567890123."
      "123456789012345678901234567890123456789012345678901234567890123."
      "12345678901234567890123456789012345678901234567890123456789012\n" FROM,
      "250 hello mail 250" },

    /* BDAT, RFC 3030 */
    { "one chunk", OPEN "BDAT 5 LAST\n#5\n", "250 hello mail 250 rcpt 250 chunk settle" },
    { "two chunks", OPEN "BDAT 5\n#5\nBDAT 3 LAST\n#3\n",
      "250 hello mail 250 rcpt 250 chunk 250 chunk settle" },
    { "a chunk in pieces", OPEN "BDAT 5\n#2\n#2\n#1\nBDAT 0 LAST\n",
      "250 hello mail 250 rcpt 250 chunk 250 chunk settle" },
    { "more octets than the chunk has", OPEN "BDAT 5\n#9\n", "250 hello mail 250 rcpt 250 chunk 250" },
    { "chunk before MAIL", HI "BDAT 5 LAST\n#5\nNOOP\n", "250 hello chunk 503 250" },
    { "chunk before RCPT", HI FROM "BDAT 5 LAST\n#5\n" TO, "250 hello mail 250 chunk 554 rcpt 250" },
    { "chunk, all refused", HI FROM "<550\n" TO "BDAT 5 LAST\n#5\n",
      "250 hello mail 250 rcpt 550 chunk 554" },
    { "RSET between chunks", OPEN "BDAT 5\n#5\nRSET\nBDAT 5 LAST\n#5\n",
      "250 hello mail 250 rcpt 250 chunk 250 250 reset chunk 503" },
    { "NOOP between chunks", OPEN "BDAT 5\n#5\nNOOP\nBDAT 5 LAST\n#5\n",
      "250 hello mail 250 rcpt 250 chunk 250 250 chunk settle" },
    { "QUIT between chunks", OPEN "BDAT 5\n#5\nQUIT\n", "250 hello mail 250 rcpt 250 chunk 250 221 close" },
    { "DATA between chunks", OPEN "BDAT 5\n#5\nDATA\nBDAT 5 LAST\n#5\n",
      "250 hello mail 250 rcpt 250 chunk 250 503 chunk settle" },
    { "EHLO between chunks", OPEN "BDAT 5\n#5\n" HI "BDAT 5 LAST\n#5\n",
      "250 hello mail 250 rcpt 250 chunk 250 503 chunk settle" },
    { "a message after chunks", OPEN "BDAT 5 LAST\n#5\n+\n" FROM TO "BDAT 1 LAST\n#1\n",
      "250 hello mail 250 rcpt 250 chunk settle mail 250 rcpt 250 chunk settle" },
    { "the last chunk was last", OPEN "BDAT 5 LAST\n#5\n+\nBDAT 5 LAST\n#5\n",
      "250 hello mail 250 rcpt 250 chunk settle chunk 503" },
    { "a chunk whose message was dropped", OPEN "BDAT 5\n#2\n.\n#3\n",
      "250 hello mail 250 rcpt 250 chunk 503" },

    /* STARTTLS, RFC 3207 */
    { "no certificate", HI "STARTTLS\n", "250 hello 502" },
    { "TLS", HI "STARTTLS\n*\n" OPEN, "250 hello 220 tls 250 hello mail 250 rcpt 250", TLS },
    { "TLS twice", HI "STARTTLS\n*\nSTARTTLS\n", "250 hello 220 tls 503", TLS },
    { "EHLO is void after the handshake", HI "STARTTLS\n*\n" FROM, "250 hello 220 tls 503", TLS },
    { "so is MAIL", OPEN "STARTTLS\n*\n" TO HI TO, "250 hello mail 250 rcpt 250 220 tls 503 250 hello 503",
      TLS },
    { "TLS is required", HI FROM "STARTTLS\n*\n" HI FROM, "250 hello 530 220 tls 250 hello mail 250",
      TLS_REQUIRED, TLS },
    { "TLS is required, EHLO comes first", FROM, "503", TLS_REQUIRED, TLS },
    { "TLS is required, RCPT", HI TO, "250 hello 503", TLS_REQUIRED, TLS },
    { "TLS is offered", HI FROM, "250 hello mail 250", TLS_OFFERED, TLS },
    { "for nodes, in the clear", HI FROM, "250 hello 530", FOR_NODES },
    { "for nodes, without a certificate", HI "STARTTLS\n*\n" HI FROM,
      "250 hello 220 tls 250 hello 530 refused", FOR_NODES },
    { "for nodes", HI "STARTTLS\n*\n" HI FROM, "250 hello 220 tls 250 hello mail 250", FOR_NODES,
      .is_node = true },
    { "a node may say XCLIENT", "STARTTLS\n*\n" HI "XCLIENT ADDR=192.0.2.1\n",
      "220 tls 250 hello xclient 220", FOR_NODES, .is_node = true },
    { "not before its handshake", HI "XCLIENT ADDR=192.0.2.1\n", "250 hello 550", FOR_NODES,
      .is_node = true },

    /* XCLIENT */
    { "a stranger", HI "XCLIENT ADDR=192.0.2.1\n" FROM, "250 hello 550 mail 250" },
    { "a stranger's bad one hinders nothing", HI "XCLIENT HUE=1\n" FROM, "250 hello 501 mail 250" },
    { "a listed peer", HI "XCLIENT ADDR=192.0.2.1\n" HI FROM, "250 hello xclient 220 250 hello mail 250",
      LISTED },
    { "before EHLO", "XCLIENT ADDR=192.0.2.1\n" FROM, "xclient 220 503", LISTED },
    { "malformed: no MAIL", HI "XCLIENT HUE=1\n" FROM, "250 hello 501 503", LISTED },
    { "malformed, then well", HI "XCLIENT HUE=1\nXCLIENT ADDR=192.0.2.1\n" FROM,
      "250 hello 501 xclient 220 mail 250", LISTED },
    { "malformed, then HELO", HI "XCLIENT HUE=1\nHELO x\n" FROM, "250 hello 501 250 hello mail 250", LISTED },
    { "malformed, then EHLO", HI "XCLIENT HUE=1\n" HI FROM, "250 hello 501 250 hello 503", LISTED },
    { "no address", HI "<501\nXCLIENT ADDR=what\n" FROM, "250 hello xclient 501 503", LISTED },
    { "in a message", HI FROM "XCLIENT ADDR=192.0.2.1\n" TO, "250 hello mail 250 503 rcpt 250", LISTED },
    { "in a message: the next one waits for it", HI FROM "XCLIENT ADDR=192.0.2.1\nRSET\n" FROM,
      "250 hello mail 250 503 250 reset 503", LISTED },
    { "who may not send", HI "<554\nXCLIENT ADDR=192.0.2.1\n" FROM, "250 hello xclient 220 554 refused",
      LISTED },
    { "who may not connect now", HI "<421\nXCLIENT ADDR=192.0.2.1\n" FROM FROM,
      "250 hello xclient 220 450 refused 450 refused", LISTED },
    { "who may not send, then who may", HI "<554\nXCLIENT ADDR=192.0.2.1\nXCLIENT ADDR=192.0.2.2\n" FROM,
      "250 hello xclient 220 xclient 220 mail 250", LISTED },
    { "LOGIN is said to us for nothing", HI "XCLIENT ADDR=192.0.2.1 LOGIN=a\n", "250 hello xclient 220",
      LISTED },

    /* limits: 2 errors, 4 commands without a message, 3 recipients */
    { "two errors", "WHAT\nWHAT\nNOOP\n", "500 500 250" },
    { "three errors", "WHAT\nWHAT\nWHAT\nNOOP\n", "500 500 500 421 giveup" },
    { "refused recipients are errors", HI FROM "<550\n" TO "<550\n" TO "<550\n" TO "DATA\n",
      "250 hello mail 250 rcpt 550 rcpt 550 rcpt 550 421 giveup" },
    { "4xx is an error too", HI "<451\n" FROM "<451\n" FROM "<450\n" FROM FROM,
      "250 hello mail 451 mail 451 mail 450 421 giveup" },
    { "as many 452 as recipients are none", HI FROM "<452\n" TO "<452\n" TO "<452\n" TO TO,
      "250 hello mail 250 rcpt 452 rcpt 452 rcpt 452 rcpt 250" },
    { "more 452 are errors",
      HI FROM "<452\n" TO "<452\n" TO "<452\n" TO "<452\n" TO "<452\n" TO "<452\n" TO TO,
      "250 hello mail 250 rcpt 452 rcpt 452 rcpt 452 rcpt 452 rcpt 452 rcpt 452 421 giveup" },
    { "a message forgets 452",
      HI FROM TO "<452\n" TO "<452\n" TO "<452\n" TO "DATA\n+\n" FROM "<452\n" TO "<452\n" TO "<452\n" TO TO,
      "250 hello mail 250 rcpt 250 rcpt 452 rcpt 452 rcpt 452 354 data mail 250 rcpt 452 rcpt 452 rcpt 452 "
      "rcpt 250" },
    { "a message does not forget errors", "WHAT\nWHAT\n" OPEN "DATA\n+\nWHAT\nNOOP\n",
      "500 500 250 hello mail 250 rcpt 250 354 data 500 421 giveup" },
    { "four commands for nothing", N4 "QUIT\n", "250 250 250 250 221 close" },
    { "five", N4 "NOOP\nQUIT\n", "250 250 250 250 250 421 giveup" },
    { "RSET is for nothing", "RSET\nRSET\nRSET\nRSET\nRSET\nQUIT\n",
      "250 reset 250 reset 250 reset 250 reset 250 reset 421 giveup" },
    { "so is EHLO", HI HI HI HI HI "QUIT\n", "250 hello 250 hello 250 hello 250 hello 250 hello 421 giveup" },
    { "so are VRFY and HELP", "VRFY a\nHELP\nVRFY a\nHELP\nVRFY a\nQUIT\n",
      "252 214 252 214 252 421 giveup" },
    { "so are empty chunks", OPEN "BDAT 0\nBDAT 0\nBDAT 0\nBDAT 0\nBDAT 0\n",
      "250 hello mail 250 rcpt 250 chunk 250 chunk 250 chunk 250 chunk 250 421 giveup" },
    { "MAIL is not", HI FROM "RSET\n" FROM "RSET\n" FROM "RSET\n" FROM TO,
      "250 hello mail 250 250 reset mail 250 250 reset mail 250 250 reset mail 250 rcpt 250" },
    { "a message forgets them", HI "NOOP\nNOOP\nNOOP\n" FROM TO "DATA\n+\n" N4 "QUIT\n",
      "250 hello 250 250 250 mail 250 rcpt 250 354 data 250 250 250 250 221 close" },
    { "a refused message does not", HI "NOOP\nNOOP\nNOOP\n" FROM TO "DATA\n.\nNOOP\nQUIT\n",
      "250 hello 250 250 250 mail 250 rcpt 250 354 data 250 421 giveup" },
    { "a listed peer is free of this", N4 N4 "QUIT\n", "250 250 250 250 250 250 250 250 221 close", LISTED },
    { "but not who it speaks for", "XCLIENT ADDR=192.0.2.1\n" N4 "NOOP\nQUIT\n",
      "xclient 220 250 250 250 250 250 421 giveup", LISTED },
    { "another client has its own patience",
      N4 "WHAT\nWHAT\nXCLIENT ADDR=192.0.2.1\nWHAT\nWHAT\n" N4 "QUIT\n",
      "250 250 250 250 500 500 xclient 220 500 500 250 250 250 250 221 close", LISTED },
    { "errors of a listed peer count", "WHAT\nWHAT\nWHAT\nQUIT\n", "500 500 500 421 giveup", LISTED },

    /* the session's time */
    { "overdue between messages", HI "@\nNOOP\nQUIT\n", "250 hello 421 close" },
    { "overdue in a message", OPEN "@\nDATA\n+\n" FROM, "250 hello mail 250 rcpt 250 354 data 421 close" },
    { "overdue after MAIL", HI FROM "@\n" TO "RSET\nNOOP\n",
      "250 hello mail 250 rcpt 250 250 reset 421 close" },

    /* nothing after the end */
    { "QUIT is the end", "QUIT\nNOOP\n", "221 close" },
    { "so is HTTP", "GET / HTTP/1.1\nNOOP\n", "500 askew" },
    { "so is a BDAT without a size", OPEN "BDAT\nNOOP\n", "250 hello mail 250 rcpt 250 501 askew" },
};

static void row_begin(struct talk *talk, const struct row *row)
{
    talk_begin(talk);
    talk->listener.tls = row->tls;
    talk->is_node = row->is_node;
    server_dialogue_start(&talk->dialogue, &talk->listener, row->has_tls, row->is_listed);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct talk talk;
        row_begin(&talk, &rows[i]);
        talk_lines(&talk, rows[i].lines);
        const char *words = talk_words(&talk);
        if (strcmp(words, rows[i].words) != 0) print_error("%s: %s\n", rows[i].name, words);
        assert_string_equal(words, rows[i].words);
        talk_end(&talk);
    }
}

/* --- lines and their ends --- */

#define K "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
#define K1 K K K K K K K K K K K K K K K K
#define LONG_NOOP "NOOP " K1 K1 /* 2053 octets: more than a line may have */

static const struct {
    const char *name, *bytes, *words;
    bool repairs;
} ends[] = {
    { "CRLF", "NOOP\r\nNOOP\r\n", "250 250" },
    { "no end yet", "NOOP", "" },
    { "half an end", "NOOP\r", "" },
    { "a bare LF", "NOOP\nNOOP\r\n", "500 askew" },
    { "a bare LF, repaired", "NOOP\nNOOP\r\n", "250 250", true },
    { "a bare CR", "NOOP\rNOOP\r\n", "500 askew" },
    { "a bare CR is not repaired", "NOOP\rNOOP\r\n", "500 askew", true },
    { "two CRs", "NOOP\r\r\n", "500 askew" },
    { "pipelining", "EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n",
      "250 hello mail 250 rcpt 250 354 data" },
    { "pipelining around a bad one", "EHLO x\r\nWHAT\r\nNOOP\r\nQUIT\r\n", "250 hello 500 250 221 close" },
    { "a long line", LONG_NOOP "\r\nNOOP\r\n", "500 250" },
    { "a line of 2048", "NOOP " K1 "kkkkkkkkkkkkkkkkkkkkk\r\n", "250" },
    { "TLS without STARTTLS", "\x16\x03\x01", "500 askew" },
    { "a blank first", " ", "" },
    { "a digit first", "250", "500 askew" },
};

static void test_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(ends); i++) {
        struct talk talk;
        talk_begin(&talk);
        talk.listener.repair = ends[i].repairs ? REPAIR_BARE_LF : REPAIR_NONE;
        server_dialogue_start(&talk.dialogue, &talk.listener, false, false);
        talk_bytes(&talk, text_of(ends[i].bytes));
        const char *words = talk_words(&talk);
        if (strcmp(words, ends[i].words) != 0) print_error("%s: %s\n", ends[i].name, words);
        assert_string_equal(words, ends[i].words);
        talk_end(&talk);
    }
}

/* A line that is too long is thrown away as it comes, and answered once, at its end. */
static void test_long_line_in_pieces(void **state)
{
    static const char line[] = LONG_NOOP;
    struct talk talk;
    (void)state;
    talk_begin(&talk);
    server_dialogue_start(&talk.dialogue, &talk.listener, false, false);
    talk_bytes(&talk, text_of(line));
    assert_int_equal(talk.step.used, sizeof line - 1);
    talk_bytes(&talk, text_of(line));
    assert_int_equal(talk.step.used, sizeof line - 1);
    talk_bytes(&talk, text_of(" \x16"));
    assert_string_equal(talk_words(&talk), "");
    talk_bytes(&talk, text_of("k\r\nNOOP\r\n"));
    assert_string_equal(talk_words(&talk), "500 250");
    talk_end(&talk);
}

/* What the queue's return has the caller show again has the same outcome. */
static void test_mail_shown_again(void **state)
{
    struct talk talk;
    const struct server_dialogue_terms terms = { &talk.config, false };
    struct text mail = TEXT(FROM);
    (void)state;
    talk_begin(&talk);
    talk.listener.repair = REPAIR_BARE_LF;
    server_dialogue_start(&talk.dialogue, &talk.listener, false, false);
    talk_lines(&talk, HI);
    for (int i = 0; i < 3; i++) {
        buffer_clear(&talk.out);
        server_dialogue_input(&talk.dialogue, &terms, mail, talk.arena, &talk.out, &talk.step);
        assert_int_equal(talk.step.action, SERVER_DIALOGUE_MAIL);
        assert_int_equal(talk.step.used, mail.length);
        assert_int_equal(buffer_length(&talk.out), 0);
        assert_int_equal(talk.dialogue.mail, MAIL_NONE);
    }
    talk_end(&talk);
}

/* --- to the letter --- */

static const struct {
    const char *lines, *said; /* by the last line */
    struct row with;
} letters[] = {
    { "EHLO x\n",
      "250-mx.test\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n"
      "250-SMTPUTF8\r\n250-DSN\r\n250 CHUNKING\r\n" },
    { "EHLO x\n",
      "250-mx.test\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-STARTTLS\r\n250-ENHANCEDSTATUSCODES\r\n"
      "250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n"
      "250-XCLIENT NAME ADDR PORT PROTO HELO DESTADDR DESTPORT TLS TRANSACTION\r\n250 CHUNKING\r\n",
      { TLS, LISTED } },
    { "STARTTLS\n*\nEHLO x\n",
      "250-mx.test\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n"
      "250-SMTPUTF8\r\n250-DSN\r\n250 CHUNKING\r\n",
      { TLS } },
    { "HELO x\n", "250 mx.test\r\n" },
    { "QUIT\n", "221 2.0.0 mx.test bye\r\n" },
    { "HELP\n", "214 2.0.0 Sekimori, RFC 5321; ask admin@us.test\r\n" },
    { "VRFY a\n", "252 2.5.2 send some mail, it will be tried\r\n" },
    { "EXPN a\n", "502 5.5.1 not offered\r\n" },
    { "AUTH PLAIN\n", "502 5.5.1 not offered\r\n" },
    { "NOOP\n", "250 2.0.0 ok\r\n" },
    { "RSET\n", "250 2.0.0 ok\r\n" },
    { "STARTTLS\n", "220 2.0.0 ready to start TLS\r\n", { TLS } },
    { "STARTTLS\n*\nSTARTTLS\n", "503 5.5.1 TLS is in use\r\n", { TLS } },
    { FROM, "503 5.5.1 say EHLO or HELO first\r\n" },
    { HI FROM, "250 2.1.0 sender ok\r\n" },
    { HI FROM FROM, "503 5.5.1 a message is under way\r\n" },
    { HI FROM, "530 5.7.0 say STARTTLS first\r\n", { .tls = TLS_REQUIRED } },
    { HI "*\n" HI FROM,
      "530 5.7.0 this port is for nodes: a certificate of their authority is needed; yours: it has "
      "expired\r\n",
      { FOR_NODES } },
    { HI "MAIL FROM:<a@b.test> SIZE=2000\n", "552 5.3.4 a message may have 1000 octets\r\n" },
    { HI "MAIL FROM:<\xc3\xa4@b.test>\n", "553 5.6.7 the address needs SMTPUTF8\r\n" },
    { HI "<450\n" FROM, "450 0.0.0 no\r\n" },
    { HI TO, "503 5.5.1 say MAIL first\r\n" },
    { OPEN, "250 2.1.5 yes\r\n" },
    { HI FROM "<550\n" TO, "550 0.0.0 <c@d.test>: no\r\n" },
    { HI "DATA\n", "503 5.5.1 say MAIL and RCPT first\r\n" },
    { HI FROM "DATA\n", "554 5.5.1 no valid recipients\r\n" },
    { OPEN "DATA\n", "354 end data with <CR><LF>.<CR><LF>\r\n" },
    { OPEN "BDAT 0\n", "250 2.0.0 chunk ok\r\n" },
    { HI FROM "BDAT 0\n", "554 5.5.1 no valid recipients for this chunk\r\n" },
    { "BDAT 0\n", "503 5.5.1 no valid recipients for this chunk\r\n" },
    { OPEN "BDAT 0\nDATA\n", "503 5.5.1 BDAT has begun\r\n" },
    { "XCLIENT ADDR=192.0.2.1\n", "550 5.7.0 XCLIENT is not for you\r\n" },
    { "XCLIENT ADDR=192.0.2.1\n", "220 mx.test ESMTP Sekimori\r\n", { LISTED } },
    { "<501\nXCLIENT ADDR=192.0.2.1\n", "501 5.5.4 no\r\n", { LISTED } },
    { HI FROM "XCLIENT ADDR=192.0.2.1\n", "503 5.5.1 a message is under way\r\n", { LISTED } },
    { HI "XCLIENT HUE=1\n" FROM, "503 5.5.1 XCLIENT was refused\r\n", { LISTED } },
    { HI "<421\nXCLIENT ADDR=192.0.2.1\n" FROM, "450 0.0.0 no\r\n", { LISTED } },
    { "WHAT\n", "500 5.5.1 the command is not known\r\n" },
    { "GET / HTTP/1.1\n", "500 5.5.1 this is SMTP, and what you speak is not\r\n" },
    { "WHAT\nWHAT\nWHAT\nNOOP\n", "421 4.7.0 mx.test too many errors\r\n" },
    { N4 "NOOP\nNOOP\n", "421 4.7.0 mx.test too many commands without a message\r\n" },
    { "@\nNOOP\n", "421 4.3.2 mx.test the session has lasted its time, connect again\r\n" },
};

static void test_letters(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(letters); i++) {
        struct talk talk;
        row_begin(&talk, &letters[i].with);
        talk_lines(&talk, letters[i].lines);
        char *said = memory_string(buffer_text(&talk.out));
        assert_string_equal(said, letters[i].said);
        free(said);
        talk_end(&talk);
    }
}

/* SMTPUTF8 is offered where some domain takes it that mail may be for. */
static void test_smtputf8_is_offered(void **state)
{
    static const struct {
        enum direction direction;
        bool first, second, world, is_offered;
    } offers[] = {
        { DIRECTION_IN, true, true, true, true },     { DIRECTION_IN, false, true, true, true },
        { DIRECTION_IN, false, false, true, false },  { DIRECTION_OUT, false, false, true, true },
        { DIRECTION_OUT, false, true, false, true },  { DIRECTION_OUT, false, false, false, false },
        { DIRECTION_IN, false, false, false, false },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(offers); i++) {
        struct domain domains[] = { { .name = TEXT("a.test"), .smtputf8 = offers[i].first },
                                    { .name = TEXT(".b.test"), .smtputf8 = offers[i].second },
                                    { .name = TEXT("*"), .smtputf8 = offers[i].world } };
        struct talk talk;
        talk_begin(&talk);
        talk.config.domains = domains;
        talk.config.domain_count = COUNT(domains);
        talk.listener.direction = offers[i].direction;
        server_dialogue_start(&talk.dialogue, &talk.listener, false, false);
        talk_lines(&talk, "EHLO x\n");
        struct text said = buffer_text(&talk.out);
        assert_int_equal(text_find(said, TEXT("250-SMTPUTF8\r\n")) < said.length, offers[i].is_offered);
        talk_end(&talk);
    }
}

/* An address of any length leaves room for the reason. */
static void test_reply_to_a_long_address(void **state)
{
    static const struct reply no = { 550, "5.1.1", "no such user here" };
    char address[2000];
    struct talk talk;
    (void)state;
    memset(address, 'x', sizeof address);
    talk_begin(&talk);
    server_dialogue_start(&talk.dialogue, &talk.listener, false, false);
    server_dialogue_rcpt_answer(&talk.dialogue, &talk.config, text_from(address, sizeof address), &no,
                                &talk.out);
    assert_true(text_starts(buffer_text(&talk.out), TEXT("550 5.1.1 <xxx")));
    assert_true(text_ends(buffer_text(&talk.out), TEXT("xxx>: no such user here\r\n")));
    assert_int_equal(buffer_length(&talk.out), 10 + SERVER_DIALOGUE_REPLY_MOST + 2);
    talk_end(&talk);
}

static void test_greeting(void **state)
{
    struct talk talk;
    (void)state;
    talk_begin(&talk);
    server_dialogue_start(&talk.dialogue, &talk.listener, false, false);
    server_dialogue_greet(&talk.dialogue, &talk.config, true, &talk.out);
    assert_true(text_equal(buffer_text(&talk.out), TEXT("220 mx.test ESMTP Sekimori\r\n")));
    talk_lines(&talk, "NOOP\nWHAT\nNOOP\n"); /* who speaks first has two errors */
    assert_string_equal(talk_words(&talk), "250 500 421 giveup");
    talk_end(&talk);
}

/* No reply carries a line of somebody else's, nor more than its line may have. */
static void test_reply_is_one_line(void **state)
{
    char text[2000];
    struct talk talk;
    (void)state;
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    memcpy(text, "a\r\n250 b\x7f\t\xc3\xa4", 12);
    talk_begin(&talk);
    server_dialogue_start(&talk.dialogue, &talk.listener, false, false);
    server_dialogue_reply(&talk.dialogue, &talk.config, &(struct reply){ 550, "5.1.1", text }, &talk.out);
    struct text said = buffer_text(&talk.out);
    assert_true(text_starts(said, TEXT("550 5.1.1 a??250 b??\xc3\xa4xx")));
    assert_int_equal(said.length, 10 + SERVER_DIALOGUE_REPLY_MOST + 2);
    assert_int_equal(text_find_char(said, '\n'), said.length - 1);
    buffer_clear(&talk.out);
    server_dialogue_rcpt_answer(&talk.dialogue, &talk.config, text_of(text),
                                &(struct reply){ 550, "5.1.1", "no" }, &talk.out);
    said = buffer_text(&talk.out);
    assert_true(text_starts(said, TEXT("550 5.1.1 <a??250 b")));
    assert_int_equal(said.length, 10 + SERVER_DIALOGUE_REPLY_MOST + 2);
    talk_end(&talk);
}

/* Beside the reason a person reads what is configured: each line with code and status, none longer than 512
   octets, and in Japanese only for who may be sent more than ASCII. */
static void test_explained(void **state)
{
    static const struct {
        const char *english, *japanese, *mailbox, *page;
        enum refusal_kind kind;
        bool is_utf8;
        const char *said;
    } cases[] = {
        { "", "", "", "", REFUSAL_VIRUS, true, "550 5.7.1 no\r\n" },
        { "Ask.", "聞け", "", "", REFUSAL_NONE, true, "550 5.7.1 no\r\n" },
        { "Ask.", "聞け", "", "", REFUSAL_SPAM, false, "550-5.7.1 no\r\n550 5.7.1 Ask.\r\n" },
        { "Ask.", "聞け", "", "", REFUSAL_SIZE, true,
          "550-5.7.1 no\r\n550-5.7.1 Ask.\r\n550 5.7.1 聞け\r\n" },
        { "", "聞け", "", "", REFUSAL_POLICY, false, "550 5.7.1 no\r\n" },
        { "Ask.", "", "h@x.test", "https://x.test/", REFUSAL_ATTACHMENT, false,
          "550-5.7.1 no\r\n550-5.7.1 Ask.\r\n550 5.7.1 Help: h@x.test https://x.test/\r\n" },
        { "Ask.", "聞け", "h@x.test", "", REFUSAL_VIRUS, true,
          "550-5.7.1 no\r\n550-5.7.1 Ask.\r\n550-5.7.1 聞け\r\n550 5.7.1 Help: h@x.test\r\n" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena *arena = arena_new(0);
        struct talk talk;
        talk_begin(&talk);
        server_dialogue_start(&talk.dialogue, &talk.listener, false, false);
        talk.config.refusal.english[cases[i].kind] = text_of(cases[i].english);
        talk.config.refusal.japanese[cases[i].kind] = text_of(cases[i].japanese);
        talk.config.help.mailbox = text_of(cases[i].mailbox);
        talk.config.help.page = text_of(cases[i].page);
        struct reply reply = { 550, "5.7.1", "no", cases[i].kind, NULL };
        reply = server_dialogue_explain(&reply, &talk.config, cases[i].is_utf8, arena);
        server_dialogue_reply(&talk.dialogue, &talk.config, &reply, &talk.out);
        struct text said = buffer_text(&talk.out);
        if (!text_equal(said, text_of(cases[i].said))) fail_msg("%zu: %.*s", i, TEXT_ARG(said));
        talk_end(&talk);
        arena_free(arena);
    }
}

/* Our own words, which are there where help is set, and texts as long as a configuration may have. */
static void test_explained_lines_are_short(void **state)
{
    char words[3000], long_word[1200], japanese[3001];
    (void)state;
    for (size_t i = 0; i < sizeof words; i++) words[i] = i % 7 ? 'w' : ' ';
    memset(long_word, 'x', sizeof long_word);
    for (size_t i = 0; i + 3 < sizeof japanese; i += 3) memcpy(japanese + i, "\xe6\xbc\xa2", 3);
    const struct text texts[] = { TEXT_NONE, text_from(words, sizeof words),
                                  text_from(long_word, sizeof long_word) };
    for (size_t i = 0; i < COUNT(texts); i++)
        for (enum refusal_kind kind = REFUSAL_VIRUS; kind < REFUSAL_KINDS; kind++) {
            struct arena *arena = arena_new(0);
            struct talk talk;
            talk_begin(&talk);
            server_dialogue_start(&talk.dialogue, &talk.listener, false, false);
            talk.config.refusal.english[kind] = texts[i];
            if (texts[i].length) talk.config.refusal.japanese[kind] = text_from(japanese, 3000);
            talk.config.help.page = TEXT("https://x.test/");
            struct reply reply = { 552, "5.3.4", "no", kind, NULL };
            reply = server_dialogue_explain(&reply, &talk.config, true, arena);
            server_dialogue_reply(&talk.dialogue, &talk.config, &reply, &talk.out);
            struct text rest = buffer_text(&talk.out), line;
            unsigned lines = 0;
            assert_true(utf8_is_valid(rest));
            while (text_next_line(&rest, &line)) {
                assert_true(line.length <= 511 &&
                            text_starts(line, rest.length ? TEXT("552-5.3.4 ") : TEXT("552 5.3.4 ")));
                lines++;
            }
            assert_true(lines >= 4);
            talk_end(&talk);
            arena_free(arena);
        }
}

/* The name of HELO: borrowed by nobody, empty where it is too long to be one. */
static void test_helo(void **state)
{
    struct talk talk;
    char name[300];
    (void)state;
    memset(name, 'n', sizeof name);
    talk_begin(&talk);
    server_dialogue_start(&talk.dialogue, &talk.listener, false, false);
    server_dialogue_greeted(&talk.dialogue, text_from(name, 255), true);
    assert_int_equal(talk.dialogue.helo.length, 255);
    assert_ptr_not_equal(talk.dialogue.helo.at, name);
    assert_true(talk.dialogue.is_esmtp);
    server_dialogue_greeted(&talk.dialogue, text_from(name, 256), false);
    assert_int_equal(talk.dialogue.helo.length, 0);
    assert_false(talk.dialogue.is_esmtp);
    talk_end(&talk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verbs),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_explained),
        cmocka_unit_test(test_explained_lines_are_short),
        cmocka_unit_test(test_long_line_in_pieces),
        cmocka_unit_test(test_mail_shown_again),
        cmocka_unit_test(test_letters),
        cmocka_unit_test(test_smtputf8_is_offered),
        cmocka_unit_test(test_reply_to_a_long_address),
        cmocka_unit_test(test_greeting),
        cmocka_unit_test(test_reply_is_one_line),
        cmocka_unit_test(test_helo),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
