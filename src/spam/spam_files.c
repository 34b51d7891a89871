/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Looks at files for `sekimori check`; keeps none open. */
#include "spam/spam_files.h"

#include <stdlib.h>
#include <unistd.h>

#include "config/source.h"
#include "spam/base_model.h"

static struct place place_of(const struct config *config, const char *words)
{
    return source_find(config->sources, schema_row_of(SCHEMA_GLOBAL, words), 0);
}

static void base_check(const struct config *config, struct problem_list *problems)
{
    char why[400];
    if (config->spam.base_model.length == 0) return;
    char *path = memory_string(config->spam.base_model);
    struct base_model *model = base_model_open(path, why, sizeof why);
    if (!model)
        source_complain(config->sources, place_of(config, "spam base model"), problems, SEVERITY_WARNING,
                        N_("mail is judged without the base model: %s; an installation brings one, and "
                           "`spam base model none` says that none is wanted"),
                        why);
    base_model_close(model);
    free(path);
}

static void folder_check(const struct config *config, const char *words, const struct file_content *folder,
                         struct problem_list *problems)
{
    if (folder->path.length == 0 || folder->content.length > 0) return;
    char *path = memory_string(folder->path);
    struct place place = place_of(config, words);
    if (access(path, F_OK) != 0)
        source_complain(config->sources, place, problems, SEVERITY_WARNING,
                        N_("%s: mail is judged without these rules: there is no folder %s"), words, path);
    else
        source_complain(config->sources, place, problems, SEVERITY_WARNING,
                        N_("%s: mail is judged without these rules: no file *.rules is in %s"), words, path);
    free(path);
}

void spam_files_check(const struct config *config, struct problem_list *problems)
{
    if (config->role == ROLE_EDGE) return; /* it judges nothing */
    base_check(config, problems);
    folder_check(config, "spam rules", &config->spam.rules, problems);
    /* one that is there and empty waits for rules */
    char *own = memory_string(config->spam.own_rules.path);
    if (place_of(config, "spam own rules").line > 0 && access(own, F_OK) != 0)
        folder_check(config, "spam own rules", &config->spam.own_rules, problems);
    free(own);
}
