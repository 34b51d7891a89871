/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "impostor/impostor_finding.h"

void impostor_findings_put(const struct impostor_findings *findings, struct buffer *out)
{
    for (unsigned kind = 0; kind < IMPOSTOR_KINDS; kind++) {
        const struct impostor_finding *finding = &findings->of[kind];
        if (!finding->is_found) continue;
        put_u8(out, (uint8_t)kind);
        put_u8(out, (uint8_t)finding->likeness);
        put_text(out, text_slice(finding->about, 0, IMPOSTOR_ABOUT_MOST));
    }
}

bool impostor_findings_get(struct text bytes, struct impostor_findings *out)
{
    struct reader reader = reader_of(bytes);
    *out = (struct impostor_findings){ 0 };
    while (!reader.failed && reader.rest.length > 0) {
        unsigned kind = get_u8(&reader), likeness = get_u8(&reader);
        struct text about = get_text(&reader);
        if (reader.failed || kind >= IMPOSTOR_KINDS || likeness >= DOMAIN_LIKENESSES ||
            out->of[kind].is_found || about.length > IMPOSTOR_ABOUT_MOST)
            return false;
        out->of[kind] = (struct impostor_finding){ true, (enum domain_likeness)likeness, about };
    }
    return !reader.failed;
}
