/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which mails of a corpus are taken for near-duplicates of an earlier one, each as from a network of its own,
   and what a sketch and the table cost. usage: bench-campaigns FILE… */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "ipc/campaign_table.h"
#include "judging.h"
#include "spam/campaign_sketch.h"
#include "tool.h"

enum { ROUNDS = 20, KNOWN_MOST = 65536 };

struct sums {
    double sketch_s, table_s;
    uint64_t mails, bytes, texts, lines, files, joined;
};

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The text alone, as it was folded for others. */
static void sketch_measure(struct arena *arena, const struct mime *mime, struct sums *sums)
{
    struct message_text text;
    struct campaign_sketch sketch = { 0 };
    message_text_read(&text, arena, mime);
    double begun = now_s();
    for (int round = 0; round < ROUNDS; round++) campaign_sketch_text(&text, &sketch);
    sums->sketch_s += (now_s() - begun) / ROUNDS;
    sums->bytes += text.visible.length;
    message_text_free(&text);
}

/* Which mail was the first of which campaign. */
static struct {
    uint64_t id;
    const char *path;
} leaders[KNOWN_MOST];
static unsigned leader_count;

static const char *leader_of(uint64_t id)
{
    for (unsigned i = 0; i < leader_count; i++)
        if (leaders[i].id == id) return leaders[i].path;
    return "";
}

static void leader_note(uint64_t id, const char *path)
{
    if (leader_count == KNOWN_MOST) return;
    leaders[leader_count].id = id;
    leaders[leader_count++].path = path;
}

static void mail_take(struct campaign_table *table, const char *path, unsigned number, struct sums *sums)
{
    static const char recipient_room[] = "user@example.test";
    const struct text recipient = TEXT(recipient_room);
    struct text message = judging_mail(path);
    struct arena *arena = arena_new(1 << 16);
    struct mime *mime = mime_parse(arena, message, &mime_limits_default, MIME_FIRST);
    struct campaign_sketch sketch;
    struct campaign_answer answer;
    struct campaign_message seen = { .id = number + 1,
                                     .sender = TEXT("a@example.org"),
                                     .recipients = &recipient,
                                     .recipient_count = 1,
                                     .is_taken = true };
    uint8_t v4[4] = { (uint8_t)(number >> 8), (uint8_t)number, 1, 1 };
    address_from_bytes(v4, sizeof v4, &seen.client);
    sketch_measure(arena, mime, sums);
    campaign_sketch_message(arena, mime, &sketch);
    sums->mails++;
    sums->texts += sketch.bands[0] != 0;
    sums->lines += sketch.line != 0;
    sums->files += sketch.file_count > 0;
    if (!campaign_sketch_is_empty(&sketch)) {
        double begun = now_s();
        campaign_table_look(table, &sketch, &recipient, 1, number + 1, &answer);
        campaign_table_count(table, &sketch, &seen, number + 1);
        sums->table_s += now_s() - begun;
        if (answer.id) printf("%s\t%s\t%s\n", campaign_kind_name(answer.kind), leader_of(answer.id), path);
        sums->joined += answer.id != 0;
        bool is_new = answer.id == 0;
        campaign_table_look(table, &sketch, &recipient, 1, number + 1, &answer);
        if (is_new) leader_note(answer.id, path);
    }
    arena_free(arena);
    free((char *)message.at);
}

int main(int argc, char **argv)
{
    tool_usage(argc, argv, 1, INT_MAX - 1, "bench-campaigns FILE…");
    struct sums sums = { 0 };
    struct campaign_table_found found;
    struct campaign_table *table = campaign_table_open(memory_alloc(CAMPAIGN_FILE_BYTES), &found);
    for (int i = 1; i < argc; i++) mail_take(table, argv[i], (unsigned)i, &sums);
    double mails = (double)sums.mails;
    fprintf(stderr,
            "%.0f mails, %.1f KB of visible text each; %llu texts, %llu lines, %llu with files have keys; "
            "%llu are "
            "like an earlier one; sketch %.1f us (%.0f MB/s), table %.1f us\n",
            mails, (double)sums.bytes / 1e3 / mails, (unsigned long long)sums.texts,
            (unsigned long long)sums.lines, (unsigned long long)sums.files, (unsigned long long)sums.joined,
            sums.sketch_s * 1e6 / mails, (double)sums.bytes / 1e6 / sums.sketch_s,
            sums.table_s * 1e6 / mails);
    return EX_OK;
}
