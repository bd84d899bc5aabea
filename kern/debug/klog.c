/* kern/debug/klog.c - the kernel log: every line into a ring in memory, those of the console's level to COM1.
 * A line is formatted before any lock is taken, and goes out whole. */
#include "kern/boot/boot.h"
#include "kern/debug/console.h"
#include "kern/debug/debug.h"
#include "kern/sched/spinlock.h"
#include "lib/format.h"
#include "lib/string.h"
#include "net/port.h"

enum { LINE_MAX = 320, RING_SIZE = 65536 };

static struct spinlock ring_lock = SPINLOCK_INIT("klog", RANK_CONSOLE);
static char ring[RING_SIZE]; /* ring_lock */
static uint64_t ring_end;    /* ring_lock; bytes ever written */
static enum log_level console_level = LOG_INFO;

static void ring_put(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ring[ring_end++ % RING_SIZE] = s[i];
}

static void remember(const char *s, size_t n)
{
    if (panicking()) {
        ring_put(s, n);
        return;
    }
    uint64_t flags = spin_lock(&ring_lock);
    ring_put(s, n);
    spin_unlock(&ring_lock, flags);
}

static void emit(bool show, const char *fmt, va_list ap)
{
    char line[LINE_MAX];
    uint64_t now = time_now() / 1000;
    size_t room = sizeof line - 2; /* for the line's end */
    size_t n = ksnprintf(line, room, "[%5u.%06u] ", (unsigned)(now / 1000000), (unsigned)(now % 1000000));
    n += kvsnprintf(line + n, room - n, fmt, ap);
    n = MIN(n, room - 1);
    line[n] = '\n';
    remember(line, n + 1);
    memcpy(line + n, "\r\n", 2);
    if (show)
        serial_write(SERIAL_COM1, line, n + 2);
}

void klog(enum log_level level, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    emit(level <= console_level, fmt, ap);
    va_end(ap);
}

void klog_always(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    emit(true, fmt, ap);
    va_end(ap);
}

void klog_init(void)
{
    static const char *const names[] = { "error", "warning", "info", "debug" };
    char value[16];
    if (cmdline_get("quiet", value, sizeof value))
        console_level = LOG_WARNING;
    if (!cmdline_get("loglevel", value, sizeof value))
        return;
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        if (strcmp(value, names[i]) == 0) {
            console_level = i;
            return;
        }
    }
    klog(LOG_WARNING, "command line: loglevel=%s: it is error, warning, info or debug", value);
}

void klog_show(struct textbuf *out)
{
    uint64_t flags = spin_lock(&ring_lock);
    uint64_t start = ring_end > RING_SIZE ? ring_end - RING_SIZE : 0;
    size_t at = start % RING_SIZE, n = ring_end - start;
    size_t first = MIN(n, RING_SIZE - at);
    textbuf_printf(out, "%.*s", (int)first, ring + at);
    textbuf_printf(out, "%.*s", (int)(n - first), ring);
    spin_unlock(&ring_lock, flags);
}
