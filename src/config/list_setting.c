/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What is not said of a list, and the cross-check of the statements. The check is called by crosscheck.c. */
#include "config/list_setting.h"

#include <math.h>

#include "config/load_private.h"
#include "config/value.h"
#include "config/web_address.h"

static const double POINTS_UNSAID = 4;

bool list_setting_is_name(struct text word)
{
    for (size_t i = 0; i < word.length; i++)
        if (!char_is_alpha(word.at[i]) && !char_is_digit(word.at[i]) && word.at[i] != '-') return false;
    return word.length > 0 && word.length <= LIST_NAME_MOST;
}

/* --- what it is --- */

struct text list_setting_path(const struct list_setting *list)
{
    if (list->networks.length > 0) return list->networks;
    return list->names.length > 0 ? list->names : list->hashes;
}

bool list_setting_is_fetched(const struct list_setting *list)
{
    return text_starts_nocase(list_setting_path(list), TEXT("https://"));
}

void list_setting_kept_name(const struct list_setting *list, const char *suffix, struct buffer *out)
{
    static const char *const forms[] = { [LIST_FORM_NETWORKS] = "networks",
                                         [LIST_FORM_NAMES] = "names",
                                         [LIST_FORM_HASHES] = "hashes",
                                         [LIST_FORM_ZONE] = "zone" };
    buffer_printf(out, "%.*s.%s%s", TEXT_ARG(list->name), forms[list_setting_form(list)], suffix);
    *buffer_reserve(out, 1) = '\0';
}

bool config_lists_are_fetched(const struct config *config)
{
    for (size_t i = 0; i < config->list_count && config->role != ROLE_EDGE; i++)
        if (list_setting_is_fetched(&config->lists[i])) return true;
    return false;
}

enum list_form list_setting_form(const struct list_setting *list)
{
    if (list->networks.length > 0) return LIST_FORM_NETWORKS;
    if (list->names.length > 0) return LIST_FORM_NAMES;
    return list->hashes.length > 0 ? LIST_FORM_HASHES : LIST_FORM_ZONE;
}

/* The preset by its name, of a zone. */
static const struct list_preset *preset_of(const struct list_setting *list)
{
    return list_setting_form(list) == LIST_FORM_ZONE ? list_preset_find(list->name) : NULL;
}

uint64_t list_setting_about(const struct list_setting *list)
{
    static const uint64_t abouts[] = {
        [LIST_FORM_NETWORKS] = 1 << LIST_ABOUT_CLIENT,
        [LIST_FORM_NAMES] =
            1 << LIST_ABOUT_HELO | 1 << LIST_ABOUT_SENDER | 1 << LIST_ABOUT_FROM | 1 << LIST_ABOUT_LINK,
        [LIST_FORM_HASHES] = 1 << LIST_ABOUT_HASH,
        [LIST_FORM_ZONE] = 1 << LIST_ABOUT_CLIENT,
    };
    const struct list_preset *preset = preset_of(list);
    if (list->has_about) return list->about;
    return preset ? preset->about : abouts[list_setting_form(list)];
}

uint64_t config_lists_about(const struct config *config)
{
    uint64_t about = 0;
    for (size_t i = 0; i < config->list_count; i++) about |= list_setting_about(&config->lists[i]);
    return about;
}

const char *list_about_name(enum list_about about)
{
    static const char *const names[LIST_ABOUTS] = {
        [LIST_ABOUT_CLIENT] = "client",       [LIST_ABOUT_HELO] = "helo",
        [LIST_ABOUT_SENDER] = "sender",       [LIST_ABOUT_FROM] = "from",
        [LIST_ABOUT_LINK] = "link",           [LIST_ABOUT_HASH] = "hash",
        [LIST_ABOUT_LINK_HASH] = "link-hash", [LIST_ABOUT_ADDRESS] = "address",
    };
    return names[about];
}

