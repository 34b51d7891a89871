/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "cli/model_command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/fresh_file.h"
#include "cli/locale_words.h"
#include "cli/plain_options.h"
#include "cli/teaching.h"
#include "cli/time_words.h"
#include "spam/lesson_log.h"

enum { ANSWER_MS = 120000, FILE_MOST = 512 << 20, LABEL_COLUMNS = 16 };

static const char help[] =
    "usage: sekimori model stat [--json]\n"
    "       sekimori model export FILE\n"
    "       sekimori model import FILE\n\n"
    "What the node has learned of its own mail (sekimori learn).\n\n"
    "  stat    how much was learned, and whether it counts yet\n"
    "  export  writes all lessons to a new file: numbers made of mails, no text; they are personal data all "
    "the same\n"
    "  import  learns those of such a file beside what is known; what is known already is passed over, and\n"
    "          what was learned automatically\n"
    "  --json  with stat: one JSON object\n" CONTROL_OPTIONS_HELP
    "\nExit codes: 0, 64 usage, 65 the file is damaged or of another version, 66 no such file, 69 no node "
    "answers,\n"
    "73 the file cannot be made, 74 it cannot be written, 75 the node went away, 77 not allowed.\n";

static const char *model_word(size_t position)
{
    static const char *const words[] = { "stat", "export", "import", NULL };
    return words[position];
}

const struct verb_usage model_usage = { "model", help, plain_options_table, .word = model_word,
                                        .takes_files = true };

/* --- stat --- */

static bool is_true(const struct json *value)
{
    struct buffer out = { 0 };
    json_value_print(value, &out);
    bool is = text_equal(buffer_text(&out), TEXT("true"));
    buffer_free(&out);
    return is;
}

static void time_print(const struct json *facts, const char *name, const char *what)
{
    char when[WHEN_SIZE];
    uint64_t ms = (uint64_t)json_get_number(facts, name);
    if (!ms) return;
    locale_words_label(what, LABEL_COLUMNS);
    puts(when_print(ms, true, when));
}

static void stat_print(const struct json *facts)
{
    double days = (double)json_get_number(facts, "keep_ms") / 86400000;
    locale_words_label(N_("ham learned"), LABEL_COLUMNS);
    printf("%lld\n", (long long)json_get_number(facts, "ham"));
    locale_words_label(N_("spam learned"), LABEL_COLUMNS);
    printf("%lld\n", (long long)json_get_number(facts, "spam"));
    locale_words_label(N_("by itself"), LABEL_COLUMNS);
    printf(locale_words_say(N_("%lld ham, %lld spam of these (learn automatic is %s)\n")),
           (long long)json_get_number(facts, "automatic_ham"),
           (long long)json_get_number(facts, "automatic_spam"),
           is_true(json_get(facts, "automatic")) ? "on" : "off");
    locale_words_label(N_("counts"), LABEL_COLUMNS);
    puts(locale_words_say(is_true(json_get(facts, "counts")) ? N_("yes")
                                                             : N_("not yet: 20 of each are needed")));
    time_print(facts, "changed_ms", N_("last changed"));
    time_print(facts, "oldest_ms", N_("oldest lesson"));
    if (days > 0) locale_words_label(N_("lessons end"), LABEL_COLUMNS);
    if (days > 0) printf(locale_words_say(N_("after %.0f days (ledger keep subjects)\n")), days);
    locale_words_label(N_("bytes"), LABEL_COLUMNS);
    printf("%lld\n", (long long)json_get_number(facts, "bytes"));
    locale_words_label(N_("anchor mails"), LABEL_COLUMNS);
    printf("%lld\n", (long long)json_get_number(facts, "anchors"));
    if (!*json_get_string(facts, "trouble")) return;
    locale_words_label(N_("trouble"), LABEL_COLUMNS);
    puts(json_get_string(facts, "trouble"));
}

static int stat_do(const struct plain_options *options)
{
    struct buffer out = { 0 };
    int code = control_ask(&options->target, TEXT("model stat"), ANSWER_MS, NULL, NULL, &out);
    struct json *facts = code == EX_OK ? json_parse(buffer_text(&out)) : NULL;
    if (code == EX_OK && (options->is_json || !facts))
        printf("%.*s\n", TEXT_ARG(buffer_text(&out)));
    else if (facts)
        stat_print(facts);
    else if (buffer_length(&out))
        fprintf(stderr, "sekimori model: %.*s\n", TEXT_ARG(buffer_text(&out)));
    json_free(facts);
    buffer_free(&out);
    return code;
}

