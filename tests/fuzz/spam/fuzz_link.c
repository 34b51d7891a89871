/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A link: its host is small letters and as long as a host may be, its path lies in the link, and what was
   found leads there again. */
#include <stdlib.h>

#include "base/buffer.h"
#include "spam/link_host.h"
#include "spam/link_shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) abort();
}

static void look(struct text url, bool is_bare)
{
    struct link_host link, again;
    struct buffer plain = { 0 };
    link_has_coded_address(url);
    link_host_read(url, is_bare, &link);
    struct text host = text_of(link.host);
    must(host.length <= LINK_HOST_MOST);
    for (size_t i = 0; i < host.length; i++) must(host.at[i] == char_lower(host.at[i]));
    if (link.path.length)
        must(link.path.at >= url.at && link.path.at + link.path.length <= url.at + url.length);
    /* An address of version 6 needs brackets. */
    if (host.length == 0 || link.was_cut || text_find_char(host, ':') < host.length) return;
    buffer_printf(&plain, "http://%s/", link.host);
    link_host_read(buffer_text(&plain), false, &again);
    must(text_equal(text_of(again.host), host) && again.is_address == link.is_address);
    buffer_free(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1);
    memcpy(copy, data ? data : (const uint8_t *)"", size);
    look(text_from(copy, size), false);
    look(text_from(copy, size), true);
    free(copy);
    return 0;
}
