/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Facts that the build told (build_setting.h, build_commit.h, made by meson), that the compiler tells by its
   macros, and that this running program tells of itself. */
#include "base/build_facts.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdio.h>

#include "base/build_commit.h"
#include "base/build_setting.h"
#include "base/json_text.h"

/* --- libraries --- */

enum library_voice {
    VOICE_PLAIN,   /* const char *(void) */
    VOICE_OPENSSL, /* const char *(int), which wants the number of the thing */
    VOICE_SECCOMP  /* a struct of three numbers */
};

static const struct library {
    const char *name, *file, *built, *symbol;
    enum library_voice voice;
} libraries[] = {
    { "OpenSSL", LIBRARY_OPENSSL, "OpenSSL_version", VOICE_OPENSSL },
    { "libevent", LIBRARY_LIBEVENT, "event_get_version", VOICE_PLAIN },
    { "libseccomp", LIBRARY_SECCOMP, "seccomp_version", VOICE_SECCOMP },
    { "SQLite", LIBRARY_SQLITE, "sqlite3_libversion", VOICE_PLAIN },
    { "libclamav", LIBRARY_CLAMAV, "cl_retver", VOICE_PLAIN },
    { "libunbound", LIBRARY_UNBOUND, "ub_version", VOICE_PLAIN },
    { "zstd", LIBRARY_ZSTD, "ZSTD_versionString", VOICE_PLAIN },
    { "jansson", LIBRARY_JANSSON, "jansson_version_str", VOICE_PLAIN },
    { "libmaxminddb", LIBRARY_MAXMINDDB, "MMDB_lib_version", VOICE_PLAIN },
};
enum { LIBRARIES = sizeof libraries / sizeof *libraries, VERSION_SIZE = 64 };

static void voice_hear(void *symbol, enum library_voice voice, char room[VERSION_SIZE])
{
    enum { OPENSSL_JUST_THE_VERSION = 6 }; /* OPENSSL_VERSION_STRING */
    const struct seccomp_numbers {
        unsigned major, minor, micro;
    } * numbers;
    switch (voice) {
    case VOICE_PLAIN:
        snprintf(room, VERSION_SIZE, "%s", ((const char *(*)(void))symbol)());
        return;
    case VOICE_OPENSSL:
        snprintf(room, VERSION_SIZE, "%s", ((const char *(*)(int))symbol)(OPENSSL_JUST_THE_VERSION));
        return;
    case VOICE_SECCOMP:
        numbers = ((const struct seccomp_numbers *(*)(void))symbol)();
        snprintf(room, VERSION_SIZE, "%u.%u.%u", numbers->major, numbers->minor, numbers->micro);
        return;
    }
}

/* The version of what the loader finds now; empty: nothing is found. */
static const char *version_running(const struct library *library, char room[VERSION_SIZE])
{
    void *loaded = dlopen(library->file, RTLD_LAZY | RTLD_LOCAL);
    void *symbol = loaded ? dlsym(loaded, library->symbol) : NULL;
    room[0] = '\0';
    if (symbol) voice_hear(symbol, library->voice, room);
    return room; /* it stays loaded: some libraries do not bear to be taken out */
}

/* --- this program --- */

/* A flag of DT_FLAGS_1, which the linker sets. */
static bool has_link_flag(uint64_t flag)
{
    for (const ElfW(Dyn) *entry = _DYNAMIC; entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == DT_FLAGS_1 && (entry->d_un.d_val & flag)) return true;
    return false;
}

/* Of the program itself, which is the first object. */
static int relro_look(struct dl_phdr_info *object, size_t size, void *context)
{
    for (int i = 0; i < object->dlpi_phnum; i++)
        if (object->dlpi_phdr[i].p_type == PT_GNU_RELRO) *(bool *)context = true;
    return 1;
}

static bool has_relro(void)
{
    bool has = false;
    dl_iterate_phdr(relro_look, &has);
    return has;
}

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif
#ifdef __SSP_STRONG__
#define HAS_STACK_PROTECTOR true
#else
#define HAS_STACK_PROTECTOR false
#endif
#if defined _FORTIFY_SOURCE && _FORTIFY_SOURCE > 0
#define HAS_FORTIFY true
#else
#define HAS_FORTIFY false
#endif
#ifdef __CET__
#define HAS_CONTROL_FLOW true
#else
#define HAS_CONTROL_FLOW false
#endif
#ifdef __OPTIMIZE__
#define IS_OPTIMIZED true
#else
#define IS_OPTIMIZED false
#endif
#ifdef __SANITIZE_ADDRESS__
#define HAS_SANITIZERS true
#else
#define HAS_SANITIZERS false
#endif
#ifdef SEKIMORI_JAIL_PROBE
#define HAS_JAIL_PROBE true
#else
#define HAS_JAIL_PROBE false
#endif

