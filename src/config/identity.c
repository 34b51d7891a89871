/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The cross-check of certificates: keys that do not fit, authorities that do not stand behind them, what has
   ended or soon will, keys that everybody may read. Called by crosscheck.c. */
#include <inttypes.h>
#include <time.h>

#include "base/certificate.h"
#include "base/tls.h"
#include "config/load_private.h"

enum { DAYS_AHEAD = 30 };

static struct place node_place(const struct loader *loader, const char *words)
{
    return loader_place(loader, SCHEMA_GLOBAL, words, 0);
}

static void time_check(struct loader *loader, const struct file_content *file, struct place place)
{
    struct certificate_facts facts;
    struct content *content = content_find(loader, file->path);
    char day[CERTIFICATE_DAY_SIZE];
    int64_t now = (int64_t)time(NULL);
    if (!content || content->was_checked || !certificate_read(file->content, loader->arena, &facts)) return;
    content->was_checked = true;
    int64_t left = certificate_days_left(facts.until_s, now);
    certificate_day_print(facts.until_s, day);
    if (left < 0)
        loader_complain(loader, SEVERITY_WARNING, place, N_("the certificate %.*s has expired, on %s"),
                        TEXT_ARG(file->path), day);
    else if (left < DAYS_AHEAD)
        loader_complain(loader, SEVERITY_WARNING, place,
                        "the certificate %.*s expires in %" PRId64 " days, on %s", TEXT_ARG(file->path), left,
                        day);
    else if (facts.from_s > now)
        loader_complain(loader, SEVERITY_WARNING, place, N_("the certificate %.*s is not valid yet"),
                        TEXT_ARG(file->path));
}

static void key_check(struct loader *loader, const struct file_content *key, struct place place)
{
    struct content *content = content_find(loader, key->path);
    if (!content || !content->is_open_to_all || content->was_complained) return;
    content->was_complained = true;
    loader_complain(loader, SEVERITY_WARNING, place, N_("everybody on this machine may read the key %.*s"),
                    TEXT_ARG(key->path));
}

static bool has_block(const struct file_content *file, const char *kind)
{
    struct text lines = file->content, line;
    while (text_next_line(&lines, &line))
        if (text_starts(line, TEXT("-----BEGIN ")) && text_find(line, text_of(kind)) < line.length)
            return true;
    return false;
}

/* One file in the place of the other. NULL: it is not that. */
static const char *swap_find(const struct file_content *certificate, const struct file_content *key)
{
    bool has_certificate = has_block(certificate, "CERTIFICATE"), has_key = has_block(key, "PRIVATE KEY");
    bool is_key = has_block(certificate, "PRIVATE KEY"), is_certificate = has_block(key, "CERTIFICATE");
    if (!has_certificate && is_key && !has_key && is_certificate)
        return N_("certificate and key are swapped: the first file holds a key, the second a certificate");
    if (!has_certificate && is_key) return N_("the first file holds a key and no certificate");
    if (!has_key && is_certificate) return N_("the second file holds a certificate and no key");
    return NULL;
}

/* False when it was complained of. */
static bool pair_check(struct loader *loader, const struct file_content *certificate, struct place place,
                       const struct file_content *key, struct place key_place)
{
    char why[256];
    struct tls_context *context = tls_context_server(certificate->content, key->content, why, sizeof why);
    bool is_good = context != NULL;
    const char *swap = is_good ? NULL : swap_find(certificate, key);
    if (!is_good)
        loader_complain(loader, SEVERITY_ERROR, place, N_("certificate %.*s with key %.*s: %s"),
                        TEXT_ARG(certificate->path), TEXT_ARG(key->path),
                        swap ? problem_say(loader->problems, swap) : why);
    tls_context_free(context);
    time_check(loader, certificate, place);
    key_check(loader, key, key_place);
    return is_good;
}

/* --- the node's own --- */

/* Why a file could not be read was said where it was read. */
static bool are_read(struct loader *loader, const struct file_content *const files[3])
{
    for (int i = 0; i < 3; i++) {
        const struct content *content = content_find(loader, files[i]->path);
        if (!content || content->reason) return false;
    }
    return true;
}

static const char *const node_words[3] = { "node certificate", "node key", "node ca" };

