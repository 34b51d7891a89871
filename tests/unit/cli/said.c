/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Both standard descriptors become memory files while the piece runs. */
#include "said.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/verb_table.h"

enum { WORDS_MOST = 40 };

static void take_back(int number, int kept, char *room, size_t size)
{
    off_t length = lseek(number, 0, SEEK_END);
    assert_true(length >= 0 && (size_t)length < size);
    assert_int_equal(pread(number, room, (size_t)length, 0), length);
    room[length] = '\0';
    assert_int_equal(dup2(kept, number), number);
    close(kept);
}

static int give_away(int number)
{
    int kept = dup(number), fd = memfd_create("said", 0);
    assert_true(kept >= 0 && fd >= 0 && dup2(fd, number) == number);
    close(fd);
    return kept;
}

void said_by(int (*run)(void *context), void *context, struct said *out)
{
    fflush(stdout);
    int nothing = open("/dev/null", O_RDONLY), in = dup(STDIN_FILENO);
    assert_true(nothing >= 0 && dup2(nothing, STDIN_FILENO) == STDIN_FILENO);
    close(nothing);
    int to = give_away(STDOUT_FILENO), errors = give_away(STDERR_FILENO);
    out->code = run(context);
    fflush(stdout);
    fflush(stderr);
    take_back(STDOUT_FILENO, to, out->out, sizeof out->out);
    take_back(STDERR_FILENO, errors, out->err, sizeof out->err);
    if (in >= 0) dup2(in, STDIN_FILENO);
    if (in >= 0) close(in);
}

static int verb_run(void *context)
{
    char room[4096], *words[WORDS_MOST + 2] = { "sekimori" }, *rest = room;
    int count = 1;
    snprintf(room, sizeof room, "%s", (const char *)context);
    for (char *word; count <= WORDS_MOST && (word = strsep(&rest, " "));)
        words[count++] = strcmp(word, "''") == 0 ? word + 2 : word;
    if (room[0] == '\0') count = 1;
    words[count] = NULL;
    return verb_table_run(count, words);
}

void said_by_verb(const char *words, struct said *out)
{
    said_by(verb_run, (void *)(uintptr_t)words, out);
}
