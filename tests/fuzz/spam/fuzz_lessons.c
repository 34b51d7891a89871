/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What was learned, as bytes. By the first byte: a log as it is; a record whose length and checksum are made
   right; the head of an image of the local model, likewise; a mail, whose lesson comes back as it was
   written. */
#include <math.h>
#include <stdlib.h>

#include "base/codec.h"
#include "spam/lesson_log.h"
#include "spam/local_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void log_look(struct text log)
{
    struct lesson_record record;
    struct lesson lesson;
    struct arena *arena = arena_new(0);
    if (!lesson_log_open(&log)) {
        while (lesson_log_next(&log, &record) == LESSON_LOG_RECORD) {
            if (record.kind != LESSON_TAUGHT || !lesson_parse(record.lesson, arena, &lesson)) continue;
            double values[VECTOR_BLOCKS];
            vector_values(&lesson.vector, values);
            for (int block = 0; block < VECTOR_BLOCKS; block++)
                if (!isfinite(values[block])) abort();
            struct buffer again = { 0 };
            lesson_write(&lesson, &again);
            if (!text_equal(buffer_text(&again), record.lesson)) abort();
            buffer_free(&again);
        }
    }
    arena_free(arena);
}

static void record_look(struct text content)
{
    struct buffer log = { 0 };
    lesson_log_begin(&log);
    put_u32(&log, (uint32_t)content.length);
    put_u32(&log, ~(uint32_t)content.length);
    put_u64(&log, text_checksum(content));
    buffer_add_text(&log, content);
    log_look(buffer_text(&log));
    buffer_free(&log);
}

static void image_look(struct text bytes)
{
    static char image[LOCAL_MODEL_BYTES];
    static uint32_t slots[3] = { 0, 1, VECTOR_SLOTS - 1 };
    const struct mail_vector vector = { { 3 }, slots };
    struct text all = text_from(image, sizeof image);
    struct local_model model;
    struct local_head head;
    memset(image, 0, sizeof image);
    if (bytes.length) memcpy(image, bytes.at, bytes.length < sizeof image ? bytes.length : sizeof image);
    memcpy(&head, image, sizeof head);
    memcpy(head.mark, "SEKILOCL", sizeof head.mark);
    head.version = LOCAL_MODEL_VERSION;
    head.bits = VECTOR_BITS;
    head.checksum =
        text_checksum_on(text_checksum(text_from((const char *)&head, offsetof(struct local_head, checksum))),
                         text_slice(all, sizeof head, all.length));
    memcpy(image, &head, sizeof head);
    bool is_good = !local_model_fault(all);
    if (!local_model_use(all, &model)) return;
    double local = learner_local(model.weights, &vector);
    if (is_good && !isfinite(local)) abort();
    if (!isfinite(local_model_points(&model, local))) abort();
}

static void mail_look(struct text mail)
{
    struct arena *arena = arena_new(0);
    struct lesson lesson, again;
    struct buffer bytes = { 0 };
    lesson_read(arena, mail, NULL, &lesson);
    lesson_write(&lesson, &bytes);
    if (!lesson_parse(buffer_text(&bytes), arena, &again)) abort();
    if (vector_total(&again.vector) != vector_total(&lesson.vector)) abort();
    buffer_free(&bytes);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) return 0;
    struct text rest = text_from((const char *)data + 1, size - 1);
    if (data[0] % 4 == 0) log_look(rest);
    if (data[0] % 4 == 1) record_look(rest);
    if (data[0] % 4 == 2) image_look(rest);
    if (data[0] % 4 == 3) mail_look(rest);
    return 0;
}
