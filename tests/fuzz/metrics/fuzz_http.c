/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What comes to the port for monitors: any bytes are no head yet or have a status; what is answered once is
   not answered otherwise when more comes; what is good names /metrics by GET or HEAD, and is within the
   limit. */
#include <stdlib.h>

#include "metrics/http_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void status_check(unsigned status, const struct http_request *request)
{
    switch (status) {
    case 200:
        if (!text_equal(request->path, TEXT("/metrics"))) abort();
        if (!text_equal(request->method, request->is_head ? TEXT("HEAD") : TEXT("GET"))) abort();
        return;
    case 0:
    case 400:
    case 404:
    case 405:
    case 431:
    case 505:
        return;
    default:
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text whole = text_from((const char *)data, size);
    struct http_request request, again;
    unsigned status = http_request_parse(whole, &request);
    status_check(status, &request);
    if (status == 0 && size >= HTTP_HEAD_MOST) abort();
    for (size_t length = 0; length < size && length < 600; length++) {
        unsigned before = http_request_parse(text_slice(whole, 0, length), &again);
        if (before != 0 && before != status) abort();
    }
    return 0;
}
