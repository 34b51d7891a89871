/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A registered domain is a label and a public suffix. One edit apart are two labels that are the same once a
   letter is left out of either or both: all such forms of ours are in an index, so a question costs its own
   length. */
#include "impostor/impostor_set.h"

#include <stdlib.h>

#include "auth/public_suffix.h"
#include "config/domains.h"
#include "config/people.h"
#include "impostor/one_edit.h"
#include "impostor/person_name.h"
#include "impostor/text_index.h"
#include "mail/idna.h"
#include "mail/skeleton.h"

enum {
    EDIT_LEAST = 6,   /* letters of a label one edit from which means something */
    SAME_LEAST = 5,   /* and of one that means something under another public suffix */
    LOOK_LEAST = 4,   /* and of one that looks like another */
    LABELS_MOST = 12, /* of a host, from its beginning */
    NAME_MOST = 253,
    LABEL_MOST = 63
};

/* One of ours or a partner's. */
struct likened {
    struct text name;          /* registered: "example.ac.jp" */
    struct text label, suffix; /* "example", "ac.jp" */
};

struct impostor_set {
    struct arena *arena;
    const struct config *config;
    struct skeletons *skeletons;
    struct likened *targets;
    uint32_t target_count;
    struct text_index names;             /* of targets */
    struct text_index begins;            /* the first label of a name, and the name with "-" for "." */
    struct text_index labels, shortened; /* by label; by label without one letter */
    struct text_index looks;             /* by skeleton of the label */
    struct text_index people;            /* by key of a name: offset of the line in the file */
    struct text_index addresses;         /* of our people, small letters */
};

/* --- domains --- */

static struct text organization_of(struct text host)
{
    struct text found = public_suffix_organization(public_suffix_builtin(), host);
    return found.length ? found : host;
}

static struct text label_of(struct text domain)
{
    return text_slice(domain, 0, text_find_char(domain, '.'));
}

static struct text with_hyphens(struct arena *arena, struct text name)
{
    struct text copy = arena_text(arena, name);
    char *at = memcpy(arena_alloc(arena, name.length + 1), copy.at, name.length);
    for (size_t i = 0; i < name.length; i++)
        if (at[i] == '.') at[i] = '-';
    return text_from(at, name.length);
}

static struct text skeleton_of(const struct impostor_set *set, struct arena *arena, struct text label)
{
    char room[SKELETON_MOST];
    struct text unicode = idna_to_unicode(arena, label);
    return arena_text(arena, text_from(room, skeleton_write(set->skeletons, unicode, room)));
}

/* `label` without its letter `i`, into `room`. */
static struct text without(struct text label, size_t i, char room[LABEL_MOST])
{
    memcpy(room, label.at, i);
    memcpy(room + i, label.at + i + 1, label.length - i - 1);
    return text_from(room, label.length - 1);
}

static void target_index(struct impostor_set *set, uint32_t number)
{
    const struct likened *target = &set->targets[number];
    char room[LABEL_MOST];
    text_index_add(&set->names, target->name, number);
    text_index_add(&set->begins, target->label, number);
    text_index_add(&set->begins, with_hyphens(set->arena, target->name), number);
    text_index_add(&set->labels, target->label, number);
    text_index_add(&set->looks, skeleton_of(set, set->arena, target->label), number);
    for (size_t i = 0; target->label.length >= EDIT_LEAST && i < target->label.length; i++)
        text_index_add(&set->shortened, arena_text(set->arena, without(target->label, i, room)), number);
}

static void domain_add(struct impostor_set *set, struct text written)
{
    struct text name;
    if (text_starts(written, TEXT("."))) written = text_slice(written, 1, written.length);
    if (!idna_to_ascii(set->arena, written, &name) || name.length == 0 || name.length > NAME_MOST) return;
    name = organization_of(name);
    struct text label = label_of(name);
    bool is_room = set->target_count < IMPOSTOR_DOMAINS_MOST;
    if (!is_room || label.length == name.length || label.length == 0 || label.length > LABEL_MOST) return;
    struct text suffix = text_slice(name, label.length + 1, name.length);
    set->targets[set->target_count] = (struct likened){ name, label, suffix };
    target_index(set, set->target_count++);
}

static void domains_read(struct impostor_set *set)
{
    const struct config *config = set->config;
    size_t most = config->domain_count + config->partners.count;
    if (most > IMPOSTOR_DOMAINS_MOST) most = IMPOSTOR_DOMAINS_MOST;
    set->targets = arena_alloc_array(set->arena, most + 1, sizeof *set->targets);
    for (size_t i = 0; i < config->domain_count && set->target_count < most; i++)
        if (config_route_is_local(&config->domains[i])) domain_add(set, config->domains[i].name);
    for (size_t i = 0; i < config->partners.count && set->target_count < most; i++)
        domain_add(set, config->partners.items[i]);
}

