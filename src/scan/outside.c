/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One engine after another, each a word in the list of engines. Called by decide.c and worker.c. */
#include "scan/outside.h"

#include "config/domains.h"
#include "config/engines.h"
#include "judge/action_strength.h"
#include "judge/engine_answer.h"
#include "judge/virus_findings.h"
#include "virus/classes.h"

struct merging {
    struct arena *arena;
    struct facts *facts; /* their findings have room for VIRUS_FINDINGS_MOST */
    enum action demand;
    struct buffer engines, trouble; /* trouble: of those because of whom something is done */
};

/* --- findings --- */

static void finding_add(struct merging *merging, enum virus_class class, struct text engine, struct text name)
{
    struct facts *facts = merging->facts;
    for (uint32_t i = 0; i < facts->virus_finding_count; i++) {
        struct virus_finding *known = &facts->virus_findings[i];
        if (known->class != class || !text_equal(known->name, name)) continue;
        known->engine = arena_printf(merging->arena, "%.*s, %.*s", TEXT_ARG(known->engine), TEXT_ARG(engine));
        return;
    }
    struct virus_finding *place =
        virus_findings_place(facts->virus_findings, &facts->virus_finding_count, class);
    if (place) *place = (struct virus_finding){ .class = class, .engine = engine, .name = name };
}

/* What was found is more than what could not be looked at by another; a virus more than all else. */
static void state_write(struct facts *facts)
{
    if (facts->virus_finding_count == 0) return;
    enum scan_state state = virus_findings_state(facts->virus_findings[0].class);
    if (facts->virus == SCAN_UNSCANNED && state != SCAN_FOUND) return;
    facts->virus = state;
    facts->virus_name = facts->virus_findings[0].name;
}

/* --- engines --- */

static struct engine_answer answer_of(const struct question *asked)
{
    struct engine_answer answer;
    if (asked->status == ANSWER_FOUND && engine_answer_get(asked->value, &answer)) return answer;
    return (struct engine_answer){ .state = SCAN_UNSCANNED, .name = TEXT("no answer") };
}

static void engine_told(struct merging *merging, const struct outside_engine *engine, const char *what)
{
    buffer_printf(&merging->engines, ", %.*s %s", TEXT_ARG(engine->name), what);
}

static void lack_merge(struct merging *merging, const struct outside_engine *engine,
                       const struct engine_answer *answer)
{
    static const enum action demands[] = {
        [LACK_DEFER] = ACTION_DEFER, [LACK_UNSCANNED] = ACTION_TAG, [LACK_ACCEPT] = ACTION_ACCEPT
    };
    enum action demand = demands[engine->unavailable];
    if (demand == ACTION_ACCEPT) return;
    engine_told(merging, engine, "unscanned");
    buffer_printf(&merging->trouble, "%s%.*s: %.*s", buffer_length(&merging->trouble) ? ", " : "",
                  TEXT_ARG(engine->name), TEXT_ARG(answer->name));
    merging->demand = action_stronger(merging->demand, demand);
}

static void found_merge(struct merging *merging, const struct outside_engine *engine, struct text name)
{
    static const struct text unofficial = TEXT(".UNOFFICIAL");
    if (text_ends(name, unofficial)) name = text_slice(name, 0, name.length - unofficial.length);
    engine_told(merging, engine, "found");
    finding_add(merging, classes_of_name(name), engine->name, name);
}

static void engine_merge(struct merging *merging, const struct outside_engine *engine,
                         const struct engine_answer *answer)
{
    switch (answer->state) {
    case SCAN_FOUND:
        found_merge(merging, engine, answer->name);
        break;
    case SCAN_CLEAN:
        engine_told(merging, engine, "clean");
        break;
    case SCAN_LIMITS:
        engine_told(merging, engine, "limits");
        if (!answer->is_oversize) finding_add(merging, VIRUS_CLASS_LIMITS, engine->name, answer->name);
        break;
    default:
        lack_merge(merging, engine, answer);
    }
}

static struct text taken(struct arena *arena, struct buffer *buffer)
{
    struct text text = arena_text(arena, buffer_text(buffer));
    buffer_free(buffer);
    return text;
}

static void facts_write(struct merging *merging)
{
    struct facts *facts = merging->facts;
    struct text engines = taken(merging->arena, &merging->engines);
    struct text trouble = taken(merging->arena, &merging->trouble);
    state_write(facts);
    if (facts->engine.length > 0)
        facts->engine = arena_printf(merging->arena, "%.*s%.*s", TEXT_ARG(facts->engine), TEXT_ARG(engines));
    if (facts->virus_finding_count == 0 && facts->virus_name.length == 0) facts->virus_name = trouble;
    if (merging->demand == ACTION_DEFER && facts->virus != SCAN_FOUND) facts->virus = SCAN_UNSCANNED;
}

enum action outside_merge(struct arena *arena, const struct config *config, enum direction direction,
                          const struct question *answers, uint32_t answer_count, const struct facts *facts,
                          struct facts *out_facts)
{
    struct merging merging = { .arena = arena, .facts = out_facts, .demand = ACTION_ACCEPT };
    *out_facts = *facts;
    if (facts->virus == SCAN_NOT_ASKED || config->engine_count == 0) return ACTION_ACCEPT;
    out_facts->virus_findings =
        arena_alloc_array(arena, VIRUS_FINDINGS_MOST, sizeof *out_facts->virus_findings);
    for (uint32_t i = 0; i < facts->virus_finding_count; i++)
        out_facts->virus_findings[i] = facts->virus_findings[i];
    for (size_t i = 0; i < config->engine_count; i++) {
        const struct outside_engine *engine = &config->engines[i];
        const struct question *asked = questions_find(answers, answer_count, QUESTION_ENGINE, engine->name);
        if (!config_engine_minds(engine, direction) || !asked) continue;
        struct engine_answer answer = answer_of(asked);
        engine_merge(&merging, engine, &answer);
    }
    facts_write(&merging);
    return merging.demand;
}

bool outside_is_missing(const struct config *config, const struct occasion *occasion,
                        const struct facts *facts, const struct question *questions, uint32_t count)
{
    if (facts->virus == SCAN_NOT_ASKED) return false;
    for (size_t i = 0; i < config->engine_count; i++) {
        const struct outside_engine *engine = &config->engines[i];
        bool is_due = occasion->is_undecided || config_engine_minds(engine, occasion->direction);
        if (is_due && !questions_find(questions, count, QUESTION_ENGINE, engine->name)) return true;
    }
    return false;
}

bool outside_may_warn(const struct config *config)
{
    bool is_tag_said = false;
    for (unsigned class = 0; class < VIRUS_CLASS_COUNT; class ++)
        is_tag_said = is_tag_said || config_virus_warns(config, class);
    for (size_t i = 0; i < config->engine_count; i++)
        if (is_tag_said || config->engines[i].unavailable == LACK_UNSCANNED) return true;
    return false;
}
