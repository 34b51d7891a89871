/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The table of verbs, and what each verb refuses: words, the exit code, the first line on standard error. No
   node runs, and nothing is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/health_plugin.h"
#include "cli/verb_table.h"
#include "said.h"

static void the_table(void **state)
{
    size_t count;
    const struct verb *verbs = verb_table_list(&count);
    assert_true(count >= 23);
    for (size_t i = 0; i < count; i++) {
        struct text name = text_of(verbs[i].name), help = text_of(verbs[i].help);
        assert_true(name.length > 0 && name.length <= 11 && verbs[i].run);
        for (size_t k = 0; k < name.length; k++) assert_true(name.at[k] >= 'a' && name.at[k] <= 'z');
        assert_true(help.length > 0 && help.length <= 66 && help.at[help.length - 1] != '.');
        assert_true(verbs[i].asks <= VERB_ASKS_REPORT);
        assert_ptr_equal(verb_table_find(verbs[i].name), &verbs[i]); /* none stands twice */
        assert_true(verbs[i].usage && strcmp(verbs[i].usage->verb, verbs[i].name) == 0);
    }
    static const char *const none[] = { "", "chec", "checks", "Check", " check", "help", "--help" };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) assert_null(verb_table_find(none[i]));
}

/* Each verb's help begins with its usage, on standard output, and asks nobody, nor is there a configuration.
 */
static void each_has_help(void **state)
{
    size_t count;
    const struct verb *verbs = verb_table_list(&count);
    setenv("SEKIMORI_CONFIG", "/nonexistent/sekimori.conf", 1);
    for (size_t i = 0; i < count; i++) {
        char words[40], usage[60];
        struct said said;
        snprintf(words, sizeof words, "%s --help", verbs[i].name);
        snprintf(usage, sizeof usage, "usage: sekimori %s", verbs[i].name);
        said_by_verb(words, &said);
        if (said.code != EX_OK || *said.err || strncmp(said.out, usage, strlen(usage)) != 0)
            fail_msg("%s: %d %s%s", words, said.code, said.out, said.err);
        snprintf(words, sizeof words, "help %s", verbs[i].name);
        said_by_verb(words, &said);
        assert_true(said.code == EX_OK && strncmp(said.out, usage, strlen(usage)) == 0);
        snprintf(words, sizeof words, "%s --no-such-option", verbs[i].name);
        said_by_verb(words, &said);
        if (said.code != EX_USAGE || *said.out || !strstr(said.err, "no-such-option"))
            fail_msg("%s: %d %s%s", words, said.code, said.out, said.err);
    }
}

/* A file without any problem: nothing but what is in force, and no byte on standard error. */
static void dump_of_a_good_file(void **state)
{
    static const char good[] = "hostname mx.a.jp\nlisten 127.0.0.1:25\ndomains { a.jp 10.0.0.2 }\n";
    char path[] = "/tmp/unit-verbs-XXXXXX", words[60];
    struct said said;
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, good, sizeof good - 1) == sizeof good - 1);
    close(fd);
    snprintf(words, sizeof words, "dump %s", path);
    said_by_verb(words, &said);
    unlink(path);
    assert_int_equal(said.code, EX_OK);
    assert_string_equal(said.err, "");
    assert_true(strstr(said.out, "hostname mx.a.jp") != NULL);
}

static void the_command_itself(void **state)
{
    struct said said;
    said_by_verb("", &said);
    assert_int_equal(said.code, EX_USAGE);
    assert_true(!*said.out && text_starts(text_of(said.err), TEXT("usage: sekimori VERB")));
    said_by_verb("nonsense", &said);
    assert_int_equal(said.code, EX_USAGE);
    assert_true(text_starts(text_of(said.err), TEXT("sekimori: unknown verb: nonsense\n\nusage: ")));
    said_by_verb("help", &said);
    assert_int_equal(said.code, EX_OK);
    assert_true(!*said.err && strstr(said.out, "\n  quarantine  list, show,"));
    said_by_verb("--version", &said);
    assert_int_equal(said.code, EX_OK);
    assert_true(text_starts(text_of(said.out), TEXT("sekimori " SEKIMORI_VERSION "\n  commit ")));
    said_by_verb("--version --json", &said);
    assert_true(said.code == EX_OK && strstr(said.out, "\"version\":\"" SEKIMORI_VERSION "\""));
    said_by_verb("--version all", &said);
    assert_int_equal(said.code, EX_USAGE);
}

