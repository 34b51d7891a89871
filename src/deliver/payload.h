/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The content of one message as it goes over the wire: prefix and body from the journal segment, with edits
   as pieces in between, or a converted copy in memory. Dots are stuffed only where a line begins with one. */
#ifndef SEKIMORI_DELIVER_PAYLOAD_H
#define SEKIMORI_DELIVER_PAYLOAD_H

#include "base/stream.h"
#include "ipc/ask_deliver.h"
#include "mail/edits.h"

struct payload {
    struct text memory; /* borrowed: the body, when it is in no file */
    int fd;             /* borrowed */
    uint64_t offset, prefix_length, body_length;
    uint16_t content; /* enum content_flag, of what is sent */
    uint16_t original_content;
    struct edits edits;
    bool has_edits;
    struct buffer converted; /* stands for all of the above once is_converted */
    bool is_converted;

    /* where sending stands */
    struct edit_cursor cursor;
    struct edit_piece piece; /* what is left of the current one; offsets count from the file's start */
    bool prefix_done, at_line_start;
};

enum payload_outcome { PAYLOAD_ALL, PAYLOAD_PART, PAYLOAD_FAILED };

/* False: the job's edits are malformed. `payload` is zeroed memory; texts live in the arena. */
bool payload_open(struct payload *payload, struct arena *arena, const struct deliver_job *job,
                  int segment_fd);
void payload_close(struct payload *payload);

/* A message that is not in the journal. The body is in `memory`, or the whole of `fd` when that is empty;
   both and the prefix are borrowed as long as the payload is used. */
void payload_open_body(struct payload *payload, struct arena *arena, struct text prefix, struct text memory,
                       int fd, uint64_t length, uint16_t content);

/* Bytes, not stuffed. */
uint64_t payload_length(const struct payload *payload);

/* Reads the whole content into `out`. False with errno when the segment cannot be read. */
bool payload_read(const struct payload *payload, struct buffer *out);

/* Whether the content may go by DATA: no NUL in it, and no CR or LF but in CRLF, so that no server takes for
   its end what is none. What was found out before (CONTENT_IS_LINES) is not looked for again. False with
   errno when the segment cannot be read. */
bool payload_look(const struct payload *payload, bool *out_is_lines);

/* Takes over the converted content in place of the original. `content`: its flags. */
void payload_convert(struct payload *payload, struct buffer *converted, uint16_t content);

/* From the beginning again. */
void payload_rewind(struct payload *payload);

/* Writes the next part to the stream: all of it when no byte changes, else a bounded step; call again when
   the stream has drained until PAYLOAD_ALL. `is_data`: stuffed, with the end of data. PAYLOAD_FAILED (errno):
   the segment cannot be read; the connection must be dropped. */
enum payload_outcome payload_send(struct payload *payload, struct stream *stream, bool is_data);

#endif
