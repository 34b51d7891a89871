/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Measures the local model as it learns: mails in the order of a corpus' index, each judged, then taught.
   usage: bench-online CORPORA [few BASE-MODEL | anchors BASE-MODEL FILE | scores FILE]
          bench-online teach BASE-MODEL ANCHORS|- LIST FILE [automatic]
   CORPORA is the folder of all of them. Without more: the runs that doc/spam.md has. `anchors`: makes
   the file of mails against one-sided teaching. `scores`: what each mail was worth online, with anchors, a
   line each: path, spam or ham, group, margin. `teach`: writes the model (a node's local.model) that knows
   the mails of LIST, a line each: spam or ham, a tab, the path; `automatic`: as though nobody had said so. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#include "base/arena.h"
#include "corpus_index.h"
#include "judging.h"
#include "spam/learner.h"
#include "spam/lesson_log.h"
#include "spam/local_model.h"
#include "tool.h"

enum { MAILS_MOST = 12000, RESAMPLES = 1000, ANCHORS = 400 };

struct mail {
    struct lesson lesson;
    const char *path; /* below the corpus */
    const char *corpus;
    bool is_spam;
    uint64_t group;
    double score;
};

static struct {
    struct arena *arena;
    struct mail mails[MAILS_MOST];
    uint32_t count;
    struct base_model *base;
    uint64_t random;
    double read_us, learn_us;
} all = { .random = 0x2545F4914F6CDD1Du };

static uint32_t draw(uint32_t most)
{
    all.random ^= all.random << 13;
    all.random ^= all.random >> 7;
    all.random ^= all.random << 17;
    return (uint32_t)((all.random >> 32) % most);
}

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now); /* others use the machine, too */
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* --- mails --- */

static void mail_read(struct mail *mail, const char *path)
{
    struct arena *arena = arena_new(1 << 18);
    struct text message = judging_mail(path);
    double begun = now_us();
    lesson_read(arena, message, all.base, &mail->lesson);
    all.read_us += now_us() - begun;
    uint32_t total = vector_total(&mail->lesson.vector);
    uint32_t *slots = arena_alloc_array(all.arena, total + 1, sizeof *slots);
    memcpy(slots, mail->lesson.vector.slots, total * sizeof *slots);
    mail->lesson.vector.slots = slots;
    mail->lesson.is_spam = mail->is_spam;
    free((char *)message.at);
    arena_free(arena);
}

static void corpus_read(const char *folder, const char *name)
{
    char path[4096];
    struct text head, line;
    snprintf(path, sizeof path, "%s/%s/index.tsv", folder, name);
    struct text index = index_open(path, &head);
    while (text_next_line(&index, &line) && all.count < MAILS_MOST) {
        struct mail *mail = &all.mails[all.count++];
        mail->corpus = name;
        mail->is_spam = text_equal(index_column(line, index_column_named(head, "label")), TEXT("spam"));
        mail->group = text_checksum(index_column(line, index_column_named(head, "dupgroup")));
        mail->path = arena_text(all.arena, index_column(line, 0)).at;
        snprintf(path, sizeof path, "%s/%s/%s", folder, name, mail->path);
        mail_read(mail, path);
    }
}

static void others_read(const char *folder)
{
    static const char *const others[] = { "modern-ham", "phishing", "html-ham", "japanese-spam",
                                          "japanese-ham-probe" };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) corpus_read(folder, others[i]);
}

/* --- figures --- */

struct scored {
    double score, weight;
    bool is_spam;
};

static int by_score(const void *a, const void *b)
{
    double x = ((const struct scored *)a)->score, y = ((const struct scored *)b)->score;
    return x < y ? -1 : x > y;
}

/* The area above the curve of ham kept and spam caught, in per cent: how often a ham stands above a spam. */
static double area_above(struct scored *scored, uint32_t count)
{
    double ham = 0, spam = 0, above = 0;
    qsort(scored, count, sizeof *scored, by_score);
    for (uint32_t from = 0, to; from < count; from = to) {
        double hams = 0, spams = 0;
        for (to = from; to < count && scored[to].score == scored[from].score; to++)
            *(scored[to].is_spam ? &spams : &hams) += scored[to].weight;
        above += hams * (spam + spams / 2);
        ham += hams, spam += spams;
    }
    return ham > 0 && spam > 0 ? 100 * above / (ham * spam) : NAN;
}

