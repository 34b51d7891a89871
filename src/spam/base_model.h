/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The base model: weights that are shipped, so that the first message is judged by more than rules. One file,
   read-only for everybody. Pure but for opening it. */
#ifndef SEKIMORI_SPAM_BASE_MODEL_H
#define SEKIMORI_SPAM_BASE_MODEL_H

#include "spam/feature_set.h"
#include "spam/message_text.h"

enum base_script { SCRIPT_LATIN, SCRIPT_JAPANESE, SCRIPT_HAN, SCRIPT_OTHER, SCRIPT_COUNT };

/* As it stands in the file, little-endian: the machine that makes it and those that read it are. */
struct base_head {
    char mark[8]; /* BASE_MARK */
    uint32_t version, blocks, bits;
    float scale[FEATURE_BLOCKS]; /* what a weight of 1 in the table is worth */
    float bias;
    float blank;                /* what a blank Subject gives to the margin, in the place of its words */
    float offset[SCRIPT_COUNT]; /* subtracted from mail of that script */
    float points;               /* of a margin of 1 */
    float points_most, points_least;
    uint64_t checksum; /* base_model_checksum */
};

#define BASE_MARK "SEKIBASE"
/* Files of version 1 have a checksum of the weights alone; they are read, too. */
enum { BASE_VERSION = 2, BASE_BYTES = sizeof(struct base_head) + FEATURE_BLOCKS * FEATURE_SLOTS };

/* What stands in `checksum`, of the rest of the head and of the weights that follow it. */
uint64_t base_model_checksum(const struct base_head *head, struct text weights);

struct base_model;

/* NULL, with the reason in `error`: it cannot be read, is no model, is damaged, or of another version. */
struct base_model *base_model_open(const char *path, char *error, size_t size);
void base_model_close(struct base_model *model); /* NULL is allowed */

/* Above 0: like the spam it was made from; below: like the ham. About -2 to 2. */
double base_model_margin(const struct base_model *model, const struct features *features,
                         enum base_script script);

/* The points that a margin is worth: a line, between the file's least and most. */
double base_model_points(const struct base_model *model, double margin);

/* What a weight of 1 in each block adds to the points of this message. With the weights of its features, the
   points are their sum and what bias and script add. */
void base_model_values(const struct base_model *model, const struct features *features, double margin,
                       double out[FEATURE_BLOCKS]);
/* A weight in the table: -127 to 127. */
int base_model_weight(const struct base_model *model, enum feature_block block, uint32_t slot);

/* In which script most of what a person reads stands: of the Subject, where the text says little. */
enum base_script base_script_of(const struct message_text *text);

#endif
