/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What others test their parsers with, from the folder that SEKIMORI_SUITES names, and all mail below
   SEKIMORI_CORPORA. Without these variables there is nothing to do. A difference is listed with its reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/json.h"
#include "mail/charset.h"
#include "mail/encoded_word.h"
#include "mail/parameter.h"
#include "mail/reading.h"
#include "suite.h"

#define LISTED(list) (list), sizeof(list) / sizeof *(list)

static bool suite_path(const char *below, char room[4096])
{
    const char *suites = getenv("SEKIMORI_SUITES");
    if (!suites) return false;
    snprintf(room, 4096, "%s/mime/%s", suites, below);
    return true;
}

/* Trees: M message, P multipart, L leaf. */
static void shape_of_mime(const struct mime *mime, uint32_t index, struct buffer *out)
{
    static const char letters[] = "LPM";
    const struct mime_part *part = &mime->parts[index];
    buffer_add_char(out, letters[part->kind]);
    if (part->kind == MIME_LEAF) return;
    buffer_add_char(out, '(');
    for (uint32_t i = index + 1; i < mime->count; i++)
        if (mime->parts[i].parent == index) shape_of_mime(mime, i, out);
    buffer_add_char(out, ')');
}

/* One tag after another of the event tree; leaves name the files of their decoded bodies. */
static void shape_of_xml(struct text xml, struct buffer *out, struct text *names, size_t *name_count)
{
    static const struct {
        struct text tag;
        const char *shape;
    } tags[] = {
        { { "<multipart>", 11 }, "P(" }, { { "</multipart>", 12 }, ")" }, { { "<message>", 9 }, "M(" },
        { { "</message>", 10 }, ")" },   { { "<text-body", 10 }, "L" },   { { "<binary-body", 12 }, "L" },
        { { "<body>", 6 }, "L" },
    };
    while (xml.length > 0) {
        xml = text_slice(xml, text_find_char(xml, '<'), xml.length);
        for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
            if (!text_starts(xml, tags[i].tag)) continue;
            buffer_add_text(out, text_of(tags[i].shape));
            if (tags[i].shape[0] != 'L' || *name_count == 64) continue;
            struct text tag = text_slice(xml, 0, text_find_char(xml, '>'));
            size_t name = text_find(tag, TEXT("name=\""));
            tag = text_slice(tag, name + 6, tag.length);
            names[(*name_count)++] = text_slice(tag, 0, text_find_char(tag, '"'));
        }
        xml = text_slice(xml, 1, xml.length);
    }
}

struct trees {
    struct suite shapes, bodies;
};

/* The files came to us with line ends of either kind. */
static bool equal_but_returns(struct text a, struct text b)
{
    size_t i = 0, k = 0;
    for (;; i++, k++) {
        while (i < a.length && a.at[i] == '\r') i++;
        while (k < b.length && b.at[k] == '\r') k++;
        if (i == a.length || k == b.length) return i == a.length && k == b.length;
        if (a.at[i] != b.at[k]) return false;
    }
}

static void compare_bodies(struct trees *trees, const char *path, const char *id, const struct mime *mime,
                           const struct text *names, size_t name_count)
{
    struct buffer room = { 0 };
    size_t leaf = 0;
    for (size_t i = 0; i < mime->count && leaf < name_count; i++) {
        const struct mime_part *part = &mime->parts[i];
        if (part->kind != MIME_LEAF || !part->header) continue;
        char file[4096], label[600];
        struct buffer due = { 0 };
        snprintf(file, sizeof file, "%.*s/%.*s", (int)(strrchr(path, '/') - path), path,
                 TEXT_ARG(names[leaf]));
        snprintf(label, sizeof label, "%s %zu", id, ++leaf);
        struct text got = mime_decode(part, &room, NULL);
        if (suite_read(file, &due)) {
            bool equal = equal_but_returns(got, buffer_text(&due));
            suite_case(&trees->bodies, label, equal, text_slice(got, 0, 80), buffer_text(&due));
        }
        buffer_free(&due);
    }
    buffer_free(&room);
}

