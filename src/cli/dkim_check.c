/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Whether a record is of a key is tried: the key signs, and what is published verifies. */
#include "cli/dkim_check.h"

#include <stdio.h>
#include <sysexits.h>

#include "auth/dkim_key.h"
#include "auth/private_key.h"
#include "base/json.h"
#include "cli/dns_tool.h"
#include "config/domains.h"
#include "config/load.h"

enum { NOT_ALL = 1 };

/* What is published where a key should be. */
enum published_state {
    STATE_FITS,
    STATE_MISSING,
    STATE_OTHER,
    STATE_SEVERAL,
    STATE_REVOKED,
    STATE_BROKEN,
    STATE_SILENT
};

static const struct {
    const char *word, *says;
    int code;
} states[] = {
    [STATE_FITS] = { "fits", "published", EX_OK },
    [STATE_MISSING] = { "missing", "not published: what it signs is verified by nobody", NOT_ALL },
    [STATE_OTHER] = { "other", "another key is published", NOT_ALL },
    [STATE_SEVERAL] = { "several", "several records are published: others may take any", NOT_ALL },
    [STATE_REVOKED] = { "revoked", "the record says that the key is revoked", NOT_ALL },
    [STATE_BROKEN] = { "broken", "the record is of no use", NOT_ALL },
    [STATE_SILENT] = { "no-answer", "the DNS gives no answer", EX_TEMPFAIL },
};

struct checked {
    const struct domain *domain;
    const struct signing_key *key, *newer; /* newer: of the same kind, behind it; NULL: it is the newest */
    enum key_kind kind;
    uint32_t bits;
    struct text name; /* in the DNS */
    enum published_state state;
    struct text about; /* more of it, for people; empty: nothing */
    bool is_testing;
};

struct task {
    const struct dkim_check_wish *wish;
    struct arena *arena;
    struct json *list;
    int code;
    uint32_t count;
};

/* --- the record --- */

/* "\DDD" back to its byte, between quotes. */
static struct text record_read(struct arena *arena, struct text quoted)
{
    char *out = arena_alloc(arena, quoted.length + 1);
    size_t length = 0;
    quoted = text_trim(quoted);
    if (quoted.length < 2) return TEXT_NONE;
    for (size_t i = 1; i + 1 < quoted.length; i++) {
        uint64_t number;
        if (quoted.at[i] == '\\' && text_to_number(text_slice(quoted, i + 1, i + 4), 255, &number)) {
            out[length++] = (char)number;
            i += 3;
        } else {
            out[length++] = quoted.at[i];
        }
    }
    return text_from(out, length);
}

static bool is_of(const struct private_key *key, const struct dkim_key *published)
{
    static const uint8_t digest[KEY_DIGEST_BYTES] = { 1 };
    struct buffer signature = { 0 };
    uint32_t bits;
    bool is_same = published->kind == private_key_kind(key) && private_key_sign(key, digest, &signature) &&
                   public_key_verify(published->kind, published->bytes, digest, buffer_text(&signature),
                                     &bits) == KEY_HOLDS;
    buffer_free(&signature);
    return is_same;
}

static void record_judge(struct task *task, const struct private_key *key, struct text record,
                         struct checked *out)
{
    struct dkim_key published;
    dkim_key_parse(task->arena, record, &published);
    out->is_testing = published.is_testing;
    out->state = published.reason == DKIM_KEY_REVOKED ? STATE_REVOKED
                 : published.reason != DKIM_GOOD      ? STATE_BROKEN
                 : is_of(key, &published)             ? STATE_FITS
                                                      : STATE_OTHER;
    if (out->state == STATE_BROKEN) out->about = text_of(dkim_reason_text(published.reason));
}

static void published_judge(struct task *task, const struct private_key *key, struct checked *out)
{
    struct buffer says = { 0 };
    int code = dns_tool_ask(&task->wish->target, task->wish->server, RECORD_TXT, out->name, &says);
    struct text lines = arena_text(task->arena, buffer_text(&says)), line, record = TEXT_NONE;
    uint32_t count = 0;
    while (text_next_line(&lines, &line)) {
        if (!text_starts(line, TEXT("record: "))) continue;
        record = record_read(task->arena, text_slice(line, 8, line.length));
        count++;
    }
    buffer_free(&says);
    out->state = count > 1 ? STATE_SEVERAL : code == EX_OK || code == NOT_ALL ? STATE_MISSING : STATE_SILENT;
    if (count == 1) record_judge(task, key, record, out);
}

