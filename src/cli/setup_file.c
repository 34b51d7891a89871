/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Prints statement by statement, each below a comment that says what it does and what comes next. Called by
   setup.c, which reads it back before it is written. */
#include "cli/setup_file.h"

#include "config/value.h"
#include "statistics/words.h"

/* Each line of it behind "# ". */
static void comment(struct buffer *out, enum language language, const char *english)
{
    struct text rest = text_of(words_say(language, english)), line;
    while (text_next_line(&rest, &line)) buffer_printf(out, line.length ? "# %.*s\n" : "#\n", TEXT_ARG(line));
}

static void names_print(const struct setup_answers *answers, const struct setup_surroundings *surroundings,
                        struct buffer *out)
{
    enum language language = answers->language;
    comment(
        out, language,
        N_("The first configuration, written by `sekimori setup`.\n"
           "\n"
           "`sekimori check` says every error and what is unsafe, `sekimori reload` puts changes in force.\n"
           "Every setting is explained in sekimori.conf(5) and by `sekimori dump --explain`."));
    buffer_add_char(out, '\n');
    comment(out, language,
            N_("The name of this machine in the world, to which MX points, and who is named in notices."));
    buffer_printf(out, "hostname  %.*s\nadmin     ", TEXT_ARG(answers->hostname));
    value_word_print(answers->admin, out);
    buffer_add_char(out, '\n');
    comment(out, language,
            surroundings->has_user
                ? N_("Each process runs as a user of its own: sekimori-receive, sekimori-scan and so on.")
                : N_("This machine has no user sekimori yet. Make it with systemd-sysusers (the package does "
                     "so) and\n"
                     "take the `#` away, or all processes run as whoever starts them."));
    buffer_add_text(out,
                    surroundings->has_user ? TEXT("user      sekimori\n\n") : TEXT("# user    sekimori\n\n"));
}

static void listeners_print(const struct setup_answers *answers, struct buffer *out)
{
    comment(out, answers->language,
            N_("Mail from the world. With a certificate STARTTLS is offered; without one mail comes in the "
               "clear."));
    buffer_add_text(out, TEXT("listen 0.0.0.0:25 {\n"
                              "    direction in\n"
                              "    # tls certificate /etc/sekimori/mx.pem key /etc/sekimori/mx.key\n"
                              "}\n"));
    comment(out, answers->language, N_("The same by IPv6:"));
    buffer_add_text(out, TEXT("# listen [::]:25 { direction in }\n\n"));
    comment(out, answers->language,
            N_("Mail from the servers inside to the world; `from` says which of them may:"));
    buffer_add_text(out,
                    TEXT("# listen 0.0.0.0:2525 { direction out; from 10.1.0.0/24; repair bare-lf }\n\n"));
}

static void domains_print(const struct setup_answers *answers, struct buffer *out)
{
    size_t widest = 0;
    for (size_t i = 0; i < answers->domain_count; i++)
        if (answers->domains[i].length > widest) widest = answers->domains[i].length;
    comment(out, answers->language,
            N_("Our domains and the server inside that their mail goes to. Several are tried in order."));
    buffer_add_text(out, TEXT("domains {\n"));
    for (size_t i = 0; i < answers->domain_count; i++)
        buffer_printf(out, "    %.*s%*s%.*s\n", TEXT_ARG(answers->domains[i]),
                      (int)(widest - answers->domains[i].length + 2), "", TEXT_ARG(answers->inside));
    buffer_add_text(out, TEXT("}\n\n"));
}

static void checks_print(const struct setup_answers *answers, struct buffer *out)
{
    comment(out, answers->language,
            N_("Both checks only observe: each message is judged, the verdict is logged, and all mail goes\n"
               "through. `sekimori stats --would` and `sekimori trace` tell what they would have done. When "
               "that\n"
               "has been right for some days, arm them: write `mode on` and run `sekimori reload`."));
    buffer_add_text(out, TEXT("virus {\n    mode observe\n    found reject\n"
                              "    engine clamav { unavailable defer }\n}\n"));
    buffer_add_text(out, TEXT("spam {\n    mode observe\n    tag above 6.8 subject \"[SPAM] \"\n"
                              "    quarantine above 12\n    reject above 20\n}\n\n"));
}

static void auth_print(const struct setup_answers *answers, struct buffer *out)
{
    comment(
        out, answers->language,
        N_("Who sent a message is looked up (SPF, DKIM, DMARC) and said in Authentication-Results; nothing "
           "is\nrefused for it yet. After a week look at `sekimori stats --by auth` and at the senders that "
           "the nightly\nreport names: name those who forward mail to you behind `trust names`, then write "
           "`mode on` and run\n`sekimori reload`. doc/auth.md says more."));
    buffer_add_text(out, TEXT("auth {\n    mode observe\n    # trust names forwarder.example\n}\n\n"));
}

/* These are in force where nothing is said. */
static void rates_print(const struct setup_answers *answers, struct buffer *out)
{
    comment(out, answers->language,
            N_("Who tries out recipients, who sends from inside as with a stolen password, and floods of "
               "sign-ups:\n"
               "you are told by mail, nothing is put off or held yet. When that has been right for some "
               "weeks, take\n"
               "these lines out: without them all three are on. doc/rates.md says more."));
    buffer_add_text(
        out, TEXT("harvest { action observe }\ninside  { mode observe }\nsignups { mode observe }\n\n"));
}

static void rest_print(const struct setup_answers *answers, const struct setup_surroundings *surroundings,
                       struct buffer *out)
{
    comment(out, answers->language, N_("Each night what went through, and at once what is wrong."));
    buffer_add_text(out, TEXT("report { to "));
    value_word_print(answers->admin, out);
    buffer_printf(out, "; language %s }\n", answers->language == LANGUAGE_JA ? "ja" : "en");
    comment(out, answers->language,
            N_("Tells users once a day what is held for them, when the checks are armed:"));
    buffer_add_text(out, TEXT("# digest { send on; at 07:00 }\n"));
    if (surroundings->dns->count == 0) return;
    buffer_add_char(out, '\n');
    comment(out, answers->language, N_("The resolvers that are asked."));
    buffer_add_text(out, TEXT("dns { servers"));
    for (size_t i = 0; i < surroundings->dns->count; i++)
        buffer_printf(out, " %.*s", TEXT_ARG(surroundings->dns->items[i]));
    buffer_add_text(out, TEXT(" }\n"));
}

void setup_file_print(const struct setup_answers *answers, const struct setup_surroundings *surroundings,
                      struct buffer *out)
{
    names_print(answers, surroundings, out);
    listeners_print(answers, out);
    domains_print(answers, out);
    checks_print(answers, out);
    auth_print(answers, out);
    rates_print(answers, out);
    rest_print(answers, surroundings, out);
}