static void tree_case(void *context, const char *path)
{
    struct trees *trees = context;
    struct buffer message = { 0 }, xml = { 0 }, got = { 0 }, due = { 0 };
    struct text names[64];
    size_t name_count = 0;
    char xml_path[4200];
    const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/') + 1;
    if (!dot || strcmp(dot, ".msg") != 0) return;
    snprintf(xml_path, sizeof xml_path, "%.*s_decoded.xml", (int)(dot - path), path);
    char id[512];
    snprintf(id, sizeof id, "%.*s", (int)(dot - slash), slash);
    if (suite_read(path, &message) && suite_read(xml_path, &xml)) {
        struct arena *arena = arena_new(0);
        struct mime *mime = mime_parse(arena, buffer_text(&message), &mime_limits_default, MIME_FIRST);
        buffer_add_text(&got, TEXT("M("));
        shape_of_mime(mime, 0, &got);
        buffer_add_char(&got, ')');
        buffer_add(&got, "", 1);
        shape_of_xml(buffer_text(&xml), &due, names, &name_count);
        buffer_add(&due, "", 1);
        bool equal = text_equal(buffer_text(&got), buffer_text(&due));
        suite_case(&trees->shapes, id, equal, buffer_text(&got), buffer_text(&due));
        if (equal) compare_bodies(trees, path, id, mime, names, name_count);
        arena_free(arena);
    }
    buffer_free(&message);
    buffer_free(&xml);
    buffer_free(&got);
    buffer_free(&due);
}

static const struct suite_difference shape_differences[] = {
    { "bad-newlines-multiple-parts-base64", "decoded as a leaf; what is inside is a further reading" },
    { "base64encoded-rfc822message", "decoded as a leaf; what is inside is a further reading" },
    { "base64encoded-rfc822message-nested", "decoded as a leaf; what is inside is a further reading" },
    { "multi-2gifs-base64", "decoded as a leaf; what is inside is a further reading" },
    { "ending-boundaries", "a line that goes on behind the boundary is one only in the second reading" },
    { "very-long-boundary", "blanks at the end of a boundary do not tell two apart" },
    { "very-very-long-boundary", "blanks at the end of a boundary do not tell two apart" },
    { "weird-boundary", "blanks at the end of a boundary do not tell two apart" },
};

static const struct suite_difference body_differences[] = {
    { "basic-plain-with-bad-header-separator 1",
      "a line of blanks ends the header only in the second reading" },
    { "hdr-fakeout 1", "a line of blanks ends the header only in the second reading" },
    { "frag 5", "base64 cut off: the bytes that are whole are kept" },
    { "multi-frag 4", "base64 cut off: the bytes that are whole are kept" },
    { "malformedHeader-nocrlfcrlf 1",
      "a line that is no field begins the body; skipped in the second reading" },
    { "malformedHeader-noheader 1",
      "a line that is no field begins the body; skipped in the second reading" },
    { "malformedHeaderStartsBody-nocrlfcrlf 1",
      "nothing behind the first such line is taken out of the body" },
    { "malformedHeaderStartsBody-noheader 1", "nothing behind the first such line is taken out of the body" },
};

static void event_trees(void **state)
{
    char path[4096];
    struct trees trees = { { "mime4j trees", LISTED(shape_differences) },
                           { "mime4j bodies", LISTED(body_differences) } };
    if (!suite_path("mime4j", path)) return;
    suite_walk(path, tree_case, &trees);
    assert_true(suite_end(&trees.shapes) & suite_end(&trees.bodies));
}

static struct json *load_json(const char *below)
{
    char path[4096];
    struct buffer content = { 0 };
    if (!suite_path(below, path)) return NULL;
    assert_true(suite_read(path, &content));
    struct json *json = json_parse(buffer_text(&content));
    assert_non_null(json);
    buffer_free(&content);
    return json;
}

