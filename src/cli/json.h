/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* JSON for everything the command lists: values are built, printed to stdout and released. */
#ifndef SEKIMORI_CLI_JSON_H
#define SEKIMORI_CLI_JSON_H

#include <stdio.h>

#include "base/text.h"

/* An object, an array or a plain value. Adding one to another gives it away. */
struct json;

struct json *json_new_object(void);
struct json *json_new_array(void);

/* Members of an object. Texts that are not UTF-8 have their bad bytes replaced by U+FFFD. */
void json_set(struct json *object, const char *key, struct json *value);
void json_set_text(struct json *object, const char *key, struct text value);
void json_set_string(struct json *object, const char *key, const char *value); /* NULL: null */
void json_set_number(struct json *object, const char *key, int64_t value);
void json_set_real(struct json *object, const char *key, double value);
void json_set_bool(struct json *object, const char *key, bool value);

/* Elements of an array. */
void json_add(struct json *array, struct json *value);
void json_add_text(struct json *array, struct text value);
void json_add_number(struct json *array, int64_t value);

/* Writes the value and a line end, members in the order they were set, then releases it.
   `pretty`: indented by two, else on one line. */
void json_print(struct json *value, FILE *to, bool pretty);

#endif
