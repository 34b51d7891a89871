/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "cli/list_files_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blocklist/blocklist.h"
#include "config/list_setting.h"
#include "config/source.h"
#include "lookup/local_lists.h"

/* NULL, or why not. */
static const char *file_map(const char *path, struct text *out)
{
    struct stat facts;
    const char *why = NULL;
    *out = TEXT_NONE;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return strerror(errno);
    if (fstat(fd, &facts) != 0)
        why = strerror(errno);
    else if (!S_ISREG(facts.st_mode))
        why = "is not a file";
    else if (facts.st_size > LOCAL_LIST_BYTES_MOST)
        why = "is larger than 256 MiB";
    else if (facts.st_size > 0) {
        void *map = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (map == MAP_FAILED) why = strerror(errno);
        if (!why) *out = text_from(map, (size_t)facts.st_size);
    }
    close(fd);
    return why;
}

static void complain(const struct config *config, size_t index, const char *where, const char *why,
                     struct problem_list *problems)
{
    const struct list_setting *list = &config->lists[index];
    struct place place = config->sources->items[SCHEMA_LIST][index].self;
    source_complain(config->sources, place, problems, SEVERITY_ERROR, N_("list %.*s: %.*s%s: %s"),
                    TEXT_ARG(list->name), TEXT_ARG(list_setting_path(list)), where, why);
}

static void file_check(const struct config *config, size_t index, const struct address *ours,
                       size_t our_count, struct problem_list *problems)
{
    static const enum blocklist_kind kinds[] = { [LIST_FORM_NETWORKS] = BLOCKLIST_NETWORKS,
                                                 [LIST_FORM_NAMES] = BLOCKLIST_NAMES,
                                                 [LIST_FORM_HASHES] = BLOCKLIST_HASHES };
    const struct list_setting *list = &config->lists[index];
    const struct blocklist_limits limits = { LOCAL_LIST_BYTES_MOST, LOCAL_LIST_LINES_MOST, ours, our_count };
    struct blocklist_problem problem = { 0 };
    struct buffer image = { 0 };
    struct text content;
    char *path = memory_string(list_setting_path(list)), where[16] = "";
    const char *why = file_map(path, &content);
    free(path);
    if (!why && !blocklist_compile(kinds[list_setting_form(list)], content, &limits, &image, &problem)) {
        why = problem.says;
        if (problem.line) snprintf(where, sizeof where, ":%u", problem.line);
    }
    if (why) complain(config, index, where, why, problems);
    if (content.length > 0) munmap((void *)(uintptr_t)content.at, content.length);
    buffer_free(&image);
}

void list_files_check(const struct config *config, struct problem_list *problems)
{
    struct arena *arena = arena_new(1024);
    struct address *ours;
    size_t our_count = config_own_addresses(config, arena, &ours);
    for (size_t i = 0; i < config->list_count; i++)
        if (list_setting_form(&config->lists[i]) != LIST_FORM_ZONE &&
            !list_setting_is_fetched(&config->lists[i]))
            file_check(config, i, ours, our_count, problems);
    arena_free(arena);
}