/* The rows hold what stands behind a colon, and what may follow the field. */
static struct text field_value(struct arena *arena, struct text row)
{
    static const struct header_limits limits = { 1 << 20, 100, true, false, false };
    struct header *header = arena_alloc(arena, sizeof *header);
    struct buffer text = { 0 };
    buffer_add_text(&text, TEXT("X:"));
    buffer_add_text(&text, row);
    header_parse(arena, arena_text(arena, buffer_text(&text)), &limits, header);
    buffer_free(&text);
    return header->fields[0].value;
}

/* "type|name=value|…", lower-case names. */
static void describe_expected(const struct json *expected, struct buffer *out)
{
    struct text type = json_as_text(json_get(expected, "c_type"));
    struct text subtype = json_as_text(json_get(expected, "c_subtype"));
    buffer_add_text(out, type);
    if (subtype.length) buffer_printf(out, "/%.*s", TEXT_ARG(subtype));
    const struct json *attributes = json_get(expected, "attributes");
    for (size_t i = 0; i < json_count(attributes); i++) {
        const struct json *pair = json_at(attributes, i);
        struct text name = json_as_text(json_at(pair, 0)), value = json_as_text(json_at(pair, 1));
        if (text_ends(name, TEXT("-language"))) continue; /* we keep no language */
        buffer_printf(out, "|%.*s=%.*s", TEXT_ARG(name), TEXT_ARG(value));
    }
    buffer_add(out, "", 1);
}

static void describe_parsed(struct arena *arena, struct text header, struct buffer *out)
{
    struct parameter_list list;
    parameter_parse(arena, header_unfold(arena, header), TEXT_NONE, 100, &list);
    size_t slash = text_find_char(list.value, '/');
    struct text type = text_trim(text_slice(list.value, 0, slash));
    struct text subtype = text_trim(text_slice(list.value, slash + 1, list.value.length));
    for (size_t i = 0; i < type.length; i++) buffer_add_char(out, char_lower(type.at[i]));
    if (subtype.length) buffer_add_char(out, '/');
    for (size_t i = 0; i < subtype.length; i++) buffer_add_char(out, char_lower(subtype.at[i]));
    for (size_t i = 0; i < list.count; i++)
        buffer_printf(out, "|%.*s=%.*s", TEXT_ARG(list.items[i].name),
                      TEXT_ARG(parameter_utf8(arena, &list.items[i], TEXT_NONE, NULL)));
    buffer_add(out, "", 1);
}

static const struct suite_difference content_type_differences[] = {
    { "31", "charset and language are read from the first section only (RFC 2231 section 4.1)" },
    { "34", "blanks between two encoded words are not shown (RFC 2047 section 6.2)" },
    { "40", "our list keeps the value as written; content.c refuses it as a type" },
    { "43", "our list keeps the value as written; content.c refuses it as a type" },
    { "48", "what has a value is a parameter, also in front: a boundary there counts" },
    { "49", "a parameter without a value is kept, empty" },
    { "55", "blanks alone are not kept" },
    { "56", "blanks alone are not kept" },
    { "57", "blanks alone are not kept" },
    { "58", "what has a value is a parameter, also in front: a boundary there counts" },
    { "59", "of a doubled section the first counts" },
    { "61", "odd stars in names stay part of the name" },
    { "62", "our list keeps the value as written; content.c refuses it as a type" },
    { "63", "our list keeps the value as written; content.c refuses it as a type" },
    { "65", "our list keeps the value as written; content.c refuses it as a type" },
    { "66", "our list keeps the value as written; content.c refuses it as a type" },
    { "70", "our list keeps the value as written; content.c refuses it as a type" },
    { "71", "our list keeps the value as written; content.c refuses it as a type" },
    { "72", "our list keeps the value as written; content.c refuses it as a type" },
};

