/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Makes the base model from a folder of corpora, and measures it on mail that was left out.
   usage: bench-base-model CORPORA OWN [make FILE [CORPUS…] | measure | split FOLDER]
   Each corpus is a folder with index.tsv (path, label, language, date, …, dupgroup); OWN is
   the folder of own-spam.txt, own-phishing-ja.txt and own-ham.txt, conf/model. What is learned: hinge loss
   with an L2 penalty, by dual coordinate ascent. The order is drawn from a fixed seed, so that the same mails
   make the same file. `split` writes for each part that is left out a model that has not seen it, NAME.model,
   and the paths of that part, NAME.list; `make` leaves out the corpora that are named. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "base/arena.h"
#include "corpus_index.h"
#include "judging.h"
#include "spam/base_model.h"
#include "spam/message_facts.h"
#include "tool.h"

enum { MAILS_MOST = 20000, ROUNDS = 30, FOLDS = 5, ALL_SLOTS = FEATURE_BLOCKS * FEATURE_SLOTS };

static const double COST = 4.0, BIAS = 0.2;
/* How far HTML ham and mail of our own, of which there is little, is to lie from the middle; other
 * mail: 1. */
static const double HTML_MARGIN = 1.2;
/* What a margin of 1 is worth, and the bounds: see doc/spam.md. */
static const float POINTS = 8.0f, POINTS_MOST = 12, POINTS_LEAST = -3;
static const float UNKNOWN_OFFSET = 0.3f; /* of scripts in which there is no ham to learn */

struct mail {
    uint32_t *slots; /* of all blocks, one after another */
    uint32_t counts[FEATURE_BLOCKS];
    double shares[FEATURE_BLOCKS]; /* the value of each feature of the block */
    struct text path, language, date, group, origin;
    unsigned corpus;
    int label; /* 1: spam */
    enum base_script script;
    double alpha, margin;
    bool is_trained;
    bool is_quiet; /* it was right by far, and holds no weight: looked at now and then */
};

static const char *const corpora[] = { "spamassassin", "japanese-spam",      "phishing",
                                       "modern-ham",   "japanese-ham-probe", "html-ham" };
enum { CORPORA = sizeof corpora / sizeof *corpora, SA = 0, JA_SPAM, PHISHING, MODERN, PROBE, HTML_HAM, OWN };

static struct {
    struct arena *arena;
    struct mail mails[MAILS_MOST];
    uint32_t count;
    double weights[ALL_SLOTS];
    uint64_t random;
} all;

static uint32_t draw(uint32_t most)
{
    all.random ^= all.random << 13;
    all.random ^= all.random >> 7;
    all.random ^= all.random << 17;
    return (uint32_t)(all.random % most);
}

/* --- mails --- */

static void features_take(struct mail *mail, struct text message)
{
    struct arena *arena = arena_new(1 << 16);
    struct mime *mime = mime_parse(arena, message, &mime_limits_default, MIME_FIRST);
    struct features *features = arena_alloc(arena, sizeof *features);
    struct message_text *text = arena_alloc(arena, sizeof *text);
    features->arena = arena;
    message_text_read(text, arena, mime);
    message_features_add(features, mime, text);
    mail->script = base_script_of(text);
    uint32_t total = 0, at = 0;
    double square = 0; /* that of a message with all blocks: see base_model_margin */
    for (int block = 0; block < FEATURE_BLOCKS; block++) {
        double share = features_weight((enum feature_block)block);
        uint32_t count = mail->counts[block] = features->blocks[block].count;
        mail->shares[block] = share / sqrt(count + 1.0);
        square += share * share;
        total += count;
    }
    mail->slots = arena_alloc_array(all.arena, total + 1, sizeof *mail->slots);
    for (int block = 0; block < FEATURE_BLOCKS; block++) {
        mail->shares[block] /= sqrt(square);
        for (uint32_t i = 0; i < mail->counts[block]; i++)
            mail->slots[at++] = (uint32_t)block * FEATURE_SLOTS + features->blocks[block].slots[i];
    }
    message_text_free(text);
    arena_free(arena);
}

