/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What verbs ask a node, and what they make of its answers: tables, JSON, exit codes, complaints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#include <cmocka.h>

#include "node_double.h"

#define MESSAGE                                                                                      \
    "{\"id\":\"0123456789ABC\",\"size\":1234,\"arrived_ms\":1790000000000,\"sender\":\"a\\u001b@b."  \
    "example\","                                                                                     \
    "\"direction\":\"in\",\"segment\":7,\"offset\":42,\"edits\":1,\"envid\":\"E1\",\"recipients\":[" \
    "{\"state\":\"deferred\",\"address\":\"x@y.example\",\"attempts\":2,\"next_ms\":1790000060000,"  \
    "\"reason\":\"450 later\"},{\"state\":\"ready\",\"address\":\"z@y.example\",\"hold\":\"held\"}]}"
#define MESSAGE_HEAD "0123456789ABC       1234  2026-09-21 23:13:20  <a\\x1B@b.example>\n"
#define MESSAGE_TAIL                                                          \
    "    deferred   <x@y.example>  tried 2 times  next 2026-09-21 23:14:20\n" \
    "               (450 later)\n"                                            \
    "    ready      <z@y.example>  held\n"
#define TALLY(name, total, held, five, more)                                                    \
    "{\"destination\":\"" name "\",\"total\":" total ",\"held\":" held ",\"ages\":{\"5\":" five \
    ",\"more\":" more "}}\n"

struct row {
    const char *verb, *rest;
    struct node_answer answers[NODE_ANSWERS_MOST];
    const char *asked;
    int code;
    const char *out, *err; /* whole, but for `err` that ends with "…" */
};

