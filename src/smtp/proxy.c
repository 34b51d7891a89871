/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Parses PROXY headers; called by receive for listed peers only. */
#include "smtp/proxy.h"

static const char V2_SIGNATURE[12] = "\r\n\r\n\0\r\nQUIT\n";

static bool parse_port(struct text word, uint16_t *out)
{
    uint64_t port;
    if (!text_to_number(word, 65535, &port) || (word.length > 1 && word.at[0] == '0')) return false;
    *out = (uint16_t)port;
    return true;
}

/* TCP6 has IPv6 spellings only, of IPv4 too where the balancer listens on both families by one socket. */
static bool parse_address(struct text word, bool is_v6, struct address *out)
{
    return address_is_spelled_v6(word) == is_v6 && address_parse_zoned(word, out);
}

/* "PROXY TCP4 192.0.2.1 198.51.100.1 56324 25\r\n" */
static enum proxy_outcome parse_v1(struct text bytes, struct endpoint *out, size_t *used)
{
    size_t end = text_find(text_slice(bytes, 0, PROXY_V1_MOST), TEXT("\r\n"));
    if (end >= bytes.length || end + 2 > PROXY_V1_MOST)
        return bytes.length < PROXY_V1_MOST ? PROXY_MORE : PROXY_BAD;
    struct text rest = text_slice(bytes, 6, end), word[5];
    size_t count = 0;
    for (size_t i = 0; i < rest.length; i++)
        if ((uint8_t)rest.at[i] < ' ') return PROXY_BAD;
    while (count < 5 && text_next_word(&rest, &word[count])) count++;
    *used = end + 2;
    if (count >= 1 && text_equal(word[0], TEXT("UNKNOWN"))) return PROXY_LOCAL;
    struct address there;
    uint16_t port;
    bool is_v4 = count == 5 && text_equal(word[0], TEXT("TCP4")),
         is_v6 = count == 5 && text_equal(word[0], TEXT("TCP6"));
    bool good = (is_v4 || is_v6) && rest.length == 0 && parse_address(word[1], is_v6, &out->address) &&
                parse_address(word[2], is_v6, &there) && parse_port(word[3], &out->port) &&
                parse_port(word[4], &port);
    return good ? PROXY_CLIENT : PROXY_BAD;
}

static enum proxy_outcome parse_v2(struct text bytes, struct endpoint *out, size_t *used)
{
    if (bytes.length < 16) return PROXY_MORE;
    const uint8_t *at = (const uint8_t *)bytes.at;
    size_t length = (size_t)at[14] << 8 | at[15];
    if (at[12] >> 4 != 2 || (at[12] & 15) > 1 || 16 + length > PROXY_V2_MOST) return PROXY_BAD;
    if (bytes.length < 16 + length) return PROXY_MORE;
    *used = 16 + length;
    if ((at[12] & 15) == 0) return PROXY_LOCAL;
    if (at[13] == 0x11 && length >= 12) {
        address_from_bytes(at + 16, 4, &out->address);
        out->port = (uint16_t)(at[24] << 8 | at[25]);
        return PROXY_CLIENT;
    }
    if (at[13] == 0x21 && length >= 36) {
        address_from_bytes(at + 16, 16, &out->address);
        out->port = (uint16_t)(at[48] << 8 | at[49]);
        return PROXY_CLIENT;
    }
    return at[13] == 0 ? PROXY_LOCAL : PROXY_BAD;
}

enum proxy_outcome proxy_parse(struct text bytes, struct endpoint *out, size_t *used)
{
    struct text v2 = text_from(V2_SIGNATURE, sizeof V2_SIGNATURE), v1 = TEXT("PROXY ");
    *used = 0;
    if (text_starts(bytes, v2)) return parse_v2(bytes, out, used);
    if (text_starts(bytes, v1)) return parse_v1(bytes, out, used);
    return text_starts(v2, bytes) || text_starts(v1, bytes) ? PROXY_MORE : PROXY_BAD;
}
