/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The question goes to standard error: what is on standard output may be read by a program. */
#include "cli/confirm.h"

#include <stdio.h>
#include <unistd.h>

#include "base/text.h"

bool consent_can_ask(void)
{
    return isatty(STDIN_FILENO);
}

bool consent_ask(const char *question)
{
    char line[100];
    fflush(stdout);
    fprintf(stderr, "%s [y/N] ", question);
    fflush(stderr);
    if (!fgets(line, sizeof line, stdin)) return false;
    struct text answer = text_trim(text_of(line));
    return text_equal_nocase(answer, TEXT("y")) || text_equal_nocase(answer, TEXT("yes"));
}