static void content_types(void **state)
{
    struct json *rows = load_json("mail-parser-fields/content_type.json");
    struct suite suite = { "mail-parser content-type", LISTED(content_type_differences) };
    if (!rows) return;
    for (size_t i = 0; i < json_count(rows); i++) {
        struct arena *arena = arena_new(0);
        struct buffer got = { 0 }, due = { 0 };
        char id[32];
        const struct json *row = json_at(rows, i);
        snprintf(id, sizeof id, "%zu", i);
        describe_parsed(arena, field_value(arena, json_as_text(json_get(row, "header"))), &got);
        describe_expected(json_get(row, "expected"), &due);
        suite_case(&suite, id, text_equal(buffer_text(&got), buffer_text(&due)), buffer_text(&got),
                   buffer_text(&due));
        buffer_free(&got);
        buffer_free(&due);
        arena_free(arena);
    }
    json_free(rows);
    assert_true(suite_end(&suite));
}

static const struct suite_difference unstructured_differences[] = {
    { "21", "no blank is put between text and a word that touches it" },
    { "22", "no blank is put between text and a word that touches it" },
    { "27", "no blank is put between text and a word that touches it" },
    { "28", "no blank is put between text and a word that touches it" },
};

static void word_case(struct suite *suite, const char *id, struct text value, struct text due)
{
    struct buffer got = { 0 };
    word_decode(value, TEXT_NONE, &got, NULL);
    bool equal = text_equal(buffer_text(&got), due);
    buffer_add(&got, "", 1);
    suite_case(suite, id, equal, buffer_text(&got), due);
    buffer_free(&got);
}

static void unstructured(void **state)
{
    struct json *rows = load_json("mail-parser-fields/unstructured.json");
    struct suite suite = { "mail-parser unstructured", LISTED(unstructured_differences) };
    if (!rows) return;
    for (size_t i = 0; i < json_count(rows); i++) {
        char id[32];
        snprintf(id, sizeof id, "%zu", i);
        const struct json *row = json_at(rows, i);
        struct arena *arena = arena_new(0);
        struct text value = field_value(arena, json_as_text(json_get(row, "header")));
        word_case(&suite, id, value, json_as_text(json_get(row, "expected")));
        arena_free(arena);
    }
    json_free(rows);
    assert_true(suite_end(&suite));
}

static const struct suite_difference perl_differences[] = {
    { "20", "a line end without a blank behind it cannot stand in a field" },
    { "21", "a line end without a blank behind it cannot stand in a field" },
    { "22", "a line end without a blank behind it cannot stand in a field" },
    { "23", "a line end without a blank behind it cannot stand in a field" },
    { "24", "a line end without a blank behind it cannot stand in a field" },
    { "25", "a line end without a blank behind it cannot stand in a field" },
    { "36", "each bad byte becomes one U+FFFD" },
    { "37", "bytes that are not UTF-8 are read as the likeliest charset" },
    { "38", "a word of an unknown charset is shown as the likeliest" },
    { "39", "a word of an unknown charset is shown as the likeliest" },
    { "40", "a word of an unknown charset is shown as the likeliest" },
    { "41", "outer blanks are dropped" },
    { "42", "outer blanks are dropped" },
    { "43", "outer blanks are dropped" },
    { "44", "outer blanks are dropped" },
    { "45", "outer blanks are dropped" },
    { "46", "outer blanks are dropped" },
    { "47", "outer blanks are dropped" },
    { "51", "outer blanks are dropped" },
    { "52", "a line end without a blank behind it cannot stand in a field" },
    { "53", "read leniently: what most programs show" },
    { "54", "read leniently: what most programs show" },
    { "56", "read leniently: what most programs show" },
    { "57", "read leniently: what most programs show" },
    { "58", "read leniently: what most programs show" },
    { "59", "read leniently: what most programs show" },
    { "60", "read leniently: what most programs show" },
    { "61", "read leniently: what most programs show" },
    { "62", "read leniently: what most programs show" },
    { "63", "read leniently: what most programs show" },
    { "64", "read leniently: what most programs show" },
    { "65", "read leniently: what most programs show" },
    { "66", "read leniently: what most programs show" },
    { "67", "read leniently: what most programs show" },
    { "68", "read leniently: what most programs show" },
    { "69", "read leniently: what most programs show" },
};

