/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: of all connections the next life gets those with a message under way, and no other; whatever stands
   in the file or waits in the pair. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "deliver/flights.h"

static struct place {
    int file, pair[2];
} place;

static int start(void **state)
{
    (void)state;
    place.file = memfd_create("flights", MFD_CLOEXEC);
    assert_int_equal(ftruncate(place.file, FLIGHTS_FILE_BYTES), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, place.pair), 0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    close(place.file);
    close(place.pair[0]);
    close(place.pair[1]);
    return 0;
}

static struct flights *life(void)
{
    struct flights *flights = flights_new(place.file, place.pair[0], place.pair[1]);
    assert_non_null(flights);
    return flights;
}

static struct flights *first_life(void)
{
    struct flights *flights = life();
    struct flight_load load;
    int fd;
    assert_false(flights_take(flights, &load, &fd));
    return flights;
}

/* A connection: the server's end of it, and ours, which is closed as by the death of a process. */
struct line {
    int server, client;
    struct flight *flight;
};

static struct line line_open(struct flights *flights)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    return (struct line){ pair[0], pair[1], flights_add(flights, pair[1]) };
}

static struct flight_load load_of(uint64_t message)
{
    return (struct flight_load){ .job_id = message + 1000,
                                 .message_id = message,
                                 .recipient_count = 2,
                                 .is_bdat = true,
                                 .numbers = { 4, 7 },
                                 .relay_length = 2,
                                 .relay = "mx" };
}

static bool is_hung_up(const struct line *line)
{
    char byte;
    return recv(line->server, &byte, 1, MSG_DONTWAIT) == 0;
}

static void the_next_life_hears_the_reply(void **state)
{
    struct flight_load load = load_of(5);
    int fd;
    (void)state;
    struct flights *flights = first_life();
    struct line under_way = line_open(flights), idle = line_open(flights), landed = line_open(flights),
                ended = line_open(flights);
    flight_depart(under_way.flight, &load);
    flight_replied(under_way.flight, 99, 2, false, 0, 1);
    load.message_id = 6;
    flight_depart(landed.flight, &load);
    flight_land(landed.flight);
    flight_depart(ended.flight, &load);
    flight_end(flights, ended.flight);
    flights_free(flights);
    close(under_way.client);
    close(idle.client);
    close(landed.client);
    close(ended.client);
    assert_false(is_hung_up(&under_way));

    flights = life();
    assert_true(flights_take(flights, &load, &fd));
    assert_int_equal(load.message_id, 5);
    assert_int_equal(load.job_id, 1005);
    assert_int_equal(load.replied, 2);
    assert_int_equal(load.heard, 99);
    assert_int_equal(load.numbers[1], 7);
    assert_int_equal(load.states[0], 1);
    assert_int_equal(write(under_way.server, "250", 3), 3);
    char room[8] = "";
    assert_int_equal(read(fd, room, sizeof room), 3);
    close(fd);
    assert_true(is_hung_up(&under_way));
    assert_false(flights_take(flights, &load, &fd));
    assert_true(is_hung_up(&idle) && is_hung_up(&landed) && is_hung_up(&ended));
    flights_free(flights);
    close(under_way.server);
    close(idle.server);
    close(landed.server);
    close(ended.server);
}

/* What has ended does not fill the pair. */
static void many_come_and_go(void **state)
{
    struct flight_load load = load_of(0);
    int fd;
    unsigned found = 0;
    (void)state;
    struct flights *flights = first_life();
    struct line stay[3];
    for (unsigned i = 0; i < 3; i++) {
        stay[i] = line_open(flights);
        load.message_id = i;
        flight_depart(stay[i].flight, &load);
        close(stay[i].client);
        for (unsigned k = 0; k < 2000; k++) {
            struct line line = line_open(flights);
            assert_non_null(line.flight);
            flight_end(flights, line.flight);
            close(line.client);
            close(line.server);
        }
    }
    flights_free(flights);
    flights = life();
    while (flights_take(flights, &load, &fd)) {
        assert_true(load.message_id < 3 && !is_hung_up(&stay[load.message_id]));
        found++;
        close(fd);
    }
    assert_int_equal(found, 3);
    flights_free(flights);
    for (unsigned i = 0; i < 3; i++) close(stay[i].server);
}

static void no_more_than_there_is_room_for(void **state)
{
    static struct line lines[FLIGHTS_MOST + 10];
    unsigned kept = 0;
    (void)state;
    struct flights *flights = first_life();
    for (unsigned i = 0; i < FLIGHTS_MOST + 10; i++) {
        lines[i] = line_open(flights);
        kept += lines[i].flight != NULL;
    }
    assert_true(kept > 100 && kept <= FLIGHTS_MOST);
    for (unsigned i = 0; i < FLIGHTS_MOST + 10; i++) {
        if (lines[i].flight) flight_end(flights, lines[i].flight);
        close(lines[i].client);
        close(lines[i].server);
    }
    struct line line = line_open(flights);
    assert_non_null(line.flight);
    close(line.client);
    close(line.server);
    flights_free(flights);
}

