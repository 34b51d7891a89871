/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The files that an engine came by while it scanned one message, or was given by themselves, and found
   nothing in: it need not see them again. Told apart by their digest; what is shown as text also by that of
   its characters without white space, since a mail parser ends lines in its own way, breaks long ones, and
   drops blanks at ends. */
#ifndef SEKIMORI_VIRUS_SEEN_FILES_H
#define SEKIMORI_VIRUS_SEEN_FILES_H

#include "mail/digest.h"

enum {
    SEEN_FILES_MOST = 1024,
    SEEN_FILE_LEAST = 64,     /* bytes: to scan fewer again costs less than to remember them */
    SEEN_TEXT_MOST = 1 << 20, /* bytes: of longer ones the characters are not told apart */
};

/* Zero-initialised is empty; empty again with count and kept set to 0. */
struct seen_files {
    uint32_t count; /* with those that the scan that runs came by */
    uint32_t kept;  /* of scans that are over */
    uint8_t digests[SEEN_FILES_MOST][DIGEST_BYTES];
};

/* During a scan: it has come by this file. More than SEEN_FILES_MOST are not remembered. */
void seen_files_add(struct seen_files *seen, struct text bytes);

/* Between scans: bytes of this digest were scanned by themselves, and nothing was found. */
void seen_files_keep(struct seen_files *seen, const uint8_t digest[DIGEST_BYTES]);

/* The scan is over. Was anything found, or could anything not be looked into, its files are forgotten. */
void seen_files_settle(struct seen_files *seen, bool is_clean);

/* A scan that is over, and found nothing, came by it. */
bool seen_files_has(const struct seen_files *seen, const uint8_t digest[DIGEST_BYTES]);

/* The same of a text that people read and nothing runs: white space aside. */
bool seen_files_has_text(const struct seen_files *seen, struct text text);

#endif
