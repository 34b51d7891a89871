/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Every way in which a message departs from the standards that we notice, each with its name.
   Names appear in logs, evidence and `sekimori parse`; they never change their meaning. */
#ifndef SEKIMORI_MAIL_FINDING_H
#define SEKIMORI_MAIL_FINDING_H

#include "base/text.h"

enum finding {
    /* header fields */
    FINDING_HEADER_NO_COLON,  /* a line that is neither a field nor folded from one */
    FINDING_HEADER_MBOX_LINE, /* the line before a message in an mbox file, behind the first line of a header
                               */
    FINDING_HEADER_NUL,
    FINDING_HEADER_8BIT,
    FINDING_HEADER_EMPTY_NAME,
    FINDING_HEADER_ODD_NAME,  /* bytes in a name that RFC 5322 section 3.6.8 does not allow */
    FINDING_CONTENT_ODD_NAME, /* the same, in the name of a Content- field */
    FINDING_HEADER_SPACE_BEFORE_COLON,
    FINDING_CONTENT_SPACE_BEFORE_COLON, /* the same, on a Content- field */
    FINDING_HEADER_STARTS_FOLDED,       /* the first line begins with a blank */
    FINDING_HEADER_BLANK_FOLD,          /* a folded line of blanks only: some end the header there */
    FINDING_HEADER_NO_SEPARATOR,        /* no empty line before the body, or before the end */
    FINDING_HEADER_BARE_CR,
    FINDING_HEADER_AGAIN,    /* a text begins with a paragraph that names a Content- field */
    FINDING_HEADER_EMPTY,    /* an empty line, and a Content- field behind it: some pass over such lines */
    FINDING_MIXED_LINE_ENDS, /* CRLF and bare LF in one header */
    FINDING_HEADER_TOO_LONG,
    FINDING_TOO_MANY_FIELDS,
    FINDING_DUPLICATE_FIELD, /* twice what RFC 5322 section 3.6 allows once */
    FINDING_DUPLICATE_CONTENT_TYPE,
    FINDING_DUPLICATE_TRANSFER_ENCODING,
    FINDING_DUPLICATE_DISPOSITION,
    FINDING_NO_MIME_VERSION,
    /* structured values */
    FINDING_CONTENT_TYPE_SYNTAX,
    FINDING_PARAMETER_SYNTAX,
    FINDING_PARAMETER_UNCLOSED_QUOTE,
    FINDING_PARAMETER_UNQUOTED, /* a value with blanks or specials and no quotes */
    FINDING_PARAMETER_8BIT,
    FINDING_PARAMETER_ENCODED_WORD, /* an RFC 2047 word where RFC 2231 is due */
    FINDING_PARAMETER_BAD_PERCENT,
    FINDING_PARAMETER_SECTION_GAP,
    FINDING_PARAMETER_MIXED, /* name= and name*= or name*0= together */
    FINDING_DUPLICATE_PARAMETER,
    FINDING_TOO_MANY_PARAMETERS,
    /* boundaries */
    FINDING_DUPLICATE_BOUNDARY,
    FINDING_NO_BOUNDARY,
    FINDING_ENCODED_BOUNDARY,    /* written with RFC 2231 sections or percent signs */
    FINDING_ODD_BOUNDARY,        /* bytes or a length that RFC 2046 section 5.1.1 does not allow */
    FINDING_AMBIGUOUS_BOUNDARY,  /* equal to, or a beginning of, one that is still open */
    FINDING_BOUNDARY_PREFIX,     /* a line that begins with the boundary and goes on */
    FINDING_BOUNDARY_UNUSED,     /* declared, never met */
    FINDING_NO_CLOSING_BOUNDARY, /* an enclosing boundary comes before its own closing line */
    FINDING_TRUNCATED_MULTIPART, /* the message ends before the closing line */
    FINDING_DELIMITER_AFTER_CLOSE,
    FINDING_PREAMBLE,
    FINDING_EPILOGUE,
    FINDING_BYTES_BETWEEN_PARTS, /* a preamble or epilogue that looks like content */
    FINDING_STRAY_BOUNDARY, /* a line like a boundary, a Content- field behind it, and no boundary of ours */
    /* transfer encodings */
    FINDING_UNKNOWN_TRANSFER_ENCODING,
    FINDING_QUOTED_TRANSFER_ENCODING,
    FINDING_TRANSFER_ENCODING_SYNTAX, /* a known name with something before or behind it */
    FINDING_ENCODED_CONTAINER,        /* base64 or quoted-printable on a multipart or message */
    FINDING_BASE64_JUNK,
    FINDING_BASE64_INNER_PADDING,
    FINDING_BASE64_MISSING_PADDING,
    FINDING_BASE64_LONG_LINE,
    FINDING_BASE64_UNEVEN_LINE, /* a line that more digits follow ends within a group of four */
    FINDING_BASE64_LONE_DIGIT,  /* one digit left over: six bits that no byte can hold */
    FINDING_QUOTED_BAD_ESCAPE,
    FINDING_QUOTED_8BIT,
    FINDING_QUOTED_LONG_LINE,
    FINDING_UUENCODE_IN_TEXT,
    FINDING_UUENCODE_BAD_LINE,
    FINDING_UUENCODE_NO_END,
    FINDING_UUENCODE_NO_BEGIN, /* lines of uuencode in a text, behind no "begin" line that all take for one */
    FINDING_BASE64_IN_TEXT,    /* lines of base64 in a text that says of itself that it is not encoded */
    FINDING_YENC_IN_TEXT,
    FINDING_BINHEX_IN_TEXT,
    FINDING_BODY_NUL,
    FINDING_BODY_BARE_CR, /* of the message: a CR that no LF follows, which ends a line for some */
    /* structure */
    FINDING_MESSAGE_PARTIAL, /* message/partial or message/external-body: the content is elsewhere */
    FINDING_SIGNED_BROKEN,   /* S/MIME signed data whose content cannot be made out */
    FINDING_NESTED_TOO_DEEP,
    FINDING_TOO_MANY_PARTS,
    FINDING_DECODED_TOO_LARGE, /* readings were cut: what follows was not seen */
    /* words and charsets */
    FINDING_WORD_SYNTAX, /* looks like an encoded word, is none */
    FINDING_WORD_SPLIT,  /* a character divided between two words */
    FINDING_UNKNOWN_CHARSET,
    FINDING_WRONG_CHARSET, /* the bytes are not in the declared charset */
    FINDING_COUNT
};