static const struct row queue_rows[] = {
    { "queue", "list", { { .code = EX_OK } }, "queue list;", EX_OK, "the queue is empty\n", "" },
    { "queue",
      "list --from a@*",
      { { .code = EX_OK } },
      "queue list|--from|a@*;",
      EX_OK,
      "nothing in the queue matches\n",
      "" },
    { "queue",
      "list --from ''",
      { { .code = EX_OK } },
      "queue list|--from|<>;",
      EX_OK,
      "nothing in the queue matches\n",
      "" },
    { "queue",
      "list --held",
      { { .code = EX_OK } },
      "queue list|--held;",
      EX_OK,
      "nothing in the queue matches\n",
      "" },
    { "queue",
      "list --match x --to y 0123456789ABC",
      { { .code = EX_OK } },
      "queue list|--match|x|--to|y|0123456789ABC;",
      EX_OK,
      "nothing in the queue matches\n",
      "" },
    { "queue",
      "list",
      { { .parts = { MESSAGE "\n" }, .code = EX_OK } },
      "queue list;",
      EX_OK,
      MESSAGE_HEAD MESSAGE_TAIL,
      "" },
    { "queue",
      "list",
      { { .parts = { "{\"id\":\"A\",\"si", "ze\":5,\"arrived_ms\":0}\n{\"id\":\"B\"", "}\n" } } },
      "queue list;",
      EX_OK,
      "A          5  1970-01-01 09:00:00  <>\nB          0  1970-01-01 09:00:00  <>\n",
      "" },
    { "queue", "list --json", { { .parts = { MESSAGE "\n" } } }, "queue list;", EX_OK, MESSAGE "\n", "" },
    { "queue", "list", { { .parts = { "no JSON\n" } } }, "queue list;", EX_OK, "the queue is empty\n", "" },
    { "queue",
      "show 0123456789ABC",
      { { .parts = { MESSAGE "\n" } } },
      "queue show|0123456789ABC;",
      EX_OK,
      MESSAGE_HEAD "    direction in, segment 00000007 at 42, 1 edit set\n    envelope id E1\n" MESSAGE_TAIL,
      "" },
    { "queue",
      "show nobody",
      { { .code = EX_NOINPUT } },
      "queue show|nobody;",
      EX_NOINPUT,
      "",
      "sekimori queue: nothing in the queue has that name\n" },
    { "queue",
      "cat 0123456789ABC",
      { { .parts = { "From: a\r\n", "\r\nb" } } },
      "queue cat|0123456789ABC;",
      EX_OK,
      "From: a\r\n\r\nb",
      "" },
    { "queue",
      "cat 0123456789ABC",
      { { .code = EX_TEMPFAIL } },
      "queue cat|0123456789ABC;",
      EX_TEMPFAIL,
      "",
      "sekimori queue: the look cannot be recorded now, so nothing is shown: try again\n" },
    { "queue",
      "cat 0123456789ABC",
      { { .code = EX_NOPERM, .last = "you may not" } },
      "queue cat|0123456789ABC;",
      EX_NOPERM,
      "",
      "sekimori queue: you may not\n" },
    { "queue",
      "summary",
      { { .parts = { TALLY("a.example", "3", "1", "2", "1") } } },
      "queue summary;",
      EX_OK,
      "                                     total      5     10     20     40     80    160    320    640   "
      "1280"
      "  1280+    held\n"
      "a.example                                3      2      0      0      0      0      0      0      0    "
      "  0"
      "      1       1\n",
      "" },
    { "queue",
      "summary",
      { { .parts = { TALLY("a.example", "3", "1", "2", "1") TALLY("b", "4", "0", "4", "0") } } },
      "queue summary;",
      EX_OK,
      "                                     total      5     10     20     40     80    160    320    640   "
      "1280"
      "  1280+    held\n"
      "a.example                                3      2      0      0      0      0      0      0      0    "
      "  0"
      "      1       1\n"
      "b                                        4      4      0      0      0      0      0      0      0    "
      "  0"
      "      0       0\n"
      "all                                      7      6      0      0      0      0      0      0      0    "
      "  0"
      "      1       1\n",
      "" },
    { "queue",
      "retry all",
      { { .last = "{\"recipients\":2,\"messages\":1}\n" } },
      "queue retry|all;",
      EX_OK,
      "2 recipients of 1 message\n",
      "" },
    { "queue",
      "hold all --dry-run",
      { { .last = "{\"recipients\":1,\"messages\":1}\n" } },
      "queue hold|--dry-run|all;",
      EX_OK,
      "would hold 1 recipient of 1 message\n",
      "" },
    { "queue",
      "retry all",
      { { .code = EX_TEMPFAIL, .last = "{\"recipients\":0,\"messages\":0,\"busy\":3}\n" } },
      "queue retry|all;",
      EX_TEMPFAIL,
      "0 recipients of 0 messages; others are being delivered at this moment\n",
      "" },
    { "queue",
      "list",
      { { .code = EX_USAGE, .last = "bad pattern" } },
      "queue list;",
      EX_USAGE,
      "",
      "sekimori queue: bad pattern\n" },
    { "queue", "list", { { .code = -1 } }, "queue list;", EX_TEMPFAIL, "", NULL },
    /* Of several nothing is removed without --yes where nobody can be asked. */
    { "queue",
      "remove all",
      { { .last = "{\"recipients\":5,\"messages\":4}" } },
      "queue remove|--dry-run|all;",
      EX_USAGE,
      "",
      "sekimori queue: remove would take 4 messages: say --yes to do it, --dry-run to see\n" },
    { "queue",
      "remove all",
      { { .last = "{\"recipients\":2,\"messages\":1}" }, { .last = "{\"recipients\":2,\"messages\":1}\n" } },
      "queue remove|--dry-run|all;queue remove|all;",
      EX_OK,
      "2 recipients of 1 message\n",
      "" },
    { "queue",
      "remove all --yes",
      { { .last = "{\"recipients\":5,\"messages\":4}\n" } },
      "queue remove|all;",
      EX_OK,
      "5 recipients of 4 messages\n",
      "" },
    { "queue",
      "remove 0123456789ABC 0123456789ABD",
      { { .last = "{\"recipients\":5,\"messages\":2}\n" } },
      "queue remove|0123456789ABC|0123456789ABD;",
      EX_OK,
      "5 recipients of 2 messages\n",
      "" },
    { "queue",
      "release all",
      { { .last = "{\"recipients\":5,\"messages\":4,\"doubtful\":0}" },
        { .last = "{\"recipients\":5,\"messages\":4}\n" } },
      "queue release|--dry-run|all;queue release|all;",
      EX_OK,
      "5 recipients of 4 messages\n",
      "" },
    { "queue",
      "release all",
      { { .last = "{\"recipients\":5,\"messages\":4,\"doubtful\":1}" } },
      "queue release|--dry-run|all;",
      EX_USAGE,
      "",
      "sekimori queue: release would take 4 messages: say --yes to do it, --dry-run to see\n" },
};

