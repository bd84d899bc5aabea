/* lib/lockrank.h - the lock order: one line a lock, taken only downwards in this list (ranks strictly rise).
 * LOCK_RANK(name, rank, what it protects). doc/locking.md is generated from here. Ranks from 100 are the
 * kernel's own irq-safe spinlocks (struct spinlock): they may be taken inside any of net/'s locks. */
#pragma once

#define LOCK_RANKS(LOCK_RANK)                                                                                \
    LOCK_RANK(SOCK, 20, "one socket: state, queues, options, the TCP control block")                         \
    LOCK_RANK(SOCK_LISTEN, 25, "a listener's queues of connections: taken inside a child's SOCK")            \
    LOCK_RANK(SOCK_TABLE, 30, "a bucket or table of sockets: ports bound, connections")                      \
    LOCK_RANK(UNIX_FLIGHT, 32, "open files on their way between local sockets (SCM_RIGHTS)")                 \
    LOCK_RANK(REASSEMBLY, 35, "IPv4 fragments waiting for the rest of their datagram")                       \
    LOCK_RANK(ROUTE, 40, "the routing table of a struct net")                                                \
    LOCK_RANK(IGMP, 45, "groups: who is in which, with which sources, and what is to be told")               \
    LOCK_RANK(NEIGH, 50, "the neighbour table: entries, their state and waiting packets")                    \
    LOCK_RANK(INET_ADDR, 55, "the list of one device's IPv4 addresses")                                      \
    LOCK_RANK(NET_DEVICES, 60, "the list of a net's devices, packet types and taps")                         \
    LOCK_RANK(NETLINK_TABLE, 62, "the netlink sockets of a net and the groups they listen to")               \
    LOCK_RANK(NETLINK, 63, "one netlink socket: its queue; taken by whoever tells of a change")              \
    LOCK_RANK(PACKET, 65, "one packet socket: its queue and filter; taken by taps, under NET_DEVICES")       \
    LOCK_RANK(NETDEV_TX, 70, "one device's transmit path: its queue and ring")                               \
    LOCK_RANK(SOFTNET, 80, "a CPU's queue of packets that loop back")                                        \
    LOCK_RANK(ERRORS, 85, "which pages sent with MSG_ZEROCOPY are free again, until a program asks")         \
    LOCK_RANK(EVENT, 112, "an eventfd's counter, a timerfd's ticks")                                         \
    LOCK_RANK(PTYS, 114, "the table of pseudo-terminals")                                                    \
    LOCK_RANK(TTY, 115, "a terminal: its input line and settings")                                           \
    LOCK_RANK(PROCESS, 120, "the process table, parents and children, pending signals")                      \
    LOCK_RANK(THREADS, 122, "the list of all threads and the tids in use")                                   \
    LOCK_RANK(FILES, 125, "a table of open files")                                                           \
    LOCK_RANK(FUTEX, 127, "the sleepers on words of user memory")                                            \
    LOCK_RANK(FILE_LOCKS, 128, "flock's and fcntl's locks on files, held and waited for")                    \
    LOCK_RANK(FS, 130, "the tree of in-memory files")                                                        \
    LOCK_RANK(MAPPING, 132, "the regions that show one file, or memory that processes share")                \
    LOCK_RANK(MUTEX, 135, "who owns a mutex (an address space has one)")                                     \
    LOCK_RANK(EPOLL_FILES, 138, "which epoll sets a file is in")                                             \
    LOCK_RANK(WORK, 139, "the queues of work and what of it runs")                                           \
    LOCK_RANK(WAITQ, 140, "a wait queue's list of waiters")                                                  \
    LOCK_RANK(EPOLL, 143, "which files of an epoll set are ready, who waits for them")                       \
    LOCK_RANK(TIMER, 150, "a CPU's timers")                                                                  \
    LOCK_RANK(RUNQUEUE, 160, "a CPU's run queue and the state of its threads")                               \
    LOCK_RANK(CLOCK, 163, "the clock as programs see it in the vDSO")                                        \
    LOCK_RANK(LOAD, 165, "the load averages")                                                                \
    LOCK_RANK(IRQ, 170, "the table of interrupt handlers, the IOAPIC")                                       \
    LOCK_RANK(PCI, 175, "PCI configuration space: its address port and its data port")                       \
    LOCK_RANK(SLAB, 180, "a slab cache")                                                                     \
    LOCK_RANK(KVM, 185, "the kernel's own mappings: stacks and devices")                                     \
    LOCK_RANK(PAGE, 190, "the page allocator")                                                               \
    LOCK_RANK(RANDOM, 195, "the kernel's random generator")                                                  \
    LOCK_RANK(CONSOLE, 200, "the serial ports and the kernel log")

#define LOCK_RANK_ENUM(name, rank, what) RANK_##name = (rank),
enum lock_rank { LOCK_RANKS(LOCK_RANK_ENUM) };
#undef LOCK_RANK_ENUM
