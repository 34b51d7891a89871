/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What stands in a digest, as text and as HTML. Senders and Subjects are strangers' texts. */

#include "base/date.h"
#include "base/plain.h"
#include "ipc/message_id.h"
#include "mail/encoded_word.h"
#include "mail/envelope.h"
#include "report/digest/digest_recipients.h"
#include "report/mail_page.h"
#include "report/notice.h"
#include "statistics/held_words.h"
#include "statistics/words.h"

enum { COLUMNS = 70, DETAIL_COLUMNS = 120 };

static const char *say(const struct digest_letter *letter, const char *english)
{
    return words_say(letter->language, english);
}

static void time_add(struct buffer *out, uint64_t ms)
{
    char room[DATE_SIZE];
    buffer_add_text(out, text_slice(text_of(date_print_clock(ms, room)), 0, 16));
}

static size_t shown(const struct digest_letter *letter)
{
    return letter->count < DIGEST_SHOWN_MOST ? letter->count : DIGEST_SHOWN_MOST;
}

/* --- what is said of a message --- */

/* The From field as people read it; where there is none, who sent it. */
static struct text author_of(const struct held_row *row, struct buffer *room)
{
    buffer_clear(room);
    word_decode(row->author, TEXT_NONE, room, NULL);
    struct text author = text_trim(buffer_text(room));
    return author.length ? author : row->sender.length ? row->sender : TEXT("<>");
}

static struct text subject_of(const struct digest_letter *letter, const struct held_row *row)
{
    return row->subject.length ? row->subject : text_of(say(letter, N_("(no subject)")));
}

/* What the reason alone does not say: a virus's name, points, a server's reply. */
static void detail_add(const struct digest_letter *letter, const struct held_row *row, struct buffer *out)
{
    struct text detail = row->class == HELD_UNDELIVERABLE                       ? row->reason
                         : row->class == HELD_SPAM || row->class == HELD_POISON ? TEXT_NONE
                                                                                : row->virus;
    if (detail.length) {
        buffer_add_text(out, text_of(say(letter, N_(": "))));
        plain_add(out, detail, DETAIL_COLUMNS);
    }
}

/* "Held as spam: it looks like spam (12.0 points)" */
static void reason_add(const struct digest_letter *letter, const struct held_row *row, struct buffer *out)
{
    buffer_printf(out, say(letter, N_("Held as %s: %s")), say(letter, held_words_class(row->class)),
                  say(letter, held_words_reason(row->class, row->found)));
    if (row->class == HELD_SPAM) buffer_printf(out, say(letter, N_(" (%.1f points)")), row->score);
    detail_add(letter, row, out);
}

/* --- links --- */

static const char *ticket_of(const struct digest_letter *letter, const struct held_row *row,
                             char room[TICKET_SIZE])
{
    uint64_t keep = letter->config->quarantine.keep_ms[row->class];
    uint64_t until = letter->now_ms + letter->config->digest.expire_ms;
    if (keep && row->stored_ms + keep < until) until = row->stored_ms + keep;
    return ticket_print(letter->key, &(struct ticket){ row->message, row->number, until / 1000 }, room);
}

/* Else the administrator is to be told its id. */
static bool has_ticket(const struct digest_letter *letter, const struct held_row *row)
{
    return letter->key && !row->is_queued && ticket_may_release(letter->config, row->class);
}

static size_t tickets(const struct digest_letter *letter)
{
    size_t count = 0;
    for (size_t i = 0; i < shown(letter); i++) count += has_ticket(letter, &letter->rows[i]);
    return count;
}

/* One link an entry: the node itself answers at its reply address, so that goes before a page. */
static bool has_reply(const struct digest_letter *letter)
{
    return letter->key && letter->config->digest.reply.length > 0;
}

static bool has_page(const struct digest_letter *letter)
{
    return letter->key && letter->config->digest.page.length > 0 && !has_reply(letter);
}

