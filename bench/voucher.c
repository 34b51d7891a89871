/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What scan's word costs a message: the worker's digest of the body and the dispatcher's signature; queue's
   digest and comparison. usage: bench-voucher [BYTES [RECIPIENTS]] (4096, 1); prints microseconds, the median
   of nine. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ipc/voucher.h"
#include "tool.h"

enum { ROUNDS = 9, MESSAGES = 2000, RECIPIENTS_MOST = 1000 };

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Microseconds a message; dies where a voucher is not good. */
static double round_of(struct digest_key *key, struct keep_request *request, struct text body)
{
    uint8_t digest[DIGEST_BYTES];
    double begun = now_us();
    for (int i = 0; i < MESSAGES; i++) {
        request->id++;
        digest_sha256(body, digest);
        voucher_sign(key, request, digest, request->id, &request->voucher);
        digest_sha256(body, digest);
        if (!voucher_is_good(key, request, digest, request->id, 1)) abort();
    }
    return (now_us() - begun) / MESSAGES;
}

int main(int argc, char **argv)
{
    tool_usage(argc, argv, 0, 2, "bench-voucher [BYTES [RECIPIENTS]]   (4096, 1)");
    size_t bytes = argc > 1 ? strtoul(argv[1], NULL, 10) : 4096;
    uint32_t count = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1;
    if (count == 0 || count > RECIPIENTS_MOST) return 64;
    struct recipient recipients[RECIPIENTS_MOST] = { 0 };
    struct keep_recipient keeps[RECIPIENTS_MOST] = { 0 };
    double rounds[ROUNDS];
    char *body = memory_alloc(bytes + 1);
    memset(body, 'a', bytes);
    for (uint32_t i = 0; i < count; i++) recipients[i].address = TEXT("somebody@example.ac.jp");
    struct keep_request request = { .envelope = { .sender = TEXT("sender@outside.example"),
                                                  .recipient_count = count,
                                                  .recipients = recipients },
                                    .recipients = keeps,
                                    .prefix =
                                        TEXT("Received: from a (b [192.0.2.1])\r\n\tby mx with ESMTP\r\n"),
                                    .edits_count = 1,
                                    .edits = { edits_none } };
    struct digest_key *key = digest_key_new(TEXT("a secret of thirty-two bytes ..."));
    for (int i = 0; i < ROUNDS; i++) rounds[i] = round_of(key, &request, text_from(body, bytes));
    qsort(rounds, ROUNDS, sizeof *rounds, order);
    printf("%zu bytes, %u recipients: %.1f us a message\n", bytes, count, rounds[ROUNDS / 2]);
    digest_key_free(key);
    free(body);
    return 0;
}
