/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The only file that knows ICU. */
#include "mail/charset_table.h"

#include <string.h>
#include <unicode/ucnv.h>
#include <unicode/ucnv_cb.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>

/* False for what can be no name: ICU takes options behind "," and "=". */
static bool name_copy(struct text name, char room[CHARSET_TABLE_NAME_MOST + 1])
{
    if (name.length == 0 || name.length > CHARSET_TABLE_NAME_MOST) return false;
    memcpy(room, name.at, name.length);
    room[name.length] = '\0';
    return !memchr(room, '\0', name.length) && !strpbrk(room, ",=");
}

/* NULL: ICU has no such table. */
static UConverter *converter_open(struct text name)
{
    char room[CHARSET_TABLE_NAME_MOST + 1];
    UErrorCode error = U_ZERO_ERROR;
    if (!name_copy(name, room)) return NULL;
    UConverter *converter = ucnv_open(room, &error);
    return U_SUCCESS(error) ? converter : NULL;
}

/* ICU calls this for each sequence that is no character: counted, and replaced by U+FFFD. */
static void count_bad(const void *context, UConverterToUnicodeArgs *arguments, const char *bytes,
                      int32_t length, UConverterCallbackReason reason, UErrorCode *error)
{
    static const UChar replacement = 0xfffd;
    if (reason > UCNV_IRREGULAR) return;
    (*(size_t *)context)++;
    *error = U_ZERO_ERROR;
    ucnv_cbToUWriteUChars(arguments, &replacement, 1, 0, error);
}

/* Appends the conversion; *out_bad counts what was no character. False when ICU gave up. */
static bool read_by(UConverter *converter, struct text bytes, struct buffer *out, size_t *out_bad)
{
    enum { SLICE = 1 << 26 }; /* ICU counts in int32_t */
    UErrorCode error = U_ZERO_ERROR;
    *out_bad = 0;
    ucnv_setToUCallBack(converter, count_bad, out_bad, NULL, NULL, &error);
    for (size_t from = 0; from < bytes.length; from += SLICE) {
        struct text slice = text_slice(bytes, from, from + SLICE);
        int32_t room = (int32_t)slice.length * 3 + 16;
        char *to = buffer_reserve(out, (size_t)room);
        error = U_ZERO_ERROR;
        int32_t length =
            ucnv_toAlgorithmic(UCNV_UTF8, converter, to, room, slice.at, (int32_t)slice.length, &error);
        if (error == U_BUFFER_OVERFLOW_ERROR) {
            to = buffer_reserve(out, (size_t)length + 1);
            error = U_ZERO_ERROR;
            length = ucnv_toAlgorithmic(UCNV_UTF8, converter, to, length + 1, slice.at, (int32_t)slice.length,
                                        &error);
        }
        if (U_FAILURE(error)) return false;
        buffer_commit(out, (size_t)length);
    }
    return true;
}

bool charset_table_to_utf8(struct text name, struct text bytes, size_t most_bad, struct buffer *out)
{
    size_t before = buffer_length(out), bad;
    UConverter *converter = converter_open(name);
    if (!converter) return false;
    bool done = read_by(converter, bytes, out, &bad) && bad <= most_bad;
    ucnv_close(converter);
    if (!done) buffer_truncate(out, before);
    return done;
}

/* Does it read as what was written? ICU leaves out what is invisible (a variation selector) where a charset
   lacks it. */
static bool reads_back(UConverter *converter, struct text bytes, struct text utf8)
{
    struct buffer back = { 0 };
    size_t bad;
    bool is_same = read_by(converter, bytes, &back, &bad) && text_equal(buffer_text(&back), utf8);
    buffer_free(&back);
    return is_same;
}

bool charset_table_from_utf8(struct text name, struct text utf8, struct buffer *out)
{
    UErrorCode error = U_ZERO_ERROR;
    UConverter *converter = converter_open(name);
    if (!converter) return false;
    ucnv_setFromUCallBack(converter, UCNV_FROM_U_CALLBACK_STOP, NULL, NULL, NULL, &error);
    int32_t room = (int32_t)utf8.length * 8 + 16;
    char *to = buffer_reserve(out, (size_t)room);
    int32_t length =
        ucnv_fromAlgorithmic(converter, UCNV_UTF8, to, room, utf8.at, (int32_t)utf8.length, &error);
    bool is_whole = U_SUCCESS(error) && reads_back(converter, text_from(to, (size_t)length), utf8);
    ucnv_close(converter);
    if (is_whole) buffer_commit(out, (size_t)length);
    return is_whole;
}

bool charset_table_is_single_byte(struct text name)
{
    UConverter *converter = converter_open(name);
    bool is_single = converter && ucnv_getMaxCharSize(converter) == 1;
    if (converter) ucnv_close(converter);
    return is_single;
}

bool charset_table_is_known(struct text name)
{
    char room[CHARSET_TABLE_NAME_MOST + 1];
    UErrorCode error = U_ZERO_ERROR;
    return name_copy(name, room) && ucnv_countAliases(room, &error) > 0 && U_SUCCESS(error);
}

const char *charset_table_standard_name(const char *name)
{
    UErrorCode error = U_ZERO_ERROR;
    const char *alias = ucnv_getAlias(name, 0, &error);
    return U_SUCCESS(error) ? alias : NULL;
}

/* NULL: ICU lacks its data. */
static const UNormalizer2 *casefold(void)
{
    UErrorCode error = U_ZERO_ERROR;
    return unorm2_getNFKCCasefoldInstance(&error);
}

size_t charset_table_fold(struct text utf8, char *room, size_t size)
{
    UChar wide[CHARSET_FOLD_MOST + 1], folded[CHARSET_FOLD_MOST * CHARSET_FOLD_GROWTH + 1];
    int32_t length = 0, folded_length = 0, bytes = 0;
    UErrorCode error = casefold() ? U_ZERO_ERROR : U_MISSING_RESOURCE_ERROR;
    u_strFromUTF8(wide, CHARSET_FOLD_MOST, &length, utf8.at, (int32_t)utf8.length, &error);
    if (U_SUCCESS(error))
        folded_length = unorm2_normalize(casefold(), wide, length, folded,
                                         CHARSET_FOLD_MOST * CHARSET_FOLD_GROWTH, &error);
    u_strToUTF8(room, (int32_t)size, &bytes, folded, folded_length, &error);
    if (U_SUCCESS(error)) return (size_t)bytes;
    utf8 = text_slice(utf8, 0, size);
    if (utf8.length) memcpy(room, utf8.at, utf8.length);
    return utf8.length;
}

bool charset_table_stands_alone(uint32_t point)
{
    return casefold() && unorm2_hasBoundaryBefore(casefold(), (UChar32)point);
}

void charset_table_warm(void)
{
    static const char *const names[] = {
        "windows-31j",        "EUC-JP",       "ISO-2022-JP", "windows-1252", "UTF-16",      "gb18030",
        "ibm-1375_P100-2008", "windows-1251", "KOI8-R",      "EUC-KR",       "iso-8859-2",  "ISO-2022-JP-2",
        "iso-2022-kr",        "HZ",           "UTF-7",       "iso-8859-15",  "windows-874", "windows-949"
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        UConverter *converter = converter_open(text_of(names[i]));
        if (converter) ucnv_close(converter);
    }
    casefold();
}
