/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: nodes that heard the same declarations, in whatever order and how often, have the same; what ended
   stays ended, and said anew it is another one; numbers are never given twice, or the loser gets a new one;
   what a node may add is bounded; what cannot be written changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "ledger/declarations.h"

enum { NOW = 1000 };

struct node {
    char path[40];
    int folder;
    uint16_t number;
    struct declarations *declarations;
    unsigned held, ended, settled;
};

static bool on_said(void *context, const struct declaration *said)
{
    ((struct node *)context)->held++;
    return true;
}

static void on_ended(void *context, const struct declaration *was)
{
    ((struct node *)context)->ended++;
}

static void on_settled(void *context)
{
    ((struct node *)context)->settled++;
}

static void node_start(struct node *node)
{
    node->declarations = declarations_new();
    declarations_add_taker(node->declarations,
                           &(struct declaration_taker){ "entry", on_said, on_ended, on_settled, node });
    declarations_start(node->declarations, node->folder, node->number, NOW);
}

static void node_open(struct node *node, uint16_t number)
{
    *node = (struct node){ .path = "/tmp/declarations-XXXXXX", .number = number };
    assert_non_null(mkdtemp(node->path));
    node->folder = open(node->path, O_RDONLY | O_DIRECTORY);
    node_start(node);
}

static void node_restart(struct node *node)
{
    declarations_free(node->declarations);
    node_start(node);
}

static void node_close(struct node *node)
{
    declarations_free(node->declarations);
    unlinkat(node->folder, "declarations", 0);
    close(node->folder);
    rmdir(node->path);
}

static uint32_t say(struct node *node, const char *body, uint64_t made_ms)
{
    uint32_t number = declarations_next(node->declarations);
    bool is_said = declarations_say(node->declarations, &(struct declaration){ .kind = TEXT("entry"),
                                                                               .by = TEXT("root"),
                                                                               .body = text_of(body),
                                                                               .made_ms = made_ms });
    return is_said ? number : 0;
}

static void end(struct node *node, uint32_t number)
{
    assert_true(declarations_end(node->declarations, number, TEXT("admin"), 50));
}

static struct text all(const struct node *node, struct buffer *out)
{
    buffer_clear(out);
    assert_int_equal(
        declarations_list(node->declarations, 0, declarations_stamp(node->declarations), 0, SIZE_MAX, out),
        0);
    return buffer_text(out);
}

/* `to` hears all that `from` knows, and says how often something was new. */
static unsigned hear(struct node *to, const struct node *from)
{
    struct buffer lines = { 0 };
    struct text line, rest = all(from, &lines);
    unsigned news = 0;
    while (text_next_line(&rest, &line))
        news += declarations_hear(to->declarations, line, NOW) == DECLARATION_NEW;
    assert_true(declarations_keep(to->declarations));
    buffer_free(&lines);
    return news;
}

static void assert_same(const struct node *a, const struct node *b)
{
    struct buffer one = { 0 }, other = { 0 };
    all(a, &one);
    all(b, &other);
    if (!text_equal(buffer_text(&one), buffer_text(&other)))
        fail_msg("%.*s---\n%.*s", TEXT_ARG(buffer_text(&one)), TEXT_ARG(buffer_text(&other)));
    buffer_free(&one);
    buffer_free(&other);
}

static bool holds(const struct node *node, uint32_t number, const char *body)
{
    struct declaration said;
    return declarations_find(node->declarations, number, &said) && !said.is_end &&
           text_equal(said.body, text_of(body));
}

/* --- lines --- */

static const struct {
    const char *line;
    bool is_good;
} lines[] = {
    { "say 3010 entry 0 7 root block bad.example", true },
    { "say 1255 some-later-kind 99 7 root anything at all", true },
    { "say 1001 entry 0 7 root 請求書", true },
    { "end 3010 entry 0 7 root 11 8 block bad.example", true },
    { "say 3000 entry 0 7 root node 0 is none", false },
    { "say 1256 entry 0 7 root there is no node 256", false },
    { "say 999 entry 0 7 root a number without a serial", false },
    { "say 4294967295 entry 0 7 root too much", false },
    { "say 99999999999 entry 0 7 root too much", false },
    { "say -1 entry 0 7 root x", false },
    { "say 3010 entry 0 7 root", false },
    { "say 3010 entry 0 7 root ", false },
    { "say 3010 entry never 7 root x", false },
    { "say 3010 a-kind-whose-name-has-more-bytes-than-may-be 0 7 root x", false },
    { "say 3010 entry 0 7 root \x1b[2J", false },
    { "say 3010 entry 0 7 root \xff", false },
    { "say 3010 entry 0 7 root \xe2\x80\xae turned", false },
    { "end 3010 entry 0 7 root 0 8 block bad.example", false },
    { "end 3010 entry 0 7 root 256 8 block bad.example", false },
    { "end 3010 entry 0 7 root 11 8", false },
    { "took 3010 entry 0 7 root x", false },
    { "", false },
};