/* All three are said; complains when only some are. */
static bool node_is_whole(struct loader *loader, const struct file_content *const files[3])
{
    const char *missing = NULL;
    struct place place = { 0 };
    int said = 0;
    for (int i = 0; i < 3; i++) {
        if (files[i]->path.length == 0) {
            missing = node_words[i];
        } else if (said++ == 0) {
            place = node_place(loader, node_words[i]);
        }
    }
    if (said > 0 && missing)
        loader_complain(loader, SEVERITY_ERROR, place,
                        N_("%s is missing: node has certificate, key and ca, or none"), missing);
    return !missing;
}

static void node_check(struct loader *loader)
{
    const struct config *config = loader->config;
    const struct file_content *const files[3] = { &config->node.certificate, &config->node.key,
                                                  &config->node.ca };
    char why[256];
    if (!node_is_whole(loader, files) || loader->origin != CONTENT_DISK || !are_read(loader, files)) return;
    struct place place = node_place(loader, node_words[0]);
    if (!pair_check(loader, files[0], place, files[1], node_place(loader, node_words[1]))) return;
    if (!certificate_is_of(files[0]->content, files[2]->content, why, sizeof why))
        loader_complain(loader, SEVERITY_ERROR, place,
                        N_("the certificate %.*s is not one of the authority %.*s: %s"),
                        TEXT_ARG(files[0]->path), TEXT_ARG(files[2]->path), why);
    time_check(loader, files[2], node_place(loader, node_words[2]));
}

/* `tls node` is said there; needs who we are. */
static void node_need(struct loader *loader, struct place place)
{
    if (loader->config->node.certificate.path.length > 0) return;
    loader_complain(loader, SEVERITY_ERROR, place,
                    N_("tls node without node { certificate FILE; key FILE; ca FILE }"));
}

/* Events of several nodes stand in one ledger by their numbers, and certificates say whose they are. */
static void ledger_check(struct loader *loader)
{
    const struct config *config = loader->config;
    bool sends = config->ledger.collectors.count > 0;
    if (config->node.trusted.count && config->ledger.listen.length == 0)
        loader_complain(loader, SEVERITY_ERROR, node_place(loader, "node trust"),
                        N_("node trust without ledger listen: no node tells this one anything"));
    if (!sends && config->ledger.listen.length == 0) return;
    const char *words = sends ? "ledger send to" : "ledger listen";
    if (config->node.certificate.path.length == 0)
        loader_complain(loader, SEVERITY_ERROR, node_place(loader, words),
                        N_("%s without node { certificate FILE; key FILE; ca FILE }"), words);
    if (config->node.number == 0)
        loader_complain(loader, SEVERITY_ERROR, node_place(loader, words),
                        N_("%s without node { number N }, another one for each node"), words);
}

/* --- those of listeners --- */

static void listener_check(struct loader *loader, const struct listener *listener, size_t index)
{
    struct place place = loader_place(loader, SCHEMA_LISTENER, "tls certificate", index);
    struct place key_place = loader_place(loader, SCHEMA_LISTENER, "tls key", index);
    struct place level_place = loader_place(loader, SCHEMA_LISTENER, "tls", index);
    bool is_nodes = listener->tls == TLS_NODE;
    if (is_nodes) node_need(loader, level_place);
    if (listener->certificate.path.length > 0) {
        bool is_own = is_nodes &&
                      text_equal(listener->certificate.path, loader->config->node.certificate.path) &&
                      text_equal(listener->key.path, loader->config->node.key.path);
        if (loader->origin == CONTENT_DISK && !is_own)
            pair_check(loader, &listener->certificate, place, &listener->key, key_place);
        return;
    }
    if (listener->tls != TLS_OFF && !is_nodes)
        loader_complain(loader, SEVERITY_ERROR, level_place,
                        N_("tls %s without a certificate; say tls certificate FILE"),
                        listener->tls == TLS_REQUIRED ? "required" : "offered");
    if (listener->key.path.length > 0)
        loader_complain(loader, SEVERITY_ERROR, key_place, N_("tls key without tls certificate"));
}

void identity_check(struct loader *loader)
{
    const struct config *config = loader->config;
    node_check(loader);
    ledger_check(loader);
    for (size_t i = 0; i < config->listener_count; i++)
        if (!loader->sources->items[SCHEMA_LISTENER][i].is_spoiled)
            listener_check(loader, &config->listeners[i], i);
    for (size_t i = 0; i < config->domain_count; i++)
        if (config->domains[i].tls == TLS_NODE)
            node_need(loader, loader_place(loader, SCHEMA_DOMAIN, "tls", i));
}
