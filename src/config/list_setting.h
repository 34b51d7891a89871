/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a `list` statement means, with what it leaves to its preset (config/list_preset.h). Read by lookup,
   which asks lists, by receive and scan, which ask lookup, and by who shows them. */
#ifndef SEKIMORI_CONFIG_LIST_SETTING_H
#define SEKIMORI_CONFIG_LIST_SETTING_H

#include "base/arena.h"
#include "base/buffer.h"
#include "config/list_preset.h"

/* In which form a list is there. */
enum list_form { LIST_FORM_NETWORKS, LIST_FORM_NAMES, LIST_FORM_HASHES, LIST_FORM_ZONE };

enum { LIST_NAME_MOST = 40 };

/* Letters, digits and hyphens, LIST_NAME_MOST at most. */
bool list_setting_is_name(struct text word);

/* By what is said; a zone where nothing is. */
enum list_form list_setting_form(const struct list_setting *list);
/* Of its file, or the https:// address of that; empty: it is a zone. */
struct text list_setting_path(const struct list_setting *list);
/* It is fetched by HTTPS; and the name in the folder `lists` of the file that came last, with `suffix` behind
   it, appended with a NUL that does not count. */
bool list_setting_is_fetched(const struct list_setting *list);
void list_setting_kept_name(const struct list_setting *list, const char *suffix, struct buffer *out);
/* Some list is, where lists are asked. */
bool config_lists_are_fetched(const struct config *config);

/* Bits 1 << enum list_about; of one list, and of all. */
uint64_t list_setting_about(const struct list_setting *list);
uint64_t config_lists_about(const struct config *config);
const char *list_about_name(enum list_about about); /* "client" */

enum { LIST_SIGNAL_SIZE = LIST_NAME_MOST + 8 };
/* "LIST_SPAMHAUS_ZEN" of spamhaus-zen, as a NUL-terminated text in `room`; returned. */
const char *list_setting_signal(const struct list_setting *list, char room[LIST_SIGNAL_SIZE]);

/* Some list refuses clients at RCPT. */
bool config_lists_refuse_clients(const struct config *config);

/* NULL: there is none of that name. */
const struct list_setting *config_list_find(const struct config *config, struct text name);

/* It is asked about hashes and nothing else: nothing is known that each such list has. */
bool list_setting_is_hashed(const struct list_setting *list);
/* How such a zone has them; the label between the digest and the zone, for one thing that it is asked about;
   NULL: none. */
enum list_digest list_setting_digest(const struct list_setting *list);
bool list_setting_is_base32(const struct list_setting *list);
const char *list_setting_label(const struct list_setting *list, enum list_about about);

/* Appends the zone that is asked, with the key before it. */
void list_setting_zone(const struct list_setting *list, struct buffer *out);

/* Whether the zone's answer means listed; what it means, a literal, or NULL; and the points that it adds. Of
   a file `answer` is zero. */
bool list_setting_is_listing(const struct list_setting *list, const struct address *answer);
const char *list_setting_means(const struct list_setting *list, const struct address *answer);
double list_setting_points(const struct list_setting *list, const struct address *answer);

/* Addresses that no list file may have: where this node and the other nodes listen, and the servers behind.
   In the arena. */
size_t config_own_addresses(const struct config *config, struct arena *arena, struct address **out);

#endif