static void reading(void **state)
{
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct declaration declaration;
        struct buffer again = { 0 };
        bool is_good = declaration_read(text_of(lines[i].line), &declaration);
        if (is_good != lines[i].is_good) fail_msg("%s: %d", lines[i].line, is_good);
        if (!is_good) continue;
        declaration_write(&declaration, &again);
        assert_true(text_equal(buffer_text(&again), text_of(lines[i].line)));
        buffer_free(&again);
    }
}

static void longest(void **state)
{
    struct node node;
    char body[DECLARATION_BODY_MOST + 2];
    memset(body, 'x', sizeof body);
    body[DECLARATION_BODY_MOST + 1] = '\0';
    node_open(&node, 255);
    assert_int_equal(say(&node, body, 7), 0);
    body[DECLARATION_BODY_MOST] = '\0';
    assert_int_equal(say(&node, body, 7), 1255);
    end(&node, 1255);
    node_restart(&node);
    struct declaration known;
    assert_true(declarations_find(node.declarations, 1255, &known));
    assert_true(known.is_end);
    node_close(&node);
}

/* --- one node --- */

static void on_disk(void **state)
{
    struct node node;
    node_open(&node, 10);
    assert_int_equal(say(&node, "one", 1), 1010);
    assert_int_equal(say(&node, "two", 2), 2010);
    end(&node, 2010);
    node_restart(&node);
    assert_int_equal(node.held, 1);
    assert_int_equal(node.ended, 1);
    assert_int_equal(node.settled, 1);
    assert_true(holds(&node, 1010, "one"));
    assert_int_equal(say(&node, "two", 3), 3010);
    node_close(&node);
}

static void without_a_number(void **state)
{
    struct node node;
    node_open(&node, 0);
    assert_int_equal(declarations_next(node.declarations), 0);
    assert_int_equal(say(&node, "one", 1), 0);
    node_close(&node);
}

static void unwritable(void **state)
{
    struct node node;
    node_open(&node, 10);
    uint32_t number = say(&node, "one", 1);
    int folder = node.folder, none = open("/proc/self", O_RDONLY | O_DIRECTORY);
    declarations_free(node.declarations);
    node.folder = none;
    node_start(&node);
    declarations_hear(node.declarations, TEXT("say 1010 entry 0 1 root one"), NOW);
    assert_false(declarations_keep(node.declarations));
    assert_int_equal(node.settled, 0); /* nothing is in force before it is on disk */
    assert_int_equal(say(&node, "two", 1), 0);
    assert_false(declarations_end(node.declarations, number, TEXT("root"), NOW));
    assert_true(holds(&node, number, "one"));
    assert_int_equal(declarations_count(node.declarations), 1);
    close(none);
    node.folder = folder;
    node_restart(&node);
    assert_true(holds(&node, number, "one"));
    node_close(&node);
}

static void damaged(void **state)
{
    struct node node;
    node_open(&node, 10);
    struct text content =
        TEXT("next 5\nsay 1010 entry 0 1 root one\nsay 1010 entry 0 1 root twice\nnonsense\n"
             "say 2011 entry 0 1 root two\n\x01\n");
    assert_true(file_replace(node.folder, "declarations", content, 0600));
    node_restart(&node);
    assert_int_equal(declarations_count(node.declarations), 2);
    assert_int_equal(declarations_next(node.declarations), 5010);
    node_close(&node);
}

/* --- several --- */

