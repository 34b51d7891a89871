/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A pattern's middle is three modules high, so that every third row meets it where modules are pixels. zbar's
   thresholds lean on what came before, so that each line is scanned in the direction in which zbar does. */
#include "open/finder_pattern.h"

#include <string.h>
#include <zbar.h>

enum {
    EVERY_LINE_PIXELS = 1 << 16,
    STEP = 3,
    LINES_MOST = 1024,
    CENTRES_MOST = 96,
    RUNS = 5,
    SMALLEST = 4 /* pixels */,
    FRACTION = 32 /* zbar's widths, of a pixel */
};

/* Where a row or column goes through what has a finder pattern's shape: pixels. */
struct crossing_line {
    uint32_t middle, at, length; /* `at`: which row, or column */
};

struct line_list {
    struct crossing_line lines[LINES_MOST];
    uint32_t count;
};

/* Of one direction. */
struct pattern_scan {
    zbar_scanner_t *scanner;
    struct line_list found;
    unsigned runs[RUNS]; /* the last is the newest */
};

/* Within zbar's own bounds for two runs beside each other, of 7 modules, and a little more. */
static bool is_pair(unsigned first, unsigned second, unsigned sum, unsigned modules)
{
    uint64_t eighths = (uint64_t)(first + second) * 56, middle = (uint64_t)sum * 8 * modules;
    uint64_t slack = (uint64_t)sum * 5;
    return eighths + slack >= middle && eighths <= middle + slack;
}

static bool has_shape(const unsigned *runs, unsigned *out_sum)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < RUNS; i++) sum += runs[i];
    *out_sum = sum;
    return sum >= SMALLEST * FRACTION && is_pair(runs[0], runs[1], sum, 2) &&
           is_pair(runs[1], runs[2], sum, 4) && is_pair(runs[2], runs[3], sum, 4) &&
           is_pair(runs[3], runs[4], sum, 2);
}

static void line_add(struct line_list *list, uint32_t middle, uint32_t at, uint32_t length)
{
    if (list->count == LINES_MOST) return;
    list->lines[list->count++] = (struct crossing_line){ middle, at, length };
}

/* A row or column: odd ones come from their end. */
struct pixel_line {
    const uint8_t *first;
    size_t stride;
    uint32_t at, length;
};

/* zbar tells of a run when the next one ends, and has the colour of that. */
static void edge_take(struct pattern_scan *scan, const struct pixel_line *line)
{
    unsigned sum;
    memmove(scan->runs, scan->runs + 1, (RUNS - 1) * sizeof *scan->runs);
    scan->runs[RUNS - 1] = zbar_scanner_get_width(scan->scanner);
    bool is_dark = zbar_scanner_get_color(scan->scanner) == ZBAR_SPACE;
    if (!is_dark || !has_shape(scan->runs, &sum)) return;
    unsigned middle = zbar_scanner_get_edge(scan->scanner, sum / 2, 0);
    if (middle >= line->length) return;
    line_add(&scan->found, line->at % 2 ? line->length - 1 - middle : middle, line->at, sum / FRACTION);
}

static void line_scan(struct pattern_scan *scan, const struct pixel_line *line)
{
    memset(scan->runs, 0, sizeof scan->runs);
    for (uint32_t i = 0; i < line->length; i++) {
        uint32_t x = line->at % 2 ? line->length - 1 - i : i;
        if (zbar_scan_y(scan->scanner, line->first[x * line->stride]) != ZBAR_NONE) edge_take(scan, line);
    }
    while (zbar_scanner_flush(scan->scanner) != ZBAR_NONE) edge_take(scan, line);
    zbar_scanner_new_scan(scan->scanner);
}

/* What has more than can be kept is searched anyway. What equals the row before of its direction would tell
 * the same: a page is mostly such. */
static void rows_scan(struct pattern_scan *scan, const struct bitmap *bitmap, uint32_t step)
{
    const uint8_t *before[2] = { NULL, NULL };
    for (uint32_t y = step / 2; y < bitmap->height && scan->found.count < LINES_MOST; y += step) {
        const uint8_t *row = bitmap->grey + (size_t)y * bitmap->width;
        bool is_new = !before[y % 2] || memcmp(row, before[y % 2], bitmap->width) != 0;
        const struct pixel_line line = { row, 1, y, bitmap->width };
        if (is_new) line_scan(scan, &line);
        before[y % 2] = row;
    }
}

static bool is_near(uint32_t one, uint32_t other, uint32_t distance)
{
    return (one > other ? one - other : other - one) <= distance;
}

/* A line through a pattern is at most 1.5 of its 7 modules from the middle. */
static bool is_through(const struct crossing_line *line, uint32_t x)
{
    return is_near(line->middle, x, line->length / 4 + 1);
}

static bool do_cross(const struct crossing_line *row, const struct crossing_line *column)
{
    return row->length <= 2 * column->length && column->length <= 2 * row->length &&
           is_through(row, column->at) && is_through(column, row->at);
}

