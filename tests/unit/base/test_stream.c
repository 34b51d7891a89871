/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Streams over a real socket pair, in the clear and under TLS: what goes in comes out, in order, whatever its
   size and pieces; and the loop's timers and deferred work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/stream.h"
#include "base/tls.h"

struct side {
    struct stream *stream;
    struct buffer got;
    size_t take_most; /* consumes at most so much a call */
    bool drained, ended, secured;
    enum stream_end end;
    struct loop *loop;
    size_t stop_at;
};

static size_t on_input(void *context, struct text bytes)
{
    struct side *side = context;
    size_t taken = side->take_most && bytes.length > side->take_most ? side->take_most : bytes.length;
    buffer_add(&side->got, bytes.at, taken);
    if (side->stop_at && buffer_length(&side->got) >= side->stop_at) loop_stop(side->loop);
    return taken;
}

static void on_drained(void *context)
{
    ((struct side *)context)->drained = true;
}

static void on_secured(void *context)
{
    struct side *side = context;
    side->secured = true;
    loop_stop(side->loop);
}

static void on_ended(void *context, enum stream_end end, const char *reason)
{
    struct side *side = context;
    side->ended = true;
    side->end = end;
    loop_stop(side->loop);
}

static const struct stream_events events = { on_input, on_drained, NULL, on_secured, on_ended };

static void pair_open(struct loop *loop, struct side *a, struct side *b)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    *a = (struct side){ .loop = loop };
    *b = (struct side){ .loop = loop };
    a->stream = stream_open(loop, pair[0], &events, a);
    b->stream = stream_open(loop, pair[1], &events, b);
}

static void one_turn(void *context)
{
    loop_stop(context);
}

static void side_close(struct loop *loop, struct side *side)
{
    struct deferred last = { .run = one_turn, .context = loop };
    stream_close(side->stream);
    loop_defer(loop, &last);
    loop_run(loop);
    buffer_free(&side->got);
}

static void certificate_make(struct buffer *cert, struct buffer *key)
{
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    X509 *x509 = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(x509), -60);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_set_pubkey(x509, pair);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                               (const unsigned char *)"mx.test", -1, -1, 0);
    X509_set_issuer_name(x509, X509_get_subject_name(x509));
    assert_true(X509_sign(x509, pair, EVP_sha256()) > 0);
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes;
    PEM_write_bio_X509(bio, x509);
    long length = BIO_get_mem_data(bio, &bytes);
    buffer_add(cert, bytes, (size_t)length);
    BIO_free(bio);
    bio = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(bio, pair, NULL, NULL, 0, NULL, NULL);
    length = BIO_get_mem_data(bio, &bytes);
    buffer_add(key, bytes, (size_t)length);
    BIO_free(bio);
    X509_free(x509);
    EVP_PKEY_free(pair);
}

static int file_make(struct buffer *content, size_t size)
{
    int fd = memfd_create("content", MFD_CLOEXEC);
    for (size_t i = 0; i < size; i++) buffer_add_char(content, (char)(i * 31 + i / 253));
    assert_int_equal(write(fd, buffer_text(content).at, size), (ssize_t)size);
    return fd;
}

/* Writes and file ranges in turn; the other side takes seven bytes at a time. */
static void order_over(struct loop *loop, struct side *a, struct side *b)
{
    struct buffer file = { 0 }, wanted = { 0 };
    int fd = file_make(&file, 700000);
    struct text content = buffer_text(&file);
    const struct {
        const char *text;
        uint64_t offset, length;
    } steps[] = {
        { "one ", 0, 300000 }, { "two ", 5, 10 }, { "", 100, 0 }, { "three ", 1, 399999 }, { "end", 0, 0 }
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        stream_printf(a->stream, "%s", steps[i].text);
        stream_send_file(a->stream, fd, steps[i].offset, steps[i].length);
        buffer_add_text(&wanted, text_of(steps[i].text));
        buffer_add_text(&wanted, text_slice(content, steps[i].offset, steps[i].offset + steps[i].length));
    }
    b->take_most = 7;
    b->stop_at = buffer_length(&wanted);
    loop_run(loop);
    assert_true(text_equal(buffer_text(&b->got), buffer_text(&wanted)));
    assert_int_equal(stream_pending(a->stream), 0);
    assert_true(a->drained);
    buffer_free(&file);
    buffer_free(&wanted);
    close(fd);
}

