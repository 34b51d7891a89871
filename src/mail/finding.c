/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The table of findings: name and what follows from it. */
#include "mail/finding.h"

static const struct {
    const char *name;
    enum consequence consequence;
} table[FINDING_COUNT] = {
    [FINDING_HEADER_NO_COLON] = { "header-no-colon", CONSEQUENCE_READ },
    [FINDING_HEADER_MBOX_LINE] = { "header-mbox-line", CONSEQUENCE_READ },
    [FINDING_HEADER_NUL] = { "header-nul", CONSEQUENCE_HOLD },
    [FINDING_HEADER_8BIT] = { "header-8bit", CONSEQUENCE_NONE },
    [FINDING_HEADER_EMPTY_NAME] = { "header-empty-name", CONSEQUENCE_NONE },
    [FINDING_HEADER_ODD_NAME] = { "header-odd-name", CONSEQUENCE_NONE },
    [FINDING_CONTENT_ODD_NAME] = { "content-odd-name", CONSEQUENCE_READ },
    [FINDING_HEADER_SPACE_BEFORE_COLON] = { "header-space-before-colon", CONSEQUENCE_NONE },
    [FINDING_CONTENT_SPACE_BEFORE_COLON] = { "content-space-before-colon", CONSEQUENCE_READ },
    [FINDING_HEADER_STARTS_FOLDED] = { "header-starts-folded", CONSEQUENCE_READ },
    [FINDING_HEADER_BLANK_FOLD] = { "header-blank-fold", CONSEQUENCE_READ },
    [FINDING_HEADER_NO_SEPARATOR] = { "header-no-separator", CONSEQUENCE_NONE },
    [FINDING_HEADER_BARE_CR] = { "header-bare-cr", CONSEQUENCE_HOLD },
    [FINDING_HEADER_AGAIN] = { "header-again", CONSEQUENCE_LOOK },
    [FINDING_HEADER_EMPTY] = { "header-empty", CONSEQUENCE_READ },
    [FINDING_MIXED_LINE_ENDS] = { "mixed-line-ends", CONSEQUENCE_READ },
    [FINDING_HEADER_TOO_LONG] = { "header-too-long", CONSEQUENCE_LIMIT },
    [FINDING_TOO_MANY_FIELDS] = { "too-many-fields", CONSEQUENCE_LIMIT },
    [FINDING_DUPLICATE_FIELD] = { "duplicate-field", CONSEQUENCE_NONE },
    [FINDING_DUPLICATE_CONTENT_TYPE] = { "duplicate-content-type", CONSEQUENCE_HOLD },
    [FINDING_DUPLICATE_TRANSFER_ENCODING] = { "duplicate-transfer-encoding", CONSEQUENCE_HOLD },
    [FINDING_DUPLICATE_DISPOSITION] = { "duplicate-disposition", CONSEQUENCE_READ },
    [FINDING_NO_MIME_VERSION] = { "no-mime-version", CONSEQUENCE_NONE },
    [FINDING_CONTENT_TYPE_SYNTAX] = { "content-type-syntax", CONSEQUENCE_READ },
    [FINDING_PARAMETER_SYNTAX] = { "parameter-syntax", CONSEQUENCE_NONE },
    [FINDING_PARAMETER_UNCLOSED_QUOTE] = { "parameter-unclosed-quote", CONSEQUENCE_READ },
    [FINDING_PARAMETER_UNQUOTED] = { "parameter-unquoted", CONSEQUENCE_NONE },
    [FINDING_PARAMETER_8BIT] = { "parameter-8bit", CONSEQUENCE_NONE },
    [FINDING_PARAMETER_ENCODED_WORD] = { "parameter-encoded-word", CONSEQUENCE_NONE },
    [FINDING_PARAMETER_BAD_PERCENT] = { "parameter-bad-percent", CONSEQUENCE_NONE },
    [FINDING_PARAMETER_SECTION_GAP] = { "parameter-section-gap", CONSEQUENCE_NONE },
    [FINDING_PARAMETER_MIXED] = { "parameter-mixed", CONSEQUENCE_NONE },
    [FINDING_DUPLICATE_PARAMETER] = { "duplicate-parameter", CONSEQUENCE_NONE },
    [FINDING_TOO_MANY_PARAMETERS] = { "too-many-parameters", CONSEQUENCE_LIMIT },
    [FINDING_DUPLICATE_BOUNDARY] = { "duplicate-boundary", CONSEQUENCE_HOLD },
    [FINDING_NO_BOUNDARY] = { "no-boundary", CONSEQUENCE_READ },
    [FINDING_ENCODED_BOUNDARY] = { "encoded-boundary", CONSEQUENCE_HOLD },
    [FINDING_ODD_BOUNDARY] = { "odd-boundary", CONSEQUENCE_READ },
    [FINDING_AMBIGUOUS_BOUNDARY] = { "ambiguous-boundary", CONSEQUENCE_READ },
    [FINDING_BOUNDARY_PREFIX] = { "boundary-prefix", CONSEQUENCE_READ },
    [FINDING_BOUNDARY_UNUSED] = { "boundary-unused", CONSEQUENCE_READ },
    [FINDING_NO_CLOSING_BOUNDARY] = { "no-closing-boundary", CONSEQUENCE_READ },
    [FINDING_TRUNCATED_MULTIPART] = { "truncated-multipart", CONSEQUENCE_NONE },
    [FINDING_DELIMITER_AFTER_CLOSE] = { "delimiter-after-close", CONSEQUENCE_READ },
    [FINDING_PREAMBLE] = { "preamble", CONSEQUENCE_NONE },
    [FINDING_EPILOGUE] = { "epilogue", CONSEQUENCE_NONE },
    [FINDING_BYTES_BETWEEN_PARTS] = { "bytes-between-parts", CONSEQUENCE_READ },
    [FINDING_STRAY_BOUNDARY] = { "stray-boundary", CONSEQUENCE_LOOK },
    [FINDING_UNKNOWN_TRANSFER_ENCODING] = { "unknown-transfer-encoding", CONSEQUENCE_READ },
    [FINDING_QUOTED_TRANSFER_ENCODING] = { "quoted-transfer-encoding", CONSEQUENCE_READ },
    [FINDING_TRANSFER_ENCODING_SYNTAX] = { "transfer-encoding-syntax", CONSEQUENCE_READ },
    [FINDING_ENCODED_CONTAINER] = { "encoded-container", CONSEQUENCE_READ },
    [FINDING_BASE64_JUNK] = { "base64-junk", CONSEQUENCE_READ },
    [FINDING_BASE64_INNER_PADDING] = { "base64-inner-padding", CONSEQUENCE_READ },
    [FINDING_BASE64_MISSING_PADDING] = { "base64-missing-padding", CONSEQUENCE_NONE },
    [FINDING_BASE64_LONG_LINE] = { "base64-long-line", CONSEQUENCE_NONE },
    [FINDING_BASE64_UNEVEN_LINE] = { "base64-uneven-line", CONSEQUENCE_LOOK },
    [FINDING_BASE64_LONE_DIGIT] = { "base64-lone-digit", CONSEQUENCE_NONE },
    [FINDING_QUOTED_BAD_ESCAPE] = { "quoted-bad-escape", CONSEQUENCE_READ },
    [FINDING_QUOTED_8BIT] = { "quoted-8bit", CONSEQUENCE_NONE },
    [FINDING_QUOTED_LONG_LINE] = { "quoted-long-line", CONSEQUENCE_NONE },
    [FINDING_UUENCODE_IN_TEXT] = { "uuencode-in-text", CONSEQUENCE_NONE },
    [FINDING_UUENCODE_BAD_LINE] = { "uuencode-bad-line", CONSEQUENCE_READ },
    [FINDING_UUENCODE_NO_END] = { "uuencode-no-end", CONSEQUENCE_NONE },
    [FINDING_UUENCODE_NO_BEGIN] = { "uuencode-no-begin", CONSEQUENCE_LOOK },
    [FINDING_BASE64_IN_TEXT] = { "base64-in-text", CONSEQUENCE_LOOK },
    [FINDING_YENC_IN_TEXT] = { "yenc-in-text", CONSEQUENCE_LOOK },
    [FINDING_BINHEX_IN_TEXT] = { "binhex-in-text", CONSEQUENCE_NONE },
    [FINDING_BODY_NUL] = { "body-nul", CONSEQUENCE_NONE },
    [FINDING_BODY_BARE_CR] = { "body-bare-cr", CONSEQUENCE_LOOK },
    [FINDING_MESSAGE_PARTIAL] = { "message-partial", CONSEQUENCE_HOLD },
    [FINDING_SIGNED_BROKEN] = { "signed-broken", CONSEQUENCE_HOLD },
    [FINDING_NESTED_TOO_DEEP] = { "nested-too-deep", CONSEQUENCE_LIMIT },
    [FINDING_TOO_MANY_PARTS] = { "too-many-parts", CONSEQUENCE_LIMIT },
    [FINDING_DECODED_TOO_LARGE] = { "decoded-too-large", CONSEQUENCE_LIMIT },
    [FINDING_WORD_SYNTAX] = { "word-syntax", CONSEQUENCE_NONE },
    [FINDING_WORD_SPLIT] = { "word-split", CONSEQUENCE_NONE },
    [FINDING_UNKNOWN_CHARSET] = { "unknown-charset", CONSEQUENCE_NONE },
    [FINDING_WRONG_CHARSET] = { "wrong-charset", CONSEQUENCE_NONE },
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

enum consequence finding_consequence(enum finding finding)
{
    return table[finding].consequence;
}

bool finding_set_calls_for(const struct finding_set *set, enum consequence consequence)
{
    if (finding_set_is_empty(set)) return false;
    for (size_t i = 0; i < FINDING_COUNT; i++)
        if (table[i].consequence == consequence && finding_has(set, (enum finding)i)) return true;
    return false;
}

void finding_merge_those(struct finding_set *into, const struct finding_set *from,
                         enum consequence consequence)
{
    for (size_t i = 0; i < FINDING_COUNT; i++)
        if (table[i].consequence == consequence && finding_has(from, (enum finding)i))
            finding_add(into, (enum finding)i);
}

bool finding_set_is_doubtful(const struct finding_set *set)
{
    return finding_set_calls_for(set, CONSEQUENCE_READ) || finding_set_calls_for(set, CONSEQUENCE_HOLD);
}
