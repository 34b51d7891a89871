/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Compares what was acknowledged (load --ids) with what arrived (sink --ids): lost, doubled. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "ids.h"

struct difference {
    uint64_t lost;           /* acknowledged, not received */
    uint64_t unacknowledged; /* received, not acknowledged */
    uint64_t first_lost;
};

static struct difference difference_of(const struct ids *acknowledged, const struct ids *received)
{
    struct difference difference = { 0 };
    uint64_t size = acknowledged->size > received->size ? acknowledged->size : received->size;
    for (uint64_t id = 0; id < size; id++) {
        bool sent = ids_times(acknowledged, id) > 0, came = ids_times(received, id) > 0;
        if (sent && !came && difference.lost++ == 0) difference.first_lost = id;
        if (!sent && came) difference.unacknowledged++;
    }
    return difference;
}

_Noreturn static void usage(FILE *to, int status)
{
    fputs("usage: compare [--once] [--json] ACKNOWLEDGED RECEIVED\n"
          "Two files of ids. Exit 1 when an acknowledged message was not received;\n"
          "with --once also when one was received more than once.\n",
          to);
    exit(status);
}

int main(int argc, char **argv)
{
    static const struct option options[] = { { "once", no_argument, NULL, 'o' },
                                             { "json", no_argument, NULL, 'j' },
                                             { "help", no_argument, NULL, 'h' },
                                             { NULL, 0, NULL, 0 } };
    bool once = false, json = false;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h') usage(stdout, 0);
        if (option == '?') usage(stderr, EX_USAGE);
        once |= option == 'o';
        json |= option == 'j';
    }
    if (argc - optind != 2) usage(stderr, EX_USAGE);
    struct ids acknowledged = { 0 }, received = { 0 };
    ids_read(&acknowledged, argv[optind]);
    ids_read(&received, argv[optind + 1]);
    struct difference difference = difference_of(&acknowledged, &received);
    printf(json ? "{\"acknowledged\":%llu,\"received\":%llu,\"lost\":%llu,\"doubled\":%llu,"
                  "\"unacknowledged\":%llu}\n"
                : "acknowledged %llu, received %llu, lost %llu, doubled %llu, unacknowledged %llu\n",
           (unsigned long long)acknowledged.distinct, (unsigned long long)received.distinct,
           (unsigned long long)difference.lost, (unsigned long long)received.doubled,
           (unsigned long long)difference.unacknowledged);
    if (difference.lost && !json) printf("first lost: id %llu\n", (unsigned long long)difference.first_lost);
    bool bad = difference.lost > 0 || (once && received.doubled > 0);
    ids_free(&acknowledged);
    ids_free(&received);
    return bad ? 1 : 0;
}
