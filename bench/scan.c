/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What judging costs: microseconds a message and stage, over the messages of a folder (or $SEKIMORI_CORPORA),
   on one core, with the configuration's base model and rules. usage: bench-scan CONFIGURATION [FOLDER]. Line
   ends become CRLF before the clock starts. */
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "judging.h"
#include "mail/reading.h"
#include "rules/rule_folders.h"
#include "scan/content.h"
#include "scan/decide.h"
#include "spam/base_model.h"
#include "tool.h"

enum { MESSAGES_MOST = 20000 };

struct bench {
    struct text messages[MESSAGES_MOST];
    size_t count, bytes;
    struct scanner scanner;
    struct arena *arena;
    struct text recipient;
    struct occasion occasion;
};

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void message_add(struct bench *bench, const char *path)
{
    struct text message = judging_mail(path);
    if (message.length == 0) return;
    bench->bytes += message.length;
    bench->messages[bench->count++] = message;
}

static void folder_read(struct bench *bench, char *folder)
{
    char *folders[] = { folder, NULL };
    FTS *tree = fts_open(folders, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *entry; tree && (entry = fts_read(tree)) && bench->count < MESSAGES_MOST;)
        if (entry->fts_info == FTS_F && text_ends(text_of(entry->fts_name), TEXT(".eml")))
            message_add(bench, entry->fts_path);
    if (tree) fts_close(tree);
}

/* --- stages --- */

static void stage_tree(struct bench *bench, struct text message)
{
    mime_parse(bench->arena, message, &mime_limits_default, MIME_FIRST);
}

static void stage_readings(struct bench *bench, struct text message)
{
    struct mime *mime = mime_parse(bench->arena, message, &mime_limits_default, MIME_FIRST);
    struct reading_list *list = reading_open(bench->arena, mime);
    struct reading reading;
    while (reading_next(list, &reading)) {
    }
    reading_close(list);
}

static void stage_content(struct bench *bench, struct text message)
{
    (void)bench;
    volatile uint16_t flags = content_flags(message, message.length / 2);
    (void)flags;
}

static void stage_read(struct bench *bench, struct text message)
{
    struct facts facts;
    read_facts(bench->arena, &bench->scanner, &bench->occasion, message, NULL, &facts);
}

static void stage_judge(struct bench *bench, struct text message)
{
    struct facts facts;
    struct verdict verdict;
    struct buffer bytes = { 0 };
    read_facts(bench->arena, &bench->scanner, &bench->occasion, message, NULL, &facts);
    decide_verdict(bench->arena, bench->scanner.config, &bench->occasion, &facts, NULL, 0, &verdict);
    facts_put(&facts, &bytes);
    verdict_put(&verdict, &bytes);
    buffer_free(&bytes);
}

static void measure(struct bench *bench, const char *name, void (*stage)(struct bench *, struct text))
{
    double begun = now_us();
    for (size_t i = 0; i < bench->count; i++) {
        stage(bench, bench->messages[i]);
        arena_reset(bench->arena);
    }
    double each = (now_us() - begun) / (double)bench->count;
    printf("%-44s %8.1f us a message %8.1f MB/s\n", name, each,
           (double)bench->bytes / (double)bench->count / each);
    fflush(stdout);
}

/* What would be read by a reader of open is found, and then there is none. */
static int reader_get(void *context)
{
    (void)context;
    return -1;
}

static void scanner_begin(struct scanner *scanner, const struct config *config)
{
    static struct reader_source readers = { .get = reader_get };
    char why[300] = "";
    struct problem_list problems;
    *scanner = (struct scanner){ config, NULL, verdict_cache_new(1), TEXT("none") };
    problem_list_start(&problems);
    scanner->readers = &readers;
    scanner->rules = rule_folders_read(config, &problems);
    scanner->base = base_model_open(memory_string(config->spam.base_model), why, sizeof why);
    printf("%s, %s\n", scanner->rules ? "rules" : "no rules", scanner->base ? "a base model" : why);
}

int main(int argc, char **argv)
{
    static const char usage[] = "bench-scan CONFIGURATION [FOLDER of .eml files, else $SEKIMORI_CORPORA]";
    tool_usage(argc, argv, 1, 2, usage);
    static struct bench bench;
    char *folder = argc > 2 ? argv[2] : getenv("SEKIMORI_CORPORA");
    if (!folder) tool_usage(0, argv, 1, 2, usage);
    struct config *config = judging_config(argv[1]);
    folder_read(&bench, folder);
    if (bench.count == 0) return fprintf(stderr, "%s: no .eml file\n", folder), 66;
    printf("%zu messages, %zu bytes on average\n", bench.count, bench.bytes / bench.count);
    bench.arena = arena_new(65536);
    bench.recipient = TEXT("user@example.test");
    bench.occasion = (struct occasion){ .recipients = &bench.recipient, .recipient_count = 1 };
    scanner_begin(&bench.scanner, config);
    measure(&bench, "tree of parts", stage_tree);
    measure(&bench, "and every reading decoded", stage_readings);
    measure(&bench, "lines and bytes (content)", stage_content);
    measure(&bench, "read, without an engine", stage_read);
    judging_enter(config);
    bench.scanner.engine = judging_engine(config);
    measure(&bench, "read, parts and message through the engine", stage_read);
    measure(&bench, "read and decide", stage_judge);
    bench.scanner.cache = verdict_cache_new(100000);
    stage_read(&bench, bench.messages[0]);
    measure(&bench, "first of identical messages", stage_read);
    measure(&bench, "again, identical messages", stage_read);
    return 0;
}
