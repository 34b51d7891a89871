/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A table of magics, and what needs more than one: zips behind other bytes, tar without a magic, images of
   disks, CMS and OpenPGP. */
#include "mail/true_type.h"

#include "base/codec.h"
#include "mail/decode.h"
#include "mail/file_mark.h"

enum {
    ZIP_TAIL = 65536 + 22,
    PDF_HEAD = 1024,
    TAR_BLOCK = 512,
    SECTOR = 512,
    EXT_AT = 1024,
    ISO_AT = 32769,
    ARMOR_HEAD = 4096,
    BEHIND_MOST = 8 << 20 /* 7-Zip and WinRAR look no further */
};

/* The last two are asked for of what a reader opens. */
static const struct {
    const char *name;
    enum type_opener opener;
    bool is_weak, engine_knows;
} types[TYPE_COUNT] = {
    [TYPE_NONE] = { "data", OPENED_BY_NOBODY_NEEDED },
    [TYPE_ZIP] = { "zip", OPENED_BY_READER, false, true },
    [TYPE_7Z] = { "7z", OPENED_BY_READER, false, true },
    [TYPE_RAR4] = { "rar", OPENED_BY_READER, false, false },
    [TYPE_RAR5] = { "rar", OPENED_BY_READER, false, false },
    [TYPE_GZIP] = { "gzip", OPENED_BY_READER, false, true },
    [TYPE_BZIP2] = { "bzip2", OPENED_BY_READER, false, true },
    [TYPE_XZ] = { "xz", OPENED_BY_READER, false, true },
    [TYPE_LZMA] = { "lzma", OPENED_BY_READER, false, false },
    [TYPE_ZSTD] = { "zstd", OPENED_BY_READER, false, false },
    [TYPE_LZ4] = { "lz4", OPENED_BY_READER, false, false },
    [TYPE_LZOP] = { "lzop", OPENED_BY_READER, false, false },
    [TYPE_LZIP] = { "lzip", OPENED_BY_READER, false, false },
    [TYPE_COMPRESS] = { "compress", OPENED_BY_READER, false, false },
    [TYPE_TAR] = { "tar", OPENED_BY_READER, false, true },
    [TYPE_AR] = { "ar", OPENED_BY_READER, false, false },
    [TYPE_CPIO] = { "cpio", OPENED_BY_READER, false, true },
    [TYPE_CPIO_BINARY] = { "cpio", OPENED_BY_READER, true, true },
    [TYPE_RPM] = { "rpm", OPENED_BY_READER, false, false },
    [TYPE_CAB] = { "cab", OPENED_BY_READER, false, true },
    [TYPE_LHA] = { "lha", OPENED_BY_READER, false, false },
    [TYPE_ISO] = { "iso9660", OPENED_BY_READER, false, true },
    [TYPE_CMS] = { "cms", OPENED_BY_READER, false, false },
    [TYPE_CMS_PEM] = { "cms", OPENED_BY_READER, false, false },
    [TYPE_CMS_ENCRYPTED] = { "cms", OPENED_BY_KEY },
    [TYPE_PDF] = { "pdf", OPENED_BY_ENGINE },
    [TYPE_OLE] = { "ole", OPENED_BY_ENGINE },
    [TYPE_OLE_ENCRYPTED] = { "office", OPENED_BY_KEY },
    [TYPE_PGP] = { "pgp", OPENED_BY_NOBODY },
    [TYPE_PGP_ENCRYPTED] = { "pgp", OPENED_BY_KEY },
    [TYPE_LUKS] = { "luks", OPENED_BY_KEY },
    [TYPE_AXCRYPT] = { "axcrypt", OPENED_BY_KEY },
    [TYPE_AGE] = { "age", OPENED_BY_KEY },
    [TYPE_SALTED] = { "openssl-enc", OPENED_BY_KEY },
    [TYPE_ARJ] = { "arj", OPENED_BY_ENGINE },
    [TYPE_XAR] = { "xar", OPENED_BY_ENGINE },
    [TYPE_DMG] = { "dmg", OPENED_BY_ENGINE },
    [TYPE_UDF] = { "udf", OPENED_BY_ENGINE },
    [TYPE_ALZ] = { "alz", OPENED_BY_ENGINE },
    [TYPE_EGG] = { "egg", OPENED_BY_ENGINE },
    [TYPE_SZDD] = { "szdd", OPENED_BY_ENGINE },
    [TYPE_KWAJ] = { "kwaj", OPENED_BY_NOBODY },
    [TYPE_FAT] = { "fat-image", OPENED_BY_NOBODY },
    [TYPE_NTFS] = { "ntfs-image", OPENED_BY_NOBODY },
    [TYPE_EXT] = { "ext-image", OPENED_BY_NOBODY },
    [TYPE_VHD] = { "vhd", OPENED_BY_NOBODY },
    [TYPE_VHDX] = { "vhdx", OPENED_BY_NOBODY },
    [TYPE_VMDK] = { "vmdk", OPENED_BY_NOBODY },
    [TYPE_QCOW] = { "qcow2", OPENED_BY_NOBODY },
    [TYPE_VDI] = { "vdi", OPENED_BY_NOBODY },
    [TYPE_SQUASHFS] = { "squashfs", OPENED_BY_NOBODY },
    [TYPE_CRAMFS] = { "cramfs", OPENED_BY_NOBODY },
    [TYPE_ROMFS] = { "romfs", OPENED_BY_NOBODY },
    [TYPE_WIM] = { "wim", OPENED_BY_NOBODY },
    [TYPE_ACE] = { "ace", OPENED_BY_NOBODY },
    [TYPE_ZOO] = { "zoo", OPENED_BY_NOBODY },
    [TYPE_STUFFIT] = { "stuffit", OPENED_BY_NOBODY },
    [TYPE_LRZIP] = { "lrzip", OPENED_BY_NOBODY },
    [TYPE_RZIP] = { "rzip", OPENED_BY_NOBODY },
    [TYPE_ZPAQ] = { "zpaq", OPENED_BY_NOBODY },
    [TYPE_SNAPPY] = { "snappy", OPENED_BY_NOBODY },
    [TYPE_BZIP3] = { "bzip3", OPENED_BY_NOBODY },
    [TYPE_FREEARC] = { "freearc", OPENED_BY_NOBODY },
};