static void ended_and_said_again(void **state)
{
    struct node a, b;
    node_open(&a, 10);
    node_open(&b, 11);
    uint32_t number = say(&a, "block bad.example", 1);
    assert_int_equal(hear(&b, &a), 1);
    assert_int_equal(b.held, 1);
    assert_int_equal(hear(&b, &a), 0); /* twice is once */
    end(&b, number);
    uint32_t again = say(&b, "block bad.example", 2); /* while they are apart */
    assert_int_equal(hear(&a, &b), 2);
    assert_int_equal(hear(&b, &a), 0);
    assert_same(&a, &b);
    assert_false(holds(&a, number, "block bad.example"));
    assert_true(holds(&a, again, "block bad.example"));
    assert_int_equal(declaration_node(again), 11);
    node_close(&a);
    node_close(&b);
}

static void end_comes_first(void **state)
{
    struct node a;
    node_open(&a, 10);
    struct text ended = TEXT("end 1012 entry 0 1 root 11 9 x"), said = TEXT("say 1012 entry 0 1 root x");
    assert_int_equal(declarations_hear(a.declarations, ended, NOW), DECLARATION_NEW);
    assert_int_equal(declarations_hear(a.declarations, said, NOW), DECLARATION_KNOWN);
    assert_int_equal(a.held, 0);
    node_close(&a);
}

static void what_is_over(void **state)
{
    struct node a;
    node_open(&a, 10);
    assert_int_equal(declarations_hear(a.declarations, TEXT("say 1012 entry 999 1 root x"), NOW),
                     DECLARATION_KNOWN);
    assert_int_equal(declarations_hear(a.declarations, TEXT("say 2012 entry 1001 1 root x"), NOW),
                     DECLARATION_NEW);
    declarations_look(a.declarations, 1001);
    assert_int_equal(declarations_count(a.declarations), 1); /* clocks differ by less than a day */
    declarations_look(a.declarations, 1001 + 24 * 60 * 60 * 1000);
    assert_int_equal(declarations_count(a.declarations), 0);
    node_close(&a);
}

static void a_later_kind(void **state)
{
    struct node a, b, c;
    node_open(&a, 10);
    node_open(&b, 11);
    node_open(&c, 12);
    declarations_hear(a.declarations, TEXT("say 1013 of-2030 0 1 root {\"what\":1}"), NOW);
    assert_true(declarations_keep(a.declarations));
    assert_int_equal(hear(&b, &a) + hear(&c, &b), 2);
    assert_int_equal(c.held, 0);
    assert_same(&a, &c);
    node_close(&a);
    node_close(&b);
    node_close(&c);
}

/* Four nodes say, end and hear of each other by chance; then each hears of its neighbours. */
static void any_order(void **state)
{
    enum { NODES = 4, STEPS = 600 };
    struct node nodes[NODES];
    for (unsigned seed = 1; seed <= 5; seed++) {
        srand(seed);
        for (uint16_t i = 0; i < NODES; i++) {
            nodes[i] = (struct node){ .folder = -1, .number = (uint16_t)(10 + i) };
            node_start(&nodes[i]);
        }
        for (unsigned step = 0; step < STEPS; step++) {
            struct node *node = &nodes[rand() % NODES], *other = &nodes[rand() % NODES];
            size_t count = declarations_count(node->declarations);
            struct declaration one;
            char body[32];
            snprintf(body, sizeof body, "block %d.example", rand() % 10);
            switch (rand() % 6) {
            case 0:
            case 1:
                assert_true(say(node, body, step + 1));
                break;
            case 2:
                if (count == 0) break;
                declarations_nth(node->declarations, (size_t)rand() % count, &one);
                end(node, one.number);
                break;
            default:
                if (other != node) hear(node, other);
            }
        }
        for (int round = 0; round < 2; round++)
            for (int i = 0; i < NODES; i++) hear(&nodes[(i + 1) % NODES], &nodes[i]);
        for (int i = 1; i < NODES; i++) assert_same(&nodes[0], &nodes[i]);
        for (int i = 0; i < NODES; i++) declarations_free(nodes[i].declarations);
    }
}

/* Its file is lost, and it gives a number again before it hears what it once said. */
static void lost_file(void **state)
{
    struct node a, b;
    node_open(&a, 10);
    node_open(&b, 11);
    say(&a, "old one", 1);
    say(&a, "old two", 2);
    end(&a, 2010);
    hear(&b, &a);
    unlinkat(a.folder, "declarations", 0);
    node_restart(&a);
    assert_int_equal(say(&a, "new one", 11), 1010);
    assert_int_equal(say(&a, "new two", 12), 2010);
    hear(&a, &b);
    hear(&b, &a);
    assert_int_equal(hear(&a, &b) + hear(&b, &a), 0);
    assert_same(&a, &b);
    assert_true(holds(&b, 1010, "new one"));
    assert_true(holds(&b, 2010, "new two"));
    assert_true(holds(&b, 3010, "old one"));
    assert_int_equal(declarations_next(a.declarations), 4010);
    node_close(&a);
    node_close(&b);
}

