/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A list that is searched from its start: an evaluation has some ten questions. */
#include "dns/answers.h"

enum { NAME_MOST = 253, LABEL_MOST = 63 };

static const struct dns_answer none = { .status = DNS_NONE, .is_nxdomain = true };
static const struct dns_answer temperror = { .status = DNS_TEMPERROR };

/* A byte may be written as \DDD, as names in answers are. */
static bool is_name(struct text name)
{
    size_t octets = 0, label = 0;
    for (size_t i = 0; i < name.length; i++, octets++) {
        if (name.at[i] == '.') {
            if (label == 0) return false;
            label = 0;
            continue;
        }
        if (name.at[i] == '\\') i += 3;
        if (++label > LABEL_MOST) return false;
    }
    return label > 0 && octets <= NAME_MOST;
}

static struct dns_lookup *find(const struct dns_answers *answers, struct text name, enum dns_record_type type)
{
    for (uint32_t i = 0; i < answers->count; i++) {
        struct dns_lookup *item = &answers->items[i];
        if (item->type == type && text_equal_nocase(item->name, name)) return item;
    }
    return NULL;
}

static struct dns_lookup *add(struct dns_answers *answers, struct text name, enum dns_record_type type)
{
    if (answers->count == answers->room) {
        uint32_t room = answers->room ? 2 * answers->room : 16;
        struct dns_lookup *items = arena_alloc_array(answers->arena, room, sizeof *items);
        if (answers->count) memcpy(items, answers->items, answers->count * sizeof *items);
        answers->items = items;
        answers->room = room;
    }
    char *lower = arena_alloc(answers->arena, name.length + 1);
    for (size_t i = 0; i < name.length; i++) lower[i] = char_lower(name.at[i]);
    struct dns_lookup *item = &answers->items[answers->count++];
    *item = (struct dns_lookup){ .name = text_from(lower, name.length), .type = type };
    return item;
}

static struct text without_final_dot(struct text name)
{
    return name.length > 0 && name.at[name.length - 1] == '.' ? text_slice(name, 0, name.length - 1) : name;
}

const struct dns_answer *dns_answers_find(struct dns_answers *answers, struct text name,
                                          enum dns_record_type type)
{
    name = without_final_dot(name);
    if (!is_name(name)) return &none;
    struct dns_lookup *item = find(answers, name, type);
    if (!item && answers->count == DNS_ANSWERS_MOST) return &temperror;
    if (!item) {
        item = add(answers, name, type);
        if (answers->at_hand)
            item->is_known = answers->at_hand(answers->context, item->name, type, &item->answer);
    }
    return item->is_known ? &item->answer : NULL;
}

const struct dns_lookup *dns_answers_wanted(const struct dns_answers *answers, uint32_t from)
{
    for (uint32_t i = from; i < answers->count; i++)
        if (!answers->items[i].is_known) return &answers->items[i];
    return NULL;
}

void dns_answers_put(struct dns_answers *answers, struct text name, enum dns_record_type type,
                     const struct dns_answer *answer)
{
    name = without_final_dot(name);
    struct dns_lookup *item = find(answers, name, type);
    if (!item && answers->count == DNS_ANSWERS_MOST) return;
    if (!item) item = add(answers, name, type);
    item->is_known = true;
    item->answer = *answer;
}

void dns_answers_close(struct dns_answers *answers)
{
    for (uint32_t i = 0; i < answers->count; i++) {
        if (answers->items[i].is_known) continue;
        answers->items[i].is_known = true;
        answers->items[i].answer = temperror;
    }
}
