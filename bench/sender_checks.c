/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What all checks of who sends cost a message when nothing has to be waited for: lists of networks, names,
   hashes and links as files, two zones of the DNS whose answers are in the cache, allow and block entries,
   and impostors. The message has 11 things that lists are asked about. Processor time of the processes that
   do it, lookup and scan's worker; what frames between them cost is in bench/check. usage:
   bench-sender-checks [ROUNDS]   (20000) */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/die.h"
#include "base/file.h"
#include "config/entry_image.h"
#include "config/load.h"
#include "impostor/impostor_look.h"
#include "lookup/list_inquiry.h"
#include "scan/entry_match.h"
#include "scan/list_questions.h"
#include "tool.h"

enum { ENTRIES = 100000, SENDER_ENTRIES = 1000, PEOPLE = 300, FILES = 4, ROUNDS = 20000, MOST_US = 30 };

static const char mail[] =
    "From: Taro Sato <taro@partner.example>\r\nReply-To: taro@partner.example\r\nTo: user@ours.test\r\n"
    "Subject: hello\r\nMessage-ID: <1@partner.example>\r\n\r\nhttps://www.partner.example/\r\n";
static const char link_hosts[] =
    "www.partner.example\na.example\nb.example\nshop.example.jp\ncdn.example.net\n";
static const char link_urls[] = "https://www.partner.example/\nhttps://a.example/x\n";

static const char *const subjects[] = {
    "client 198.18.200.7",      "helo mail.partner.example",
    "sender partner.example",   "from partner.example",
    "link www.partner.example", "link a.example",
    "link b.example",           "link shop.example.jp",
    "link cdn.example.net",     "hash 275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f",
    "link-hash a.example/x",
};
enum { SUBJECTS = sizeof subjects / sizeof *subjects };

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- a server of the zones, in a process of its own --- */

/* Both test entries are there, and nothing else. */
static size_t reply_make(uint8_t *packet, size_t length)
{
    struct text asked = text_from((const char *)packet + 12, length - 12);
    bool is_there = text_starts(asked, TEXT("\x01"
                                            "2\x01"
                                            "0\x01"
                                            "0\x03"
                                            "127")) ||
                    text_starts(asked, TEXT("\x07"
                                            "dbltest\x03"
                                            "com"));
    static const uint8_t found[] = { 0xc0, 12, 0, 1, 0, 1, 0, 1, 0, 0, 0, 4, 127, 0, 0, 2 };
    size_t end = 12;
    while (end < length && packet[end]) end += packet[end] + 1u;
    end += 5;
    bool is_name = text_starts(asked, TEXT("\x07"
                                           "dbltest"));
    memcpy(packet + 2, is_there ? "\x85\x80\0\1\0\1\0\0\0\0" : "\x85\x83\0\1\0\0\0\0\0\0", 10);
    if (is_there) memcpy(packet + end, found, sizeof found);
    if (is_there && is_name) packet[end + 14] = 1; /* 127.0.1.2 */
    return end + (is_there ? sizeof found : 0);
}

static _Noreturn void serve(int fd)
{
    for (;;) {
        uint8_t packet[1500];
        struct sockaddr_in from;
        socklen_t size = sizeof from;
        ssize_t length = recvfrom(fd, packet, 512, 0, (struct sockaddr *)&from, &size);
        if (length > 16)
            sendto(fd, packet, reply_make(packet, (size_t)length), 0, (struct sockaddr *)&from, size);
    }
}

static uint16_t server_start(pid_t *out_pid)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, size) != 0) die_errno("no socket");
    getsockname(fd, (struct sockaddr *)&at, &size);
    *out_pid = fork();
    if (*out_pid == 0) serve(fd);
    close(fd);
    return ntohs(at.sin_port);
}

/* --- the world --- */

struct world {
    struct config *config;
    struct list_sources lists;
    struct impostor_set *people;
    struct buffer entries;
    unsigned pending, hits;
};