#define HELD                                                                                                 \
    "{\"id\":\"0123456789ABC\",\"size\":99,\"arrived_ms\":1790000000000,\"sender\":\"s@x.example\","         \
    "\"bytes\":55,"                                                                                          \
    "\"subject\":\"a\\u001bb\",\"virus\":\"Eicar\",\"recipients\":[{\"class\":\"virus\",\"state\":\"kept\"," \
    "\"address\":\"u@x.example\",\"changed_ms\":1790000001500,\"by\":\"root\",\"reason\":\"seen\"}]}\n"

static const struct row quarantine_rows[] = {
    { "quarantine",
      "list",
      { { .code = EX_OK } },
      "quarantine list;",
      EX_OK,
      "the quarantine is empty\n",
      "" },
    { "quarantine",
      "list --class spam --from '' --to b --ticket T",
      { { .code = EX_OK } },
      "quarantine list|--class|spam|--from|<>|--to|b|--ticket|T;",
      EX_OK,
      "nothing in the quarantine matches\n",
      "" },
    { "quarantine", "list --json", { { .parts = { HELD } } }, "quarantine list;", EX_OK, HELD, "" },
    { "quarantine",
      "show 0123456789ABC --content",
      { { .parts = { "Subject: x\r\n", "\r\n" } } },
      "quarantine content|0123456789ABC;",
      EX_OK,
      "Subject: x\r\n\r\n",
      "" },
    { "quarantine",
      "show nobody",
      { { .code = EX_NOINPUT } },
      "quarantine show|nobody;",
      EX_NOINPUT,
      "",
      "sekimori quarantine: nothing there has that name\n" },
    { "quarantine",
      "release 0123456789ABC",
      { { .code = EX_NOPERM, .last = "{\"recipients\":0,\"messages\":0}\n" } },
      "quarantine release|0123456789ABC;",
      EX_NOPERM,
      "0 recipients\n",
      "sekimori quarantine: some are of a class that you may not act on\n" },
    { "quarantine",
      "release 0123456789ABC",
      { { .code = EX_TEMPFAIL, .last = "{\"recipients\":1,\"messages\":1}\n" } },
      "quarantine release|0123456789ABC;",
      EX_TEMPFAIL,
      "1 recipient\n",
      "sekimori quarantine: some cannot be read, or are on their way at this moment: try again\n" },
    { "quarantine",
      "delete all --dry-run",
      { { .last = "{\"recipients\":3,\"messages\":1}\n" } },
      "quarantine delete|--dry-run|all;",
      EX_OK,
      "would delete 3 recipients of 1 message\n",
      "" },
    { "quarantine",
      "delete all",
      { { .last = "{\"recipients\":3,\"messages\":2}" } },
      "quarantine delete|--dry-run|all;",
      EX_USAGE,
      "",
      "sekimori quarantine: delete would take 2 messages: say --yes to do it, --dry-run to see\n" },
    { "quarantine",
      "release all",
      { { .last = "{\"recipients\":3,\"messages\":2,\"harmful\":1}" } },
      "quarantine release|--dry-run|all;",
      EX_USAGE,
      "",
      "sekimori quarantine: release would take 2 messages; what is in them may hurt: say --yes to do it, "
      "--dry-run "
      "to see\n" },
    { "quarantine",
      "release all",
      { { .last = "{\"recipients\":3,\"messages\":2,\"harmful\":0}" },
        { .last = "{\"recipients\":3,\"messages\":2}\n" } },
      "quarantine release|--dry-run|all;quarantine release|all;",
      EX_OK,
      "3 recipients\n",
      "" },
    { "quarantine",
      "delete all --yes",
      { { .last = "{\"recipients\":3,\"messages\":2}\n" } },
      "quarantine delete|all;",
      EX_OK,
      "3 recipients\n",
      "" },
    { "quarantine",
      "list",
      { { .code = EX_USAGE, .last = "bad pattern\n" } },
      "quarantine list;",
      EX_USAGE,
      "",
      "sekimori quarantine: bad pattern\n" },
};

