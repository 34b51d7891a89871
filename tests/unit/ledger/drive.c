/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Plays master and two processes that tell the real ledger process events, for tests/flow/test_ledger.py:
   drive LEDGER-PROGRAM CONFIGURATION FOLDER. Input lines: "accept FIRST COUNT" (message ids, one recipient
   each), "end FIRST COUNT ENDING", "refuse COUNT", "balance", "status", "kill" (and start again). */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "ipc/counters.h"
#include "ipc/event.h"
#include "ipc/ring.h"
#include "play_master.h"

enum { RECEIVE_SLOT = 2, DELIVER_SLOT = 40, STEP_US = 500 };

struct driver {
    struct played played;
    char **argv;
    int receive_fd, deliver_fd, counters_fd;
    struct ring *receive, *deliver;
    uint64_t refusals;
};

static void process_begin(struct driver *driver)
{
    int folder = open(driver->argv[3], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) play_fail(driver->argv[3]);
    play_start(&driver->played, driver->argv[1], PROCESS_LEDGER, driver->argv[2]);
    play_give_map(&driver->played, "counters", 1, driver->counters_fd);
    play_give_map(&driver->played, "events", RECEIVE_SLOT, driver->receive_fd);
    play_give_map(&driver->played, "events", DELIVER_SLOT, driver->deliver_fd);
    play_give_folder(&driver->played, "ledger", folder);
    if (mkdirat(folder, "quarantine", 0700) != 0 && errno != EEXIST) play_fail("quarantine");
    int quarantine = openat(folder, "quarantine", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (quarantine < 0) play_fail("quarantine");
    play_give_folder(&driver->played, "quarantine", quarantine);
    close(quarantine);
    close(folder);
    play_wait_ready(&driver->played);
}

static void process_kill(struct driver *driver)
{
    kill(driver->played.pid, SIGKILL);
    waitpid(driver->played.pid, NULL, 0);
    close(driver->played.control);
    process_begin(driver);
}

static void tell(struct ring *ring, struct buffer *record)
{
    while (!ring_append(ring, buffer_text(record))) usleep(STEP_US);
    buffer_clear(record);
}

static void accept_tell(struct driver *driver, uint64_t first, uint64_t count)
{
    struct buffer record = { 0 };
    const struct event_recipient recipient = { .address = TEXT("somebody@example.ac.jp") };
    struct event_accepted event = { .size = 4000,
                                    .helo = TEXT("mx.example.jp"),
                                    .sender = TEXT("a@example.jp"),
                                    .recipient_count = 1,
                                    .recipients = &recipient };
    address_parse(TEXT("192.0.2.7"), &event.client);
    for (uint64_t id = first; id < first + count; id++) {
        event.id = event.time_ms = id;
        event_accepted_put(&event, 0, &record);
        tell(driver->receive, &record);
    }
    buffer_free(&record);
}

static void end_tell(struct driver *driver, uint64_t first, uint64_t count, struct text ending)
{
    struct buffer record = { 0 };
    struct event_ended event = { .dsn = TEXT("2.0.0"),
                                 .relay = TEXT("192.0.2.9:25"),
                                 .reply = TEXT("250 Ok") };
    while (event.ending < ENDING_COUNT && !text_equal(ending, text_of(ending_name(event.ending))))
        event.ending++;
    for (uint64_t id = first; id < first + count; id++) {
        event.id = event.time_ms = id;
        event_ended_put(&event, &record);
        tell(driver->deliver, &record);
    }
    buffer_free(&record);
}

static void refuse_tell(struct driver *driver, uint64_t count)
{
    struct buffer record = { 0 };
    struct event_refused event = { .recipient = TEXT("x@example.jp"),
                                   .reply = TEXT("550 5.1.1 No such user") };
    for (uint64_t i = 0; i < count; i++) {
        event.time_ms = driver->refusals++ / 3; /* several in one millisecond */
        event_refused_put(&event, &record);
        tell(driver->receive, &record);
    }
    buffer_free(&record);
}

static void balance_print(struct driver *driver)
{
    int ends[2];
    struct frame frame;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) play_fail("socketpair");
    play_give_client(&driver->played, "balance", ends[1]);
    close(ends[1]);
    if (!channel_wait(ends[0], 20000, &frame) || frame.type != MASTER_DONE) play_fail("no balance");
    struct reader reader = reader_of(frame.payload);
    unsigned code = get_u8(&reader);
    struct text answer = get_text(&reader);
    printf("balance %u %.*s\n", code, TEXT_ARG(answer));
    close(ends[0]);
}

static void line_take(struct driver *driver, struct text line)
{
    struct text verb = TEXT_NONE, words[3] = { 0 };
    uint64_t first = 0, count = 0;
    text_next_word(&line, &verb);
    for (int i = 0; i < 3; i++) text_next_word(&line, &words[i]);
    text_to_number(words[0], UINT64_MAX, &first);
    text_to_number(words[1], UINT64_MAX, &count);
    if (text_equal(verb, TEXT("accept"))) accept_tell(driver, first, count);
    if (text_equal(verb, TEXT("end"))) end_tell(driver, first, count, words[2]);
    if (text_equal(verb, TEXT("refuse"))) refuse_tell(driver, first);
    if (text_equal(verb, TEXT("balance"))) balance_print(driver);
    if (text_equal(verb, TEXT("status"))) play_status_print(&driver->played);
    if (text_equal(verb, TEXT("kill"))) process_kill(driver);
    if (!text_equal(verb, TEXT("balance")) && !text_equal(verb, TEXT("status"))) puts("done");
    fflush(stdout);
}

static struct ring *ring_new(int *out_fd)
{
    *out_fd = memfd_create("events", MFD_CLOEXEC);
    struct ring *ring = ring_map(*out_fd);
    if (!ring) play_fail("ring");
    return ring;
}

int main(int argc, char **argv)
{
    static struct driver driver;
    char line[256];
    if (argc != 4) return 64;
    log_open("drive", LOG_TARGET_STDERR, NULL, LOG_LEVEL_INFO);
    driver.argv = argv;
    driver.receive = ring_new(&driver.receive_fd);
    driver.deliver = ring_new(&driver.deliver_fd);
    driver.counters_fd = memfd_create("counters", MFD_CLOEXEC);
    if (ftruncate(driver.counters_fd, sizeof(struct counters_slot) * COUNTERS_SLOTS) != 0)
        play_fail("counters");
    process_begin(&driver);
    while (fgets(line, sizeof line, stdin)) line_take(&driver, text_trim(text_of(line)));
    return play_stop(&driver.played);
}
