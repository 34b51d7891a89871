/* SPDX-License-Identifier: GPL-2.0-or-later WITH OpenSSL-Exception */
/* The parse verb: the tree of parts, every finding, and on demand every reading, as text or as JSON. */
#include "cli/testtools/show_message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/json.h"
#include "base/log.h"
#include "cli/options.h"
#include "mail/digest.h"
#include "mail/encoded_word.h"
#include "mail/reading.h"

static const char HELP[] =
    "usage: sekimori parse [--json] [--readings] FILE|-\n"
    "\n"
    "Shows a message as the gateway understands it: the tree of its parts, each with type,\n"
    "name, charset, transfer encoding, size and SHA-256 of its decoded bytes, and everything\n"
    "that departs from the standards. A finding marked ? has the message read in every other\n"
    "way a mail program may read it; one marked ! cannot be read in every way there is; one\n"
    "marked # is a limit that was reached. The last line says what follows: a message is\n"
    "ambiguous, and `virus ambiguous` due, when a file is in it that programs may disagree\n"
    "about, never when every reading is text or HTML.\n"
    "\n"
    "  --json        as JSON\n"
    "  --readings    also every run of bytes that the virus engines are given\n"
    "  --help        this text\n"
    "\n"
    "Exit status: 0, 64 usage, 65 the input is no message, 66 it cannot be read.\n";

enum { PATH_SIZE = 512, SHOWN_SIZE = 1024 };

struct shown {
    struct arena *arena;
    struct mime *mime;
    uint32_t *ordinals; /* of each part among its siblings, from 1 */
    bool json, readings;
    bool is_ambiguous; /* known once the readings were walked */
};

static bool read_all(const char *path, struct buffer *out)
{
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t count;
    while ((count = read(fd, buffer_reserve(out, 1 << 16), 1 << 16)) != 0) {
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) break;
        buffer_commit(out, (size_t)count);
    }
    int error = errno;
    if (fd != STDIN_FILENO) close(fd);
    errno = error;
    return count == 0;
}

/* "1.2.3": the way to the part; the message itself is "1". */
static const char *part_path(const struct shown *shown, uint32_t index, char room[PATH_SIZE])
{
    uint32_t ordinals[PATH_SIZE / 4];
    size_t depth = 0, length = 0;
    for (; index != MIME_NO_PARENT && depth < PATH_SIZE / 4; index = shown->mime->parts[index].parent)
        ordinals[depth++] = shown->ordinals[index];
    room[0] = '\0';
    while (depth > 0 && length + 12 < PATH_SIZE)
        length +=
            (size_t)snprintf(room + length, PATH_SIZE - length, length ? ".%u" : "%u", ordinals[--depth]);
    return room;
}

static void number_parts(struct shown *shown)
{
    const struct mime *mime = shown->mime;
    uint32_t *given = arena_alloc_array(shown->arena, mime->count, sizeof *given);
    shown->ordinals = arena_alloc_array(shown->arena, mime->count, sizeof *shown->ordinals);
    for (size_t i = 0; i < mime->count; i++) {
        uint32_t parent = mime->parts[i].parent;
        shown->ordinals[i] = parent == MIME_NO_PARENT ? 1 : ++given[parent];
    }
}

static char finding_mark(enum finding finding)
{
    static const char marks[CONSEQUENCE_COUNT] = { [CONSEQUENCE_NONE] = ' ',
                                                   [CONSEQUENCE_LOOK] = '~',
                                                   [CONSEQUENCE_READ] = '?',
                                                   [CONSEQUENCE_HOLD] = '!',
                                                   [CONSEQUENCE_LIMIT] = '#' };
    return marks[finding_consequence(finding)];
}

static struct text field_text(struct shown *shown, enum header_id id)
{
    const struct header_field *field = header_find(shown->mime->parts[0].header, id);
    if (!field) return TEXT_NONE;
    return word_decode_in(shown->arena, field->value, shown->mime->declared, &shown->mime->parts[0].findings);
}

static void print_field(struct shown *shown, const char *label, enum header_id id)
{
    char room[SHOWN_SIZE];
    struct text value = field_text(shown, id);
    if (value.length) printf("%-9s %s\n", label, log_escape(value, room, sizeof room));
}

static void print_findings(const struct finding_set *findings, const char *indent)
{
    for (int i = 0; i < FINDING_COUNT; i++)
        if (finding_has(findings, (enum finding)i))
            printf("%s%c %s\n", indent, finding_mark((enum finding)i), finding_name((enum finding)i));
}

