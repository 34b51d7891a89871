/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Kinds of files that may stay closed since nothing here opens them, or not to their end, and what is done
   with mail that has one: `virus not-opened kinds ACTION KIND…`. A kind has the name that mail/true_type.h
   gives its type; a few words stand for several kinds. A set is a number with a bit for each of its kinds. */
#ifndef SEKIMORI_CONFIG_CLOSED_KINDS_H
#define SEKIMORI_CONFIG_CLOSED_KINDS_H

#include "base/arena.h"
#include "config/schema.h"

/* Number 0 is "unknown": a name that no row has. */
enum { CLOSED_KINDS_UNKNOWN, CLOSED_KINDS_MOST = 64, CLOSED_KINDS_LISTED = 10 };

/* The words of the settings; those behind the kinds are groups. Values are the numbers of bits. */
extern const struct schema_choice closed_kinds[];

/* The kind that a finding's name begins with: all of it, or what stands before ": " ("zip: damaged …").
   CLOSED_KINDS_UNKNOWN: it begins with none, or with a group. */
unsigned closed_kinds_number(struct text finding);
/* "unknown" of every number that no kind has. */
const char *closed_kinds_name(unsigned number);
/* The kinds of a group; 0: the number is no group's. */
uint64_t closed_kinds_of_group(unsigned number);

/* What mail of that direction gets for it: as its kind says, else its group, else VIRUS_CLASS_NOT_OPENED.
   What `outbound` says goes first, and where it says nothing it is as for inbound mail. */
enum action closed_kinds_action(const struct config *config, unsigned number, enum direction direction);
/* ACTION_TAG in one direction or the other. */
bool closed_kinds_warns(const struct config *config, unsigned number);

/* "squashfs,zip": the names of a set, ten at most; the text is in the arena. */
struct text closed_kinds_list(struct arena *arena, uint64_t kinds);

#endif
