/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "cli/judge_mails.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "cli/mail_files.h"
#include "cli/mail_tree.h"

enum { LINE_MOST = 65536 };

struct judge_mails {
    const char *verb;
    char *const *paths;
    int left;
    FTS *tree;        /* of the folder that is walked */
    const char *root; /* where it begins */
    size_t files;     /* that were found in it */
    bool is_named;    /* what is read was named itself */
    FILE *file;       /* that is read; NULL: the next one is to be opened */
    char *name;
    char *line; /* the last that was read, of `length` bytes: LINE_MOST of one that is longer */
    size_t length;
    bool is_rest;                  /* `line` goes on with one that is longer */
    bool is_mailbox, is_line_left; /* `line` begins the next message of a mailbox */
    unsigned number;
    bool has_failed;
};

struct judge_mails *judge_mails_open(const char *verb, char *const *paths, int count)
{
    struct judge_mails *mails = memory_alloc(sizeof *mails);
    *mails = (struct judge_mails){ .verb = verb, .paths = paths, .left = count };
    mails->line = memory_alloc(LINE_MOST);
    return mails;
}

static void file_close(struct judge_mails *mails)
{
    if (mails->file && mails->file != stdin) fclose(mails->file);
    mails->file = NULL;
}

void judge_mails_close(struct judge_mails *mails)
{
    file_close(mails);
    if (mails->tree) fts_close(mails->tree);
    free(mails->name);
    free(mails->line);
    free(mails);
}

bool judge_mails_has_failed(const struct judge_mails *mails)
{
    return mails->has_failed;
}

static void complain(struct judge_mails *mails, const char *path)
{
    fprintf(stderr, "sekimori %s: %s: %s\n", mails->verb, path, strerror(errno));
    mails->has_failed = true;
}

static void link_tell(const struct judge_mails *mails, const char *path)
{
    const char *why = access(path, F_OK) == 0 ? "a link in a folder is not followed" : strerror(errno);
    fprintf(stderr, "sekimori %s: %s: passed over: %s\n", mails->verb, path, why);
}

/* The next file of the folder that is walked; NULL: there is none any more. */
static const char *tree_next(struct judge_mails *mails)
{
    const char *path;
    int fault = 0;
    bool is_link;
    while ((path = mail_tree_next(mails->tree, &fault, &is_link))) {
        mails->files++;
        if (fault == 0 && !is_link) return path;
        errno = fault;
        if (is_link)
            link_tell(mails, path);
        else
            complain(mails, path);
    }
    return NULL;
}

static void tree_close(struct judge_mails *mails)
{
    if (mails->files == 0)
        fprintf(stderr, "sekimori %s: %s: there is no message in it\n", mails->verb, mails->root);
    fts_close(mails->tree);
    mails->tree = NULL;
}

/* The next file below the folders, or NULL. */
static const char *path_next(struct judge_mails *mails)
{
    for (;;) {
        const char *path = mails->tree ? tree_next(mails) : NULL;
        if (path) return path;
        if (mails->tree) tree_close(mails);
        if (mails->left == 0) return NULL;
        char *named = *mails->paths++;
        mails->left--;
        if (strcmp(named, "-") == 0) return named;
        mails->tree = mail_tree_open(named);
        mails->root = named;
        mails->files = 0;
    }
}

static struct text line_of(const struct judge_mails *mails)
{
    return text_from(mails->line, mails->length);
}

/* A line, or as much of a longer one as there is room for: what is no text may have no end of a line. */
static bool line_read(struct judge_mails *mails)
{
    int c = 0;
    mails->is_rest = mails->length == LINE_MOST && !text_ends(line_of(mails), TEXT("\n"));
    mails->length = 0;
    while (mails->length < LINE_MOST && c != '\n' && (c = getc_unlocked(mails->file)) != EOF)
        mails->line[mails->length++] = (char)c;
    if (ferror(mails->file)) complain(mails, mails->name);
    return mails->length > 0;
}

static bool file_open(struct judge_mails *mails)
{
    const char *path = path_next(mails);
    if (!path) return false;
    free(mails->name);
    mails->name = memory_string(text_of(path));
    mails->is_named = !mails->tree || strcmp(path, mails->root) == 0;
    mails->file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    mails->number = 0;
    mails->is_mailbox = false;
    if (!mails->file) return complain(mails, path), true;
    mails->length = 0;
    mails->is_line_left = line_read(mails);
    mails->is_mailbox = mails->is_line_left && mails->file != stdin && mail_is_mailbox_line(line_of(mails));
    return true;
}

static void name_put(const struct judge_mails *mails, struct buffer *out)
{
    buffer_clear(out);
    buffer_add_text(out, text_of(mails->name));
    if (mails->is_mailbox) buffer_printf(out, ":%u", mails->number);
}

/* What is left of a file that is no mailbox. */
static void file_read(struct judge_mails *mails, size_t most, struct buffer *out)
{
    enum { STEP = 65536 };
    size_t got = STEP;
    if (mails->is_line_left) buffer_add_text(out, text_slice(line_of(mails), 0, most + 1));
    mails->is_line_left = false;
    while (got == STEP && buffer_length(out) <= most) {
        got = fread(buffer_reserve(out, STEP), 1, STEP, mails->file);
        buffer_commit(out, got);
    }
    buffer_truncate(out, buffer_length(out) > most ? most + 1 : buffer_length(out));
    if (ferror(mails->file)) complain(mails, mails->name);
}

bool judge_mails_next(struct judge_mails *mails, size_t most, struct buffer *out, struct buffer *out_name)
{
    while (!mails->file)
        if (!file_open(mails)) return false;
    buffer_clear(out);
    mails->number++;
    name_put(mails, out_name);
    if (!mails->is_mailbox) file_read(mails, most, out);
    bool is_behind_blank = false;
    while (mails->is_mailbox && (mails->is_line_left || line_read(mails))) {
        struct text line = line_of(mails);
        bool begins = !mails->is_rest && mail_is_mailbox_line(line);
        bool is_next = is_behind_blank && !mails->is_line_left && begins;
        mails->is_line_left = is_next;
        if (is_next) return true;
        is_behind_blank = !mails->is_rest && text_trim(line).length == 0;
        size_t left = most + 1 - buffer_length(out);
        buffer_add_text(out, text_slice(line, 0, left));
    }
    file_close(mails);
    return true;
}

bool judge_mails_is_named(const struct judge_mails *mails)
{
    return !mails->is_mailbox && mails->is_named;
}

bool judge_mails_may_judge(const char *verb, const char *name, size_t length, bool is_mail, bool is_named)
{
    bool is_stream = is_named && strcmp(name, "-") == 0;
    if (length == 0)
        fprintf(stderr, "sekimori %s: %s: there is no message: it is empty\n", verb, name);
    else if (!is_mail && !is_stream)
        fprintf(stderr, "sekimori %s: %s: no mail: no header field stands in it%s\n", verb, name,
                is_named ? "; judged all the same" : "");
    return length > 0 && (is_mail || is_named);
}