static const struct {
    const char *words;
    int code;
    const char *said; /* how standard error begins */
} rows[] = {
    { "start here", EX_USAGE, "sekimori start: unexpected argument: here\n" },
    { "stop now", EX_USAGE, "sekimori stop: unexpected argument: now\n" },
    { "reload all", EX_USAGE, "sekimori reload: unexpected argument: all\n" },
    { "status al", EX_USAGE, "sekimori status: no such process: al\nusage: " },
    { "status recieve", EX_USAGE, "sekimori status: no such process: recieve; did you mean receive?\n" },
    { "status master", EX_USAGE, "sekimori status: no such process: master" },
    { "statsu", EX_USAGE, "sekimori: unknown verb: statsu; did you mean status?\n" },
    { "qurantine", EX_USAGE, "sekimori: unknown verb: qurantine; did you mean quarantine?\n" },
    { "quar", EX_USAGE, "sekimori: unknown verb: quar; did you mean quarantine?\n" },
    { "relaod", EX_USAGE, "sekimori: unknown verb: relaod; did you mean reload?\n" },
    { "trace --subjcet a", EX_USAGE,
      "sekimori trace: unrecognized option '--subjcet'\nsekimori trace: did you mean --subject?\n" },
    { "health --plugn", EX_USAGE,
      "sekimori health: unrecognized option '--plugn'\nsekimori health: did you mean --plugin?\n" },
    { "dump --explian", EX_USAGE,
      "sekimori dump: unrecognized option '--explian'\nsekimori dump: did you mean --explain?\n" },
    { "trace --verdict vrius", EX_USAGE,
      "sekimori trace: --verdict is none, virus, spam or another class of --help, not vrius; did you mean "
      "virus?\n" },
    { "trace --status delivred", EX_USAGE,
      "sekimori trace: --status is delivered, returned or another one of --help, not delivred; did you mean "
      "delivered?\n" },
    { "quarantine lst", EX_USAGE,
      "sekimori quarantine: list, show, release or delete, not lst; did you mean list?\n" },
    { "quarantine list --class spma", EX_USAGE,
      "sekimori quarantine: --class is virus, phishing, spam or another one of --help, not spma; did you "
      "mean "
      "spam?\n" },
    { "quarantine list --since soon", EX_USAGE, "sekimori quarantine: --since wants a time" },
    { "quarantine list --most 0", EX_USAGE, "sekimori quarantine: --most wants a number from 1 to 100000" },
    { "quarantine delete all --most 3", EX_USAGE, "sekimori quarantine: --most goes with list\n" },
    { "queue lits", EX_USAGE,
      "sekimori queue: list, show, cat, summary, retry, hold, release or remove, not lits; did you mean "
      "list?\n" },
    { "drain 192.0.2.1", EX_USAGE, "sekimori drain: unexpected argument: 192.0.2.1\n" },
    { "undrain --to 192.0.2.1", EX_USAGE, "sekimori undrain: unrecognized option '--to'\n" },
    { "health now", EX_USAGE, "sekimori health: unexpected argument: now\n" },
    { "health --watch soon", EX_USAGE, "sekimori health: --watch is from 0 to 3600 seconds, not soon\n" },
    { "health --watch 3601", EX_USAGE, "sekimori health: --watch is from 0 to 3600 seconds, not 3601\n" },
    { "health --watch", EX_USAGE, "sekimori health: option '--watch' requires an argument\n" },
    { "keepalived now", EX_USAGE, "sekimori keepalived: unexpected argument: now\n" },
    { "keepalived --config /nonexistent/c", EX_CONFIG, "sekimori: /nonexistent/c has errors" },
    { "check one two", EX_USAGE, "sekimori check: unexpected argument: two\n" },
    { "check --config one two", EX_USAGE, "sekimori check: unexpected argument: two\n" },
    { "queue", EX_USAGE, "sekimori queue: list, show, cat, summary, retry, hold, release or remove?\n" },
    { "queue remove --match a", EX_USAGE,
      "sekimori queue: --match means mail from there as well as to there" },
    { "queue list -- -x", EX_USAGE, "sekimori queue: a word that cannot be meant" },
    { "quarantine", EX_USAGE, "sekimori quarantine: list, show, release or delete?\n" },
    { "quarantine release --match a", EX_USAGE, "sekimori quarantine: --match means mail from there" },
    { "quarantine delete --match a --yes", EX_USAGE, "sekimori quarantine: --match means mail from there" },
    { "quarantine list --content", EX_USAGE, "sekimori quarantine: --content goes with show\n" },
    { "quarantine list --class ''", EX_USAGE, "sekimori quarantine: a word that cannot be meant: empty" },
    { "quarantine list -- -x", EX_USAGE, "sekimori quarantine: a word that cannot be meant" },
    { "quarantine list --to a\nb", EX_USAGE, "sekimori quarantine: a word that cannot be meant" },
    { "balance --wait x", EX_USAGE, "sekimori balance: --wait wants seconds, 0 to 86400, not x\n" },
    { "balance --wait 86401", EX_USAGE, "sekimori balance: --wait wants seconds" },
    { "balance --day 2026-02-29", EX_USAGE, "sekimori balance: --day wants a day" },
    { "stats --month 2026-13", EX_USAGE,
      "sekimori stats: --month wants a month such as 2026-10, not 2026-13\n" },
    { "stats --by weather", EX_USAGE, "sekimori stats: --by is virus, not-opened, domain," },
    { "stats --direction up", EX_USAGE, "sekimori stats: --direction is in or out, not up\n" },
    { "stats --top 100001", EX_USAGE, "sekimori stats: --top wants a number up to 100000, not 100001\n" },
    { "stats --format xml", EX_USAGE, "sekimori stats: --format is table, csv or json, not xml\n" },
    { "stats extra", EX_USAGE, "sekimori stats: " },
    { "stats --language de", EX_USAGE, "sekimori stats: --language is ja or en, not de\n" },
    { "stats --by held --domain a.example", EX_USAGE, "sekimori stats: rows are counted whole" },
    { "report --month 2026-10-01", EX_USAGE,
      "sekimori report: --month wants a month such as 2026-10, not 2026-10-01\n" },
    { "report --month 2026-10 --week", EX_USAGE, "sekimori report: --month goes with neither" },
    { "report --month 2026-10 --date today", EX_USAGE, "sekimori report: --month goes with neither" },
    { "digest", EX_USAGE, "sekimori digest: --now is missing\n" },
    { "digest --now now", EX_USAGE, "sekimori digest: unexpected argument: now\n" },
    { "report --to nobody", EX_USAGE,
      "sekimori report: neither an address nor a .html, .txt or .eml file: nobody" },
    { "report --to a@b.example --language de", EX_USAGE,
      "sekimori report: --language is ja or en, not de\n" },
    { "report --to a@b.example --date 2026-2-1", EX_USAGE, "sekimori report: --date" },
    { "report --to a@b.example --test-alarm", EX_USAGE, "sekimori report: --test-alarm stands alone\n" },
    { "report --to a@b.example x", EX_USAGE, "sekimori report: unexpected argument: x\n" },
    { "missed", EX_USAGE, "sekimori missed: name a FILE\n" },
    { "learn proposals all", EX_USAGE, "sekimori learn: proposals stands alone\n" },
    { "learn accept", EX_USAGE,
      "sekimori learn: which? name numbers of `sekimori learn proposals`, or --all\n" },
    { "learn decline --all 3", EX_USAGE, "sekimori learn: --all stands alone, without 3\n" },
    { "learn accept 3 x", EX_USAGE, "sekimori learn: a proposal is known by its number, not by x\n" },
    { "learn accept --json 3", EX_USAGE, "sekimori learn: --json goes with proposals\n" },
    { "learn ham --all x", EX_USAGE, "sekimori learn: --all and --json are about proposals\n" },
    { "missed --kind junk x", EX_USAGE,
      "sekimori missed: --kind is spam, phishing, virus, newsletter or ham, not junk\n" },
    { "missed /nonexistent/file", EX_NOINPUT, "sekimori: /nonexistent/file: No such file or directory\n" },
    { "trace --client mail.example", EX_USAGE, "sekimori trace: --client wants an address or a network" },
    { "trace --client 192.0.2.1/24", EX_USAGE, "sekimori trace: --client wants an address or a network" },
    { "trace --since soon", EX_USAGE, "sekimori trace: --since wants a time" },
    { "trace --verdict good", EX_USAGE, "sekimori trace: --verdict is none, virus, spam" },
    { "trace --status lost", EX_USAGE, "sekimori trace: --status is delivered, returned" },
    { "trace --most 0", EX_USAGE, "sekimori trace: --most wants a number from 1 to 100000, not 0\n" },
    { "audit --act remvoe", EX_USAGE,
      "sekimori audit: --act is cat, content, release, delete, found, retry, hold, remove, reload, drain, "
      "undrain, stop, balance, learn, decline, unlearn, campaign, sender, newsletter, people, inside, allow, "
      "block or list, not "
      "remvoe; did you mean "
      "remove?\n" },
    { "audit --act campaign --most 0", EX_USAGE, "sekimori audit: --most wants" },
    { "audit --act newsletter --most 0", EX_USAGE, "sekimori audit: --most wants" },
    { "audit --act unlearn --most 0", EX_USAGE, "sekimori audit: --most wants" },
    { "audit --act ''", EX_USAGE, "sekimori audit: --act is cat, content, " },
    { "completions", EX_USAGE, "sekimori completions: bash or zsh?\n" },
    { "completions fish", EX_USAGE, "sekimori completions: bash or zsh, not fish\n" },
    { "setup --hostname mx --output /nonexistent/x", EX_USAGE, "sekimori setup: --hostname: mx has no dot" },
    { "setup --hostname mx.a.jp --output /tmp/nonexistent-setup", EX_USAGE,
      "sekimori setup: --inside is missing" },
    { "setup --hostname mx.a.jp --output /nonexistent/a/b/x", EX_CANTCREAT,
      "sekimori setup: /nonexistent/a/b/x: No such file or directory\n" },
    { "rules", EX_USAGE, "sekimori rules: check, test, list or facts, not " },
    { "rules chek", EX_USAGE, "sekimori rules: check, test, list or facts, not chek" },
    { "rules test", EX_USAGE, "sekimori rules: which message?" },
    { "rules test /nonexistent/mail", EX_NOINPUT, "" },
    { "rules list now", EX_USAGE, "sekimori rules: unexpected argument: now" },
    { "rules facts now", EX_USAGE, "sekimori rules: unexpected argument: now" },
    { "rules list --language fr", EX_USAGE, "sekimori rules: --language is ja or en, not fr" },
    { "rules list --config /nonexistent/c", EX_NOINPUT, "sekimori rules: /nonexistent/c: No such file" },
    { "rules check /nonexistent/r", EX_NOINPUT, "sekimori: /nonexistent/r: No such file" },
    { "judge --config /nonexistent/c", EX_NOINPUT, "sekimori judge: /nonexistent/c: No such file" },
    { "explain --config /nonexistent/c /dev/null", EX_NOINPUT,
      "sekimori explain: /nonexistent/c: No such file" },
    { "setup --dns nobody", EX_USAGE, "sekimori setup: --dns is up to 16 times ADDRESS" },
    { "setup --timeout 0", EX_USAGE, "sekimori setup: --timeout is a number of seconds" },
    { "audit --until then", EX_USAGE, "sekimori audit: --until wants a time" },
    { "audit --day 29.11.", EX_USAGE, "sekimori audit: --day" },
    { "audit --most many", EX_USAGE, "sekimori audit: --most wants a number from 1 to 1000000, not many\n" },
    { "send --tls maybe", EX_USAGE, "sekimori send: --tls is off, offered or required, not maybe\n" },
    { "send --count 0", EX_USAGE, "sekimori send: --count is a number from 1, not 0\n" },
    { "send --count 1x", EX_USAGE, "sekimori send: --count is a number from 1, not 1x\n" },
    { "send --connections 1001", EX_USAGE,
      "sekimori send: --connections is a number from 1 to 1000, not 1001\n" },
    { "send --timeout -1", EX_USAGE,
      "sekimori send: --timeout is a number of seconds up to 86400, not -1\n" },
    { "send --server 192.0.2.1", EX_USAGE, "sekimori send: no such server (HOST:PORT): 192.0.2.1\n" },
    { "send --server 192.0.2.1:65536", EX_USAGE,
      "sekimori send: no such server (HOST:PORT): 192.0.2.1:65536\n" },
    { "send --server [::1%lo]:25", EX_USAGE, "sekimori send: no such server (HOST:PORT): [::1%lo]:25\n" },
    { "send /nonexistent/file", EX_NOINPUT, "sekimori: /nonexistent/file: No such file or directory\n" },
    { "sink --listen 127.0.0.1", EX_USAGE, "sekimori sink: --listen 127.0.0.1: not ADDRESS:PORT\n" },
    { "sink --listen localhost:25", EX_USAGE, "sekimori sink: --listen localhost:25: not ADDRESS:PORT\n" },
    { "sink --limit x", EX_USAGE, "sekimori sink: --limit is a number, not x\n" },
    { "sink --size -1", EX_USAGE, "sekimori sink: --size is a number of bytes, not -1\n" },
    { "sink --defer 101", EX_USAGE, "sekimori sink: --defer 101: defer wants a percentage or all" },
    { "sink --defer all@kept", EX_USAGE, "sekimori sink: --defer all@kept: defer wants" },
    { "sink --refuse kept", EX_USAGE, "sekimori sink: --refuse kept: refuse wants all, connect," },
    { "sink --stall x", EX_USAGE, "sekimori sink: --stall x: stall wants SECONDS" },
    { "sink --drop now", EX_USAGE, "sekimori sink: --drop now: drop wants connect," },
    { "sink --no-ext FOO", EX_USAGE, "sekimori sink: --no-ext FOO: no-ext wants names" },
    { "sink --defer-to ''", EX_USAGE, "sekimori sink: --defer-to : a part of an address is wanted\n" },
    { "sink --tls cert", EX_USAGE, "sekimori sink: --tls wants CERT and KEY: cert\n" },
    { "sink --tls cert key more", EX_USAGE, "sekimori sink: unexpected argument: more\n" },
    { "sink --tls /nonexistent/c /nonexistent/k", EX_NOINPUT, "sekimori sink: /nonexistent/c: No such file" },
    { "sink more", EX_USAGE, "sekimori sink: unexpected argument: more\n" },
    { "sink --count-only --maildir /tmp/x", EX_USAGE, "sekimori sink: --count-only keeps nothing" },
    { "sink --listen 127.0.0.1:0 --maildir /nonexistent/a/b", EX_CANTCREAT,
      "sekimori sink: /nonexistent/a/b: " },
    { "parse", EX_USAGE, "sekimori parse: name one FILE, or - for standard input\n" },
    { "parse one two", EX_USAGE, "sekimori parse: name one FILE" },
    { "parse /nonexistent/file", EX_NOINPUT,
      "sekimori parse: /nonexistent/file: No such file or directory\n" },
    { "parse -", EX_DATAERR, "sekimori parse: not a message: it does not begin with a header field\n" },
    { "address", EX_USAGE, "sekimori address: name an ADDRESS\n" },
    { "ca", EX_USAGE, "sekimori ca: init, issue NAME or list?\n" },
    { "ca grant", EX_USAGE, "sekimori ca: init, issue NAME or list?\n" },
    { "ca init more", EX_USAGE, "sekimori ca: init, issue NAME or list?\n" },
    { "ca issue ca", EX_USAGE, "sekimori ca: that is the authority's own name: ca\n" },
    { "ca issue a..b", EX_USAGE, "sekimori ca: that is no host name: a..b\n" },
    { "ca issue node --ip 192.0.2.1/24", EX_USAGE, "sekimori ca: --ip 192.0.2.1/24: is no address\n" },
    { "ca issue node --ip fe80::1%eth0", EX_USAGE, "sekimori ca: --ip fe80::1%eth0: is no address\n" },
    { "ca issue node --dns -", EX_USAGE, "sekimori ca: --dns -: is no host name\n" },
    { "ca issue node --days 0", EX_USAGE,
      "sekimori ca: --days is a number of days from 1 to 36500, not 0\n" },
    { "ca list --dir /nonexistent/ca", EX_NOINPUT, "sekimori: /nonexistent/ca: No such file" },
    { "dump one two", EX_USAGE, "sekimori dump: unexpected argument: two\n" },
    { "dump --config one two", EX_USAGE, "sekimori dump: unexpected argument: two\n" },
    { "dump --explain=de", EX_USAGE, "sekimori dump: --explain is in en or ja, not de\n" },
    { "dump --yaml", EX_USAGE, "sekimori dump: unrecognized option '--yaml'\n" },
    { "dump /nonexistent/file", EX_CONFIG, "" },
};

