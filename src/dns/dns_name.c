/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* By whole labels: "notexample.jp" is not within "example.jp". */
#include "dns/dns_name.h"

bool dns_name_is_within(struct text name, struct text domain)
{
    if (!text_ends_nocase(name, domain)) return false;
    return name.length == domain.length || name.at[name.length - domain.length - 1] == '.';
}

struct text dns_name_without_root(struct text name)
{
    return text_ends(name, TEXT(".")) ? text_slice(name, 0, name.length - 1) : name;
}
