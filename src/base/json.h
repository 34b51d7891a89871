/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* JSON: values are built, printed and released, or read out of what others wrote. */
#ifndef SEKIMORI_BASE_JSON_H
#define SEKIMORI_BASE_JSON_H

#include <stdio.h>

#include "base/buffer.h"

/* An object, an array or a plain value. Adding one to another gives it away. */
struct json;

/* Never NULL: without memory the process ends. The caller's until it is added or printed; else json_free. */
struct json *json_new_object(void);
struct json *json_new_array(void);

/* Members of an object. Texts that are not UTF-8 have their bad bytes replaced by U+FFFD. */
void json_set(struct json *object, const char *key, struct json *value);
void json_set_text(struct json *object, const char *key, struct text value);
void json_set_string(struct json *object, const char *key, const char *value); /* NULL: null */
void json_set_number(struct json *object, const char *key, int64_t value);
/* A NaN or an infinity, which JSON has no word for, ends the process. */
void json_set_real(struct json *object, const char *key, double value);
void json_set_bool(struct json *object, const char *key, bool value);

/* Elements of an array. */
void json_add(struct json *array, struct json *value);
void json_add_text(struct json *array, struct text value);
void json_add_number(struct json *array, int64_t value);

/* Writes the value and a line end, members in the order they were set, then releases it.
   `pretty`: indented by two, else on one line. */
void json_print(struct json *value, FILE *to, bool pretty);

/* Before the jail of a process that reads objects and opens no file: the library takes a seed from the kernel
   for the tables of all that follow. */
void json_prepare(void);

/* Reading, for answers of the control socket and of a peer's: the caller bounds the bytes; 2,048 values in
   one another is the most. Missing members give NULL, 0, "" or an empty walk. */
struct json *json_parse(struct text text); /* NULL when it is not JSON; free with json_free */
void json_free(struct json *value);        /* NULL is allowed */
const struct json *json_get(const struct json *object, const char *key);
const char *json_get_string(const struct json *object, const char *key);
int64_t json_get_number(const struct json *object, const char *key); /* 0 also for what is no integer */
/* A number with or without a fraction, always finite. False: there is none of that name. */
bool json_get_real(const struct json *object, const char *key, double *out);
struct text json_as_text(const struct json *value); /* of a string, borrowed; empty when it is none */
/* Of an array; what is none has 0 elements. json_at borrows; NULL beyond the end. */
size_t json_count(const struct json *array);
const struct json *json_at(const struct json *array, size_t index);

/* Appends a string, a number, true or false as a person reads it; of anything else nothing. */
void json_value_print(const struct json *value, struct buffer *out);

/* Walks over an object's members. `at` is where the walk is; NULL: it is over. */
void *json_first(const struct json *object, const char **out_key, const struct json **out_value);
void *json_next(const struct json *object, void *at, const char **out_key, const struct json **out_value);

#endif
