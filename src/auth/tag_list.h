/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Tag lists of signatures and key records: "v=1; a=rsa-sha256; …" (RFC 6376 section 3.2), and what stands in
   their values. Linear, nothing is copied. */
#ifndef SEKIMORI_AUTH_TAG_LIST_H
#define SEKIMORI_AUTH_TAG_LIST_H

#include "base/arena.h"

enum { TAG_LIST_MOST = 64 };

struct tag_value {
    struct text name;
    struct text value; /* without outer white space; folds may be inside */
};

struct tag_list {
    struct tag_value tags[TAG_LIST_MOST];
    uint32_t count;
};

/* Texts are borrowed. False: malformed, a tag twice, or more than TAG_LIST_MOST. An empty text is an empty
   list. */
bool tag_list_parse(struct text text, struct tag_list *out);

/* NULL: there is no such tag. Names are case-sensitive. */
const struct text *tag_list_find(const struct tag_list *list, const char *name);

/* Cuts the next of the words that colons separate off *rest, without white space around it. False: no more.
 */
bool tag_list_next_word(struct text *rest, struct text *out_word);

/* One of those words is `word`, ASCII case ignored. */
bool tag_list_has_word(struct text value, struct text word);

/* Base64 with folds inside (RFC 6376 section 2.10), at least one byte and at most `most`. False: it is not.
 */
bool tag_list_base64(struct arena *arena, struct text value, size_t most, struct text *out);

/* The same where exactly `size` bytes are due. */
bool tag_list_base64_exact(struct text value, uint8_t *out, size_t size);

/* The text with each run of FWS gone: of a value in which a fold may stand anywhere. In the arena, or the
   text itself where nothing had to change. */
struct text tag_list_squeeze(struct arena *arena, struct text value);

#endif
