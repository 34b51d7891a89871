/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Network addresses and networks: parse, print, compare. */
#include "base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

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

bool address_is_no_host(const struct address *address)
{
    const uint8_t *v4 = address->bytes + 12;
    if (address_is_v4(address)) return v4[0] == 0 || v4[0] >= 224;
    return address_is_zero(address) || address->bytes[0] == 0xFF;
}

struct address address_wide_network(const struct address *address)
{
    struct address network = *address;
    size_t kept = address_is_v4(address) ? 15 : 6;
    memset(network.bytes + kept, 0, sizeof network.bytes - kept);
    return network;
}

void address_from_bytes(const void *bytes, size_t length, struct address *out)
{
    bool is_v4 = length == 4;
    memcpy(out->bytes, MAPPED, sizeof MAPPED);
    memcpy(out->bytes + (is_v4 ? sizeof MAPPED : 0), bytes, is_v4 ? 4 : 16);
}

bool address_is_spelled_v6(struct text text)
{
    return text_find_char(text, ':') < text.length;
}

static bool is_link_local(const struct address *address)
{
    return address->bytes[0] == 0xFE && (address->bytes[1] & 0xC0) == 0x80;
}

/* RFC 4007 section 11.2. The name of an interface, or its number. */
static bool is_zone(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if ((uint8_t)text.at[i] <= ' ' || (uint8_t)text.at[i] >= 127 || memchr("%/[]", text.at[i], 4))
            return false;
    return text.length > 0 && text.length < 16;
}

/* Without brackets, tag and zone. */
static bool bare_parse(struct text text, struct address *out)
{
    char room[ADDRESS_TEXT_SIZE];
    if (text.length == 0 || text.length >= sizeof room || memchr(text.at, '\0', text.length)) return false;
    memcpy(room, text.at, text.length);
    room[text.length] = '\0';
    memcpy(out->bytes, MAPPED, sizeof MAPPED);
    if (inet_pton(AF_INET, room, out->bytes + 12) == 1) return true;
    return inet_pton(AF_INET6, room, out->bytes) == 1;
}

/* The tag stands before an IPv6 address only. */
static struct text without_dress(struct text text)
{
    static const struct text tag = { "IPv6:", 5 };
    bool is_bracketed = text.length >= 2 && text.at[0] == '[' && text.at[text.length - 1] == ']';
    if (is_bracketed) text = text_slice(text, 1, text.length - 1);
    if (!text_starts_nocase(text, tag)) return text;
    text = text_slice(text, tag.length, text.length);
    return address_is_spelled_v6(text) ? text : TEXT_NONE;
}

bool address_parse(struct text text, struct address *out)
{
    return bare_parse(without_dress(text), out);
}

bool address_parse_zoned(struct text text, struct address *out)
{
    text = without_dress(text);
    size_t percent = text_find_char(text, '%');
    if (!bare_parse(text_slice(text, 0, percent), out)) return false;
    return percent == text.length ||
           (is_link_local(out) && is_zone(text_slice(text, percent + 1, text.length)));
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

/* An IPv4 address spelled as IPv6 counts its prefix in either family: below 96 bits the constant part of
   ::ffff:0:0/96 would be host bits, so that no length means two things. */
static bool bits_parse(struct text word, bool is_spelled_v6, bool is_v4, uint8_t *out)
{
    uint64_t bits;
    if (!text_to_number(word, is_spelled_v6 ? 128 : 32, &bits)) return false;
    if (is_v4 && is_spelled_v6 && bits > 32 && bits < 96) return false;
    *out = (uint8_t)(is_v4 && bits <= 32 ? bits + 96 : bits);
    return true;
}

bool network_parse_interface(struct text text, struct network *out)
{
    size_t slash = text_find_char(text, '/');
    struct text address = text_slice(text, 0, slash);
    if (!address_parse(address, &out->address)) return false;
    out->bits = 128;
    return slash == text.length ||
           bits_parse(text_slice(text, slash + 1, text.length), address_is_spelled_v6(address),
                      address_is_v4(&out->address), &out->bits);
}

bool network_parse(struct text text, struct network *out)
{
    return network_parse_interface(text, out) && host_bits_are_zero(out);
}

bool network_has(const struct network *network, const struct address *address)
{
    unsigned whole = network->bits / 8, rest = network->bits % 8;
    if (memcmp(network->address.bytes, address->bytes, whole) != 0) return false;
    if (rest == 0) return true;
    uint8_t mask = (uint8_t)(0xFF00 >> rest);
    return ((network->address.bytes[whole] ^ address->bytes[whole]) & mask) == 0;
}

struct address address_client_network(const struct address *address, uint32_t ipv6_prefix)
{
    struct address client = *address;
    if (address_is_v4(address)) return client;
    for (unsigned bit = ipv6_prefix; bit < 128; bit++) client.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
    return client;
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

bool endpoint_from_sockaddr(const struct sockaddr *from, struct endpoint *out)
{
    if (from && from->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
        address_from_bytes(&v4->sin_addr, 4, &out->address);
        out->port = ntohs(v4->sin_port);
        return true;
    }
    if (from && from->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
        address_from_bytes(&v6->sin6_addr, 16, &out->address);
        out->port = ntohs(v6->sin6_port);
        return true;
    }
    return false;
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && address_equal(&a->address, &b->address);
}

/* The colon before a port is the only one, or stands behind the bracket. */
static size_t port_colon(struct text text)
{
    size_t colon = text_find_last_char(text, ':');
    bool is_bracketed = text.length > 0 && text.at[0] == '[';
    if (is_bracketed ? text.at[text.length - 1] == ']' : text_find_char(text, ':') != colon)
        return text.length;
    return colon;
}

bool endpoint_parse(struct text text, int port_fallback, struct endpoint *out)
{
    size_t colon = port_colon(text);
    uint64_t port = (uint64_t)port_fallback;
    if (colon < text.length && !text_to_number(text_slice(text, colon + 1, text.length), 65535, &port))
        return false;
    out->port = (uint16_t)port;
    return port <= 65535 && address_parse(text_slice(text, 0, colon), &out->address);
}
