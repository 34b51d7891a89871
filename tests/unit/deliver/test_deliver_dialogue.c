/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: what the client says next is right for every reply, and a server out of step is believed in nothing.
   A row is a server's replies, one a line, and what is said after each: "|" ends a step, "<content>",
   "<tls>",
   "<ready>", "<close>" are what the connection does. Before a line, "&" says that it was read together with
   the one before; "!" alone is the end of the connection, "~" the end of the time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "deliver/dialogue.h"
#include "deliver/step_proof.h"

struct row {
    const char *name;
    enum tls_level tls;
    uint32_t recipients;
    uint64_t length; /* 0: a call-out */
    const char *replies, *said;
    const char *endings; /* one word a recipient: d (delivered), t (deferred), f (failed), and the code */
    const char *origin;  /* the message is handed through to a node: all recipients share one fate */
    bool is_mute;        /* the server is not to learn that its reply was heard */
    bool is_new;         /* nothing is known of the server, else it is in step and tells its replies apart */
    enum dialogue_finding finding; /* the last, looked at where it is not FOUND_NOTHING */
};

#define HI "220 hi\n"
#define PIPE "250-s\n250-PIPELINING\n250 CHUNKING\n"
#define PIPE_DATA "250-s\n250 PIPELINING\n"
#define NODE "250-s\n250-PIPELINING\n250-XCLIENT NAME ADDR TRANSACTION\n250 CHUNKING\n"
#define OK "250 ok\n"
#define TO "250 2.1.5 ok\n"
#define KEPT "250 2.0.0 kept\n"
#define BYE "221 bye\n"
#define NO "550 no\n"
#define GO "354 go\n"
#define TWO "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> RCPT TO:<1@c> DATA"