const char *list_setting_signal(const struct list_setting *list, char room[LIST_SIGNAL_SIZE])
{
    static const char begin[] = "LIST_";
    size_t length = sizeof begin - 1;
    memcpy(room, begin, length);
    for (size_t i = 0; i < list->name.length && length + 1 < LIST_SIGNAL_SIZE; i++) {
        char c = list->name.at[i];
        room[length++] = (char)(c == '-' ? '_' : c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
    room[length] = '\0';
    return room;
}

bool config_lists_refuse_clients(const struct config *config)
{
    for (size_t i = 0; i < config->list_count; i++) {
        const struct list_setting *list = &config->lists[i];
        if (list->action == ACTION_REJECT && list_setting_about(list) >> LIST_ABOUT_CLIENT & 1) return true;
    }
    return false;
}

const struct list_setting *config_list_find(const struct config *config, struct text name)
{
    for (size_t i = 0; i < config->list_count; i++)
        if (text_equal(config->lists[i].name, name)) return &config->lists[i];
    return NULL;
}

/* --- zones --- */

/* The file's first word. */
static struct text key_of(const struct list_setting *list)
{
    struct text rest = list->key.content, line, word = TEXT_NONE;
    if (text_next_line(&rest, &line)) text_next_word(&line, &word);
    return word;
}

static const uint64_t hashed_abouts =
    1 << LIST_ABOUT_HASH | 1 << LIST_ABOUT_LINK_HASH | 1 << LIST_ABOUT_ADDRESS;

bool list_setting_is_hashed(const struct list_setting *list)
{
    return !(list_setting_about(list) & ~hashed_abouts);
}

enum list_digest list_setting_digest(const struct list_setting *list)
{
    const struct list_preset *preset = preset_of(list);
    return preset ? preset->digest : list->digest;
}

bool list_setting_is_base32(const struct list_setting *list)
{
    const struct list_preset *preset = preset_of(list);
    return preset ? preset->is_base32 : list->spelling == LIST_SPELLING_BASE32;
}

const char *list_setting_label(const struct list_setting *list, enum list_about about)
{
    const struct list_preset *preset = preset_of(list);
    if (!preset || !preset->has_labels) return NULL;
    return about == LIST_ABOUT_HASH ? "_file" : about == LIST_ABOUT_ADDRESS ? "_email" : "_url";
}

void list_setting_zone(const struct list_setting *list, struct buffer *out)
{
    const struct list_preset *preset = preset_of(list);
    struct text key = key_of(list), zone = list->zone;
    if (zone.length == 0 && preset)
        zone = text_of(key.length > 0 && preset->keyed ? preset->keyed : preset->zone ? preset->zone : "");
    if (key.length > 0) {
        buffer_add_text(out, key);
        buffer_add_char(out, '.');
    }
    buffer_add_text(out, zone);
}

bool list_setting_is_listing(const struct list_setting *list, const struct address *answer)
{
    const struct list_preset *preset = preset_of(list);
    if (list->answers.count > 0) return network_list_has(&list->answers, answer);
    return !preset || list_preset_code(preset, answer);
}

const char *list_setting_means(const struct list_setting *list, const struct address *answer)
{
    const struct list_preset *preset = preset_of(list);
    const struct list_code *code = preset ? list_preset_code(preset, answer) : NULL;
    return code ? code->means : NULL;
}

double list_setting_points(const struct list_setting *list, const struct address *answer)
{
    const struct list_preset *preset = preset_of(list);
    const struct list_code *code = preset ? list_preset_code(preset, answer) : NULL;
    if (list->has_points) return list->points;
    return code ? code->points : POINTS_UNSAID;
}

/* --- what is ours --- */

struct own_set {
    struct arena *arena;
    struct address *items;
    size_t count;
};

static void own_add(struct own_set *set, const struct address *address)
{
    static const struct address any_v4 = { { [10] = 0xff, [11] = 0xff } };
    if (address_is_zero(address) || address_equal(address, &any_v4)) return;
    set->items = value_list_grow(set->arena, set->items, set->count, sizeof *set->items);
    set->items[set->count++] = *address;
}

static void own_add_word(struct own_set *set, struct text word)
{
    struct endpoint endpoint;
    struct text address = text_slice(word, 0, text_find_char(word, '/'));
    if (address.length > 0 && value_endpoint_parse(address, 25, &endpoint)) own_add(set, &endpoint.address);
}

static void own_add_words(struct own_set *set, const struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++) own_add_word(set, list->items[i]);
}

size_t config_own_addresses(const struct config *config, struct arena *arena, struct address **out)
{
    struct own_set set = { .arena = arena };
    own_add_word(&set, TEXT("127.0.0.1"));
    own_add_word(&set, TEXT("::1"));
    for (size_t i = 0; i < config->listener_count; i++) own_add(&set, &config->listeners[i].endpoint.address);
    for (size_t i = 0; i < config->domain_count; i++)
        for (size_t k = 0; k < config->domains[i].target_count; k++)
            if (config->domains[i].targets[k].is_address)
                own_add(&set, &config->domains[i].targets[k].endpoint.address);
    own_add(&set, &config->deliver.source);
    own_add(&set, &config->deliver.source6);
    own_add_word(&set, config->drain.to);
    own_add_word(&set, config->ledger.listen);
    own_add_words(&set, &config->ledger.collectors);
    own_add_words(&set, &config->vrrp.addresses);
    own_add_words(&set, &config->vrrp.peers);
    *out = set.items;
    return set.count;
}

/* --- the check --- */

static bool has_zone(const struct list_setting *list)
{
    struct buffer zone = { 0 };
    list_setting_zone(list, &zone);
    struct text text = buffer_text(&zone);
    bool has = text.length > 0 && !text_ends(text, TEXT("."));
    buffer_free(&zone);
    return has;
}

static void kind_check(struct loader *loader, const struct list_setting *list, struct place place)
{
    unsigned files = (list->networks.length > 0) + (list->names.length > 0) + (list->hashes.length > 0);
    const struct list_preset *preset = list_preset_find(list->name);
    if (files > 1 || (files == 1 && list->zone.length > 0))
        loader_complain(loader, SEVERITY_ERROR, place,
                        N_("list %.*s: it is one of networks, names, hashes and zone"), TEXT_ARG(list->name));
    else if (files == 0 && preset && !preset->zone && list->key.path.length == 0 && list->zone.length == 0)
        loader_complain(loader, SEVERITY_ERROR, place,
                        N_("list %.*s: its owner answers only with a key; say key FILE"),
                        TEXT_ARG(list->name));
    else if (files == 0 && list->zone.length == 0 && !preset)
        loader_complain(loader, SEVERITY_ERROR, place,
                        N_("list %.*s: no well-known list has this name; say networks, names, hashes or "
                           "zone"),
                        TEXT_ARG(list->name));
    else if (files == 0 && loader->origin == CONTENT_DISK && !has_zone(list))
        loader_complain(loader, SEVERITY_ERROR, place, N_("list %.*s: its key is no word"),
                        TEXT_ARG(list->name));
}

static void origin_check(struct loader *loader, const struct list_setting *list, struct place place)
{
    struct text path = list_setting_path(list);
    bool is_web = text_starts_nocase(path, TEXT("https:")) || text_starts_nocase(path, TEXT("http:"));
    if (is_web && !web_address_read(path, &(struct web_address){ 0 }))
        loader_complain(
            loader, SEVERITY_ERROR, place,
            N_("list %.*s: %.*s is no https:// address of a file: no other scheme, user or fragment"),
            TEXT_ARG(list->name), TEXT_ARG(text_slice(path, 0, 100)));
}

static void about_check(struct loader *loader, const struct list_setting *list, size_t index)
{
    static const uint64_t possible[] = {
        [LIST_FORM_NETWORKS] = 1 << LIST_ABOUT_CLIENT | 1 << LIST_ABOUT_LINK,
        [LIST_FORM_NAMES] =
            1 << LIST_ABOUT_HELO | 1 << LIST_ABOUT_SENDER | 1 << LIST_ABOUT_FROM | 1 << LIST_ABOUT_LINK,
        [LIST_FORM_HASHES] = 1 << LIST_ABOUT_HASH | 1 << LIST_ABOUT_LINK_HASH | 1 << LIST_ABOUT_ADDRESS,
        [LIST_FORM_ZONE] = (1 << LIST_ABOUTS) - 1,
    };
    uint64_t about = list_setting_about(list), never = about & ~possible[list_setting_form(list)];
    struct place place = loader_place(loader, SCHEMA_LIST, "about", index);
    for (unsigned i = 0; i < LIST_ABOUTS; i++)
        if (never >> i & 1)
            loader_complain(loader, SEVERITY_ERROR, place, N_("list %.*s: such a file never has a %s"),
                            TEXT_ARG(list->name), list_about_name(i));
    bool is_zone_of_files = list_setting_form(list) == LIST_FORM_ZONE && about >> LIST_ABOUT_HASH & 1;
    if (is_zone_of_files && list_setting_digest(list) != LIST_DIGEST_SHA256)
        loader_complain(loader, SEVERITY_ERROR, place,
                        N_("list %.*s: files are known by their SHA-256 alone"), TEXT_ARG(list->name));
    if (list_setting_form(list) == LIST_FORM_ZONE && (about & hashed_abouts) && !list_setting_is_hashed(list))
        loader_complain(loader, SEVERITY_ERROR, place,
                        N_("list %.*s: a zone has hashes, or names and addresses, and not both"),
                        TEXT_ARG(list->name));
    if (about == 0)
        loader_complain(loader, SEVERITY_WARNING, place, N_("list %.*s is asked about nothing"),
                        TEXT_ARG(list->name));
}

static void points_check(struct loader *loader, const struct list_setting *list, size_t index)
{
    if (list->has_points && isinf(list->points))
        loader_complain(loader, SEVERITY_ERROR, loader_place(loader, SCHEMA_LIST, "points", index),
                        N_("list %.*s: points are a number"), TEXT_ARG(list->name));
}

static void name_check(struct loader *loader, const struct list_setting *list, struct place place)
{
    if (config_list_find(loader->config, list->name) != list)
        loader_complain(loader, SEVERITY_ERROR, place, N_("there are two lists by the name %.*s"),
                        TEXT_ARG(list->name));
}

void list_setting_check(struct loader *loader)
{
    const struct config *config = loader->config;
    for (size_t i = 0; i < config->list_count; i++) {
        struct place place = loader->sources->items[SCHEMA_LIST][i].self;
        if (loader->sources->items[SCHEMA_LIST][i].is_spoiled) continue;
        name_check(loader, &config->lists[i], place);
        kind_check(loader, &config->lists[i], place);
        origin_check(loader, &config->lists[i], place);
        about_check(loader, &config->lists[i], i);
        points_check(loader, &config->lists[i], i);
    }
    if (config->list_count > 0 && config->role == ROLE_EDGE)
        loader_complain(loader, SEVERITY_WARNING, loader_place(loader, SCHEMA_GLOBAL, "role", 0),
                        N_("role edge with lists: an edge judges nothing, so none of them is asked"));
}
