/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a signature's name says of what it found: names of ClamAV, of third-party sets for it, and of other
   engines that write such names. */
#ifndef SEKIMORI_VIRUS_CLASSES_H
#define SEKIMORI_VIRUS_CLASSES_H

#include "config/settings.h"

/* VIRUS_CLASS_VIRUS for a name that no rule knows. `name` has no ".UNOFFICIAL" at its end. */
enum virus_class classes_of_name(struct text name);

#endif