static const struct row rows[] = {
    { "plain", TLS_OFF, 1, 9, HI "250 s\n" OK OK "354 go\n" OK OK,
      "EHLO us|MAIL FROM:<a@b>|RCPT TO:<0@c>|DATA|<content>|RSET|<ready>", "d250" },
    { "HELO", TLS_OFF, 1, 9, HI "502 no EHLO\n" OK OK OK "354 go\n" OK OK,
      "EHLO us|HELO us|MAIL FROM:<a@b>|RCPT TO:<0@c>|DATA|<content>|RSET|<ready>", "d250" },
    { "pipelining, two", TLS_OFF, 2, 9, HI PIPE_DATA OK OK OK "354 go\n" OK OK,
      "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> RCPT TO:<1@c> DATA||||<content> RSET||<ready>", "d250 d250" },
    { "pipelining, one refused", TLS_OFF, 2, 9, HI PIPE_DATA OK NO OK "354 go\n" OK OK,
      "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> RCPT TO:<1@c> DATA||||<content> RSET||<ready>", "f550 d250" },
    { "pipelining, all refused, 354", TLS_OFF, 1, 9,
      HI PIPE_DATA OK NO "354 go\n"
                         "554 none\n",
      "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> DATA|||.|<ready>", "f550" },
    { "pipelining, all refused", TLS_OFF, 1, 9, HI PIPE_DATA OK NO "554 none\n" OK,
      "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> DATA|||RSET|<ready>", "f550" },
    { "BDAT ahead", TLS_OFF, 1, 9, HI PIPE OK TO KEPT OK,
      "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> BDAT 9 LAST <content> RSET||||<ready>", "d250" },
    { "BDAT ahead, all refused", TLS_OFF, 1, 9, HI PIPE OK NO "503 none\n" OK,
      "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> BDAT 9 LAST <content> RSET||||<ready>", "f550" },
    { "BDAT ahead, sender refused", TLS_OFF, 1, 9,
      HI PIPE "553 no\n"
              "503 no\n"
              "503 none\n" OK,
      "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> BDAT 9 LAST <content> RSET||||<ready>", "f553" },
    { "BDAT refused", TLS_OFF, 1, 9, HI PIPE OK OK "552 big\n" OK,
      "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> BDAT 9 LAST <content> RSET||||<ready>", "f552" },
    { "BDAT ahead, closed while idle", TLS_OFF, 1, 9, HI PIPE OK TO KEPT OK "!",
      "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> BDAT 9 LAST <content> RSET||||<ready>", "d250" },
    { "354 to the content is no answer", TLS_OFF, 1, 9, HI PIPE OK OK "354 go\n",
      "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> BDAT 9 LAST <content> RSET|||<close>", "t0" },
    { "large BDAT waits", TLS_OFF, 1, 1000000, HI PIPE OK TO KEPT OK,
      "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c>||BDAT 1000000 LAST <content> RSET||<ready>", "d250" },
    { "large BDAT is not begun", TLS_OFF, 2, 1000000, HI PIPE OK NO NO OK,
      "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> RCPT TO:<1@c>|||RSET|<ready>", "f550 f550" },
    { "BDAT without pipelining", TLS_OFF, 1, 9, HI "250-s\n250 CHUNKING\n" OK TO KEPT OK,
      "EHLO us|MAIL FROM:<a@b>|RCPT TO:<0@c>|BDAT 9 LAST <content>|RSET|<ready>", "d250" },
    { "RSET refused", TLS_OFF, 1, 9,
      HI PIPE_DATA "450 no\n"
                   "503 no\n"
                   "503 no\n"
                   "500 what\n",
      "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> DATA|||RSET|<close>", "t450" },
    { "421 to MAIL", TLS_OFF, 2, 9, HI PIPE_DATA "421 bye\n",
      "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> RCPT TO:<1@c> DATA|<close>", "t421 t421" },
    { "530 to MAIL", TLS_OFF, 1, 9, HI "250 s\n530 say STARTTLS first\n", "EHLO us|MAIL FROM:<a@b>|<close>",
      "t0" },
    { "530 to MAIL, sent ahead", TLS_OFF, 2, 9,
      HI PIPE "530 5.7.0 a certificate\n503 no\n503 no\n503 none\n" OK,
      "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> RCPT TO:<1@c> BDAT 9 LAST <content> RSET|||||<close>", "t0 t0" },
    { "421 after one was refused", TLS_OFF, 2, 9, HI PIPE_DATA OK NO "421 bye\n",
      "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> RCPT TO:<1@c> DATA|||<close>", "f550 t421" },
    { "452 behind a taken one", TLS_OFF, 2, 9,
      HI PIPE_DATA OK OK "452 4.5.3 enough\n"
                         "354 go\n" OK OK,
      "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> RCPT TO:<1@c> DATA||||<content> RSET||<ready>", "d250 n0" },
    { "452 for the first", TLS_OFF, 2, 9, HI PIPE_DATA OK "452 full\n" OK "354 go\n" OK OK,
      "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> RCPT TO:<1@c> DATA||||<content> RSET||<ready>", "t452 d250" },
    { "552 behind a taken one", TLS_OFF, 2, 9, HI PIPE_DATA OK OK "552 too many recipients\n" GO OK OK,
      TWO "||||<content> RSET||<ready>", "d250 n0" },
    { "552 with a status of recipients", TLS_OFF, 2, 9, HI PIPE_DATA OK OK "552 5.5.3 too many\n" GO OK OK,
      TWO "||||<content> RSET||<ready>", "d250 n0" },
    { "552 with a status of another class", TLS_OFF, 2, 9, HI PIPE_DATA OK OK "552 4.5.3 too many\n" GO OK OK,
      TWO "||||<content> RSET||<ready>", "d250 n0" },
    { "552 of two lines", TLS_OFF, 2, 9, HI PIPE_DATA OK OK "552-too many\n552 recipients\n" GO OK OK,
      TWO "||||<content> RSET||<ready>", "d250 n0" },
    { "552 for the first", TLS_OFF, 2, 9, HI PIPE_DATA OK "552 too many\n" OK GO OK OK,
      TWO "||||<content> RSET||<ready>", "t452 d250" },
    { "552 for all", TLS_OFF, 2, 9, HI PIPE_DATA OK "552 too many\n552 too many\n554 none\n" OK,
      TWO "||||RSET|<ready>", "t452 t452" },
    { "552 for the second, the third is taken", TLS_OFF, 3, 9,
      HI PIPE_DATA OK OK "552 too many\n" OK GO OK OK,
      "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> RCPT TO:<1@c> RCPT TO:<2@c> DATA|||||<content> RSET||<ready>",
      "d250 n0 d250" },
    { "552 since the mailbox is full", TLS_OFF, 2, 9, HI PIPE_DATA OK OK "552 5.2.2 full\n" GO OK OK,
      TWO "||||<content> RSET||<ready>", "d250 f552" },
    { "552 since the message is large", TLS_OFF, 2, 9, HI PIPE_DATA OK OK "552 5.3.4 large\n" GO OK OK,
      TWO "||||<content> RSET||<ready>", "d250 f552" },
    { "552 to the sender", TLS_OFF, 1, 9, HI "250 s\n552 too large\n" OK,
      "EHLO us|MAIL FROM:<a@b>|RSET|<ready>", "f552" },
    { "552 to the content", TLS_OFF, 1, 9, HI "250 s\n" OK OK GO "552 too large\n",
      "EHLO us|MAIL FROM:<a@b>|RCPT TO:<0@c>|DATA|<content>|<ready>", "f552" },
    { "552 to a call-out", TLS_OFF, 1, 0, HI PIPE OK "552 too many\n" OK,
      "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> RSET|||<ready>", "t452" },
    { "552, new", TLS_OFF, 2, 9, HI PIPE OK TO "552 too many\n" GO KEPT OK BYE,
      TWO "||||<content>|RSET|QUIT|<close>", "d250 n0", .is_new = true },
    { "to a node, 552 to one of two", TLS_OFF, 2, 9, HI NODE HI OK OK "552 too many\n" OK,
      "EHLO us|XCLIENT NAME=x MAIL FROM:<a@b> RCPT TO:<0@c> RCPT TO:<1@c>||||RSET|<ready>", "t0 n0",
      "NAME=x" },
    { "too many replies", TLS_OFF, 1, 9, HI "250 s\n" OK OK "354 go\n" OK OK OK,
      "EHLO us|MAIL FROM:<a@b>|RCPT TO:<0@c>|DATA|<content>|RSET|<ready>|<close>", "d250" },
    { "call-out", TLS_OFF, 1, 0, HI PIPE OK OK OK, "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> RSET|||<ready>",
      "d250" },
    { "call-out, refused", TLS_OFF, 1, 0, HI PIPE OK NO OK,
      "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> RSET|||<ready>", "f550" },
    { "call-out, sender refused", TLS_OFF, 1, 0, HI "250 s\n" NO OK, "EHLO us|MAIL FROM:<a@b>|RSET|<ready>",
      "t0" },
    { "greeting refused", TLS_OFF, 1, 9, "554 no\n", "QUIT <close>", NULL },
    { "greeting 421", TLS_OFF, 1, 9, "421 no\n", "QUIT <close>", NULL },
    { "STARTTLS", TLS_OFFERED, 1, 9,
      HI "250-s\n250 STARTTLS\n"
         "220 go\n"
         "250 s\n" OK,
      "EHLO us|STARTTLS|<tls> EHLO us|MAIL FROM:<a@b>|RCPT TO:<0@c>", NULL },
    { "STARTTLS refused", TLS_OFFERED, 1, 9,
      HI "250-s\n250 STARTTLS\n"
         "454 no\n" OK,
      "EHLO us|STARTTLS|MAIL FROM:<a@b>|RCPT TO:<0@c>", NULL },
    { "STARTTLS refused, required", TLS_REQUIRED, 1, 9,
      HI "250-s\n250 STARTTLS\n"
         "454 no\n",
      "EHLO us|STARTTLS|QUIT <close>", NULL },
    { "STARTTLS not offered, required", TLS_REQUIRED, 1, 9, HI PIPE, "EHLO us|QUIT <close>", NULL },
    { "STARTTLS not offered, verified", TLS_VERIFIED, 1, 9, HI PIPE, "EHLO us|QUIT <close>", NULL },
    { "STARTTLS not offered, node", TLS_NODE, 1, 9, HI PIPE, "EHLO us|QUIT <close>", NULL },
    { "HELO only, required", TLS_REQUIRED, 1, 9, HI "500 no\n", "EHLO us|QUIT <close>", NULL },
    { "to a node", TLS_OFF, 1, 9, HI NODE HI OK TO KEPT OK,
      "EHLO us|XCLIENT NAME=x MAIL FROM:<a@b> RCPT TO:<0@c> BDAT 9 LAST <content>||||RSET|<ready>", "d250",
      "NAME=x" },
    { "to a node, XCLIENT refused", TLS_OFF, 1, 9, HI NODE NO,
      "EHLO us|XCLIENT NAME=x MAIL FROM:<a@b> RCPT TO:<0@c> BDAT 9 LAST <content>|<close>", "t0", "NAME=x" },
    { "to a node, a reply too many before", TLS_OFF, 1, 9, HI NODE OK,
      "EHLO us|XCLIENT NAME=x MAIL FROM:<a@b> RCPT TO:<0@c> BDAT 9 LAST <content>|<close>", "t0", "NAME=x" },
    { "to a node, 421 to XCLIENT", TLS_OFF, 1, 9, HI NODE "421 bye\n",
      "EHLO us|XCLIENT NAME=x MAIL FROM:<a@b> RCPT TO:<0@c> BDAT 9 LAST <content>|<close>", "t421",
      "NAME=x" },
    { "XCLIENT of another kind is not said", TLS_OFF, 1, 9,
      HI "250-s\n250 XCLIENT NAME ADDR\n" OK OK "354 go\n" OK OK,
      "EHLO us|MAIL FROM:<a@b>|RCPT TO:<0@c>|DATA|<content>|RSET|<ready>", "d250", "NAME=x" },
    { "to a node, two: the content waits for both", TLS_OFF, 2, 9, HI NODE HI OK TO TO KEPT OK,
      "EHLO us|XCLIENT NAME=x MAIL FROM:<a@b> RCPT TO:<0@c> RCPT TO:<1@c>||||BDAT 9 LAST "
      "<content>|RSET|<ready>",
      "d250 d250", "NAME=x" },
    { "to a node, one of two refused: nobody gets it", TLS_OFF, 2, 9, HI NODE HI OK NO OK OK,
      "EHLO us|XCLIENT NAME=x MAIL FROM:<a@b> RCPT TO:<0@c> RCPT TO:<1@c>||||RSET|<ready>", "f550 t0",
      "NAME=x" },
    { "to a node, the second of two refused", TLS_OFF, 2, 9, HI NODE HI OK OK "450 no\n" OK,
      "EHLO us|XCLIENT NAME=x MAIL FROM:<a@b> RCPT TO:<0@c> RCPT TO:<1@c>||||RSET|<ready>", "t0 t450",
      "NAME=x" },
};