static void perl_words(void **state)
{
    char path[4096], id[32];
    struct suite suite = { "encode-perl words", LISTED(perl_differences) };
    struct buffer content = { 0 };
    if (!suite_path("encode-perl/mime-header.jsonl", path)) return;
    assert_true(suite_read(path, &content));
    struct text rest = buffer_text(&content), line;
    for (size_t i = 0; text_next_line(&rest, &line); i++) {
        struct json *row = json_parse(line);
        const struct json *values = json_get(row, "values");
        bool encode = text_starts(json_as_text(json_get(row, "kind")), TEXT("encode"));
        snprintf(id, sizeof id, "%zu", i);
        if (!encode)
            word_case(&suite, id, json_as_text(json_at(values, 0)), json_as_text(json_at(values, 1)));
        for (size_t k = 1; encode && k < json_count(values); k++) {
            snprintf(id, sizeof id, "%zu.%zu", i, k); /* both ways of encoding give the text back */
            word_case(&suite, id, json_as_text(json_at(values, k)), json_as_text(json_at(values, 0)));
        }
        json_free(row);
    }
    buffer_free(&content);
    assert_true(suite_end(&suite));
}

static void charset_case(struct suite *suite, const char *charset, const char *encoded, const char *utf8)
{
    char path[4096];
    struct buffer in = { 0 }, due = { 0 }, got = { 0 };
    assert_true(suite_path(encoded, path) && suite_read(path, &in));
    assert_true(suite_path(utf8, path) && suite_read(path, &due));
    charset_to_utf8(text_of(charset), buffer_text(&in), &got, NULL);
    size_t at = 0;
    struct text a = buffer_text(&got), b = buffer_text(&due);
    while (at < a.length && at < b.length && a.at[at] == b.at[at]) at++;
    buffer_add(&got, "", 1);
    suite_case(suite, encoded, at == a.length && at == b.length,
               text_slice(a, at > 20 ? at - 20 : 0, a.length),
               text_slice(b, at > 20 ? at - 20 : 0, b.length));
    buffer_free(&in);
    buffer_free(&due);
    buffer_free(&got);
}

static const struct suite_difference charset_differences[] = {
    { "encode-perl/big5-eten.enc", "the ETEN symbols are private-use characters in ICU's Big5" },
    { "encode-perl/big5-hkscs.enc", "HKSCS of 2008: private-use characters of older editions are others" },
    { "python-test/cjkencodings/big5hkscs.txt",
      "HKSCS of 2008: letters with two marks are private-use characters" },
    { "encode-perl/gb2312.enc", "one symbol: read as GB 18030" },
    { "encode-perl/jisx0208.enc", "six symbols: read as CP932 like all Japanese here" },
    { "python-test/cjkencodings/euc_kr.txt", "syllables composed of eight bytes stay letters" },
};

