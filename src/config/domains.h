/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which statement of `domains` a mail domain falls under. */
#ifndef SEKIMORI_CONFIG_DOMAINS_H
#define SEKIMORI_CONFIG_DOMAINS_H

#include "base/buffer.h"
#include "config/settings.h"

/* The exact name, else the nearest ".parent", else "*". Case is ignored, a trailing dot too. Never NULL: "*"
   is always there. Costs one hash lookup a label. */
const struct domain *config_find_domain(const struct config *config, struct text domain);

/* One of ours: mail for it is accepted from the world. Everything except "*". */
bool config_route_is_local(const struct domain *domain);

/* Some domain that mail of this direction may be for takes SMTPUTF8; or there is none. */
bool config_takes_smtputf8(const struct config *config, enum direction direction);

/* Mail for domains under these two statements goes to the same servers in the same way. Never for MX targets,
   which are each domain's own. */
bool config_is_same_way(const struct domain *a, const struct domain *b);

/* The mode of a check for mail to this domain: the domain's own, else the global one. */
enum mode config_virus_mode(const struct config *config, const struct domain *domain);
enum mode config_auth_mode(const struct config *config, const struct domain *domain);

/* Where the local part's user ends: before the first of the domain's delimiters that is not its first octet.
   All of it where there is none. */
size_t config_user_length(const struct domain *domain, struct text local);

/* Some domain has keys of DKIM. */
bool config_signs(const struct config *config);

/* The statement whose keys sign what is from this domain; NULL: none has any. */
const struct domain *config_signing_domain(const struct config *config, struct text domain);

/* d= of those keys, and where they are published: the domain, of ".parent" the parent. */
struct text config_signing_name(const struct domain *domain);

/* Appends where the key's public half is published, which is its name too: "SELECTOR._domainkey.DOMAIN". */
void config_signing_key_name(const struct domain *domain, const struct signing_key *key, struct buffer *out);

/* The statement whose first RSA key seals; NULL: nothing is sealed. */
const struct domain *config_sealing_domain(const struct config *config);

/* Senders are authenticated for some domain. */
bool config_authenticates(const struct config *config);

/* What mail of that direction gets in which the virus check found something of that class. ACTION_TAG: it is
   delivered with a warning before its Subject. */
enum action config_virus_action(const struct config *config, enum virus_class class,
                                enum direction direction);

/* ACTION_TAG in one direction or the other. */
bool config_virus_warns(const struct config *config, enum virus_class class);

/* What mail to this domain gets that the owner of the domain in From asks to refuse. */
enum action config_dmarc_reject(const struct config *config, const struct domain *domain);

/* Builds config->domain_index, and sees whether some domain has keys; the loader calls it. Of two domains
 * with one name the first is found. */
void domains_index_build(struct config *config);

#endif