static void corpus_read(const char *folder, unsigned corpus)
{
    char path[4096];
    struct text head, line;
    snprintf(path, sizeof path, "%s/%s/index.tsv", folder, corpora[corpus]);
    struct text index = index_open(path, &head);
    while (text_next_line(&index, &line) && all.count < MAILS_MOST) {
        struct text label = index_column(line, index_column_named(head, "label"));
        struct mail *mail = &all.mails[all.count++];
        *mail = (struct mail){ .corpus = corpus,
                               .path = index_column(line, 0),
                               .language = index_column(line, index_column_named(head, "language")),
                               .date = index_column(line, index_column_named(head, "date")),
                               .group = index_column(line, index_column_named(head, "dupgroup")),
                               .origin = index_column(line, index_column_named(head, "source")),
                               .label = text_equal(label, TEXT("spam")) ? 1 : -1 };
        snprintf(path, sizeof path, "%s/%s/%.*s", folder, corpora[corpus], TEXT_ARG(mail->path));
        struct text message = judging_mail(path);
        features_take(mail, message);
        free((char *)message.at);
    }
}

/* "{this|that|those}" becomes one of them: another for each `turn`. */
static void choices_write(struct text text, unsigned turn, struct buffer *out)
{
    while (text.length > 0) {
        size_t open = text_find_char(text, '{'), close = text_find_char(text, '}');
        buffer_add_text(out, text_slice(text, 0, open));
        if (open == text.length || close < open) return;
        struct text inside = text_slice(text, open + 1, close);
        unsigned count = 1, wanted;
        for (size_t i = 0; i < inside.length; i++) count += inside.at[i] == '|';
        for (wanted = turn++ % count; wanted > 0; wanted--)
            inside = text_slice(inside, text_find_char(inside, '|') + 1, inside.length);
        buffer_add_text(out, text_slice(inside, 0, text_find_char(inside, '|')));
        text = text_slice(text, close + 1, text.length);
    }
}

/* A text of our own as one of three mails: plain, HTML, HTML with a link. Good mail comes from where its
   links lead to. */
static void own_write(struct text subject, struct text body, unsigned number, unsigned form, bool is_good,
                      struct buffer *out)
{
    static const char *const bad_hosts[] = { "offer37-mail.com", "best4.biz", "promo81.info", "m7club.net",
                                             "secure22.top" };
    static const char *const good_hosts[] = { "harbour.example", "northmill.example", "bluekite.example",
                                              "oldlibrary.example", "kazegafuku.example" };
    static const char *const names[] = { "Harbour", "Northmill", "Blue Kite", "Old Library", "Kazegafuku" };
    unsigned at = (number + form) % 5;
    const char *host = is_good ? good_hosts[at] : bad_hosts[at];
    if (is_good)
        buffer_printf(out, "From: \"%s\" <%s@%s>\r\n", names[at], form ? "news" : "anna", host);
    else
        buffer_printf(out, "From: \"%s\" <%s%u@%s>\r\n", form == 1 ? "Customer Service" : "info",
                      form ? "info" : "mail", number * 7919 % 10000, host);
    buffer_add_text(out, TEXT("To: user@example.com\r\nSubject: "));
    choices_write(subject, form, out);
    buffer_printf(out, "\r\nMIME-Version: 1.0\r\nContent-Type: text/%s; charset=utf-8\r\n\r\n",
                  form ? "html" : "plain");
    if (form) buffer_add_text(out, TEXT("<html><body><p>"));
    choices_write(body, form, out);
    if (form == 0) buffer_printf(out, "\r\nhttp://www.%s/\r\n", host);
    if (form == 2)
        buffer_printf(out, "</p><p><a href=\"http://%s/a/%u\">%s</a></p>", host, number,
                      is_good ? "more" : "click here");
    buffer_add_text(out, TEXT("\r\n"));
}

static void own_take(struct text subject, struct text body, unsigned number, bool is_good)
{
    for (unsigned form = 0; form < 3; form++) {
        struct buffer message = { 0 };
        struct mail *mail = &all.mails[all.count++];
        *mail = (struct mail){ .corpus = OWN, .path = subject, .label = is_good ? -1 : 1 };
        own_write(subject, body, number, form, is_good, &message);
        features_take(mail, buffer_text(&message));
        buffer_free(&message);
    }
}

