/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The public suffix list by libpsl. */
#include "auth/public_suffix.h"

#include <libpsl.h>
#include <stdlib.h>

enum { NAME_MOST = 253 };

struct public_suffix_list {
    const psl_ctx_t *rules;
    psl_ctx_t *loaded; /* the same, when it is ours to free */
};

const struct public_suffix_list *public_suffix_builtin(void)
{
    static struct public_suffix_list builtin;
    builtin.rules = psl_builtin();
    return builtin.rules ? &builtin : NULL;
}

struct public_suffix_list *public_suffix_open(const char *path)
{
    psl_ctx_t *loaded = psl_load_file(path);
    if (!loaded) return NULL;
    struct public_suffix_list *list = memory_alloc(sizeof *list);
    *list = (struct public_suffix_list){ loaded, loaded };
    return list;
}

void public_suffix_close(struct public_suffix_list *list)
{
    if (!list) return;
    psl_free(list->loaded);
    free(list);
}

static bool is_name(struct text domain)
{
    if (domain.length == 0 || domain.length > NAME_MOST || domain.at[0] == '.') return false;
    return !memchr(domain.at, '\0', domain.length) && domain.at[domain.length - 1] != '.' &&
           text_find(domain, TEXT("..")) == domain.length;
}

struct text public_suffix_organization(const struct public_suffix_list *list, struct text domain)
{
    char name[NAME_MOST + 1];
    if (!is_name(domain)) return TEXT_NONE;
    memcpy(name, domain.at, domain.length);
    name[domain.length] = '\0';
    const char *found = psl_registrable_domain(list->rules, name);
    return found ? text_slice(domain, (size_t)(found - name), domain.length) : TEXT_NONE;
}
