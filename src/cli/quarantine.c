/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Asks the ledger process about the quarantine and makes its JSON lines readable. */
#include "cli/quarantine.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/plain.h"
#include "cli/control.h"
#include "cli/json.h"
#include "cli/when.h"

enum { ANSWER_MS = 120000, SUBJECT_COLUMNS = 60, ADDRESS_COLUMNS = 60, REASON_COLUMNS = 100 };

static const char help[] =
    "usage: sekimori quarantine VERB [OPTIONS] [ID…]\n\n"
    "  list     what is kept: class, size, age, sender, subject, recipients\n"
    "  show     everything about messages named by id, also what became of them\n"
    "  release  deliver it, without judging it again\n"
    "  delete   give it up; nobody is told\n\n"
    "ID: message ids, or all\n"
    "  --class CLASS    virus, phishing, spam, policy, encrypted, poison or undeliverable\n"
    "  --match PATTERN  only where sender or recipient matches (*, ?, [a-z])\n"
    "  --to ADDRESS     only this recipient; may be said again\n"
    "  --ticket TICKET  what a user was given in a digest; they may send it by mail too: digest reply\n"
    "  --content        with show: the message as it arrived\n"
    "  --json           one JSON object a line\n" CONTROL_OPTIONS_HELP
    "\nWho may release what: quarantine release in sekimori.conf(5). Each release, each delete and\n"
    "each look at a content is recorded: sekimori audit.\n"
    "Exit codes: 0 done, 64 usage, 66 nothing of that name, 69 no node,\n"
    "75 some are on their way in or out at this moment, or cannot be read: try again, 77 not allowed.\n";

struct options {
    struct control_target target;
    struct buffer words; /* a line each */
    bool is_json, is_content, is_bad, is_choosy;
};

struct output {
    struct buffer lines;
    bool is_raw, is_json, is_long;
    size_t shown;
    int64_t bytes;
};

static void say(const struct json *object, const char *name, size_t columns)
{
    struct buffer out = { 0 };
    plain_add(&out, text_of(json_get_string(object, name)), columns);
    printf("%.*s", TEXT_ARG(buffer_text(&out)));
    buffer_free(&out);
}

static void age_print(int64_t since_ms)
{
    int64_t seconds = ((int64_t)when_now_ms() - since_ms) / 1000;
    if (seconds < 0) seconds = 0;
    if (seconds < 7200)
        printf("%4lldm", (long long)(seconds / 60));
    else if (seconds < 172800)
        printf("%4lldh", (long long)(seconds / 3600));
    else
        printf("%4lldd", (long long)(seconds / 86400));
}

static void recipient_print(const struct json *recipient, bool is_long)
{
    char when[WHEN_SIZE];
    printf("    %-13s %-9s <", json_get_string(recipient, "class"), json_get_string(recipient, "state"));
    say(recipient, "address", ADDRESS_COLUMNS);
    putchar('>');
    if (*json_get_string(recipient, "release")) printf("  as %s", json_get_string(recipient, "release"));
    putchar('\n');
    if (!is_long) return;
    printf("                  %s",
           when_print((uint64_t)json_get_number(recipient, "changed_ms"), true, when));
    if (*json_get_string(recipient, "by")) {
        fputs("  ", stdout);
        say(recipient, "by", ADDRESS_COLUMNS);
    }
    if (*json_get_string(recipient, "reason")) {
        fputs("  (", stdout);
        say(recipient, "reason", REASON_COLUMNS);
        putchar(')');
    }
    putchar('\n');
}

static void message_print(struct output *output, const struct json *message)
{
    char when[WHEN_SIZE];
    printf("%s  %9lld  ", json_get_string(message, "id"), (long long)json_get_number(message, "size"));
    age_print(json_get_number(message, "arrived_ms"));
    fputs("  <", stdout);
    say(message, "sender", ADDRESS_COLUMNS);
    puts(">");
    if (*json_get_string(message, "subject")) {
        fputs("    \"", stdout);
        say(message, "subject", SUBJECT_COLUMNS);
        puts("\"");
    }
    if (*json_get_string(message, "virus")) {
        fputs("    virus ", stdout);
        say(message, "virus", ADDRESS_COLUMNS);
        putchar('\n');
    }
    if (output->is_long)
        printf("    arrived %s, %lld bytes on disk\n",
               when_print((uint64_t)json_get_number(message, "arrived_ms"), true, when),
               (long long)json_get_number(message, "bytes"));
    const struct json *recipients = json_get(message, "recipients");
    for (size_t i = 0; i < json_count(recipients); i++)
        recipient_print(json_at(recipients, i), output->is_long);
    output->bytes += json_get_number(message, "bytes");
}

