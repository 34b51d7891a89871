/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Sorted by name: a node may have thousands of domains. */
#include "signer/keyring.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/log.h"
#include "config/domains.h"

struct named_key {
    struct text name; /* in the keyring's arena */
    struct private_key *key;
};

struct keyring {
    struct arena *arena;
    struct named_key *items;
    uint32_t count;
};

static void key_add(struct keyring *keyring, const struct domain *domain, const struct signing_key *key)
{
    char why[200];
    struct buffer name = { 0 };
    config_signing_key_name(domain, key, &name);
    struct private_key *loaded = private_key_load(key->file.content, why, sizeof why);
    if (loaded)
        keyring->items[keyring->count++] =
            (struct named_key){ arena_text(keyring->arena, buffer_text(&name)), loaded };
    else
        log_error("the key of %.*s cannot be used: %s", TEXT_ARG(buffer_text(&name)), why);
    buffer_free(&name);
}

static void list_add(struct keyring *keyring, const struct domain *domain,
                     const struct signing_key_list *list)
{
    for (size_t i = 0; i < list->count; i++) key_add(keyring, domain, &list->items[i]);
}

static int by_name(const void *a, const void *b)
{
    const struct named_key *first = a, *second = b;
    return text_compare(first->name, second->name);
}

struct keyring *keyring_new(const struct config *config)
{
    struct keyring *keyring = memory_alloc(sizeof *keyring);
    size_t most = 0;
    for (size_t i = 0; i < config->domain_count; i++)
        most += config->domains[i].dkim_rsa.count + config->domains[i].dkim_ed25519.count;
    *keyring =
        (struct keyring){ .arena = arena_new(0), .items = memory_alloc((most + 1) * sizeof *keyring->items) };
    for (size_t i = 0; i < config->domain_count; i++) {
        list_add(keyring, &config->domains[i], &config->domains[i].dkim_rsa);
        list_add(keyring, &config->domains[i], &config->domains[i].dkim_ed25519);
    }
    qsort(keyring->items, keyring->count, sizeof *keyring->items, by_name);
    return keyring;
}

void keyring_free(struct keyring *keyring)
{
    if (!keyring) return;
    for (uint32_t i = 0; i < keyring->count; i++) private_key_free(keyring->items[i].key);
    free(keyring->items);
    arena_free(keyring->arena);
    free(keyring);
}

uint32_t keyring_count(const struct keyring *keyring)
{
    return keyring->count;
}

bool keyring_sign(const struct keyring *keyring, struct text name, const uint8_t digest[KEY_DIGEST_BYTES],
                  struct buffer *out, const char **out_why)
{
    const struct named_key wanted = { .name = name };
    const struct named_key *found = bsearch(&wanted, keyring->items, keyring->count, sizeof wanted, by_name);
    if (found && private_key_sign(found->key, digest, out)) return true;
    *out_why = found ? "OpenSSL does not sign with it" : "there is no such key";
    return false;
}

void keyring_warm_up(const struct keyring *keyring)
{
    static const uint8_t digest[KEY_DIGEST_BYTES];
    struct buffer signature = { 0 };
    bool is_warm[KEY_KIND_COUNT] = { 0 };
    for (uint32_t i = 0; i < keyring->count; i++) {
        enum key_kind kind = private_key_kind(keyring->items[i].key);
        if (!is_warm[kind]) private_key_sign(keyring->items[i].key, digest, &signature);
        is_warm[kind] = true;
    }
    buffer_free(&signature);
}
