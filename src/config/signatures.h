/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Signatures of viruses on disk: which files are such, how old they are, and whether a configuration that
   asks for a virus check has any. */
#ifndef SEKIMORI_CONFIG_SIGNATURES_H
#define SEKIMORI_CONFIG_SIGNATURES_H

#include "config/problem.h"
#include "config/settings.h"

/* By its name: the endings that libclamav loads. */
bool signatures_is_file(const char *name);

/* When the newest of them in the folder was written, in seconds since 1970. 0: there is none, with errno;
   that is 0 where the folder can be read. */
int64_t signatures_newest(struct text folder);

/* Some signature in the folder may be by the look of a picture: a logical one is ("fuzzy_img"), or there is a
   packed set, into which nobody looks here, or a file that cannot be read. */
bool signatures_may_name_pictures(struct text folder);

/* What a folder holds, or all of those that the configuration wants loaded, as one number: it changes with a
   file's name, size, time or place on the disk. A folder that cannot be read counts as empty. */
uint64_t signatures_in(struct text folder);
uint64_t signatures_on_disk(const struct config *config);

/* Looks at that number twice a second, and waits until the disk is quiet: what somebody is still writing is
   not loaded. */
enum { SIGNATURES_LOOK_MS = 500, SIGNATURES_QUIET_LOOKS = 3 };
struct signatures_watch {
    uint64_t loaded; /* what is in use; set before it is loaded, so that no change in between is missed */
    uint64_t seen;   /* at the last look */
    uint64_t told;   /* what the last true was for; 0: none */
    uint32_t quiet;  /* looks in a row that saw the same */
};
/* True once for each state of the disk that is neither in use nor the one told of last. */
bool signatures_watch_turn(struct signatures_watch *watch, uint64_t now);

/* This node scans, and some domain's mail is to be checked for viruses. */
bool signatures_are_wanted(const struct config *config);

/* helper runs freshclam; the command of the second set; one of them. */
bool signatures_by_freshclam(const struct config *config);
bool signatures_by_command(const struct config *config);
bool signatures_are_fetched(const struct config *config);

/* A warning where nothing will count as scanned: no signatures were fetched, and `builtin only` is not said;
   or the folder of the built-in ones has none, which is an error where `builtin from` names it. */
void signatures_check(const struct config *config, struct problem_list *problems);

#endif