struct magic {
    enum true_type type;
    size_t offset;
    struct text bytes;
};

#define MAGIC(type, offset, bytes)   \
    {                                \
        type, offset,                \
        {                            \
            bytes, sizeof(bytes) - 1 \
        }                            \
    }

/* The first that fits. */
static const struct magic magics[] = {
    MAGIC(TYPE_ZIP, 0, "PK\3\4"),
    MAGIC(TYPE_ZIP, 0, "PK\5\6"),
    MAGIC(TYPE_ZIP, 0, "PK\7\10PK\3\4"),
    MAGIC(TYPE_ZIP, 0, "PK00PK\3\4"),
    MAGIC(TYPE_7Z, 0, "7z\xBC\xAF\x27\x1C"),
    MAGIC(TYPE_RAR4, 0, "Rar!\x1A\7\0"),
    MAGIC(TYPE_RAR5, 0, "Rar!\x1A\7\1\0"),
    MAGIC(TYPE_GZIP, 0, "\x1F\x8B\x08"),
    MAGIC(TYPE_XZ, 0, "\xFD\x37zXZ\0"),
    MAGIC(TYPE_ZSTD, 0, "\x28\xB5\x2F\xFD"),
    MAGIC(TYPE_LZ4, 0, "\x04\x22\x4D\x18"),
    MAGIC(TYPE_LZ4, 0, "\x02\x21\x4C\x18"),
    MAGIC(TYPE_LZOP, 0, "\x89LZO\0\r\n\x1A\n"),
    MAGIC(TYPE_LZIP, 0, "LZIP\1"),
    MAGIC(TYPE_TAR, 257, "ustar"),
    MAGIC(TYPE_AR, 0, "!<arch>\n"),
    MAGIC(TYPE_CPIO, 0, "070701"),
    MAGIC(TYPE_CPIO, 0, "070702"),
    MAGIC(TYPE_CPIO, 0, "070707"),
    MAGIC(TYPE_CPIO_BINARY, 0, "\xC7\x71"),
    MAGIC(TYPE_CPIO_BINARY, 0, "\x71\xC7"),
    MAGIC(TYPE_RPM, 0, "\xED\xAB\xEE\xDB"),
    MAGIC(TYPE_CAB, 0, "MSCF\0\0\0\0"),
    MAGIC(TYPE_LUKS, 0, "LUKS\xBA\xBE"),
    MAGIC(TYPE_AXCRYPT, 0, "\xC0\xB9\x07\x2E\x4F\x93\xF1\x46\xA0\x15\x79\x2C\xA1\xD9\xE8\x21"),
    MAGIC(TYPE_AGE, 0, "age-encryption.org/"),
    MAGIC(TYPE_SALTED, 0, "Salted__"),
    MAGIC(TYPE_ARJ, 0, "\x60\xEA"),
    MAGIC(TYPE_XAR, 0, "xar!"),
    MAGIC(TYPE_ALZ, 0, "ALZ\1"),
    MAGIC(TYPE_EGG, 0, "EGGA"),
    MAGIC(TYPE_SZDD, 0, "SZDD\x88\xF0\x27\x33"),
    MAGIC(TYPE_KWAJ, 0, "KWAJ\x88\xF0\x27\xD1"),
    MAGIC(TYPE_VHD, 0, "conectix"),
    MAGIC(TYPE_VHDX, 0, "vhdxfile"),
    MAGIC(TYPE_VMDK, 0, "KDMV"),
    MAGIC(TYPE_VMDK, 0, "COWD"),
    MAGIC(TYPE_VMDK, 0, "# Disk DescriptorFile"),
    MAGIC(TYPE_QCOW, 0, "QFI\xFB"),
    MAGIC(TYPE_VDI, 64, "\x7F\x10\xDA\xBE"),
    MAGIC(TYPE_SQUASHFS, 0, "hsqs"),
    MAGIC(TYPE_SQUASHFS, 0, "sqsh"),
    MAGIC(TYPE_CRAMFS, 0, "\x45\x3D\xCD\x28"),
    MAGIC(TYPE_CRAMFS, 0, "\x28\xCD\x3D\x45"),
    MAGIC(TYPE_ROMFS, 0, "-rom1fs-"),
    MAGIC(TYPE_WIM, 0, "MSWIM\0\0\0"),
    MAGIC(TYPE_ACE, 7, "**ACE**"),
    MAGIC(TYPE_ZOO, 20, "\xDC\xA7\xC4\xFD"),
    MAGIC(TYPE_STUFFIT, 0, "SIT!"),
    MAGIC(TYPE_STUFFIT, 0, "StuffIt (c)"),
    MAGIC(TYPE_STUFFIT, 0, "StuffIt!"),
    MAGIC(TYPE_LRZIP, 0, "LRZI"),
    MAGIC(TYPE_RZIP, 0, "RZIP"),
    MAGIC(TYPE_ZPAQ, 0, "7kSt\xA0\x31\x83\xD3\x8C\xB2\x28\xB0\xD3zPQ"),
    MAGIC(TYPE_ZPAQ, 0, "zPQ"),
    MAGIC(TYPE_SNAPPY, 0, "\xFF\x06\0\0sNaPpY"),
    MAGIC(TYPE_BZIP3, 0, "BZ3v1"),
    MAGIC(TYPE_FREEARC, 0, "ArC\1"),
};

