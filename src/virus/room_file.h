/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The bytes of a room's files, and what is open of them. A file is memory as long as it is small and nothing
   is asked that only a kernel can answer: then its descriptors are numbers behind which the kernel has
   nothing to read or write. Settled, it is a file of the current folder, under a number, and so are its
   descriptors. */
#ifndef SEKIMORI_VIRUS_ROOM_FILE_H
#define SEKIMORI_VIRUS_ROOM_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <sys/types.h>

enum {
    ROOM_FILE_MOST = 256 << 10, /* bytes of one in memory */
    ROOM_FILES_MOST = 4 << 20,  /* bytes of all in memory */
    ROOM_OPEN_MOST = 16,        /* descriptors of files in memory */
    ROOM_FILES_KEPT = 8         /* memory of that many ended files is used again */
};

struct room_file {
    SLIST_ENTRY(room_file) kept;
    unsigned users; /* its name, and descriptors of it in memory */
    char *bytes;
    size_t length, capacity;
    bool is_settled;
    uint32_t number; /* then: its name in the file system */
};

/* A descriptor. */
struct room_open {
    int fd;                 /* -1: there is none yet */
    struct room_file *file; /* NULL: not in use */
    size_t at;
    int access; /* O_RDONLY, O_WRONLY, O_RDWR */
    bool is_settled;
};

struct room_files {
    struct room_open open[ROOM_OPEN_MOST];
    SLIST_HEAD(, room_file) kept;
    unsigned kept_count;
    size_t bytes; /* of all files in memory */
    uint32_t numbers;
    bool was_short;   /* something could not be made */
    bool was_settled; /* some file is, or was, one of the file system */
};

void room_files_init(struct room_files *files); /* there is none */
void room_files_free(struct room_files *files); /* none has a name any more */

/* Of a process that was forked: its parent's descriptors are none of its own. */
void room_files_forget_open(struct room_files *files);

/* An empty file with one user: its name. */
struct room_file *room_file_new(struct room_files *files);

/* Its name is gone; what is open of it stays what it is. */
void room_file_drop(struct room_files *files, struct room_file *file);

/* The file is one of the file system from now on. False: it could not be made (was_short). */
bool room_file_settle(struct room_files *files, struct room_file *file);

/* As stat(2), of a file that is there: one that could not be made when it settled is empty. */
void room_file_stat(const struct room_file *file, struct stat *out);

/* As open(2) of what is there, with O_TRUNC or without; the descriptor, or -1 and errno. */
int room_file_open(struct room_files *files, struct room_file *file, int flags);

/* Of a file in memory; NULL: the number is the kernel's. */
struct room_open *room_files_find(struct room_files *files, int fd);

/* For close: the same where it is settled, too, or where the number waits for a file in memory (`file` is
   NULL): then it is no descriptor, as far as the library knows. */
struct room_open *room_files_place(struct room_files *files, int fd);

/* So many bytes can be written there in memory. */
bool room_open_has_room(const struct room_files *files, const struct room_open *open, size_t size);

/* As read(2), pread, write and lseek do, with their errors, and close below. */
ssize_t room_open_read(struct room_open *open, void *out, size_t size);
ssize_t room_open_read_at(const struct room_open *open, void *out, size_t size, off_t at);
ssize_t room_open_write(struct room_files *files, struct room_open *open, const void *bytes, size_t size);
off_t room_open_seek(struct room_open *open, off_t by, int from);
/* The number waits for the next one, or is the kernel's again. */
int room_open_close(struct room_files *files, struct room_open *open);

#endif