static void what_is_refused(void **state)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct said said;
        said_by_verb(rows[i].words, &said);
        if ((said.code != rows[i].code || strncmp(said.err, rows[i].said, strlen(rows[i].said)) != 0) &&
            ++wrong)
            print_error("%s\n  gives    %d %s%s\n  expected %d %s\n", rows[i].words, said.code, said.out,
                        said.err, rows[i].code, rows[i].said);
    }
    assert_int_equal(wrong, 0);
}

/* Who asks a node that is not there says so with 69; who reads its files, with 66. `words` make the question
   whole. */
static void without_a_node(void **state)
{
    static const struct {
        const char *verb, *words;
    } more[] = { { "queue", " list" },
                 { "quarantine", " list" },
                 { "learn", " ham /dev/null" },
                 { "learn", " accept --all" },
                 { "model", " stat" },
                 { "newsletter", " list" },
                 { "people", " list" },
                 { "allow", " list" },
                 { "block", " list" },
                 { "report", " --to /tmp/never-written.txt" },
                 { "digest", " --now" },
                 { "campaign", " list" },
                 { "inside", " held" },
                 { "sender", " show a@b.test" },
                 { "dns", " example.test MX" },
                 { "explain", " 0000000000000" },
                 { "balance", " --wait 0" } };
    size_t count;
    const struct verb *verbs = verb_table_list(&count);
    for (size_t i = 0; i < count; i++) {
        char words[200];
        const char *rest = "", *name = verbs[i].name;
        struct said said;
        bool is_asking = verbs[i].asks == VERB_ASKS_FILES || verbs[i].asks >= VERB_ASKS_MASTER;
        bool is_left_out =
            strcmp(name, "start") == 0 || strcmp(name, "missed") == 0 || strcmp(name, "health") == 0;
        if (!is_asking || is_left_out)
            continue; /* these need no node, or say of its absence what they are for */
        for (size_t k = 0; k < sizeof more / sizeof *more; k++)
            if (strcmp(name, more[k].verb) == 0) rest = more[k].words;
        snprintf(words, sizeof words, "%s --state /nonexistent/state%s", name, rest);
        said_by_verb(words, &said);
        int wanted = verbs[i].asks == VERB_ASKS_FILES ? EX_NOINPUT : EX_UNAVAILABLE;
        if (said.code != wanted || !*said.err) fail_msg("%s: %d %s%s", words, said.code, said.out, said.err);
    }
}

