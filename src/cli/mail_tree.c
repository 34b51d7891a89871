/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "cli/mail_tree.h"

#include <string.h>

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

FTS *mail_tree_open(char *path)
{
    char *const roots[] = { path, NULL };
    return fts_open(roots, FTS_COMFOLLOW | FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, by_name);
}

const char *mail_tree_next(FTS *tree, int *out_errno, bool *out_is_link)
{
    FTSENT *entry;
    *out_errno = 0;
    if (out_is_link) *out_is_link = false;
    while ((entry = fts_read(tree))) {
        bool is_named = entry->fts_level == 0, is_hidden = !is_named && entry->fts_name[0] == '.';
        if (is_hidden) fts_set(tree, entry, FTS_SKIP);
        if (entry->fts_info == FTS_NS || entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR) {
            *out_errno = entry->fts_errno;
            return entry->fts_path;
        }
        bool is_link = !is_named && !is_hidden && entry->fts_info == FTS_SL && out_is_link;
        if (out_is_link) *out_is_link = is_link;
        if (is_link) return entry->fts_path;
        bool is_file = entry->fts_info == FTS_F || (is_named && entry->fts_info == FTS_DEFAULT);
        if (is_file && !is_hidden) return entry->fts_path;
    }
    return NULL;
}
