/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One load, step by step: defaults, the files, what follows from them, the files they name, cross-checks. */
#include "config/load.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/dump.h"
#include "config/load_private.h"
#include "config/whole_file.h"

const char *config_default_path(void)
{
    const char *path = getenv("SEKIMORI_CONFIG");
    return path && *path ? path : "/etc/sekimori/sekimori.conf";
}

void config_free(struct config *config)
{
    if (config) arena_free(config->arena);
}

/* A file that could not be read as a whole: no line. */
static void complain_file(struct loader *loader, const char *path, const char *reason)
{
    struct problem problem = { .file = text_of(path), .message = text_of(reason) };
    problem_add(loader->problems, &problem);
}

static void loader_start(struct loader *loader, struct problem_list *problems, enum content_origin origin)
{
    struct arena *arena = arena_new(65536);
    *loader = (struct loader){ .arena = arena, .problems = problems, .origin = origin };
    loader->config = arena_alloc(arena, sizeof *loader->config);
    loader->config->arena = arena;
    loader->sources = loader->config->sources = sources_new(arena);
    schema_tree_build(&loader->tree, arena);
    defaults_store(loader);
}

/* The domains move to the arena in one piece. Returns the configuration, or NULL after any error. */
static struct config *loader_end(struct loader *loader, size_t errors_before)
{
    struct config *config = loader->config;
    finish_config(loader);
    if (loader->origin != CONTENT_NONE) contents_read_all(loader);
    crosscheck_config(loader);
    free(loader->domains);
    free(loader->contents);
    free(loader->content_slots);
    if (loader->problems->errors == errors_before) return config;
    config_free(config);
    return NULL;
}

static bool file_parse(struct loader *loader, const char *path)
{
    struct text content;
    bool is_open;
    const char *why = whole_file_read(path, CONFIG_FILE_MOST, loader->arena, &content, &is_open);
    if (!why) {
        parse_file(loader, content, text_of(path));
        return true;
    }
    complain_file(loader, path, why);
    sources_file_add(loader->sources, text_of(path), TEXT_NONE);
    loader->sources->is_spoiled = true;
    return false;
}

static int is_configuration(const struct dirent *entry)
{
    struct text name = text_of(entry->d_name);
    return name.length > 5 && name.at[0] != '.' && text_ends(name, TEXT(".conf"));
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* conf.d/ *.conf beside the main file, in name order. No such folder is no error. */
static void folder_parse(struct loader *loader)
{
    struct text folder = arena_printf(loader->arena, "%.*s/conf.d", TEXT_ARG(loader->folder));
    struct dirent **entries = NULL;
    int count = scandir(folder.at, &entries, is_configuration, by_bytes);
    if (count < 0 && errno != ENOENT && errno != ENOTDIR) complain_file(loader, folder.at, strerror(errno));
    if (count >= CONFIG_FILES_MOST) complain_file(loader, folder.at, "has too many files (199 are allowed)");
    for (int i = 0; i < count; i++) {
        struct text path = arena_printf(loader->arena, "%.*s/%s", TEXT_ARG(folder), entries[i]->d_name);
        if (count < CONFIG_FILES_MOST) file_parse(loader, path.at);
        free(entries[i]);
    }
    free(entries);
}

/* The folder of the file, absolute, so that what it names is found from anywhere. */
static struct text folder_of(const char *path, struct arena *arena)
{
    char *copy = memory_string(text_of(path)), room[PATH_MAX];
    const char *folder = realpath(dirname(copy), room);
    struct text text = arena_text(arena, text_of(folder ? folder : "."));
    free(copy);
    return text.length == 1 && text.at[0] == '/' ? TEXT("/.") : text;
}

struct config *config_load(const char *path, struct problem_list *problems)
{
    struct loader loader;
    size_t errors = problems->errors;
    loader_start(&loader, problems, CONTENT_DISK);
    loader.folder = folder_of(path, loader.arena);
    if (file_parse(&loader, path)) folder_parse(&loader);
    return loader_end(&loader, errors);
}

bool config_find_state(const char *path, char *room, size_t size)
{
    struct loader loader;
    struct problem_list problems;
    problem_list_start(&problems);
    loader_start(&loader, &problems, CONTENT_NONE);
    loader.folder = folder_of(path, loader.arena);
    bool is_read = file_parse(&loader, path);
    if (is_read) folder_parse(&loader);
    bool is_said = source_find(loader.sources, schema_row_of(SCHEMA_GLOBAL, "state"), 0).line > 0;
    snprintf(room, size, "%.*s", TEXT_ARG(loader.config->state));
    config_free(loader_end(&loader, 0)); /* NULL, and free already, where it has errors */
    problem_list_free(&problems);
    return is_read && (is_said || strcmp(path, config_default_path()) == 0);
}

struct config *config_load_text(struct text content, const char *name, bool read_files,
                                struct problem_list *problems)
{
    struct loader loader;
    size_t errors = problems->errors;
    loader_start(&loader, problems, read_files ? CONTENT_DISK : CONTENT_NONE);
    loader.folder = folder_of(name, loader.arena);
    parse_file(&loader, arena_text(loader.arena, content), text_of(name));
    return loader_end(&loader, errors);
}

static void content_keep(struct loader *loader, const struct file_content *file)
{
    if (file->path.length == 0 || content_find(loader, file->path)) return;
    content_add(loader, (struct content){ .path = arena_text(loader->arena, file->path),
                                          .bytes = arena_text(loader->arena, file->content) });
}

/* Tables and rules do not change: their content goes over. */
static void tables_keep(struct loader *loader, const struct config *config)
{
    content_keep(loader, &config->spam.rules);
    content_keep(loader, &config->spam.own_rules);
    content_keep(loader, &config->people);
    for (size_t i = 0; i < config->domain_count; i++)
        content_keep(loader, &config->domains[i].recipients_table);
}

struct config *config_renew(const struct config *config, struct problem_list *problems)
{
    struct loader loader;
    struct buffer dump = { 0 };
    size_t errors = problems->errors;
    loader_start(&loader, problems, CONTENT_DISK);
    tables_keep(&loader, config);
    config_dump_said(config, &dump);
    parse_file(&loader, arena_text(loader.arena, buffer_text(&dump)), TEXT("(in force)"));
    struct config *renewed = loader_end(&loader, errors);
    if (renewed) renewed->spam.rules_fault = arena_text(renewed->arena, config->spam.rules_fault);
    buffer_free(&dump);
    return renewed;
}

struct config *load_bundled(struct text dump, const struct content *contents, size_t count,
                            struct problem_list *problems)
{
    struct loader loader;
    size_t errors = problems->errors;
    loader_start(&loader, problems, CONTENT_BUNDLE);
    for (size_t i = 0; i < count; i++) content_add(&loader, contents[i]);
    parse_file(&loader, dump, TEXT("bundle"));
    struct config *config = loader_end(&loader, errors);
    if (config) config->sources = NULL;
    return config;
}
