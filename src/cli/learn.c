/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Files are read here, mails in a child's jail, and what is learned of them is written by ledger: it gets
   numbers, no text. */
#include "cli/learn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/json.h"
#include "cli/language_option.h"
#include "cli/lesson_reader.h"
#include "cli/mail_files.h"
#include "cli/mail_tree.h"
#include "cli/proposal_list.h"
#include "cli/teaching.h"
#include "cli/time_words.h"
#include "spam/lesson.h"

enum { PROGRESS_AFTER_MS = 2000, PROGRESS_EVERY_MS = 200, BAR_WIDTH = 40, UNDO_MS = 120000 };

static const char help[] =
    "usage: sekimori learn ham|spam FILE|FOLDER|MBOX|- […]\n"
    "       sekimori learn --undo ID\n"
    "       sekimori learn forget --automatic\n"
    "       sekimori learn proposals [--json] [--language LANG]\n"
    "       sekimori learn accept|decline NUMBER… | --all\n\n"
    "Tells the node that these mails are wanted (ham) or not (spam): what comes after and is like them gets "
    "points\n"
    "for it, as LOCAL_MODEL. Nothing that was learned counts before there are 20 of each. A mail is learned "
    "once,\n"
    "however often it is named; as the other class it is learned anew. No text of a mail is kept, but "
    "numbers\n"
    "made of it, for as long as Subjects (ledger keep subjects).\n\n"
    "  FOLDER     every file in it and below; of a Maildir those in cur and new\n"
    "  MBOX       a file that begins with \"From \": each mail in it\n"
    "  --undo ID  unlearn the mail of that id, as if it had never been taught. The id of one mail\n"
    "             is said when it is learned, those of many with --verbose\n"
    "  forget --automatic  unlearn all that nobody said (learn automatic); `sekimori audit --act learn` has "
    "the "
    "ids of each\n"
    "  --verbose  a line for each mail: what became of it, its id, its file\n\n"
    "  proposals  what users reported as spam or as ham and nobody has decided about (report missed, report "
    "learn)\n"
    "  accept     learns it as they said; the audit has the id for --undo\n"
    "  decline    it is not learned, and not proposed again\n"
    "  --all      all that wait\n"
    "  --json     with proposals: one JSON object a line\n"
    "  --language LANG  of proposals, accept and decline: ja or en (default: as the locale "
    "says)\n" CONTROL_OPTIONS_HELP
    "\nEach call is recorded: sekimori audit. Only who may operate the node may teach it.\n"
    "Exit codes: 0, 64 usage, 65 some were no mail or could not be read, 66 no such file, id or number, 69 "
    "no node answers, 74 "
    "it\n"
    "cannot be written, 75 the node went away: what was taught before stays, 77 not allowed.\n";

struct options {
    struct control_target target;
    const char *undo;
    enum language language;
    bool is_verbose, is_all, is_json, is_automatic;
};

struct learning {
    const struct options *options;
    struct teaching teaching;
    struct lesson_reader *reader;
    struct buffer lesson, sketch;
    bool is_spam;
    size_t unread, foreign, done, files_done, files;
    uint64_t began_ms, shown_ms;
    bool shows_progress;
    char last[2 * LESSON_ID_BYTES + 1]; /* the id of the mail that was learned last */
};

static bool language_take(void *context, const char *word)
{
    return language_option_read(word, &((struct options *)context)->language);
}

static const struct verb_option table[] = {
    { "language", OPTION_VALUE, 0, language_take, LANGUAGE_OPTION_WANTED, .choice = language_option_choice },
    { "undo", OPTION_WORD, offsetof(struct options, undo), NULL, NULL },
    { "all", OPTION_SWITCH, offsetof(struct options, is_all), NULL, NULL },
    { "json", OPTION_SWITCH, offsetof(struct options, is_json), NULL, NULL },
    { "automatic", OPTION_SWITCH, offsetof(struct options, is_automatic), NULL, NULL },
    { "verbose", OPTION_SWITCH, offsetof(struct options, is_verbose), NULL, NULL, .letter = 'v' },
    OPTIONS_TARGET(struct options),
    { 0 }
};

