/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* poppler has no way to stop within a page: who waits for the answer has a clock. What is drawn, which
   touches fonts and pictures, comes behind all text. */
#include "open/pdf_reader.h"

#include <poppler.h>

#include "open/surface.h"

enum { PAGE_SIDE_MOST = 1300, POINTS_MOST = 14400 };

static bool text_give(PopplerPage *page, const struct pdf_events *events, void *context)
{
    char *text = poppler_page_get_text(page);
    bool goes_on = !text || !*text || events->on_text(context, text_of(text));
    g_free(text);
    return goes_on;
}

static bool links_give(PopplerPage *page, const struct pdf_events *events, void *context)
{
    bool goes_on = true;
    GList *links = poppler_page_get_link_mapping(page);
    for (GList *at = links; at && goes_on; at = at->next) {
        const PopplerAction *action = ((PopplerLinkMapping *)at->data)->action;
        if (action && action->type == POPPLER_ACTION_URI && action->uri.uri && *action->uri.uri)
            goes_on = events->on_link(context, text_of(action->uri.uri));
    }
    poppler_page_free_link_mapping(links);
    return goes_on;
}

/* Its longer side PAGE_SIDE_MOST pixels at most, as it would stand on a screen. False: it has no sane size.
 */
static bool page_draw(PopplerPage *page, struct bitmap *out)
{
    double width, height, scale = 1.5;
    struct surface canvas;
    poppler_page_get_size(page, &width, &height);
    if (!(width >= 1 && height >= 1 && width <= POINTS_MOST && height <= POINTS_MOST)) return false;
    double longer = width > height ? width : height;
    if (longer * scale > PAGE_SIDE_MOST) scale = PAGE_SIDE_MOST / longer;
    if (!surface_open(&canvas, (uint32_t)(width * scale) + 1, (uint32_t)(height * scale) + 1)) return false;
    cairo_scale(canvas.cairo, scale, scale);
    poppler_page_render(page, canvas.cairo);
    return surface_close(&canvas, out);
}

static bool page_read(PopplerPage *page, const struct pdf_events *events, void *context)
{
    return text_give(page, events, context) && links_give(page, events, context);
}

static bool page_show(PopplerPage *page, const struct pdf_events *events, void *context)
{
    struct bitmap bitmap;
    return !page_draw(page, &bitmap) || events->on_page(context, &bitmap);
}

/* The first `most` pages. False: no more is wanted. */
static bool pages_walk(PopplerDocument *document, int most, const struct pdf_events *events, void *context,
                       bool (*walk)(PopplerPage *page, const struct pdf_events *events, void *context))
{
    int count = poppler_document_get_n_pages(document);
    bool goes_on = true;
    for (int i = 0; goes_on && i < count && i < most; i++) {
        PopplerPage *page = poppler_document_get_page(document, i);
        if (!page) continue;
        goes_on = walk(page, events, context);
        g_object_unref(page);
    }
    return goes_on;
}

static PopplerDocument *document_open(struct text bytes, enum pdf_outcome *out)
{
    GError *error = NULL;
    GBytes *shared = g_bytes_new_static(bytes.at, bytes.length);
    PopplerDocument *document = poppler_document_new_from_bytes(shared, NULL, &error);
    bool wants_password = error && g_error_matches(error, POPPLER_ERROR, POPPLER_ERROR_ENCRYPTED);
    *out = document ? PDF_READ : wants_password ? PDF_ENCRYPTED : PDF_DAMAGED;
    g_clear_error(&error);
    g_bytes_unref(shared);
    return document;
}

enum pdf_outcome pdf_reader_read(struct text bytes, const struct pdf_events *events, void *context)
{
    enum pdf_outcome outcome;
    PopplerDocument *document = document_open(bytes, &outcome);
    if (!document) return outcome;
    if (pages_walk(document, PDF_PAGES_MOST, events, context, page_read))
        pages_walk(document, PDF_PICTURES_MOST, events, context, page_show);
    g_object_unref(document);
    return outcome;
}

/* The smallest document that has a page. */
void pdf_reader_warm_up(void)
{
    static const char smallest[] = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
                                   "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
                                   "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n"
                                   "trailer<</Root 1 0 R>>\n%%EOF\n";
    enum pdf_outcome outcome;
    struct bitmap bitmap;
    PopplerDocument *document = document_open(text_from(smallest, sizeof smallest - 1), &outcome);
    PopplerPage *page = document ? poppler_document_get_page(document, 0) : NULL;
    if (!page) return;
    g_free(poppler_page_get_text(page));
    if (page_draw(page, &bitmap)) bitmap_free(&bitmap);
    g_object_unref(page);
}
