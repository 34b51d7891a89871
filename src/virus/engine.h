/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* What a virus engine is: loaded once, then asked about runs of bytes. An engine that cannot look says so;
   "clean" is an answer it has to earn. */
#ifndef SEKIMORI_VIRUS_ENGINE_H
#define SEKIMORI_VIRUS_ENGINE_H

#include "judge/evidence.h"
#include "virus/seen_files.h"

enum { ENGINE_NAME_SIZE = 160 };

struct engine_result {
    enum scan_state
        state; /* SCAN_CLEAN, SCAN_FOUND, SCAN_LIMITS or SCAN_UNSCANNED; an engine knows no SCAN_CLOSED */
    char name[ENGINE_NAME_SIZE]; /* of what was found, of the limit, or why nothing can be said; printable
                                  * ASCII
                                  */
};

struct engine;

struct engine_calls {
    /* Looks at the bytes; never fails without saying so. Writes temporary files to the current folder. */
    void (*scan)(struct engine *engine, struct text bytes, struct engine_result *out);
    /* The same for a whole message as it came, read by the engine's own mail parser. */
    void (*scan_message)(struct engine *engine, struct text bytes, struct engine_result *out);
    void (*close)(struct engine *engine);
};

/* One folder of signatures that is loaded. */
struct engine_set {
    char name[32];       /* "builtin", "clamav", or what the configuration calls the second one */
    char version[80];    /* "daily 27500, main 62"; of loose files how many: "3 files" */
    uint32_t signatures; /* of it */
    int64_t newest_s;    /* when the newest of its files was written, seconds since 1970 */
    bool is_also;        /* the second one */
};
enum { ENGINE_SETS_MOST = 3 };

struct engine {
    const struct engine_calls *calls;
    char version[64];    /* "clamav 1.4.6" */
    uint32_t signatures; /* how many are loaded */
    int64_t newest_s;    /* when the newest fetched signature was written, seconds since 1970; 0: none was */
    char lacks[200];     /* why what it does not find may be infected all the same; empty: it has all */
    char refused[200];   /* why the second set is not loaded; empty: it is, or none is wanted */
    struct engine_set sets[ENGINE_SETS_MOST];
    uint32_t set_count;
    struct seen_files *seen; /* gets each file inside of what is scanned, as it is; NULL: nobody wants them */
    uint32_t time_ms; /* one scan ends after this by itself; a message gets twice as much. 0: no limit */
};

/* Takes the worse of two results: found, unscanned, limits, clean, in this order. */
void engine_result_merge(struct engine_result *into, const struct engine_result *from);

/* Sets a result; what is not printable ASCII in the text becomes "?". */
void engine_result_set(struct engine_result *out, enum scan_state state, struct text name);

#endif