static const char *learn_word(size_t position)
{
    static const char *const words[] = { "ham", "spam", "forget", "proposals", "accept", "decline", NULL };
    return words[position];
}

const struct verb_usage learn_usage = { "learn", help, table, .word = learn_word, .takes_files = true };

/* --- what people see --- */

static void progress_show(struct learning *learning, bool is_last)
{
    uint64_t now = when_now_ms();
    if (learning->options->is_verbose || !isatty(STDERR_FILENO)) return;
    if (now - learning->began_ms > PROGRESS_AFTER_MS) learning->shows_progress = true;
    if (!learning->shows_progress || (!is_last && now - learning->shown_ms < PROGRESS_EVERY_MS)) return;
    learning->shown_ms = now;
    char bar[BAR_WIDTH + 1] = "";
    size_t full = learning->files ? learning->files_done * BAR_WIDTH / learning->files : 0;
    for (size_t i = 0; i < BAR_WIDTH; i++) bar[i] = i < full ? '#' : '.';
    fprintf(stderr, "\r[%s] %zu mails%s", bar, learning->done, is_last ? "\n" : "");
}

static void summary_print(const struct learning *learning)
{
    const struct teaching *teaching = &learning->teaching;
    const char *class = learning->is_spam ? "spam" : "ham";
    size_t taught = teaching->taught + teaching->changed;
    printf("%zu %s learned as %s", taught, text_word_for(taught, "mail", "mails"), class);
    if (teaching->changed)
        printf(" (%zu of %s known as %s before)", teaching->changed, taught == 1 ? "it" : "them",
               learning->is_spam ? "ham" : "spam");
    if (teaching->known) printf("; %zu known already", teaching->known);
    if (learning->foreign)
        printf("; %zu %s no mail", learning->foreign, learning->foreign == 1 ? "is" : "are");
    if (learning->unread) printf("; %zu could not be read", learning->unread);
    if (taught == 1) printf("; undone by: sekimori learn --undo %s", learning->last);
    putchar('\n');
}

/* --- mails --- */

/* "taught ID", "changed ID": what may be undone. */
static void last_note(struct learning *learning)
{
    struct text answer = buffer_text(&learning->teaching.answer), word, id;
    if (!text_next_word(&answer, &word) || text_equal(word, TEXT("known"))) return;
    if (text_next_word(&answer, &id)) text_copy_printable(id, learning->last, sizeof learning->last);
}

static int mail_teach(struct learning *learning, struct text mail, const char *name)
{
    learning->done++;
    enum lesson_reading reading =
        lesson_reader_read(learning->reader, mail, &learning->lesson, &learning->sketch);
    if (reading == LESSON_READING_NO_MAIL) {
        fprintf(stderr, "sekimori learn: %s: no mail: no field of RFC 5322 stands in its header\n", name);
        learning->foreign++;
        return EX_OK;
    }
    if (reading == LESSON_READING_FAILED) {
        fprintf(stderr, "sekimori learn: a mail of %s cannot be read\n", name);
        learning->unread++;
        return EX_OK;
    }
    learning->lesson.memory[learning->lesson.start] = (char)learning->is_spam;
    if (!learning->is_spam) teaching_send_like(&learning->teaching, buffer_text(&learning->sketch));
    int code = teaching_send(&learning->teaching, buffer_text(&learning->lesson));
    if (code == EX_OK) last_note(learning);
    if (code == EX_OK && learning->options->is_verbose)
        printf("%.*s  %s\n", TEXT_ARG(buffer_text(&learning->teaching.answer)), name);
    progress_show(learning, false);
    return code;
}

/* Up to the next line that begins a mail of an mbox: "From " behind an empty line. */
static struct text mbox_cut(struct text *rest)
{
    struct text mark = TEXT("\r\n\r\nFrom ");
    size_t end = text_find(*rest, mark);
    struct text mail = end < rest->length ? text_slice(*rest, 0, end + 2) : *rest;
    *rest = end < rest->length ? text_slice(*rest, end + 4, rest->length) : TEXT_NONE;
    return mail;
}