enum { HARDENINGS = 6, FEATURES = 3 };

struct property {
    const char *name;
    bool has;
};

static void hardening_list(struct property out[HARDENINGS])
{
    out[0] = (struct property){ "pie", has_link_flag(DF_1_PIE) };
    out[1] = (struct property){ "stack-protector", HAS_STACK_PROTECTOR };
    out[2] = (struct property){ "fortify", HAS_FORTIFY };
    out[3] = (struct property){ "relro", has_relro() };
    out[4] = (struct property){ "bind-now", has_link_flag(DF_1_NOW) };
    out[5] = (struct property){ "control-flow", HAS_CONTROL_FLOW };
}

static const struct property features[FEATURES] = {
    { "optimized", IS_OPTIMIZED },
    { "sanitizers", HAS_SANITIZERS },
    { "jail-probe", HAS_JAIL_PROBE },
};

/* --- printing --- */

static void line_print(struct buffer *out, const char *name, const char *value)
{
    buffer_printf(out, "  %-13s %s\n", name, *value ? value : "-");
}

static void properties_print(struct buffer *out, const char *name, const struct property *list, size_t count)
{
    size_t said = 0;
    buffer_printf(out, "  %-13s ", name);
    for (size_t i = 0; i < count; i++)
        if (list[i].has) buffer_printf(out, "%s%s", said++ ? ", " : "", list[i].name);
    buffer_add_text(out, said ? TEXT("\n") : TEXT("-\n"));
}

static void lines_print(const struct property hardening[HARDENINGS], struct buffer *out)
{
    char room[VERSION_SIZE];
    line_print(out, "commit", SEKIMORI_COMMIT);
    line_print(out, "compiler", COMPILER);
    line_print(out, "build type", SEKIMORI_BUILD_TYPE);
    properties_print(out, "hardening", hardening, HARDENINGS);
    properties_print(out, "features", features, FEATURES);
    for (const struct library *library = libraries; library < libraries + LIBRARIES; library++) {
        version_running(library, room);
        buffer_printf(out,
                      *room ? "  %-13s built with %s, running %s\n" : "  %-13s built with %s, not found\n",
                      library->name, library->built, room);
    }
}

static void member_add(struct buffer *out, const char *name, const char *value)
{
    json_text_add(out, text_of(name));
    buffer_add_char(out, ':');
    json_text_add(out, text_of(value));
}

static void members_add(struct buffer *out, const char *name, const struct property *list, size_t count)
{
    buffer_printf(out, ",\"%s\":{", name);
    for (size_t i = 0; i < count; i++)
        buffer_printf(out, "%s\"%s\":%s", i ? "," : "", list[i].name, list[i].has ? "true" : "false");
    buffer_add_char(out, '}');
}

static void json_print(const char *program, const struct property hardening[HARDENINGS], struct buffer *out)
{
    char room[VERSION_SIZE];
    const char *const members[][2] = { { "program", program },
                                       { "version", SEKIMORI_VERSION },
                                       { "commit", SEKIMORI_COMMIT },
                                       { "compiler", COMPILER },
                                       { "build_type", SEKIMORI_BUILD_TYPE } };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        buffer_add_char(out, i ? ',' : '{');
        member_add(out, members[i][0], members[i][1]);
    }
    members_add(out, "hardening", hardening, HARDENINGS);
    members_add(out, "features", features, FEATURES);
    buffer_add_text(out, TEXT(",\"libraries\":{"));
    for (size_t i = 0; i < LIBRARIES; i++) {
        buffer_printf(out, "%s\"%s\":{", i ? "," : "", libraries[i].name);
        member_add(out, "built", libraries[i].built);
        buffer_add_char(out, ',');
        member_add(out, "running", version_running(&libraries[i], room));
        buffer_add_char(out, '}');
    }
    buffer_add_text(out, TEXT("}}\n"));
}

void build_facts_print(const char *program, bool as_json, struct buffer *out)
{
    struct property hardening[HARDENINGS];
    hardening_list(hardening);
    if (as_json) {
        json_print(program, hardening, out);
        return;
    }
    buffer_printf(out, "%s %s\n", program, SEKIMORI_VERSION);
    lines_print(hardening, out);
}
