/* kern/trace.c - trace points: a ring of fixed-size records for each CPU.
 * A CPU writes only its own ring and takes no lock: a record's place is counted up first, so an interrupt in
 * between writes the next one. The reader takes a record's number before and after: changed, it was
 * overwritten and is left out. */
#include "kern/cpu/cpu.h"
#include "kern/port.h"
#include "net/port.h"

enum { RING_RECORDS = 1024 };

struct trace_record {
    uint64_t number; /* from 1 on; 0: being written */
    uint64_t time, packet;
    const char *point;
    uint32_t length;
};
struct trace_ring {
    uint64_t next;
    struct trace_record records[RING_RECORDS];
};
static struct trace_ring rings[MAX_CPUS];

void trace(const char *point, uint64_t packet_id, uint32_t length)
{
    uint64_t now = time_now();
    struct trace_ring *ring = &rings[this_cpu()->id];
    uint64_t n =
        __atomic_fetch_add(&ring->next, 1, __ATOMIC_RELAXED); /* a preempted thread may be another's guest */
    struct trace_record *r = &ring->records[n % RING_RECORDS];
    WRITE_ONCE(r->number, 0);
    barrier();
    r->time = now;
    r->packet = packet_id;
    r->point = point;
    r->length = length;
    __atomic_store_n(&r->number, n + 1, __ATOMIC_RELEASE);
}

/* Record n of a ring, whole. False if it is gone. */
static bool read_record(const struct trace_ring *ring, uint64_t n, struct trace_record *out)
{
    const struct trace_record *r = &ring->records[n % RING_RECORDS];
    uint64_t number = __atomic_load_n(&r->number, __ATOMIC_ACQUIRE);
    *out = *r;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return number == n + 1 && READ_ONCE(r->number) == number;
}

/* The oldest record not shown yet, over all rings; at[] is moved past it. Its CPU, or -1 at the end. */
static int next_record(uint64_t *at, const uint64_t *end, struct trace_record *out)
{
    int best = -1;
    struct trace_record r;
    for_each_cpu (i) {
        while (at[i] < end[i] && !read_record(&rings[i], at[i], &r))
            at[i]++;
        if (at[i] < end[i] && (best < 0 || r.time < out->time)) {
            *out = r;
            best = (int)i;
        }
    }
    if (best >= 0)
        at[best]++;
    return best;
}

void trace_show(struct textbuf *out)
{
    uint64_t at[MAX_CPUS], end[MAX_CPUS];
    struct trace_record r = { 0 };
    int cpu;
    for_each_cpu (i) {
        end[i] = READ_ONCE(rings[i].next);
        at[i] = end[i] > RING_RECORDS ? end[i] - RING_RECORDS : 0;
    }
    while ((cpu = next_record(at, end, &r)) >= 0)
        textbuf_printf(out, "%llu.%09llu %d %llu %s %u\n", (unsigned long long)(r.time / sec(1)),
                       (unsigned long long)(r.time % sec(1)), cpu, (unsigned long long)r.packet, r.point,
                       r.length);
}
