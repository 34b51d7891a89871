/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The two ways to end: the world failed (die), or we are wrong (bug). */
#ifndef SEKIMORI_BASE_DIE_H
#define SEKIMORI_BASE_DIE_H

/* Logs and exits 75 (EX_TEMPFAIL): no memory, disk gone, peer lost. Master restarts the process. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same with ": strerror(errno)" appended. */
_Noreturn void die_errno(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Logs and aborts: an invariant of our own does not hold. */
_Noreturn void bug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
