/* sim/script/run/reader.h - scripts on disk. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* The file's bytes in malloc()ed memory, or NULL. */
char *reader_read(const char *path, size_t *n);
/* For struct script_reader: a snippet is setup/NAME.script beside `from` or in a folder above it, another
 * file is found from `from`'s folder. */
char *reader_find(void *arg, const char *from, const char *name, bool snippet, size_t *n, char path[512]);

struct file_list {
    char **at;
    size_t n, room;
};
/* path, or if it is a folder all scripts below it, in order. */
void file_list_add(struct file_list *l, const char *path);
void file_list_free(struct file_list *l);