/* What a new server that offers all of it is asked, up to the end of its content. */
#define ASKED "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> DATA"
#define ASKED_TWO "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> RCPT TO:<1@c> DATA"
#define AHEAD "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> BDAT 9 LAST <content> RSET"
#define AHEAD_TWO "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> RCPT TO:<1@c> BDAT 9 LAST <content> RSET"
#define PROBE "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> QUIT"
#define NODE_AHEAD "EHLO us|XCLIENT NAME=x MAIL FROM:<a@b> RCPT TO:<0@c> BDAT 9 LAST <content>"
#define BAD "552 no such content\n"
#define NEW .is_new = true
#define OUT .finding = FOUND_OUT_OF_STEP
#define ENDS .finding = FOUND_HANGS_UP
#define IN .finding = FOUND_IN_STEP
#define APART .finding = FOUND_TELLS_APART

/* Servers that are not in step, or not yet known to be. */
static const struct row steps[] = {
    /* met for the first time */
    { "new", TLS_OFF, 1, 9, HI PIPE OK TO GO KEPT OK BYE, ASKED "|||<content>|RSET|QUIT|<close>", "d250", NEW,
      APART },
    { "new, and not to know that it was heard", TLS_OFF, 1, 9, HI PIPE OK TO GO KEPT,
      ASKED "|||<content>|<close>", "d250", NEW, .is_mute = true },
    { "new, replies alike", TLS_OFF, 1, 9, HI PIPE OK OK GO OK OK BYE, ASKED "|||<content>|RSET|QUIT|<close>",
      "d250", NEW, IN },
    { "new, without PIPELINING", TLS_OFF, 1, 9, HI "250 s\n" OK TO GO KEPT OK BYE,
      "EHLO us|MAIL FROM:<a@b>|RCPT TO:<0@c>|DATA|<content>|RSET|QUIT|<close>", "d250", NEW, APART },
    { "new, content refused", TLS_OFF, 1, 9, HI PIPE OK TO GO BAD BYE, ASKED "|||<content>|QUIT|<close>",
      "f552", NEW, IN },
    { "new, content deferred", TLS_OFF, 1, 9, HI PIPE OK TO GO "452 full\n", ASKED "|||<content>|<ready>",
      "t452", NEW },
    { "new, all refused", TLS_OFF, 2, 9, HI PIPE OK NO NO "554 none\n" BYE, ASKED_TWO "||||QUIT|<close>",
      "f550 f550", NEW, IN },
    { "new, one refused", TLS_OFF, 2, 9, HI PIPE OK NO TO GO KEPT OK BYE,
      ASKED_TWO "||||<content>|RSET|QUIT|<close>", "f550 d250", NEW, APART },
    { "new, sender refused", TLS_OFF, 1, 9, HI PIPE "553 no\n503 no\n503 none\n" BYE, ASKED "|||QUIT|<close>",
      "f553", NEW, IN },
    { "new, closes instead of 221", TLS_OFF, 1, 9, HI PIPE OK TO GO KEPT OK "!",
      ASKED "|||<content>|RSET|QUIT", "d250", NEW, APART },
    { "new, closes instead of saying 250 to RSET", TLS_OFF, 1, 9, HI PIPE OK TO GO KEPT "!",
      ASKED "|||<content>|RSET", "t0", NEW, ENDS },
    { "new, does not know RSET", TLS_OFF, 1, 9, HI PIPE OK TO GO KEPT NO BYE,
      ASKED "|||<content>|RSET|QUIT|<close>", "d250", NEW, APART },
    { "new, does not know RSET, closes instead of 221", TLS_OFF, 1, 9, HI PIPE OK TO GO KEPT NO "!",
      ASKED "|||<content>|RSET|QUIT", "t0", NEW, OUT },
    { "new, 221 to the content", TLS_OFF, 1, 9, HI PIPE OK TO GO BYE, ASKED "|||<content>|<close>", "t0", NEW,
      OUT },
    { "new, 221 to RSET", TLS_OFF, 1, 9, HI PIPE OK TO GO KEPT BYE, ASKED "|||<content>|RSET|<close>", "t0",
      NEW, OUT },
    { "new, 421 to RSET", TLS_OFF, 1, 9, HI PIPE OK TO GO KEPT "421 bye\n", ASKED "|||<content>|RSET|<close>",
      "t0", NEW, ENDS },
    { "new, 250 to QUIT, closes", TLS_OFF, 2, 9, HI PIPE OK NO TO GO KEPT OK "250 bye\n!",
      ASKED_TWO "||||<content>|RSET|QUIT|", "f550 d250", NEW, APART },
    { "new, no word to QUIT", TLS_OFF, 1, 9, HI PIPE OK TO GO KEPT OK "~", ASKED "|||<content>|RSET|QUIT",
      "t0", NEW, OUT },
    { "new, 421 after the content", TLS_OFF, 1, 9, HI PIPE OK TO GO KEPT OK "421 bye\n",
      ASKED "|||<content>|RSET|QUIT|<close>", "t0", NEW, OUT },
    { "new, call-out", TLS_OFF, 1, 0, HI PIPE OK TO BYE, PROBE "|||<close>", "d250", NEW, IN },
    { "new, call-out, refused", TLS_OFF, 1, 0, HI PIPE OK NO BYE, PROBE "|||<close>", "f550", NEW, IN },
    { "new, call-out, sender refused", TLS_OFF, 1, 0, HI "250 s\n" NO OK,
      "EHLO us|MAIL FROM:<a@b>|RSET|<ready>", "t0", NEW },

    /* one reply too many, wherever it comes, early or late */
    { "doubled greeting", TLS_OFF, 1, 9, HI "&" HI, "<close>", NULL, NEW, OUT },
    { "doubled greeting, late", TLS_OFF, 1, 9, HI HI PIPE OK OK OK, "EHLO us|<close>", NULL, NEW, OUT },
    { "doubled EHLO", TLS_OFF, 1, 9, HI PIPE "&" OK, "EHLO us|<close>", NULL, NEW, OUT },
    { "doubled EHLO, late", TLS_OFF, 1, 9, HI PIPE OK OK TO GO, ASKED "|||<close>", "t0", NEW, OUT },
    { "doubled EHLO, late, recipient refused", TLS_OFF, 2, 9, HI PIPE OK OK NO TO GO, ASKED_TWO "||||<close>",
      "t0 t0", NEW, OUT },
    { "a reply too many before STARTTLS", TLS_OFFERED, 1, 9, HI "250-s\n250 STARTTLS\n" OK "220 go\n",
      "EHLO us|STARTTLS|<close>", NULL, NEW, OUT },
    { "what comes with the reply to STARTTLS is nobody's", TLS_OFFERED, 1, 9,
      HI "250-s\n250 STARTTLS\n220 go\n&" PIPE,
      "EHLO us|STARTTLS|<tls> EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> DATA", NULL, NEW },
    { "doubled MAIL", TLS_OFF, 1, 9, HI PIPE OK OK TO GO, ASKED "|||<close>", "t0", NEW, OUT },
    { "doubled MAIL, refused recipient of two", TLS_OFF, 2, 9, HI PIPE OK OK NO TO GO,
      ASKED_TWO "||||<close>", "t0 t0", NEW, OUT },
    { "doubled RCPT", TLS_OFF, 1, 9, HI PIPE OK TO TO GO, ASKED "|||<close>", "t0", NEW, OUT },
    { "doubled RCPT, content refused", TLS_OFF, 1, 9, HI PIPE OK TO "&" TO "&" BAD, ASKED "|||<close>", "t0",
      NEW, OUT },
    { "doubled RCPT without PIPELINING", TLS_OFF, 1, 9, HI "250 s\n" OK TO "&" TO,
      "EHLO us|MAIL FROM:<a@b>|RCPT TO:<0@c>|<close>", "t0", NEW, OUT },
    { "doubled RCPT without PIPELINING, late", TLS_OFF, 1, 9, HI "250 s\n" OK TO TO GO,
      "EHLO us|MAIL FROM:<a@b>|RCPT TO:<0@c>|DATA|<close>", "t0", NEW, OUT },
    { "doubled RCPT of the first, the second refused", TLS_OFF, 2, 9, HI PIPE OK TO TO NO GO,
      ASKED_TWO "||||QUIT|<close>", "t0 t0", NEW, OUT },
    { "doubled refusal", TLS_OFF, 2, 9, HI PIPE OK NO NO TO GO, ASKED_TWO "||||<close>", "t0 t0", NEW, OUT },
    { "354 twice", TLS_OFF, 1, 9, HI PIPE OK TO GO "&" GO, ASKED "|||<close>", "t0", NEW, OUT },
    { "354 twice, late", TLS_OFF, 1, 9, HI PIPE OK TO GO GO, ASKED "|||<content>|<close>", "t0", NEW, OUT },
    { "a reply with 354", TLS_OFF, 1, 9, HI PIPE OK TO GO "&" OK, ASKED "|||<close>", "t0", NEW, OUT },
    { "a reply behind 354, content refused", TLS_OFF, 1, 9, HI PIPE OK TO GO OK BAD OK BYE,
      ASKED "|||<content>|RSET|QUIT||<close>", "t0", NEW, OUT },
    { "a reply behind 354, content deferred", TLS_OFF, 1, 9, HI PIPE OK TO GO KEPT "451 no\n" OK BYE,
      ASKED "|||<content>|RSET|QUIT||<close>", "t0", NEW, OUT },
    { "a reply behind 354, content taken", TLS_OFF, 1, 9, HI PIPE OK TO GO OK KEPT OK BYE,
      ASKED "|||<content>|RSET|QUIT||<close>", "d250", NEW, OUT },
    { "a reply behind 354, one of two refused", TLS_OFF, 2, 9, HI PIPE OK NO TO GO OK KEPT OK BYE,
      ASKED_TWO "||||<content>|RSET|QUIT||<close>", "t0 t0", NEW, OUT },
    { "two replies behind 354, content refused", TLS_OFF, 1, 9, HI PIPE OK TO GO OK OK BAD,
      ASKED "|||<content>|RSET|QUIT|<close>", "t0", NEW, OUT },
    { "content doubled", TLS_OFF, 1, 9, HI PIPE OK TO GO KEPT "&" KEPT OK BYE,
      ASKED "|||<content>|RSET|QUIT||<close>", "d250", NEW, OUT },
    { "content taken and refused", TLS_OFF, 1, 9, HI PIPE OK TO GO KEPT "&" BAD OK BYE,
      ASKED "|||<content>|RSET|QUIT||<close>", "t0", NEW, OUT },
    { "call-out, doubled MAIL", TLS_OFF, 1, 0, HI PIPE OK OK NO, PROBE "|||<close>", "t0", NEW, OUT },

    /* in step once and no more: content went ahead */
    { "ahead, doubled RCPT, content refused", TLS_OFF, 1, 9, HI PIPE OK TO TO "&" BAD OK BYE,
      AHEAD "||||QUIT||<close>", "t0", OUT },
    { "ahead, doubled RCPT, content refused later", TLS_OFF, 1, 9, HI PIPE OK TO TO BAD OK BYE,
      AHEAD "||||QUIT||<close>", "t0", OUT },
    { "ahead, all in one read", TLS_OFF, 1, 9, HI PIPE OK "&" TO "&" TO "&" BAD OK BYE,
      AHEAD "||||QUIT||<close>", "t0", OUT },
    { "ahead, doubled like a reply to content, refused", TLS_OFF, 1, 9, HI PIPE OK TO KEPT "&" BAD OK BYE,
      AHEAD "||||QUIT||<close>", "t0", OUT },
    { "ahead, doubled RCPT, content taken", TLS_OFF, 1, 9, HI PIPE OK TO TO KEPT OK BYE,
      AHEAD "||||QUIT||<close>", "d250", OUT },
    { "ahead, doubled MAIL, content refused", TLS_OFF, 1, 9, HI PIPE OK OK TO BAD OK BYE,
      AHEAD "||||QUIT||<close>", "t0", OUT },
    { "ahead, doubled RCPT of the first, the second refused", TLS_OFF, 2, 9, HI PIPE OK TO TO NO KEPT OK BYE,
      AHEAD_TWO "|||||QUIT||<close>", "t0 t0", OUT },
    { "ahead, content refused to two", TLS_OFF, 2, 9, HI PIPE OK TO TO BAD OK BYE,
      AHEAD_TWO "|||||QUIT|<close>", "f552 f552", IN },
    { "ahead, replies alike", TLS_OFF, 1, 9, HI PIPE OK OK OK OK BYE, AHEAD "||||QUIT|<close>", "d250", IN },
    { "ahead, goodbye behind the reply", TLS_OFF, 1, 9, HI PIPE OK TO KEPT "&250 ok\n&421 bye\n",
      AHEAD "||||<ready>|QUIT <close>", "d250", APART },
    { "ahead, goodbye instead of a reply to RSET", TLS_OFF, 1, 9, HI PIPE OK TO KEPT "&421 bye\n",
      AHEAD "||||<close>", "t0", ENDS },
    { "ahead, doubled like a reply to content, closes", TLS_OFF, 1, 9, HI PIPE OK TO KEPT "!", AHEAD "|||",
      "t0", ENDS },
    { "ahead, 220 to the content", TLS_OFF, 1, 9, HI PIPE OK TO HI, AHEAD "|||<close>", "t0", OUT },
    { "ahead, 251 to the content", TLS_OFF, 1, 9, HI PIPE OK TO "251 2.1.5 forwarded\n", AHEAD "|||<close>",
      "t0", OUT },
    { "ahead, 221 to RCPT", TLS_OFF, 1, 9, HI PIPE OK BYE, AHEAD "||<close>", "t0", OUT },
    { "ahead, what refused MAIL takes RCPT", TLS_OFF, 1, 9, HI PIPE BAD OK TO KEPT, AHEAD "||<close>", "t0",
      OUT },
    { "RSET gets what is no reply to it", TLS_OFF, 1, 9, HI PIPE OK NO "503 none\n451 what\n250 ok\n" BYE,
      AHEAD "||||QUIT||<close>", "t0", OUT },
    { "call-out, a reply too many", TLS_OFF, 1, 0, HI PIPE OK TO NO,
      "EHLO us|MAIL FROM:<a@b> RCPT TO:<0@c> RSET|||<close>", "t0", OUT },
    { "to a node, doubled RCPT", TLS_OFF, 1, 9, HI NODE HI OK TO TO BAD OK BYE,
      NODE_AHEAD "||||RSET|QUIT||<close>", "t0", "NAME=x", OUT },
    { "to a node, doubled XCLIENT", TLS_OFF, 1, 9, HI NODE HI HI OK, NODE_AHEAD "||<close>", "t0", "NAME=x",
      OUT },
};