static void page_link_add(const struct digest_letter *letter, const char *ticket, struct buffer *out)
{
    buffer_printf(out, "%.*s/%s", TEXT_ARG(letter->config->digest.page), ticket);
}

/* RFC 6068: in the address everything is written by number that could mean something in a URL. */
static void mail_link_add(const struct digest_letter *letter, const char *word, const char *ticket,
                          struct buffer *out)
{
    struct text to = letter->config->digest.reply;
    buffer_add_text(out, TEXT("mailto:"));
    for (size_t i = 0; i < to.length; i++) {
        char c = to.at[i];
        if (char_is_alpha(c) || char_is_digit(c) || c == '.' || c == '-' || c == '_' || c == '@')
            buffer_add_char(out, c);
        else
            buffer_printf(out, "%%%02X", (unsigned char)c);
    }
    buffer_printf(out, "?subject=%s%%20%s", word, ticket);
}

/* What else a mail may say of a message beside that it is to be released. */
struct wish_link {
    const char *word, *label;
};

/* Of this message; at most WISHES_MOST. Of a newsletter its approval, of other mail its sender. */
enum { WISHES_MOST = 2 };
static size_t wishes_of(const struct digest_letter *letter, const struct held_row *row,
                        struct wish_link out[WISHES_MOST])
{
    static const struct wish_link allow = { "allow", N_("Release, and allow the sender for me") },
                                  block = { "block", N_("Block the sender for me") },
                                  approve = { "approve", N_("Release, and approve the newsletter for me") };
    bool is_newsletter = row->found == CLASS_NEWSLETTER;
    if (!has_reply(letter) || !has_ticket(letter, row)) return 0;
    if (!letter->config->digest.senders && !is_newsletter) return 0;
    out[0] = is_newsletter ? approve : allow;
    out[1] = block;
    return letter->config->digest.senders ? 2 : 1;
}

/* False, nothing added: there is none. */
static bool link_add(const struct digest_letter *letter, const struct held_row *row, struct buffer *out)
{
    char ticket[TICKET_SIZE];
    if (!has_ticket(letter, row)) return false;
    ticket_of(letter, row, ticket);
    if (has_reply(letter))
        mail_link_add(letter, "release", ticket, out);
    else
        page_link_add(letter, ticket, out);
    return true;
}

/* --- as text --- */

static void wishes_print(const struct digest_letter *letter, const struct held_row *row, struct buffer *out)
{
    struct wish_link wishes[WISHES_MOST];
    char ticket[TICKET_SIZE];
    size_t count = wishes_of(letter, row, wishes);
    for (size_t i = 0; i < count; i++) {
        buffer_printf(out, "\n    %s\n    ", say(letter, wishes[i].label));
        mail_link_add(letter, wishes[i].word, ticket_of(letter, row, ticket), out);
    }
}

static void row_print(const struct digest_letter *letter, const struct held_row *row, struct buffer *out)
{
    char id[MESSAGE_ID_SIZE];
    struct buffer room = { 0 };
    time_add(out, message_id_time_ms(row->message));
    buffer_add_text(out, TEXT("  "));
    plain_add(out, author_of(row, &room), COLUMNS);
    buffer_add_text(out, TEXT("\n    "));
    plain_add(out, subject_of(letter, row), COLUMNS);
    buffer_add_text(out, TEXT("\n    "));
    reason_add(letter, row, out);
    buffer_add_text(out, TEXT("\n    "));
    if (!link_add(letter, row, out)) buffer_printf(out, "ID: %s", message_id_print(row->message, id));
    wishes_print(letter, row, out);
    buffer_add_text(out, TEXT("\n\n"));
    buffer_free(&room);
}

