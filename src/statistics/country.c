/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The only file that knows libmaxminddb. */
#include "statistics/country.h"

#include <maxminddb.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/arena.h"

struct country_file {
    MMDB_s database;
};

struct country_file *country_open(const char *path, const char **out_why)
{
    struct country_file *file = memory_alloc(sizeof *file);
    int status = MMDB_open(path, MMDB_MODE_MMAP, &file->database);
    if (status == MMDB_SUCCESS) return file;
    *out_why = MMDB_strerror(status);
    free(file);
    return NULL;
}

void country_close(struct country_file *file)
{
    if (!file) return;
    MMDB_close(&file->database);
    free(file);
}

bool country_find(const struct country_file *file, struct text address, char out[COUNTRY_SIZE])
{
    struct endpoint endpoint = { 0 };
    struct sockaddr_storage socket_address;
    int status;
    if (!file || !address_parse(address, &endpoint.address)) return false;
    endpoint_to_sockaddr(&endpoint, &socket_address);
    MMDB_lookup_result_s found =
        MMDB_lookup_sockaddr(&file->database, (const struct sockaddr *)&socket_address, &status);
    if (status != MMDB_SUCCESS || !found.found_entry) return false;
    MMDB_entry_data_s data;
    status = MMDB_get_value(&found.entry, &data, "country", "iso_code", NULL);
    if (status != MMDB_SUCCESS || !data.has_data || data.type != MMDB_DATA_TYPE_UTF8_STRING ||
        data.data_size != 2)
        return false;
    memcpy(out, data.utf8_string, 2);
    out[2] = '\0';
    return true;
}
