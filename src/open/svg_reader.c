/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Text in a picture is not drawn: there are no fonts in the jail, and no code is drawn with them. */
#include "open/svg_reader.h"

#include <librsvg/rsvg.h>

#include "base/buffer.h"
#include "open/surface.h"

static const struct text opening_tag = { "<svg", 4 };

static RsvgHandle *handle_new(struct text bytes)
{
    struct buffer named = { 0 };
    size_t at = text_find_nocase(bytes, opening_tag);
    if (at == bytes.length) return NULL;
    if (text_find(bytes, TEXT("xmlns")) == bytes.length) {
        buffer_add_text(&named, TEXT("<svg xmlns=\"http://www.w3.org/2000/svg\" "
                                     "xmlns:xlink=\"http://www.w3.org/1999/xlink\""));
        buffer_add_text(&named, text_slice(bytes, at + opening_tag.length, bytes.length));
        bytes = buffer_text(&named);
    }
    RsvgHandle *handle = rsvg_handle_new_from_data((const guint8 *)bytes.at, bytes.length, NULL);
    buffer_free(&named);
    return handle;
}

static bool draw(RsvgHandle *handle, struct bitmap *out)
{
    const RsvgRectangle viewport = { 0, 0, SVG_SIDE, SVG_SIDE };
    struct surface canvas;
    if (!surface_open(&canvas, SVG_SIDE, SVG_SIDE)) return false;
    bool is_drawn = rsvg_handle_render_document(handle, canvas.cairo, &viewport, NULL);
    return surface_close(&canvas, out) && is_drawn;
}

bool svg_reader_read(struct text bytes, struct bitmap *out)
{
    *out = (struct bitmap){ 0 };
    RsvgHandle *handle = handle_new(bytes);
    if (!handle) return false;
    bool is_good = draw(handle, out);
    if (!is_good) bitmap_free(out);
    g_object_unref(handle);
    return is_good;
}

void svg_reader_warm_up(void)
{
    struct bitmap bitmap;
    svg_reader_read(TEXT("<svg viewBox='0 0 9 9'><g transform='scale(2)'><rect width='3' height='3'/>"
                         "<path d='M4 4h1v1z'/></g></svg>"),
                    &bitmap);
    bitmap_free(&bitmap);
}
