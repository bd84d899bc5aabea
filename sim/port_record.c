/* sim/port_record.c - log, trace and panic of net/port.h. Log lines and panics go to the program around the
 * simulation (state.h: host_), the trace is folded into a digest. */
#include "lib/format.h"
#include "sim/state.h"
#include <stdio.h>
#include <string.h>

static const char *running(void)
{
    if (sim.context == CONTEXT_IRQ)
        return "an irq";
    return sim.current ? sim.current->name : "an event";
}

static size_t put_time(char *line, size_t size)
{
    return (size_t)snprintf(line, size, "[%4llu.%09llu] ", (unsigned long long)(sim.now / sec(1)),
                            (unsigned long long)(sim.now % sec(1)));
}

void klog(enum log_level level, const char *fmt, ...)
{
    static const char *const names[] = { "error: ", "warning: ", "", "debug: " };
    char line[512];
    size_t n = put_time(line, sizeof line);
    va_list ap;

    n += (size_t)snprintf(line + n, sizeof line - n, "%s", names[level]);
    va_start(ap, fmt);
    kvsnprintf(line + n, sizeof line - n, fmt, ap);
    va_end(ap);
    host_log_line(line);
    if (sim.print_log)
        puts(line);
}

void sim_verbose(bool log, bool trace_points)
{
    sim.print_log = log;
    sim.print_trace = trace_points;
}

static void fold(const void *p, size_t n)
{
    const uint8_t *bytes = p;

    for (size_t i = 0; i < n; i++)
        sim.digest = (sim.digest ^ bytes[i]) * 1099511628211u; /* FNV-1a, 64 bits */
}

void trace(const char *point, uint64_t packet_id, uint32_t length)
{
    fold(point, strlen(point));
    fold(&sim.now, sizeof sim.now);
    fold(&packet_id, sizeof packet_id);
    fold(&length, sizeof length);
    if (sim.on_trace)
        sim.on_trace(point, packet_id, length);
    if (sim.print_trace) {
        char line[40];
        put_time(line, sizeof line);
        printf("%s#%llu %s %u\n", line, (unsigned long long)packet_id, point, length);
    }
}

void sim_on_trace(void (*fn)(const char *point, uint64_t id, uint32_t value))
{
    sim.on_trace = fn;
}

uint64_t sim_digest(void)
{
    return sim.digest;
}

void panic(const char *fmt, ...)
{
    char text[1024];
    size_t n = (size_t)snprintf(text, sizeof text, "panic at %llu ns in %s: ", (unsigned long long)sim.now,
                                running());
    va_list ap;

    va_start(ap, fmt);
    kvsnprintf(text + n, sizeof text - n, fmt, ap);
    va_end(ap);
    host_panic(text);
}