static bool has_at(struct text bytes, size_t offset, struct text wanted)
{
    return bytes.length >= wanted.length && offset <= bytes.length - wanted.length &&
           memcmp(bytes.at + offset, wanted.at, wanted.length) == 0;
}

static bool is_in(struct text bytes, struct text wanted)
{
    return text_find(bytes, wanted) < bytes.length;
}

/* --- streams and archives with small magics --- */

static bool is_bzip2(struct text bytes)
{
    return has_at(bytes, 0, TEXT("BZh")) && bytes.length > 10 && codec_byte_at(bytes, 3) >= '1' &&
           codec_byte_at(bytes, 3) <= '9' &&
           (has_at(bytes, 4, TEXT("1AY&SY")) || has_at(bytes, 4, TEXT("\x17\x72\x45\x38\x50\x90")));
}

/* Properties as every encoder writes them, a dictionary of 2^n or 2^n + 2^(n-1), and a size that is unknown
   or below 2^40. */
static bool is_lzma(struct text bytes)
{
    if (bytes.length < 14 || codec_byte_at(bytes, 0) != 0x5D || codec_byte_at(bytes, 13) != 0) return false;
    uint32_t dictionary = (uint32_t)codec_number_at(bytes, 1, 4);
    uint32_t bit = dictionary & (~dictionary + 1);
    bool is_sound =
        dictionary >= 4096 && (dictionary == bit || dictionary == bit * 3 || dictionary == UINT32_MAX);
    bool is_unknown = has_at(bytes, 5, TEXT("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"));
    return is_sound && (is_unknown || codec_number_at(bytes, 10, 3) == 0);
}

