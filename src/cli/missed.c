/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Puts messages that leaked through into the state folder, where the report process counts them and keeps
   them for learning. Works while the node is down; it counts them when it is up. */
#include "cli/missed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/control.h"
#include "cli/locale_words.h"
#include "cli/mail_files.h"
#include "cli/options.h"
#include "mail/likeness.h"

enum { ASK_LIMIT_MS = 10000, PATH_SIZE = 4096 };

static const char help[] =
    "usage: sekimori missed [--kind KIND] [--config FILE | --state FOLDER] FILE…\n\n"
    "Tells the node of messages that should not have come through: they are counted in the\n"
    "nightly report and kept for learning. The same message told twice counts once. FILE is a\n"
    "message, a folder of messages, or - for standard input.\n\n"
    "  --kind KIND     spam, phishing, virus, newsletter or ham (default spam; ham: it was\n"
    "                  taken for spam by mistake)\n" CONTROL_OPTIONS_HELP
    "\nExit codes: 0, 64 usage, 66 a file cannot be read, 73 the state folder cannot be written.\n";

struct options {
    struct control_target target;
    const char *kind;
};

static const char *const kinds[] = { "spam", "phishing", "virus", "newsletter", "ham", NULL };

static const char *kind_word(size_t position)
{
    return kinds[position];
}

static bool kind_take(void *options, const char *word)
{
    ((struct options *)options)->kind = word;
    return options_word_is(word, kinds);
}

static const struct verb_option table[] = { { "kind", OPTION_VALUE, 0, kind_take,
                                              "--kind is spam, phishing, virus, newsletter or ham, not ",
                                              .completion = kind_word },
                                            OPTIONS_TARGET(struct options),
                                            { 0 } };
const struct verb_usage missed_usage = { "missed", help, table, .takes_files = true };

/* Whatever is made belongs to whom the folder above belongs, as the node's processes need. */
static int folder_open(int parent, const char *name)
{
    struct stat above;
    bool is_new = mkdirat(parent, name, 0750) == 0;
    if (!is_new && errno != EEXIST) return -1;
    if (is_new && geteuid() == 0 &&
        (fstat(parent, &above) != 0 || fchownat(parent, name, above.st_uid, above.st_gid, 0)))
        return -1;
    return openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* STATE/learn/missed/new; -1 with errno. */
static int place_open(const char *state)
{
    static const char *const names[] = { "learn", "missed", "new" };
    int at = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; at >= 0 && i < sizeof names / sizeof *names; i++) {
        int next = folder_open(at, names[i]);
        int error = errno;
        close(at);
        errno = error;
        at = next;
    }
    return at;
}

/* Under a hidden name until it is whole: the node never sees half a message. */
static bool message_put(int place, const char *kind, struct text bytes)
{
    char digest[DIGEST_HEX_SIZE], name[64], hidden[80];
    struct stat above;
    likeness_hex(bytes, digest);
    snprintf(name, sizeof name, "%s.%.16s.eml", kind, digest);
    snprintf(hidden, sizeof hidden, ".%s.%d", name, (int)getpid());
    int fd = file_begin(place, hidden, 0600);
    bool is_good = fd >= 0 && file_write_all(fd, bytes);
    if (is_good && geteuid() == 0)
        is_good = fstat(place, &above) == 0 && fchown(fd, above.st_uid, above.st_gid) == 0;
    return file_finish(fd, is_good, place, hidden, name);
}

static int all_put(const struct options *options, const char *state, const struct mail_files *files)
{
    int place = place_open(state);
    bool is_good = place >= 0;
    for (size_t i = 0; is_good && i < files->count; i++)
        is_good = message_put(place, options->kind, buffer_text(&files->items[i].content));
    if (!is_good) fprintf(stderr, "sekimori missed: %s/learn/missed/new: %m\n", state);
    if (place >= 0) close(place);
    if (!is_good) return EX_CANTCREAT;
    printf(locale_words_say(text_word_for(files->count, N_("%zu message told as missed %s\n"),
                                          N_("%zu messages told as missed %s\n"))),
           files->count, options->kind);
    return EX_OK;
}

int missed_main(int argc, char **argv)
{
    struct options options = { .kind = "spam" };
    struct mail_files files = { 0 };
    char state[PATH_SIZE];
    int code = options_read(&missed_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    if (optind == argc) return options_complain(&missed_usage, "name a FILE", "");
    for (int i = optind; i < argc; i++)
        if (!mail_files_add(&files, argv[i])) return EX_NOINPUT;
    code = control_state_folder(&options.target, state, sizeof state);
    if (code == EX_OK) code = all_put(&options, state, &files);
    if (code != EX_OK || !control_is_running(&options.target)) return code;
    struct buffer out = { 0 };
    control_ask(&options.target, TEXT("missed"), ASK_LIMIT_MS, NULL, NULL,
                &out); /* at once, not at its next look */
    buffer_free(&out);
    return EX_OK;
}
