/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* A child that reads mails of strangers for `sekimori learn`, in a jail of its own: it opens nothing, and
   knows nothing but the mail at hand and the base model. */
#ifndef SEKIMORI_CLI_LESSON_READER_H
#define SEKIMORI_CLI_LESSON_READER_H

#include "base/buffer.h"

struct lesson_reader;

/* `base_model`: the file, opened before the jail closes; empty: none. NULL, with what is wrong on standard
   error. */
struct lesson_reader *lesson_reader_start(struct text base_model);
void lesson_reader_stop(struct lesson_reader *reader); /* NULL is allowed; ends the child */

enum lesson_reading {
    LESSON_READING_DONE,
    LESSON_READING_NO_MAIL, /* it has no field of RFC 5322 */
    LESSON_READING_FAILED   /* not in its time, or the child died of it; another one reads the next */
};

/* The lesson of a mail with CRLF line ends (lesson_write), label and time not set; and what others of its
   campaign are known by (campaign_sketch_put), empty where nothing is. */
enum lesson_reading lesson_reader_read(struct lesson_reader *reader, struct text mail, struct buffer *out,
                                       struct buffer *out_sketch);

#endif
