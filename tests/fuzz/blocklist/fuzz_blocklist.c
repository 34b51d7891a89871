/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* List files: the first byte says which kind. Whatever is compiled has each of its own lines. */
#include <stdlib.h>

#include "blocklist/blocklist.h"
#include "mail/idna.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has_word(const struct blocklist *list, struct text word, struct arena *arena)
{
    struct blocklist_entry entry;
    struct network network;
    struct text name;
    if (blocklist_kind_of(list) == BLOCKLIST_NETWORKS)
        return network_parse(word, &network) && blocklist_has_address(list, &network.address, &entry);
    if (blocklist_kind_of(list) == BLOCKLIST_HASHES) return true;
    if (text_ends(word, TEXT("."))) word.length--;
    return idna_to_ascii(arena, word, &name) && blocklist_has_name(list, name, &entry);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct address ours = { { [10] = 0xff, [11] = 0xff, 192, 0, 2, 1 } };
    struct blocklist_limits limits = { 65536, 2000, &ours, 1 };
    struct blocklist_problem problem;
    struct buffer image = { 0 };
    struct blocklist list;
    struct text file = text_from((const char *)data + 1, size ? size - 1 : 0), line, word;
    if (size == 0) return 0;
    if (blocklist_compile(data[0] % BLOCKLIST_KINDS, file, &limits, &image, &problem)) {
        struct arena *arena = arena_new(0);
        if (!blocklist_open(buffer_text(&image), &list)) abort();
        while (text_next_line(&file, &line)) {
            line = text_trim(line);
            if (!text_next_word(&line, &word) || word.at[0] == '#' || word.at[0] == ';') continue;
            if (!has_word(&list, word, arena)) abort();
        }
        arena_free(arena);
    }
    buffer_free(&image);
    return 0;
}
