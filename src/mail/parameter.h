/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A structured value with parameters: Content-Type, Content-Disposition. RFC 2045 section 5.1, RFC 2231.
   Lenient: whatever can be read is read, what was wrong is a finding. */
#ifndef SEKIMORI_MAIL_PARAMETER_H
#define SEKIMORI_MAIL_PARAMETER_H

#include "base/arena.h"
#include "mail/finding.h"

struct parameter {
    struct text name;    /* lower case, without "*" and section number */
    struct text value;   /* unquoted, sections joined, percent signs undone; bytes in `charset` */
    struct text charset; /* of RFC 2231; empty when not given */
    bool extended;       /* written in RFC 2231 form: sections or percent signs */
};

struct parameter_list {
    struct text value; /* what stands before the first ";": "text/plain"; as written, comments gone */
    struct parameter *items;
    size_t count;
    bool unseparated; /* a parameter follows the value without a semicolon */
    struct finding_set findings;
};

/* `value` is unfolded. `declared`: the charset that is declared for text near it, empty: none; raw bytes are
   read as the likeliest charset, and a backslash, quote or semicolon that is part of a character there is
   none. At most `most` parameters are kept (too-many-parameters). */
void parameter_parse(struct arena *arena, struct text value, struct text declared, size_t most,
                     struct parameter_list *out);

/* The first, or the last, of that name (lower case); NULL when there is none. Where a name stands in plain
   and in extended form, the extended one is preferred (RFC 2231 asks for it), the plain one is `last`. */
const struct parameter *parameter_find(const struct parameter_list *list, struct text name, bool last);

/* `name` in lower case, as in parameter_find. */
size_t parameter_times(const struct parameter_list *list, struct text name);

/* The value as UTF-8, by its charset, encoded words in it decoded too; raw bytes by `declared`, as above. */
struct text parameter_utf8(struct arena *arena, const struct parameter *parameter, struct text declared,
                           struct finding_set *findings);

#endif