static double area_of(uint32_t from, uint32_t count, const double *weights)
{
    struct scored *scored = memory_alloc((count + 1) * sizeof *scored);
    for (uint32_t i = 0; i < count; i++) {
        const struct mail *mail = &all.mails[from + i];
        scored[i] = (struct scored){ mail->score, weights ? weights[i] : 1, mail->is_spam };
    }
    double area = area_above(scored, count);
    free(scored);
    return area;
}

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

struct place {
    uint64_t group;
    uint32_t index;
};

static int by_group(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    return x->group < y->group ? -1 : x->group > y->group;
}

/* Each group of near duplicates counts once; 95 % of drawings of groups, with replacement. */
static void area_by_group(uint32_t count, double *out_area, double *out_low, double *out_high)
{
    struct place *places = memory_alloc(count * sizeof *places);
    double *share = memory_alloc(count * sizeof *share), *drawn = memory_alloc(count * sizeof *drawn);
    uint32_t *groups = memory_alloc((count + 1) * sizeof *groups), group_count = 0;
    double areas[RESAMPLES];
    for (uint32_t i = 0; i < count; i++) places[i] = (struct place){ all.mails[i].group, i };
    qsort(places, count, sizeof *places, by_group);
    for (uint32_t i = 0; i < count; i++)
        if (i == 0 || places[i].group != places[i - 1].group) groups[group_count++] = i;
    groups[group_count] = count;
    for (uint32_t g = 0; g < group_count; g++)
        for (uint32_t i = groups[g]; i < groups[g + 1]; i++)
            share[places[i].index] = 1.0 / (groups[g + 1] - groups[g]);
    *out_area = area_of(0, count, share);
    for (int sample = 0; sample < RESAMPLES; sample++) {
        memset(drawn, 0, count * sizeof *drawn);
        for (uint32_t n = 0; n < group_count; n++) {
            uint32_t g = draw(group_count);
            for (uint32_t i = groups[g]; i < groups[g + 1]; i++)
                drawn[places[i].index] += share[places[i].index];
        }
        areas[sample] = area_of(0, count, drawn);
    }
    qsort(areas, RESAMPLES, sizeof *areas, by_number);
    *out_low = areas[RESAMPLES * 25 / 1000];
    *out_high = areas[RESAMPLES * 975 / 1000];
    free(places), free(share), free(drawn), free(groups);
}

/* Share of mails of a class of [from, to) above a threshold, in per cent. */
static double above(uint32_t from, uint32_t to, bool is_spam, double threshold)
{
    uint32_t over = 0, of = 0;
    for (uint32_t i = from; i < to; i++) {
        if (all.mails[i].is_spam != is_spam) continue;
        of++;
        over += all.mails[i].score > threshold;
    }
    return of ? 100.0 * over / of : NAN;
}

/* The threshold over which lies that share of the ham. */
static double threshold_for(uint32_t from, uint32_t to, double share)
{
    double *scores = memory_alloc((to - from + 1) * sizeof *scores);
    uint32_t count = 0;
    for (uint32_t i = from; i < to; i++)
        if (!all.mails[i].is_spam) scores[count++] = all.mails[i].score;
    qsort(scores, count, sizeof *scores, by_number);
    double found = count ? scores[count - 1 - (uint32_t)(share * count)] : 0;
    free(scores);
    return found;
}

/* --- runs --- */

static void anchors_add(struct learner *learner, uint32_t from, uint32_t most)
{
    for (uint32_t i = 0; i < most && from < all.count; i++) {
        const struct lesson *lesson = &all.mails[from + i * (all.count - from) / most].lesson;
        learner_anchor(learner, &lesson->vector, 0, lesson->is_spam);
    }
}

enum run_labels { LABELS_RIGHT, LABELS_POISONED, LABELS_SPAM_ONLY, LABELS_HAM_ONLY };

