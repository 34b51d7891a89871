/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A file of weights: its head is what the input begins with, its checksum is made right half of the time. What is
   opened gives a margin that is a number. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "spam/base_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char file[BASE_BYTES], path[64], error[300];
    static int memory = -1;
    if (memory < 0) memory = memfd_create("model", MFD_CLOEXEC);
    memset(file, 0, sizeof file);
    if (size > 0) memcpy(file, data, size < sizeof file ? size : sizeof file);
    struct base_head head;
    memcpy(&head, file, sizeof head);
    if (size & 1) {
        memcpy(head.mark, BASE_MARK, sizeof head.mark);
        head.version = BASE_VERSION;
        head.blocks = FEATURE_BLOCKS;
        head.bits = FEATURE_BITS;
        head.checksum = base_model_checksum(&head, text_from(file + sizeof head, sizeof file - sizeof head));
        memcpy(file, &head, sizeof head);
    }
    if (pwrite(memory, file, sizeof file, 0) != sizeof file) abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", memory);
    struct base_model *model = base_model_open(path, error, sizeof error);
    if (!model) return 0;
    struct arena *arena = arena_new(0);
    struct features *features = arena_alloc(arena, sizeof *features);
    features->arena = arena;
    features_add_text(features, FEATURE_BODY, text_from((const char *)data, size));
    double margin = base_model_margin(model, features, SCRIPT_OTHER);
    if (!isfinite(margin) || !isfinite(base_model_points(model, margin))) abort();
    base_model_close(model);
    arena_free(arena);
    return 0;
}
