/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Two questions: report has the facts, master the certificates. */
#include "cli/alarm_facts.h"

#include <string.h>
#include <sysexits.h>

enum { ANSWER_MS = 5000 };

static void add(struct alarm_facts *facts, enum alarm_fact_state state, struct text name, struct text says)
{
    struct alarm_fact *more = arena_alloc_array(facts->arena, facts->count + 1, sizeof *more);
    if (facts->count) memcpy(more, facts->items, facts->count * sizeof *more);
    more[facts->count] = (struct alarm_fact){ name, arena_text(facts->arena, says), state };
    facts->items = more;
    facts->count++;
}

static void facts_read(struct alarm_facts *out, const struct json *list)
{
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *one = json_at(list, i);
        const char *word = json_get_string(one, "state");
        enum alarm_fact_state state = strcmp(word, "good") == 0  ? ALARM_FACT_GOOD
                                      : strcmp(word, "bad") == 0 ? ALARM_FACT_BAD
                                                                 : ALARM_FACT_UNKNOWN;
        add(out, state, arena_text(out->arena, text_of(json_get_string(one, "fact"))),
            text_of(json_get_string(one, "says")));
    }
}

/* One that ends soon is no fault yet: the fact of the first one says when that becomes bad. */
static void certificates_read(struct alarm_facts *out, const struct json *list)
{
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *one = json_at(list, i);
        int64_t days = json_get_number(one, "days_left");
        add(out, days < 0 ? ALARM_FACT_BAD : ALARM_FACT_GOOD, TEXT("certificate"),
            arena_printf(out->arena, "%s (%s): %lld %s left", json_get_string(one, "file"),
                         json_get_string(one, "use"), (long long)days, days == 1 ? "day" : "days"));
    }
}

static void ask(const struct control_target *target, const char *command, const char *list,
                void (*read)(struct alarm_facts *out, const struct json *list), struct alarm_facts *out)
{
    struct buffer answer = { 0 };
    if (out->code == EX_OK) out->code = control_ask(target, text_of(command), ANSWER_MS, NULL, NULL, &answer);
    struct json *json = out->code == EX_OK ? json_parse(buffer_text(&answer)) : NULL;
    if (json) read(out, json_get(json, list));
    json_free(json);
    buffer_free(&answer);
}

void alarm_facts_ask(const struct control_target *target, struct alarm_facts *out)
{
    *out = (struct alarm_facts){ .arena = arena_new(0) };
    ask(target, "facts", "facts", facts_read, out);
    ask(target, "status", "certificates", certificates_read, out);
}

void alarm_facts_free(struct alarm_facts *facts)
{
    arena_free(facts->arena);
}

bool alarm_facts_are_good(const struct alarm_facts *facts)
{
    for (size_t i = 0; i < facts->count; i++)
        if (facts->items[i].state == ALARM_FACT_BAD) return false;
    return true;
}

struct json *alarm_facts_json(const struct alarm_facts *facts)
{
    static const char *const words[] = { "unknown", "good", "bad" };
    struct json *list = json_new_array();
    for (size_t i = 0; i < facts->count; i++) {
        struct json *one = json_new_object();
        json_set_text(one, "fact", facts->items[i].name);
        json_set_string(one, "state", words[facts->items[i].state]);
        json_set_text(one, "says", facts->items[i].says);
        json_add(list, one);
    }
    return list;
}
