/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A reading is a file by its type or its mark, or because somebody encoded it and it is no text. It is
   nothing new where a leaf of the tree, undone in the same way, covers it: as a file, or, when the leaf is a
   text, unless it has a mark. */
#include "mail/exposure.h"

#include "mail/file_mark.h"

struct exposure_leaf {
    size_t start, end;
    enum exposure_method method;
    bool is_file;
};

bool exposure_is_file_type(struct text type)
{
    static const struct text texts[] = {
        { "text/", 5 },
        { "multipart/", 10 },
        { "message/delivery-status", 23 },
        { "message/disposition-notification", 32 },
        { "application/pgp-signature", 25 },
        { "application/pgp-encrypted", 25 },
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (text_starts(type, texts[i])) return false;
    return true;
}

static bool has_mark(const struct exposure_view *view)
{
    return !view->is_plain && file_mark_in(view->bytes);
}

/* Each leaf goes to the first layer that it lies behind. */
static struct exposure_layer *layer_for(struct exposure *exposure, size_t start)
{
    for (size_t i = 0; i < EXPOSURE_LAYERS; i++) {
        struct exposure_layer *layer = &exposure->layers[i];
        if (layer->count == 0 || layer->leaves[layer->count - 1].end <= start) return layer;
    }
    return NULL;
}

/* A leaf that has no layer only makes more readings count as new. */
static void remember(struct exposure *exposure, const struct exposure_view *view, bool is_file)
{
    struct exposure_layer *layer = layer_for(exposure, view->start);
    if (!layer) return;
    if (layer->count == layer->room) {
        size_t room = layer->room ? layer->room * 2 : 8;
        struct exposure_leaf *leaves = arena_alloc_array(exposure->arena, room, sizeof *leaves);
        if (layer->count) memcpy(leaves, layer->leaves, layer->count * sizeof *leaves);
        layer->leaves = leaves;
        layer->room = room;
    }
    layer->leaves[layer->count++] = (struct exposure_leaf){ view->start, view->end, view->method, is_file };
}

/* A file under the label of a text is one that not every program shows. */
void exposure_add_part(struct exposure *exposure, const struct exposure_view *view)
{
    bool is_file_type = exposure_is_file_type(view->part->type);
    bool is_file = is_file_type || has_mark(view);
    exposure->has_file |= is_file;
    exposure->has_hidden |= is_file && (!is_file_type || exposure->is_secret);
    remember(exposure, view, is_file);
}

enum cover { COVER_NONE, COVER_TEXT, COVER_FILE };

/* The leaf with lines of its header before it. */
static bool is_longer(const struct exposure_leaf *leaf, const struct exposure_view *view)
{
    return view->has_fields && leaf->end == view->end && leaf->start >= view->start;
}

/* Quoted-printable leaves most bytes as they are, so what it makes of a file's bytes is the file again. */
static enum cover covers(const struct exposure_leaf *leaf, const struct exposure_view *view)
{
    bool is_same = leaf->start == view->start && leaf->end == view->end;
    bool is_alike = leaf->method == view->method || (leaf->is_file && view->method == EXPOSURE_QUOTED);
    if (is_alike || (is_same && leaf->is_file)) return leaf->is_file ? COVER_FILE : COVER_TEXT;
    return leaf->is_file && is_longer(leaf, view) ? COVER_TEXT : COVER_NONE;
}

/* How many leaves of the layer begin before the view ends. */
static size_t leaves_before(const struct exposure_layer *layer, size_t end)
{
    size_t low = 0, high = layer->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (layer->leaves[middle].start < end)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The most that a leaf which the view meets makes of it. */
static enum cover cover_of(const struct exposure *exposure, const struct exposure_view *view)
{
    enum cover most = COVER_NONE;
    for (size_t i = 0; i < EXPOSURE_LAYERS; i++) {
        const struct exposure_layer *layer = &exposure->layers[i];
        for (size_t at = leaves_before(layer, view->end); at > 0 && most != COVER_FILE; at--) {
            if (layer->leaves[at - 1].end <= view->start) break;
            enum cover cover = covers(&layer->leaves[at - 1], view);
            if (cover > most) most = cover;
        }
    }
    return most;
}

static bool is_file(const struct exposure *exposure, const struct exposure_view *view)
{
    bool is_typed = view->part && exposure_is_file_type(view->part->type);
    if (!is_typed && view->is_plain) return false;
    bool is_marked = has_mark(view);
    if (!is_typed && !is_marked && !view->is_encoded) return false;
    enum cover cover = cover_of(exposure, view);
    return cover == COVER_NONE || (cover == COVER_TEXT && is_marked);
}

void exposure_add_other(struct exposure *exposure, const struct exposure_view *view)
{
    bool is_new = is_file(exposure, view);
    exposure->has_hidden |= is_new;
    if (view->is_leaf) remember(exposure, view, is_new);
}
