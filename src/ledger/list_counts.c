/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "ledger/list_counts.h"

#include <stdio.h>

#include "config/list_setting.h"

static struct text signal_of(const struct measured_list *row)
{
    return text_from(row->signal, strnlen(row->signal, sizeof row->signal));
}

static struct measured_list *row_of(struct ledger_measures *page, struct text signal)
{
    for (size_t i = 0; i < MEASURES_LISTS; i++)
        if (text_equal(signal_of(&page->lists[i]), signal)) return &page->lists[i];
    return NULL;
}

/* One that is free, else one of a list that is no more. NULL: there is none. */
static struct measured_list *row_make(struct ledger_measures *page)
{
    struct measured_list *free_row = NULL;
    for (size_t i = 0; i < MEASURES_LISTS; i++) {
        struct measured_list *row = &page->lists[i];
        if (row->is_configured) continue;
        if (!free_row || (free_row->signal[0] && !row->signal[0])) free_row = row;
    }
    if (free_row) *free_row = (struct measured_list){ 0 };
    return free_row;
}

static void list_configure(struct ledger_measures *page, const struct list_setting *list)
{
    char signal[LIST_SIGNAL_SIZE];
    struct measured_list *row = row_of(page, text_of(list_setting_signal(list, signal)));
    if (!row) row = row_make(page);
    if (!row) return;
    row->is_configured = true;
    snprintf(row->signal, sizeof row->signal, "%s", signal);
    snprintf(row->name, sizeof row->name, "%.*s", TEXT_ARG(list->name));
}

void list_counts_configure(struct ledger_measures *page, const struct config *config)
{
    for (size_t i = 0; i < MEASURES_LISTS; i++) {
        char signal[LIST_SIGNAL_SIZE];
        bool is_configured = false;
        for (size_t k = 0; k < config->list_count; k++) {
            struct text one = text_of(list_setting_signal(&config->lists[k], signal));
            is_configured = is_configured || text_equal(signal_of(&page->lists[i]), one);
        }
        page->lists[i].is_configured = is_configured;
    }
    for (size_t i = 0; i < config->list_count; i++) list_configure(page, &config->lists[i]);
}

void list_counts_judged(struct ledger_measures *page, const struct event_judgement *judgement)
{
    for (uint32_t i = 0; i < judgement->signal_count; i++) {
        struct text signal = judgement->signals[i].name;
        struct measured_list *row = text_starts(signal, TEXT("LIST_")) ? row_of(page, signal) : NULL;
        if (row) row->messages++;
    }
}

void list_counts_refused(struct ledger_measures *page, struct text cause, uint32_t recipients)
{
    struct measured_list *row = cause.length > 0 ? row_of(page, cause) : NULL;
    if (row) row->refused += recipients;
}