static void own_read(const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    struct text rest = judging_mail(path), line, subject = TEXT_NONE;
    unsigned number = 0;
    while (text_next_line(&rest, &line) && all.count + 3 < MAILS_MOST) {
        if (line.length == 0) subject = TEXT_NONE;
        if (line.length == 0 || line.at[0] == '#') continue;
        if (subject.length == 0)
            subject = line;
        else
            own_take(subject, line, number++, strcmp(name, "own-ham.txt") == 0);
    }
}

/* --- learning --- */

static double block_of(const struct mail *mail, int wanted)
{
    double sum = 0;
    uint32_t at = 0;
    for (int block = 0; block < wanted; block++) at += mail->counts[block];
    for (uint32_t i = 0; i < mail->counts[wanted]; i++) sum += all.weights[mail->slots[at++]];
    return sum * mail->shares[wanted];
}

static double margin_of(const struct mail *mail)
{
    double sum = BIAS;
    for (int block = 0; block < FEATURE_BLOCKS; block++) sum += block_of(mail, block);
    return sum;
}

static void weights_move(const struct mail *mail, double by)
{
    uint32_t at = 0;
    for (int block = 0; block < FEATURE_BLOCKS; block++)
        for (uint32_t i = 0; i < mail->counts[block]; i++)
            all.weights[mail->slots[at++]] += by * mail->shares[block];
}

static void step(struct mail *mail)
{
    double before = mail->alpha, reached = mail->label * margin_of(mail);
    double wanted = before - (reached - (mail->corpus >= HTML_HAM ? HTML_MARGIN : 1));
    mail->alpha = wanted < 0 ? 0 : wanted > COST ? COST : wanted;
    mail->is_quiet = before == 0 && reached > HTML_MARGIN + 0.05;
    if (mail->alpha != before) weights_move(mail, (mail->alpha - before) * mail->label);
}

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double whole_margin(const struct mail *mail)
{
    return mail->margin;
}

static double subject_margin(const struct mail *mail)
{
    return block_of(mail, FEATURE_SUBJECT);
}

/* The part that is to be judged; NULL: all is learned from. */
static bool (*is_judged)(const struct mail *mail);

static bool is_kept_out(const struct mail *mail, bool (*is_left_out)(const struct mail *mail))
{
    return (is_judged && is_judged(mail)) || (is_left_out && is_left_out(mail));
}

static void learn(bool (*is_left_out)(const struct mail *mail))
{
    static uint32_t order[MAILS_MOST];
    uint32_t count = 0;
    memset(all.weights, 0, sizeof all.weights);
    all.random = 0x9E3779B97F4A7C15u;
    for (uint32_t i = 0; i < all.count; i++) {
        all.mails[i].alpha = all.mails[i].is_quiet = 0;
        all.mails[i].is_trained = !is_kept_out(&all.mails[i], is_left_out);
        if (all.mails[i].is_trained) order[count++] = i;
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (uint32_t i = count; i > 1; i--) {
            uint32_t other = draw(i), swapped = order[i - 1];
            order[i - 1] = order[other];
            order[other] = swapped;
        }
        for (uint32_t i = 0; i < count; i++)
            if (round % 5 == 0 || !all.mails[order[i]].is_quiet) step(&all.mails[order[i]]);
    }
    for (uint32_t i = 0; i < all.count; i++) all.mails[i].margin = margin_of(&all.mails[i]);
}

/* --- measuring --- */

static int measured_year, measured_half;
static const char *measured_language;
static unsigned measured_corpus;

static unsigned half_of(const struct mail *mail)
{
    struct text key = mail->origin.length ? mail->origin : mail->group.length ? mail->group : mail->path;
    return text_checksum(key) >> 20 & 1;
}

static bool is_of_corpus(const struct mail *mail)
{
    return mail->corpus == measured_corpus;
}
static bool is_of_half(const struct mail *mail)
{
    return is_of_corpus(mail) && half_of(mail) == (unsigned)measured_half;
}
static bool is_late(const struct mail *mail)
{
    return is_of_corpus(mail) && atoi(mail->date.at) >= measured_year;
}
static bool is_of_language(const struct mail *mail)
{
    return is_of_corpus(mail) && text_equal(mail->language, text_of(measured_language));
}
static bool is_of_other_languages(const struct mail *mail)
{
    static const char *const named[] = { "en", "pt", "de", "es", "fr", NULL };
    for (const char *const *name = named; *name; name++)
        if (text_equal(mail->language, text_of(*name))) return false;
    return is_of_corpus(mail);
}