static int content_teach(struct learning *learning, struct text content, const char *name)
{
    int code = EX_OK;
    if (!text_starts(content, TEXT("From ")))
        return content.length ? mail_teach(learning, content, name) : code;
    while (code == EX_OK && content.length > 0) {
        struct text mail = mbox_cut(&content);
        mail = text_slice(mail, text_find_char(mail, '\n') + 1, mail.length);
        if (mail.length > 0) code = mail_teach(learning, mail, name);
    }
    return code;
}

static int file_teach(struct learning *learning, const char *path)
{
    struct mail_files files = { 0 };
    int code = mail_files_add(&files, path) ? EX_OK : EX_NOINPUT;
    for (size_t i = 0; i < files.count; i++) {
        if (code == EX_OK)
            code = content_teach(learning, buffer_text(&files.items[i].content), files.items[i].name);
        buffer_free(&files.items[i].content);
        free(files.items[i].name);
    }
    free(files.items);
    learning->files_done++;
    progress_show(learning, false);
    return code;
}

/* --- what is named --- */

struct paths {
    char **items;
    size_t count;
};

static void path_add(struct paths *paths, const char *path)
{
    paths->items = memory_grow(paths->items, (paths->count + 1) * sizeof *paths->items);
    paths->items[paths->count++] = memory_string(text_of(path));
}

static bool is_folder(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
}

/* Its regular files and those below it. */
static bool folder_add(struct paths *paths, char *folder)
{
    FTS *tree = mail_tree_open(folder);
    const char *path;
    int fault = tree ? 0 : errno;
    while (tree && fault == 0 && (path = mail_tree_next(tree, &fault, NULL))) path_add(paths, path);
    if (fault) fprintf(stderr, "sekimori learn: %s: %s\n", folder, strerror(fault));
    if (tree) fts_close(tree);
    return fault == 0;
}

static bool paths_gather(struct paths *paths, char *named)
{
    char current[4096], fresh[4096];
    struct stat facts;
    bool is_stream = strcmp(named, "-") == 0;
    if (!is_stream && stat(named, &facts) == 0 && !S_ISREG(facts.st_mode) && !S_ISDIR(facts.st_mode)) {
        fprintf(stderr, "sekimori learn: %s: neither a file nor a folder; - reads standard input\n", named);
        return false;
    }
    if (is_stream || !is_folder(named)) {
        path_add(paths, named);
        return true;
    }
    snprintf(current, sizeof current, "%s/cur", named);
    snprintf(fresh, sizeof fresh, "%s/new", named);
    if (is_folder(current) && is_folder(fresh)) return folder_add(paths, current) && folder_add(paths, fresh);
    return folder_add(paths, named);
}

static int paths_teach(struct learning *learning, const struct paths *paths)
{
    int code = teaching_begin(&learning->teaching, &learning->options->target);
    if (code == EX_OK) {
        learning->reader = lesson_reader_start(learning->teaching.base_model);
        if (!learning->reader) code = EX_OSERR;
    }
    bool has_begun = code == EX_OK;
    learning->files = paths->count;
    for (size_t i = 0; i < paths->count && code == EX_OK; i++) code = file_teach(learning, paths->items[i]);
    lesson_reader_stop(learning->reader);
    /* what was taught before a file that is not there counts all the same */
    int ended = teaching_end(&learning->teaching, code == EX_NOINPUT ? EX_OK : code);
    if (code == EX_OK) code = ended;
    if (learning->shows_progress) progress_show(learning, true);
    if (has_begun && ended == EX_OK) summary_print(learning);
    return code == EX_OK && learning->unread + learning->foreign > 0 ? EX_DATAERR : code;
}

static int undo(const struct options *options)
{
    enum { DIGITS_LEAST = 8 };
    if (strlen(options->undo) < DIGITS_LEAST)
        return options_complain(&learn_usage, "an id has at least eight digits, more than ", options->undo);
    struct buffer command = { 0 }, out = { 0 };
    buffer_printf(&command, "learn undo %s", options->undo);
    int code = control_ask(&options->target, buffer_text(&command), UNDO_MS, NULL, NULL, &out);
    if (code == EX_OK)
        puts("unlearned");
    else if (buffer_length(&out))
        fprintf(stderr, "sekimori learn: %.*s\n", TEXT_ARG(buffer_text(&out)));
    buffer_free(&command);
    buffer_free(&out);
    return code;
}

