/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Shades are opaque pairs of ground and text colour for each scheme, so that every one is legible. */
#include "cli/explain_page.h"

#include <math.h>

#include "statistics/sheet.h"

enum { LEVELS = 3, NAME_COLUMNS = 80, ABOUT_COLUMNS = 200, PIECE_COLUMNS = 200 };

/* Colour is not all: what rules matched is underlined, and each piece has its points as a title. */
static const char style[] =
    ":root{color-scheme:light dark}\n"
    "body{margin:0 auto;max-width:820px;padding:16px;background:#ffffff;color:#1f252d;font:16px/1.7 "
    "'Noto Sans CJK JP','Hiragino Sans','Yu Gothic',Meiryo,Arial,sans-serif}\n"
    "h1{font-size:20px;margin:0 0 8px}h2{font-size:16px;margin:20px 0 6px}\n"
    "table{border-collapse:collapse;font-size:14px;width:100%}td{padding:3px 10px 3px 0;vertical-align:top;"
    "overflow-wrap:anywhere}\n"
    "td.n{text-align:right;white-space:nowrap}\n"
    ".text{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid "
    "#c3cad3;border-radius:6px;padding:12px}\n"
    ".s1{background:#ffe9e4}.s2{background:#ffd0c6}.s3{background:#ffb3a3}\n"
    ".h1{background:#e4f3e7}.h2{background:#c9e8d0}.h3{background:#a9dab5}\n"
    "u{text-decoration:underline;text-decoration-thickness:2px}\n"
    "@media (prefers-color-scheme:dark){\n"
    "body{background:#0d1117;color:#e6e9ed}.text{border-color:#3a444f}\n"
    ".s1{background:#3a1a16}.s2{background:#5a221b}.s3{background:#7d2a20}\n"
    ".h1{background:#12291a}.h2{background:#173d25}.h3{background:#1c5330}\n"
    "}\n";

static const char *say(const struct explain_view *view, const char *en, const char *ja)
{
    return view->language == LANGUAGE_JA ? ja : en;
}

static void head_write(const struct explain_view *view, struct buffer *out)
{
    buffer_printf(out,
                  "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">\n"
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
                  "'unsafe-inline'\">\n"
                  "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>",
                  say(view, "en", "ja"));
    html_add(out, text_of(view->name), NAME_COLUMNS);
    buffer_printf(out, "</title>\n<style>\n%s</style></head>\n<body>\n<h1>", style);
    html_add(out, text_of(view->name), NAME_COLUMNS);
    buffer_add_text(out, TEXT("</h1>\n<p>"));
}

static void signals_write(const struct explain_view *view, struct buffer *out)
{
    buffer_printf(out, "<h2>%s</h2>\n<table>\n", say(view, "What was found", "所見"));
    for (uint32_t i = 0; i < view->explanation->signal_count; i++) {
        const struct event_signal *signal = &view->explanation->signals[i];
        buffer_printf(out, "<tr><td class=\"n\">%+.1f</td><td>", signal->points);
        html_add(out, signal->name, NAME_COLUMNS);
        buffer_add_text(out, TEXT("</td><td>"));
        html_add(out, explain_about(view, signal->name), ABOUT_COLUMNS);
        buffer_add_text(out, TEXT("</td></tr>\n"));
    }
    buffer_add_text(out, TEXT("</table>\n"));
}

/* The strongest piece has the strongest shade. */
static double strongest_of(const struct passages *passages)
{
    double most = 1e-9;
    for (uint32_t i = 0; i < passages->visible_count; i++) {
        double points = fabs(passages->visible_pieces[i].base + passages->visible_pieces[i].local);
        if (points > most) most = points;
    }
    for (uint32_t i = 0; i < passages->subject_count; i++) {
        double points = fabs(passages->subject_pieces[i].base);
        if (points > most) most = points;
    }
    return most;
}

