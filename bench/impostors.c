/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Signals of impostors on good mail, whose senders are replaced by made-up ones; and what looking for them
   costs. usage: bench-impostors MODEL RULES SEED FILE… */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#include "config/load.h"
#include "judging.h"
#include "rules/rule_folders.h"
#include "scan/impostor_weight.h"
#include "spam/message_facts.h"
#include "tool.h"

enum { SENDERS = 5, SENDER_DOMAINS = 200, PEOPLE = 300, OWN = 5, PARTNERS = 20, ROUNDS = 20 };

static const char *const family[] = {
    "Sato",  "Suzuki", "Takahashi", "Tanaka",   "Ito",   "Watanabe", "Yamamoto", "Nakamura",
    "Mori",  "Abe",    "Ishikawa",  "Hayashi",  "Smith", "Miller",   "Fischer",  "Garcia",
    "Ogawa", "Goto",   "Murakami",  "Sakamoto", "Endo",  "Aoki",     "Fujii",    "Nishimura"
};
static const char *const given[] = { "Taro",  "Hanako",  "Ichiro", "Yuki",  "Ken",     "Akira",
                                     "Naoko", "Satoshi", "Maria",  "Peter", "Anna",    "Emi",
                                     "Jun",   "Mari",    "Shin",   "Kaori", "Daisuke", "Rie",
                                     "Yoko",  "Makoto",  "Tomoko", "Hiro",  "Aya",     "Go" };
static const char *const family_ja[] = { "佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村",
                                         "森",   "阿部", "石川", "林",   "木村", "清水", "斎藤", "加藤",
                                         "小川", "後藤", "村上", "坂本", "遠藤", "青木", "藤井", "西村" };
static const char *const given_ja[] = { "太郎", "花子", "一郎", "由紀", "健",   "明",   "直子", "聡",
                                        "真理", "浩",   "杏奈", "恵美", "純",   "茉莉", "慎",   "香織",
                                        "大輔", "理恵", "陽子", "誠",   "智子", "広",   "彩",   "剛" };
enum { NAMES = sizeof family / sizeof *family };
static const char *const words[] = {
    "sakura",   "minami",  "kita",    "higashi", "nishi", "yama",   "kawa",   "umi",    "mori",  "hana",
    "sora",     "hoshi",   "gakuin",  "denki",   "shoji", "kogyo",  "system", "tech",   "soft",  "net",
    "kaihatsu", "kenkyu",  "daigaku", "bunka",   "green", "blue",   "north",  "lake",   "river", "stone",
    "bright",   "field",   "harbor",  "garden",  "paper", "signal", "data",   "cloud",  "print", "books",
    "music",    "travel",  "foods",   "steel",   "glass", "farm",   "labs",   "works",  "tokai", "kanto",
    "kansai",   "shinsei", "asahi",   "fuji",    "taiyo", "midori", "aozora", "hikari", "mirai", "kibo"
};
enum { WORDS = sizeof words / sizeof *words };
static const char *const suffixes[] = { "com",   "co.jp", "ac.jp", "org", "net",
                                        "ne.jp", "or.jp", "jp",    "de",  "example" };

static uint32_t state; /* of the generator */

static uint32_t draw(uint32_t most)
{
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % most;
}

static void domain_write(struct buffer *out)
{
    const char *first = words[draw(WORDS)], *second = words[draw(WORDS)];
    buffer_printf(out, draw(3) ? "%s%s%s.%s" : "%s-%s%s.%s", first, second, draw(4) ? "" : words[draw(WORDS)],
                  suffixes[draw(10)]);
}

/* Family and given names are shared by all, whole names never: one of twelve is of ours. */
static void name_write(bool is_of_ours, bool is_japanese, struct buffer *out)
{
    uint32_t f, g;
    do {
        f = draw(NAMES);
        g = draw(NAMES);
    } while (((f * 7 + g) % 12 == 0) != is_of_ours);
    if (is_japanese)
        buffer_printf(out, "%s %s", family_ja[f], given_ja[g]);
    else if (draw(2))
        buffer_printf(out, "%s %s", given[g], family[f]);
    else
        buffer_printf(out, "%s %s", family[f], given[g]);
}

