/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The table of findings: name and what follows from it. */
#include "mail/finding.h"

enum consequence { PLAIN, AMBIGUOUS, LIMIT };

static const struct {
    const char *name;
    enum consequence consequence;
} table[FINDING_COUNT] = {
    [FINDING_HEADER_NO_COLON] = { "header-no-colon", AMBIGUOUS },
    [FINDING_HEADER_NUL] = { "header-nul", AMBIGUOUS },
    [FINDING_HEADER_8BIT] = { "header-8bit", PLAIN },
    [FINDING_HEADER_EMPTY_NAME] = { "header-empty-name", PLAIN },
    [FINDING_HEADER_ODD_NAME] = { "header-odd-name", PLAIN },
    [FINDING_HEADER_SPACE_BEFORE_COLON] = { "header-space-before-colon", PLAIN },
    [FINDING_CONTENT_SPACE_BEFORE_COLON] = { "content-space-before-colon", AMBIGUOUS },
    [FINDING_HEADER_STARTS_FOLDED] = { "header-starts-folded", AMBIGUOUS },
    [FINDING_HEADER_BLANK_FOLD] = { "header-blank-fold", AMBIGUOUS },
    [FINDING_HEADER_NO_SEPARATOR] = { "header-no-separator", PLAIN },
    [FINDING_HEADER_BARE_CR] = { "header-bare-cr", AMBIGUOUS },
    [FINDING_MIXED_LINE_ENDS] = { "mixed-line-ends", AMBIGUOUS },
    [FINDING_HEADER_TOO_LONG] = { "header-too-long", LIMIT },
    [FINDING_TOO_MANY_FIELDS] = { "too-many-fields", LIMIT },
    [FINDING_DUPLICATE_FIELD] = { "duplicate-field", PLAIN },
    [FINDING_DUPLICATE_CONTENT_TYPE] = { "duplicate-content-type", AMBIGUOUS },
    [FINDING_DUPLICATE_TRANSFER_ENCODING] = { "duplicate-transfer-encoding", AMBIGUOUS },
    [FINDING_DUPLICATE_DISPOSITION] = { "duplicate-disposition", AMBIGUOUS },
    [FINDING_NO_MIME_VERSION] = { "no-mime-version", PLAIN },
    [FINDING_CONTENT_TYPE_SYNTAX] = { "content-type-syntax", AMBIGUOUS },
    [FINDING_PARAMETER_SYNTAX] = { "parameter-syntax", PLAIN },
    [FINDING_PARAMETER_UNCLOSED_QUOTE] = { "parameter-unclosed-quote", AMBIGUOUS },
    [FINDING_PARAMETER_UNQUOTED] = { "parameter-unquoted", PLAIN },
    [FINDING_PARAMETER_8BIT] = { "parameter-8bit", PLAIN },
    [FINDING_PARAMETER_ENCODED_WORD] = { "parameter-encoded-word", PLAIN },
    [FINDING_PARAMETER_BAD_PERCENT] = { "parameter-bad-percent", PLAIN },
    [FINDING_PARAMETER_SECTION_GAP] = { "parameter-section-gap", PLAIN },
    [FINDING_PARAMETER_MIXED] = { "parameter-mixed", PLAIN },
    [FINDING_DUPLICATE_PARAMETER] = { "duplicate-parameter", PLAIN },
    [FINDING_TOO_MANY_PARAMETERS] = { "too-many-parameters", LIMIT },
    [FINDING_DUPLICATE_BOUNDARY] = { "duplicate-boundary", AMBIGUOUS },
    [FINDING_NO_BOUNDARY] = { "no-boundary", AMBIGUOUS },
    [FINDING_ENCODED_BOUNDARY] = { "encoded-boundary", AMBIGUOUS },
    [FINDING_ODD_BOUNDARY] = { "odd-boundary", AMBIGUOUS },
    [FINDING_AMBIGUOUS_BOUNDARY] = { "ambiguous-boundary", AMBIGUOUS },
    [FINDING_BOUNDARY_PREFIX] = { "boundary-prefix", AMBIGUOUS },
    [FINDING_BOUNDARY_UNUSED] = { "boundary-unused", AMBIGUOUS },
    [FINDING_NO_CLOSING_BOUNDARY] = { "no-closing-boundary", AMBIGUOUS },
    [FINDING_TRUNCATED_MULTIPART] = { "truncated-multipart", PLAIN },
    [FINDING_DELIMITER_AFTER_CLOSE] = { "delimiter-after-close", AMBIGUOUS },
    [FINDING_PREAMBLE] = { "preamble", PLAIN },
    [FINDING_EPILOGUE] = { "epilogue", PLAIN },
    [FINDING_BYTES_BETWEEN_PARTS] = { "bytes-between-parts", AMBIGUOUS },
    [FINDING_UNKNOWN_TRANSFER_ENCODING] = { "unknown-transfer-encoding", AMBIGUOUS },
    [FINDING_QUOTED_TRANSFER_ENCODING] = { "quoted-transfer-encoding", AMBIGUOUS },
    [FINDING_TRANSFER_ENCODING_SYNTAX] = { "transfer-encoding-syntax", AMBIGUOUS },
    [FINDING_ENCODED_CONTAINER] = { "encoded-container", AMBIGUOUS },
    [FINDING_BASE64_JUNK] = { "base64-junk", AMBIGUOUS },
    [FINDING_BASE64_INNER_PADDING] = { "base64-inner-padding", AMBIGUOUS },
    [FINDING_BASE64_MISSING_PADDING] = { "base64-missing-padding", PLAIN },
    [FINDING_BASE64_LONG_LINE] = { "base64-long-line", PLAIN },
    [FINDING_BASE64_LONE_DIGIT] = { "base64-lone-digit", PLAIN },
    [FINDING_QUOTED_BAD_ESCAPE] = { "quoted-bad-escape", AMBIGUOUS },
    [FINDING_QUOTED_8BIT] = { "quoted-8bit", PLAIN },
    [FINDING_QUOTED_LONG_LINE] = { "quoted-long-line", PLAIN },
    [FINDING_UUENCODE_IN_TEXT] = { "uuencode-in-text", PLAIN },
    [FINDING_UUENCODE_BAD_LINE] = { "uuencode-bad-line", AMBIGUOUS },
    [FINDING_UUENCODE_NO_END] = { "uuencode-no-end", PLAIN },
    [FINDING_YENC_IN_TEXT] = { "yenc-in-text", PLAIN },
    [FINDING_BINHEX_IN_TEXT] = { "binhex-in-text", PLAIN },
    [FINDING_BODY_NUL] = { "body-nul", PLAIN },
    [FINDING_MESSAGE_PARTIAL] = { "message-partial", AMBIGUOUS },
    [FINDING_SIGNED_BROKEN] = { "signed-broken", AMBIGUOUS },
    [FINDING_NESTED_TOO_DEEP] = { "nested-too-deep", LIMIT },
    [FINDING_TOO_MANY_PARTS] = { "too-many-parts", LIMIT },
    [FINDING_DECODED_TOO_LARGE] = { "decoded-too-large", LIMIT },
    [FINDING_WORD_SYNTAX] = { "word-syntax", PLAIN },
    [FINDING_WORD_SPLIT] = { "word-split", PLAIN },
    [FINDING_UNKNOWN_CHARSET] = { "unknown-charset", PLAIN },
    [FINDING_WRONG_CHARSET] = { "wrong-charset", PLAIN },
};

const char *finding_name(enum finding finding)
{
    return table[finding].name;
}

bool finding_from_name(struct text name, enum finding *out)
{
    for (size_t i = 0; i < FINDING_COUNT; i++) {
        if (!text_equal(name, text_of(table[i].name))) continue;
        *out = (enum finding)i;
        return true;
    }
    return false;
}

bool finding_is_ambiguous(enum finding finding)
{
    return table[finding].consequence == AMBIGUOUS;
}

bool finding_is_limit(enum finding finding)
{
    return table[finding].consequence == LIMIT;
}

static bool set_has(const struct finding_set *set, enum consequence consequence)
{
    if (finding_set_is_empty(set)) return false;
    for (size_t i = 0; i < FINDING_COUNT; i++)
        if (table[i].consequence == consequence && finding_has(set, (enum finding)i)) return true;
    return false;
}

bool finding_set_is_ambiguous(const struct finding_set *set)
{
    return set_has(set, AMBIGUOUS);
}

bool finding_set_is_limit(const struct finding_set *set)
{
    return set_has(set, LIMIT);
}