/* A frame to be skipped: zstd and lz4 have the same; zstd it is unless an lz4 frame follows. */
static enum true_type skippable_type(struct text bytes)
{
    size_t at = 0;
    while ((codec_byte_at(bytes, at) & 0xF0) == 0x50 && has_at(bytes, at + 1, TEXT("\x2A\x4D\x18"))) {
        uint64_t length = codec_number_at(bytes, at + 4, 4);
        if (bytes.length - at < 8 || length > bytes.length - at - 8) break;
        at += 8 + (size_t)length;
    }
    if (at == 0) return TYPE_NONE;
    return has_at(bytes, at, TEXT("\x04\x22\x4D\x18")) ? TYPE_LZ4 : TYPE_ZSTD;
}

/* The third byte: 9 to 16 bits a code, and two bits that nobody uses. */
static bool is_compress(struct text bytes)
{
    unsigned bits = codec_byte_at(bytes, 2) & 0x1F;
    return has_at(bytes, 0, TEXT("\x1F\x9D")) && bits >= 9 && bits <= 16 && !(codec_byte_at(bytes, 2) & 0x60);
}

static bool is_lha(struct text bytes)
{
    return bytes.length > 21 && codec_byte_at(bytes, 2) == '-' && codec_byte_at(bytes, 3) == 'l' &&
           (codec_byte_at(bytes, 4) == 'h' || codec_byte_at(bytes, 4) == 'z') &&
           codec_byte_at(bytes, 6) == '-';
}

/* The octal sum of the first block, its own field counted as blanks. */
static bool is_old_tar(struct text bytes)
{
    uint32_t sum = 0, said = 0;
    if (bytes.length < TAR_BLOCK || codec_byte_at(bytes, 0) == 0) return false;
    for (size_t i = 0; i < TAR_BLOCK; i++) sum += i >= 148 && i < 156 ? ' ' : codec_byte_at(bytes, i);
    size_t i = 148, digits = 0;
    while (i < 156 && codec_byte_at(bytes, i) == ' ') i++;
    for (; i < 156 && codec_byte_at(bytes, i) >= '0' && codec_byte_at(bytes, i) <= '7'; i++, digits++)
        said = said * 8 + codec_byte_at(bytes, i) - '0';
    return digits >= 2 && said == sum;
}

/* Programs find the directory from the end: a zip may stand behind anything. */
static bool is_zip_behind(struct text bytes)
{
    size_t from = bytes.length > ZIP_TAIL ? bytes.length - ZIP_TAIL : 0;
    return is_in(text_slice(bytes, from, bytes.length), TEXT("PK\5\6")) && is_in(bytes, TEXT("PK\3\4"));
}

