/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A character is four quarters, each dark or not: bits 1 and 2 are the upper ones, left and right, 4 and 8
   the lower. A drawing is a run of lines that have some, blank lines between them left out. */
#include "open/block_drawing.h"

#include "base/utf8.h"

enum { ALL = 15, DARK_LEAST = 4, QUARTER = 4, MARGIN = 4 * QUARTER, NO_CELL = 16 };

/* U+2580 to U+259F: Block Elements. Eighths are taken for what they are nearer to. */
static const unsigned char blocks[32] = { 3,  0, 0,   12,  12, 12, ALL, ALL, ALL, ALL, ALL, 5, 5,  5, 0, 0,
                                          10, 0, ALL, ALL, 0,  0,  4,   8,   1,   13,  9,   7, 11, 2, 6, 14 };

static uint32_t character_of(struct text sequence)
{
    static const unsigned char first[] = { 0, 0x7F, 0x1F, 0x0F, 0x07 };
    uint32_t code = (unsigned char)sequence.at[0] & first[sequence.length];
    for (size_t i = 1; i < sequence.length; i++) code = code << 6 | ((unsigned char)sequence.at[i] & 0x3F);
    return code;
}

/* NO_CELL: it takes no room. */
static unsigned quarters_of(uint32_t code)
{
    if (code >= 0x2580 && code <= 0x259F) return blocks[code - 0x2580];
    switch (code) {
    case '#':
    case 0x25A0: /* black square, and what else is one */
    case 0x25FC:
    case 0x25FE:
    case 0x25CF:
    case 0x2B1B:
        return ALL;
    case '\r':
    case 0x200B: /* zero width, and variation selectors */
    case 0x200D:
    case 0xFE0E:
    case 0xFE0F:
    case 0xFEFF:
        return NO_CELL;
    default:
        return 0;
    }
}

struct line {
    unsigned char cells[DRAWING_CELLS_MOST];
    uint32_t width; /* cells, no blank behind the last */
    uint32_t dark;
};

static void line_read(struct text text, struct line *out)
{
    uint32_t count = 0;
    out->width = out->dark = 0;
    while (text.length > 0 && count < DRAWING_CELLS_MOST) {
        size_t size = utf8_sequence(text);
        unsigned quarters = size ? quarters_of(character_of(text_slice(text, 0, size))) : 0;
        text = text_slice(text, size ? size : 1, text.length);
        if (quarters == NO_CELL) continue;
        out->cells[count++] = (unsigned char)quarters;
        if (quarters == 0) continue;
        out->dark++;
        out->width = count;
    }
}

static bool is_blank(struct text line)
{
    struct line read;
    size_t at = 0;
    while (at < line.length && (line.at[at] == ' ' || line.at[at] == '\r' || line.at[at] == '\t')) at++;
    if (at == line.length) return true;
    if (text_starts(line, TEXT("\xC2\xA0")) || text_starts(line, TEXT("\xE3\x80\x80"))) {
        line_read(line, &read);
        return read.dark == 0;
    }
    return false;
}

/* --- a drawing --- */

struct drawing {
    struct text lines; /* from the first on */
    uint32_t count, width;
};

static void line_draw(const struct line *line, uint32_t top, struct bitmap *out)
{
    for (uint32_t x = 0; x < line->width; x++)
        for (unsigned i = 0; i < 4; i++)
            if (line->cells[x] & 1U << i)
                bitmap_fill(out, MARGIN + (2 * x + (i & 1)) * QUARTER / 2, top + (i >> 1) * QUARTER,
                            QUARTER / 2, QUARTER, 0);
}

/* Characters twice as high as wide: what was drawn with square ones is found so too. */
static bool draw(const struct drawing *drawing, struct bitmap *out)
{
    struct line line;
    struct text rest = drawing->lines, text;
    if (!bitmap_new(out, drawing->width * QUARTER + 2 * MARGIN, drawing->count * 2 * QUARTER + 2 * MARGIN))
        return false;
    for (uint32_t y = 0; y < drawing->count && text_next_line(&rest, &text);) {
        if (is_blank(text)) continue;
        line_read(text, &line);
        line_draw(&line, MARGIN + y++ * 2 * QUARTER, out);
    }
    return true;
}

static bool drawing_give(const struct drawing *drawing,
                         bool (*on_drawing)(void *context, const struct bitmap *bitmap), void *context)
{
    struct bitmap bitmap;
    if (!draw(drawing, &bitmap)) return true;
    bool goes_on = on_drawing(context, &bitmap);
    bitmap_free(&bitmap);
    return goes_on;
}

void block_drawing_find(struct text text, bool (*on_drawing)(void *context, const struct bitmap *bitmap),
                        void *context)
{
    struct drawing drawing = { 0 };
    struct line line;
    bool goes_on = true;
    unsigned given = 0;
    for (bool has_line = true; has_line && goes_on && given < DRAWINGS_MOST;) {
        struct text here = text, read;
        has_line = text_next_line(&text, &read);
        if (has_line && is_blank(read)) continue;
        line.dark = line.width = 0;
        if (has_line) line_read(read, &line);
        bool belongs = line.dark >= DARK_LEAST && drawing.count < DRAWING_LINES_MOST;
        if (belongs) {
            if (drawing.count == 0) drawing.lines = here;
            drawing.count++;
            if (line.width > drawing.width) drawing.width = line.width;
            continue;
        }
        if (drawing.count >= DRAWING_LINES_LEAST) {
            given++;
            goes_on = drawing_give(&drawing, on_drawing, context);
        }
        drawing = (struct drawing){ 0 };
    }
}
