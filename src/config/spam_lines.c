/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Recipients by address. And the check of what is said. */
#include "config/spam_lines.h"

#include <math.h>

#include "config/domains.h"
#include "config/load_private.h"
#include "config/name_index.h"

void wishes_index_build(struct config *config)
{
    config->wish_index = name_index_build(config->arena, config->wishes, config->wish_count,
                                          sizeof *config->wishes, offsetof(struct recipient_wish, address));
}

static const struct recipient_wish *wish_find(const struct config *config, struct text address)
{
    return name_index_find(config->wish_index, address);
}

/* "user+folder@example.jp" without "+folder"; empty where there is nothing to leave out. */
static struct text without_folder(const struct domain *domain, struct text address, size_t at, char *room,
                                  size_t size)
{
    struct text local = text_slice(address, 0, at), host = text_slice(address, at, address.length);
    size_t user = domain->delimiter.length ? config_user_length(domain, local) : local.length;
    if (user >= local.length || user + host.length > size) return TEXT_NONE;
    memcpy(room, local.at, user);
    memcpy(room + user, host.at, host.length);
    return text_from(room, user + host.length);
}

static void own_apply(const struct own_spam *own, struct spam_lines *out)
{
    if (own->has_mode) out->mode = own->mode;
    if (own->has_tag) out->tag = own->tag;
    if (own->has_quarantine) out->quarantine = own->quarantine;
    if (own->has_reject) out->reject = own->reject;
    if (own->has_place) out->place = own->place;
}

struct spam_lines config_spam_lines(const struct config *config, struct text address)
{
    char room[512];
    struct spam_lines out = { config->spam.mode, config->spam.tag, config->spam.quarantine,
                              config->spam.reject, config->spam.place };
    size_t at = text_find_last_char(address, '@');
    const struct domain *domain = config_find_domain(config, text_slice(address, at + 1, address.length));
    own_apply(&domain->spam, &out);
    if (config->wish_count == 0 || at >= address.length) return out;
    const struct recipient_wish *wish = wish_find(config, address);
    if (!wish) {
        struct text user = without_folder(domain, address, at, room, sizeof room);
        wish = user.length ? wish_find(config, user) : NULL;
    }
    if (wish) own_apply(&wish->spam, &out);
    return out;
}

bool config_is_judged(const struct config *config, struct text address)
{
    size_t at = text_find_last_char(address, '@');
    const struct domain *domain = config_find_domain(config, text_slice(address, at + 1, address.length));
    return config_virus_mode(config, domain) != MODE_OFF ||
           config_spam_lines(config, address).mode != MODE_OFF ||
           config_auth_mode(config, domain) != MODE_OFF;
}

double config_newsletter_line(const struct config *config, const struct spam_lines *lines)
{
    return config->newsletter.tag > lines->tag ? config->newsletter.tag : lines->tag;
}

/* --- the check --- */

/* What is never done stands in nobody's way. */
static bool falls(double lower, double upper)
{
    return !isinf(lower) && lower > upper;
}

static void order_check(struct loader *loader, enum schema_scope scope, const char *const words[3],
                        const struct spam_lines *lines, size_t index)
{
    struct place place = { 0 };
    if (!falls(lines->tag, lines->quarantine) && !falls(lines->quarantine, lines->reject) &&
        !falls(lines->tag, lines->reject))
        return;
    for (size_t i = 0; i < 3 && place.line == 0; i++)
        place = source_find(loader->sources, schema_row_of(scope, words[i]), index);
    loader_complain(loader, SEVERITY_ERROR, place,
                    N_("the points for spam must not fall from tag (%g) to quarantine (%g) to reject (%g)"),
                    lines->tag, lines->quarantine, lines->reject);
}

static bool has_points(const struct own_spam *own)
{
    return own->has_tag || own->has_quarantine || own->has_reject;
}

static void wish_check(struct loader *loader, size_t index, const char *const words[3])
{
    const struct config *config = loader->config;
    const struct recipient_wish *wish = &config->wishes[index], *first = wish_find(config, wish->address);
    struct text domain =
        text_slice(wish->address, text_find_last_char(wish->address, '@') + 1, wish->address.length);
    if (first != wish)
        loader_complain(loader, SEVERITY_ERROR, loader_place(loader, SCHEMA_WISH, "spam", index),
                        N_("recipient %.*s is said twice; it stands once"), TEXT_ARG(wish->address));
    if (!config_route_is_local(config_find_domain(config, domain)))
        loader_complain(loader, SEVERITY_ERROR, loader_place(loader, SCHEMA_WISH, "spam", index),
                        N_("recipient %.*s is of no domain of ours"), TEXT_ARG(wish->address));
    struct spam_lines lines = config_spam_lines(config, wish->address);
    if (has_points(&wish->spam)) order_check(loader, SCHEMA_WISH, words, &lines, index);
}

void spam_lines_check(struct loader *loader)
{
    static const char *const words[] = { "spam reject above", "spam quarantine above", "spam tag above" };
    const struct config *config = loader->config;
    const struct spam_lines all = { .tag = config->spam.tag,
                                    .quarantine = config->spam.quarantine,
                                    .reject = config->spam.reject };
    if (loader->sources->is_spoiled) return;
    order_check(loader, SCHEMA_GLOBAL, words, &all, 0);
    for (size_t i = 0; i < config->domain_count; i++) {
        struct spam_lines lines = all;
        own_apply(&config->domains[i].spam, &lines);
        if (has_points(&config->domains[i].spam)) order_check(loader, SCHEMA_DOMAIN, words, &lines, i);
    }
    for (size_t i = 0; i < config->wish_count; i++)
        if (!loader->sources->items[SCHEMA_WISH][i].is_spoiled) wish_check(loader, i, words);
}