/* --- telling --- */

static void checked_print(const struct checked *one)
{
    printf("%.*s: %s, %u bits: %s", TEXT_ARG(one->name), public_key_kind_name(one->kind), one->bits,
           states[one->state].says);
    if (one->about.length > 0) printf(" (%.*s)", TEXT_ARG(one->about));
    if (one->is_testing) printf("; t=y: others may ignore what it signs");
    if (one->newer)
        printf(
            "; the key %.*s comes after it: take this one out of the configuration when that is published, "
            "and its record a week later",
            TEXT_ARG(one->newer->selector));
    printf("\n");
}

static struct json *checked_json(const struct checked *one)
{
    struct json *object = json_new_object();
    json_set_text(object, "domain", config_signing_name(one->domain));
    json_set_text(object, "selector", one->key->selector);
    json_set_string(object, "kind", public_key_kind_name(one->kind));
    json_set_number(object, "bits", one->bits);
    json_set_text(object, "name", one->name);
    json_set_string(object, "state", states[one->state].word);
    json_set_bool(object, "testing", one->is_testing);
    if (one->newer) json_set_text(object, "newer", one->newer->selector);
    return object;
}

/* --- all keys --- */

static void key_check(struct task *task, const struct private_key *key, struct checked *one)
{
    struct buffer name = { 0 };
    config_signing_key_name(one->domain, one->key, &name);
    one->name = arena_text(task->arena, buffer_text(&name));
    buffer_free(&name);
    one->bits = private_key_bits(key);
    published_judge(task, key, one);
    if (states[one->state].code > task->code) task->code = states[one->state].code;
    task->count++;
    if (task->wish->json)
        json_add(task->list, checked_json(one));
    else
        checked_print(one);
}

static void list_check(struct task *task, const struct domain *domain, const struct signing_key_list *keys,
                       enum key_kind kind)
{
    char why[200];
    for (size_t i = 0; i < keys->count; i++) {
        bool is_newest = i + 1 == keys->count;
        struct checked one = { .domain = domain,
                               .key = &keys->items[i],
                               .newer = is_newest ? NULL : &keys->items[keys->count - 1],
                               .kind = kind };
        struct private_key *key = private_key_load(keys->items[i].file.content, why, sizeof why);
        if (key) key_check(task, key, &one);
        private_key_free(key);
    }
}

static int keys_check(struct task *task, const struct config *config)
{
    for (size_t i = 0; i < config->domain_count; i++) {
        const struct domain *domain = &config->domains[i];
        bool is_wanted = !task->wish->domain ||
                         text_equal_nocase(config_signing_name(domain), text_of(task->wish->domain));
        if (!is_wanted) continue;
        list_check(task, domain, &domain->dkim_rsa, KEY_RSA);
        list_check(task, domain, &domain->dkim_ed25519, KEY_ED25519);
    }
    if (task->count > 0) return task->code;
    fprintf(stderr, "sekimori: no domain of the configuration%s%s has keys\n",
            task->wish->domain ? " called " : "", task->wish->domain ? task->wish->domain : "");
    return EX_NOINPUT;
}

int dkim_check(const struct dkim_check_wish *wish)
{
    const char *path = wish->target.config ? wish->target.config : config_default_path();
    struct problem_list problems;
    struct task task = { .wish = wish, .arena = arena_new(0), .list = json_new_array() };
    problem_list_start(&problems);
    struct config *config = config_load(path, &problems);
    int code = EX_CONFIG;
    if (config)
        code = keys_check(&task, config);
    else
        fprintf(stderr, "sekimori: %s has errors; sekimori check says which\n", path);
    if (config && wish->json)
        json_print(task.list, stdout, true);
    else
        json_free(task.list);
    config_free(config);
    problem_list_free(&problems);
    arena_free(task.arena);
    return code;
}
