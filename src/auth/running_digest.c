/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Pieces above RUNNING_DIGEST_DIRECT go to OpenSSL where they lie, shorter ones by way of the stage. */
#include "auth/running_digest.h"

#include <openssl/evp.h>

#include "base/die.h"
#include "mail/digest.h"

_Noreturn static void fail(void)
{
    die("SHA-256 is not available");
}

void running_digest_open(struct running_digest *digest)
{
    digest->context = EVP_MD_CTX_new();
    digest->fork = NULL;
    digest->staged = 0;
    if (!digest->context || !EVP_DigestInit_ex(digest->context, digest_sha256_algorithm(), NULL)) fail();
}

void running_digest_close(struct running_digest *digest)
{
    EVP_MD_CTX_free(digest->context);
    EVP_MD_CTX_free(digest->fork);
    digest->context = digest->fork = NULL;
}

void running_digest_restart(struct running_digest *digest)
{
    digest->staged = 0;
    if (!EVP_DigestInit_ex(digest->context, NULL, NULL)) fail();
}

static void update(struct running_digest *digest, const char *at, size_t length)
{
    if (length && !EVP_DigestUpdate(digest->context, at, length)) fail();
}

void running_digest_flush(struct running_digest *digest)
{
    update(digest, digest->stage, digest->staged);
    digest->staged = 0;
}

void running_digest_add_long(struct running_digest *digest, const char *at, size_t length)
{
    if (length < RUNNING_DIGEST_DIRECT) {
        size_t first = sizeof digest->stage - digest->staged; /* so that whole blocks are hashed */
        memcpy(digest->stage + digest->staged, at, first);
        digest->staged += first;
        running_digest_flush(digest);
        memcpy(digest->stage, at + first, length - first);
        digest->staged = length - first;
        return;
    }
    running_digest_flush(digest);
    update(digest, at, length);
}

static void finish(struct evp_md_ctx_st *context, uint8_t out[RUNNING_DIGEST_BYTES])
{
    unsigned length = 0;
    if (!EVP_DigestFinal_ex(context, out, &length) || length != RUNNING_DIGEST_BYTES) fail();
}

void running_digest_sum(struct running_digest *digest, uint8_t out[RUNNING_DIGEST_BYTES])
{
    running_digest_flush(digest);
    if (!digest->fork) digest->fork = EVP_MD_CTX_new();
    if (!digest->fork || !EVP_MD_CTX_copy_ex(digest->fork, digest->context)) fail();
    finish(digest->fork, out);
}

void running_digest_copy(struct running_digest *to, struct running_digest *from)
{
    running_digest_flush(from);
    to->staged = 0;
    if (!EVP_MD_CTX_copy_ex(to->context, from->context)) fail();
}

void running_digest_end(struct running_digest *digest, uint8_t out[RUNNING_DIGEST_BYTES])
{
    running_digest_flush(digest);
    finish(digest->context, out);
}
