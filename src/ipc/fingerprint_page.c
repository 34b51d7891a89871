/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Each image is a sorted list. */
#include "ipc/fingerprint_page.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "ipc/two_images.h"
#include "mail/digest.h"

static const struct two_images_form form = { UINT64_C(0x32305354534c4b53),
                                             FINGERPRINTS_MOST *FINGERPRINT_BYTES };

_Static_assert(FINGERPRINT_PAGE_BYTES == TWO_IMAGES_BYTES(FINGERPRINTS_MOST * FINGERPRINT_BYTES),
               "the file has room for both");

struct fingerprint fingerprint_of(const struct text *texts, size_t count)
{
    struct fingerprint out;
    uint8_t digest[DIGEST_BYTES];
    struct buffer all = { 0 };
    for (size_t i = 0; i < count; i++) {
        if (i > 0) buffer_add_char(&all, '\0');
        buffer_add_text(&all, texts[i]);
    }
    digest_sha256(buffer_text(&all), digest);
    memcpy(out.bytes, digest, sizeof out.bytes);
    buffer_free(&all);
    return out;
}

struct fingerprint fingerprint_of_list(struct text id, struct text domain)
{
    return fingerprint_of((const struct text[]){ id, domain }, 2);
}

struct fingerprint fingerprint_of_colleague(struct text key)
{
    return fingerprint_of((const struct text[]){ TEXT(" colleague"), key }, 2);
}

struct fingerprint fingerprint_of_bearer(struct text key, struct text address)
{
    return fingerprint_of((const struct text[]){ TEXT(" colleague"), key, address }, 3);
}

struct fingerprint fingerprint_of_approval(struct text name, struct text domain, struct text recipient)
{
    return fingerprint_of((const struct text[]){ name, domain, recipient }, 3);
}

struct fingerprint_page *fingerprint_page_map(int fd, bool is_writer)
{
    return (struct fingerprint_page *)two_images_map(fd, &form, is_writer);
}

void fingerprint_page_unmap(struct fingerprint_page *page)
{
    two_images_unmap((struct two_images *)page, &form);
}

static int order(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct fingerprint));
}

void fingerprint_page_write(struct fingerprint_page *page, struct fingerprint *items, size_t count)
{
    if (count > FINGERPRINTS_MOST) count = FINGERPRINTS_MOST;
    if (count > 0) qsort(items, count, sizeof *items, order);
    two_images_write((struct two_images *)page, &form,
                     count > 0 ? text_from((const char *)items, count * sizeof *items) : TEXT_NONE);
}

bool fingerprint_page_has(const struct fingerprint_page *page, struct fingerprint item)
{
    struct text image = two_images_read((const struct two_images *)page, &form);
    size_t count = image.length / sizeof item;
    return count > 0 && bsearch(&item, image.at, count, sizeof item, order);
}