static void what_is_printed(void **state)
{
    static const struct {
        const char *words;
        int code;
        const char *part; /* of standard output */
    } good[] = {
        { "address user@example.jp", EX_OK, "user@example.jp" },
        { "address --json user@[IPv6:::ffff:192.0.2.1]", EX_OK, "\"literal\": true" },
        { "address --json user@[192.0.2.1]", EX_OK, "\"local\": \"user\"" },
        { "address --json user@[IPv6:192.0.2.1]", EX_DATAERR, "\"valid\": false" },
        { "address a@b..c", EX_DATAERR, "a@b..c" },
        { "address --strict --json a@example.jp", EX_OK, "\"null\": false" },
        { "check --json /nonexistent/file", EX_CONFIG, "\"ok\": false" },
        { "check /nonexistent/file", EX_CONFIG, "/nonexistent/file: not ok: 1 error" },
        { "dump --manual", EX_OK, ".It" },
        { "dump --explain=en /nonexistent/file", EX_CONFIG, "" },
        { "dump --explain=ja /nonexistent/file", EX_CONFIG, "" },
        { "dump --explain /nonexistent/file", EX_CONFIG, "" },
        { "health --plugin now", PLUGIN_UNKNOWN, "UNKNOWN" },
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct said said;
        said_by_verb(good[i].words, &said);
        if (said.code != good[i].code || !strstr(said.out, good[i].part))
            fail_msg("%s\n  gives    %d %s%s\n  expected %d %s", good[i].words, said.code, said.out, said.err,
                     good[i].code, good[i].part);
    }
}

int main(void)
{
    unsetenv("SEKIMORI_STATE");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table),           cmocka_unit_test(each_has_help),
        cmocka_unit_test(dump_of_a_good_file), cmocka_unit_test(the_command_itself),
        cmocka_unit_test(what_is_refused),     cmocka_unit_test(without_a_node),
        cmocka_unit_test(what_is_printed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
