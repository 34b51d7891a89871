/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "spam/link_host.h"

#include "base/address.h"

/* Cuts "https:" and the slashes off; false: another scheme, or none and no host may begin here. */
static bool scheme_cut(struct text *url, bool is_bare, struct link_host *out)
{
    out->is_https = text_starts_nocase(*url, TEXT("https:"));
    bool is_web =
        out->is_https || text_starts_nocase(*url, TEXT("http:")) || text_starts_nocase(*url, TEXT("ftp:"));
    if (is_web) *url = text_slice(*url, text_find_char(*url, ':') + 1, url->length);
    size_t slashes = 0;
    while (slashes < url->length && (url->at[slashes] == '/' || url->at[slashes] == '\\')) slashes++;
    bool has_host = is_web ? true : slashes >= 2 || (is_bare && slashes == 0);
    *url = text_slice(*url, slashes, url->length);
    return has_host;
}

static bool is_name(struct text host)
{
    if (host.length == 0 || host.at[0] == '.') return false;
    for (size_t i = 0; i < host.length; i++) {
        unsigned char c = (unsigned char)host.at[i];
        if (c < 0x80 && !char_is_alpha(host.at[i]) && !char_is_digit(host.at[i]) && c != '.' && c != '-' &&
            c != '_')
            return false;
    }
    return text_find_char(host, '.') < host.length;
}

void link_host_read(struct text url, bool is_bare, struct link_host *out)
{
    *out = (struct link_host){ .host = "" };
    url = text_trim(url);
    if (!scheme_cut(&url, is_bare, out)) return;
    size_t end = 0;
    while (end < url.length && !strchr("/?#\\ \t", url.at[end])) end++;
    struct text authority = text_slice(url, 0, end);
    size_t at = text_find_last_char(authority, '@');
    out->has_user = at < authority.length;
    if (out->has_user) authority = text_slice(authority, at + 1, authority.length);
    size_t colon = text_find_last_char(authority, ':');
    out->has_port = colon < authority.length && authority.at[0] != '[';
    struct text host = text_slice(authority, 0, out->has_port ? colon : authority.length);
    while (host.length > 0 && host.at[host.length - 1] == '.') host.length--;
    struct address address;
    out->is_address = address_parse(host, &address);
    if (!out->is_address && !is_name(host)) return;
    out->was_cut = host.length > LINK_HOST_MOST;
    host = text_slice(host, 0, LINK_HOST_MOST);
    for (size_t i = 0; i < host.length; i++) out->host[i] = char_lower(host.at[i]);
    out->is_punycode = text_find(host, TEXT("xn--")) < host.length;
    out->path = text_slice(url, end, url.length);
}
