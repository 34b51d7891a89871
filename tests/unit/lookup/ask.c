/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Drives the lookup folder by hand, for tests/flow/test_lookup.py: a line in, a line out.
   ask [SERVER…] [+dnssec]; input lines: TAG host|mx|client|txt NAME [DEADLINE_MS], "leave TAG",
   "counts", "servers SERVER…" (a reload). Answers begin with the tag, in the order they come. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "lookup/dns_question.h"

enum { SERVERS_MOST = 8 };

struct driver {
    struct loop *loop;
    struct resolver *resolver;
    struct dns_question_table *questions;
    struct watch *input;
    struct buffer line;
    struct ask *asks;
    struct config config;
    struct text servers[SERVERS_MOST];
};

struct ask {
    struct asker asker;
    struct driver *driver;
    struct ask *next;
    bool is_over;
    char tag[32];
};

static void host_print(const struct host_answer *host)
{
    char room[ADDRESS_TEXT_SIZE];
    printf("%s%s", dns_status_name(host->status), host->secure ? " secure" : "");
    for (uint32_t i = 0; i < host->address_count; i++)
        printf(" %s", address_print(&host->addresses[i], room));
}

static void mx_print(const struct mx_answer *mx)
{
    printf("%s%s%s%s", dns_status_name(mx->status), mx->secure ? " secure" : "", mx->is_null ? " null" : "",
           mx->is_implicit ? " implicit" : "");
    for (uint32_t i = 0; i < mx->host_count; i++) {
        printf(" | %u %.*s ", mx->hosts[i].preference, TEXT_ARG(mx->hosts[i].host));
        host_print(&mx->hosts[i].addresses);
    }
}

static void texts_print(const struct dns_answer *answer)
{
    printf("%s%s", dns_status_name(answer->status), answer->is_nxdomain ? " nxdomain" : "");
    for (uint32_t i = 0; i < answer->count; i++) printf(" \"%.*s\"", TEXT_ARG(answer->records[i].text));
}

static void answered(struct asker *asker, const struct dns_question_answer *answer)
{
    static const char *const client_statuses[] = { "confirmed", "unconfirmed", "none", "temperror" };
    struct ask *ask = (struct ask *)asker;
    printf("%s ", ask->tag);
    if (answer->kind == DNS_QUESTION_HOST) host_print(answer->host);
    if (answer->kind == DNS_QUESTION_MX) mx_print(answer->mx);
    if (answer->kind == DNS_QUESTION_RECORDS) texts_print(answer->records);
    if (answer->kind == DNS_QUESTION_CLIENT_NAME)
        printf("%s %.*s", client_statuses[answer->client_name->status], TEXT_ARG(answer->client_name->name));
    printf("\n");
    fflush(stdout);
    ask->is_over = true;
}

static void ask_line(struct driver *driver, struct text tag, struct text rest)
{
    struct text kind = TEXT_NONE, name = TEXT_NONE, word = TEXT_NONE;
    uint64_t deadline_ms = 0;
    text_next_word(&rest, &kind);
    text_next_word(&rest, &name);
    if (text_next_word(&rest, &word)) text_to_number(word, UINT32_MAX, &deadline_ms);
    struct ask *ask = memory_alloc(sizeof *ask);
    *ask = (struct ask){ .asker.answered = answered, .driver = driver, .next = driver->asks };
    snprintf(ask->tag, sizeof ask->tag, "%.*s", TEXT_ARG(tag));
    driver->asks = ask;
    struct dns_question_subject subject = { .kind = DNS_QUESTION_RECORDS, .name = name };
    if (text_equal(kind, TEXT("host"))) subject.kind = DNS_QUESTION_HOST;
    if (text_equal(kind, TEXT("mx"))) subject.kind = DNS_QUESTION_MX;
    if (text_equal(kind, TEXT("client"))) {
        subject.kind = DNS_QUESTION_CLIENT_NAME;
        address_parse(name, &subject.client);
    } else if (subject.kind == DNS_QUESTION_RECORDS) {
        dns_record_type_find(kind, &subject.type);
    }
    dns_question_ask(driver->questions, &subject, (uint32_t)deadline_ms, &ask->asker);
}