/* The first `other_least` of the other class are taught in any case, where one alone is. */
static void run(uint32_t count, enum run_labels labels, uint32_t other_least, struct learner *learner)
{
    uint32_t others = 0;
    all.random = 0x2545F4914F6CDD1Du;
    double begun = now_us();
    for (uint32_t i = 0; i < count; i++) {
        struct mail *mail = &all.mails[i];
        bool is_spam = mail->is_spam, is_other = is_spam != (labels == LABELS_SPAM_ONLY);
        mail->score = learner_local(learner_weights(learner), &mail->lesson.vector);
        if (labels == LABELS_POISONED && draw(10) == 0) is_spam = !is_spam;
        bool is_one_sided = labels == LABELS_SPAM_ONLY || labels == LABELS_HAM_ONLY;
        if (is_one_sided && is_other && others++ >= other_least) continue;
        learner_learn(learner, &mail->lesson.vector, 0, is_spam);
    }
    all.learn_us = now_us() - begun;
}

static void online_print(const char *name, uint32_t count, enum run_labels labels, uint32_t anchors)
{
    double area, low, high;
    struct learner *learner = learner_new();
    anchors_add(learner, count, anchors);
    run(count, labels, 0, learner);
    area_by_group(count, &area, &low, &high);
    printf("%-34s 1-ROCA %.3f %%, by group %.3f (%.3f-%.3f); spam missed at 0.1 %% ham %.2f %%\n", name,
           area_of(0, count, NULL), area, low, high,
           100 - above(0, count, true, threshold_for(0, count, 0.001)));
    printf("%-34s over 0: ham %.2f %%, spam %.2f %%; %.0f us a mail\n", "", above(0, count, false, 0),
           above(0, count, true, 0), all.learn_us / count);
    learner_free(learner);
}

/* What mails that were not taught are worth, by the model that was. */
static void points_give(uint32_t count, const struct learner *learner)
{
    const struct local_model model = { learner_weights(learner), learner_taught(learner, false),
                                       learner_taught(learner, true) };
    bool counts = model.ham >= LEARNER_CLASS_LEAST && model.spam >= LEARNER_CLASS_LEAST;
    for (uint32_t i = 0; i < count; i++) {
        double local = learner_local(model.weights, &all.mails[i].lesson.vector);
        all.mails[i].score = counts ? local_model_points(&model, local) : 0;
    }
}

static void one_sided_print(const char *name, uint32_t count, enum run_labels labels, uint32_t other_least,
                            uint32_t anchors)
{
    struct learner *learner = learner_new();
    anchors_add(learner, count, anchors);
    run(count, labels, other_least, learner);
    for (uint32_t i = 0; i < count; i++)
        all.mails[i].score = learner_local(learner_weights(learner), &all.mails[i].lesson.vector);
    printf("%-34s margin over 0: ham %.2f %%, spam %.2f %%", name, above(0, count, false, 0),
           above(0, count, true, 0));
    points_give(count, learner);
    printf("; points over 6.8: ham %.2f %%; over 1: ham %.2f %%, spam %.2f %%\n", above(0, count, false, 6.8),
           above(0, count, false, 1), above(0, count, true, 1));
    learner_free(learner);
}

/* Fixed on one half of the mails, judged on the other. */
static void calibration_print(uint32_t count)
{
    static const double margins[] = { 0.25, 0.5, 0.6, 0.7, 0.75, 0.8, 1 };
    struct learner *learner = learner_new();
    uint32_t half = count / 2;
    run(count, LABELS_RIGHT, 0, learner);
    double threshold = threshold_for(500, half, 0.001);
    printf("threshold for 0.1 %% of the first half's ham: %.3f; there ham %.2f %%, spam %.2f %%; second "
           "half: ham "
           "%.2f %%, spam %.2f %%\n",
           threshold, above(500, half, false, threshold), above(500, half, true, threshold),
           above(half, count, false, threshold), above(half, count, true, threshold));
    for (size_t i = 0; i < sizeof margins / sizeof *margins; i++)
        printf(
            "margin over %.2f: first half ham %.2f %%, spam %.2f %%; second half ham %.2f %%, spam %.2f %%\n",
            margins[i], above(500, half, false, margins[i]), above(500, half, true, margins[i]),
            above(half, count, false, margins[i]), above(half, count, true, margins[i]));
    learner_free(learner);
}

