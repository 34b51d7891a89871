/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The table of kinds. Groups are runs of it. */
#include "config/closed_kinds.h"

enum kind {
    ZIP = CLOSED_KINDS_UNKNOWN + 1,
    SEVENZIP,
    RAR,
    GZIP,
    BZIP2,
    XZ,
    LZMA,
    ZSTD,
    LZ4,
    LZOP,
    LZIP,
    COMPRESS,
    TAR,
    AR,
    CPIO,
    RPM,
    CAB,
    LHA,
    CMS,
    PGP,
    /* disk-images */
    ISO,
    FAT,
    NTFS,
    EXT,
    VHD,
    VHDX,
    VMDK,
    QCOW,
    VDI,
    /* file-systems */
    SQUASHFS,
    CRAMFS,
    ROMFS,
    WIM,
    /* rare-archives */
    KWAJ,
    ACE,
    ZOO,
    STUFFIT,
    LRZIP,
    RZIP,
    ZPAQ,
    SNAPPY,
    BZIP3,
    FREEARC,
    KINDS,
    DISK_IMAGES = CLOSED_KINDS_MOST - 3,
    FILE_SYSTEMS,
    RARE_ARCHIVES
};
_Static_assert((int)KINDS <= (int)DISK_IMAGES, "a set has a bit for each kind and each group");

const struct schema_choice closed_kinds[] = {
    { "zip", ZIP },
    { "7z", SEVENZIP },
    { "rar", RAR },
    { "gzip", GZIP },
    { "bzip2", BZIP2 },
    { "xz", XZ },
    { "lzma", LZMA },
    { "zstd", ZSTD },
    { "lz4", LZ4 },
    { "lzop", LZOP },
    { "lzip", LZIP },
    { "compress", COMPRESS },
    { "tar", TAR },
    { "ar", AR },
    { "cpio", CPIO },
    { "rpm", RPM },
    { "cab", CAB },
    { "lha", LHA },
    { "cms", CMS },
    { "pgp", PGP },
    { "iso9660", ISO },
    { "fat-image", FAT },
    { "ntfs-image", NTFS },
    { "ext-image", EXT },
    { "vhd", VHD },
    { "vhdx", VHDX },
    { "vmdk", VMDK },
    { "qcow2", QCOW },
    { "vdi", VDI },
    { "squashfs", SQUASHFS },
    { "cramfs", CRAMFS },
    { "romfs", ROMFS },
    { "wim", WIM },
    { "kwaj", KWAJ },
    { "ace", ACE },
    { "zoo", ZOO },
    { "stuffit", STUFFIT },
    { "lrzip", LRZIP },
    { "rzip", RZIP },
    { "zpaq", ZPAQ },
    { "snappy", SNAPPY },
    { "bzip3", BZIP3 },
    { "freearc", FREEARC },
    { "disk-images", DISK_IMAGES },
    { "file-systems", FILE_SYSTEMS },
    { "rare-archives", RARE_ARCHIVES },
    { NULL, 0 },
};

unsigned closed_kinds_number(struct text finding)
{
    struct text name = text_slice(finding, 0, text_find_char(finding, ':'));
    for (const struct schema_choice *kind = closed_kinds; kind->word && kind->value < KINDS; kind++)
        if (text_equal(name, text_of(kind->word))) return (unsigned)kind->value;
    return CLOSED_KINDS_UNKNOWN;
}

const char *closed_kinds_name(unsigned number)
{
    for (const struct schema_choice *kind = closed_kinds; kind->word && kind->value < KINDS; kind++)
        if ((unsigned)kind->value == number) return kind->word;
    return "unknown";
}

/* Bits from `first` to before `end`. */
static uint64_t run_of(enum kind first, enum kind end)
{
    return (UINT64_C(1) << end) - (UINT64_C(1) << first);
}

uint64_t closed_kinds_of_group(unsigned number)
{
    switch (number) {
    case DISK_IMAGES:
        return run_of(ISO, SQUASHFS);
    case FILE_SYSTEMS:
        return run_of(SQUASHFS, KWAJ);
    case RARE_ARCHIVES:
        return run_of(KWAJ, KINDS);
    default:
        return 0;
    }
}

/* The bit of the only group that has the kind; 0: none has it. */
static uint64_t group_bit(unsigned number)
{
    for (unsigned group = DISK_IMAGES; group <= RARE_ARCHIVES; group++)
        if (closed_kinds_of_group(group) >> number & 1) return UINT64_C(1) << group;
    return 0;
}

/* The action whose set has one of the bits. False: none has. */
static bool action_find(const uint64_t sets[ACTION_DEFER + 1], uint64_t bits, enum action *out)
{
    for (unsigned action = 0; action <= ACTION_DEFER; action++) {
        if (!(sets[action] & bits)) continue;
        *out = action;
        return true;
    }
    return false;
}

static bool kind_find(const uint64_t sets[ACTION_DEFER + 1], unsigned number, enum action *out)
{
    return action_find(sets, UINT64_C(1) << number, out) || action_find(sets, group_bit(number), out);
}

enum action closed_kinds_action(const struct config *config, unsigned number, enum direction direction)
{
    enum action action, out = config->virus.found_out[VIRUS_CLASS_NOT_OPENED];
    bool is_out = direction == DIRECTION_OUT;
    if (is_out && kind_find(config->virus.kinds_out, number, &action)) return action;
    if (is_out && (int)out != ACTION_AS_INBOUND) return out;
    if (kind_find(config->virus.kinds, number, &action)) return action;
    return config->virus.found[VIRUS_CLASS_NOT_OPENED];
}

bool closed_kinds_warns(const struct config *config, unsigned number)
{
    return closed_kinds_action(config, number, DIRECTION_IN) == ACTION_TAG ||
           closed_kinds_action(config, number, DIRECTION_OUT) == ACTION_TAG;
}

struct text closed_kinds_list(struct arena *arena, uint64_t kinds)
{
    struct text list = TEXT_NONE;
    int left = CLOSED_KINDS_LISTED;
    for (unsigned number = 0; number < KINDS && left > 0; number++) {
        if (!(kinds >> number & 1)) continue;
        list = arena_printf(arena, "%.*s%s%s", TEXT_ARG(list), list.length ? "," : "",
                            closed_kinds_name(number));
        left--;
    }
    return list;
}
