/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* 16 bytes say what, 24 sign it: 64 characters of Crockford's base 32. */
#include "ledgerdb/ticket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "ipc/ask_ledger.h"
#include "mail/digest.h"

enum { FACT_BYTES = 16, SIGN_BYTES = 24, ALL_BYTES = FACT_BYTES + SIGN_BYTES, FIVE = 5, EIGHT = 8 };

static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
static const struct text purpose = { "sekimori quarantine release",
                                     27 }; /* so that no other use signs the same */

/* --- the key --- */

static bool key_read(const char *path, struct ticket_key *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return false;
    bool is_whole = read(fd, out->bytes, sizeof out->bytes) == (ssize_t)sizeof out->bytes;
    close(fd);
    if (!is_whole) errno = EIO;
    return is_whole;
}

/* Whole or not at all, as every file of ours. */
static bool key_make(const char *folder, struct ticket_key *out)
{
    if (getrandom(out->bytes, sizeof out->bytes, 0) != (ssize_t)sizeof out->bytes) return false;
    int place = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (place < 0) return false;
    bool is_good = file_replace(place, "ticket.key", text_from((char *)out->bytes, sizeof out->bytes), 0640);
    int error = errno;
    close(place);
    errno = error;
    return is_good;
}

bool ticket_key_open(const char *folder, bool may_make, struct ticket_key *out)
{
    char path[4100];
    snprintf(path, sizeof path, "%s/ticket.key", folder);
    if (key_read(path, out)) return true;
    if (errno == ENOENT && may_make && key_make(folder, out)) return true;
    log_error("%s: no key for releases by link: %s", path, strerror(errno));
    return false;
}

/* --- bytes and characters --- */

static void number_put(uint8_t *to, uint64_t number, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--, number >>= 8) to[i] = (uint8_t)number;
}

static uint64_t number_get(const uint8_t *from, int bytes)
{
    uint64_t number = 0;
    for (int i = 0; i < bytes; i++) number = number << 8 | from[i];
    return number;
}

/* Five bytes are eight characters. */
static void letters_put(const uint8_t bytes[ALL_BYTES], char room[TICKET_SIZE])
{
    for (int i = 0; i < ALL_BYTES / FIVE; i++) {
        uint64_t group = number_get(bytes + i * FIVE, FIVE);
        for (int k = EIGHT - 1; k >= 0; k--, group >>= 5) room[i * EIGHT + k] = digits[group & 31];
    }
    room[TICKET_SIZE - 1] = '\0';
}

static bool letters_get(struct text text, uint8_t bytes[ALL_BYTES])
{
    if (text.length != TICKET_SIZE - 1) return false;
    for (int i = 0; i < ALL_BYTES / FIVE; i++) {
        uint64_t group = 0;
        for (int k = 0; k < EIGHT; k++) {
            char c = text.at[i * EIGHT + k];
            const char *digit = c ? strchr(digits, char_is_alpha(c) ? c & ~32 : c) : NULL;
            if (!digit) return false;
            group = group << 5 | (uint64_t)(digit - digits);
        }
        number_put(bytes + i * FIVE, group, FIVE);
    }
    return true;
}

static void sign(const struct ticket_key *key, const uint8_t facts[FACT_BYTES], uint8_t out[DIGEST_BYTES])
{
    char bytes[FACT_BYTES + 64];
    memcpy(bytes, purpose.at, purpose.length);
    memcpy(bytes + purpose.length, facts, FACT_BYTES);
    digest_hmac_sha256(text_from((const char *)key->bytes, sizeof key->bytes),
                       text_from(bytes, purpose.length + FACT_BYTES), out);
}

bool ticket_may_release(const struct config *config, enum held_class class)
{
    if ((unsigned)class >= HELD_CLASSES) return false;
    const struct text_list *users = &config->quarantine.release[class];
    if (text_list_has(users, TEXT("recipients"))) return true;
    return users->count == 0 && !held_class_is_harmful(class);
}

char *ticket_print(const struct ticket_key *key, const struct ticket *ticket, char room[TICKET_SIZE])
{
    uint8_t bytes[ALL_BYTES], sum[DIGEST_BYTES];
    number_put(bytes, ticket->message, 8);
    number_put(bytes + 8, ticket->number, 4);
    number_put(bytes + 12, ticket->until_s, 4);
    sign(key, bytes, sum);
    memcpy(bytes + FACT_BYTES, sum, SIGN_BYTES);
    letters_put(bytes, room);
    return room;
}

enum ticket_outcome ticket_check(const struct ticket_key *key, struct text text, uint64_t now_s,
                                 struct ticket *out)
{
    uint8_t bytes[ALL_BYTES], sum[DIGEST_BYTES], difference = 0;
    if (!key || !letters_get(text, bytes)) return TICKET_FALSE;
    sign(key, bytes, sum);
    for (int i = 0; i < SIGN_BYTES; i++) difference |= bytes[FACT_BYTES + i] ^ sum[i]; /* in constant time */
    if (difference) return TICKET_FALSE;
    *out = (struct ticket){ number_get(bytes, 8), (uint32_t)number_get(bytes + 8, 4),
                            number_get(bytes + 12, 4) };
    return now_s < out->until_s ? TICKET_GOOD : TICKET_OLD;
}
