/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* By whole labels: "notexample.jp" is not within "example.jp". */
#include "dns/dns_name.h"

enum { LABEL_MOST = 63 };

bool dns_name_is_within(struct text name, struct text domain)
{
    if (!text_ends_nocase(name, domain)) return false;
    return name.length == domain.length || name.at[name.length - domain.length - 1] == '.';
}

struct text dns_name_without_root(struct text name)
{
    return text_ends(name, TEXT(".")) ? text_slice(name, 0, name.length - 1) : name;
}

bool dns_name_has_labels(struct text name, size_t most)
{
    size_t label = 0;
    for (size_t i = 0; i < name.length; i++) {
        char c = name.at[i];
        if (c == '.' && label == 0) return false;
        label = c == '.' ? 0 : label + 1;
        if (label > LABEL_MOST) return false;
        if (!char_is_alpha(c) && !char_is_digit(c) && c != '-' && c != '_' && c != '.') return false;
    }
    return label > 0 && name.length <= most;
}