static bool is_spam_of_corpus(const struct mail *mail)
{
    return is_of_corpus(mail) && mail->label > 0;
}
static bool is_ham_of_fold(const struct mail *mail)
{
    return (mail->corpus == SA || mail->corpus == MODERN) && mail->label < 0 &&
           (text_checksum(mail->group) >> 20) % FOLDS == (unsigned)measured_half;
}

/* --- the file --- */

static unsigned offset_half;

static bool is_html_of_half(const struct mail *mail)
{
    return mail->corpus == HTML_HAM && half_of(mail) == offset_half;
}

/* The median over the HTML hams in Japanese, or over the others: mail of one kind in two languages. */
static double ham_median(double (*of)(const struct mail *mail), bool is_japanese)
{
    double *margins = memory_alloc((all.count + 1) * sizeof *margins);
    uint32_t count = 0;
    for (uint32_t i = 0; i < all.count; i++) {
        const struct mail *mail = &all.mails[i];
        bool is_of_script = (mail->script == SCRIPT_JAPANESE) == is_japanese;
        if (mail->corpus == HTML_HAM && is_of_script && !is_kept_out(mail, NULL)) margins[count++] = of(mail);
    }
    qsort(margins, count, sizeof *margins, by_number);
    double found = count ? margins[count / 2] : 0;
    free(margins);
    return found;
}

/* A language is not evidence: as far as HTML ham in Japanese lies above the others where neither was learned.
 */
static double japanese_offset(void)
{
    double *unseen = memory_alloc(all.count * sizeof *unseen);
    for (offset_half = 0; offset_half < 2; offset_half++) {
        learn(is_html_of_half);
        for (uint32_t i = 0; i < all.count; i++)
            if (!all.mails[i].is_trained) unseen[i] = all.mails[i].margin;
    }
    for (uint32_t i = 0; i < all.count; i++) all.mails[i].margin = unseen[i];
    free(unseen);
    return fmax(0, ham_median(whole_margin, true) - ham_median(whole_margin, false));
}

static void make(const char *path)
{
    static int8_t table[ALL_SLOTS];
    struct base_head head = { .mark = BASE_MARK,
                              .version = BASE_VERSION,
                              .blocks = FEATURE_BLOCKS,
                              .bits = FEATURE_BITS,
                              .points = POINTS,
                              .points_most = POINTS_MOST,
                              .points_least = POINTS_LEAST };
    head.offset[SCRIPT_JAPANESE] = (float)japanese_offset();
    head.offset[SCRIPT_HAN] = head.offset[SCRIPT_OTHER] = UNKNOWN_OFFSET;
    learn(NULL);
    for (int block = 0; block < FEATURE_BLOCKS; block++) {
        double largest = 1e-9;
        const double *weights = all.weights + block * FEATURE_SLOTS;
        for (int i = 0; i < FEATURE_SLOTS; i++) largest = fmax(largest, fabs(weights[i]));
        head.scale[block] = (float)(largest / 127);
        for (int i = 0; i < FEATURE_SLOTS; i++)
            table[block * FEATURE_SLOTS + i] = (int8_t)lround(weights[i] / head.scale[block]);
    }
    head.bias = (float)BIAS;
    head.blank = (float)fmin(ham_median(subject_margin, true), ham_median(subject_margin, false));
    head.checksum = base_model_checksum(&head, text_from((const char *)table, sizeof table));
    FILE *file = fopen(path, "we");
    if (!file || fwrite(&head, sizeof head, 1, file) != 1 || fwrite(table, sizeof table, 1, file) != 1 ||
        fclose(file) != 0) {
        perror(path);
        exit(EX_CANTCREAT);
    }
}

/* --- what was left out --- */