static bool is_near_row(const struct line_list *rows, uint32_t x)
{
    for (uint32_t i = 0; i < rows->count; i++)
        if (is_through(&rows->lines[i], x)) return true;
    return false;
}

static void columns_scan(struct pattern_scan *scan, const struct bitmap *bitmap, uint32_t step,
                         const struct line_list *rows)
{
    for (uint32_t x = step / 2; x < bitmap->width && scan->found.count < LINES_MOST; x += step) {
        const struct pixel_line line = { bitmap->grey + x, bitmap->width, x, bitmap->height };
        if (is_near_row(rows, x)) line_scan(scan, &line);
    }
}

/* --- three of them --- */

struct pattern_centre {
    uint32_t x, y, size; /* pixels; seven modules */
};

struct centre_list {
    struct pattern_centre centres[CENTRES_MOST];
    uint32_t count;
    bool is_full;
};

static bool is_same(const struct pattern_centre *one, const struct pattern_centre *other)
{
    uint32_t distance = (one->size < other->size ? one->size : other->size) / 3;
    return is_near(one->x, other->x, distance) && is_near(one->y, other->y, distance) &&
           is_near(one->size, other->size, distance);
}

static void centre_add(struct centre_list *list, const struct pattern_centre *centre)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (is_same(&list->centres[i], centre)) return;
    list->is_full = list->count == CENTRES_MOST;
    if (!list->is_full) list->centres[list->count++] = *centre;
}

static void crossing_take(struct centre_list *list, const struct crossing_line *row,
                          const struct crossing_line *column)
{
    const struct pattern_centre centre = { row->middle, column->middle, (row->length + column->length) / 2 };
    if (do_cross(row, column)) centre_add(list, &centre);
}

static void centres_find(const struct line_list *rows, const struct line_list *columns,
                         struct centre_list *out)
{
    out->is_full = rows->count == LINES_MOST || columns->count == LINES_MOST;
    for (uint32_t i = 0; i < rows->count && !out->is_full; i++)
        for (uint32_t j = 0; j < columns->count && !out->is_full; j++)
            crossing_take(out, &rows->lines[i], &columns->lines[j]);
}

/* The square of their distance. */
static uint64_t apart(const struct pattern_centre *one, const struct pattern_centre *other)
{
    int64_t x = (int64_t)one->x - other->x, y = (int64_t)one->y - other->y;
    return (uint64_t)(x * x + y * y);
}

/* Patterns of one code are 14 to 170 modules apart; turned by 45 degrees each seems 1.4 times as large. */
static bool are_fellows(const struct pattern_centre *one, const struct pattern_centre *other)
{
    uint64_t size = one->size + other->size, square = apart(one, other);
    return one->size <= 2 * other->size && other->size <= 2 * one->size && square >= size * size / 4 &&
           square <= size * size * 256;
}

/* A right angle at the corner and legs as long as each other, seen from aside. */
static bool is_corner(const struct pattern_centre *corner, const struct pattern_centre *one,
                      const struct pattern_centre *other)
{
    uint64_t first = apart(corner, one), second = apart(corner, other), across = apart(one, other);
    return first <= 4 * second && second <= 4 * first && across * 2 >= first + second &&
           across <= 2 * (first + second);
}

static bool has_corner_at(const struct centre_list *list, const struct pattern_centre *corner)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (!are_fellows(corner, &list->centres[i])) continue;
        for (uint32_t j = i + 1; j < list->count; j++)
            if (are_fellows(corner, &list->centres[j]) && are_fellows(&list->centres[i], &list->centres[j]) &&
                is_corner(corner, &list->centres[i], &list->centres[j]))
                return true;
    }
    return false;
}

static bool have_code(const struct line_list *rows, const struct line_list *columns)
{
    struct centre_list list = { .count = 0 };
    centres_find(rows, columns, &list);
    if (list.is_full) return true;
    for (uint32_t i = 0; i < list.count; i++)
        if (has_corner_at(&list, &list.centres[i])) return true;
    return false;
}

bool finder_pattern_may_be(const struct bitmap *bitmap, uint32_t enlarged)
{
    bool is_small = (uint64_t)bitmap->width * bitmap->height <= EVERY_LINE_PIXELS;
    uint32_t step = enlarged > 1 ? enlarged : is_small ? 1 : STEP;
    struct pattern_scan rows = { .scanner = zbar_scanner_create(NULL) };
    struct pattern_scan columns = { .scanner = rows.scanner };
    zbar_scanner_new_scan(rows.scanner);
    rows_scan(&rows, bitmap, step);
    if (rows.found.count < LINES_MOST) columns_scan(&columns, bitmap, step, &rows.found);
    zbar_scanner_destroy(rows.scanner);
    return have_code(&rows.found, &columns.found);
}
