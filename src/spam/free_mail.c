/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* One table. Which of them the base model was made with changes with the model alone. */
#include "spam/free_mail.h"

#include <stdlib.h>

enum { NOW = 1, MODEL = 2, BOTH = NOW | MODEL };

/* In the order of bytes. */
static const struct provider {
    const char *domain;
    unsigned use; /* NOW: anybody has an address there; MODEL: the base model takes it for one of them */
} providers[] = { { "126.com", BOTH },        { "139.com", NOW },         { "163.com", BOTH },
                  { "aim.com", NOW },         { "altavista.com", MODEL }, { "aol.com", BOTH },
                  { "att.net", MODEL },       { "bol.com.br", MODEL },    { "comcast.net", MODEL },
                  { "earthlink.net", MODEL }, { "email.com", MODEL },     { "eudoramail.com", MODEL },
                  { "excite.co.jp", BOTH },   { "excite.com", MODEL },    { "fastmail.com", NOW },
                  { "free.fr", BOTH },        { "freemail.hu", NOW },     { "gmail.com", BOTH },
                  { "gmx.at", BOTH },         { "gmx.ch", NOW },          { "gmx.com", BOTH },
                  { "gmx.de", BOTH },         { "gmx.net", BOTH },        { "goo.jp", BOTH },
                  { "googlemail.com", BOTH }, { "hanmail.net", BOTH },    { "hotbot.com", MODEL },
                  { "hotmail.co.jp", NOW },   { "hotmail.co.uk", BOTH },  { "hotmail.com", BOTH },
                  { "hotmail.de", BOTH },     { "hotmail.es", MODEL },    { "hotmail.fr", BOTH },
                  { "hotmail.it", BOTH },     { "hushmail.com", NOW },    { "icloud.com", BOTH },
                  { "inbox.lv", NOW },        { "inbox.ru", NOW },        { "infoseek.jp", NOW },
                  { "juno.com", MODEL },      { "laposte.net", BOTH },    { "libero.it", BOTH },
                  { "list.ru", NOW },         { "live.com", BOTH },       { "live.jp", NOW },
                  { "lycos.com", MODEL },     { "mac.com", NOW },         { "mail.com", BOTH },
                  { "mail.goo.ne.jp", NOW },  { "mail.ru", BOTH },        { "me.com", BOTH },
                  { "msn.com", BOTH },        { "naver.com", BOTH },      { "netscape.net", MODEL },
                  { "o2.pl", NOW },           { "orange.fr", BOTH },      { "outlook.com", BOTH },
                  { "outlook.de", NOW },      { "outlook.fr", NOW },      { "outlook.jp", BOTH },
                  { "pm.me", NOW },           { "proton.me", BOTH },      { "protonmail.com", BOTH },
                  { "qq.com", BOTH },         { "rakuten.jp", NOW },      { "rediffmail.com", NOW },
                  { "rocketmail.com", NOW },  { "seznam.cz", NOW },       { "sina.cn", NOW },
                  { "sina.com", BOTH },       { "t-online.de", BOTH },    { "terra.com.br", MODEL },
                  { "tuta.com", NOW },        { "tuta.io", NOW },         { "tutanota.com", NOW },
                  { "ukr.net", NOW },         { "uol.com.br", MODEL },    { "usa.net", MODEL },
                  { "wanadoo.fr", MODEL },    { "web.de", BOTH },         { "wp.pl", NOW },
                  { "yahoo.co.jp", BOTH },    { "yahoo.co.uk", BOTH },    { "yahoo.com", BOTH },
                  { "yahoo.com.br", MODEL },  { "yahoo.de", BOTH },       { "yahoo.fr", BOTH },
                  { "yahoo.ne.jp", NOW },     { "yandex.com", BOTH },     { "yandex.ru", BOTH },
                  { "yeah.net", NOW },        { "ymail.com", NOW },       { "ymail.ne.jp", NOW },
                  { "zoho.com", BOTH },       { "zohomail.com", NOW } };

static int by_domain(const void *key, const void *item)
{
    return text_compare(*(const struct text *)key, text_of(((const struct provider *)item)->domain));
}

static bool has_use(struct text domain, unsigned use)
{
    const struct provider *provider =
        bsearch(&domain, providers, sizeof providers / sizeof *providers, sizeof *providers, by_domain);
    return provider && provider->use & use;
}

bool free_mail_has(struct text domain)
{
    return has_use(domain, NOW);
}

bool free_mail_is_of_model(struct text domain)
{
    return has_use(domain, MODEL);
}