struct play {
    struct dialogue dialogue;
    struct handover handover;
    struct buffer out, said;
    bool has_begun;
};

static void word_add(struct play *play, const char *word)
{
    size_t length = buffer_length(&play->said);
    bool is_first = length == 0 || buffer_text(&play->said).at[length - 1] == '|';
    buffer_printf(&play->said, "%s%s", is_first ? "" : " ", word);
}

static void out_add(struct play *play)
{
    struct text rest = buffer_text(&play->out), line;
    while (text_next_line(&rest, &line)) {
        char *word = memory_string(line);
        word_add(play, word);
        free(word);
    }
    buffer_clear(&play->out);
}

/* False: the connection is closed. */
static bool follow(struct play *play, enum dialogue_action action)
{
    for (;;) {
        out_add(play);
        if (action == DIALOGUE_CLOSE) word_add(play, "<close>");
        if (action == DIALOGUE_CLOSE) return false;
        if (action == DIALOGUE_CONTENT) {
            word_add(play, "<content>");
            dialogue_content_ends(&play->dialogue, &play->out);
            out_add(play);
            dialogue_content_sent(&play->dialogue);
        }
        if (action == DIALOGUE_SECURE) {
            word_add(play, "<tls>");
            action = dialogue_secured(&play->dialogue, &play->out);
            continue;
        }
        if (action != DIALOGUE_READY) return true;
        if (play->has_begun) {
            dialogue_take_done(&play->dialogue);
            word_add(play, "<ready>");
            return true;
        }
        play->has_begun = true;
        assert_int_equal(handover_prepare(&play->handover, &play->dialogue.offered, true), HANDOVER_READY);
        action = dialogue_begin(&play->dialogue, &play->handover, &play->out);
    }
}