static void measure(const char *folder)
{
    corpus_read(folder, "spamassassin");
    uint32_t count = all.count;
    printf("%u mails, %.0f us to read one\n", count, all.read_us / count);
    online_print("online", count, LABELS_RIGHT, 0);
    calibration_print(count);
    others_read(folder);
    online_print("online, 400 anchors", count, LABELS_RIGHT, ANCHORS);
    online_print("one label in ten wrong", count, LABELS_POISONED, 0);
    online_print("one label in ten wrong, anchors", count, LABELS_POISONED, ANCHORS);
    one_sided_print("spam alone", count, LABELS_SPAM_ONLY, 0, 0);
    one_sided_print("spam, 20 ham", count, LABELS_SPAM_ONLY, LEARNER_CLASS_LEAST, 0);
    one_sided_print("spam, 20 ham, anchors", count, LABELS_SPAM_ONLY, LEARNER_CLASS_LEAST, ANCHORS);
    one_sided_print("spam, 200 ham, anchors", count, LABELS_SPAM_ONLY, 200, ANCHORS);
    one_sided_print("ham, 20 spam, anchors", count, LABELS_HAM_ONLY, LEARNER_CLASS_LEAST, ANCHORS);
}

static FILE *file_open(const char *path)
{
    FILE *file = fopen(path, "we");
    if (file) return file;
    perror(path);
    exit(EX_CANTCREAT);
}

static void file_done(FILE *file, const char *path)
{
    if (fclose(file) == 0) return;
    perror(path);
    exit(EX_IOERR);
}

static void scores_write(const char *folder, const char *path)
{
    FILE *file = file_open(path);
    corpus_read(folder, "spamassassin");
    uint32_t count = all.count;
    others_read(folder);
    struct learner *learner = learner_new();
    anchors_add(learner, count, ANCHORS);
    run(count, LABELS_RIGHT, 0, learner);
    for (uint32_t i = 0; i < count; i++)
        fprintf(file, "%s\t%s\t%016llx\t%.9f\n", all.mails[i].path, all.mails[i].is_spam ? "spam" : "ham",
                (unsigned long long)all.mails[i].group, all.mails[i].score);
    learner_free(learner);
    file_done(file, path);
}

static void base_take(const char *path)
{
    char why[300];
    all.base = base_model_open(path, why, sizeof why);
    if (all.base) return;
    fprintf(stderr, "%s\n", why);
    exit(EX_NOINPUT);
}

static void anchors_take(const char *path, struct learner *learner)
{
    struct text rest = judging_mail(path);
    struct lesson_record record;
    struct lesson lesson;
    const char *fault = lesson_log_open(&rest);
    while (!fault && lesson_log_next(&rest, &record) == LESSON_LOG_RECORD)
        if (lesson_parse(record.lesson, all.arena, &lesson))
            learner_anchor(learner, &lesson.vector, lesson.base, lesson.is_spam);
    if (!fault) return;
    fprintf(stderr, "%s: %s\n", path, fault);
    exit(EX_DATAERR);
}

/* `share`: as local_model_write has it. */
static void teach(const char *anchors, const char *list, const char *path, double share)
{
    struct text lines = judging_mail(list), line;
    struct learner *learner = learner_new();
    if (strcmp(anchors, "-") != 0) anchors_take(anchors, learner);
    while (text_next_line(&lines, &line)) {
        struct mail mail = { .is_spam = text_starts(line, TEXT("spam\t")) };
        mail_read(&mail,
                  arena_text(all.arena, text_slice(line, text_find_char(line, '\t') + 1, line.length)).at);
        learner_learn(learner, &mail.lesson.vector, mail.lesson.base, mail.is_spam);
    }
    struct buffer image = { 0 };
    local_model_write(learner, 0, share, &image);
    FILE *file = file_open(path);
    fwrite(buffer_text(&image).at, buffer_length(&image), 1, file);
    file_done(file, path);
    printf("%u ham, %u spam taught\n", learner_taught(learner, false), learner_taught(learner, true));
    learner_free(learner);
}

static bool is_anchor(uint32_t number)
{
    for (uint32_t i = 0; i < ANCHORS; i++)
        if ((uint64_t)i * all.count / ANCHORS == number) return true;
    return false;
}

/* What a model that was taught so many mails of one source, with the anchors of all, says of mails of each.
 */
