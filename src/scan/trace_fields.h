/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The lines that receive puts before a message, which nobody else looks into. */
#ifndef SEKIMORI_SCAN_TRACE_FIELDS_H
#define SEKIMORI_SCAN_TRACE_FIELDS_H

#include "base/text.h"

/* Whole header fields in printable ASCII, folded or not, each of a name that receive writes (RFC 5321 section
   4.4; RFC 5322 sections 3.6.1, 3.6.4), with no empty line among them. So whoever took receive over puts
   neither a header nor a body of his own before what was scanned. */
bool trace_fields_are_ours(struct text prefix);

#endif
