/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "judge/list_value.h"

#include "judge/list_answer.h"

static void lower_add(struct text text, struct buffer *out)
{
    for (size_t i = 0; i < text.length; i++) buffer_add_char(out, char_lower(text.at[i]));
}

static bool is_visible(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if ((unsigned char)text.at[i] <= ' ' || text.at[i] == 0x7f) return false;
    return text.length > 0 && text.length <= LIST_VALUE_MOST;
}

bool list_value_address(struct text address, struct buffer *out)
{
    size_t at = text_find_last_char(address, '@');
    struct text local = text_slice(address, 0, at), domain = text_slice(address, at + 1, address.length);
    bool is_gmail =
        text_equal_nocase(domain, TEXT("gmail.com")) || text_equal_nocase(domain, TEXT("googlemail.com"));
    size_t plus = text_find_char(local, '+');
    if (!is_visible(address) || domain.length == 0 || plus == 0 || local.length == 0) return false;
    local = text_slice(local, 0, plus);
    for (size_t i = 0; i < local.length; i++)
        if (!is_gmail || local.at[i] != '.') buffer_add_char(out, char_lower(local.at[i]));
    buffer_add_char(out, '@');
    lower_add(is_gmail ? TEXT("gmail.com") : domain, out);
    return true;
}

bool list_value_link(struct text host, struct text path, struct buffer *out)
{
    path = text_slice(path, 0, text_find_char(path, '#'));
    if (text_equal(path, TEXT("/"))) path = TEXT_NONE;
    if (!is_visible(host) || (path.length > 0 && !is_visible(path))) return false;
    if (host.length + path.length > LIST_VALUE_MOST) return false;
    lower_add(host, out);
    buffer_add_text(out, path);
    return true;
}

bool list_value_url(struct text url, struct buffer *out)
{
    size_t scheme = text_find(url, TEXT("://")), end = 0;
    if (scheme < url.length) url = text_slice(url, scheme + 3, url.length);
    while (end < url.length && !strchr("/?#", url.at[end])) end++;
    struct text authority = text_slice(url, 0, end);
    size_t at = text_find_last_char(authority, '@');
    if (at < authority.length) authority = text_slice(authority, at + 1, authority.length);
    struct text host = text_slice(authority, 0, text_find_char(authority, ':'));
    return list_value_link(host, text_slice(url, end, url.length), out);
}
