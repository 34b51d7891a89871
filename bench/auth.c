/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What it costs to judge a sender by SPF and DMARC when all answers are at hand, as with a warm cache.
   usage: bench-auth [JUDGEMENTS] (20000); prints for each kind of domain, and for all by turns, microseconds
   of CPU a judgement and judgements a second of one core, the median of nine. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "auth/dmarc.h"
#include "auth/spf.h"
#include "base/hash.h"
#include "tool.h"

enum { ROUNDS = 9, SLOTS = 1024, JUDGEMENTS = 20000 };

/* The records are of the shapes and sizes that large senders publish. */
static const struct {
    const char *name, *text;
} texts[] = {
    { "small.test", "v=spf1 mx a ip4:192.0.2.0/24 -all" },
    { "_dmarc.small.test", "v=DMARC1; p=none; rua=mailto:dmarc@small.test" },
    { "school.test",
      "v=spf1 ip4:203.0.113.0/25 ip4:203.0.113.192/27 ip6:2001:db8:40::/48 mx include:_spf.mail.test "
      "include:spf.office.test include:lists.test ~all" },
    { "_dmarc.school.test",
      "v=DMARC1; p=quarantine; sp=reject; rua=mailto:a@school.test,mailto:b@reports.test; "
      "ruf=mailto:c@school.test; fo=1; adkim=r; aspf=r; pct=100" },
    { "_spf.mail.test",
      "v=spf1 include:_block1.mail.test include:_block2.mail.test include:_block3.mail.test ~all" },
    { "_block1.mail.test",
      "v=spf1 ip4:35.190.247.0/24 ip4:64.233.160.0/19 ip4:66.102.0.0/20 ip4:66.249.80.0/20 "
      "ip4:72.14.192.0/18 ip4:74.125.0.0/16 ip4:108.177.8.0/21 ip4:173.194.0.0/16 "
      "ip4:209.85.128.0/17 ip4:216.58.192.0/19 ip4:216.239.32.0/19 ~all" },
    { "_block2.mail.test", "v=spf1 ip6:2001:4860:4000::/36 ip6:2404:6800:4000::/36 ip6:2607:f8b0:4000::/36 "
                           "ip6:2800:3f0:4000::/36 ip6:2a00:1450:4000::/36 ip6:2c0f:fb50:4000::/36 ~all" },
    { "_block3.mail.test",
      "v=spf1 ip4:172.217.0.0/19 ip4:172.217.32.0/20 ip4:172.217.128.0/19 ip4:172.217.160.0/20 "
      "ip4:172.217.192.0/19 ip4:172.253.56.0/21 ip4:172.253.112.0/20 ip4:108.177.96.0/19 "
      "ip4:35.191.0.0/16 ip4:130.211.0.0/22 ~all" },
    { "spf.office.test",
      "v=spf1 ip4:40.92.0.0/15 ip4:40.107.0.0/16 ip4:52.100.0.0/15 ip4:52.102.0.0/16 "
      "ip4:52.103.0.0/17 ip4:104.47.0.0/17 ip6:2a01:111:f400::/48 ip6:2a01:111:f403::/49 "
      "ip6:2a01:111:f403:8000::/51 ip6:2a01:111:f403:c000::/51 ip6:2a01:111:f403:f000::/52 -all" },
    { "lists.test", "v=spf1 a:out.lists.test exists:%{i}._spf.%{d2} ?all" },
    { "deep.test", "v=spf1 include:%{l1r+}._spf.%{o} redirect=_spf.mail.test" },
    { "news._spf.deep.test", "v=spf1 exists:%{ir}.%{v}._spf.%{d2} ?all" },
    { "_dmarc.deep.test", "v=DMARC1; p=reject; psd=n" },
};

static const struct {
    const char *name, *address;
} hosts[] = {
    { "small.test", "192.0.2.200" },       { "mx.small.test", "198.51.100.7" },
    { "out.lists.test", "198.51.100.8" },  { "mx1.school.test", "203.0.113.9" },
    { "mx2.school.test", "203.0.113.10" },
};

static const struct {
    const char *name, *host;
} exchangers[] = { { "small.test", "mx.small.test" },
                   { "school.test", "mx1.school.test" },
                   { "school.test", "mx2.school.test" } };

static const struct kind {
    const char *what, *sender, *author, *client;
} kinds[] = {
    { "a record of its own that matches", "user@small.test", "small.test", "192.0.2.10" },
    { "twelve records, no match", "user@school.test", "school.test", "233.252.0.1" },
    { "twelve records, a subdomain's author", "user@school.test", "mail.dept.school.test", "40.107.9.9" },
    { "macros, a redirect, a walk of six labels", "news+june@deep.test", "a.b.c.news.deep.test",
      "172.253.60.1" },
    { "no record anywhere", "user@nowhere.test", "nowhere.test", "192.0.2.10" },
};

