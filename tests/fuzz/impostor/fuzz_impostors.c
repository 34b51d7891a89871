/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A whole message and a host, through all that looks for impostors: twice the same is the same, and what was
   found has a byte form. The first line is MAIL FROM and the host of a link. */
#include <stdlib.h>

#include "config/load.h"
#include "impostor/impostor_look.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char people[] = "Sato Taro <sato@example.ac.jp>\n佐藤 太郎 <sato@example.ac.jp>\n";

static void must(bool holds)
{
    if (!holds) abort();
}

static struct config *config_make(void)
{
    struct problem_list problems;
    problem_list_start(&problems);
    struct config *config =
        config_load_text(TEXT("hostname mx1.example.ac.jp\nhelp { page \"https://help.example.ac.jp/\" }\n"
                              "domains { example.ac.jp 127.0.0.1 }\npartners partner-bank.co.jp"),
                         "x", false, &problems);
    problem_list_free(&problems);
    must(config != NULL);
    config->people.content = text_of(people);
    return config;
}

static void look(const struct config *config, const struct impostor_set *set, struct text message,
                 struct text host, struct buffer *out)
{
    struct arena *arena = arena_new(0);
    struct impostor_findings findings, again;
    struct mime *mime = mime_parse(arena, message, &mime_limits_default, MIME_FIRST);
    const struct impostor_source source = { config, set, mime, host, host, host };
    impostor_look(arena, &source, &findings);
    impostor_findings_put(&findings, out);
    must(impostor_findings_get(buffer_text(out), &again));
    impostor_findings_get(message, &again);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config *config;
    static struct impostor_set *set;
    struct text rest = text_from((const char *)data, size), host = TEXT_NONE;
    struct buffer once = { 0 }, twice = { 0 };
    if (!config) config = config_make();
    if (!set) set = impostor_set_new(config);
    text_next_line(&rest, &host);
    look(config, set, rest, host, &once);
    look(config, set, rest, host, &twice);
    must(text_equal(buffer_text(&once), buffer_text(&twice)));
    buffer_free(&once);
    buffer_free(&twice);
    return 0;
}