static void line_print(void *context, struct text line)
{
    struct output *output = context;
    output->shown++;
    if (output->is_json) {
        printf("%.*s\n", TEXT_ARG(line));
        return;
    }
    struct json *value = json_parse(line);
    if (value && json_get(value, "id")) {
        message_print(output, value);
    } else if (value) {
        int64_t count = json_get_number(value, "recipients");
        printf("%lld recipient%s\n", (long long)count, count == 1 ? "" : "s");
    }
    json_free(value);
}

static void part_take(void *context, struct text part)
{
    struct output *output = context;
    if (output->is_raw) {
        if (part.length) fwrite(part.at, 1, part.length, stdout);
        return;
    }
    control_lines_take(&output->lines, part, line_print, output);
}

static int usage(const char *what)
{
    fprintf(stderr, "sekimori quarantine: %s\n`sekimori quarantine --help` explains it.\n", what);
    return EX_USAGE;
}

static void word_add(struct options *options, const char *name, const char *value)
{
    if (strpbrk(value, "\r\n") || !*value || (!name && value[0] == '-')) options->is_bad = true;
    if (name) buffer_printf(&options->words, "\n%s", name);
    buffer_printf(&options->words, "\n%s", value);
    options->is_choosy = true;
}

/* -1: go on; else the exit code. */
static int options_read(int argc, char **argv, struct options *options)
{
    static const struct option longs[] = {
        { "class", required_argument, NULL, 'k' },  { "match", required_argument, NULL, 'm' },
        { "to", required_argument, NULL, 't' },     { "content", no_argument, NULL, 'C' },
        { "json", no_argument, NULL, 'j' },         { "ticket", required_argument, NULL, 'T' },
        { "config", required_argument, NULL, 'c' }, { "state", required_argument, NULL, 's' },
        { "help", no_argument, NULL, 'h' },         { 0 }
    };
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "c:h", longs, NULL)) != -1;) {
        if (option == 'h') {
            fputs(help, stdout);
            return EX_OK;
        }
        if (option == '?') return usage("see above");
        if (option == 'k') word_add(options, "--class", optarg);
        if (option == 'm') word_add(options, "--match", optarg);
        if (option == 't') word_add(options, "--to", optarg);
        if (option == 'T') word_add(options, "--ticket", optarg);
        if (option == 'C') options->is_content = true;
        if (option == 'j') options->is_json = true;
        if (option == 'c') options->target.config = optarg;
        if (option == 's') options->target.state = optarg;
    }
    if (optind == argc) return usage("list, show, release or delete?");
    for (int i = optind + 1; i < argc; i++) word_add(options, NULL, argv[i]);
    if (options->is_bad) return usage("a word that cannot be meant: empty, line breaks or a leading dash");
    if (options->is_content && strcmp(argv[optind], "show") != 0) return usage("--content goes with show");
    return -1;
}

static void last_word(const struct options *options, struct output *output, int code, struct text last)
{
    bool is_count = last.length && last.at[0] == '{';
    if (is_count) part_take(output, last);
    if (code != EX_OK && !is_count && last.length)
        fprintf(stderr, "sekimori quarantine: %.*s\n", TEXT_ARG(text_trim(last)));
    if (code == EX_NOINPUT) fputs("sekimori quarantine: nothing there has that name\n", stderr);
    if (code == EX_NOPERM && is_count)
        fputs("sekimori quarantine: some are of a class that you may not act on\n", stderr);
    if (code == EX_TEMPFAIL)
        fputs("sekimori quarantine: some cannot be read, or are on their way at this moment: try again\n",
              stderr);
    if (code == EX_OK && !output->shown && !output->is_json && !output->is_raw)
        puts(options->is_choosy ? "nothing in the quarantine matches" : "the quarantine is empty");
}

int quarantine_main(int argc, char **argv)
{
    struct options options = { 0 };
    struct buffer command = { 0 }, last = { 0 };
    int code = options_read(argc, argv, &options);
    if (code < 0) {
        const char *verb = argv[optind];
        struct output output = { .is_raw = options.is_content,
                                 .is_json = options.is_json,
                                 .is_long = strcmp(verb, "show") == 0 };
        buffer_printf(&command, "quarantine %s", options.is_content ? "content" : verb);
        buffer_add_text(&command, buffer_text(&options.words));
        code = control_ask(&options.target, buffer_text(&command), ANSWER_MS, part_take, &output, &last);
        last_word(&options, &output, code, buffer_text(&last));
        buffer_free(&output.lines);
    }
    buffer_free(&command);
    buffer_free(&last);
    buffer_free(&options.words);
    return code;
}