/* An archive behind a program that unpacks it, or behind anything: other programs look for its mark. */
static enum true_type behind_type(struct text bytes, size_t *out_start)
{
    static const struct magic marks[] = { MAGIC(TYPE_RAR5, 0, "Rar!\x1A\7\1\0"),
                                          MAGIC(TYPE_RAR4, 0, "Rar!\x1A\7\0"),
                                          MAGIC(TYPE_7Z, 0, "7z\xBC\xAF\x27\x1C\0") };
    enum true_type type = TYPE_NONE;
    struct text head = text_slice(bytes, 0, BEHIND_MOST);
    *out_start = head.length;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        size_t at = text_find(head, marks[i].bytes);
        if (at >= *out_start) continue;
        *out_start = at;
        type = marks[i].type;
    }
    return type;
}

size_t true_type_start(enum true_type type, struct text bytes)
{
    size_t start;
    if (type != TYPE_RAR4 && type != TYPE_RAR5 && type != TYPE_7Z) return 0;
    return behind_type(bytes, &start) == type ? start : 0;
}

/* --- images of disks --- */

static bool is_fat(struct text bytes)
{
    uint64_t sector = codec_number_at(bytes, 11, 2);
    return codec_byte_at(bytes, 510) == 0x55 && codec_byte_at(bytes, 511) == 0xAA &&
           (codec_byte_at(bytes, 0) == 0xEB || codec_byte_at(bytes, 0) == 0xE9) &&
           (sector == 512 || sector == 1024 || sector == 2048 || sector == 4096) &&
           codec_byte_at(bytes, 13) != 0 &&
           (codec_byte_at(bytes, 13) & (codec_byte_at(bytes, 13) - 1)) == 0 &&
           codec_byte_at(bytes, 16) >= 1 && codec_byte_at(bytes, 16) <= 4 &&
           (codec_byte_at(bytes, 21) >= 0xF0);
}

static bool is_ext(struct text bytes)
{
    return bytes.length >= EXT_AT + 1024 && codec_number_at(bytes, EXT_AT + 56, 2) == 0xEF53 &&
           codec_number_at(bytes, EXT_AT + 24, 4) <= 6 && codec_number_at(bytes, EXT_AT, 4) != 0 &&
           codec_number_at(bytes, EXT_AT + 4, 4) != 0;
}

static enum true_type disk_type(struct text bytes)
{
    size_t last = bytes.length >= SECTOR ? bytes.length - SECTOR : 0;
    if (has_at(bytes, last, TEXT("conectix"))) return TYPE_VHD;
    if (has_at(bytes, last, TEXT("koly"))) return TYPE_DMG;
    if (has_at(bytes, ISO_AT, TEXT("CD001"))) return TYPE_ISO;
    if (has_at(bytes, ISO_AT, TEXT("BEA01")) || has_at(bytes, ISO_AT, TEXT("NSR0"))) return TYPE_UDF;
    if (has_at(bytes, 3, TEXT("NTFS    "))) return TYPE_NTFS;
    if (is_fat(bytes)) return TYPE_FAT;
    return is_ext(bytes) ? TYPE_EXT : TYPE_NONE;
}

/* --- documents --- */

/* Names of streams stand in the directory in UTF-16 ([MS-OFFCRYPTO] 2.3.2); older files say so in their first
   sector: Word's FIB has a bit, Excel's a record behind its first. */
static bool is_ole_encrypted(struct text bytes)
{
    static const struct text package = { "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e", 31 };
    static const struct text rights = { "\t\0D\0R\0M\0C\0o\0n\0t\0e\0n\0t", 21 };
    if (is_in(bytes, package) || is_in(bytes, rights)) return true;
    if (codec_number_at(bytes, SECTOR, 2) == 0xA5EC) return codec_number_at(bytes, SECTOR + 10, 2) & 0x0100;
    if (codec_number_at(bytes, SECTOR, 2) != 0x0809) return false;
    size_t second = SECTOR + 4 + codec_number_at(bytes, SECTOR + 2, 2);
    return codec_number_at(bytes, second, 2) == 0x002F;
}

