/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Ends the process, saying why in the log. */
#include "base/die.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/log.h"

#define FORMAT_INTO(message, format)                                \
    do {                                                            \
        va_list arguments;                                          \
        va_start(arguments, format);                                \
        vsnprintf((message), sizeof(message), (format), arguments); \
        va_end(arguments);                                          \
    } while (0)

_Noreturn void die(const char *format, ...)
{
    char message[512];
    FORMAT_INTO(message, format);
    log_line(LOG_LEVEL_ERROR, "fatal: %s", message);
    exit(EX_TEMPFAIL);
}

_Noreturn void die_errno(const char *format, ...)
{
    int error = errno;
    char message[512];
    FORMAT_INTO(message, format);
    log_line(LOG_LEVEL_ERROR, "fatal: %s: %s", message, strerror(error));
    exit(EX_TEMPFAIL);
}

_Noreturn void bug(const char *format, ...)
{
    char message[512];
    FORMAT_INTO(message, format);
    log_line(LOG_LEVEL_ERROR, "panic: %s", message);
    abort();
}