/* --- export, import --- */

static void exported_print(struct text lessons)
{
    struct lesson_record record;
    int64_t count = 0;
    if (lesson_log_open(&lessons)) return;
    while (lesson_log_next(&lessons, &record) == LESSON_LOG_RECORD) count += record.kind == LESSON_TAUGHT;
    locale_words_count(count, N_("%lld lesson written\n"), N_("%lld lessons written\n"));
}

static int export_do(const struct plain_options *options, const char *path)
{
    char why[300] = "";
    struct buffer out = { 0 };
    bool is_there = access(path, F_OK) == 0; /* then nothing is to leave the node, and the record says so */
    int code = control_ask(&options->target, is_there ? TEXT("model export there") : TEXT("model export"),
                           ANSWER_MS, NULL, NULL, &out);
    if (code != EX_OK) {
        fprintf(stderr, "sekimori model: %.*s\n", TEXT_ARG(buffer_text(&out)));
    } else if (!fresh_file_write(path, buffer_text(&out), 0600, false, why, sizeof why)) {
        fprintf(stderr, "sekimori model: %s\n", why);
        code = EX_CANTCREAT;
    } else {
        exported_print(buffer_text(&out));
    }
    buffer_free(&out);
    return code;
}

static int damaged(const char *path, const char *why)
{
    fprintf(stderr, "sekimori model: %s: %s\n", path, why);
    return EX_DATAERR;
}

/* Those before a damage are learned. What nobody said is left where it was learned. */
static int lessons_import(struct teaching *teaching, struct text bytes, const char *path)
{
    struct lesson_record record;
    enum lesson_log_next next;
    bool is_automatic = false;
    int code = EX_OK;
    while (code == EX_OK && (next = lesson_log_next(&bytes, &record)) != LESSON_LOG_END) {
        if (next != LESSON_LOG_RECORD) return damaged(path, "it is damaged");
        if (record.kind == LESSON_TAUGHT && !is_automatic) code = teaching_send(teaching, record.lesson);
        is_automatic = record.kind == LESSON_AUTOMATIC;
    }
    return code;
}

static int bytes_import(const struct plain_options *options, struct text bytes, const char *path)
{
    struct teaching teaching = { 0 };
    const char *why = lesson_log_open(&bytes);
    if (why) return damaged(path, why);
    int code = teaching_begin(&teaching, &options->target);
    if (code == EX_OK) code = lessons_import(&teaching, bytes, path);
    int ended = teaching_end(&teaching, code == EX_DATAERR ? EX_OK : code);
    if (ended == EX_OK)
        printf("%zu learned, %zu of them known as the other before; %zu known already\n",
               teaching.taught + teaching.changed, teaching.changed, teaching.known);
    return code == EX_OK ? ended : code;
}

static int import_do(const struct plain_options *options, const char *path)
{
    struct stat facts;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &facts) != 0) {
        fprintf(stderr, "sekimori model: %s: %s\n", path, strerror(errno));
        return EX_NOINPUT;
    }
    int code;
    bool is_fit = facts.st_size > 0 && facts.st_size <= FILE_MOST;
    size_t size = (size_t)facts.st_size;
    void *map = is_fit ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    if (map == MAP_FAILED) {
        code = damaged(path, "it is no log of what was learned");
    } else {
        code = bytes_import(options, text_from(map, size), path);
        munmap(map, size);
    }
    close(fd);
    return code;
}

int model_main(int argc, char **argv)
{
    static const char *const words[] = { "stat", "export", "import", NULL };
    struct plain_options options = { 0 };
    int code = options_read(&model_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    if (optind == argc) return options_complain(&model_usage, "stat, export or import?", "");
    const char *verb = argv[optind], *path = argv[optind + 1];
    if (!options_word_is(verb, words))
        return options_complain_word(&model_usage, "stat, export or import, not ", verb, words);
    bool is_stat = strcmp(verb, "stat") == 0;
    if (is_stat ? argc > optind + 1 : argc != optind + 2)
        return options_complain(&model_usage, is_stat ? "stat needs no more words" : "one FILE is needed",
                                "");
    if (is_stat) return stat_do(&options);
    return strcmp(verb, "export") == 0 ? export_do(&options, path) : import_do(&options, path);
}