static void servers_set(struct driver *driver, struct text rest)
{
    struct text word;
    driver->config.dns.servers.items = driver->servers;
    driver->config.dns.servers.count = 0;
    while (driver->config.dns.servers.count < SERVERS_MOST && text_next_word(&rest, &word))
        driver->servers[driver->config.dns.servers.count++] = word;
    printf("servers %s\n", resolver_configure(driver->resolver, &driver->config) ? "taken" : "refused");
    fflush(stdout);
}

static void counts_print(struct driver *driver)
{
    const struct dns_question_counts *q = dns_question_counts(driver->questions);
    const struct resolver_counts *d = resolver_counts(driver->resolver);
    printf("counts asked=%lu merged=%lu temperrors=%lu late=%lu over=%lu in_flight=%u waiting=%u dns=%lu "
           "dns_cache=%lu dns_in_flight=%u bogus=%lu\n",
           q->asked, q->merged, q->temperrors, q->late, q->over_limit, q->in_flight, q->waiting, d->asked,
           d->from_cache, d->in_flight, d->bogus);
    fflush(stdout);
}

static void leave(struct driver *driver, struct text tag)
{
    for (struct ask *ask = driver->asks; ask; ask = ask->next)
        if (text_equal(text_of(ask->tag), tag) && !ask->is_over) dns_question_leave(&ask->asker);
}

static void line_take(struct driver *driver, struct text line)
{
    struct text word;
    if (!text_next_word(&line, &word)) return;
    if (text_equal(word, TEXT("counts")))
        counts_print(driver);
    else if (text_equal(word, TEXT("servers")))
        servers_set(driver, line);
    else if (text_equal(word, TEXT("leave")))
        leave(driver, text_trim(line));
    else
        ask_line(driver, word, line);
}

static void on_input(void *context, int what)
{
    struct driver *driver = context;
    ssize_t size = read(STDIN_FILENO, buffer_reserve(&driver->line, 65536), 65536);
    if (size <= 0) {
        loop_stop(driver->loop);
        return;
    }
    buffer_commit(&driver->line, (size_t)size);
    for (;;) {
        struct text all = buffer_text(&driver->line);
        size_t end = text_find_char(all, '\n');
        if (end == all.length) return;
        line_take(driver, text_slice(all, 0, end));
        buffer_consume(&driver->line, end + 1);
    }
}

int main(int argc, char **argv)
{
    static struct driver driver;
    log_open("ask", LOG_TARGET_STDERR, NULL, LOG_LEVEL_INFO);
    driver.config.dns.cache_bytes = 16 << 20;
    driver.config.dns.servers.items = driver.servers;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "+dnssec") == 0)
            driver.config.dns.dnssec = true;
        else if (driver.config.dns.servers.count < SERVERS_MOST)
            driver.servers[driver.config.dns.servers.count++] = text_of(argv[i]);
    }
    driver.loop = loop_new();
    driver.resolver = resolver_new(driver.loop);
    if (!resolver_configure(driver.resolver, &driver.config)) return 78;
    driver.questions = dns_question_table_new(driver.loop, driver.resolver,
                                              &(struct dns_question_manner){ .timeout_ms = 5000 });
    driver.input = watch_new(driver.loop, STDIN_FILENO, on_input, &driver);
    watch_set(driver.input, WATCH_READ);
    loop_run(driver.loop);
    for (struct ask *next; driver.asks; driver.asks = next) {
        next = driver.asks->next;
        dns_question_leave(&driver.asks->asker);
        free(driver.asks);
    }
    dns_question_table_free(driver.questions);
    resolver_free(driver.resolver);
    watch_free(driver.input);
    buffer_free(&driver.line);
    loop_free(driver.loop);
    return 0;
}