#define PROCESSES                                                                                    \
    "\"processes\":[{\"name\":\"queue\",\"index\":0,\"state\":\"running\",\"pid\":4711,\"up_s\":60," \
    "\"restarts\":1,\"values\":{\"messages\":1,\"recipients\":3,\"held\":0,\"spool "                 \
    "full\":\"no\"}},{\"name\":\"scan\",\"index\":1,\"state\":\"running\","                          \
    "\"pid\":4712,\"up_s\":61,\"restarts\":0,\"values\":{}}]"
#define PROCESSES_SHOWN                                      \
    "queue     0  running  pid 4711    up 60s, restarts 1\n" \
    "             messages                     1\n"          \
    "             recipients                   3\n"          \
    "             held                         0\n"          \
    "             spool full                   no\n"         \
    "scan      1  running  pid 4712    up 61s, restarts 0\n" \
    "             does not answer\n"

#define PROCESSES_SHORT                                             \
    "process  state        up  restarts  since its start\n"         \
    "queue    running     60s         1  1 message, 3 recipients\n" \
    "scan     running     61s         0  does not answer\n"

static const struct row node_rows[] = {
    { "status",
      "--all",
      { { .last = "{\"ready\":true," PROCESSES "}" } },
      "status;",
      EX_OK,
      PROCESSES_SHOWN,
      "" },
    { "status",
      "queue scan",
      { { .last = "{\"ready\":true," PROCESSES "}" } },
      "status;",
      EX_OK,
      PROCESSES_SHOWN,
      "" },
    { "status", "ledger", { { .last = "{\"ready\":true," PROCESSES "}" } }, "status;", EX_OK, "", "" },
    { "status", "", { { .last = "{\"ready\":false," PROCESSES "}" } }, "status;", 1, PROCESSES_SHORT, "" },
    { "status",
      "",
      { { .last = "{\"users\":\"shared\",\"uid\":0,\"ready\":true}" } },
      "status;",
      EX_OK,
      "users: all processes but master run as root; users of their own, root-receive and so on, part them\n",
      "" },
    { "status",
      "--all",
      { { .last = "{\"users\":\"one\",\"uid\":0,\"ready\":true}" } },
      "status;",
      EX_OK,
      "users: all processes run as root; say user NAME\n",
      "" },
    { "status",
      "",
      { { .last = "{\"users\":\"one\",\"uid\":4294967294,\"ready\":true}" } },
      "status;",
      EX_OK,
      "users: all processes run as user 4294967294; started by root, each runs as a user of its own\n",
      "" },
    { "status",
      "",
      { { .last = "{\"users\":\"own\",\"uid\":0,\"ready\":true}" } },
      "status;",
      EX_OK,
      "",
      "" },
    { "status", "--json", { { .last = "{\"ready\":true}" } }, "status;", EX_OK, "{\"ready\":true}\n", "" },
    { "status",
      "",
      { { .last = "{\"ready\":true,\"draining\":true,\"drain_to\":\"192.0.2.9:25\"}" } },
      "status;",
      EX_OK,
      "drained: nothing is taken; what waits goes to 192.0.2.9:25\n",
      "" },
    { "status",
      "",
      { { .last = "{\"ready\":true,\"draining\":true,\"drain_to\":\"\"}" } },
      "status;",
      EX_OK,
      "drained: nothing is taken; what waits goes to its usual servers\n",
      "" },
    { "status",
      "",
      { { .last =
              "{\"ready\":true,\"certificates\":[{\"file\":\"/c.pem\",\"use\":\"listen\",\"names\":\"a b\","
              "\"until\":1790000000,\"days_left\":3,\"warning\":\"expires soon\"}]}" } },
      "status;",
      EX_OK,
      "WARNING: certificate /c.pem: expires soon\n"
      "1 certificate, the first to end on 2026-09-21 (3 days): /c.pem\n",
      "" },
    { "status",
      "--all",
      { { .last =
              "{\"ready\":true,\"certificates\":[{\"file\":\"/c.pem\",\"use\":\"listen\",\"names\":\"a b\","
              "\"until\":1790000000,\"days_left\":3,\"warning\":\"expires soon\"}]}" } },
      "status;",
      EX_OK,
      "certificate  /c.pem\n"
      "             for                          listen\n"
      "             names                        a b\n"
      "             until                        2026-09-21 (3 days)\n"
      "             WARNING                      expires soon\n",
      "" },
    { "report",
      "--to boss@example.jp --date 2026-10-04 --language ja",
      { { .last = "sent" } },
      "report 2026-10-04 ja to boss@example.jp;",
      EX_OK,
      "sent\n",
      "" },
    { "report",
      "--to /nonexistent/r.html --date 2026-10-04",
      { { .last = "<html>" } },
      "report 2026-10-04 - as html;",
      EX_CANTCREAT,
      "",
      "sekimori report: /nonexistent/r.html: No such file or directory\n" },
    { "report",
      "--test-alarm",
      { { .code = EX_CONFIG, .last = "no alarm is configured" } },
      "report test-alarm;",
      EX_CONFIG,
      "",
      "sekimori report: no alarm is configured\n" },
    /* A node's own exit code is no verdict on sums that it did not send. */
    { "balance",
      "--wait 0",
      { { .code = 1, .last = "not now" } },
      "balance;",
      1,
      "",
      "sekimori balance: not now\n" },
    { "balance",
      "--wait 0",
      { { .code = 2, .last = "not now" } },
      "balance;",
      2,
      "",
      "sekimori balance: not now\n" },
};

