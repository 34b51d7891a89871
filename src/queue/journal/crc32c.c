/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* CRC-32C: eight bytes an instruction with SSE 4.2, else a table of half bytes. */
#include "queue/journal/crc32c.h"

/* The remainders of the sixteen half bytes; the polynomial is 0x1EDC6F41, bits reversed. */
static const uint32_t half_bytes[16] = { 0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1,
                                         0x417B1DBC, 0x5125DAD3, 0x61C69362, 0x7198540D,
                                         0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9,
                                         0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75 };

uint32_t crc32c_by_table(uint32_t crc, struct text bytes)
{
    crc = ~crc;
    for (size_t i = 0; i < bytes.length; i++) {
        crc ^= (unsigned char)bytes.at[i];
        crc = (crc >> 4) ^ half_bytes[crc & 15];
        crc = (crc >> 4) ^ half_bytes[crc & 15];
    }
    return ~crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, struct text bytes)
{
    const char *at = bytes.at;
    size_t left = bytes.length;
    uint64_t wide = ~crc;
    for (; left >= 8; at += 8, left -= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    uint32_t narrow = (uint32_t)wide;
    for (; left; at++, left--) narrow = __builtin_ia32_crc32qi(narrow, (unsigned char)*at);
    return ~narrow;
}
#endif

uint32_t crc32c(uint32_t crc, struct text bytes)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2")) return by_instruction(crc, bytes);
#endif
    return crc32c_by_table(crc, bytes);
}