static void few_print(uint32_t of_corpus, uint32_t lessons)
{
    struct learner *learner = learner_new();
    for (uint32_t i = 0; i < ANCHORS; i++) {
        const struct lesson *lesson = &all.mails[(uint64_t)i * all.count / ANCHORS].lesson;
        learner_anchor(learner, &lesson->vector, lesson->base, lesson->is_spam);
    }
    uint32_t taught[2] = { 0, 0 };
    for (uint32_t i = 0; i < of_corpus; i++) {
        const struct lesson *lesson = &all.mails[i].lesson;
        if (is_anchor(i) || taught[lesson->is_spam] == lessons / 2) continue;
        learner_learn(learner, &lesson->vector, lesson->base, lesson->is_spam);
        taught[lesson->is_spam]++;
    }
    const struct local_model model = { learner_weights(learner), taught[0], taught[1] };
    for (uint32_t begin = 0, end; begin < all.count; begin = end) {
        uint32_t count[2] = { 0, 0 }, over_one[2] = { 0, 0 }, over_three[2] = { 0, 0 },
                 under_one[2] = { 0, 0 };
        for (end = begin; end < all.count && all.mails[end].corpus == all.mails[begin].corpus; end++) {
            const struct lesson *lesson = &all.mails[end].lesson;
            double points = local_model_points(&model, learner_local(model.weights, &lesson->vector));
            if (is_anchor(end)) continue;
            count[lesson->is_spam]++;
            over_one[lesson->is_spam] += points > 1;
            over_three[lesson->is_spam] += points > 3;
            under_one[lesson->is_spam] += points < -1;
        }
        for (int is_spam = 0; is_spam < 2; is_spam++)
            if (count[is_spam])
                printf("%u lessons: %s %s: over 3 points %.1f %%, over 1 %.1f %%, under -1 %.1f %%\n",
                       lessons, all.mails[begin].corpus, is_spam ? "spam" : "ham",
                       100.0 * over_three[is_spam] / count[is_spam],
                       100.0 * over_one[is_spam] / count[is_spam],
                       100.0 * under_one[is_spam] / count[is_spam]);
    }
    learner_free(learner);
}

static void few_measure(const char *folder, const char *base)
{
    base_take(base);
    corpus_read(folder, "spamassassin");
    uint32_t count = all.count;
    others_read(folder);
    few_print(count, 50);
    few_print(count, 200);
    few_print(count, 1000);
}

/* Every so many of all corpora, as lessons without time: with the base model's margin. */
static void anchors_make(const char *folder, const char *base, const char *path)
{
    struct buffer out = { 0 };
    base_take(base);
    corpus_read(folder, "spamassassin");
    others_read(folder);
    lesson_log_begin(&out);
    for (uint32_t i = 0; i < ANCHORS; i++)
        lesson_log_teach(&all.mails[(uint64_t)i * all.count / ANCHORS].lesson, &out);
    FILE *file = file_open(path);
    struct text bytes = buffer_text(&out);
    fwrite(bytes.at, bytes.length, 1, file);
    file_done(file, path);
    printf("%zu bytes\n", bytes.length);
}

static const char usage[] = "bench-online CORPORA [few BASE-MODEL | anchors BASE-MODEL FILE | scores FILE]\n"
                            "       bench-online teach BASE-MODEL ANCHORS|- LIST FILE [automatic]\n"
                            "CORPORA: bench/README.md, \"Corpora\"";

int main(int argc, char **argv)
{
    tool_usage(argc, argv, 1, 6, usage);
    bool is_making = argc == 5 && strcmp(argv[2], "anchors") == 0;
    bool is_few = argc == 4 && strcmp(argv[2], "few") == 0;
    bool is_scores = argc == 4 && strcmp(argv[2], "scores") == 0;
    bool is_doubted = argc == 7 && strcmp(argv[6], "automatic") == 0;
    bool is_teach = (argc == 6 || is_doubted) && strcmp(argv[1], "teach") == 0;
    if (argc != 2 && !is_making && !is_few && !is_scores && !is_teach) {
        fprintf(stderr, "usage: %s\n", usage);
        return EX_USAGE;
    }
    all.arena = arena_new(1 << 20);
    if (is_few)
        few_measure(argv[1], argv[3]);
    else if (is_scores)
        scores_write(argv[1], argv[3]);
    else if (is_teach) {
        base_take(argv[2]);
        teach(argv[3], argv[4], argv[5], is_doubted ? local_model_share(1, 1) : 1);
    } else if (is_making)
        anchors_make(argv[1], argv[3], argv[4]);
    else
        measure(argv[1]);
    arena_free(all.arena);
    return 0;
}
