/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The transfer encodings: never more bytes than there is room for, the same with and without findings, and
   what stops early gives a beginning of what goes on. */
#include <stdlib.h>

#include "mail/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) abort();
}

static void check_base64(struct text in, char *room, char *other)
{
    size_t length[DECODE_MODES];
    for (int mode = 0; mode < DECODE_MODES; mode++) {
        struct finding_set findings = { 0 };
        length[mode] = decode_base64(in, (enum decode_base64_mode)mode, room, &findings);
        must(length[mode] <= decode_room(in.length));
        must(decode_base64(in, (enum decode_base64_mode)mode, other, NULL) == length[mode]);
        must(length[mode] == 0 || memcmp(room, other, length[mode]) == 0);
    }
    must(length[DECODE_STRICT] <= length[DECODE_STOP] && length[DECODE_STOP] <= length[DECODE_RESTART]);
}

static void check_blocks(struct text in, char *room)
{
    struct decode_block block = { 0 };
    for (size_t at = 0; decode_find_block(in, at, &block); at = block.next) {
        must(block.offset >= at && block.next > block.offset && block.next <= in.length);
        must(block.data.at >= in.at && block.data.at + block.data.length <= in.at + in.length);
        must(decode_uuencode(block.data, room, NULL) <= decode_room(block.data.length));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct finding_set findings = { 0 };
    char *copy = malloc(size ? size : 1), *room = malloc(decode_room(size)),
         *other = malloc(decode_room(size));
    memcpy(copy, data ? data : (const uint8_t *)"", size);
    struct text in = text_from(copy, size);
    check_base64(in, room, other);
    must(decode_quoted(in, room, &findings) <= size);
    must(decode_word_quoted(in, room) <= size);
    must(decode_uuencode(in, room, &findings) <= decode_room(size));
    check_blocks(in, room);
    free(copy);
    free(room);
    free(other);
    return 0;
}