static void rows_run(const struct row *rows, size_t count)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        struct said said;
        char asked[NODE_COMMAND_SIZE];
        node_double_run(row->verb, row->rest, row->answers, &said, asked);
        bool is_good = said.code == row->code && strcmp(asked, row->asked) == 0 &&
                       strcmp(said.out, row->out) == 0 && (!row->err || strcmp(said.err, row->err) == 0);
        if (is_good) continue;
        wrong++;
        print_error("%s %s\n  gives    %d [%s] %s%s\n  expected %d [%s] %s%s\n", row->verb, row->rest,
                    said.code, asked, said.out, said.err, row->code, row->asked, row->out,
                    row->err ? row->err : "…");
    }
    assert_int_equal(wrong, 0);
}

static void queue(void **state)
{
    rows_run(queue_rows, sizeof queue_rows / sizeof *queue_rows);
}

static void quarantine(void **state)
{
    rows_run(quarantine_rows, sizeof quarantine_rows / sizeof *quarantine_rows);
}

/* In a Japanese locale; JSON stays as it comes. */
static const struct row japanese_rows[] = {
    { "queue", "list", { { .code = EX_OK } }, "queue list;", EX_OK, "キューは空です\n", "" },
    { "queue",
      "hold all --dry-run",
      { { .last = "{\"recipients\":1,\"messages\":2}\n" } },
      "queue hold|--dry-run|all;",
      EX_OK,
      "hold した場合: 宛先 1 件、メール 2 通\n",
      "" },
    { "quarantine",
      "release 0123456789ABC",
      { { .code = EX_NOPERM, .last = "{\"recipients\":0,\"messages\":0}\n" } },
      "quarantine release|0123456789ABC;",
      EX_NOPERM,
      "宛先 0 件\n",
      "sekimori quarantine: 操作の権限がない種類のものがあります\n" },
    { "lists",
      "",
      { { .last = "{\"list\":\"a\",\"about\":\"client\",\"zone\":\"z.example\",\"state\":\"aside\","
                  "\"asked\":3,\"listed\":1,\"probed_ms\":0,\"problem\":\"refuses to answer this node, or "
                  "another answers for it (127.255.255.254)\"}\n"
                  "{\"list\":\"b\",\"about\":\"from\",\"file\":\"/b\",\"state\":\"in force\",\"entries\":2,"
                  "\"loaded_ms\":1790000000000,\"fetched_ms\":0,\"is_stale\":1,"
                  "\"trouble\":\"https://x.example/b: its host has no address, or the DNS does not answer\","
                  "\"problem\":\"/b:3: \\\"x y\\\" is no domain name\"}\n" } },
      "lists;",
      EX_OK,
      "a                    停止中        対象 client\n"
      "    z.example: 確認 なし、問い合わせ 3、該当 1\n"
      "    理由: このノードへの回答を拒むか、別のサーバーが代わりに答えています (127.255.255.254)\n"
      "b                    有効          対象 from\n"
      "    /b: 2 件、読み込み 2026-09-21 23:13:20\n"
      "    最新と確認: なし（古すぎます）\n"
      "    取得できません: https://x.example/b: ホストのアドレスがないか、DNS が応答しません\n"
      "    拒否: /b:3: \"x y\" はドメイン名ではありません\n",
      "" },
    { "lists",
      "--json",
      { { .last = "{\"list\":\"a\",\"state\":\"aside\"}\n" } },
      "lists;",
      EX_OK,
      "{\"list\":\"a\",\"state\":\"aside\"}\n",
      "" },
    { "sender",
      "show a@b.example",
      { { .last = "{\"kind\":\"address\",\"name\":\"a@b.example\",\"known_since_ms\":1790000000000,"
                  "\"written_to_ms\":0,\"messages\":3,\"days\":2,\"spam\":1}\n" } },
      "sender show a@b.example;",
      EX_OK,
      "アドレス        a@b.example\n"
      "初めて見た日時  2026-09-21 23:13:20\n"
      "こちらから送信  なし\n"
      "メール          3 通 (2 日間)、うち迷惑 1 通\n",
      "" },
    { "sender",
      "forget a@b.example",
      { { .last = "{\"forgotten\":2}\n" } },
      "sender forget a@b.example;",
      EX_OK,
      "消去: 2 件\n",
      "" },
    { "inside",
      "held",
      { { .last =
              "{\"sender\":\"u@d.example\",\"cause\":\"refused\",\"says\":\"30 of 40 recipients refused in "
              "an hour\",\"since_ms\":1790000000000,\"until_ms\":1790003600000,\"messages\":4}\n" } },
      "inside held ;",
      EX_OK,
      "u@d.example\n  2026-09-21 23:13:20 から 2026-09-22 00:13:20 まで、保留 4 通: "
      "1時間に拒否された宛先 30 件（全 40 件）\n",
      "" },
    { "people",
      "list",
      { { .parts = { "{\"name\":\"山田\",\"address\":\"y@d.example\",\"mails\":5,\"days\":3,\"last_ms\":"
                     "1790000000000,\"state\":\"known\"}\n" } } },
      "people list;",
      EX_OK,
      "有効           5 通   3 日、最後 2026-09-21  山田 <y@d.example>\n",
      "" },
    { "block",
      "list",
      { { .parts = { "{\"number\":7,\"what\":\"@x.example\",\"flags\":\"\",\"to\":\"everybody\",\"by\":"
                     "\"root\","
                     "\"expires_ms\":0,\"made_ms\":1790000000000,\"used\":2,\"last_ms\":1790000000000}"
                     "\n" } } },
      "block list;",
      EX_OK,
      "7  @x.example  宛先 everybody  期限 削除まで  登録 root 2026-09-21 23:13:20  使用 2 回、最後 "
      "2026-09-21 23:13:20\n",
      "" },
};

