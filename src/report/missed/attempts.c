/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A line a mail: id and lives. The one at hand comes first; those that somebody outlived are left out. */
#include "report/missed/attempts.h"

#include <inttypes.h>

#include "report/state_file.h"

static const char name[] = "errand";

struct begun {
    uint64_t id, attempts;
};

static size_t read_all(int folder, struct begun list[ATTEMPTS_MAILS])
{
    struct buffer file = { 0 };
    size_t count = 0;
    state_file_read(folder, name, &file);
    struct text rest = buffer_text(&file), line, id, attempts;
    while (count < ATTEMPTS_MAILS && text_next_line(&rest, &line)) {
        bool is_whole = text_next_word(&line, &id) && text_next_word(&line, &attempts) &&
                        text_to_number(id, UINT64_MAX, &list[count].id) &&
                        text_to_number(attempts, UINT32_MAX, &list[count].attempts);
        count += is_whole;
    }
    buffer_free(&file);
    return count;
}

bool attempts_begin(int folder, uint64_t id, uint64_t outlived, uint64_t *out_before)
{
    struct begun list[ATTEMPTS_MAILS];
    struct buffer others = { 0 }, file = { 0 };
    size_t count = read_all(folder, list);
    *out_before = 0;
    for (size_t i = 0; i < count; i++) {
        if (list[i].id == id)
            *out_before = list[i].attempts;
        else if (list[i].id != outlived)
            buffer_printf(&others, "%" PRIu64 " %" PRIu64 "\n", list[i].id, list[i].attempts);
    }
    bool is_over = *out_before >= ATTEMPTS_MOST;
    buffer_printf(&file, "%" PRIu64 " %" PRIu64 "\n", id, *out_before + !is_over);
    buffer_add_text(&file, buffer_text(&others));
    bool is_noted = state_file_write(folder, name, buffer_text(&file));
    buffer_free(&others);
    buffer_free(&file);
    return is_noted;
}
