/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Goal: what names a sender is read as it was meant or refused; an image finds each entry by what it names,
   and whatever else stands in its place leads nowhere outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/entry_image.h"
#include "config_text.h"

static struct text printed(struct arena *arena, const struct sender_entry *entry)
{
    struct buffer out = { 0 };
    sender_entry_print_what(entry, &out);
    if (entry->to.length) buffer_printf(&out, " > %.*s", TEXT_ARG(entry->to));
    sender_entry_print_flags(entry, &out);
    sender_entry_print_patterns(entry, &out);
    struct text text = arena_text(arena, buffer_text(&out));
    buffer_free(&out);
    return text;
}

static const struct {
    enum entry_verb verb;
    const char *words, *is; /* NULL: it is none */
} rows[] = {
    { ENTRY_ALLOW, "Example.COM", "example.com" },
    { ENTRY_ALLOW, "User@Example.com --to Boss@on.test --envelope --unproven",
      "user@example.com > boss@on.test envelope unproven" },
    { ENTRY_BLOCK, "192.0.2.0/24 --to on.test --quarantine", "192.0.2.0/24 > on.test quarantine" },
    { ENTRY_BLOCK, "192.0.2.7 --tag", "192.0.2.7/32 tag" },
    { ENTRY_BLOCK, "2001:db8::/32", "2001:db8::/32" },
    { ENTRY_BLOCK, "a..b@docomo.test", "a..b@docomo.test" },
    { ENTRY_BLOCK, "xn--r8jz45g.test", "xn--r8jz45g.test" },
    { ENTRY_BLOCK, "* --subject '*your bill*' --tag", "* tag subject=*your%20bill*" },
    { ENTRY_BLOCK, "* --subject=100%25%20* --link=x.test", "* subject=100%25%20* link=x.test" },
    { ENTRY_BLOCK, "a@b.test --attachment *.exe", "a@b.test attachment=*.exe" },
    { ENTRY_ALLOW, "b.test --subject *請* --to on.test", "b.test > on.test subject=*請*" },
    { ENTRY_ALLOW, "* --subject *bill* --unproven", "* unproven subject=*bill*" },
    { ENTRY_ALLOW, "* --subject *bill*", NULL }, /* anybody can write it */
    { ENTRY_BLOCK, "*", NULL },
    { ENTRY_BLOCK, "* --subject", NULL },
    { ENTRY_BLOCK, "* --subject 'open", NULL },
    { ENTRY_BLOCK, "* --subject ''", NULL },
    { ENTRY_BLOCK, "* --subject *", NULL },
    { ENTRY_BLOCK, "* --subject *ab*cd*", NULL }, /* in every mail */
    { ENTRY_BLOCK, "* --subject *ＡＢ*", NULL },
    { ENTRY_BLOCK, "* --subject a*b*c*d*e*f*g*h*i*jkl", NULL },
    { ENTRY_BLOCK, "* --subject abc\\", NULL },
    { ENTRY_BLOCK, "* --subject ab\\c", NULL },
    { ENTRY_BLOCK, "* --subject abc\xff", NULL },
    { ENTRY_BLOCK, "* --subject abc\x01", NULL },
    { ENTRY_BLOCK, "* --subject abc\xc2\x9b", NULL },
    { ENTRY_BLOCK, "* --subject=abc%1", NULL },
    { ENTRY_BLOCK, "* --subject=abc%0A", NULL },
    { ENTRY_BLOCK, "* --body abc", NULL },
    { ENTRY_BLOCK, "", NULL },
    { ENTRY_BLOCK, "com", NULL },
    { ENTRY_BLOCK, ".example.com", NULL },
    { ENTRY_BLOCK, "*.example.com", NULL },
    { ENTRY_BLOCK, "example..com", NULL },
    { ENTRY_BLOCK, "example.com.", NULL },
    { ENTRY_BLOCK, "@example.com", NULL },
    { ENTRY_BLOCK, "a@b", NULL },
    { ENTRY_BLOCK, "a@b@example.com", NULL },
    { ENTRY_BLOCK, "192.0.2.1/24", NULL },
    { ENTRY_BLOCK, "192.0.2.300", NULL },
    { ENTRY_BLOCK, "0.0.0.0/0", NULL },
    { ENTRY_BLOCK, "16.0.0.0/7", NULL },
    { ENTRY_BLOCK, "::/0", NULL },
    { ENTRY_BLOCK, "2000::/15", NULL },
    { ENTRY_BLOCK, "example.com --unproven", NULL },
    { ENTRY_ALLOW, "example.com --tag", NULL },
    { ENTRY_ALLOW, "example.com --to", NULL },
    { ENTRY_ALLOW, "example.com --to boss", NULL },
    { ENTRY_ALLOW, "example.com other.com", NULL },
};