static void in_the_clear(void **state)
{
    struct loop *loop = loop_new();
    struct side a, b;
    pair_open(loop, &a, &b);
    order_over(loop, &a, &b);
    side_close(loop, &a);
    if (!b.ended) loop_run(loop);
    assert_true(b.ended && b.end == STREAM_END_CLOSED);
    side_close(loop, &b);
    loop_free(loop);
}

static void under_tls(void **state)
{
    struct loop *loop = loop_new();
    struct buffer cert = { 0 }, key = { 0 };
    struct side a, b;
    char error[200];
    certificate_make(&cert, &key);
    struct tls_context *server =
        tls_context_server(buffer_text(&cert), buffer_text(&key), error, sizeof error);
    struct tls_context *client = tls_context_client(buffer_text(&cert), true, error, sizeof error);
    assert_non_null(server);
    assert_non_null(client);
    pair_open(loop, &a, &b);
    stream_start_tls(b.stream, server, true, TEXT_NONE);
    stream_start_tls(a.stream, client, false, TEXT("mx.test"));
    while (!a.secured || !b.secured) {
        assert_false(a.ended || b.ended);
        loop_run(loop);
    }
    assert_string_equal(stream_tls_version(a.stream), "TLSv1.3");
    order_over(loop, &a, &b);
    side_close(loop, &a);
    if (!b.ended) loop_run(loop);
    assert_true(b.ended);
    side_close(loop, &b);
    tls_context_free(server);
    tls_context_free(client);
    buffer_free(&cert);
    buffer_free(&key);
    loop_free(loop);
}

static void a_wrong_name_is_refused(void **state)
{
    struct loop *loop = loop_new();
    struct buffer cert = { 0 }, key = { 0 };
    struct side a, b;
    char error[200];
    certificate_make(&cert, &key);
    struct tls_context *server =
        tls_context_server(buffer_text(&cert), buffer_text(&key), error, sizeof error);
    struct tls_context *client = tls_context_client(buffer_text(&cert), true, error, sizeof error);
    pair_open(loop, &a, &b);
    stream_start_tls(b.stream, server, true, TEXT_NONE);
    stream_start_tls(a.stream, client, false, TEXT("other.test"));
    while (!a.ended) loop_run(loop);
    assert_int_equal(a.end, STREAM_END_TLS);
    assert_false(a.secured);
    side_close(loop, &a);
    side_close(loop, &b);
    assert_null(tls_context_server(buffer_text(&key), buffer_text(&cert), error, sizeof error));
    assert_true(strlen(error) > 0);
    tls_context_free(server);
    tls_context_free(client);
    buffer_free(&cert);
    buffer_free(&key);
    loop_free(loop);
}

/* Turns the loop until the kernel has nothing more to tell. */
static void settle(struct loop *loop)
{
    struct timer *timer = timer_new(loop, one_turn, loop);
    timer_set(timer, 50);
    loop_run(loop);
    timer_free(timer);
}

/* A side that is closed while the other is paused: with more behind it, or nothing. */
static void half_closed(void **state)
{
    enum { ANSWER = 1000000 };
    static char answer[ANSWER];
    for (int is_served = 0; is_served < 2; is_served++)
        for (int is_paused = 0; is_paused < 2; is_paused++) {
            struct loop *loop = loop_new();
            struct side a, b;
            pair_open(loop, &a, &b);
            if (is_served) stream_serve_half_closed(a.stream);
            if (is_paused) stream_pause(a.stream);
            stream_write(b.stream, TEXT("last words"));
            settle(loop);
            assert_int_equal(buffer_length(&a.got), is_paused ? 0 : 10);
            stream_write(a.stream, text_from(answer, ANSWER)); /* more than the socket takes at once */
            shutdown(stream_fd(b.stream), SHUT_WR);
            stream_pause(b.stream);
            settle(loop);
            assert_int_equal(a.ended, !is_served && !is_paused);
            stream_resume(b.stream);
            for (int i = 0; i < 200 && is_served && buffer_length(&b.got) < ANSWER; i++) settle(loop);
            settle(loop);
            assert_int_equal(a.ended, !is_paused);
            stream_resume(a.stream);
            settle(loop);
            assert_true(a.ended && a.end == STREAM_END_CLOSED);
            assert_int_equal(buffer_length(&a.got), 10);
            if (is_served) assert_int_equal(buffer_length(&b.got), ANSWER);
            side_close(loop, &a);
            side_close(loop, &b);
            loop_free(loop);
        }
}