enum { KINDS = sizeof kinds / sizeof *kinds };

/* --- A cache: open addressing */

struct slot {
    struct text name;
    enum dns_record_type type;
    struct dns_answer answer;
};

static struct slot slots[SLOTS];

static struct slot *slot_of(struct text name, enum dns_record_type type)
{
    uint64_t at = hash_text(name) + (uint64_t)type;
    struct slot *slot = &slots[at % SLOTS];
    while (slot->type && !(slot->type == type && text_equal(slot->name, name))) slot = &slots[++at % SLOTS];
    return slot;
}

static void put(const char *name, enum dns_record_type type, struct dns_record record)
{
    struct slot *slot = slot_of(text_of(name), type);
    if (!slot->type) {
        *slot = (struct slot){ .name = text_of(name), .type = type };
        slot->answer.records = memory_alloc(8 * sizeof record);
    }
    slot->answer.records[slot->answer.count++] = record;
}

static void fill_cache(void)
{
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        put(texts[i].name, RECORD_TXT, (struct dns_record){ .text = text_of(texts[i].text) });
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        struct dns_record record = { 0 };
        if (!address_parse(text_of(hosts[i].address), &record.address)) abort();
        put(hosts[i].name, RECORD_A, record);
    }
    for (size_t i = 0; i < sizeof exchangers / sizeof *exchangers; i++)
        put(exchangers[i].name, RECORD_MX, (struct dns_record){ .name = text_of(exchangers[i].host) });
}

static bool at_hand(void *context, struct text name, enum dns_record_type type, struct dns_answer *out)
{
    const struct slot *slot = slot_of(name, type);
    *out = slot->type ? slot->answer : (struct dns_answer){ .status = DNS_NONE, .is_nxdomain = true };
    return true;
}

/* --- Rounds */

static unsigned outcomes[SPF_OUTCOME_COUNT][DMARC_OUTCOME_COUNT];

static void judge(struct arena *arena, const struct kind *kind, const struct address *client)
{
    struct spf_result spf;
    struct dmarc_result dmarc;
    struct dns_answers answers = { .arena = arena, .at_hand = at_hand };
    struct text author = text_of(kind->author);
    struct spf_request request = { .client = *client,
                                   .helo = TEXT("mail.client.test"),
                                   .sender = text_of(kind->sender) };
    if (!spf_evaluate(arena, &answers, &request, &spf)) abort();
    struct dmarc_request wish = { .authors = &author, .author_count = 1 };
    wish.spf =
        (struct dmarc_identifier){ spf.domain, spf.outcome == SPF_PASS ? DMARC_PROVEN : DMARC_UNPROVEN };
    if (!dmarc_evaluate(arena, &answers, &wish, &dmarc)) abort();
    outcomes[spf.outcome][dmarc.outcome]++;
    arena_reset(arena);
}

static double cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Kinds from `first` to `last` by turns; microseconds a judgement. */
static double measure(size_t first, size_t last, unsigned judgements)
{
    double rounds[ROUNDS];
    struct address clients[KINDS];
    struct arena *arena = arena_new(16384);
    for (size_t i = 0; i < KINDS; i++)
        if (!address_parse(text_of(kinds[i].client), &clients[i])) abort();
    for (int round = 0; round < ROUNDS; round++) {
        double begun = cpu_us();
        for (unsigned i = 0; i < judgements; i++) {
            size_t kind = first + i % (last - first + 1);
            judge(arena, &kinds[kind], &clients[kind]);
        }
        rounds[round] = (cpu_us() - begun) / judgements;
    }
    arena_free(arena);
    qsort(rounds, ROUNDS, sizeof *rounds, order);
    return rounds[ROUNDS / 2];
}

static void print_outcome(void)
{
    for (int spf = 0; spf < SPF_OUTCOME_COUNT; spf++)
        for (int dmarc = 0; dmarc < DMARC_OUTCOME_COUNT; dmarc++)
            if (outcomes[spf][dmarc])
                printf("  spf=%s dmarc=%s", spf_outcome_name((enum spf_outcome)spf),
                       dmarc_outcome_name((enum dmarc_outcome)dmarc));
    memset(outcomes, 0, sizeof outcomes);
    printf("\n");
}

int main(int argc, char **argv)
{
    tool_usage(argc, argv, 0, 1, "bench-auth [JUDGEMENTS]   (20000)");
    unsigned judgements = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : JUDGEMENTS;
    if (judgements == 0) return 64;
    fill_cache();
    for (size_t i = 0; i < KINDS; i++) {
        double us = measure(i, i, judgements);
        printf("%-42s %6.2f us %8.0f/s", kinds[i].what, us, 1e6 / us);
        print_outcome();
    }
    double us = measure(0, KINDS - 1, judgements);
    printf("%-42s %6.2f us %8.0f/s\n", "all by turns", us, 1e6 / us);
    return 0;
}
