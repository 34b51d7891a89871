/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The line that a monitoring server reads. */
#include "cli/health_plugin.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const words[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };

static enum plugin_state state_of(const struct health_report *report, bool is_known,
                                  const struct alarm_facts *facts)
{
    enum plugin_state state = alarm_facts_are_good(facts) ? PLUGIN_OK : PLUGIN_WARNING;
    if (!is_known) return PLUGIN_UNKNOWN;
    for (uint32_t i = 0; i < report->count; i++) {
        const struct health_finding *finding = &report->findings[i];
        if (finding->ends_service && finding->check != HEALTH_CHECK_DRAIN) return PLUGIN_CRITICAL;
        if (!finding->is_good) state = PLUGIN_WARNING;
    }
    return report->is_healthy ? state : PLUGIN_WARNING;
}

/* A bar ends the text, a line break the line. */
static void add(struct buffer *out, struct text name, struct text says)
{
    if (buffer_length(out)) buffer_add_text(out, TEXT("; "));
    buffer_printf(out, "%.*s: ", TEXT_ARG(name));
    for (size_t i = 0; i < says.length; i++) {
        bool is_plain = says.at[i] != '|' && (unsigned char)says.at[i] >= ' ';
        buffer_add_char(out, is_plain ? says.at[i] : ' ');
    }
}

static void bad_add(const struct health_report *report, const struct alarm_facts *facts, struct buffer *out)
{
    struct buffer says = { 0 };
    for (uint32_t i = 0; i < report->count; i++) {
        const struct health_finding *finding = &report->findings[i];
        if (finding->is_good && !finding->is_noted) continue;
        buffer_clear(&says);
        health_say(finding, health_words(finding->says), &says);
        add(out, text_of(health_check_name(finding->check)), buffer_text(&says));
    }
    for (size_t i = 0; i < facts->count; i++)
        if (facts->items[i].state == ALARM_FACT_BAD) add(out, facts->items[i].name, facts->items[i].says);
    buffer_free(&says);
}

static const char *unit_of(enum health_fact fact)
{
    struct text name = text_of(health_fact_name(fact));
    return text_ends(name, TEXT("_bytes")) ? "B"
           : text_ends(name, TEXT("_ms"))  ? "ms"
           : text_ends(name, TEXT("_s"))   ? "s"
                                           : "";
}

static void numbers_print(const struct health_facts *told)
{
    for (int fact = 0; fact < HEALTH_FACT_COUNT; fact++) {
        if (!health_knows(told, (enum health_fact)fact)) continue;
        printf(" %s=%" PRIu64 "%s", health_fact_name((enum health_fact)fact), told->values[fact],
               unit_of((enum health_fact)fact));
    }
}

int health_plugin(const struct health_report *report, bool is_known, const struct alarm_facts *facts)
{
    enum plugin_state state = state_of(report, is_known, facts);
    struct buffer says = { 0 };
    bad_add(report, facts, &says);
    printf("SEKIMORI %s - %.*s", words[state],
           TEXT_ARG(buffer_length(&says) ? buffer_text(&says) : TEXT("well")));
    if (is_known)
        printf(" | healthy=%d serving=%d", report->is_healthy, report->is_serving);
    else
        printf(" | healthy=U serving=U");
    numbers_print(&report->told);
    putchar('\n');
    buffer_free(&says);
    return state;
}

int health_plugin_unknown(const char *why)
{
    printf("SEKIMORI %s - %s | healthy=U serving=U\n", words[PLUGIN_UNKNOWN], why);
    return PLUGIN_UNKNOWN;
}
