/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* How much mail of a folder does not go through, and why: judges every mail as a scan worker would and prints
   those with another end than accept or tag, then the sums. usage: bench-held CONFIGURATION FOLDER [LABEL].
   With LABEL only those that FOLDER/index.tsv calls so ("ham"). Line ends become CRLF first. */
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "config/domains.h"
#include "judging.h"
#include "readers.h"
#include "scan/decide.h"
#include "tool.h"

struct sums {
    struct scanner scanner;
    struct text folder, index; /* `index` is the bytes of index.tsv; empty: every mail counts */
    const char *label;
    unsigned all, by_action[ACTION_DEFER + 1];
};

/* "PATH<tab>LABEL<tab>…" is a line of the index. */
static bool is_wanted(const struct sums *sums, struct text path)
{
    struct text rest = sums->index, line;
    if (!sums->label) return true;
    while (text_next_line(&rest, &line)) {
        size_t tab = text_find_char(line, '\t');
        if (!text_equal(text_slice(line, 0, tab), path)) continue;
        struct text label = text_slice(line, tab + 1, line.length);
        return text_equal(text_slice(label, 0, text_find_char(label, '\t')), text_of(sums->label));
    }
    return false;
}

static void mail_judge(struct sums *sums, const char *path, struct text shown)
{
    struct arena *arena = arena_new(65536);
    struct text message = judging_mail(path), recipient = TEXT("user@example.test");
    struct occasion occasion = { .recipients = &recipient, .recipient_count = 1 };
    struct facts facts;
    struct verdict verdict;
    sums->scanner.readers->is_lost = sums->scanner.readers->is_hung = false;
    read_facts(arena, &sums->scanner, &occasion, message, NULL, &facts);
    decide_verdict(arena, sums->scanner.config, &occasion, &facts, NULL, 0, &verdict);
    enum action action = verdict.recipients[0].action;
    sums->all++;
    sums->by_action[action]++;
    if (action != ACTION_ACCEPT && action != ACTION_TAG)
        printf("%.*s\t%s\t%.*s\t%.*s\n", TEXT_ARG(shown), evidence_action_name(action),
               TEXT_ARG(verdict.reason), TEXT_ARG(verdict.summary));
    for (uint32_t i = 0; i < facts.virus_finding_count; i++)
        printf("  %.*s: %.*s in %.*s\n", TEXT_ARG(shown), TEXT_ARG(facts.virus_findings[i].name),
               TEXT_ARG(facts.virus_findings[i].part));
    if (sums->scanner.readers->is_lost) printf("  %.*s: a reader ended\n", TEXT_ARG(shown));
    arena_free(arena);
    free((char *)message.at);
}

static void folder_judge(struct sums *sums)
{
    char *folders[] = { (char *)sums->folder.at, NULL };
    FTS *tree = fts_open(folders, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *entry; tree && (entry = fts_read(tree));) {
        struct text path = text_of(entry->fts_path);
        struct text below = text_slice(path, sums->folder.length + 1, path.length);
        if (entry->fts_info == FTS_F && text_ends(path, TEXT(".eml")) && is_wanted(sums, below))
            mail_judge(sums, entry->fts_path, below);
    }
    if (tree) fts_close(tree);
}

int main(int argc, char **argv)
{
    tool_usage(argc, argv, 2, 3, "bench-held CONFIGURATION FOLDER [LABEL in FOLDER/index.tsv]");
    struct sums sums = { 0 };
    char path[4096];
    struct config *config = judging_config(argv[1]);
    char *folder = realpath(argv[2], NULL);
    if (!folder) return perror(argv[2]), EX_NOINPUT;
    sums.folder = text_of(folder);
    sums.label = argv[3];
    snprintf(path, sizeof path, "%s/index.tsv", folder);
    if (sums.label) sums.index = judging_mail(path);
    judging_enter(config);
    sums.scanner = (struct scanner){ .config = config,
                                     .engine = judging_engine(config),
                                     .cache = verdict_cache_new(1),
                                     .readers = readers_source(config) };
    folder_judge(&sums);
    printf("%u mails:", sums.all);
    for (unsigned action = 0; action <= ACTION_DEFER; action++)
        printf(" %s %u", evidence_action_name((enum action)action), sums.by_action[action]);
    printf("; %u with a container\n", readers_forked());
    return sums.all ? 0 : EX_NOINPUT;
}
