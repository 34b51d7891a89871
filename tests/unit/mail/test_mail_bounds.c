/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Hostile messages of about 20 MB, each made to hurt one step. All are parsed and read in every way within
   half a second of processor time (more where a sanitizer slows everything down). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <malloc.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "mail/edits.h"
#include "mail/encoded_word.h"
#include "mail/reading.h"

#if defined(__SANITIZE_ADDRESS__) /* a tenth of the size: the sanitizers' own cost is not what is measured \
                                   */
enum { BIG = 2 << 20, MANY = 20000 };
static const double PARSE_SECONDS = 5, READ_SECONDS = 30;
#else
enum { BIG = 20 << 20, MANY = 200000 };
static const double PARSE_SECONDS = 2, READ_SECONDS = 5;
#endif

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* How much a message is made of; a row of it is made in two sizes. */
static size_t big = BIG;
static int many = MANY;

static void repeat(struct buffer *out, const char *piece, size_t bytes)
{
    size_t length = strlen(piece);
    for (size_t done = 0; done < bytes; done += length) buffer_add(out, piece, length);
}

static void many_parts(struct buffer *out)
{
    buffer_printf(out, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    for (int i = 0; i < many; i++)
        buffer_printf(out, "--b\r\nContent-Type: text/plain; name=%d\r\n\r\nx\r\n", i);
}

static void from_of_groups(struct buffer *out)
{
    buffer_printf(out, "From: ");
    for (int i = 0; i < 40000; i++) buffer_printf(out, "g%d: a@example.org, b@example.org;,\r\n ", i);
    buffer_printf(out, "x\r\n\r\nbody");
}

static void many_fields(struct buffer *out)
{
    for (int i = 0; i < many * 3 / 2; i++) buffer_printf(out, "X-Field-%d: %d\r\nSubject: a\r\n", i, i);
    buffer_printf(out, "\r\nbody");
}

static void endless_header(struct buffer *out)
{
    repeat(out, "A: b\r\n", big);
}

static void one_long_line(struct buffer *out)
{
    buffer_printf(out, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n");
    repeat(out, "A", big);
}

static void one_long_field(struct buffer *out)
{
    buffer_printf(out, "Subject: ");
    repeat(out, "=?utf-8?Q?a", big / 20);
    buffer_printf(out, "\r\n\r\n");
    repeat(out, "begin 644 ", big);
}

static void deep_nesting(struct buffer *out)
{
    for (int i = 0; i < many; i++)
        buffer_printf(out, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i);
}

static void deep_messages(struct buffer *out)
{
    repeat(out, "Content-Type: message/rfc822\r\n\r\n", big);
}

static void near_boundaries(struct buffer *out)
{
    for (int i = 0; i < 31; i++)
        buffer_printf(out, "Content-Type: multipart/mixed; boundary=\"--------%d\"\r\n\r\n----------%d\r\n",
                      i, i);
    buffer_printf(out, "\r\n");
    repeat(out, "\n----------", big);
}

static void blank_boundary(struct buffer *out)
{
    for (int i = 0; i < 31; i++)
        buffer_printf(out, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n");
    buffer_printf(out, "\r\n--b");
    repeat(out, " ", big);
    buffer_printf(out, "x");
}

static void many_parameters(struct buffer *out)
{
    buffer_printf(out, "Content-Type: a/b");
    for (int i = 0; i < 100000; i++) buffer_printf(out, "; n*%d*=utf-8''%%41", i % 1000);
    buffer_printf(out, "\r\n\r\n");
}

static void comments(struct buffer *out)
{
    buffer_printf(out, "Content-Type: ");
    repeat(out, "(", 1 << 20);
    buffer_printf(out, "\r\n\r\n");
    repeat(out, "begin 644 a\n#\n", big);
}

static void junk_base64(struct buffer *out)
{
    buffer_printf(out, "Content-Transfer-Encoding: base64\r\n\r\n");
    repeat(out, "QU*F=CQUFC\r\n", big);
}

static void bad_quoted(struct buffer *out)
{
    buffer_printf(out, "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
    repeat(out, "= = =\t=Z", big);
}

/* Each block runs to the end of the text in the search of its own end. */
static void endless_base64_blocks(struct buffer *out)
{
    buffer_printf(out, "\r\n");
    repeat(out, "begin-base64 644 a\r\nAAAA\r\n\r\n", big);
}

static void blocks_with_gaps(struct buffer *out)
{
    buffer_printf(out, "\r\n");
    repeat(out, "begin 644 a\r\n#0V%T\r\n\r\n\r\n=ybegin line=9 name=b\r\n\r\n", big);
}

static void blocks_with_bad_lines(struct buffer *out)
{
    buffer_printf(out, "\r\n");
    repeat(out,
           "begin 644 a\r\n#0V%T\r\njunk, junk, junk\r\njunk, junk, junk\r\njunk, junk, junk\r\njunk, junk, "
           "junk\r\n",
           big);
}

static void yenc_lines(struct buffer *out)
{
    buffer_printf(out, "\r\n");
    repeat(out, "=ybegin line=128 size=9 name=a\r\n", big / 2);
    repeat(out, "=ybegin line=128 size=9 name=a\r\n=y=y=y=y=\r\n", big / 2);
}

static void binhex_lines(struct buffer *out)
{
    buffer_printf(out, "\r\n");
    repeat(out, "(This file must be converted with BinHex 4.0)\r\n:\r\n", big);
}

/* What is doubtful is carved in every way. */
static void doubtful(struct buffer *out)
{
    buffer_printf(out, "Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\n");
}

static void doubtful_runs(struct buffer *out)
{
    doubtful(out);
    repeat(out, "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB\r\nno base64 at all.\r\n",
           big);
}

static void doubtful_paragraphs(struct buffer *out)
{
    doubtful(out);
    repeat(out, "=41 a b c d e f g h i j k l m n o p q r s t u v w x y z = a b c d e f\r\n\r\n", big);
}

static void doubtful_blocks(struct buffer *out)
{
    doubtful(out);
    repeat(out, "begin-base64 644 a\r\nAAAA\r\n\r\nbegin 644 b\r\n#0V%T\r\n\r\n=ybegin line=9 name=c\r\n",
           big);
}

/* Files that every program shows, and the same again with a line of the header before: nothing new. */
static void doubtful_files(struct buffer *out)
{
    buffer_printf(out, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--bb\r\n");
    repeat(out,
           "--b\r\nContent-Type: application/zip;\r\n nQUFBQUFBQUFBQUFBQUF\r\n"
           "Content-Transfer-Encoding:"
           "base64\r\n\r\nUEsDBBQAAAAAAAAAIVyt57hkJwAAACcAAAAIAAAAdG9vbC5leGUBAgME\r\n",
           big);
}

static void tags(struct buffer *out)
{
    buffer_printf(out, "Content-Type: text/html\r\n\r\n");
    repeat(out, "<p class=\"a\" style=\"color:red\">\r\n", big);
}

static void folds(struct buffer *out)
{
    buffer_printf(out, "Content-Type: multipart/mixed;");
    repeat(out, "\r\n a", big);
    buffer_printf(out, "\r\n\r\n");
}

static void reopened(struct buffer *out)
{
    buffer_printf(out, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n--b--\r\n");
    repeat(out, "--b\r\n--b--\r\n", big);
}

/* Each header ends in two ways, and what is folded belongs to nobody. */
static void mbox_lines(struct buffer *out)
{
    buffer_printf(out, ">From a@b.test\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n");
    repeat(out, "--b\r\n>From a\r\n f\r\nContent-Type: a/b\r\n>From a\r\nX: y\r\n\r\nPK\3\4\r\n", big);
}

static const struct {
    const char *name;
    void (*make)(struct buffer *out);
} messages[] = {
    { "200,000 parts", many_parts },
    { "From of 40,000 groups", from_of_groups },
    { "600,000 fields", many_fields },
    { "header without end", endless_header },
    { "one line of 20 MB", one_long_line },
    { "half encoded words, half begins", one_long_field },
    { "200,000 multiparts in each other", deep_nesting },
    { "messages in messages", deep_messages },
    { "lines that nearly are boundaries", near_boundaries },
    { "a boundary with 20 MB of blanks", blank_boundary },
    { "100,000 parameters", many_parameters },
    { "comments and blocks", comments },
    { "base64 with junk and padding", junk_base64 },
    { "quoted-printable that is none", bad_quoted },
    { "boundaries after the end", reopened },
    { "base64 blocks without end", endless_base64_blocks },
    { "blocks with gaps", blocks_with_gaps },
    { "blocks with bad lines", blocks_with_bad_lines },
    { "yEnc lines", yenc_lines },
    { "BinHex lines", binhex_lines },
    { "doubtful runs of base64", doubtful_runs },
    { "doubtful paragraphs", doubtful_paragraphs },
    { "doubtful blocks", doubtful_blocks },
    { "doubtful files", doubtful_files },
    { "mbox lines in parts", mbox_lines },
    { "tags", tags },
    { "folds", folds },
};

/* Thirty times the parts that the default allows: they may take twice the time. */
static const struct mime_limits wide = { 300000, 32, 64 << 20, 1000000, 200, 200, 256 << 20 };

/* Processor time of all readings; what was met on the way is checked. */
static double read_all(const char *name, struct text message, const struct mime_limits *limits)
{
    struct arena *arena = arena_new(1 << 20);
    struct reading reading;
    size_t decoded = 0;
    double start = seconds();
    struct mime *mime = mime_parse(arena, message, limits, MIME_FIRST);
    double parsed = seconds() - start;
    struct reading_list *list = reading_open(arena, mime);
    while (reading_next(list, &reading)) decoded += reading.bytes.length;
    reading_close(list);
    word_decode_in(arena, mime->parts[0].header->count ? mime->parts[0].header->fields[0].value : TEXT_NONE,
                   TEXT_NONE, NULL);
    double all = seconds() - start;
    print_message("%-34s %3zu MB, %6zu parts, parse %5.0f ms, all %5.0f ms, %zu MB read\n", name,
                  message.length >> 20, mime->count, parsed * 1e3, all * 1e3, decoded >> 20);
    if (parsed > PARSE_SECONDS) fail_msg("%s: parse took %.3f s", name, parsed);
    if (all > READ_SECONDS * (limits == &wide ? 2 : 1)) fail_msg("%s: all readings took %.3f s", name, all);
    assert_true(mime->count <= limits->parts);
    assert_true(decoded <= limits->decoded_bytes);
    arena_free(arena);
    return all;
}

static void hostile_messages(void **state)
{
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        struct buffer message = { 0 };
        messages[i].make(&message);
        read_all(messages[i].name, buffer_text(&message), &mime_limits_default);
        read_all(messages[i].name, buffer_text(&message), &wide);
        buffer_free(&message);
    }
}

/* The quickest of three, since other work disturbs, and the first gets its memory from the kernel. */
static double cost(size_t i, size_t part)
{
    struct buffer message = { 0 };
    double least = 1e9;
    big = BIG / part;
    many = MANY / (int)part;
    messages[i].make(&message);
    for (int turn = 0; turn < 3; turn++) {
        double took = read_all(messages[i].name, buffer_text(&message), &wide);
        if (took < least) least = took;
    }
    buffer_free(&message);
    return least;
}

static bool is_linear(size_t i)
{
    double quarter = cost(i, 32), whole = cost(i, 8);
    print_message("%s: %.3f s, and a quarter of it %.3f s\n", messages[i].name, whole, quarter);
    return whole <= 9 * quarter + 0.02;
}

/* Four times the bytes cost about four times as much; a step gone quadratic would cost sixteen times, at each
   of three tries. One try alone may fall into a moment when the machine is slow. */
static void cost_is_linear(void **state)
{
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++)
        if (!is_linear(i) && !is_linear(i) && !is_linear(i)) fail_msg("%s: not linear", messages[i].name);
}

/* A parser gone quadratic would run for hours: the kernel ends it. */
int main(void)
{
    const struct rlimit cpu = { 300, 310 };
    const struct CMUnitTest tests[] = { cmocka_unit_test(hostile_messages),
                                        cmocka_unit_test(cost_is_linear) };
    setrlimit(RLIMIT_CPU, &cpu);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
