/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
#include "spam/base_model.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of so many runs of three bytes a message says half of what it would if it were long: "Hello" is no junk. */
static const double LITTLE = 25;

struct base_model {
    struct base_head head;
    const int8_t *weights; /* FEATURE_SLOTS of each block, in `bytes` */
    char *bytes;           /* of the file */
};

uint64_t base_model_checksum(const struct base_head *head, struct text weights)
{
    struct text before = text_from((const char *)head, offsetof(struct base_head, checksum));
    return text_checksum_on(head->version == 1 ? text_checksum(TEXT_NONE) : text_checksum(before), weights);
}

static const char *fault_of(const struct base_head *head, const void *weights)
{
    if (memcmp(head->mark, BASE_MARK, sizeof head->mark) != 0) return "it is no base model";
    if (head->version != 1 && head->version != BASE_VERSION) return "it is of another version";
    if (head->blocks != FEATURE_BLOCKS || head->bits != FEATURE_BITS) return "it is of another shape";
    const float numbers[] = { head->scale[0],  head->scale[1],  head->scale[2],    head->bias,
                              head->blank,     head->offset[0], head->offset[1],   head->offset[2],
                              head->offset[3], head->points,    head->points_most, head->points_least };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (!(fabsf(numbers[i]) < 1000)) return "a number in its head is none";
    if (base_model_checksum(head, text_from(weights, FEATURE_BLOCKS * FEATURE_SLOTS)) != head->checksum)
        return "it is damaged";
    return NULL;
}

/* A copy of the file: whoever writes over it, or cuts it, while it is in use ends no process. */
static bool bytes_read(int fd, char *out)
{
    for (size_t done = 0; done < BASE_BYTES;) {
        ssize_t got = read(fd, out + done, BASE_BYTES - done);
        if (got < 0 && errno == EINTR) continue;
        if (got == 0) errno = EIO; /* it was cut meanwhile */
        if (got <= 0) return false;
        done += (size_t)got;
    }
    return true;
}

/* Why the file that is open is no model, in `error`; NULL: it is one. */
static const char *file_fault(int fd, char *out, char *error, size_t size)
{
    struct stat about;
    struct base_head head;
    bool is_known = fd >= 0 && fstat(fd, &about) == 0;
    if (is_known && about.st_size != BASE_BYTES) return "it is no base model";
    if (is_known && bytes_read(fd, out)) {
        memcpy(&head, out, sizeof head);
        return fault_of(&head, out + sizeof head);
    }
    snprintf(error, size, "%s", strerror(errno));
    return error;
}

struct base_model *base_model_open(const char *path, char *error, size_t size)
{
    char why[200], *bytes = memory_alloc(BASE_BYTES);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* nobody waits for the writer of a pipe */
    const char *fault = file_fault(fd, bytes, why, sizeof why);
    if (fd >= 0) close(fd);
    if (fault) {
        snprintf(error, size, "%s: %s", path, fault);
        free(bytes);
        return NULL;
    }
    struct base_model *model = memory_alloc(sizeof *model);
    *model = (struct base_model){ .bytes = bytes, .weights = (int8_t *)bytes + sizeof(struct base_head) };
    memcpy(&model->head, bytes, sizeof model->head);
    return model;
}

void base_model_close(struct base_model *model)
{
    if (!model) return;
    free(model->bytes);
    free(model);
}

static double little_of(const struct features *features)
{
    double seen = features->blocks[FEATURE_BODY].count + features->blocks[FEATURE_SUBJECT].count;
    return seen / (seen + LITTLE);
}

/* Each block's sum is divided by the root of its features, and all by the length that a message with all
   blocks has: what is not there makes nothing else weigh more. */
double base_model_margin(const struct base_model *model, const struct features *features,
                         enum base_script script)
{
    double sum = 0, square = 0;
    for (int block = 0; block < FEATURE_BLOCKS; block++) {
        const struct feature_set *set = &features->blocks[block];
        const int8_t *weights = model->weights + block * FEATURE_SLOTS;
        double share = features_weight((enum feature_block)block);
        long of_block = 0;
        for (uint32_t i = 0; i < set->count; i++) of_block += weights[set->slots[i]];
        sum += (double)of_block * model->head.scale[block] * share / sqrt(set->count + 1.0);
        square += share * share;
    }
    double margin = sum / sqrt(square) + model->head.bias - model->head.offset[script];
    if (!features->blocks[FEATURE_SUBJECT].count) margin += model->head.blank;
    return margin > 0 ? margin * little_of(features) : margin;
}

double base_model_points(const struct base_model *model, double margin)
{
    double points = margin * model->head.points;
    if (points > model->head.points_most) points = model->head.points_most;
    return points < model->head.points_least ? model->head.points_least : points;
}

void base_model_values(const struct base_model *model, const struct features *features, double margin,
                       double out[FEATURE_BLOCKS])
{
    double square = 0;
    double slope = margin != 0 ? base_model_points(model, margin) / margin : model->head.points;
    if (margin > 0) slope *= little_of(features);
    for (int block = 0; block < FEATURE_BLOCKS; block++) {
        double share = features_weight((enum feature_block)block);
        out[block] = slope * model->head.scale[block] * share / sqrt(features->blocks[block].count + 1.0);
        square += share * share;
    }
    for (int block = 0; block < FEATURE_BLOCKS; block++) out[block] /= sqrt(square);
}

int base_model_weight(const struct base_model *model, enum feature_block block, uint32_t slot)
{
    return model->weights[(uint32_t)block * FEATURE_SLOTS + slot % FEATURE_SLOTS];
}

enum { TEXT_LEAST = 20 }; /* bytes */

enum base_script base_script_of(const struct message_text *text)
{
    struct text utf8 = text->visible.length > TEXT_LEAST ? text->visible : text->subject;
    size_t kana = 0, han = 0, other = 0, latin = 0;
    for (size_t i = 0; i < utf8.length; i++) {
        uint8_t byte = (uint8_t)utf8.at[i];
        if (byte < 0x80) {
            latin += char_is_alpha((char)byte);
            continue;
        }
        uint8_t next = i + 1 < utf8.length ? (uint8_t)utf8.at[i + 1] : 0;
        if (byte == 0xE3 && next >= 0x81 && next <= 0x83)
            kana++;
        else if (byte >= 0xE4 && byte <= 0xE9)
            han++;
        else if (byte >= 0xC6 && byte < 0xE3)
            other++;
    }
    if (kana * 8 > han && kana > 4 && kana * 20 > latin) return SCRIPT_JAPANESE;
    if (han > 4 && han * 10 > latin) return SCRIPT_HAN;
    return other > latin ? SCRIPT_OTHER : SCRIPT_LATIN;
}
