/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The only file that knows cairo and pango. */
#include "report/daily/chart.h"

#include <pango/pangocairo.h>

#include "base/beat.h"
#include "base/log.h"

enum { SCALE = 2, LEFT = 46, RIGHT = 4, TOP = 30, BOTTOM = 24, GRID_STEPS = 5, KEY = 10 };
#define FONT "Noto Sans CJK JP, Noto Sans, sans-serif"
#define INK 0x757b83u
#define FAINT_SHARE 0.3 /* of the ink: lines of the grid, and days off */
#define SHADE_SHARE 0.14

struct canvas {
    cairo_t *cairo;
    PangoLayout *layout;
    const struct chart *chart;
    double top_value; /* of the axis */
};

enum align { ALIGN_LEFT, ALIGN_MIDDLE, ALIGN_RIGHT };

double chart_step(double most, unsigned steps)
{
    static const double factors[] = { 1, 2, 2.5, 5 };
    for (double power = 1;; power *= 10)
        for (size_t i = 0; i < sizeof factors / sizeof *factors; i++) {
            double step = factors[i] * power;
            if (step != 2.5 && step * steps >= most) return step; /* no half messages */
        }
}

static void colour_thin(const struct canvas *canvas, uint32_t colour, double share)
{
    cairo_set_source_rgba(canvas->cairo, (colour >> 16 & 255) / 255.0, (colour >> 8 & 255) / 255.0,
                          (colour & 255) / 255.0, share);
}

static void colour_set(const struct canvas *canvas, uint32_t colour)
{
    colour_thin(canvas, colour, 1);
}

static double words_draw(const struct canvas *canvas, double x, double y, enum align align, const char *words)
{
    int width, height;
    pango_layout_set_text(canvas->layout, words, -1);
    pango_layout_get_pixel_size(canvas->layout, &width, &height);
    double shift = align == ALIGN_LEFT ? 0 : align == ALIGN_MIDDLE ? width / 2.0 : width;
    if (x - shift + width > CHART_WIDTH) shift = x + width - CHART_WIDTH; /* nothing is cut off */
    cairo_move_to(canvas->cairo, x - shift, y - height / 2.0);
    pango_cairo_show_layout(canvas->cairo, canvas->layout);
    return width;
}

static double x_of(const struct canvas *canvas, double point)
{
    return LEFT + (CHART_WIDTH - LEFT - RIGHT) * point / canvas->chart->points;
}

static double y_of(const struct canvas *canvas, double value)
{
    return CHART_HEIGHT - BOTTOM - (CHART_HEIGHT - TOP - BOTTOM) * value / canvas->top_value;
}

static void box_draw(const struct canvas *canvas, double left, double right, double top, double bottom)
{
    cairo_rectangle(canvas->cairo, left, top, right - left, bottom - top);
    cairo_fill(canvas->cairo);
}

static void shades_draw(const struct canvas *canvas)
{
    colour_thin(canvas, INK, SHADE_SHARE);
    for (unsigned i = 0; canvas->chart->is_shaded && i < canvas->chart->points; i++)
        if (canvas->chart->is_shaded[i])
            box_draw(canvas, x_of(canvas, i), x_of(canvas, i + 1), TOP, CHART_HEIGHT - BOTTOM);
}

static void grid_draw(const struct canvas *canvas, double step)
{
    struct buffer words = { 0 };
    for (double value = 0; value <= canvas->top_value + step / 2; value += step) {
        double y = y_of(canvas, value);
        colour_thin(canvas, INK, value > 0 ? FAINT_SHARE : 1);
        box_draw(canvas, LEFT, CHART_WIDTH - RIGHT, y - 0.5, y + 0.5);
        colour_set(canvas, INK);
        buffer_clear(&words);
        sheet_number_print(SHEET_COUNT, value, &words);
        buffer_add_char(&words, '\0');
        words_draw(canvas, LEFT - 6, y, ALIGN_RIGHT, buffer_text(&words).at);
    }
    buffer_free(&words);
}

static void bars_draw(const struct canvas *canvas)
{
    const struct chart *chart = canvas->chart;
    for (unsigned i = 0; i < chart->points; i++) {
        double sum = 0;
        for (unsigned s = 0; s < chart->series_count; s++) {
            double value = chart->series[s].values[i];
            colour_set(canvas, chart->series[s].colour);
            if (value > 0)
                box_draw(canvas, x_of(canvas, i + 0.14), x_of(canvas, i + 0.86), y_of(canvas, sum + value),
                         y_of(canvas, sum));
            sum += value;
        }
        colour_set(canvas, INK);
        if (chart->labels[i])
            words_draw(canvas, x_of(canvas, i + 0.5), CHART_HEIGHT - BOTTOM / 2.0, ALIGN_MIDDLE,
                       chart->labels[i]);
    }
}

static void keys_draw(const struct canvas *canvas)
{
    double x = LEFT;
    for (unsigned s = 0; s < canvas->chart->series_count; s++) {
        colour_set(canvas, canvas->chart->series[s].colour);
        box_draw(canvas, x, x + KEY, TOP / 2.0 - KEY / 2.0 - 2, TOP / 2.0 + KEY / 2.0 - 2);
        colour_set(canvas, INK);
        x += KEY + 6 +
             words_draw(canvas, x + KEY + 6, TOP / 2.0 - 2, ALIGN_LEFT, canvas->chart->series[s].name) + 20;
    }
}

static void chart_paint(struct canvas *canvas)
{
    const struct chart *chart = canvas->chart;
    double most = 1;
    for (unsigned i = 0; i < chart->points; i++) {
        double sum = 0;
        for (unsigned s = 0; s < chart->series_count; s++) sum += chart->series[s].values[i];
        if (sum > most) most = sum;
    }
    double step = chart_step(most, GRID_STEPS);
    canvas->top_value = step;
    while (canvas->top_value < most) canvas->top_value += step;
    shades_draw(canvas);
    grid_draw(canvas, step);
    bars_draw(canvas);
    keys_draw(canvas);
}

static cairo_status_t png_write(void *closure, const unsigned char *bytes, unsigned length)
{
    buffer_add(closure, bytes, length);
    return CAIRO_STATUS_SUCCESS;
}

bool chart_draw(const struct chart *chart, struct buffer *out_png)
{
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_ARGB32, CHART_WIDTH * SCALE, CHART_HEIGHT * SCALE);
    struct canvas canvas = { .cairo = cairo_create(surface), .chart = chart };
    beat(); /* a report has many */
    cairo_scale(canvas.cairo, SCALE, SCALE);
    canvas.layout = pango_cairo_create_layout(canvas.cairo);
    PangoFontDescription *font = pango_font_description_from_string(FONT);
    pango_font_description_set_absolute_size(font, 12 * PANGO_SCALE);
    pango_layout_set_font_description(canvas.layout, font);
    pango_font_description_free(font);
    chart_paint(&canvas);
    cairo_status_t status = cairo_status(canvas.cairo);
    g_object_unref(canvas.layout);
    cairo_destroy(canvas.cairo);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_write_to_png_stream(surface, png_write, out_png);
    cairo_surface_destroy(surface);
    if (status != CAIRO_STATUS_SUCCESS)
        log_error("a chart cannot be drawn: %s", cairo_status_to_string(status));
    return status == CAIRO_STATUS_SUCCESS;
}