static void print_part(struct shown *shown, uint32_t index, struct buffer *room)
{
    const struct mime_part *part = &shown->mime->parts[index];
    char path[PATH_SIZE], hex[DIGEST_HEX_SIZE], text[SHOWN_SIZE];
    printf("%*s%s %s", (int)part->depth * 2, "", part_path(shown, index, path),
           log_escape(part->type, text, sizeof text));
    if (part->name.length) printf(" name=\"%s\"", log_escape(part->name, text, sizeof text));
    if (part->charset.length) printf(" charset=%s", log_escape(part->charset, text, sizeof text));
    if (part->kind != MIME_LEAF) {
        printf(" %zu bytes\n", part->body.length);
        return;
    }
    struct text bytes = mime_decode(part, room, NULL);
    printf(" %s", mime_encoding_name(part->encoding));
    if (part->encoding == MIME_UNKNOWN_ENCODING)
        printf(" (%s)", log_escape(part->encoding_text, text, sizeof text));
    printf(" %zu bytes %s\n", bytes.length, digest_sha256_hex(bytes, hex));
}

static void print_readings(struct shown *shown)
{
    static const char *const kinds[] = { "part", "alternative", "carved" };
    struct reading_list *list = reading_open(shown->arena, shown->mime);
    struct reading reading;
    char hex[DIGEST_HEX_SIZE];
    if (shown->readings) puts("\nreadings");
    while (reading_next(list, &reading))
        if (shown->readings)
            printf("  %-11s %-16s at %zu, %zu bytes %s\n", kinds[reading.kind], reading.how, reading.offset,
                   reading.bytes.length, digest_sha256_hex(reading.bytes, hex));
    shown->is_ambiguous = reading_is_ambiguous(list);
    reading_close(list);
}

static const char *conclusion(const struct shown *shown)
{
    if (shown->is_ambiguous) return "ambiguous: programs may disagree about a file";
    if (finding_set_is_doubtful(&shown->mime->findings)) return "read in every way; no file is in doubt";
    return "every program agrees";
}

static void print_text(struct shown *shown)
{
    const struct mime *mime = shown->mime;
    struct buffer room = { 0 };
    char path[PATH_SIZE], indent[64];
    print_field(shown, "from", HEADER_FROM);
    print_field(shown, "to", HEADER_TO);
    print_field(shown, "date", HEADER_DATE);
    print_field(shown, "subject", HEADER_SUBJECT);
    printf("%-9s %zu\n\n", "bytes", mime->message.length);
    print_readings(shown);
    if (shown->readings) putchar('\n');
    for (uint32_t i = 0; i < mime->count; i++) {
        print_part(shown, i, &room);
        snprintf(indent, sizeof indent, "%*s",
                 (int)(mime->parts[i].depth < 20 ? mime->parts[i].depth * 2 + 4 : 44), "");
        print_findings(&mime->parts[i].findings, indent);
    }
    if (mime->note_count) puts("\nwhere");
    for (size_t i = 0; i < mime->note_count; i++)
        printf("  %c %s part %s at %zu\n", finding_mark(mime->notes[i].finding),
               finding_name(mime->notes[i].finding), part_path(shown, mime->notes[i].part, path),
               mime->notes[i].offset);
    bool is_cut = finding_set_calls_for(&mime->findings, CONSEQUENCE_LIMIT);
    printf("\n%s%s\n", conclusion(shown), is_cut ? "; a limit was reached" : "");
    buffer_free(&room);
}

static struct json *json_findings(const struct finding_set *findings)
{
    struct json *array = json_new_array();
    for (int i = 0; i < FINDING_COUNT; i++)
        if (finding_has(findings, (enum finding)i))
            json_add_text(array, text_of(finding_name((enum finding)i)));
    return array;
}

static struct json *json_part(struct shown *shown, uint32_t index, struct buffer *room)
{
    static const char *const kinds[] = { "leaf", "multipart", "message" };
    const struct mime_part *part = &shown->mime->parts[index];
    struct json *object = json_new_object();
    char path[PATH_SIZE], hex[DIGEST_HEX_SIZE];
    json_set_string(object, "part", part_path(shown, index, path));
    json_set_string(object, "kind", kinds[part->kind]);
    json_set_text(object, "type", part->type);
    json_set_text(object, "name", part->name);
    json_set_text(object, "charset", part->charset);
    json_set_text(object, "disposition", part->disposition);
    json_set_string(object, "encoding", mime_encoding_name(part->encoding));
    json_set_text(object, "encoding_as_written", part->encoding_text);
    json_set_number(object, "offset", (int64_t)part->offset);
    json_set_number(object, "length", (int64_t)part->length);
    if (part->kind == MIME_LEAF) {
        struct text bytes = mime_decode(part, room, NULL);
        json_set_number(object, "decoded_size", (int64_t)bytes.length);
        json_set_string(object, "sha256", digest_sha256_hex(bytes, hex));
    }
    json_set(object, "findings", json_findings(&part->findings));
    return object;
}