/* What is to be done, a sentence a line; the same in both parts. */
static void advice_print(const struct digest_letter *letter, struct buffer *out)
{
    size_t open = tickets(letter);
    if (open && has_page(letter))
        buffer_printf(
            out, "%s\n",
            say(letter, N_("A link to the page shows what it would deliver to you, and does so when "
                           "you say yes there.")));
    if (open && has_reply(letter))
        buffer_printf(out, "%s\n",
                      say(letter, N_("A mail link writes a mail: send it as it is, and the message is "
                                     "delivered to you.")));
    if (open && has_reply(letter) && letter->config->digest.senders)
        buffer_printf(
            out, "%s\n",
            say(letter, N_("What you allow or block holds for your address alone; an allowed sender "
                           "is let through where he proves who he is.")));
    if (open) {
        buffer_printf(out, "%s ", say(letter, N_("It works once, and not after")));
        time_add(out, letter->now_ms + letter->config->digest.expire_ms);
        buffer_add_char(out, '\n');
    }
    if (open < shown(letter)) {
        buffer_printf(out, say(letter, N_("To have one delivered, tell %.*s its id.")),
                      TEXT_ARG(letter->config->admin));
        buffer_add_char(out, '\n');
    }
    buffer_printf(out, "%s\n", say(letter, N_("What you do not want needs nothing: it goes by itself.")));
}

static struct text organisation_of(const struct digest_letter *letter)
{
    struct text name = letter->config->organisation;
    return name.length ? name : envelope_domain_of(letter->to);
}

/* Who writes, why, and of what; a sentence a line. */
static void head_print(const struct digest_letter *letter, struct buffer *out)
{
    buffer_printf(out, say(letter, N_("%.*s has its mail checked before it is delivered.")),
                  TEXT_ARG(organisation_of(letter)));
    buffer_printf(
        out, "\n%s\n",
        say(letter, N_("You get this mail, at most once a day, because messages to your address were "
                       "held.")));
    buffer_printf(out, say(letter, N_("Messages to <%.*s> that were held and not delivered:")),
                  TEXT_ARG(letter->to));
    buffer_add_char(out, '\n');
}

static void help_print(const struct digest_letter *letter, struct buffer *out)
{
    const struct config *config = letter->config;
    buffer_printf(out, say(letter, N_("Questions? Ask %.*s.")),
                  TEXT_ARG(config->help.mailbox.length ? config->help.mailbox : config->admin));
    buffer_add_char(out, '\n');
    if (!config->help.page.length) return;
    buffer_printf(out, "%.*s\n", TEXT_ARG(config->help.page));
}

static void more_print(const struct digest_letter *letter, struct buffer *out)
{
    if (letter->count > DIGEST_SHOWN_MOST)
        buffer_printf(out, say(letter, N_("and %zu more.")), letter->count - DIGEST_SHOWN_MOST);
}

static void lines_print(const struct digest_letter *letter, struct buffer *out)
{
    head_print(letter, out);
    buffer_add_char(out, '\n');
    for (size_t i = 0; i < shown(letter); i++) row_print(letter, &letter->rows[i], out);
    more_print(letter, out);
    if (letter->count > DIGEST_SHOWN_MOST) buffer_add_text(out, TEXT("\n\n"));
    advice_print(letter, out);
    help_print(letter, out);
}

/* --- as HTML --- */

/* Each line a paragraph. */
static void paragraphs_add(struct text lines, struct buffer *out)
{
    for (struct text line; text_next_line(&lines, &line);) {
        if (!line.length) continue;
        buffer_add_text(out, TEXT("<p style=\"margin:4px 0\">"));
        html_add(out, line, 1000);
        buffer_add_text(out, TEXT("</p>\n"));
    }
}

static void button_html(const struct digest_letter *letter, const struct held_row *row, struct buffer *out)
{
    char id[MESSAGE_ID_SIZE];
    struct buffer link = { 0 };
    if (link_add(letter, row, &link)) {
        buffer_add_text(out, TEXT("<a style=\"display:inline-block;margin-top:8px;padding:7px 16px;"
                                  "border-radius:6px;background:#2f5f96;color:#ffffff;font-weight:600;"
                                  "text-decoration:none\" class=\"button\" href=\""));
        html_add(out, buffer_text(&link), buffer_length(&link));
        buffer_printf(out, "\">%s</a>",
                      has_reply(letter) ? say(letter, N_("Release by mail"))
                                        : say(letter, N_("Look and release")));
    } else {
        buffer_printf(out, "<div " MAIL_PAGE_FAINT "font-size:13px\">ID: %s</div>",
                      message_id_print(row->message, id));
    }
    buffer_free(&link);
}

