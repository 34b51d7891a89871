/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Any bytes as the file of our people: who is named there is known again, from another address. */
#include <stdlib.h>

#include "config/load.h"
#include "config/people.h"
#include "impostor/impostor_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) abort();
}

static void ask(const struct impostor_set *set, struct text content)
{
    struct people_line line;
    struct text who;
    const char *why;
    uint32_t number = 0;
    while (people_next(&content, &number, &line, &why)) {
        must(line.address_count > 0 && line.address_count <= PEOPLE_ADDRESSES_MOST);
        must(!impostor_set_person(set, line.name, line.addresses[0], &who));
        if (impostor_set_person(set, line.name, TEXT("nobody@other.test"), &who)) must(who.length > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct problem_list problems;
    struct text content = text_from((const char *)data, size);
    uint32_t line;
    problem_list_start(&problems);
    struct config *config =
        config_load_text(TEXT("domains { example.ac.jp 127.0.0.1 }"), "x", false, &problems);
    problem_list_free(&problems);
    must(config != NULL);
    config->people.content = content;
    struct impostor_set *set = impostor_set_new(config);
    if (!people_check(content, &line)) ask(set, content);
    impostor_set_free(set);
    config_free(config);
    return 0;
}