/* --- people --- */

static void person_index(struct impostor_set *set, struct text part, uint32_t offset)
{
    char room[PERSON_KEY_MOST];
    struct text before = TEXT_NONE;
    for (int way = 0; way < PERSON_WAYS; way++) {
        struct text key = text_from(room, person_name_key_in(part, way, room));
        if (key.length == 0 || text_equal(key, before)) continue;
        before = arena_text(set->arena, key);
        text_index_add(&set->people, before, offset);
    }
}

static void people_read(struct impostor_set *set)
{
    struct text content = set->config->people.content, rest = content;
    struct people_line line;
    struct buffer folded = { 0 };
    const char *why;
    uint32_t number = 0;
    while (rest.length > 0) {
        if (!people_next(&rest, &number, &line, &why)) continue;
        buffer_clear(&folded);
        person_name_fold(line.name, &folded);
        struct text names = buffer_text(&folded), part;
        while (person_name_part(&names, &part))
            person_index(set, part, (uint32_t)(line.name.at - content.at));
        for (uint32_t i = 0; i < line.address_count; i++)
            text_index_add(&set->addresses, arena_text_lower(set->arena, line.addresses[i]), 0);
    }
    buffer_free(&folded);
}

/* The line of the file that has the name at `offset`. */
static struct people_line person_at(const struct impostor_set *set, uint32_t offset)
{
    struct text content = set->config->people.content, rest;
    struct people_line line = { 0 };
    const char *why;
    uint32_t number = 0;
    size_t from = offset;
    while (from > 0 && content.at[from - 1] != '\n') from--;
    rest = text_slice(content, from, content.length);
    people_next(&rest, &number, &line, &why);
    return line;
}

static bool has_address(const struct people_line *line, struct text address)
{
    for (uint32_t i = 0; i < line->address_count; i++)
        if (text_equal_nocase(line->addresses[i], address)) return true;
    return false;
}

/* False also: one who bears the name has the address. */
static bool is_key_of_other(const struct impostor_set *set, struct text key, struct text address,
                            struct text *out_name)
{
    const struct index_entry *entry = text_index_find(&set->people, key);
    bool is_found = text_index_is(&set->people, entry, key);
    for (; text_index_is(&set->people, entry, key); entry++) {
        struct people_line line = person_at(set, entry->number);
        if (has_address(&line, address)) return false;
        *out_name = line.name;
    }
    return is_found;
}

/* What each key of a shown name is asked for: *out_name where true. */
struct person_question {
    const struct impostor_set *set;
    const struct fingerprint_page *learned;
    struct text address;
};

static bool is_of_file(const struct person_question *question, struct text key, struct text *out_name)
{
    return is_key_of_other(question->set, key, question->address, out_name);
}

/* A name that the file has goes by the file. */
static bool is_learned(const struct person_question *question, struct text key, struct text *out_name)
{
    const struct text_index *people = &question->set->people;
    if (text_index_is(people, text_index_find(people, key), key)) return false;
    return fingerprint_page_has(question->learned, fingerprint_of_colleague(key)) &&
           !fingerprint_page_has(question->learned, fingerprint_of_bearer(key, question->address));
}

static bool any_key(const struct person_question *question, struct text name,
                    bool (*is_other)(const struct person_question *question, struct text key,
                                     struct text *out_name),
                    struct text *out_name)
{
    enum { PARTS_MOST = 8 };
    struct buffer folded = { 0 };
    char room[PERSON_KEY_MOST];
    bool is_found = false;
    person_name_fold(name, &folded);
    struct text rest = buffer_text(&folded), part;
    for (int i = 0; !is_found && i < PARTS_MOST && person_name_part(&rest, &part); i++)
        for (enum person_script script = PERSON_LATIN; !is_found && script <= PERSON_WIDE; script++) {
            struct text key = text_from(room, person_name_key(part, script, false, room));
            is_found = key.length > 0 && is_other(question, key, out_name);
        }
    buffer_free(&folded);
    return is_found;
}

bool impostor_set_person(const struct impostor_set *set, struct text name, struct text address,
                         struct text *out_name)
{
    const struct person_question question = { set, NULL, address };
    return set->people.count > 0 && any_key(&question, name, is_of_file, out_name);
}

bool impostor_set_colleague(const struct impostor_set *set, const struct fingerprint_page *learned,
                            struct arena *arena, struct text name, struct text address)
{
    struct text ignored;
    const struct person_question question = { set, learned, arena_text_lower(arena, address) };
    return learned && any_key(&question, name, is_learned, &ignored);
}

bool impostor_set_has_address(const struct impostor_set *set, struct arena *arena, struct text address)
{
    struct text key = arena_text_lower(arena, address);
    return text_index_is(&set->addresses, text_index_find(&set->addresses, key), key);
}

/* --- likeness --- */