static void wishes_html(const struct digest_letter *letter, const struct held_row *row, struct buffer *out)
{
    struct wish_link wishes[WISHES_MOST];
    struct buffer link = { 0 };
    char ticket[TICKET_SIZE];
    size_t count = wishes_of(letter, row, wishes);
    for (size_t i = 0; i < count; i++) {
        buffer_clear(&link);
        mail_link_add(letter, wishes[i].word, ticket_of(letter, row, ticket), &link);
        buffer_add_text(out, TEXT("\n<div style=\"margin-top:6px;font-size:13px\"><a href=\""));
        html_add(out, buffer_text(&link), buffer_length(&link));
        buffer_printf(out, "\">%s</a></div>", say(letter, wishes[i].label));
    }
    buffer_free(&link);
}

static void row_html(const struct digest_letter *letter, const struct held_row *row, struct buffer *out)
{
    struct buffer room = { 0 };
    buffer_add_text(out, TEXT("<div class=\"card\" style=\"margin:12px 0;padding:12px 14px;border:1px solid "
                              "#d5dae1;border-radius:8px;overflow-wrap:anywhere\">\n<div " MAIL_PAGE_FAINT
                              "font-size:13px\">"));
    time_add(out, message_id_time_ms(row->message));
    buffer_add_text(out, TEXT("</div>\n<div style=\"font-weight:600\">"));
    html_add(out, subject_of(letter, row), COLUMNS);
    buffer_add_text(out, TEXT("</div>\n<div>"));
    html_add(out, author_of(row, &room), COLUMNS);
    buffer_add_text(out, TEXT("</div>\n<div " MAIL_PAGE_FAINT "\">"));
    buffer_clear(&room);
    reason_add(letter, row, &room);
    html_add(out, buffer_text(&room), 1000);
    buffer_add_text(out, TEXT("</div>\n"));
    button_html(letter, row, out);
    wishes_html(letter, row, out);
    buffer_add_text(out, TEXT("</div>\n"));
    buffer_free(&room);
}

static void html_print(const struct digest_letter *letter, struct text subject, struct buffer *out)
{
    struct buffer lines = { 0 };
    mail_page_open(letter->language, subject, out);
    buffer_add_text(out, TEXT("<h1 style=\"font-size:20px;margin:0 0 8px\">"));
    html_add(out, subject, 1000);
    buffer_add_text(out, TEXT("</h1>\n"));
    head_print(letter, &lines);
    paragraphs_add(buffer_text(&lines), out);
    for (size_t i = 0; i < shown(letter); i++) row_html(letter, &letter->rows[i], out);
    buffer_clear(&lines);
    more_print(letter, &lines);
    buffer_add_char(&lines, '\n');
    advice_print(letter, &lines);
    help_print(letter, &lines);
    paragraphs_add(buffer_text(&lines), out);
    mail_page_close(out);
    buffer_free(&lines);
}

void digest_mailing_print(const struct digest_letter *letter, struct buffer *out)
{
    struct buffer lines = { 0 }, html = { 0 }, subject = { 0 };
    buffer_printf(&subject, say(letter, N_("Held messages: %zu")), letter->count);
    lines_print(letter, &lines);
    html_print(letter, buffer_text(&subject), &html);
    struct notice notice = { .from = letter->config->admin,
                             .to = letter->to,
                             .hostname = letter->config->hostname,
                             .id = letter->id,
                             .subject = buffer_text(&subject),
                             .now_ms = letter->now_ms,
                             .reply_to = letter->key ? letter->config->digest.reply : TEXT_NONE };
    notice_print_both(&notice, buffer_text(&lines), buffer_text(&html), out);
    buffer_free(&lines);
    buffer_free(&html);
    buffer_free(&subject);
}
