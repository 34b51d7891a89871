/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* Names in a tree, found by their whole path: a hash table by hand, since each scan fills and empties it. */
#include "virus/file_room.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/hash.h"
#include "virus/room_file.h"

enum {
    BUCKETS = 1024, /* a power of two */
    PLACES_MOST = 1 << 16
};

LIST_HEAD(bucket, room_place);
TAILQ_HEAD(children, room_place);
LIST_HEAD(walks, file_room_walk);

/* A file or a folder. */
struct room_place {
    LIST_ENTRY(room_place) in_bucket;
    TAILQ_ENTRY(room_place) sibling;
    struct room_place *within; /* NULL: of the room's own folder, which is in no list */
    struct children children;
    uint64_t hash;
    struct room_file *file; /* NULL: a folder */
    struct text path;       /* without "./"; its bytes stand behind */
};

struct file_room_walk {
    LIST_ENTRY(file_room_walk) open;
    struct room_place *folder; /* NULL: it is gone */
    struct room_place *next;
    struct dirent entry;
};

struct file_room {
    struct room_place root;
    struct bucket buckets[BUCKETS];
    struct walks walks;
    struct room_files files;
    pid_t owner;    /* whose descriptors they are */
    uint32_t count; /* places */
};

struct file_room *file_room_new(void)
{
    struct file_room *room = memory_alloc(sizeof *room);
    TAILQ_INIT(&room->root.children);
    room_files_init(&room->files);
    return room;
}

/* A child's descriptors are not its parent's. */
void file_room_begin(struct file_room *room)
{
    pid_t self = getpid();
    if (room->owner != self) room_files_forget_open(&room->files);
    room->owner = self;
}

/* --- paths --- */

/* True: `path` in its shortest form, without "." and empty names, stands in `out`; "" is the room itself.
   Else errno. */
static bool path_read(const char *path, char out[PATH_MAX], struct text *out_path)
{
    size_t length = 0;
    if (path[0] == '/') return errno = EXDEV, false;
    if (path[0] == '\0') return errno = ENOENT, false;
    while (*path) {
        size_t name = strcspn(path, "/");
        bool is_dot = name == 1 && path[0] == '.';
        if (name == 2 && path[0] == '.' && path[1] == '.') return errno = EXDEV, false;
        if (name > NAME_MAX || length + name + 2 > PATH_MAX) return errno = ENAMETOOLONG, false;
        if (name > 0 && !is_dot) {
            if (length > 0) out[length++] = '/';
            memcpy(out + length, path, name);
            length += name;
        }
        path += name;
        while (*path == '/') path++;
    }
    *out_path = text_from(out, length);
    return true;
}

static struct room_place *place_find(struct file_room *room, struct text path)
{
    struct room_place *place;
    uint64_t hash = hash_text(path);
    if (path.length == 0) return &room->root;
    LIST_FOREACH(place, &room->buckets[hash & (BUCKETS - 1)], in_bucket)
        if (place->hash == hash && text_equal(place->path, path)) return place;
    return NULL;
}

/* NULL with errno: there is none. */
static struct room_place *place_at(struct file_room *room, const char *path)
{
    char bytes[PATH_MAX];
    struct text read;
    if (!path_read(path, bytes, &read)) return NULL;
    struct room_place *place = place_find(room, read);
    if (!place) errno = ENOENT;
    return place;
}

static struct text last_name(struct text path)
{
    size_t slash = text_find_last_char(path, '/');
    return slash < path.length ? text_slice(path, slash + 1, path.length) : path;
}

/* --- places --- */

static struct room_place *folder_of(struct file_room *room, struct text path)
{
    size_t slash = text_find_last_char(path, '/');
    struct room_place *folder =
        place_find(room, slash < path.length ? text_slice(path, 0, slash) : TEXT_NONE);
    if (!folder) errno = ENOENT;
    if (folder && folder->file) errno = ENOTDIR;
    return folder && !folder->file ? folder : NULL;
}

/* NULL with errno. */
static struct room_place *place_add(struct file_room *room, struct text path)
{
    struct room_place *within = folder_of(room, path);
    if (!within) return NULL;
    if (room->count == PLACES_MOST) {
        room->files.was_short = true;
        errno = ENOSPC;
        return NULL;
    }
    struct room_place *place = memory_alloc(sizeof *place + path.length);
    *place = (struct room_place){ .within = within, .hash = hash_text(path) };
    place->path = text_from(memcpy(place + 1, path.at, path.length), path.length);
    TAILQ_INIT(&place->children);
    TAILQ_INSERT_HEAD(&within->children, place, sibling);
    LIST_INSERT_HEAD(&room->buckets[place->hash & (BUCKETS - 1)], place, in_bucket);
    room->count++;
    return place;
}

static void place_forget(struct file_room *room, struct room_place *place)
{
    struct file_room_walk *walk;
    LIST_FOREACH(walk, &room->walks, open) {
        if (walk->next == place) walk->next = TAILQ_NEXT(place, sibling);
        if (walk->folder == place) walk->folder = walk->next = NULL;
    }
    TAILQ_REMOVE(&place->within->children, place, sibling);
    LIST_REMOVE(place, in_bucket);
    room->count--;
    if (place->file) room_file_drop(&room->files, place->file);
    free(place);
}

