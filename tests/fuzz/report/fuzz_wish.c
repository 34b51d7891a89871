/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Mail to the node's own addresses: any bytes have attached messages within bounds, a ticket of 64 characters
   or none, and a digest that does not depend on line ends. */
#include <stdlib.h>

#include "base/buffer.h"
#include "ledgerdb/ticket.h"
#include "mail/likeness.h"
#include "report/missed/request_mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void must(bool holds)
{
    if (!holds) abort();
}

/* None can be longer than where it was found. */
static void check_messages(struct arena *arena, struct text mail)
{
    struct text list[4];
    size_t left, count = request_mail_enclosed(arena, mail, list, 4, &left), bytes = 0;
    must(count <= 4 && (left == 0 || count > 0));
    for (size_t i = 0; i < count; i++) {
        must(text_trim(list[i]).length > 0 &&
             text_checksum(list[i]) != 1); /* each byte is there to be read */
        bytes += list[i].length;
    }
    must(bytes <= mail.length);
}

static void check_digest(struct text mail)
{
    struct buffer bare = { 0 };
    if (text_find_char(mail, '\r') < mail.length) return; /* bare ones mean something else */
    char one[DIGEST_HEX_SIZE], other[DIGEST_HEX_SIZE];
    for (size_t i = 0; i < mail.length; i++) {
        if (mail.at[i] == '\n') buffer_add_char(&bare, '\r');
        buffer_add_char(&bare, mail.at[i]);
    }
    must(strcmp(likeness_hex(mail, one), likeness_hex(buffer_text(&bare), other)) == 0);
    buffer_free(&bare);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct arena *arena = arena_new(0);
    char *copy = malloc(size ? size : 1);
    memcpy(copy, bytes ? bytes : (const uint8_t *)"", size);
    struct text mail = text_from(copy, size);
    check_messages(arena, mail);
    check_digest(mail);
    enum ticket_wish asked = TICKET_RELEASE;
    struct text ticket = request_mail_ticket(arena, mail, &asked);
    must((unsigned)asked < TICKET_WISHES);
    must(ticket.length == 0 || ticket.length == TICKET_SIZE - 1);
    request_mail_is_automatic(arena, mail);
    struct newsletter_wish wish;
    must(!request_mail_newsletter(arena, mail, &wish) || (wish.name.length > 0 && wish.domain.length > 0));
    free(copy);
    arena_free(arena);
    return 0;
}