/* A set of findings; zero-initialised is empty. */
struct finding_set {
    uint64_t bits[2];
};

static inline void finding_add(struct finding_set *set, enum finding finding)
{
    set->bits[finding >> 6] |= 1ULL << (finding & 63);
}

static inline bool finding_has(const struct finding_set *set, enum finding finding)
{
    return set->bits[finding >> 6] >> (finding & 63) & 1;
}

static inline void finding_merge(struct finding_set *into, const struct finding_set *from)
{
    into->bits[0] |= from->bits[0];
    into->bits[1] |= from->bits[1];
}

static inline bool finding_set_is_empty(const struct finding_set *set)
{
    return (set->bits[0] | set->bits[1]) == 0;
}

/* "duplicate-content-type": lower case and hyphens, a string literal. */
const char *finding_name(enum finding finding);

/* False when no finding has that name. */
bool finding_from_name(struct text name, enum finding *out);

/* What follows from a finding, for the message that has it. Of findings that are no limits only READ and HOLD
   can hold a message, and never one that has nothing but text and HTML in every reading. */
enum consequence {
    CONSEQUENCE_NONE, /* a fact for the log and the score */
    CONSEQUENCE_LOOK, /* some program may see more here: that is read too, and nothing is held for it */
    CONSEQUENCE_READ, /* mail programs may differ in ways that can be listed: the message is read in every one
                         of them, and held when one of them shows a file that others do not see */
    CONSEQUENCE_HOLD, /* they differ in ways that nobody can list: held when there is any file in it */
    CONSEQUENCE_LIMIT, /* a limit of ours was reached: something was not looked at */
    CONSEQUENCE_COUNT
};

enum consequence finding_consequence(enum finding finding); /* never fails: every finding has one */

/* One in the set has that consequence, at least. */
bool finding_set_calls_for(const struct finding_set *set, enum consequence consequence);

/* Adds those of `from` that have that consequence. */
void finding_merge_those(struct finding_set *into, const struct finding_set *from,
                         enum consequence consequence);

/* It is READ or HOLD for one in the set: other readings are due. */
bool finding_set_is_doubtful(const struct finding_set *set);

#endif