static int level_of(double points, double strongest)
{
    double share = fabs(points) / strongest;
    return share < 0.15 ? 0 : share < 0.4 ? 1 : share < 0.7 ? 2 : LEVELS;
}

struct shading {
    const struct passages *passages;
    unsigned area;
    double strongest;
    struct buffer *out;
};

static bool is_marked(const struct shading *shading, size_t at, size_t bytes)
{
    const struct passages *passages = shading->passages;
    for (uint32_t i = 0; i < passages->mark_count; i++) {
        const struct passage_mark *mark = &passages->marks[i];
        if (mark->area == shading->area && mark->bytes > 0 && mark->at < at + bytes &&
            at < (size_t)mark->at + mark->bytes)
            return true;
    }
    return false;
}

static void piece_write(const struct shading *shading, struct text text, double points, bool is_underlined)
{
    struct buffer *out = shading->out;
    int level = level_of(points, shading->strongest);
    bool is_line = text_ends(text, TEXT("\n"));
    if (level)
        buffer_printf(out, "<span class=\"%c%d\" title=\"%+.3f\">", points > 0 ? 's' : 'h', level, points);
    if (is_underlined) buffer_add_text(out, TEXT("<u>"));
    html_add(out, text_trim(text), PIECE_COLUMNS);
    if (is_underlined) buffer_add_text(out, TEXT("</u>"));
    if (level) buffer_add_text(out, TEXT("</span>"));
    if (text_ends(text, TEXT(" "))) buffer_add_char(out, ' ');
    if (is_line) buffer_add_char(out, '\n');
}

static void text_write(const struct shading *shading, struct text text, const struct passage_piece *pieces,
                       uint32_t count)
{
    size_t at = 0;
    buffer_add_text(shading->out, TEXT("<div class=\"text\">"));
    for (uint32_t i = 0; i < count; at += pieces[i++].bytes)
        piece_write(shading, text_slice(text, at, at + pieces[i].bytes), pieces[i].base + pieces[i].local,
                    is_marked(shading, at, pieces[i].bytes));
    buffer_add_text(shading->out, TEXT("</div>\n"));
}

static void shaded_write(const struct explain_view *view, struct buffer *out)
{
    const struct passages *passages = view->passages;
    struct shading shading = { passages, AREA_SUBJECT, strongest_of(passages), out };
    buffer_printf(out, "<h2>%s</h2>\n", say(view, "Subject", "件名"));
    text_write(&shading, passages->subject, passages->subject_pieces, passages->subject_count);
    shading.area = AREA_BODY;
    buffer_printf(out, "<h2>%s</h2>\n", say(view, "Text", "本文"));
    text_write(&shading, passages->visible, passages->visible_pieces, passages->visible_count);
    buffer_printf(out, "<p><span class=\"s2\">%s</span> <span class=\"h2\">%s</span> <u>%s</u></p>\n",
                  say(view, "speaks for spam", "迷惑メールらしい"),
                  say(view, "speaks against it", "正常なメールらしい"),
                  say(view, "matched by a rule", "ルールに一致"));
    if (passages->is_cut)
        buffer_printf(out, "<p>%s</p>\n",
                      say(view, "There is more text than is shown.", "これより後の文は省略した。"));
}

void explain_page_write(const struct explain_view *view, struct buffer *out)
{
    struct buffer why = { 0 };
    head_write(view, out);
    for (uint32_t i = 0; i < view->explanation->action_count; i++)
        buffer_printf(out, "%s%s", i ? ", " : "",
                      explain_action_word(view->explanation->actions[i].action, view->language));
    buffer_add_text(out, text_of(say(view, ": ", "：")));
    explain_why(view, &why);
    html_add(out, buffer_text(&why), 400);
    buffer_add_text(out, TEXT("</p>\n"));
    signals_write(view, out);
    shaded_write(view, out);
    buffer_add_text(out, TEXT("</body></html>\n"));
    buffer_free(&why);
}
