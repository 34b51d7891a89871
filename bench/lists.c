/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a local list costs: compiling so many entries, then looking up, half of what is asked for being
   listed. usage: bench-lists [ENTRIES]   (a million) */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#include "blocklist/blocklist.h"
#include "tool.h"

enum { ASKED = 2000000 };

/* A number that is spread over all values and comes once: the same list each time. */
static uint32_t scatter(uint32_t number)
{
    number *= 2654435761u;
    number ^= number >> 15;
    number *= 2246822519u;
    return number ^ number >> 13;
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void entry_print(struct buffer *out, enum blocklist_kind kind, uint32_t number)
{
    uint32_t n = scatter(number);
    if (kind == BLOCKLIST_NETWORKS)
        buffer_printf(out, "%u.%u.%u.%u", 1 + (n >> 24) % 223, n >> 16 & 255, n >> 8 & 255, n & 255);
    else if (kind == BLOCKLIST_NAMES)
        buffer_printf(out, "h%x.d%x.example", n >> 20, n);
    else
        for (int i = 0; i < 8; i++) buffer_printf(out, "%08x", scatter(n + (uint32_t)i));
}

static bool has(const struct blocklist *list, enum blocklist_kind kind, struct text asked)
{
    struct blocklist_entry entry;
    struct address address;
    uint8_t hash[BLOCKLIST_HASH_SIZE];
    if (kind == BLOCKLIST_NETWORKS)
        return address_parse(asked, &address) && blocklist_has_address(list, &address, &entry);
    if (kind == BLOCKLIST_NAMES) return blocklist_has_name(list, asked, &entry);
    for (size_t i = 0; i < sizeof hash; i++)
        hash[i] = (uint8_t)(char_hex_value(asked.at[2 * i]) * 16 + char_hex_value(asked.at[2 * i + 1]));
    return blocklist_has_hash(list, hash, &entry);
}

/* Returns seconds a question, with or without the look-up: reading and spelling are taken off. */
static double asking(const struct blocklist *list, enum blocklist_kind kind, uint32_t entries, bool is_asked,
                     uint32_t *out_hits)
{
    struct buffer room = { 0 };
    double begun = now_s();
    *out_hits = 0;
    for (uint32_t i = 0; i < ASKED; i++) {
        buffer_clear(&room);
        entry_print(&room, kind, scatter(i) % (2 * entries));
        if (is_asked) *out_hits += has(list, kind, buffer_text(&room));
    }
    buffer_free(&room);
    return (now_s() - begun) / ASKED;
}

/* In steps, as lookup does it beside its questions. */
static bool compile(enum blocklist_kind kind, struct text file, const struct blocklist_limits *limits,
                    struct buffer *image, double *out_longest_s)
{
    struct blocklist_problem problem;
    struct blocklist_compiler *compiler = blocklist_compiler_new(kind, file, limits, image, &problem);
    enum blocklist_progress progress;
    do {
        double begun = now_s();
        progress = blocklist_compiler_step(compiler);
        double took = now_s() - begun;
        if (took > *out_longest_s) *out_longest_s = took;
    } while (progress == BLOCKLIST_GOES_ON);
    blocklist_compiler_free(compiler);
    if (progress == BLOCKLIST_IS_REFUSED) fprintf(stderr, "line %u: %s\n", problem.line, problem.says);
    return progress == BLOCKLIST_IS_DONE;
}

static bool measure(enum blocklist_kind kind, const char *name, uint32_t entries)
{
    struct blocklist_limits limits = { SIZE_MAX, SIZE_MAX, NULL, 0 };
    struct buffer file = { 0 }, image = { 0 };
    struct blocklist list;
    for (uint32_t i = 0; i < entries; i++) {
        entry_print(&file, kind, i);
        buffer_add_char(&file, '\n');
    }
    double begun = now_s(), longest = 0;
    if (!compile(kind, buffer_text(&file), &limits, &image, &longest) ||
        !blocklist_open(buffer_text(&image), &list))
        return false;
    double compiled = now_s() - begun;
    uint32_t hits, none;
    double idle = asking(&list, kind, entries, false, &none);
    double asked = asking(&list, kind, entries, true, &hits);
    printf("%-9s %u entries: compiled in %.2f s (a step %.0f ms at most), %.1f MB; a look-up %.0f ns, %.0f "
           "%% of them hits\n",
           name, entries, compiled, longest * 1e3, (double)buffer_length(&image) / 1e6, (asked - idle) * 1e9,
           hits * 100.0 / ASKED);
    buffer_free(&file);
    buffer_free(&image);
    return true;
}

int main(int argc, char **argv)
{
    static const char usage[] = "bench-lists [ENTRIES]   (1000000)";
    tool_usage(argc, argv, 0, 1, usage);
    uint64_t entries = argc > 1 ? tool_number("entries", argv[1], 1, 100000000) : 1000000;
    bool is_done = measure(BLOCKLIST_NETWORKS, "networks", (uint32_t)entries) &&
                   measure(BLOCKLIST_NAMES, "names", (uint32_t)entries) &&
                   measure(BLOCKLIST_HASHES, "hashes", (uint32_t)entries);
    return is_done ? 0 : EX_SOFTWARE;
}