static void what_is_read(void **state)
{
    (void)state;
    const char *why;
    struct arena *arena = arena_new(0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sender_entry entry;
        bool is_read = sender_entry_read(arena, rows[i].verb, text_of(rows[i].words), &entry, &why);
        if (is_read != (rows[i].is != NULL))
            fail_msg("\"%s\" is %s", rows[i].words, is_read ? "read" : "none");
        if (is_read && !text_equal(printed(arena, &entry), text_of(rows[i].is)))
            fail_msg("\"%s\" is \"%.*s\"", rows[i].words, TEXT_ARG(printed(arena, &entry)));
    }
    char longest[400];
    struct sender_entry entry;
    memset(longest, 'a', sizeof longest);
    strcpy(longest + sizeof longest - 13, "@example.com");
    assert_false(sender_entry_read(arena, ENTRY_BLOCK, text_of(longest), &entry, &why));
    memset(longest, '*', sizeof longest - 1);
    assert_false(sender_entry_read_pattern(arena, ENTRY_LINK, text_of(longest), &entry, &why));
    arena_free(arena);
}

static size_t found(struct text image, enum entry_kind kind, const char *what)
{
    struct entry_cursor cursor;
    struct sender_entry entry;
    size_t count = 0;
    entry_image_seek(image, kind, text_of(what), &cursor);
    while (entry_image_next(&cursor, &entry)) count++;
    return count;
}

static size_t found_network(struct text image, const char *client)
{
    struct address address;
    struct entry_cursor cursor;
    struct sender_entry entry;
    size_t count = 0;
    assert_true(address_parse(text_of(client), &address));
    for (unsigned bits = 0; bits <= 128; bits++) {
        if (!entry_image_has_bits(image, bits)) continue;
        entry_image_seek_network(image, &address, bits, &cursor);
        while (entry_image_next(&cursor, &entry)) count++;
    }
    return count;
}

static void image_make(struct arena *arena, struct buffer *image)
{
    static const char *const words[] = { "example.com",    "user@example.com",
                                         "192.0.2.0/24",   "example.com --to on.test",
                                         "192.0.0.0/16",   "2001:db8::/32",
                                         "192.0.2.128/25", "a.example.com --tag" };
    enum { WORDS = sizeof words / sizeof *words };
    struct sender_entry entries[WORDS];
    const char *why;
    for (size_t i = 0; i < WORDS; i++)
        assert_true(sender_entry_read(arena, ENTRY_BLOCK, text_of(words[i]), &entries[i], &why));
    assert_true(entry_image_write(entries, WORDS, image));
}

