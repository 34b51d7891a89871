/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Network addresses and networks: parse, print, compare. */
#include "base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

static const uint8_t MAPPED[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF };

bool address_is_v4(const struct address *address)
{
    return memcmp(address->bytes, MAPPED, sizeof MAPPED) == 0;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool address_is_zero(const struct address *address)
{
    static const uint8_t none[16];
    const uint8_t *from = address_is_v4(address) ? address->bytes + 12 : address->bytes;
    return memcmp(from, none, address_is_v4(address) ? 4 : 16) == 0;
}

bool address_is_loopback(const struct address *address)
{
    static const uint8_t one[16] = { [15] = 1 };
    if (address_is_v4(address)) return address->bytes[12] == 127;
    return memcmp(address->bytes, one, sizeof one) == 0;
}

static struct text without_brackets(struct text text)
{
    if (text.length < 2 || text.at[0] != '[' || text.at[text.length - 1] != ']') return text;
    text = text_slice(text, 1, text.length - 1);
    if (text_starts_nocase(text, TEXT("IPv6:"))) text = text_slice(text, 5, text.length);
    return text;
}

bool address_parse(struct text text, struct address *out)
{
    char room[ADDRESS_TEXT_SIZE];
    text = without_brackets(text);
    if (text.length == 0 || text.length >= sizeof room || memchr(text.at, '\0', text.length)) return false;
    memcpy(room, text.at, text.length);
    room[text.length] = '\0';
    memcpy(out->bytes, MAPPED, sizeof MAPPED);
    if (inet_pton(AF_INET, room, out->bytes + 12) == 1) return true;
    return inet_pton(AF_INET6, room, out->bytes) == 1;
}

char *address_print(const struct address *address, char room[ADDRESS_TEXT_SIZE])
{
    if (address_is_v4(address))
        inet_ntop(AF_INET, address->bytes + 12, room, ADDRESS_TEXT_SIZE);
    else
        inet_ntop(AF_INET6, address->bytes, room, ADDRESS_TEXT_SIZE);
    return room;
}

static bool host_bits_are_zero(const struct network *network)
{
    for (unsigned bit = network->bits; bit < 128; bit++)
        if (network->address.bytes[bit / 8] & (0x80 >> (bit % 8))) return false;
    return true;
}

bool network_parse(struct text text, struct network *out)
{
    size_t slash = text_find_char(text, '/');
    if (!address_parse(text_slice(text, 0, slash), &out->address)) return false;
    uint64_t most = address_is_v4(&out->address) ? 32 : 128, bits = most;
    if (slash < text.length && !text_to_number(text_slice(text, slash + 1, text.length), most, &bits))
        return false;
    out->bits = (uint8_t)(bits + 128 - most);
    return host_bits_are_zero(out);
}

bool network_has(const struct network *network, const struct address *address)
{
    unsigned whole = network->bits / 8, rest = network->bits % 8;
    if (memcmp(network->address.bytes, address->bytes, whole) != 0) return false;
    if (rest == 0) return true;
    uint8_t mask = (uint8_t)(0xFF00 >> rest);
    return ((network->address.bytes[whole] ^ address->bytes[whole]) & mask) == 0;
}

socklen_t endpoint_to_sockaddr(const struct endpoint *endpoint, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (address_is_v4(&endpoint->address)) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)out;
        v4->sin_family = AF_INET;
        v4->sin_port = htons(endpoint->port);
        memcpy(&v4->sin_addr, endpoint->address.bytes + 12, 4);
        return sizeof *v4;
    }
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(endpoint->port);
    memcpy(&v6->sin6_addr, endpoint->address.bytes, 16);
    return sizeof *v6;
}

bool endpoint_from_sockaddr(const struct sockaddr_storage *from, struct endpoint *out)
{
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
        memcpy(out->address.bytes, MAPPED, sizeof MAPPED);
        memcpy(out->address.bytes + 12, &v4->sin_addr, 4);
        out->port = ntohs(v4->sin_port);
        return true;
    }
    if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
        memcpy(out->address.bytes, &v6->sin6_addr, 16);
        out->port = ntohs(v6->sin6_port);
        return true;
    }
    return false;
}
