/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a dialogue is waiting for, in words. */
#include "deliver/dialogue_stage.h"

const char *dialogue_stage(const struct dialogue *dialogue)
{
    static const char *const stages[] = {
        [DIALOGUE_CONNECTING] = "while connecting",
        [DIALOGUE_GREETING] = "while receiving the greeting",
        [DIALOGUE_EHLO] = "after EHLO",
        [DIALOGUE_HELO] = "after HELO",
        [DIALOGUE_STARTTLS] = "after STARTTLS",
        [DIALOGUE_HANDSHAKE] = "in the TLS handshake",
        [DIALOGUE_IDLE] = "while idle",
        [DIALOGUE_FINAL] = "after the end of the content",
        [DIALOGUE_RESET] = "after RSET",
        [DIALOGUE_PROVING] = "after QUIT",
        [DIALOGUE_OVER] = "after the end",
    };
    if (dialogue->state != DIALOGUE_TRANSACTION) return stages[dialogue->state];
    if (dialogue->xclient_is_due) return "after XCLIENT";
    if (dialogue->content_is_due) return "while sending the content";
    if (dialogue->replied == 0) return "after MAIL FROM";
    if (dialogue->replied <= dialogue->asked) return "after RCPT TO";
    return dialogue->content_is_bdat ? "after BDAT" : "after DATA";
}