struct world {
    struct config *config;
    struct impostor_set *set;
    struct base_model *base;
    struct ruleset *rules;
    struct text senders[SENDER_DOMAINS];
    struct arena *arena;
};

static void world_make(struct world *world, const char *model, const char *rules)
{
    struct buffer text = { 0 }, people = { 0 };
    char why[300];
    struct problem_list problems;
    world->arena = arena_new(0);
    buffer_printf(&text, "spam { rules \"%s\"; own rules \"/none\" }\n", rules);
    buffer_add_text(
        &text, TEXT("hostname mx1.ours.test\nhelp { page \"https://help.ours.test/mail\" }\ndomains {\n"));
    for (int i = 0; i < OWN; i++) {
        domain_write(&text);
        buffer_add_text(&text, TEXT(" 127.0.0.1\n"));
    }
    buffer_add_text(&text, TEXT("}\npartners"));
    for (int i = 0; i < PARTNERS; i++) {
        buffer_add_char(&text, ' ');
        domain_write(&text);
    }
    buffer_add_char(&text, '\n');
    problem_list_start(&problems);
    world->config = config_load_text(buffer_text(&text), "bench", true, &problems);
    for (size_t i = 0; i < problems.count; i++) problem_print(&problems.items[i], &people);
    if (!world->config) {
        fprintf(stderr, "%.*s", TEXT_ARG(buffer_text(&people)));
        exit(EX_CONFIG);
    }
    world->rules = rule_folders_read(world->config, &problems);
    world->base = base_model_open(model, why, sizeof why);
    problem_list_free(&problems);
    if (!world->rules || !world->base) {
        fprintf(stderr, "no rules or no model\n");
        exit(EX_NOINPUT);
    }
    buffer_clear(&people);
    for (int i = 0; i < PEOPLE; i++) {
        name_write(true, i & 1, &people);
        buffer_printf(&people, " <p%d@%.*s>\n", i, TEXT_ARG(world->config->domains[i % OWN].name));
    }
    world->config->people.content = arena_text(world->arena, buffer_text(&people));
    world->set = impostor_set_new(world->config);
    for (int i = 0; i < SENDER_DOMAINS; i++) {
        buffer_clear(&text);
        domain_write(&text);
        world->senders[i] = arena_text(world->arena, buffer_text(&text));
    }
    buffer_free(&text);
    buffer_free(&people);
}

/* The mail with a From of its own in the place of all that it has. */
static struct text mail_rewrite(struct arena *arena, const struct world *world, struct text mail,
                                struct text *out_sender)
{
    const struct header_limits limits = { 1 << 20, 10000, .skip_junk = true };
    struct header header;
    struct buffer out = { 0 };
    size_t at = 0;
    header_parse(arena, mail, &limits, &header);
    *out_sender = arena_printf(arena, "u%u@%.*s", draw(1000), TEXT_ARG(world->senders[draw(SENDER_DOMAINS)]));
    buffer_add_text(&out, TEXT("From: "));
    name_write(false, draw(3) == 0, &out);
    buffer_printf(&out, " <%.*s>\r\n", TEXT_ARG(*out_sender));
    for (size_t i = 0; i < header.count; i++) {
        const struct header_field *field = &header.fields[i];
        if (field->id != HEADER_FROM) continue;
        buffer_add_text(&out, text_slice(mail, at, field->offset));
        at = field->offset + field->length;
    }
    buffer_add_text(&out, text_slice(mail, at, mail.length));
    struct text rewritten = arena_text(arena, buffer_text(&out));
    buffer_free(&out);
    return rewritten;
}

struct sums {
    uint64_t mails, flagged, strong, tagged, tagged_before, tipped, by_kind[IMPOSTOR_KINDS];
    double points, seconds, slowest;
};

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* All that models and rules say of it; fills the links. */
static double rest_score(struct arena *arena, const struct world *world, const struct mime *mime,
                         struct score *score)
{
    struct buffer room = { 0 };
    *score =
        (struct score){ .arena = arena, .base = world->base, .rules = world->rules, .wants_links = true };
    for (size_t i = 0; i < mime->count; i++) {
        if (mime->parts[i].kind != MIME_LEAF) continue;
        struct text bytes = mime_decode(&mime->parts[i], &room, NULL);
        score_part(score, &mime->parts[i], bytes);
        score_read(score, &mime->parts[i], bytes);
    }
    score_message(score, mime);
    buffer_free(&room);
    return score_sum(score->signals, score->count);
}

