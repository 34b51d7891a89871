/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What the steps of one load share: parse, finish, content, cross-check. For src/config/ only. */
#ifndef SEKIMORI_CONFIG_LOAD_PRIVATE_H
#define SEKIMORI_CONFIG_LOAD_PRIVATE_H

#include "config/load.h"
#include "config/schema_tree.h"
#include "config/source.h"

/* Where the content of the files that a configuration names comes from. */
enum content_origin { CONTENT_NONE, CONTENT_DISK, CONTENT_BUNDLE };

struct content {
    struct text path, bytes;
    const char *reason;  /* why it could not be read, or NULL */
    bool is_open_to_all; /* everybody on the machine may read it */
    bool was_checked;    /* as a table, or a certificate's time */
    bool was_complained; /* that everybody may read a key */
};

struct loader {
    struct arena *arena; /* the configuration's */
    struct config *config;
    struct problem_list *problems;
    struct schema_tree tree;
    struct config_sources *sources;
    struct text folder; /* relative paths stand from here */
    struct domain *domains;
    size_t domain_count, domain_capacity;
    struct listener listener_fallback;
    struct hosted hosted_fallback;
    struct outside_engine engine_fallback, opinion_fallback;
    struct list_setting list_fallback;
    struct recipient_wish wish_fallback;
    struct domain domain_fallback;
    size_t statements;

    struct ifaddrs *interfaces; /* of this machine, during the cross-check */
    enum content_origin origin;
    struct content *contents; /* read so far, or those of the bundle */
    size_t content_count;
    uint32_t *content_slots; /* hash of paths: position + 1 */
    size_t content_slot_count;
};

/* Puts every default in. */
void defaults_store(struct loader *loader);

/* Reads the statements of one file into loader->config and loader->domains. */
void parse_file(struct loader *loader, struct text content, struct text name);

/* Works out what depends on other settings: names, ports, "*", the domain index. */
void finish_config(struct loader *loader);

/* Reads the files that settings name. */
void contents_read_all(struct loader *loader);
/* Takes over what `content` holds. NULL: no file of that path was read; else borrowed until the next is
   added. */
void content_add(struct loader *loader, struct content content);
struct content *content_find(struct loader *loader, struct text path);
/* A configuration from the parts of a bundle; it has no sources. */
struct config *load_bundled(struct text dump, const struct content *contents, size_t count,
                            struct problem_list *problems);

/* What no single statement can be blamed for. */
void crosscheck_config(struct loader *loader);
/* Where a setting, or an option of a listener or domain, was said, else the statement that names the item. */
struct place loader_place(const struct loader *loader, enum schema_scope scope, const char *words,
                          size_t index);
/* The same for certificates. */
void identity_check(struct loader *loader);
/* And for keys that sign mail. */
void mail_keys_check(struct loader *loader);

/* And for engines outside. */
void engines_check(struct loader *loader);

/* And for lists. */
void list_setting_check(struct loader *loader);

/* And for points of spam. */
void spam_lines_check(struct loader *loader);

/* And for clouds that others use too. */
void hosted_check(struct loader *loader);

/* Adds a problem at `place`, whose file is one of the loader's sources. The text is copied. */
void loader_complain(struct loader *loader, enum severity severity, struct place place, const char *format,
                     ...) __attribute__((format(printf, 4, 5)));
/* The same with what is allowed and what was perhaps meant. */
void loader_complain_fully(struct loader *loader, struct place place, struct text message,
                           struct text allowed, struct text hint);

#endif