static void count(void *context)
{
    ++*(int *)context;
}

struct again {
    struct deferred deferred, *other;
    struct loop *loop;
    int runs;
};

static void cancel_other(void *context)
{
    struct again *again = context;
    again->runs++;
    loop_defer_cancel(again->loop, again->other);
}

static void deferred_and_timers(void **state)
{
    struct loop *loop = loop_new();
    int runs = 0, fired = 0;
    struct deferred counted = { .run = count, .context = &runs }, last = { .run = one_turn, .context = loop };
    struct again again = { .deferred = { .run = cancel_other, .context = &again },
                           .other = &counted,
                           .loop = loop };
    loop_defer(loop, &again.deferred);
    loop_defer(loop, &counted); /* cancelled by the one before it in the same turn */
    loop_defer(loop, &last);
    loop_run(loop);
    assert_int_equal(again.runs, 1);
    assert_int_equal(runs, 0);
    struct timer *early = timer_new(loop, count, &fired), *end = timer_new(loop, one_turn, loop);
    timer_set(early, 5);
    timer_set(early, 10000);
    timer_set(end, 60);
    loop_run(loop);
    assert_int_equal(fired, 0); /* set later: the first time was forgotten */
    timer_set(early, 5);
    timer_set(end, 60);
    loop_run(loop);
    assert_int_equal(fired, 1);
    assert_false(timer_is_set(early));
    timer_free(early);
    timer_free(end);
    loop_free(loop);
}

static void nothing_ready(void *context, int what)
{
}

/* Ends the process, as a bug of ours must: 1 the descriptor was closed elsewhere, 2 its number is watched
 * anew. */
static void break_watch(int how)
{
    struct loop *loop = loop_new();
    int fd = dup(STDIN_FILENO);
    struct watch *watch = watch_new(loop, fd, nothing_ready, NULL);
    close(fd);
    if (how == 1) watch_free(watch);
    if (how == 2) watch_new(loop, dup(STDIN_FILENO), nothing_ready, NULL);
    _exit(0);
}

static void test_descriptor_closed_behind_its_watch(void **state)
{
    for (int how = 1; how <= 2; how++) {
        int status;
        pid_t pid = fork();
        if (pid == 0) {
            close(STDERR_FILENO);
            break_watch(how);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    }
}

/* While a copy of it is open elsewhere the kernel would report a closed descriptor for ever. */
static void test_closed_with_a_copy_elsewhere(void **state)
{
    struct loop *loop = loop_new();
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    int copy = dup(ends[0]);
    struct watch *watch = watch_new(loop, ends[0], nothing_ready, NULL);
    watch_set(watch, WATCH_READ);
    watch_free(watch);
    assert_int_equal(fcntl(ends[0], F_GETFD), -1);
    shutdown(copy, SHUT_RDWR);
    uint64_t begun_ms = loop_now_ms(loop);
    struct timer *timer = timer_new(loop, (void (*)(void *))loop_stop, loop);
    timer_set(timer, 100);
    struct timespec before, after;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    loop_run(loop);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    assert_true(loop_now_ms(loop) - begun_ms >= 100);
    assert_true((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 < 20);
    timer_free(timer);
    loop_free(loop);
    close(copy);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descriptor_closed_behind_its_watch),
        cmocka_unit_test(test_closed_with_a_copy_elsewhere),
        cmocka_unit_test(in_the_clear),
        cmocka_unit_test(under_tls),
        cmocka_unit_test(a_wrong_name_is_refused),
        cmocka_unit_test(half_closed),
        cmocka_unit_test(deferred_and_timers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