static void japanese(void **state)
{
    setenv("LC_ALL", "ja_JP.UTF-8", 1);
    rows_run(japanese_rows, sizeof japanese_rows / sizeof *japanese_rows);
    setenv("LC_ALL", "C.UTF-8", 1);
}

static void node(void **state)
{
    rows_run(node_rows, sizeof node_rows / sizeof *node_rows);
}

/* The table has an age, which is by the clock: its columns are looked at one by one. */
static void quarantine_table(void **state)
{
    struct said said;
    char asked[NODE_COMMAND_SIZE];
    const struct node_answer answers[NODE_ANSWERS_MOST] = { { .parts = { HELD } } };
    node_double_run("quarantine", "show 0123456789ABC", answers, &said, asked);
    assert_int_equal(said.code, EX_OK);
    assert_true(text_starts(text_of(said.out), TEXT("0123456789ABC         99  ")));
    static const char *const parts[] = { "  <s@x.example>\n    \"a", "    virus Eicar\n",
                                         "    arrived 2026-09-21 23:13:20.000, 55 bytes on disk\n",
                                         "    virus         kept      <u@x.example>\n",
                                         "                  2026-09-21 23:13:21.500  root  (seen)\n" };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(said.out, parts[i])) fail_msg("%s\n  lacks %s", said.out, parts[i]);
    assert_null(strchr(said.out, '\033'));
    node_double_run("quarantine", "list", answers, &said, asked);
    struct text list = text_of(said.out), line = TEXT_NONE;
    assert_true(text_next_line(&list, &line) &&
                text_starts(line, TEXT("message            bytes    age  sender")));
    assert_true(text_starts(list, TEXT("0123456789ABC         99  ")));
}

