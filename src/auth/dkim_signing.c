/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Which fields are signed, and the field that says so. */
#include "auth/dkim_signing.h"

#include "auth/canonical.h"
#include "auth/dkim_selection.h"
#include "auth/dkim_writer.h"
#include "mail/base64.h"

enum { OCCURRENCES_MOST = 16, /* of one name */ SIGNATURE_LINE = 64 };

/* RFC 6376 section 5.4.1. One that is guarded is named once more than it is there, so that another one in
   front of it breaks the signature. Lists add their own fields to mail that they pass on unaltered: those are
   not guarded, nor is Sender. */
static const struct {
    const char *name;
    bool is_guarded;
} signed_fields[] = {
    { "From", true },
    { "Sender", false },
    { "Reply-To", true },
    { "To", true },
    { "Cc", true },
    { "Date", true },
    { "Subject", true },
    { "Message-ID", true },
    { "In-Reply-To", false },
    { "References", false },
    { "MIME-Version", true },
    { "Content-Type", true },
    { "Content-Transfer-Encoding", true },
    { "Content-Disposition", false },
    { "Content-ID", false },
    { "Content-Description", false },
    { "Resent-Date", false },
    { "Resent-From", false },
    { "Resent-Sender", false },
    { "Resent-To", false },
    { "Resent-Cc", false },
    { "Resent-Message-ID", false },
    { "List-Id", false },
    { "List-Help", false },
    { "List-Unsubscribe", false },
    { "List-Unsubscribe-Post", false },
    { "List-Subscribe", false },
    { "List-Post", false },
    { "List-Owner", false },
    { "List-Archive", false },
};

void dkim_signing_body(struct text body, uint8_t out[KEY_DIGEST_BYTES])
{
    struct canonical_want want = { .form = CANONICAL_RELAXED, .limit = CANONICAL_WHOLE };
    canonical_body_hash(body, (struct canonical_want *[]){ &want }, 1);
    memcpy(out, want.digest, KEY_DIGEST_BYTES);
}

bool dkim_signing_covers(struct text name)
{
    for (size_t i = 0; i < sizeof signed_fields / sizeof *signed_fields; i++)
        if (text_equal_nocase(name, text_of(signed_fields[i].name))) return true;
    return false;
}

struct text dkim_signing_names(struct arena *arena, const struct header *header)
{
    struct buffer names = { 0 };
    for (size_t i = 0; i < sizeof signed_fields / sizeof *signed_fields; i++) {
        size_t times = header_count_name(header, text_of(signed_fields[i].name));
        if (times > OCCURRENCES_MOST) times = OCCURRENCES_MOST;
        times += signed_fields[i].is_guarded;
        while (times-- > 0)
            buffer_printf(&names, "%s%s", buffer_length(&names) ? ":" : "", signed_fields[i].name);
    }
    struct text all = arena_text(arena, buffer_text(&names));
    buffer_free(&names);
    return all;
}

void dkim_signing_digest(struct arena *arena, const struct header *header, struct text names,
                         struct dkim_signing *signing)
{
    struct running_digest digest;
    size_t budget = SIZE_MAX;
    running_digest_open(&digest);
    dkim_selection_add(dkim_selection_new(arena, header), &digest, CANONICAL_RELAXED, names, NULL, &budget);
    canonical_field_add(&digest, CANONICAL_RELAXED, dkim_writer_unsigned(arena, signing), false);
    running_digest_end(&digest, signing->digest);
    running_digest_close(&digest);
}

bool dkim_signing_begin(struct arena *arena, const struct header *header,
                        const uint8_t body_digest[KEY_DIGEST_BYTES], const struct dkim_signer *signer,
                        uint64_t now_s, struct dkim_signing *out)
{
    struct dkim_writer writer = { 0 };
    if (!header_find(header, HEADER_FROM)) return false;
    struct text names = dkim_signing_names(arena, header);
    dkim_writer_begin(&writer, "DKIM-Signature");
    dkim_writer_number(&writer, "v", 1);
    dkim_writer_tag(&writer, "a", text_of(dkim_writer_algorithm(signer->kind)));
    dkim_writer_tag(&writer, "c", TEXT("relaxed/relaxed"));
    dkim_writer_tag(&writer, "d", signer->domain);
    dkim_writer_tag(&writer, "s", signer->selector);
    dkim_writer_number(&writer, "t", now_s);
    dkim_writer_names(&writer, names);
    dkim_writer_digest(&writer, "bh", body_digest);
    dkim_writer_signature(&writer);
    dkim_writer_end(&writer, arena, out);
    dkim_signing_digest(arena, header, names, out);
    return true;
}

struct text dkim_signing_end(struct arena *arena, const struct dkim_signing *signing, struct text signature)
{
    struct buffer encoded = { 0 }, field = { 0 };
    base64_add(&encoded, signature);
    struct text rest = buffer_text(&encoded);
    buffer_add_text(&field, signing->before);
    while (rest.length > 0) {
        struct text line = text_slice(rest, 0, signing->is_unfolded ? rest.length : SIGNATURE_LINE);
        buffer_add_text(&field, line);
        rest = text_slice(rest, line.length, rest.length);
        if (rest.length > 0) buffer_printf(&field, "\r\n ");
    }
    buffer_add_text(&field, signing->after);
    buffer_printf(&field, "\r\n");
    struct text whole = arena_text(arena, buffer_text(&field));
    buffer_free(&encoded);
    buffer_free(&field);
    return whole;
}