static int file_of(int kind)
{
    struct buffer text = { 0 };
    for (unsigned i = 0; i < ENTRIES; i++) {
        unsigned n = i * 2654435761u;
        if (kind == 0)
            buffer_printf(&text, "%u.%u.%u.%u\n", 20 + (n >> 24) % 100, n >> 16 & 255, n >> 8 & 255, n & 255);
        else if (kind == 1)
            buffer_printf(&text, "h%x.d%x.example\n", n >> 20, n);
        else
            buffer_printf(&text, "%08x%08x%08x%08x%08x%08x%08x%08x\n", n, i, n, i, n, i, n, i);
    }
    int fd = memfd_create("list", MFD_CLOEXEC);
    if (fd < 0 || !file_write_all(fd, buffer_text(&text))) die_errno("no file");
    buffer_free(&text);
    return fd;
}

static void entries_make(struct buffer *out)
{
    struct arena *arena = arena_new(0);
    struct sender_entry *entries = arena_alloc_array(arena, SENDER_ENTRIES, sizeof *entries);
    const char *why;
    for (uint32_t i = 0; i < SENDER_ENTRIES; i++) {
        entries[i] = (struct sender_entry){ .number = i + 1, .verb = i % 2 };
        const char *format = i % 3 == 0 ? "10.%u.0.0/24" : i % 3 == 1 ? "d%u.example" : "user@d%u.example";
        if (!sender_entry_read_what(arena, arena_printf(arena, format, i % 250), &entries[i], &why))
            die("%s", why);
    }
    if (!entry_image_write(entries, SENDER_ENTRIES, out)) die("no image of entries");
    arena_free(arena);
}

static void settled(void *context)
{
}

static void config_make(struct world *world, uint16_t port)
{
    struct buffer text = { 0 }, people = { 0 };
    struct problem_list problems;
    buffer_printf(&text,
                  "hostname mx.ours.test\ndomains { ours.test 127.0.0.1; more.test 127.0.0.1 }\n"
                  "dns { dnssec off }\nspam { base model none; rules none; own rules none }\n"
                  "partners partner.example other.example\n"
                  "list networks { networks /n }\nlist names { names /n }\nlist files { hashes /n }\n"
                  "list links { hashes /n; about link-hash }\nlist spamhaus-zen { servers 127.0.0.1@%u }\n"
                  "list spamhaus-dbl { servers 127.0.0.1@%u }\n",
                  port, port);
    problem_list_start(&problems);
    world->config = config_load_text(buffer_text(&text), "bench", false, &problems);
    if (!world->config) {
        for (size_t i = 0; i < problems.count; i++) problem_print(&problems.items[i], &people);
        die("%.*s", TEXT_ARG(buffer_text(&people)));
    }
    for (int i = 0; i < PEOPLE; i++)
        buffer_printf(&people, "Given%d Family%d <p%d@ours.test>\n", i % 20, i, i);
    world->config->people.content = buffer_text(&people);
    world->people = impostor_set_new(world->config);
    buffer_free(&text);
}

static void lists_make(struct world *world)
{
    int fds[FILES + 2] = { file_of(0), file_of(1), file_of(2), file_of(2), -1, -1 };
    struct loop *loop = loop_new();
    struct resolver *resolver = resolver_new(loop);
    struct list_sources *lists = &world->lists;
    *lists = (struct list_sources){ loop, world->config, local_lists_new(loop, settled, NULL),
                                    dns_lists_new(loop, resolver) };
    local_lists_configure(lists->local, world->config, fds);
    local_lists_finish(lists->local);
    dns_lists_configure(lists->dns, world->config);
}

/* --- lookup's part --- */

static void over(void *context)
{
    loop_stop(((struct world *)context)->lists.loop);
}

