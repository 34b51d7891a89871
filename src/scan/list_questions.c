/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "scan/list_questions.h"

#include "auth/from_domains.h"
#include "config/list_setting.h"
#include "judge/action_strength.h"
#include "judge/list_answer.h"
#include "judge/list_value.h"
#include "spam/link_host.h"

enum { WEIGHED_MOST = 64 };

/* --- asking --- */

static bool is_wanted(const struct config *config, enum list_about about)
{
    return config_lists_about(config) >> about & 1;
}

bool list_questions_want_links(const struct config *config)
{
    return is_wanted(config, LIST_ABOUT_LINK) || is_wanted(config, LIST_ABOUT_LINK_HASH);
}

/* False: it was raised before, or there is no room. */
static bool raise(struct arena *arena, struct facts *facts, enum list_about about, struct text value)
{
    struct buffer bytes = { 0 };
    list_subject_put(about, value, &bytes);
    struct text subject = arena_text(arena, buffer_text(&bytes));
    buffer_free(&bytes);
    if (questions_find(facts->questions, facts->question_count, QUESTION_LIST, subject)) return false;
    return facts_raise(arena, facts, QUESTION_LIST, subject);
}

static void links_raise(struct arena *arena, struct text hosts, struct facts *out)
{
    struct text host;
    for (unsigned raised = 0; raised < LIST_LINKS_MOST && text_next_line(&hosts, &host);)
        if (host.length > 0 && raise(arena, out, LIST_ABOUT_LINK, host)) raised++;
}

static void froms_raise(struct arena *arena, const struct from_domains *from, struct facts *out)
{
    for (uint32_t i = 0; i < from->count && i < LIST_FROMS_MOST; i++)
        raise(arena, out, LIST_ABOUT_FROM, from->domains[i]);
}

static void hashes_raise(struct arena *arena, const struct part_list *parts, struct facts *out)
{
    char room[DIGEST_HEX_SIZE];
    for (uint32_t i = 0; parts && i < parts->count && i < LIST_HASHES_MOST; i++) {
        struct text digest = text_from((const char *)parts->wholes[i], DIGEST_BYTES);
        raise(arena, out, LIST_ABOUT_HASH, text_of(text_print_hex(digest, room)));
    }
}

static void link_hashes_raise(struct arena *arena, struct text urls, struct facts *out)
{
    struct text url;
    struct link_host link;
    struct buffer value = { 0 };
    for (unsigned raised = 0; raised < LIST_LINK_HASHES_MOST && text_next_line(&urls, &url);) {
        link_host_read(url, true, &link);
        buffer_clear(&value);
        bool is_link = link.host[0] && list_value_link(text_of(link.host), link.path, &value);
        if (is_link && raise(arena, out, LIST_ABOUT_LINK_HASH, buffer_text(&value))) raised++;
    }
    buffer_free(&value);
}

/* The first address of a field. */
static void address_raise(struct arena *arena, const struct header_field *field, struct facts *out)
{
    struct from_domains addresses = { 0 };
    struct buffer value = { 0 };
    if (field) from_domains_add(arena, field->value, &addresses);
    if (list_value_address(addresses.address, &value))
        raise(arena, out, LIST_ABOUT_ADDRESS, buffer_text(&value));
    buffer_free(&value);
}

static void addresses_raise(struct arena *arena, const struct header *header, struct facts *out)
{
    address_raise(arena, header_find(header, HEADER_FROM), out);
    address_raise(arena, header_find_last(header, HEADER_FROM), out);
    address_raise(arena, header_find(header, HEADER_REPLY_TO), out);
}

void list_questions_raise(struct arena *arena, const struct config *config, const struct header *header,
                          const struct list_content *content, struct facts *out)
{
    if (is_wanted(config, LIST_ABOUT_FROM)) froms_raise(arena, content->from, out);
    if (is_wanted(config, LIST_ABOUT_ADDRESS)) addresses_raise(arena, header, out);
    if (is_wanted(config, LIST_ABOUT_HASH)) hashes_raise(arena, content->parts, out);
    if (is_wanted(config, LIST_ABOUT_LINK)) links_raise(arena, content->link_hosts, out);
    if (is_wanted(config, LIST_ABOUT_LINK_HASH)) link_hashes_raise(arena, content->link_urls, out);
}

/* --- weighing --- */

/* The worst that one list has. */
struct weighed {
    const struct list_setting *setting;
    const struct question *question;
    struct list_hit hit;
    double points;
};

struct weighing {
    const struct config *config;
    struct weighed items[WEIGHED_MOST];
    uint32_t count;
};

static void hit_weigh(struct weighing *weighing, const struct question *question, const struct list_hit *hit)
{
    const struct list_setting *setting = config_list_find(weighing->config, hit->list);
    uint32_t at = 0;
    if (!setting) return;
    struct weighed weighed = { setting, question, *hit, list_setting_points(setting, &hit->answer) };
    while (at < weighing->count && weighing->items[at].setting != setting) at++;
    if (at == WEIGHED_MOST) return;
    if (at < weighing->count && weighing->items[at].points >= weighed.points) return;
    weighing->items[at] = weighed;
    if (at == weighing->count) weighing->count++;
}

static void question_weigh(struct weighing *weighing, const struct question *question)
{
    struct list_answer answer;
    bool is_answer = question->kind == QUESTION_LIST && question->status == ANSWER_FOUND &&
                     list_answer_get(question->value, &answer);
    for (uint32_t i = 0; is_answer && i < answer.hit_count; i++)
        hit_weigh(weighing, question, &answer.hits[i]);
}

static struct text says_of(struct arena *arena, const struct weighed *weighed)
{
    struct buffer says = { 0 };
    const char *means = list_setting_means(weighed->setting, &weighed->hit.answer);
    list_hit_say(weighed->question->subject, &weighed->hit, means, &says);
    struct text text = arena_text(arena, buffer_text(&says));
    buffer_free(&says);
    return text;
}

void list_answers_weigh(const struct config *config, const struct question *answers, uint32_t count,
                        struct score *score, struct list_demand *out)
{
    struct weighing weighing = { .config = config };
    *out = (struct list_demand){ ACTION_ACCEPT, TEXT_NONE };
    for (uint32_t i = 0; i < count; i++) question_weigh(&weighing, &answers[i]);
    for (uint32_t i = 0; i < weighing.count; i++) {
        const struct weighed *weighed = &weighing.items[i];
        struct text says = says_of(score->arena, weighed);
        char room[LIST_SIGNAL_SIZE];
        const char *signal = list_setting_signal(weighed->setting, room);
        score_add(score, arena_printf(score->arena, "%s", signal).at, weighed->points, says);
        if (action_is_stronger(weighed->setting->action, out->action))
            *out = (struct list_demand){ weighed->setting->action, says };
    }
}
