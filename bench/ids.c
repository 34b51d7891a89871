/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The count of each message id, and its file. */
#include "ids.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/die.h"

static void grow(struct ids *ids, uint64_t id)
{
    uint64_t size = ids->size ? ids->size : 65536;
    while (size <= id) size *= 2;
    ids->times = memory_grow(ids->times, size);
    memset(ids->times + ids->size, 0, size - ids->size);
    ids->size = size;
}

bool ids_add(struct ids *ids, uint64_t id)
{
    if (id >= IDS_MOST) return false;
    if (id >= ids->size) grow(ids, id);
    if (ids->times[id] == 0)
        ids->distinct++;
    else
        ids->doubled++;
    if (ids->times[id] < UINT8_MAX) ids->times[id]++;
    return true;
}

unsigned ids_times(const struct ids *ids, uint64_t id)
{
    return id < ids->size ? ids->times[id] : 0;
}

void ids_free(struct ids *ids)
{
    free(ids->times);
    *ids = (struct ids){ 0 };
}

void ids_write(const struct ids *ids, const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file) die_errno("cannot write %s", path);
    for (uint64_t id = 0; id < ids->size; id++) {
        if (ids->times[id] == 1) fprintf(file, "%llu\n", (unsigned long long)id);
        if (ids->times[id] > 1) fprintf(file, "%llu %u\n", (unsigned long long)id, ids->times[id]);
    }
    if (ferror(file) | fclose(file)) die_errno("cannot write %s", path);
}

static bool line_read(struct ids *ids, struct text line)
{
    struct text word;
    uint64_t id, times = 1;
    if (!text_next_word(&line, &word) || !text_to_number(word, IDS_MOST - 1, &id)) return false;
    if (text_next_word(&line, &word) && !text_to_number(word, UINT8_MAX, &times)) return false;
    if (times == 0 || text_next_word(&line, &word)) return false;
    while (times-- > 0) ids_add(ids, id);
    return true;
}

void ids_read(struct ids *ids, const char *path)
{
    char room[64];
    FILE *file = fopen(path, "r");
    if (!file) die_errno("cannot read %s", path);
    for (unsigned number = 1; fgets(room, sizeof room, file); number++)
        if (!line_read(ids, text_trim(text_of(room)))) die("%s:%u: not an id", path, number);
    if (ferror(file)) die_errno("cannot read %s", path);
    fclose(file);
}