struct likeness_search {
    const struct impostor_set *set;
    struct arena *arena;
    struct text host, name, label, suffix; /* name: registered */
    enum domain_likeness found;
    struct text like;
};

static void like(struct likeness_search *search, enum domain_likeness likeness, uint32_t number)
{
    if (likeness <= search->found) return;
    search->found = likeness;
    search->like = search->set->targets[number].name;
}

static void looks_search(struct likeness_search *search)
{
    const struct text_index *looks = &search->set->looks;
    if (search->label.length < LOOK_LEAST) return;
    struct text key = skeleton_of(search->set, search->arena, search->label);
    if (key.length == 0) return;
    const struct index_entry *entry = text_index_find(looks, key);
    for (; text_index_is(looks, entry, key); entry++)
        if (!text_equal(search->set->targets[entry->number].label, search->label))
            like(search, DOMAIN_LOOKS_ALIKE, entry->number);
}

static void tops_search(struct likeness_search *search)
{
    const struct text_index *labels = &search->set->labels;
    if (search->label.length < SAME_LEAST) return;
    const struct index_entry *entry = text_index_find(labels, search->label);
    for (; text_index_is(labels, entry, search->label); entry++)
        like(search, DOMAIN_OTHER_TOP, entry->number);
}

/* Under the same public suffix: of short words there are many that are one letter from another. */
static void edits_of(struct likeness_search *search, const struct text_index *index, struct text key)
{
    const struct index_entry *entry = text_index_find(index, key);
    for (; text_index_is(index, entry, key); entry++) {
        const struct likened *target = &search->set->targets[entry->number];
        bool is_long = search->label.length >= EDIT_LEAST && target->label.length >= EDIT_LEAST;
        if (is_long && text_equal(target->suffix, search->suffix) &&
            one_edit_is(target->label, search->label))
            like(search, DOMAIN_ONE_EDIT, entry->number);
    }
}

static void edits_search(struct likeness_search *search)
{
    char room[LABEL_MOST];
    if (search->label.length < EDIT_LEAST || search->label.length > LABEL_MOST) return;
    edits_of(search, &search->set->shortened, search->label);
    for (size_t i = 0; i < search->label.length; i++) {
        struct text key = without(search->label, i, room);
        edits_of(search, &search->set->shortened, key);
        edits_of(search, &search->set->labels, key);
    }
}

/* A name of ours stands in front of what the host is registered as. */
static void below_search(struct likeness_search *search)
{
    const struct text_index *begins = &search->set->begins;
    struct text front = text_slice(search->host, 0, search->host.length - search->name.length);
    for (int i = 0; i < LABELS_MOST && front.length > 0; i++) {
        struct text label = label_of(front);
        const struct index_entry *entry = text_index_find(begins, label);
        for (; text_index_is(begins, entry, label); entry++) {
            struct text name = search->set->targets[entry->number].name;
            bool is_whole = label.length == name.length;
            if (is_whole ||
                (text_starts(front, name) && front.length > name.length && front.at[name.length] == '.'))
                like(search, DOMAIN_BELOW, entry->number);
        }
        front = text_slice(front, label.length + 1, front.length);
    }
}

static bool is_target(const struct impostor_set *set, struct text name)
{
    return text_index_is(&set->names, text_index_find(&set->names, name), name);
}

enum domain_likeness impostor_set_domain(const struct impostor_set *set, struct arena *arena,
                                         struct text host, struct text *out_like)
{
    struct likeness_search search = { .set = set, .arena = arena, .host = host };
    *out_like = TEXT_NONE;
    if (set->target_count == 0 || host.length == 0 || host.length > NAME_MOST) return DOMAIN_UNLIKE;
    search.name = organization_of(host);
    search.label = label_of(search.name);
    search.suffix = text_slice(search.name, search.label.length + 1, search.name.length);
    if (search.label.length == search.name.length || is_target(set, search.name)) return DOMAIN_UNLIKE;
    tops_search(&search);
    edits_search(&search);
    below_search(&search);
    looks_search(&search);
    *out_like = search.like;
    return search.found;
}

/* --- the set --- */

struct impostor_set *impostor_set_new(const struct config *config)
{
    struct impostor_set *set = memory_alloc(sizeof *set);
    set->arena = arena_new(0);
    set->config = config;
    set->skeletons = skeletons_new();
    domains_read(set);
    people_read(set);
    struct text_index *all[] = { &set->names, &set->begins, &set->labels,   &set->shortened,
                                 &set->looks, &set->people, &set->addresses };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) text_index_sort(all[i]);
    return set;
}

void impostor_set_free(struct impostor_set *set)
{
    if (!set) return;
    struct text_index *all[] = { &set->names, &set->begins, &set->labels,   &set->shortened,
                                 &set->looks, &set->people, &set->addresses };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) text_index_free(all[i]);
    skeletons_free(set->skeletons);
    arena_free(set->arena);
    free(set);
}
