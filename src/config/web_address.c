/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "config/web_address.h"

#include "config/value.h"

#define SCHEME TEXT("https://")

static bool is_spelled(struct text word)
{
    for (size_t i = 0; i < word.length; i++)
        if (word.at[i] <= ' ' || word.at[i] > '~' || memchr("#\"\\<>", word.at[i], 5)) return false;
    return word.length <= WEB_ADDRESS_MOST && text_starts_nocase(word, SCHEME);
}

/* NAME, NAME:PORT, ADDRESS or [ADDRESS]:PORT. */
static bool authority_read(struct text word, struct web_address *out)
{
    bool is_bracketed = text_starts(word, TEXT("["));
    size_t end = is_bracketed ? text_find_char(word, ']') + 1 : text_find_char(word, ':');
    uint64_t port = 443;
    if (end > word.length) return false;
    struct text rest = text_slice(word, end, word.length);
    out->host = is_bracketed ? text_slice(word, 1, end - 1) : text_slice(word, 0, end);
    if (rest.length > 0 &&
        (rest.at[0] != ':' || !text_to_number(text_slice(rest, 1, rest.length), 65535, &port)))
        return false;
    out->port = (uint16_t)port;
    out->is_address =
        address_is_spelled_v6(out->host) == is_bracketed && address_parse(out->host, &out->address);
    return port > 0 && (out->is_address || (!is_bracketed && value_is_host_name(out->host)));
}

bool web_address_read(struct text word, struct web_address *out)
{
    *out = (struct web_address){ 0 };
    if (!is_spelled(word)) return false;
    struct text rest = text_slice(word, SCHEME.length, word.length);
    size_t end = 0;
    while (end < rest.length && rest.at[end] != '/' && rest.at[end] != '?') end++;
    return authority_read(text_slice(rest, 0, end), out);
}

bool web_address_is_inside(const struct address *address)
{
    static const char *const networks[] = {
        "0.0.0.0/8",       "10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8",    "169.254.0.0/16",
        "172.16.0.0/12",   "192.0.0.0/24",   "192.0.2.0/24",  "192.168.0.0/16", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",   "::/96",          "64:ff9b::/96",
        "64:ff9b:1::/48",  "100::/64",       "2001::/23",     "2001:db8::/32",  "2002::/16",
        "fc00::/7",        "fe80::/9",       "ff00::/8",
    };
    struct network network;
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
        if (network_parse(text_of(networks[i]), &network) && network_has(&network, address)) return true;
    return false;
}