/* "forget": with --automatic alone. */
static int automatic_forget(const struct options *options, const char *more)
{
    struct buffer out = { 0 };
    if (!options->is_automatic || more || options->is_all || options->is_json)
        return options_complain(&learn_usage, "forget goes with --automatic alone; one mail: --undo ID", "");
    int code = control_ask(&options->target, TEXT("learn forget automatic"), UNDO_MS, NULL, NULL, &out);
    struct json *said = code == EX_OK ? json_parse(buffer_text(&out)) : NULL;
    if (said)
        printf("unlearned: %lld ham, %lld spam\n", (long long)json_get_number(said, "ham"),
               (long long)json_get_number(said, "spam"));
    else if (buffer_length(&out))
        fprintf(stderr, "sekimori learn: %.*s\n", TEXT_ARG(buffer_text(&out)));
    json_free(said);
    buffer_free(&out);
    return code;
}

/* "accept", "decline": `argv` is what stands behind it. */
static int proposals_decide(const struct options *options, char **argv, bool is_yes)
{
    if (options->is_all && *argv)
        return options_complain(&learn_usage, "--all stands alone, without ", *argv);
    if (!options->is_all && !*argv)
        return options_complain(&learn_usage, "which? name numbers of `sekimori learn proposals`, or --all",
                                "");
    for (char **word = argv; *word; word++)
        if (strspn(*word, "0123456789") != strlen(*word) || !**word)
            return options_complain(&learn_usage, "a proposal is known by its number, not by ", *word);
    return proposal_list_decide(&options->target, argv, options->is_all, is_yes, options->language);
}

static bool is_about_proposals(const char *word)
{
    static const char *const words[] = { "proposals", "accept", "decline", NULL };
    return options_word_is(word, words);
}

static int proposals_do(const struct options *options, char **argv)
{
    bool is_list = strcmp(*argv, "proposals") == 0;
    if (is_list && (argv[1] || options->is_all))
        return options_complain(&learn_usage, "proposals stands alone", "");
    if (is_list) return proposal_list_print(&options->target, options->is_json, options->language);
    if (options->is_json) return options_complain(&learn_usage, "--json goes with proposals", "");
    return proposals_decide(options, argv + 1, strcmp(*argv, "accept") == 0);
}

int learn_main(int argc, char **argv)
{
    static const char *const classes[] = { "ham", "spam", "forget", "proposals", "accept", "decline", NULL };
    struct options options = { .language = language_option_of_locale() };
    int code = options_read(&learn_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    if (options.undo && optind < argc)
        return options_complain(&learn_usage, "--undo stands alone, without ", argv[optind]);
    if (options.undo) return undo(&options);
    if (optind == argc) return options_complain(&learn_usage, "ham or spam?", "");
    if (strcmp(argv[optind], "forget") == 0) return automatic_forget(&options, argv[optind + 1]);
    if (options.is_automatic) return options_complain(&learn_usage, "--automatic goes with forget", "");
    if (is_about_proposals(argv[optind])) return proposals_do(&options, argv + optind);
    if (options.is_all || options.is_json)
        return options_complain(&learn_usage, "--all and --json are about proposals", "");
    if (!options_word_is(argv[optind], classes))
        return options_complain_word(&learn_usage, "ham or spam, not ", argv[optind], classes);
    struct learning learning = { .options = &options,
                                 .is_spam = strcmp(argv[optind], "spam") == 0,
                                 .began_ms = when_now_ms() };
    if (optind + 1 == argc)
        return options_complain(&learn_usage, "which mails? name files, folders, or -", "");
    struct paths paths = { 0 };
    code = EX_OK;
    for (int i = optind + 1; i < argc && code == EX_OK; i++)
        if (!paths_gather(&paths, argv[i])) code = EX_NOINPUT;
    if (code == EX_OK) code = paths_teach(&learning, &paths);
    for (size_t i = 0; i < paths.count; i++) free(paths.items[i]);
    free(paths.items);
    buffer_free(&learning.lesson);
    buffer_free(&learning.sketch);
    return code;
}
