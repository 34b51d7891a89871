/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One question of an administrator's. Nobody waits here: the answer goes out when it is there. */
#include "lookup/dns_command.h"

#include <stdlib.h>
#include <sysexits.h>

#include "lookup/answer_text.h"
#include "lookup/command_reply.h"

struct dns_command {
    struct asker asker; /* first: answered gets it back by this */
    enum dns_record_type type;
    int fd;
};

static void answered(struct asker *asker, const struct dns_question_answer *answer)
{
    struct dns_command *command = (struct dns_command *)asker;
    struct buffer says = { 0 };
    answer_text_print(answer->records, command->type, &says);
    command_reply(command->fd, answer_text_code(answer->records->status), buffer_text(&says));
    buffer_free(&says);
    free(command);
}

void dns_command_begin(struct dns_question_table *table, struct text command, int fd)
{
    struct dns_question_subject subject = { .kind = DNS_QUESTION_RECORDS };
    struct text verb, type;
    bool is_whole = text_next_word(&command, &verb) && text_next_word(&command, &type) &&
                    text_next_word(&command, &subject.name);
    if (!is_whole || !dns_record_type_find(type, &subject.type)) {
        command_reply(fd, EX_USAGE, TEXT("unknown command"));
        return;
    }
    struct dns_command *asked = memory_alloc(sizeof *asked);
    *asked = (struct dns_command){ .asker.answered = answered, .type = subject.type, .fd = fd };
    dns_question_ask(table, &subject, 0, &asked->asker);
}