static void an_image_finds(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct buffer buffer = { 0 };
    image_make(arena, &buffer);
    struct text image = buffer_text(&buffer);
    assert_int_equal(found(image, ENTRY_DOMAIN, "example.com"), 2);
    assert_int_equal(found(image, ENTRY_DOMAIN, "a.example.com"), 1);
    assert_int_equal(found(image, ENTRY_DOMAIN, "b.example.com"), 0);
    assert_int_equal(found(image, ENTRY_ADDRESS, "user@example.com"), 1);
    assert_int_equal(found(image, ENTRY_ADDRESS, "example.com"), 0);
    assert_int_equal(found_network(image, "192.0.2.200"), 3);
    assert_int_equal(found_network(image, "192.0.2.1"), 2);
    assert_int_equal(found_network(image, "192.1.2.1"), 0);
    assert_int_equal(found_network(image, "2001:db8::1"), 1);
    assert_int_equal(found(TEXT_NONE, ENTRY_DOMAIN, "example.com"), 0);
    buffer_free(&buffer);
    arena_free(arena);
}

/* Each byte changed, and each end cut off, in memory of exactly that size: sanitizers see what goes beyond.
 */
static void a_damaged_image(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct buffer buffer = { 0 };
    image_make(arena, &buffer);
    struct text image = buffer_text(&buffer);
    for (size_t at = 0; at <= image.length; at++) {
        size_t size = at < image.length ? image.length : at;
        for (int way = 0; way < 3; way++) {
            size_t length = way == 2 ? at : size;
            char *copy = malloc(length + 1), *exact = malloc(length ? length : 1);
            memcpy(copy, image.at, length);
            if (way < 2 && at < length) copy[at] = (char)(way ? 0xff : copy[at] ^ 1);
            memcpy(exact, copy, length);
            struct text damaged = text_from(exact, length);
            found(damaged, ENTRY_DOMAIN, "example.com");
            found(damaged, ENTRY_ADDRESS, "user@example.com");
            found_network(damaged, "192.0.2.200");
            free(copy);
            free(exact);
        }
    }
    buffer_free(&buffer);
    arena_free(arena);
}

static void there_is_an_end(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct buffer image = { 0 };
    struct sender_entry *many = arena_alloc_array(arena, ENTRIES_MOST + 1, sizeof *many);
    for (size_t i = 0; i <= ENTRIES_MOST; i++)
        many[i] = (struct sender_entry){ .kind = ENTRY_DOMAIN, .what = arena_printf(arena, "d%zu.test", i) };
    assert_false(entry_image_write(many, ENTRIES_MOST + 1, &image));
    assert_true(entry_image_write(many, ENTRIES_MOST, &image));
    assert_int_equal(found(buffer_text(&image), ENTRY_DOMAIN, "d7777.test"), 1);
    assert_int_equal(found(buffer_text(&image), ENTRY_DOMAIN, "d10000.test"), 0);
    buffer_clear(&image);
    struct text longest = arena_printf(arena, "%0300d.test", 1);
    for (size_t i = 0; i < ENTRIES_MOST; i++) many[i].what = longest;
    assert_false(entry_image_write(many, ENTRIES_MOST, &image));
    assert_int_equal(buffer_length(&image), 0);
    buffer_free(&image);
    arena_free(arena);
}

static void of_the_configuration(void **state)
{
    (void)state;
    struct config *config =
        config_of_text(TEXT("hostname mx.example.test\nadmin a@example.test\nlisten 127.0.0.1:2525\n"
                            "domains on.test 127.0.0.1\nallow senders a.test \"b.test --to x@on.test\"\n"
                            "block { senders 192.0.2.0/24 }\nblock senders \"c@a.test --tag\"\n"),
                       false);
    struct entry_cursor cursor;
    struct sender_entry entry;
    entry_image_seek(config->entry_image, ENTRY_ADDRESS, TEXT("c@a.test"), &cursor);
    assert_true(entry_image_next(&cursor, &entry));
    assert_true(entry.is_configured && entry.number == 4 && entry.action == ACTION_TAG);
    assert_int_equal(found(config->entry_image, ENTRY_DOMAIN, "b.test"), 1);
    assert_int_equal(found_network(config->entry_image, "192.0.2.9"), 1);
    config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_read), cmocka_unit_test(an_image_finds),
                                        cmocka_unit_test(a_damaged_image), cmocka_unit_test(there_is_an_end),
                                        cmocka_unit_test(of_the_configuration) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
