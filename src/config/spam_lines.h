/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a recipient wants of spam: his own statement `recipient`, else his domain's, else the section spam,
   each setting for itself. */
#ifndef SEKIMORI_CONFIG_SPAM_LINES_H
#define SEKIMORI_CONFIG_SPAM_LINES_H

#include "config/settings.h"

struct spam_lines {
    enum mode mode;
    double tag, quarantine, reject; /* points from which it is done; INFINITY: never */
    enum tag_place place;
};

/* Case is ignored; user+folder is user where that has no statement of its own and the domain has delimiters.
   Costs two hash lookups, and one a label of the domain. */
struct spam_lines config_spam_lines(const struct config *config, struct text address);

/* Some check is not off for mail to this recipient. */
bool config_is_judged(const struct config *config, struct text address);

/* From these points a newsletter for him is spam. */
double config_newsletter_line(const struct config *config, const struct spam_lines *lines);

/* Builds config->wish_index; the loader calls it. Of two statements for one recipient the first is found. */
void wishes_index_build(struct config *config);

#endif
