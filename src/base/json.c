/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The only file that knows jansson. A struct json is a json_t under our own name, so that nothing
   else depends on the library. Running out of memory ends the process. */
#include "base/json.h"

#include <jansson.h>

#include "base/buffer.h"
#include "base/die.h"
#include "base/utf8.h"

static json_t *inner(struct json *value)
{
    return (json_t *)value;
}

static struct json *outer(json_t *value)
{
    if (!value) die("no memory for JSON");
    return (struct json *)value;
}

struct json *json_new_object(void)
{
    return outer(json_object());
}

struct json *json_new_array(void)
{
    return outer(json_array());
}

static json_t *text_value(struct text text)
{
    json_t *value = json_stringn(text.at ? text.at : "", text.length);
    if (value) return value;
    struct buffer clean = { 0 };
    while (text.length > 0) {
        size_t length = utf8_sequence(text);
        if (length == 0)
            buffer_add(&clean, "\xef\xbf\xbd", 3);
        else
            buffer_add(&clean, text.at, length);
        text = text_slice(text, length ? length : 1, text.length);
    }
    value = json_stringn(buffer_text(&clean).at, buffer_length(&clean));
    buffer_free(&clean);
    return value;
}

static void set(struct json *object, const char *key, json_t *value)
{
    if (!value || json_object_set_new(inner(object), key, value) != 0) die("cannot set JSON member %s", key);
}

void json_set(struct json *object, const char *key, struct json *value)
{
    set(object, key, inner(value));
}

void json_set_text(struct json *object, const char *key, struct text value)
{
    set(object, key, text_value(value));
}

void json_set_string(struct json *object, const char *key, const char *value)
{
    set(object, key, value ? text_value(text_of(value)) : json_null());
}

void json_set_number(struct json *object, const char *key, int64_t value)
{
    set(object, key, json_integer(value));
}

void json_set_real(struct json *object, const char *key, double value)
{
    set(object, key, json_real(value));
}

void json_set_bool(struct json *object, const char *key, bool value)
{
    set(object, key, json_boolean(value));
}

static void append(struct json *array, json_t *value)
{
    if (!value || json_array_append_new(inner(array), value) != 0) die("cannot add to a JSON array");
}

void json_add(struct json *array, struct json *value)
{
    append(array, inner(value));
}

void json_add_text(struct json *array, struct text value)
{
    append(array, text_value(value));
}

void json_add_number(struct json *array, int64_t value)
{
    append(array, json_integer(value));
}

void json_print(struct json *value, FILE *to, bool pretty)
{
    size_t flags = JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(15) | (pretty ? JSON_INDENT(2) : JSON_COMPACT);
    json_dumpf(inner(value), to, flags | JSON_ENCODE_ANY);
    fputc('\n', to);
    json_decref(inner(value));
}

void json_prepare(void)
{
    json_object_seed(0);
}

struct json *json_parse(struct text text)
{
    return (struct json *)json_loadb(text.at ? text.at : "", text.length, JSON_ALLOW_NUL, NULL);
}

void json_free(struct json *value)
{
    json_decref(inner(value));
}

static const json_t *inner_const(const struct json *value)
{
    return (const json_t *)(const void *)value;
}

const struct json *json_get(const struct json *object, const char *key)
{
    return (const struct json *)(const void *)json_object_get(inner_const(object), key);
}

const char *json_get_string(const struct json *object, const char *key)
{
    const char *value = json_string_value(inner_const(json_get(object, key)));
    return value ? value : "";
}

int64_t json_get_number(const struct json *object, const char *key)
{
    return json_integer_value(inner_const(json_get(object, key)));
}

bool json_get_real(const struct json *object, const char *key, double *out)
{
    const json_t *value = inner_const(json_get(object, key));
    if (!json_is_number(value)) return false;
    *out = json_number_value(value);
    return true;
}

struct text json_as_text(const struct json *value)
{
    const json_t *string = (const json_t *)value;
    return json_is_string(string) ? text_from(json_string_value(string), json_string_length(string))
                                  : TEXT_NONE;
}

size_t json_count(const struct json *array)
{
    return json_array_size(inner_const(array));
}

const struct json *json_at(const struct json *array, size_t index)
{
    return (const struct json *)(const void *)json_array_get(inner_const(array), index);
}

void json_value_print(const struct json *value, struct buffer *out)
{
    const json_t *known = inner_const(value);
    if (json_is_string(known))
        buffer_add_text(out, json_as_text(value));
    else if (json_is_integer(known))
        buffer_printf(out, "%lld", (long long)json_integer_value(known));
    else if (json_is_real(known))
        buffer_printf(out, "%g", json_real_value(known));
    else if (json_is_boolean(known))
        buffer_add_text(out, json_is_true(known) ? TEXT("true") : TEXT("false"));
}

static void *member(void *at, const char **out_key, const struct json **out_value)
{
    if (!at) return NULL;
    *out_key = json_object_iter_key(at);
    *out_value = (const struct json *)(const void *)json_object_iter_value(at);
    return at;
}

void *json_first(const struct json *object, const char **out_key, const struct json **out_value)
{
    return member(json_object_iter((json_t *)object), out_key, out_value);
}

void *json_next(const struct json *object, void *at, const char **out_key, const struct json **out_value)
{
    return member(json_object_iter_next((json_t *)object, at), out_key, out_value);
}