static void what_makes_no_sense_is_passed_over(void **state)
{
    static const struct {
        uint32_t recipient_count, replied;
        uint8_t first_state;
        uint16_t relay_length;
    } rows[] = { { 0, 0, 0, 2 },
                 { FLIGHT_RECIPIENTS_MOST + 1, 0, 0, 2 },
                 { UINT32_MAX, 0, 0, 2 },
                 { 2, 4, 0, 2 },
                 { 2, UINT32_MAX, 0, 2 },
                 { 2, 0, 3, 2 },
                 { 2, 0, 0, FLIGHT_RELAY_MOST + 1 } };
    struct flight_load load;
    int fd;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct flights *flights = first_life();
        struct line line = line_open(flights);
        load = load_of(1);
        load.recipient_count = rows[i].recipient_count;
        load.replied = rows[i].replied;
        load.states[0] = rows[i].first_state;
        load.relay_length = rows[i].relay_length;
        flight_depart(line.flight, &load);
        flights_free(flights);
        close(line.client);
        flights = life();
        assert_false(flights_take(flights, &load, &fd));
        assert_true(is_hung_up(&line));
        flights_free(flights);
        close(line.server);
    }
}

/* Packets and a file that nobody of ours wrote. */
static void anything_at_all(void **state)
{
    struct flight_load load;
    int fd;
    (void)state;
    srand(1);
    for (unsigned turn = 0; turn < 200; turn++) {
        char bytes[64];
        for (unsigned at = 0; at < FLIGHTS_FILE_BYTES; at += sizeof bytes) {
            for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(rand() % 3);
            if (turn % 8 == 0 || at % FLIGHT_BYTES == 0)
                assert_int_equal(pwrite(place.file, bytes, sizeof bytes, at), sizeof bytes);
        }
        for (unsigned i = 0; i < 20; i++)
            assert_true(send(place.pair[0], bytes, (size_t)(rand() % 40), MSG_DONTWAIT) >= 0);
        struct flights *flights = life();
        while (flights_take(flights, &load, &fd)) close(fd);
        struct line line = line_open(flights);
        assert_non_null(line.flight);
        flights_free(flights);
        close(line.client);
        close(line.server);
    }
}

/* What the content was answered, and what came behind it, is the next life's too. */
static void a_verdict_is_kept(void **state)
{
    struct flight_load load = load_of(5);
    struct flight_verdict verdict = { .reset_is_answered = 1, .quit_is_said = 1 };
    int fd;
    (void)state;
    struct flights *flights = first_life();
    struct line line = line_open(flights);
    load.is_bdat = false;
    load.stage = FLIGHT_CONTENT;
    load.replied = 4;
    flight_depart(line.flight, &load);
    flight_judged(line.flight, 70, &(struct flight_verdict){ 0 },
                  TEXT("250-2.0.0 two\r\n250 2.0.0 kept\r\n"));
    flight_judged(line.flight, 80, &verdict, TEXT("250 2.0.0 reset\r\n"));
    flights_free(flights);
    close(line.client);
    flights = life();
    assert_true(flights_take(flights, &load, &fd));
    assert_int_equal(load.stage, FLIGHT_VERDICT);
    assert_int_equal(load.heard, 80);
    assert_true(load.verdict.reset_is_answered && load.verdict.quit_is_said &&
                !load.verdict.reset_is_refused);
    assert_true(text_equal(text_from(load.reply, load.reply_length), TEXT("250 2.0.0 kept\n")));
    close(fd);
    flights_free(flights);
    close(line.server);
}

/* Behind 354 one reply more has been read than by BDAT; what an earlier release left does not say which it
 * is. */
static void the_stage_fits_the_replies(void **state)
{
    static const struct {
        uint8_t stage, is_bdat;
        uint32_t replied;
        bool is_good;
    } rows[] = { { FLIGHT_UNSTATED, 1, 3, true },    { FLIGHT_UNSTATED, 1, 4, false },
                 { FLIGHT_UNSTATED, 0, 4, false },   { FLIGHT_CONTENT, 1, 3, true },
                 { FLIGHT_CONTENT, 1, 4, false },    { FLIGHT_CONTENT, 0, 4, true },
                 { FLIGHT_CONTENT, 0, 3, false },    { FLIGHT_CONTENT, 0, 5, false },
                 { FLIGHT_VERDICT, 0, 4, true },     { FLIGHT_VERDICT, 1, 3, false },
                 { FLIGHT_VERDICT + 1, 0, 4, false } };
    struct flight_load load;
    int fd;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct flights *flights = first_life();
        struct line line = line_open(flights);
        load = load_of(1);
        load.stage = rows[i].stage;
        load.is_bdat = rows[i].is_bdat;
        load.replied = rows[i].replied;
        flight_depart(line.flight, &load);
        flights_free(flights);
        close(line.client);
        flights = life();
        bool is_taken = flights_take(flights, &load, &fd);
        if (is_taken) close(fd);
        if (is_taken != rows[i].is_good) fail_msg("row %zu", i);
        flights_free(flights);
        close(line.server);
    }
}

static void something_is_missing(void **state)
{
    (void)state;
    assert_null(flights_new(-1, place.pair[0], place.pair[1]));
    assert_null(flights_new(place.file, -1, place.pair[1]));
    assert_int_equal(ftruncate(place.file, FLIGHTS_FILE_BYTES - 1), 0);
    assert_null(flights_new(place.file, place.pair[0], place.pair[1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_next_life_hears_the_reply, start, stop),
        cmocka_unit_test_setup_teardown(many_come_and_go, start, stop),
        cmocka_unit_test_setup_teardown(no_more_than_there_is_room_for, start, stop),
        cmocka_unit_test_setup_teardown(what_makes_no_sense_is_passed_over, start, stop),
        cmocka_unit_test_setup_teardown(a_verdict_is_kept, start, stop),
        cmocka_unit_test_setup_teardown(the_stage_fits_the_replies, start, stop),
        cmocka_unit_test_setup_teardown(anything_at_all, start, stop),
        cmocka_unit_test_setup_teardown(something_is_missing, start, stop),
    };
    return cmocka_run_group_tests_name("deliver flights", tests, NULL, NULL);
}