/* What it was held for, in points and rules. */
static void quarantine_says_why(void **state)
{
    static const char *const rows[][2] = {
        { "\"score\":21.3,\"signals\":\"GTUBE:20.0\"", "    why: 21.3 points: GTUBE:20.0\n" },
        { "\"score\":7,\"signals\":\"\"", "    why: 7 points\n" },
        { "\"signals\":\"BAD_\\u001b[1m\",\"author\":\"A <a@b>\"",
          "    From: A <a@b>\n    why: BAD_\\u{1b}[1m\n" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct said said;
        char asked[NODE_COMMAND_SIZE], part[400];
        snprintf(part, sizeof part, "{\"id\":\"0123456789ABC\",%s,\"recipients\":[]}\n", rows[i][0]);
        const struct node_answer answers[NODE_ANSWERS_MOST] = { { .parts = { part } } };
        node_double_run("quarantine", "show 0123456789ABC", answers, &said, asked);
        if (!strstr(said.out, rows[i][1])) fail_msg("%s\n  lacks %s", said.out, rows[i][1]);
    }
}

/* The newest so many, in their order. */
static void quarantine_most(void **state)
{
    struct said said;
    char asked[NODE_COMMAND_SIZE];
    const struct node_answer answers[NODE_ANSWERS_MOST] = { { .parts = { "{\"id\":\"A\"}\n{\"id\":\"B\"}\n",
                                                                         "{\"id\":\"C\"}\n" } } };
    node_double_run("quarantine", "list --json --most 2 --subject x", answers, &said, asked);
    assert_string_equal(asked, "quarantine list|--subject|x;");
    assert_string_equal(said.out, "{\"id\":\"B\"}\n{\"id\":\"C\"}\n");
    node_double_run("quarantine", "list --most 5", answers, &said, asked);
    assert_null(strstr(said.out, "the newest"));
    node_double_run("quarantine", "list --most 1", answers, &said, asked);
    assert_non_null(strstr(said.out, "the newest 1 of 3 messages"));
}

int main(void)
{
    setenv("TZ", "Asia/Tokyo", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    tzset();
    unsetenv("SEKIMORI_STATE");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queue),
        cmocka_unit_test(quarantine),
        cmocka_unit_test(quarantine_table),
        cmocka_unit_test(quarantine_says_why),
        cmocka_unit_test(quarantine_most),
        cmocka_unit_test(node),
        cmocka_unit_test(japanese),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