static void charset_pairs(void **state)
{
    static const struct {
        const char *charset, *encoded, *utf8;
    } rows[] = {
        { "big5", "python-test/cjkencodings/big5.txt", "python-test/cjkencodings/big5-utf8.txt" },
        { "big5-hkscs", "python-test/cjkencodings/big5hkscs.txt",
          "python-test/cjkencodings/big5hkscs-utf8.txt" },
        { "cp949", "python-test/cjkencodings/cp949.txt", "python-test/cjkencodings/cp949-utf8.txt" },
        { "euc-jp", "python-test/cjkencodings/euc_jp.txt", "python-test/cjkencodings/euc_jp-utf8.txt" },
        { "euc-kr", "python-test/cjkencodings/euc_kr.txt", "python-test/cjkencodings/euc_kr-utf8.txt" },
        { "gb18030", "python-test/cjkencodings/gb18030.txt", "python-test/cjkencodings/gb18030-utf8.txt" },
        { "gb2312", "python-test/cjkencodings/gb2312.txt", "python-test/cjkencodings/gb2312-utf8.txt" },
        { "gbk", "python-test/cjkencodings/gbk.txt", "python-test/cjkencodings/gbk-utf8.txt" },
        { "hz-gb-2312", "python-test/cjkencodings/hz.txt", "python-test/cjkencodings/hz-utf8.txt" },
        { "iso-2022-jp", "python-test/cjkencodings/iso2022_jp.txt",
          "python-test/cjkencodings/iso2022_jp-utf8.txt" },
        { "iso-2022-kr", "python-test/cjkencodings/iso2022_kr.txt",
          "python-test/cjkencodings/iso2022_kr-utf8.txt" },
        { "shift_jis", "python-test/cjkencodings/shift_jis.txt",
          "python-test/cjkencodings/shift_jis-utf8.txt" },
        { "euc-jp", "encode-perl/jisx0201.enc", "encode-perl/jisx0201.utf" },
        { "euc-jp", "encode-perl/jisx0208.enc", "encode-perl/jisx0208.utf" },
        { "euc-jp", "encode-perl/jisx0212.enc", "encode-perl/jisx0212.utf" },
        { "euc-kr", "encode-perl/ksc5601.enc", "encode-perl/ksc5601.utf" },
        { "gb2312", "encode-perl/gb2312.enc", "encode-perl/gb2312.utf" },
        { "big5", "encode-perl/big5-eten.enc", "encode-perl/big5-eten.utf" },
        { "big5-hkscs", "encode-perl/big5-hkscs.enc", "encode-perl/big5-hkscs.utf" },
    };
    struct suite suite = { "charset pairs", LISTED(charset_differences) };
    if (!getenv("SEKIMORI_SUITES")) return;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        charset_case(&suite, rows[i].charset, rows[i].encoded, rows[i].utf8);
    assert_true(suite_end(&suite));
}

/* Messages without expectations: they are read in every way and keep the tree's promises. */
struct crowd {
    size_t messages, bytes, parts, ambiguous;
    double seconds;
};

static void crowd_one(void *context, const char *path)
{
    struct crowd *crowd = context;
    struct buffer message = { 0 };
    struct timespec start, end;
    struct reading reading;
    if (suite_read(path, &message)) {
        struct arena *arena = arena_new(1 << 16);
        clock_gettime(CLOCK_MONOTONIC, &start);
        struct mime *mime = mime_parse(arena, buffer_text(&message), &mime_limits_default, MIME_FIRST);
        clock_gettime(CLOCK_MONOTONIC, &end);
        crowd->seconds += (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
        struct reading_list *list = reading_open(arena, mime);
        while (reading_next(list, &reading)) assert_true(reading.bytes.length > 0);
        crowd->ambiguous += reading_is_ambiguous(list);
        reading_close(list);
        struct finding_set findings = { 0 };
        for (size_t i = 0; i < mime->parts[0].header->count; i++) {
            struct text value =
                word_decode_in(arena, mime->parts[0].header->fields[i].value, mime->declared, &findings);
            assert_true(charset_is_utf8(value));
        }
        crowd->messages++;
        crowd->bytes += mime->message.length;
        crowd->parts += mime->count;
        arena_free(arena);
    }
    buffer_free(&message);
}

static void crowd_of(const char *name, const char *folder)
{
    struct crowd crowd = { 0 };
    suite_walk(folder, crowd_one, &crowd);
    assert_true(crowd.messages > 0);
    printf("suite %s: %zu files, %zu bytes, %zu parts, %zu ambiguous, parse %.1f us each, %.0f MB/s\n", name,
           crowd.messages, crowd.bytes, crowd.parts, crowd.ambiguous,
           crowd.seconds * 1e6 / (double)crowd.messages, (double)crowd.bytes / crowd.seconds / 1e6);
}

static void crowds(void **state)
{
    static const char *const folders[] = { "mimekit/messages", "ruby-mail/emails", "python-test/email-data",
                                           "mime4j", "mail-iso-2022-jp" };
    char path[4096];
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (suite_path(folders[i], path)) crowd_of(folders[i], path);
    const char *corpora = getenv("SEKIMORI_CORPORA");
    if (corpora && *corpora) crowd_of("corpora", corpora);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(event_trees), cmocka_unit_test(content_types), cmocka_unit_test(unstructured),
        cmocka_unit_test(perl_words),  cmocka_unit_test(charset_pairs), cmocka_unit_test(crowds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