static void zones_wait(struct world *world)
{
    struct timer *timer = timer_new(world->lists.loop, over, world);
    struct dns_list_state zen, dbl;
    for (int i = 0; i < 100; i++) {
        timer_set(timer, 50);
        loop_run(world->lists.loop);
        if (dns_lists_state(world->lists.dns, TEXT("spamhaus-zen"), &zen) &&
            zen.standing == DNS_LIST_IS_IN_FORCE &&
            dns_lists_state(world->lists.dns, TEXT("spamhaus-dbl"), &dbl) &&
            dbl.standing == DNS_LIST_IS_IN_FORCE)
            break;
        if (i == 99) die("the zones are not in force");
    }
    timer_free(timer);
}

static void answered(void *context, const struct list_answer *answer)
{
    struct world *world = context;
    world->hits += answer->hit_count + answer->is_incomplete;
    if (--world->pending == 0) loop_stop(world->lists.loop);
}

static void lists_ask(struct world *world)
{
    world->pending = SUBJECTS + 1;
    for (int i = 0; i < SUBJECTS; i++)
        list_inquiry_begin(&world->lists, text_of(subjects[i]), false, 0, answered, world);
    if (--world->pending > 0) loop_run(world->lists.loop);
}

/* --- the worker's part --- */

static void worker_check(const struct world *world, struct arena *arena, const struct mime *mime)
{
    struct text to = TEXT("user@ours.test");
    struct facts facts = { 0 };
    struct score score = { .arena = arena };
    struct list_demand demand;
    struct entry_ruling ruling;
    struct impostor_findings findings;
    const struct auth_judgement authentication = { 0 };
    struct occasion occasion = { .direction = DIRECTION_IN,
                                 .sender = TEXT("taro@partner.example"),
                                 .recipient_count = 1,
                                 .recipients = &to };
    address_parse(TEXT("198.18.200.7"), &occasion.client);
    struct from_domains from = { 0 };
    const struct list_content content = { &from, TEXT(link_hosts), TEXT(link_urls), NULL };
    const struct impostor_source source = { world->config,   world->people,    mime,
                                            occasion.sender, TEXT(link_hosts), TEXT_NONE };
    const struct entry_request request = {
        world->config, &occasion, &facts, &authentication, buffer_text(&world->entries), 1
    };
    impostor_look(arena, &source, &findings);
    from_domains_find(arena, mime->parts[0].header, &from);
    list_questions_raise(arena, world->config, mime->parts[0].header, &content, &facts);
    list_answers_weigh(world->config, facts.questions, facts.question_count, &score, &demand);
    entry_match(&request, &score, &ruling);
    arena_reset(arena);
}

int main(int argc, char **argv)
{
    tool_usage(argc, argv, 0, 1, "bench-sender-checks [ROUNDS]   (20000)");
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : ROUNDS;
    struct world world = { 0 };
    pid_t server;
    config_make(&world, server_start(&server));
    entries_make(&world.entries);
    lists_make(&world);
    zones_wait(&world);
    lists_ask(&world); /* into the cache */
    double begun = now_s();
    for (unsigned i = 0; i < rounds; i++) lists_ask(&world);
    double lookup_us = (now_s() - begun) * 1e6 / rounds;

    struct arena *parsed = arena_new(0), *arena = arena_new(1 << 16);
    const struct mime *mime = mime_parse(parsed, TEXT(mail), &mime_limits_default, MIME_FIRST);
    begun = now_s();
    for (unsigned i = 0; i < rounds; i++) worker_check(&world, arena, mime);
    double worker_us = (now_s() - begun) * 1e6 / rounds;
    kill(server, SIGKILL);
    printf("%d questions to %d files of %d entries and 2 zones: lookup %.1f us; %d allow and block entries, "
           "%d people, "
           "2 partners: worker %.1f us; in all %.1f us a message (%u listed or unknown)\n",
           SUBJECTS, FILES, ENTRIES, lookup_us, SENDER_ENTRIES, PEOPLE, worker_us, lookup_us + worker_us,
           world.hits);
    return lookup_us + worker_us > MOST_US || world.hits > 0;
}
