/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The table of marks. Those that may stand anywhere have four bytes at least, so that what is decoded out of
   prose, which is noise, does not carry one by chance. */
#include "mail/file_mark.h"

#define MARK(bytes)              \
    {                            \
        bytes, sizeof(bytes) - 1 \
    }

static const struct text first_marks[] = {
    MARK("\x1f\x8b\x08"),         /* gzip */
    MARK("\xff\xd8\xff"),         /* JPEG */
    MARK("\x89PNG"),              /* PNG */
    MARK("GIF8"),                 /* GIF */
    MARK("BZh"),                  /* bzip2 */
    MARK("\x7f\x45LF"),           /* ELF */
    MARK("\xca\xfe\xba\xbe"),     /* Java class, Mach-O */
    MARK("L\0\0\0\x01\x14\x02"),  /* Windows shortcut */
    MARK("\x28\xb5\x2f\xfd"),     /* zstd */
    MARK("\x04\x22\x4d\x18"),     /* lz4 */
    MARK("\x89LZO"),              /* lzop */
    MARK("\xe4\x52\x5c\x7b\x8c"), /* OneNote */
    MARK("{\\rtf"),               /* RTF */
    MARK("FWS"),                  /* Flash, of three kinds */
    MARK("CWS"),
    MARK("ZWS"),
};

static const struct text marks_anywhere[] = {
    MARK("PK\x03\x04"),               /* zip, OOXML, jar */
    MARK("PK\x05\x06"),               /* a zip's end */
    MARK("Rar!\x1a\x07"),             /* RAR */
    MARK("7z\xbc\xaf\x27\x1c"),       /* 7z */
    MARK("\xfd\x37zXZ"),              /* xz */
    MARK("MSCF\0\0\0\0"),             /* cabinet */
    MARK("\xd0\xcf\x11\xe0\xa1\xb1"), /* OLE: old Office, MSI */
    MARK("%PDF-"),                    /* PDF */
    MARK("ITSF\x03\0"),               /* compiled help */
    MARK("\x78\x9f\x3e\x22"),         /* TNEF */
    MARK("\x01\x43\x44\x30\x30\x31"), /* ISO 9660 */
    MARK("\0ustar"),                  /* tar */
    MARK("-lh5-"),                    /* LHA, the usual methods */
    MARK("-lh0-"),
    MARK("**ACE**"),
};

static bool is_odd(unsigned char c)
{
    return c < 0x20 && c != '\r' && c != '\n' && c != '\t' && c != '\f' && c != 0x1B;
}

/* Eight bytes at once: only those that may be controls are looked at singly. */
bool file_mark_is_plain(struct text bytes)
{
    const uint64_t ones = 0x0101010101010101u;
    size_t at = 0;
    for (uint64_t word; at + sizeof word <= bytes.length; at += sizeof word) {
        memcpy(&word, bytes.at + at, sizeof word);
        uint64_t low = (word - 0x20 * ones) & ~word & 0x80 * ones;
        for (; low != 0; low &= low - 1)
            if (is_odd((unsigned char)(word >> (__builtin_ctzll(low) & 56)))) return false;
    }
    for (; at < bytes.length; at++)
        if (is_odd((unsigned char)bytes.at[at])) return false;
    return true;
}

/* A program for DOS or Windows: the second number of its header, the bytes of its last page, is below 512. */
static bool is_program(struct text bytes)
{
    return bytes.length > 64 && text_starts(bytes, TEXT("MZ")) && (uint8_t)bytes.at[3] < 2;
}

enum { MARKS_ANYWHERE = sizeof marks_anywhere / sizeof *marks_anywhere };

static bool begins_with_mark(struct text bytes)
{
    for (size_t i = 0; i < MARKS_ANYWHERE; i++)
        if (bytes.at[0] == marks_anywhere[i].at[0] && text_starts(bytes, marks_anywhere[i])) return true;
    return false;
}

/* By the first two bytes most places are passed over. */
static bool has_mark_anywhere(struct text bytes)
{
    bool is_first[256] = { false }, is_second[256] = { false };
    for (size_t i = 0; i < MARKS_ANYWHERE; i++) {
        is_first[(uint8_t)marks_anywhere[i].at[0]] = true;
        is_second[(uint8_t)marks_anywhere[i].at[1]] = true;
    }
    for (size_t at = 0; at + 1 < bytes.length; at++)
        if (is_first[(uint8_t)bytes.at[at]] && is_second[(uint8_t)bytes.at[at + 1]] &&
            begins_with_mark(text_slice(bytes, at, bytes.length)))
            return true;
    return false;
}

bool file_mark_in(struct text bytes)
{
    if (is_program(bytes)) return true;
    for (size_t i = 0; i < sizeof first_marks / sizeof *first_marks; i++)
        if (text_starts(bytes, first_marks[i])) return true;
    return has_mark_anywhere(bytes);
}
