/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Where a link leads: the host of a URL as a browser would read it (RFC 3986, and what browsers forgive). */
#ifndef SEKIMORI_SPAM_LINK_HOST_H
#define SEKIMORI_SPAM_LINK_HOST_H

#include "base/text.h"

enum { LINK_HOST_MOST = 253 };

struct link_host {
    char host[LINK_HOST_MOST + 1]; /* lower case; empty: the link leads to no host (mailto:, cid:, "#top") */
    struct text path; /* behind host and port, with query and fragment; of the text that was read */
    bool is_https, is_address, has_port, has_user, is_punycode, was_cut;
};

/* `url` may begin with a blank, with "//", or with a name alone ("www.example.jp/"): `is_bare` allows that.
 */
void link_host_read(struct text url, bool is_bare, struct link_host *out);

#endif
