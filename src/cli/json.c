/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The only file that knows jansson. A struct json is a json_t under our own name, so that nothing
   else depends on the library. Running out of memory ends the command. */
#include "cli/json.h"

#include <jansson.h>

#include "base/buffer.h"
#include "base/die.h"

static json_t *inner(struct json *value)
{
    return (json_t *)value;
}

static struct json *outer(json_t *value)
{
    if (!value) die("no memory for JSON");
    return (struct json *)value;
}

struct json *json_object(void)
{
    return outer((json_object)());
}

struct json *json_array(void)
{
    return outer((json_array)());
}