static void endings_print(const struct handover *handover, struct buffer *out)
{
    static const char letters[] = { [RECIPIENT_DELIVERED] = 'd',
                                    [RECIPIENT_DEFERRED] = 't',
                                    [RECIPIENT_FAILED] = 'f',
                                    [RECIPIENT_NOT_TRIED] = 'n' };
    for (uint32_t i = 0; i < handover->envelope->recipient_count; i++)
        buffer_printf(out, "%s%c%u", i ? " " : "", letters[handover->results[i].ending],
                      handover->results[i].code);
}

static void row_run(const struct row *row)
{
    struct play play = { 0 };
    struct arena *arena = arena_new(0);
    struct recipient recipients[3] = { { .address = TEXT("0@c") },
                                       { .address = TEXT("1@c") },
                                       { .address = TEXT("2@c") } };
    struct envelope envelope = { .sender = TEXT("a@b"),
                                 .origin = text_of(row->origin ? row->origin : ""),
                                 .recipient_count = row->recipients,
                                 .recipients = recipients };
    struct text rest = text_of(row->replies);
    struct reply_parser parser = { 0 };
    struct smtp_reply reply;
    size_t used = 0;
    play.handover = (struct handover){ .arena = arena, .envelope = &envelope, .length = row->length };
    play.handover.is_probe = row->length == 0;
    play.handover.one_fate = row->origin != NULL;
    handover_start(&play.handover);
    dialogue_start(&play.dialogue, TEXT("us"), row->tls, true);
    play.dialogue.is_mute = row->is_mute;
    play.dialogue.trust = row->is_new ? TRUST_NONE : TRUST_AHEAD;
    dialogue_connected(&play.dialogue);
    bool goes_on = true;
    while (goes_on && reply_parse(&parser, rest, &reply, &used) == REPLY_WHOLE) {
        if (buffer_length(&play.said) > 0 || rest.length < strlen(row->replies))
            buffer_add_char(&play.said, '|');
        rest = text_slice(rest, used, rest.length);
        struct text behind = text_starts(rest, TEXT("&")) ? text_slice(rest, 1, rest.length) : TEXT_NONE;
        goes_on = follow(&play, proof_is_in_step(&play.dialogue, &reply, behind)
                                    ? dialogue_reply(&play.dialogue, &reply, &play.out)
                                    : dialogue_out_of_step(&play.dialogue, &reply, &play.out));
        if (behind.length > 0) rest = behind;
    }
    if (text_starts(rest, TEXT("!"))) proof_hung_up(&play.dialogue);
    if (goes_on && rest.length > 0) dialogue_broken(&play.dialogue, "4.4.2", TEXT("lost"));
    if (!text_equal(buffer_text(&play.said), text_of(row->said)))
        fail_msg("%s: said %.*s", row->name, TEXT_ARG(buffer_text(&play.said)));
    buffer_clear(&play.said);
    endings_print(&play.handover, &play.said);
    if (row->endings && !text_equal(buffer_text(&play.said), text_of(row->endings)))
        fail_msg("%s: ended %.*s", row->name, TEXT_ARG(buffer_text(&play.said)));
    if (row->finding != FOUND_NOTHING && play.dialogue.finding != row->finding)
        fail_msg("%s: found %d", row->name, (int)play.dialogue.finding);
    proof_hung_up(&play.dialogue); /* a server may go at any time, also between two messages */
    buffer_free(&play.said);
    buffer_free(&play.out);
    arena_free(arena);
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) row_run(&rows[i]);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) row_run(&steps[i]);
}

