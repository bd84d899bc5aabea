/* net/tcp/tcp_mem.c - the memory of all connections together: net.ipv4.tcp_mem, three numbers of pages. Below
 * the first all is well; from the second on memory is short, and until it is below the first again nobody's
 * buffer grows, little window is offered, and a connection that holds more than its share gets no more;
 * beyond the third nobody does. But for its least (the first numbers of tcp_rmem and tcp_wmem), which a
 * connection always may hold: so each of them moves on, what it waits for is its own peer, and no two wait
 * for each other.
 *
 * A connection takes whole pages for what its queues hold and gives back what it no longer needs, both under
 * sk->lock, where nobody else runs on this CPU; so taking is an addition to the CPU's own number, and only
 * each mem_batch pages the shared one is touched. */
#include "net/core/net_namespace.h"
#include "net/tcp/tcp.h"

enum {
    PAGE = 4096,
    SLACK = 4,          /* pages that a connection keeps although it does not need them just now */
    BATCH_MAX = 64,     /* pages that a CPU may hold back from the shared count */
    MEMORY_PART = 16,   /* of the machine's memory, for connections */
    LEAST_PAGES = 128,  /* whatever the machine has */
    ORPHAN_PART = 32768 /* one orphan for so many bytes of memory */
};

/* ---- the count ---- */

static int64_t *of_this_cpu(struct tcp_state *tcp)
{
    return &tcp->mem.cpus[cpu_id()].pages;
}

/* What all connections have taken, but for what other CPUs hold back. */
static int64_t taken_by_all(struct tcp_state *tcp)
{
    return __atomic_load_n(&tcp->mem.pages, __ATOMIC_RELAXED) + READ_ONCE(*of_this_cpu(tcp));
}

static int64_t count_all(const struct tcp_state *tcp)
{
    int64_t sum = __atomic_load_n(&tcp->mem.pages, __ATOMIC_RELAXED);
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        sum += READ_ONCE(tcp->mem.cpus[cpu].pages);
    return sum;
}

int64_t tcp_mem_pages(const struct net *net)
{
    return MAX(count_all(net->tcp), (int64_t)0); /* it moves while we count */
}

static void set_pressure(struct net *net, bool on)
{
    struct tcp_state *tcp = net->tcp;
    if (READ_ONCE(tcp->mem.pressure) == on)
        return;
    WRITE_ONCE(tcp->mem.pressure, on);
    if (on)
        tcp_count(net, TCP_COUNT_memory_pressures);
}

/* n pages more (or less) are tp's. Lock held. */
static void move_pages(struct tcp_sock *tp, int32_t n)
{
    struct tcp_state *tcp = tcp_state_of(tp);
    int64_t *mine = of_this_cpu(tcp), batch = READ_ONCE(tcp->mem.batch);
    int64_t held = __atomic_add_fetch(mine, n, __ATOMIC_RELAXED);
    ASSERT(lock_held(&tp->sk.lock));
    tp->mem_taken = (uint32_t)((int32_t)tp->mem_taken + n);
    if (held > batch || held < -batch) {
        held = __atomic_exchange_n(mine, 0, __ATOMIC_RELAXED);
        __atomic_fetch_add(&tcp->mem.pages, held, __ATOMIC_RELAXED);
    }
    if (taken_by_all(tcp) > READ_ONCE(tcp->mem.limits[1]))
        set_pressure(tp->sk.net, true);
    else if (READ_ONCE(tcp->mem.pressure) && taken_by_all(tcp) <= READ_ONCE(tcp->mem.limits[0]))
        set_pressure(tp->sk.net, false);
}

/* ---- one connection ---- */

static uint64_t received(const struct tcp_sock *tp)
{
    return (uint64_t)__atomic_load_n(&tp->sk.rmem_alloc, __ATOMIC_RELAXED) + tp->ofo_truesize;
}
static uint64_t to_be_sent(const struct tcp_sock *tp)
{
    return (uint64_t)__atomic_load_n(&tp->sk.wmem_alloc, __ATOMIC_RELAXED);
}

static uint32_t pages_for(uint64_t bytes)
{
    return (uint32_t)((bytes + PAGE - 1) / PAGE);
}

/* Should tp, which needs so many pages, have them? It has less than its least anyhow: yes. */
static bool may_have(const struct tcp_sock *tp, uint32_t pages)
{
    struct tcp_state *tcp = tcp_state_of(tp);
    int64_t all = taken_by_all(tcp) + pages - tp->mem_taken;
    if (all <= READ_ONCE(tcp->mem.limits[0]))
        return true;
    if (all > READ_ONCE(tcp->mem.limits[2]))
        return false;
    if (!READ_ONCE(tcp->mem.pressure))
        return true;
    int64_t share = READ_ONCE(tcp->mem.limits[2]) / MAX(READ_ONCE(tcp->mem.n_alloc), (int64_t)1);
    return pages <= share;
}

bool tcp_mem_receive(struct tcp_sock *tp, uint32_t bytes)
{
    uint32_t pages = pages_for(received(tp) + to_be_sent(tp) + bytes);
    if (pages <= tp->mem_taken)
        return true;
    if (received(tp) >= (uint64_t)READ_ONCE(tcp_state_of(tp)->rmem[0]) && !may_have(tp, pages))
        return false;
    move_pages(tp, (int32_t)(pages - tp->mem_taken));
    return true;
}

/* A buffer that the user has not fixed shrinks to half of what waits in it. */
static void moderate_send_buffer(struct tcp_sock *tp)
{
    uint32_t half = (uint32_t)MIN(to_be_sent(tp) / 2, (uint64_t)SOCK_BUF_MAX);
    if (!tp->sk.sndbuf_set && half < tp->sk.sndbuf)
        WRITE_ONCE(tp->sk.sndbuf, MAX(half, (uint32_t)SOCK_BUF_MIN));
}

