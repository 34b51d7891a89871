/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What the content filter costs beside MIME: text, links, facts, base model and rules of each mail, over and
   over. usage: bench-spam-speed MODEL [--rules FOLDER] FILE… */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#include "judging.h"
#include "spam/score.h"
#include "tool.h"

enum { ROUNDS = 20, LEAVES_MOST = 64 };

struct leaf {
    const struct mime_part *part;
    struct text bytes;
};

struct sums {
    double seconds;
    uint64_t mails, bytes;
};

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint32_t leaves_decode(struct arena *arena, const struct mime *mime, struct leaf *leaves)
{
    uint32_t count = 0;
    struct buffer room = { 0 };
    for (size_t i = 0; i < mime->count && count < LEAVES_MOST; i++)
        if (mime->parts[i].kind == MIME_LEAF)
            leaves[count++] = (struct leaf){ &mime->parts[i],
                                             arena_text(arena, mime_decode(&mime->parts[i], &room, NULL)) };
    buffer_free(&room);
    return count;
}

static void mail_measure(const struct base_model *base, const struct ruleset *rules, struct text message,
                         struct sums *sums)
{
    struct leaf leaves[LEAVES_MOST];
    struct arena *arena = arena_new(1 << 16), *room = arena_new(1 << 16);
    struct mime *mime = mime_parse(arena, message, &mime_limits_default, MIME_FIRST);
    uint32_t count = leaves_decode(arena, mime, leaves);
    double begun = now_s();
    for (int round = 0; round < ROUNDS; round++) {
        struct score score = { .arena = room, .base = base, .rules = rules };
        for (uint32_t i = 0; i < count; i++) score_part(&score, leaves[i].part, leaves[i].bytes);
        for (uint32_t i = 0; i < count; i++) score_read(&score, leaves[i].part, leaves[i].bytes);
        score_message(&score, mime);
        arena_reset(room);
    }
    sums->seconds += (now_s() - begun) / ROUNDS;
    sums->mails++;
    for (uint32_t i = 0; i < count; i++)
        if (text_starts(leaves[i].part->type, TEXT("text/"))) sums->bytes += leaves[i].bytes.length;
    arena_free(room);
    arena_free(arena);
}

int main(int argc, char **argv)
{
    tool_usage(argc, argv, 2, INT_MAX - 1, "bench-spam-speed MODEL [--rules FOLDER] FILE…");
    char why[300];
    struct sums sums = { 0 };
    struct base_model *base = base_model_open(argv[1], why, sizeof why);
    if (!base) {
        fprintf(stderr, "%s\n", why);
        return EX_NOINPUT;
    }
    bool has_rules = argc > 4 && strcmp(argv[2], "--rules") == 0;
    struct ruleset *rules = has_rules ? judging_rules(argv[3]) : NULL;
    for (int i = has_rules ? 4 : 2; i < argc; i++) {
        struct text message = judging_mail(argv[i]);
        mail_measure(base, rules, message, &sums);
        free((char *)message.at);
    }
    printf("%llu mails, %.1f KB of decoded text each: %.0f us a mail, %.0f MB/s\n",
           (unsigned long long)sums.mails, (double)sums.bytes / 1e3 / (double)sums.mails,
           sums.seconds * 1e6 / (double)sums.mails, (double)sums.bytes / 1e6 / sums.seconds);
    ruleset_free(rules);
    base_model_close(base);
    return EX_OK;
}
