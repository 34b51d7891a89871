/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "cli/rules_facts.h"

#include <stdio.h>
#include <string.h>

#include "auth/from_domains.h"
#include "base/json.h"
#include "cli/signal_words.h"
#include "mail/finding.h"
#include "rules/fact_names.h"
#include "spam/phrases.h"

static const char *finding_at(unsigned position)
{
    return position < FINDING_COUNT ? finding_name((enum finding)position) : NULL;
}

static const char *oddity_at(unsigned position)
{
    return position < FROM_ODDITY_COUNT ? from_oddity_name((enum from_oddity)position) : NULL;
}

/* Whose values are words of ours. */
static const struct {
    const char *fact;
    const char *(*value_at)(unsigned position); /* NULL behind the last */
} valued[] = {
    { "finding", finding_at },
    { "from", oddity_at },
    { "phrase", phrases_family_at },
    { "subject-phrase", phrases_family_at },
};

static void fact_print(const struct fact_name *fact, bool has_value, enum language language)
{
    printf("  %s%-*s %s\n", fact->name, (int)(24 - strlen(fact->name)), has_value ? "=" : "",
           language == LANGUAGE_JA ? fact->ja : fact->en);
}

/* Prints each value as a rule has it, and adds it to `values`. */
static void values_add(const char *fact, struct json *values, bool is_json)
{
    for (size_t i = 0; i < sizeof valued / sizeof *valued; i++) {
        const char *value;
        if (strcmp(fact, valued[i].fact) != 0) continue;
        for (unsigned k = 0; (value = valued[i].value_at(k)); k++) {
            json_add_text(values, text_of(value));
            if (!is_json) printf("    %s=%s\n", fact, value);
        }
    }
}

static void facts_add(struct json *all, bool has_value, enum language language, bool is_json)
{
    const struct fact_name *fact;
    for (unsigned i = 0; (fact = fact_names_at(i, has_value)); i++) {
        struct json *object = json_new_object(), *values = json_new_array();
        if (!is_json) fact_print(fact, has_value, language);
        values_add(fact->name, values, is_json);
        json_set_string(object, "kind", "fact");
        json_set_string(object, "name", fact->name);
        json_set_bool(object, "has_value", has_value);
        json_set_string(object, "about", language == LANGUAGE_JA ? fact->ja : fact->en);
        json_set(object, "values", values);
        json_add(all, object);
    }
}

static void signals_add(struct json *all, enum language language, bool is_json)
{
    const char *name;
    for (size_t i = 0; (name = signal_words_name(i)); i++) {
        struct text about = signal_words_find(NULL, text_of(name), language);
        struct json *object = json_new_object();
        json_set_string(object, "kind", "signal");
        json_set_string(object, "name", name);
        json_set_text(object, "about", about);
        json_add(all, object);
        if (!is_json) printf("  %-33s %.*s\n", name, TEXT_ARG(about));
    }
}

void rules_facts_print(enum language language, bool is_json)
{
    struct json *all = json_new_array();
    if (!is_json) puts("fact NAME");
    facts_add(all, false, language, is_json);
    if (!is_json) puts("fact NAME=VALUE");
    facts_add(all, true, language, is_json);
    if (!is_json) puts("signal NAME");
    signals_add(all, language, is_json);
    if (is_json)
        json_print(all, stdout, true);
    else
        json_free(all);
}
