/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Messages and entities that lie inside what is handed out: each becomes a list of its own, and its readings
   come before the outer list goes on. One list at a time: where one has begun, list->inner is set. */
#ifndef SEKIMORI_MAIL_READING_INNER_H
#define SEKIMORI_MAIL_READING_INNER_H

#include "mail/reading_list.h"

/* A list for what was parsed. Its findings stay its own. */
void reading_inner_begin(struct reading_list *list, enum reading_role role, struct mime *mime);

/* May so many bytes be read once more, one level deeper? Says so in a finding when not. may_spend: and if so
   they are spent. */
bool reading_inner_may_begin(struct reading_list *list, size_t length);
bool reading_inner_may_spend(struct reading_list *list, size_t length);

/* May so many bytes more stay in the arena? If so they are paid for; else a finding says so. */
bool reading_inner_may_copy(struct reading_list *list, size_t length);

/* Begin a list unless the bounds forbid it: what a program may open as a mail, whose bytes stay as long as
   the list does; and as a body that `boundary` divides (empty: none), which is copied where it does not lie
   in the message. */
void reading_inner_kept_mail(struct reading_list *list, struct text mail);
void reading_inner_body(struct reading_list *list, struct text body, struct text boundary);

/* What a program may see in the bytes of a leaf that was just handed out, decoded by that method; `part` is
   NULL when they were carved. */
void reading_inner_of_bytes(struct reading_list *list, const struct mime_part *part,
                            enum reading_method method, struct text bytes);

/* What every program sees that opens the part: the content of S/MIME signed data and of a container under an
   encoding. */
void reading_inner_of_part(struct reading_list *list, const struct mime_part *part);

#endif
