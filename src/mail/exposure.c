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

static bool has_mark(struct text bytes)
{
    return !file_mark_is_plain(bytes) && file_mark_in(bytes);
}

static void remember(struct exposure *exposure, const struct exposure_view *view, bool is_file)
{
    if (exposure->count == exposure->room) {
        size_t room = exposure->room ? exposure->room * 2 : 8;
        struct exposure_leaf *leaves = arena_alloc_array(exposure->arena, room, sizeof *leaves);
        if (exposure->count) memcpy(leaves, exposure->leaves, exposure->count * sizeof *leaves);
        exposure->leaves = leaves;
        exposure->room = room;
    }
    exposure->leaves[exposure->count++] =
        (struct exposure_leaf){ view->start, view->end, view->method, is_file };
}

/* A file under the label of a text is one that not every program shows. */
void exposure_add_part(struct exposure *exposure, const struct exposure_view *view)
{
    bool is_file_type = exposure_is_file_type(view->part->type);
    bool is_file = is_file_type || has_mark(view->bytes);
    exposure->has_file |= is_file;
    exposure->has_hidden |= is_file && (!is_file_type || exposure->is_secret);
    remember(exposure, view, is_file);
}

enum cover { COVER_NONE, COVER_TEXT, COVER_FILE };

/* Quoted-printable leaves most bytes as they are, so what it makes of a file's bytes is the file again. */
static enum cover cover_of(const struct exposure *exposure, const struct exposure_view *view)
{
    enum cover cover = COVER_NONE;
    for (size_t i = 0; i < exposure->count && cover != COVER_FILE; i++) {
        const struct exposure_leaf *leaf = &exposure->leaves[i];
        bool is_same = leaf->start == view->start && leaf->end == view->end;
        bool is_alike = leaf->method == view->method || (leaf->is_file && view->method == EXPOSURE_QUOTED);
        bool is_met = view->start < leaf->end && leaf->start < view->end;
        if (leaf->is_file ? is_same || (is_alike && is_met) : is_alike && is_met)
            cover = leaf->is_file ? COVER_FILE : COVER_TEXT;
    }
    return cover;
}

static bool is_file(const struct exposure *exposure, const struct exposure_view *view)
{
    bool is_typed = view->part && exposure_is_file_type(view->part->type);
    bool is_plain = file_mark_is_plain(view->bytes);
    if (!is_typed && is_plain) return false;
    bool is_marked = !is_plain && file_mark_in(view->bytes);
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
