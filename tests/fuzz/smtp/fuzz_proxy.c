/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* PROXY headers: whatever arrives, byte by byte, the outcome of a prefix is "more" or the outcome of the
 * whole. */
#include <stdlib.h>

#include "smtp/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text bytes = text_from((const char *)data, size < 4096 ? size : 4096);
    struct endpoint client;
    size_t used, used_cut;
    enum proxy_outcome whole = proxy_parse(bytes, &client, &used);
    if (used > bytes.length) abort();
    if ((whole == PROXY_CLIENT || whole == PROXY_LOCAL) && used == 0) abort();
    for (size_t cut = 0; cut < bytes.length && cut < 200; cut++) {
        enum proxy_outcome part = proxy_parse(text_slice(bytes, 0, cut), &client, &used_cut);
        if (part != PROXY_MORE && (part != whole || used_cut != used)) abort();
    }
    return 0;
}