static void too_many(void **state)
{
    struct node a;
    char line[100];
    node_open(&a, 10);
    for (unsigned i = 1; i <= DECLARATIONS_OF_NODE_MOST; i++) {
        snprintf(line, sizeof line, "say %u entry 0 1 root x", i * DECLARATION_NODES + 66);
        assert_int_equal(declarations_hear(a.declarations, text_of(line), NOW), DECLARATION_NEW);
    }
    assert_int_equal(declarations_hear(a.declarations, TEXT("say 4000000066 entry 0 1 root x"), NOW),
                     DECLARATION_FULL);
    assert_true(declarations_keep(a.declarations));
    assert_int_equal(say(&a, "ours", 1), 1010); /* others have their own room */
    end(&a, 1066);                              /* makes room */
    assert_int_equal(declarations_hear(a.declarations, TEXT("say 4000000066 entry 0 1 root x"), NOW),
                     DECLARATION_NEW);
    /* Its own ends give way, the oldest first. */
    assert_int_equal(declarations_hear(a.declarations, TEXT("end 2066 entry 0 1 root 66 9 x"), NOW),
                     DECLARATION_NEW);
    assert_int_equal(declarations_hear(a.declarations, TEXT("say 4000001066 entry 0 1 root x"), NOW),
                     DECLARATION_NEW);
    struct declaration known;
    assert_false(declarations_find(a.declarations, 2066, &known));
    node_close(&a);
}

/* Somebody claims to bring back what this node said: it can say its own all the same. */
static void too_much_of_ours(void **state)
{
    struct node a;
    char line[100];
    unsigned taken = 0;
    node_open(&a, 10);
    assert_int_equal(declarations_hear(a.declarations, TEXT("say 4294000010 entry 0 1 root x"), NOW),
                     DECLARATION_FULL);
    assert_int_equal(declarations_next(a.declarations), 1010);
    for (unsigned i = 1; i <= DECLARATIONS_OF_NODE_MOST; i++) {
        snprintf(line, sizeof line, "say %u entry 0 1 root x", i * DECLARATION_NODES + 10);
        taken += declarations_hear(a.declarations, text_of(line), NOW) == DECLARATION_NEW;
    }
    assert_int_equal(taken, DECLARATIONS_OF_NODE_MOST / 2);
    assert_true(declarations_keep(a.declarations));
    assert_int_equal(say(&a, "ours", 1), taken * DECLARATION_NODES + DECLARATION_NODES + 10);
    node_close(&a);
}

static void in_pieces(void **state)
{
    struct node a;
    node_open(&a, 10);
    for (int i = 0; i < 50; i++) say(&a, "block some.example", 1);
    uint64_t stamp = declarations_stamp(a.declarations);
    end(&a, 3010); /* behind the stamp */
    struct buffer out = { 0 };
    unsigned seen = 0;
    uint32_t number = 0;
    do {
        struct text line, rest;
        buffer_clear(&out);
        number = declarations_list(a.declarations, 0, stamp, number, 200, &out);
        assert_true(buffer_length(&out) <= 200);
        for (rest = buffer_text(&out); text_next_line(&rest, &line);) seen++;
    } while (number);
    assert_int_equal(seen, 49);
    buffer_free(&out);
    node_close(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading),
        cmocka_unit_test(longest),
        cmocka_unit_test(on_disk),
        cmocka_unit_test(without_a_number),
        cmocka_unit_test(unwritable),
        cmocka_unit_test(damaged),
        cmocka_unit_test(ended_and_said_again),
        cmocka_unit_test(end_comes_first),
        cmocka_unit_test(what_is_over),
        cmocka_unit_test(a_later_kind),
        cmocka_unit_test(any_order),
        cmocka_unit_test(lost_file),
        cmocka_unit_test(too_many),
        cmocka_unit_test(in_pieces),
        cmocka_unit_test(too_much_of_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