/* ContentInfo of RFC 5652 section 3: its type decides. */
static enum true_type cms_type(struct text bytes)
{
    static const struct text pkcs7 = { "\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07", 10 };
    static const struct text compressed = { "\x06\x0B\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x01\x09", 13 };
    static const struct text authenticated = { "\x06\x0B\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x01\x17", 13 };
    unsigned length = codec_byte_at(bytes, 1);
    if (codec_byte_at(bytes, 0) != 0x30) return TYPE_NONE;
    size_t at = 2 + (length > 0x80 && length <= 0x88 ? length - 0x80 : 0);
    if (has_at(bytes, at, compressed)) return TYPE_CMS;
    if (has_at(bytes, at, authenticated)) return TYPE_CMS_ENCRYPTED;
    if (!has_at(bytes, at, pkcs7)) return TYPE_NONE;
    unsigned kind = codec_byte_at(bytes, at + pkcs7.length);
    if (kind == 3 || kind == 4 || kind == 6) return TYPE_CMS_ENCRYPTED;
    return kind == 1 || kind == 2 || kind == 5 ? TYPE_CMS : TYPE_NONE;
}

/* RFC 9580 section 4.2: the first packet's tag. 1 and 3 carry a session's key, 9, 18 and 20 are encrypted. */
static enum true_type pgp_type(struct text head)
{
    struct text line;
    bool is_body = false;
    char octets[8] = { 0 };
    size_t count = 0;
    text_next_line(&head, &line);
    while (text_next_line(&head, &line)) {
        line = text_trim(line);
        if (is_body && line.length >= 2) {
            count = decode_base64(text_slice(line, 0, 2), DECODE_STRICT, octets, NULL);
            break;
        }
        is_body |= line.length == 0;
    }
    if (count == 0) return TYPE_PGP;
    int tag = octets[0] & 0x40 ? octets[0] & 0x3F : octets[0] >> 2 & 0x0F;
    return tag == 1 || tag == 3 || tag == 9 || tag == 18 || tag == 20 ? TYPE_PGP_ENCRYPTED : TYPE_PGP;
}

static enum true_type armor_type(struct text bytes)
{
    struct text head = text_trim(text_slice(bytes, 0, ARMOR_HEAD));
    if (text_starts(head, TEXT("-----BEGIN PKCS7-----")) || text_starts(head, TEXT("-----BEGIN CMS-----")))
        return TYPE_CMS_PEM;
    return text_starts(head, TEXT("-----BEGIN PGP MESSAGE-----")) ? pgp_type(head) : TYPE_NONE;
}

/* --- all --- */

static enum true_type magic_type(struct text bytes)
{
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if (has_at(bytes, magics[i].offset, magics[i].bytes)) return magics[i].type;
    return TYPE_NONE;
}

enum true_type true_type_of(struct text bytes)
{
    size_t start;
    enum true_type type = magic_type(bytes);
    if (bytes.length == 0 || type != TYPE_NONE) return type;
    if (is_bzip2(bytes)) return TYPE_BZIP2;
    if (is_lha(bytes)) return TYPE_LHA;
    if (is_lzma(bytes)) return TYPE_LZMA;
    if (is_compress(bytes)) return TYPE_COMPRESS;
    if (has_at(bytes, 0, TEXT("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")))
        return is_ole_encrypted(bytes) ? TYPE_OLE_ENCRYPTED : TYPE_OLE;
    if ((type = skippable_type(bytes)) != TYPE_NONE || (type = cms_type(bytes)) != TYPE_NONE) return type;
    if ((type = armor_type(bytes)) != TYPE_NONE || (type = disk_type(bytes)) != TYPE_NONE) return type;
    if (is_old_tar(bytes)) return TYPE_TAR;
    bool is_plain = file_mark_is_plain(bytes); /* then the marks of both are not in it */
    if (!is_plain && is_zip_behind(bytes)) return TYPE_ZIP;
    if (!is_plain && (type = behind_type(bytes, &start)) != TYPE_NONE) return type;
    return is_in(text_slice(bytes, 0, PDF_HEAD), TEXT("%PDF-")) ? TYPE_PDF : TYPE_NONE;
}

const char *true_type_name(enum true_type type)
{
    return types[type].name;
}

enum type_opener true_type_opener(enum true_type type)
{
    return types[type].opener;
}

bool true_type_is_weak(enum true_type type)
{
    return types[type].is_weak;
}

bool true_type_is_known_to_engine(enum true_type type)
{
    return types[type].engine_knows;
}