static struct json *json_reading(const struct reading *reading)
{
    static const char *const kinds[] = { "part", "alternative", "carved" };
    struct json *object = json_new_object();
    char hex[DIGEST_HEX_SIZE];
    json_set_string(object, "kind", kinds[reading->kind]);
    json_set_string(object, "how", reading->how);
    json_set_number(object, "offset", (int64_t)reading->offset);
    json_set_number(object, "size", (int64_t)reading->bytes.length);
    json_set_string(object, "sha256", digest_sha256_hex(reading->bytes, hex));
    return object;
}

static const char *consequence_name(enum consequence consequence)
{
    static const char *const names[CONSEQUENCE_COUNT] = { "none", "look", "read", "hold", "limit" };
    return names[consequence];
}

static struct json *json_notes(struct shown *shown)
{
    struct json *array = json_new_array();
    char path[PATH_SIZE];
    for (size_t i = 0; i < shown->mime->note_count; i++) {
        const struct mime_note *note = &shown->mime->notes[i];
        struct json *object = json_new_object();
        json_set_string(object, "finding", finding_name(note->finding));
        json_set_string(object, "part", part_path(shown, note->part, path));
        json_set_number(object, "offset", (int64_t)note->offset);
        json_set_string(object, "consequence", consequence_name(finding_consequence(note->finding)));
        json_add(array, object);
    }
    return array;
}

static void print_json(struct shown *shown)
{
    struct mime *mime = shown->mime;
    struct json *object = json_new_object(), *parts = json_new_array(), *readings = json_new_array();
    struct reading_list *list = reading_open(shown->arena, mime);
    struct buffer room = { 0 };
    struct reading reading;
    while (reading_next(list, &reading))
        if (shown->readings) json_add(readings, json_reading(&reading));
    shown->is_ambiguous = reading_is_ambiguous(list);
    reading_close(list);
    for (uint32_t i = 0; i < mime->count; i++) json_add(parts, json_part(shown, i, &room));
    buffer_free(&room);
    json_set_number(object, "bytes", (int64_t)mime->message.length);
    json_set_text(object, "from", field_text(shown, HEADER_FROM));
    json_set_text(object, "to", field_text(shown, HEADER_TO));
    json_set_text(object, "date", field_text(shown, HEADER_DATE));
    json_set_text(object, "subject", field_text(shown, HEADER_SUBJECT));
    json_set_bool(object, "ambiguous", shown->is_ambiguous);
    json_set_bool(object, "limited", finding_set_calls_for(&mime->findings, CONSEQUENCE_LIMIT));
    json_set(object, "findings", json_findings(&mime->findings));
    json_set(object, "parts", parts);
    json_set(object, "notes", json_notes(shown));
    json_set(object, "readings", readings);
    json_print(object, stdout, true);
}

static int show(struct text message, bool json, bool readings)
{
    struct shown shown = { .arena = arena_new(1 << 16), .json = json, .readings = readings };
    shown.mime = mime_parse(shown.arena, message, &mime_limits_default, MIME_FIRST);
    number_parts(&shown);
    bool understood = shown.mime->parts[0].header->count > 0;
    if (!understood) fputs("sekimori parse: not a message: it does not begin with a header field\n", stderr);
    if (understood || message.length > 0) {
        if (json)
            print_json(&shown);
        else
            print_text(&shown);
    }
    arena_free(shown.arena);
    return understood ? EX_OK : EX_DATAERR;
}

struct options {
    bool is_json, with_readings;
};

static const struct verb_option table[] = {
    { "json", OPTION_SWITCH, offsetof(struct options, is_json), NULL, NULL, .letter = 'j' },
    { "readings", OPTION_SWITCH, offsetof(struct options, with_readings), NULL, NULL, .letter = 'r' },
    { 0 }
};
const struct verb_usage parse_usage = { "parse", HELP, table, .takes_files = true };

int parse_main(int argc, char **argv)
{
    struct options options = { 0 };
    int code = options_read(&parse_usage, argc, argv, &options);
    if (code != OPTIONS_GO_ON) return code;
    if (argc - optind != 1)
        return options_complain(&parse_usage, "name one FILE, or - for standard input", "");
    struct buffer message = { 0 };
    code = EX_NOINPUT;
    if (read_all(argv[optind], &message))
        code = show(buffer_text(&message), options.is_json, options.with_readings);
    else
        fprintf(stderr, "sekimori parse: %s: %s\n", argv[optind], strerror(errno));
    buffer_free(&message);
    return code;
}