static void left_out_print(const char *name)
{
    learn(NULL);
    for (uint32_t i = 0; i < all.count; i++)
        if (!all.mails[i].is_trained)
            printf("%s\t%s/%.*s\t%d\t%d\t%.*s\t%.4f\n", name, corpora[all.mails[i].corpus],
                   TEXT_ARG(all.mails[i].path), all.mails[i].label, all.mails[i].script,
                   TEXT_ARG(all.mails[i].group), all.mails[i].margin);
    fflush(stdout);
}

static void left_out_split(const char *name, const char *folder)
{
    static unsigned number;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s-%u.model", folder, name, ++number);
    make(path);
    snprintf(path, sizeof path, "%s/%s-%u.list", folder, name, number);
    FILE *list = fopen(path, "we");
    for (uint32_t i = 0; list && i < all.count; i++)
        if (!all.mails[i].is_trained)
            fprintf(list, "%s/%.*s\t%s\t%.*s\n", corpora[all.mails[i].corpus], TEXT_ARG(all.mails[i].path),
                    all.mails[i].label > 0 ? "spam" : "ham", TEXT_ARG(all.mails[i].group));
    if (!list || fclose(list) != 0) {
        perror(path);
        exit(EX_CANTCREAT);
    }
    fprintf(stderr, "%s %u\n", name, number);
}

/* `folder`: where models go; NULL: margins are printed. */
static void part_leave_out(const char *name, bool (*is_of_part)(const struct mail *mail), const char *folder)
{
    is_judged = is_of_part;
    if (folder)
        left_out_split(name, folder);
    else
        left_out_print(name);
}

static void measure(const char *folder)
{
    static const char *const languages[] = { "en", "pt", "de", "es", "fr" };
    measured_corpus = PHISHING;
    for (size_t i = 0; i < sizeof languages / sizeof *languages; i++) {
        measured_language = languages[i];
        part_leave_out("phishing", is_of_language, folder);
    }
    part_leave_out("phishing", is_of_other_languages, folder);
    measured_corpus = JA_SPAM;
    measured_year = 2024;
    part_leave_out("japanese-spam", is_late, folder);
    measured_corpus = SA;
    part_leave_out("corpus-spam", is_spam_of_corpus, folder);
    for (measured_half = 0; measured_half < FOLDS; measured_half++)
        part_leave_out("real-ham", is_ham_of_fold, folder);
    static const unsigned halves[] = { PROBE, HTML_HAM };
    for (size_t i = 0; i < 2; i++)
        for (measured_half = 0; measured_half < 2; measured_half++) {
            measured_corpus = halves[i];
            part_leave_out(corpora[halves[i]], is_of_half, folder);
        }
}

static bool is_named[CORPORA + 1];

static bool is_of_named(const struct mail *mail)
{
    return is_named[mail->corpus];
}

static void named_leave_out(char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        for (unsigned corpus = 0; corpus < CORPORA; corpus++)
            if (strcmp(names[i], corpora[corpus]) == 0) is_named[corpus] = true;
    is_judged = is_of_named;
}

static const char usage[] = "bench-base-model CORPORA OWN make FILE [CORPUS…]\n"
                            "       bench-base-model CORPORA OWN measure\n"
                            "       bench-base-model CORPORA OWN split FOLDER\n"
                            "CORPORA: bench/README.md, \"Corpora\"; OWN: conf/model";

int main(int argc, char **argv)
{
    tool_usage(argc, argv, 3, INT_MAX - 1, usage);
    bool is_make = argc >= 5 && strcmp(argv[3], "make") == 0;
    bool is_split = argc == 5 && strcmp(argv[3], "split") == 0;
    if (!is_make && !is_split && !(argc == 4 && strcmp(argv[3], "measure") == 0)) {
        fprintf(stderr, "usage: %s\n", usage);
        return EX_USAGE;
    }
    all.arena = arena_new(1 << 20);
    for (unsigned i = 0; i < CORPORA; i++) corpus_read(argv[1], i);
    own_read(argv[2], "own-spam.txt");
    own_read(argv[2], "own-phishing-ja.txt");
    own_read(argv[2], "own-ham.txt");
    fprintf(stderr, "%u mails\n", all.count);
    if (is_make && argc > 5) named_leave_out(argv + 5, argc - 5);
    if (is_make)
        make(argv[4]);
    else
        measure(is_split ? argv[4] : NULL);
    arena_free(all.arena);
    return 0;
}