static void look_time(const struct impostor_source *source, struct sums *sums)
{
    struct arena *room = arena_new(1 << 16);
    struct impostor_findings findings;
    double begun = now_s();
    for (int round = 0; round < ROUNDS; round++) {
        impostor_look(room, source, &findings);
        arena_reset(room);
    }
    double seconds = (now_s() - begun) / ROUNDS;
    sums->seconds += seconds;
    if (seconds > sums->slowest) sums->slowest = seconds;
    arena_free(room);
}

static void look_sum(struct arena *arena, const struct impostor_source *source, const char *path, double rest,
                     struct sums *sums)
{
    struct impostor_findings findings;
    struct buffer bytes = { 0 };
    struct score score = { .arena = arena };
    const struct auth_judgement authentication = { 0 };
    impostor_look(arena, source, &findings);
    impostor_findings_put(&findings, &bytes);
    const struct facts facts = { .impostors = buffer_text(&bytes) };
    impostor_score(&facts, &authentication, DIRECTION_IN, &score);
    double points = score_sum(score.signals, score.count);
    for (int kind = 0; kind < IMPOSTOR_KINDS; kind++) sums->by_kind[kind] += findings.of[kind].is_found;
    for (uint32_t i = 0; i < score.count && points >= 1; i++)
        printf("%s: %.*s %.1f %.*s\n", path, TEXT_ARG(score.signals[i].name), score.signals[i].points,
               TEXT_ARG(score.signals[i].about));
    sums->mails++;
    sums->flagged += points > 0;
    sums->strong += points >= 2.5;
    double line = source->config->spam.tag;
    sums->tagged += points >= line;
    sums->tagged_before += rest >= line;
    sums->tipped += rest < line && rest + points >= line;
    sums->points += points;
    buffer_free(&bytes);
}

static void mail_measure(const struct world *world, const char *path, struct text mail, struct sums *sums)
{
    struct arena *arena = arena_new(1 << 16);
    struct score score;
    struct text sender;
    struct text rewritten = mail_rewrite(arena, world, mail, &sender);
    const struct mime *mime = mime_parse(arena, rewritten, &mime_limits_default, MIME_FIRST);
    double rest = rest_score(arena, world, mime, &score);
    const struct impostor_source source = { world->config, world->set,       mime,
                                            sender,        score.link_hosts, score.link_texts };
    look_sum(arena, &source, path, rest, sums);
    if (sums->mails % SENDERS == 0) look_time(&source, sums);
    arena_free(arena);
}

int main(int argc, char **argv)
{
    tool_usage(argc, argv, 4, INT_MAX - 1, "bench-impostors MODEL RULES SEED FILE…");
    struct world world;
    struct sums sums = { 0 };
    state = (uint32_t)strtoul(argv[3], NULL, 10);
    world_make(&world, argv[1], argv[2]);
    for (int i = 4; i < argc; i++) {
        struct text mail = judging_mail(argv[i]);
        for (int sender = 0; sender < SENDERS; sender++) mail_measure(&world, argv[i], mail, &sums);
        free((char *)mail.at);
    }
    printf("%llu mails: %llu with points, %llu with 2.5 or more, %llu tagged by these alone; %.4f points a "
           "mail\n",
           (unsigned long long)sums.mails, (unsigned long long)sums.flagged, (unsigned long long)sums.strong,
           (unsigned long long)sums.tagged, sums.points / (double)sums.mails);
    printf("by models and rules %llu are tagged, %llu more with these points\n",
           (unsigned long long)sums.tagged_before, (unsigned long long)sums.tipped);
    for (int kind = 0; kind < IMPOSTOR_KINDS; kind++)
        printf("kind %d: %llu\n", kind, (unsigned long long)sums.by_kind[kind]);
    printf("%.1f us a mail, the dearest %.0f us\n", sums.seconds * 1e6 * SENDERS / (double)sums.mails,
           sums.slowest * 1e6);
    return 0;
}
