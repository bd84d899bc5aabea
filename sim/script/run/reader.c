/* sim/script/run/reader.c */
#include "sim/script/run/reader.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LARGEST = 1 << 20 };

char *reader_read(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    char *text = f ? malloc(LARGEST) : NULL;
    struct stat st;

    if (text && (fstat(fileno(f), &st) || !S_ISREG(st.st_mode))) {
        free(text);
        text = NULL;
    }
    *n = text ? fread(text, 1, LARGEST, f) : 0;
    if (f)
        fclose(f);
    return text;
}

static char *find_above(const char *from, const char *name, bool snippet, size_t *n, char path[512])
{
    size_t folder = strlen(from);
    char *text;

    do {
        while (folder && from[folder - 1] != '/') /* the folder that it lies in, then the one above */
            folder--;
        snprintf(path, 512, "%.*s%s%s%s", (int)folder, from, snippet ? "setup/" : "", name,
                 snippet ? ".script" : "");
        text = reader_read(path, n);
    } while (!text && snippet && folder-- > 0);
    return text;
}

char *reader_find(void *arg, const char *from, const char *name, bool snippet, size_t *n, char path[512])
{
    char *text = find_above(from, name, snippet, n, path), *whole;

    (void)arg;
    if (text || !snippet)
        return text;
    whole = realpath(from, NULL); /* folders above the present one, too */
    text = whole ? find_above(whole, name, snippet, n, path) : NULL;
    free(whole);
    return text;
}

static void add_file(struct file_list *l, const char *path)
{
    if (l->n == l->room) {
        l->room = l->room ? 2 * l->room : 64;
        l->at = realloc(l->at, l->room * sizeof *l->at);
        if (!l->at)
            abort();
    }
    l->at[l->n] = strdup(path);
    if (!l->at[l->n++])
        abort();
}

static bool ends_with(const char *text, const char *end)
{
    return strlen(text) >= strlen(end) && !strcmp(text + strlen(text) - strlen(end), end);
}

void file_list_add(struct file_list *l, const char *path)
{
    struct dirent **entries;
    char below[1024];
    int n = scandir(path, &entries, NULL, alphasort);

    if (n < 0) {
        add_file(l, path);
        return;
    }
    for (int i = 0; i < n; i++) {
        const char *name = entries[i]->d_name;
        struct stat st;

        snprintf(below, sizeof below, "%s/%s", path, name);
        if (*name != '.' && !stat(below, &st)) {
            if (S_ISDIR(st.st_mode) && strcmp(name, "setup"))
                file_list_add(l, below);
            else if (S_ISREG(st.st_mode) && ends_with(name, ".script"))
                add_file(l, below);
        }
        free(entries[i]);
    }
    free(entries);
}

void file_list_free(struct file_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->at[i]);
    free(l->at);
}
