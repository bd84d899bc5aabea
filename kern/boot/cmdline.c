/* kern/boot/cmdline.c - words of the kernel command line: NAME or NAME=value, separated by blanks; a value
 * may stand in double quotes. Of two words with one name the last holds. */
#include "kern/boot/boot.h"
#include "lib/string.h"
#include "net/port.h"

/* Every word that something understands, and what it means. */
static const struct known_word {
    const char *name;
    bool takes_value;
    const char *meaning;
} known_words[] = {
    { "quiet", false, "only warnings and errors on the console" },
    { "loglevel", true, "error, warning, info or debug: what the console shows" },
    { "nosmp", false, "the boot CPU alone" },
    { "maxcpus", true, "at most so many CPUs" },
    { "init", true, "the first program instead of /init" },
    { "initcall_debug", false, "a line for each call of the kernel's start, with its time" },
    { "selftest", false, "instead of init: the kernel's tests of itself, then leave with their status" },
    { "provoke", true, "with selftest: a mistake to make, so that its report can be read" },
    { "run", false, "init: run /etc/run on the second serial port, then leave with its status" },
    { "ip", true, "the interface's address" },
    { "ctl", true, "the port of the grader's control channel" },
};

struct word {
    const char *name, *value; /* value: NULL without '=' */
    size_t name_len, value_len;
};

/* The next word from *p on; false at the end. */
static bool next_word(const char **p, struct word *w)
{
    const char *s = *p;
    while (*s == ' ' || *s == '\t')
        s++;
    if (!*s)
        return false;
    *w = (struct word){ .name = s };
    while (*s && *s != ' ' && *s != '\t' && *s != '=')
        s++;
    w->name_len = s - w->name;
    if (*s == '=') {
        bool quoted = *++s == '"';
        w->value = s += quoted;
        while (*s && (quoted ? *s != '"' : *s != ' ' && *s != '\t'))
            s++;
        w->value_len = s - w->value;
        s += quoted && *s;
    }
    *p = s;
    return true;
}

static bool named(const struct word *w, const char *name)
{
    return w->name_len == strlen(name) && memcmp(w->name, name, w->name_len) == 0;
}

bool cmdline_get(const char *name, char *buf, size_t size)
{
    const char *p = boot_info.cmdline;
    struct word w;
    bool found = false;
    while (next_word(&p, &w)) {
        if (!named(&w, name))
            continue;
        size_t n = MIN(w.value_len, size - 1);
        memcpy(buf, w.value ? w.value : "", n);
        buf[n] = '\0';
        found = true;
    }
    return found;
}

static const struct known_word *find_known(const struct word *w)
{
    for (size_t i = 0; i < ARRAY_SIZE(known_words); i++)
        if (named(w, known_words[i].name))
            return &known_words[i];
    return NULL;
}

void cmdline_check(void)
{
    const char *p = boot_info.cmdline;
    struct word w;
    while (next_word(&p, &w)) {
        const struct known_word *known = find_known(&w);
        if (!known)
            klog(LOG_WARNING, "command line: nothing knows '%.*s'", (int)w.name_len, w.name);
        else if (known->takes_value && !w.value_len)
            klog(LOG_WARNING, "command line: '%s' needs a value: %s", known->name, known->meaning);
        else if (!known->takes_value && w.value)
            klog(LOG_WARNING, "command line: '%s' takes no value: %s", known->name, known->meaning);
    }
}