int64_t tcp_mem_send_room(struct tcp_sock *tp)
{
    struct tcp_state *tcp = tcp_state_of(tp);
    if (likely(!READ_ONCE(tcp->mem.pressure)))
        return INT64_MAX;
    int64_t least = READ_ONCE(tcp->wmem[0]) - (int64_t)to_be_sent(tp);
    if (least > 0)
        return least;
    if (may_have(tp, pages_for(received(tp) + to_be_sent(tp)) + 1))
        return PAGE;
    moderate_send_buffer(tp);
    return 0;
}

void tcp_mem_settle(struct tcp_sock *tp)
{
    uint32_t pages = pages_for(received(tp) + to_be_sent(tp));
    if (pages > tp->mem_taken || pages + SLACK < tp->mem_taken || (!pages && tp->mem_taken))
        move_pages(tp, (int32_t)pages - (int32_t)tp->mem_taken);
}

void tcp_mem_forget(struct tcp_sock *tp) /* without the lock, so it cannot count on the CPU */
{
    if (tp->mem_taken)
        __atomic_fetch_sub(&tcp_state_of(tp)->mem.pages, tp->mem_taken, __ATOMIC_RELAXED);
    tp->mem_taken = 0;
}

/* ---- orphans ---- */

static bool is_connection(int state)
{
    return !((TCPS_BIT(CLOSED) | TCPS_BIT(LISTEN) | TCPS_BIT(TIME_WAIT)) >> state & 1);
}

void tcp_orphan_begin(struct tcp_sock *tp)
{
    if (!is_connection(tp->sk.state))
        return;
    tp->orphan = true;
    __atomic_fetch_add(&tcp_state_of(tp)->mem.n_orphans, 1, __ATOMIC_RELAXED);
}

bool tcp_orphan_must_go(const struct tcp_sock *tp)
{
    struct tcp_state *tcp = tcp_state_of(tp);
    if (!tp->orphan)
        return false;
    return READ_ONCE(tcp->mem.n_orphans) > READ_ONCE(tcp->mem.max_orphans) ||
           (to_be_sent(tp) > SOCK_BUF_MIN && taken_by_all(tcp) > READ_ONCE(tcp->mem.limits[2]));
}

void tcp_orphan_abort(struct tcp_sock *tp)
{
    tcp_count(tp->sk.net, TCP_COUNT_aborts_on_memory);
    tcp_abort(tp, ECONNRESET);
}

/* ---- what there is ---- */

static bool in_use(int state) /* as Linux counts: what its tables hold */
{
    return is_connection(state) || state == TCPS_LISTEN;
}

void tcp_mem_state_changes(struct tcp_sock *tp, int state)
{
    struct tcp_state *tcp = tcp_state_of(tp);
    int was = tp->sk.state;
    if (in_use(was) != in_use(state))
        __atomic_fetch_add(&tcp->mem.n_inuse, in_use(state) ? 1 : -1, __ATOMIC_RELAXED);
    if (tp->orphan && !is_connection(state)) {
        tp->orphan = false;
        __atomic_fetch_sub(&tcp->mem.n_orphans, 1, __ATOMIC_RELAXED);
    }
}

static void show_sockstat(struct net *net, struct textbuf *out)
{
    const struct tcp_state *tcp = net->tcp;
    textbuf_printf(out, "TCP: inuse %ld orphan %ld tw %u alloc %ld mem %ld\n", READ_ONCE(tcp->mem.n_inuse),
                   READ_ONCE(tcp->mem.n_orphans), READ_ONCE(tcp->timewaits.n), READ_ONCE(tcp->mem.n_alloc),
                   tcp_mem_pages(net));
}

/* ---- the limits ---- */

void tcp_mem_limits_changed(void *base)
{
    struct tcp_state *tcp = base;
    int32_t part = READ_ONCE(tcp->mem.limits[0]) / (int32_t)(16 * cpu_count());
    WRITE_ONCE(tcp->mem.batch, CLAMP(part, 0, (int32_t)BATCH_MAX));
}

/* As in Linux: a sixteenth of memory, three quarters of that, and half as much again. */
static void limits_init(struct tcp_state *tcp)
{
    uint64_t pages = MIN(mem_total() / PAGE / MEMORY_PART, (uint64_t)INT32_MAX / 2);
    int32_t pressure = (int32_t)MAX(pages, (uint64_t)LEAST_PAGES);
    tcp->mem.limits[0] = pressure / 4 * 3;
    tcp->mem.limits[1] = pressure;
    tcp->mem.limits[2] = tcp->mem.limits[0] * 2;
    tcp->mem.max_orphans = (int32_t)MIN(MAX(mem_total() / ORPHAN_PART, (uint64_t)1024), (uint64_t)INT32_MAX);
    tcp_mem_limits_changed(tcp);
}

int tcp_mem_init(struct net *net)
{
    struct tcp_state *tcp = net->tcp;
    tcp->mem.cpus = mem_alloc(cpu_count() * sizeof *tcp->mem.cpus);
    if (!tcp->mem.cpus)
        return -ENOMEM;
    limits_init(tcp);
    tcp->mem.sockstat_section = (struct net_proc_file){ .name = "sockstat", .show = show_sockstat };
    net_proc_section_register(net, &tcp->mem.sockstat_section);
    return 0;
}

void tcp_mem_exit(struct net *net)
{
    ASSERT(count_all(net->tcp) == 0);
    net_proc_section_unregister(net, &net->tcp->mem.sockstat_section);
    mem_free(net->tcp->mem.cpus);
}
