/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Hostile messages of about 20 MB, each made to hurt one step. All are parsed and read in every way within
   half a second of processor time (more where a sanitizer slows everything down). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "mail/edits.h"
#include "mail/reading.h"
#include "mail/word.h"

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

static void repeat(struct buffer *out, const char *piece, size_t bytes)
{
    size_t length = strlen(piece);
    for (size_t done = 0; done < bytes; done += length) buffer_add(out, piece, length);
}

static void many_parts(struct buffer *out)
{
    buffer_printf(out, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    for (int i = 0; i < MANY; i++)
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
    for (int i = 0; i < MANY * 3 / 2; i++) buffer_printf(out, "X-Field-%d: %d\r\nSubject: a\r\n", i, i);
    buffer_printf(out, "\r\nbody");
}

static void endless_header(struct buffer *out)
{
    repeat(out, "A: b\r\n", BIG);
}

static void one_long_line(struct buffer *out)
{
    buffer_printf(out, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n");
    repeat(out, "A", BIG);
}

static void one_long_field(struct buffer *out)
{
    buffer_printf(out, "Subject: ");
    repeat(out, "=?utf-8?Q?a", BIG / 20);
    buffer_printf(out, "\r\n\r\n");
    repeat(out, "begin 644 ", BIG);
}

static void deep_nesting(struct buffer *out)
{
    for (int i = 0; i < MANY; i++)
        buffer_printf(out, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i);
}

static void deep_messages(struct buffer *out)
{
    repeat(out, "Content-Type: message/rfc822\r\n\r\n", BIG);
}

static void near_boundaries(struct buffer *out)
{
    for (int i = 0; i < 31; i++)
        buffer_printf(out, "Content-Type: multipart/mixed; boundary=\"--------%d\"\r\n\r\n----------%d\r\n",
                      i, i);
    buffer_printf(out, "\r\n");
    repeat(out, "\n----------", BIG);
}

static void blank_boundary(struct buffer *out)
{
    for (int i = 0; i < 31; i++)
        buffer_printf(out, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n");
    buffer_printf(out, "\r\n--b");
    repeat(out, " ", BIG);
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
    repeat(out, "begin 644 a\n#\n", BIG);
}

static void junk_base64(struct buffer *out)
{
    buffer_printf(out, "Content-Transfer-Encoding: base64\r\n\r\n");
    repeat(out, "QU*F=CQUFC\r\n", BIG);
}

static void bad_quoted(struct buffer *out)
{
    buffer_printf(out, "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
    repeat(out, "= = =\t=Z", BIG);
}

static void reopened(struct buffer *out)
{
    buffer_printf(out, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n--b--\r\n");
    repeat(out, "--b\r\n--b--\r\n", BIG);
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
};

static void measure(const char *name, struct text message, const struct mime_limits *limits)
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
                   NULL);
    double all = seconds() - start;
    print_message("%-34s %3zu MB, %6zu parts, parse %5.0f ms, all %5.0f ms, %zu MB read\n", name,
                  message.length >> 20, mime->count, parsed * 1e3, all * 1e3, decoded >> 20);
    if (parsed > PARSE_SECONDS) fail_msg("%s: parse took %.3f s", name, parsed);
    if (all > READ_SECONDS) fail_msg("%s: all readings took %.3f s", name, all);
    assert_true(mime->count <= limits->parts);
    assert_true(decoded <= limits->decoded_bytes);
    arena_free(arena);
}

static void hostile_messages(void **state)
{
    struct mime_limits wide = mime_limits_default;
    wide.parts = 300000;
    wide.header_fields = 1000000;
    wide.header_bytes = 64 << 20;
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        struct buffer message = { 0 };
        messages[i].make(&message);
        measure(messages[i].name, buffer_text(&message), &mime_limits_default);
        measure(messages[i].name, buffer_text(&message), &wide);
        buffer_free(&message);
    }
}

/* A parser gone quadratic would run for hours: the kernel ends it. */
int main(void)
{
    const struct rlimit cpu = { 300, 310 };
    const struct CMUnitTest tests[] = { cmocka_unit_test(hostile_messages) };
    setrlimit(RLIMIT_CPU, &cpu);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
