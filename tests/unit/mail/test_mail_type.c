/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* True types: each magic, what only looks like one, and every cut of each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "mail/true_type.h"

enum { ROOM = 40000 };

/* `bytes` at `offset` of `length` bytes that are zero else; 0: as long as the bytes. */
static const struct row {
    enum true_type type;
    struct text bytes;
    size_t offset, length;
} rows[] = {
    { TYPE_ZIP, { "PK\3\4", 4 }, 0, 100 },
    { TYPE_ZIP, { "PK\3\4 and then PK\5\6", 19 }, 5000, 0 },
    { TYPE_7Z, { "7z\xBC\xAF\x27\x1C", 6 }, 0, 32 },
    { TYPE_RAR4, { "Rar!\x1A\7\0", 7 }, 0, 0 },
    { TYPE_RAR5, { "Rar!\x1A\7\1\0", 8 }, 0, 0 },
    { TYPE_BZIP2, { "BZh91AY&SY\0", 11 }, 0, 0 },
    { TYPE_NONE, { "BZh is a name, no stream", 24 }, 0, 0 },
    { TYPE_LZMA, { "\x5D\0\0\x80\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0", 14 }, 0, 20 },
    { TYPE_NONE, { "\x5D\0\0\x83\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0", 14 }, 0, 20 },
    { TYPE_NONE, { "] is a bracket, no stream", 25 }, 0, 0 },
    { TYPE_ZSTD, { "\x50\x2A\x4D\x18\2\0\0\0ab\x28\xB5\x2F\xFD", 14 }, 0, 0 },
    { TYPE_LZ4, { "\x50\x2A\x4D\x18\2\0\0\0ab\x04\x22\x4D\x18", 14 }, 0, 0 },
    { TYPE_COMPRESS, { "\x1F\x9D\x90", 3 }, 0, 20 },
    { TYPE_NONE, { "\x1F\x9D\x05", 3 }, 0, 20 },
    { TYPE_TAR, { "ustar", 5 }, 257, 512 },
    { TYPE_LHA, { "\x20\0-lh5-", 7 }, 0, 40 },
    { TYPE_ISO, { "CD001", 5 }, 32769, 0 },
    { TYPE_CMS, { "\x30\x80\6\x09\x2A\x86\x48\x86\xF7\x0D\1\7\2", 13 }, 0, 0 },
    { TYPE_CMS_ENCRYPTED, { "\x30\x80\6\x09\x2A\x86\x48\x86\xF7\x0D\1\7\3", 13 }, 0, 0 },
    { TYPE_CMS_PEM, { "-----BEGIN PKCS7-----\n", 22 }, 0, 0 },
    { TYPE_PGP_ENCRYPTED, { "-----BEGIN PGP MESSAGE-----\n\nhQEM", 33 }, 0, 0 },
    { TYPE_PGP, { "-----BEGIN PGP MESSAGE-----\n\nowEB", 33 }, 0, 0 },
    { TYPE_NONE, { "-----BEGIN PGP SIGNED MESSAGE-----\n\nhQEM", 40 }, 0, 0 },
    { TYPE_OLE, { "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8 }, 0, 1024 },
    { TYPE_PDF, { "%PDF-1.7", 8 }, 100, 0 },
    { TYPE_VHD, { "conectix", 8 }, 1024, 1536 },
    { TYPE_NTFS, { "NTFS    ", 8 }, 3, 512 },
    { TYPE_NONE, { "PK\3\4 without an end", 19 }, 5000, 0 },
    { TYPE_NONE, { "Dear all, PKZIP is attached", 27 }, 0, 0 },
    { TYPE_NONE, { "\x89PNG\r\n\x1A\n", 8 }, 0, 3000 },
    { TYPE_NONE, { "", 0 }, 0, 3000 },
};

static struct text built(const struct row *row)
{
    static char room[ROOM];
    memset(room, 0, sizeof room);
    memcpy(room + row->offset, row->bytes.at, row->bytes.length);
    return text_from(room, row->length ? row->length : row->offset + row->bytes.length);
}

static void types(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum true_type type = true_type_of(built(&rows[i]));
        if (type != rows[i].type)
            print_error("row %zu: %s instead of %s\n", i, true_type_name(type), true_type_name(rows[i].type));
        assert_int_equal(type, rows[i].type);
    }
}

/* An encrypted document: Word's bit, Excel's record, the stream of newer ones. */
static void documents(void **state)
{
    static const struct {
        struct text bytes;
        size_t offset;
        enum true_type type;
    } marks[] = {
        { { "\xEC\xA5\xC1\0\0\0\0\0\0\0\0\1", 12 }, 512, TYPE_OLE_ENCRYPTED },
        { { "\xEC\xA5\xC1\0\0\0\0\0\0\0\xF0\x12", 12 }, 512, TYPE_OLE },
        { { "\x09\x08\2\0ab\x2F\0", 8 }, 512, TYPE_OLE_ENCRYPTED },
        { { "\x09\x08\2\0ab\xE1\0", 8 }, 512, TYPE_OLE },
        { { "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e", 31 }, 1024, TYPE_OLE_ENCRYPTED },
    };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        char file[2048] = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";
        memcpy(file + marks[i].offset, marks[i].bytes.at, marks[i].bytes.length);
        assert_int_equal(true_type_of(text_from(file, sizeof file)), marks[i].type);
    }
}

/* Nothing is read beyond the end (the sanitizers say so), and every type has its name and its opener. */
static void cuts(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct text whole = built(&rows[i]);
        for (size_t length = 0; length < whole.length && length < 600; length++) {
            char *copy = test_malloc(length ? length : 1);
            memcpy(copy, whole.at, length);
            assert_in_range(true_type_of(text_from(copy, length)), TYPE_NONE, TYPE_COUNT - 1);
            test_free(copy);
        }
    }
    for (enum true_type type = TYPE_NONE; type < TYPE_COUNT; type++) {
        assert_true(strlen(true_type_name(type)) > 1);
        assert_in_range(true_type_opener(type), OPENED_BY_NOBODY_NEEDED, OPENED_BY_NOBODY);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(types), cmocka_unit_test(documents),
                                               cmocka_unit_test(cuts) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
