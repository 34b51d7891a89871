/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* spam/message_facts.c has a shorter table, which the base model was made with: it changes with the model
 * alone. */
#include "impostor/free_mail.h"

#include <stdlib.h>

/* In the order of bytes. */
static const char *const providers[] = {
    "126.com",        "139.com",        "163.com",     "aim.com",     "aol.com",        "excite.co.jp",
    "fastmail.com",   "free.fr",        "freemail.hu", "gmail.com",   "gmx.at",         "gmx.ch",
    "gmx.com",        "gmx.de",         "gmx.net",     "goo.jp",      "googlemail.com", "hanmail.net",
    "hotmail.co.jp",  "hotmail.co.uk",  "hotmail.com", "hotmail.de",  "hotmail.fr",     "hotmail.it",
    "hushmail.com",   "icloud.com",     "inbox.lv",    "inbox.ru",    "infoseek.jp",    "laposte.net",
    "libero.it",      "list.ru",        "live.com",    "live.jp",     "mac.com",        "mail.com",
    "mail.goo.ne.jp", "mail.ru",        "me.com",      "msn.com",     "naver.com",      "o2.pl",
    "orange.fr",      "outlook.com",    "outlook.de",  "outlook.fr",  "outlook.jp",     "pm.me",
    "proton.me",      "protonmail.com", "qq.com",      "rakuten.jp",  "rediffmail.com", "rocketmail.com",
    "seznam.cz",      "sina.cn",        "sina.com",    "t-online.de", "tuta.com",       "tuta.io",
    "tutanota.com",   "ukr.net",        "web.de",      "wp.pl",       "yahoo.co.jp",    "yahoo.co.uk",
    "yahoo.com",      "yahoo.de",       "yahoo.fr",    "yahoo.ne.jp", "yandex.com",     "yandex.ru",
    "yeah.net",       "ymail.com",      "ymail.ne.jp", "zoho.com",    "zohomail.com",
};

static int by_name(const void *key, const void *item)
{
    return text_compare(*(const struct text *)key, text_of(*(const char *const *)item));
}

bool free_mail_has(struct text domain)
{
    return bsearch(&domain, providers, sizeof providers / sizeof *providers, sizeof *providers, by_name) !=
           NULL;
}