/* --- files --- */

static int file_make(struct file_room *room, struct text path, int flags)
{
    struct room_place *place = place_add(room, path);
    if (!place) return -1;
    place->file = room_file_new(&room->files);
    int fd = room_file_open(&room->files, place->file, flags);
    if (fd >= 0) return fd;
    int error = errno;
    place_forget(room, place);
    errno = error;
    return -1;
}

int file_room_open(struct file_room *room, const char *path, int flags)
{
    char bytes[PATH_MAX];
    struct text read;
    if (!path_read(path, bytes, &read)) return -1;
    const struct room_place *place = place_find(room, read);
    if (!place && flags & O_CREAT) return file_make(room, read, flags);
    if (!place)
        errno = ENOENT;
    else if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        errno = EEXIST;
    else if (!place->file)
        errno = EISDIR;
    else
        return room_file_open(&room->files, place->file, flags);
    return -1;
}

int file_room_remove_file(struct file_room *room, const char *path)
{
    struct room_place *place = place_at(room, path);
    if (!place) return -1;
    if (!place->file) return errno = EISDIR, -1;
    place_forget(room, place);
    return 0;
}

/* --- folders --- */

int file_room_make_folder(struct file_room *room, const char *path)
{
    char bytes[PATH_MAX];
    struct text read;
    if (!path_read(path, bytes, &read)) return -1;
    if (place_find(room, read)) return errno = EEXIST, -1;
    return place_add(room, read) ? 0 : -1;
}

int file_room_remove_folder(struct file_room *room, const char *path)
{
    struct room_place *place = place_at(room, path);
    if (!place) return -1;
    if (place == &room->root) return errno = EBUSY, -1;
    if (place->file) return errno = ENOTDIR, -1;
    if (!TAILQ_EMPTY(&place->children)) return errno = ENOTEMPTY, -1;
    place_forget(room, place);
    return 0;
}

int file_room_find(struct file_room *room, const char *path)
{
    return place_at(room, path) ? 0 : -1;
}

int file_room_stat(struct file_room *room, const char *path, struct stat *out)
{
    const struct room_place *place = place_at(room, path);
    if (!place) return -1;
    if (place->file)
        room_file_stat(place->file, out);
    else
        *out = (struct stat){ .st_mode = S_IFDIR | 0700, .st_nlink = 2, .st_ino = 1 };
    return 0;
}

unsigned file_room_clear(struct file_room *room)
{
    unsigned count = room->count;
    while (room->count > 0) {
        struct room_place *place = TAILQ_FIRST(&room->root.children);
        while (!TAILQ_EMPTY(&place->children)) place = TAILQ_FIRST(&place->children);
        place_forget(room, place);
    }
    return count;
}

bool file_room_was_short(struct file_room *room)
{
    bool was_short = room->files.was_short;
    room->files.was_short = false;
    return was_short;
}

bool file_room_was_settled(struct file_room *room)
{
    bool was_settled = room->files.was_settled;
    room->files.was_settled = false;
    return was_settled;
}

struct room_files *file_room_files(struct file_room *room)
{
    return &room->files;
}

void file_room_free(struct file_room *room)
{
    file_room_clear(room);
    while (!LIST_EMPTY(&room->walks)) file_room_walk_close(LIST_FIRST(&room->walks));
    room_files_free(&room->files);
    free(room);
}

/* --- walks --- */

struct file_room_walk *file_room_walk_open(struct file_room *room, const char *path)
{
    struct room_place *place = place_at(room, path);
    if (place && place->file) errno = ENOTDIR;
    if (!place || place->file) return NULL;
    struct file_room_walk *walk = memory_alloc(sizeof *walk);
    walk->folder = place;
    LIST_INSERT_HEAD(&room->walks, walk, open);
    file_room_walk_rewind(walk);
    return walk;
}

void file_room_walk_rewind(struct file_room_walk *walk)
{
    walk->next = walk->folder ? TAILQ_FIRST(&walk->folder->children) : NULL;
}

const struct dirent *file_room_walk_next(struct file_room_walk *walk)
{
    const struct room_place *place = walk->next;
    if (!place) return NULL;
    struct text name = last_name(place->path);
    walk->next = TAILQ_NEXT(place, sibling);
    walk->entry.d_ino = 2;
    walk->entry.d_type = place->file ? DT_REG : DT_DIR;
    walk->entry.d_reclen = sizeof walk->entry;
    memcpy(walk->entry.d_name, name.at, name.length); /* path_read: no name is longer */
    walk->entry.d_name[name.length] = '\0';
    return &walk->entry;
}

void file_room_walk_close(struct file_room_walk *walk)
{
    LIST_REMOVE(walk, open);
    free(walk);
}

bool file_room_walks(const struct file_room *room, const void *walk)
{
    const struct file_room_walk *one;
    LIST_FOREACH(one, &room->walks, open)
        if (one == walk) return true;
    return false;
}
