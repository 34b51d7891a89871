/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The index.tsv of a corpus: columns that a first line names, parted by tabs. */
#ifndef SEKIMORI_BENCH_CORPUS_INDEX_H
#define SEKIMORI_BENCH_CORPUS_INDEX_H

#include "base/text.h"

/* The lines of an index.tsv behind the first, which is *out_head; ends the program with EX_NOINPUT where the
   file cannot be read. */
struct text index_open(const char *path, struct text *out_head);

/* The `number`th column of a line, from 0; empty where it has fewer. */
struct text index_column(struct text line, unsigned number);

/* Which column the first line calls so; one that no line has where it names none so. */
unsigned index_column_named(struct text head, const char *name);

#endif