/* A server that refuses the session is told of in its own words. */
static void test_refusals(void **state)
{
    static const struct {
        const char *replies, *reason, *enhanced;
    } all[] = {
        { "554 no service here\n", "554 no service here while receiving the greeting", "4.3.2" },
        { "554 5.7.1 no service here\n", "554 5.7.1 no service here while receiving the greeting", "5.7.1" },
        { "554-5.7.1 you are\n554 5.7.1 on a list\n",
          "554 5.7.1 you are on a list while receiving the greeting", "5.7.1" },
        { "421 4.3.2 too busy\n", "421 4.3.2 too busy while receiving the greeting", "4.3.2" },
        { "500 \n", "500  while receiving the greeting", "4.3.2" },
        { HI "421 go away\n", "421 go away after EHLO", "4.3.2" },
        { HI "550 5.7.1 no\n550 5.7.1 not you either\n", "550 5.7.1 not you either after HELO", "5.7.1" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct play play = { 0 };
        struct text rest = text_of(all[i].replies);
        struct reply_parser parser = { 0 };
        struct smtp_reply reply;
        size_t used;
        dialogue_start(&play.dialogue, TEXT("us"), TLS_OFF, true);
        dialogue_connected(&play.dialogue);
        while (reply_parse(&parser, rest, &reply, &used) == REPLY_WHOLE) {
            follow(&play, dialogue_reply(&play.dialogue, &reply, &play.out));
            rest = text_slice(rest, used, rest.length);
        }
        const struct dialogue_failure *failure = &play.dialogue.failure;
        if (!text_equal(failure->reason, text_of(all[i].reason))) fail_msg("%.*s", TEXT_ARG(failure->reason));
        assert_true(text_equal(failure->enhanced, text_of(all[i].enhanced)));
        buffer_free(&play.said);
        buffer_free(&play.out);
    }
}

/* What is the node's own after a message of somebody's is said to be so. */
static void test_ours_again(void **state)
{
    struct arena *arena = arena_new(0);
    struct recipient recipient = { .address = TEXT("0@c") };
    struct envelope envelope = { .sender = TEXT("a@b"), .recipient_count = 1, .recipients = &recipient };
    struct dialogue dialogue;
    struct handover handover = { .arena = arena, .envelope = &envelope, .length = 9 };
    struct buffer out = { 0 };
    (void)state;
    handover_start(&handover);
    dialogue_start(&dialogue, TEXT("us"), TLS_OFF, true);
    dialogue.state = DIALOGUE_IDLE;
    dialogue.offered = (struct smtp_capabilities){ .pipelining = true, .xclient_between_nodes = true };
    dialogue.speaks_for = true;
    dialogue_begin(&dialogue, &handover, &out);
    assert_true(
        text_starts(buffer_text(&out), TEXT("XCLIENT NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE]\r\nMAIL ")));
    assert_false(dialogue.speaks_for);
    buffer_free(&out);
    arena_free(arena);
}

/* A message whose content left in a life before: what is read goes on from there, and 221 proves it. */
static void test_adopted(void **state)
{
    static const struct {
        bool is_bdat, awaits_xclient;
        uint32_t replied;
        uint8_t first; /* enum recipient_state */
        const char *replies, *endings;
    } all[] = {
        { true, false, 0, RECIPIENT_OPEN, OK TO TO KEPT OK BYE, "d250 d250" },
        { true, true, 0, RECIPIENT_OPEN, HI OK TO TO KEPT OK BYE, "d250 d250" },
        { true, false, 2, RECIPIENT_TAKEN, NO KEPT OK BYE, "d250 f550" },
        { true, false, 2, RECIPIENT_ENDED, TO KEPT OK BYE, "n0 d250" },
        { true, false, 3, RECIPIENT_TAKEN, BAD BYE, "f552 t0" },
        { true, false, 1, RECIPIENT_OPEN, TO TO TO BAD OK BYE, "t0 t0" },
        { false, false, 4, RECIPIENT_TAKEN, KEPT OK BYE, "d250 t0" },
        { false, false, 4, RECIPIENT_TAKEN, KEPT BAD OK BYE, "t0 t0" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct play play = { .has_begun = true };
        struct arena *arena = arena_new(0);
        struct recipient recipients[2] = { 0 };
        struct envelope envelope = { .recipient_count = 2, .recipients = recipients };
        struct text rest = text_of(all[i].replies);
        struct reply_parser parser = { 0 };
        struct smtp_reply reply;
        size_t used;
        play.handover = (struct handover){ .arena = arena, .envelope = &envelope };
        handover_start(&play.handover);
        handover_resume(&play.handover, 0, all[i].first);
        dialogue_adopt(&play.dialogue, &play.handover, all[i].is_bdat, all[i].replied, all[i].awaits_xclient);
        while (reply_parse(&parser, rest, &reply, &used) == REPLY_WHOLE) {
            follow(&play, dialogue_reply(&play.dialogue, &reply, &play.out));
            rest = text_slice(rest, used, rest.length);
        }
        dialogue_broken(&play.dialogue, "4.4.2", TEXT("lost"));
        buffer_clear(&play.said);
        endings_print(&play.handover, &play.said);
        if (!text_equal(buffer_text(&play.said), text_of(all[i].endings)))
            fail_msg("adopted %zu: ended %.*s", i, TEXT_ARG(buffer_text(&play.said)));
        buffer_free(&play.said);
        buffer_free(&play.out);
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows), cmocka_unit_test(test_adopted),
                                        cmocka_unit_test(test_ours_again), cmocka_unit_test(test_refusals) };
    return cmocka_run_group_tests_name("deliver dialogue", tests, NULL, NULL);
}
