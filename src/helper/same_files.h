/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Whether a program brought anything new. */
#ifndef SEKIMORI_HELPER_SAME_FILES_H
#define SEKIMORI_HELPER_SAME_FILES_H

#include <stdbool.h>

/* The folders `a` and `b` in `parent` have the same files, byte by byte, of those whose names `counts`; and
   at least one. What cannot be read is not the same. */
bool same_files(int parent, const char *a, const char *b, bool (*counts)(const char *name));

#endif
