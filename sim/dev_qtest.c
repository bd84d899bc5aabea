/* sim/dev_qtest.c - a driver of ours on a card of QEMU's.
 *
 * The protocol is lines (`readl 0xfeb00008` gives `OK 0x80080783`), each answered before the next: so an
 * access is over when its function returns, and what the card did within it has been done. There is no
 * firmware: this places the BARs itself. The INTx line is read from the PCI status register; an MSI-X vector
 * writes a word of guest memory. */
#include "sim/dev_qtest.h"
#include "sim/dev_qtest_memory.h"
#include "sim/sim.h"
#include "sim/test.h"
#include <errno.h>
#include <inttypes.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SLOT = 3, PORT_ADDRESS = 0xcf8, PORT_DATA = 0xcfc };
enum { CONFIG_COMMAND = 0x04, CONFIG_BAR0 = 0x10, CONFIG_CAPABILITIES = 0x34 };
enum { COMMAND_MEMORY = 1 << 1, STATUS_INTERRUPT = 1 << 19 };
enum { CAP_MSIX = 0x11, MSIX_VECTOR_BYTES = 16 };
#define MSIX_ENABLE (1u << 31)
#define BAR_WINDOW  0xe0000000u /* BARs are placed from here on, each in its own 1 MiB */
enum { BAR_STRIDE = 1 << 20 };
enum { QUIET_ROUNDS = 3, START_SECONDS = 20, INTERRUPTS_MAX = 1000 };

struct qtest {
    struct host_device host;
    pid_t pid;
    FILE *in;
    int out, wire;
    uint64_t bar_address[HOST_BARS], interrupts;
    size_t bar_size[HOST_BARS];
    unsigned vectors;             /* MSI-X in use */
    volatile uint32_t *messages;  /* a word a vector: the card writes it, we clear it */
    uint32_t table_bar, table_at; /* where its MSI-X table lies */
};

static struct qtest *qtest_of(struct host_device *h)
{
    return container_of(h, struct qtest, host);
}

/* ---- the protocol ---- */

static uint64_t command(struct qtest *q, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static uint64_t command(struct qtest *q, const char *fmt, ...)
{
    char line[160];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (write(q->out, line, (size_t)n) != n || !fgets(line, sizeof line, q->in) || strncmp(line, "OK", 2))
        test_fail(NULL, 0, "QEMU does not answer a qtest command");
    return strtoull(line + 2, NULL, 0);
}

static uint32_t config_read(struct qtest *q, unsigned offset)
{
    command(q, "outl 0x%x 0x%x\n", PORT_ADDRESS, 0x80000000 | SLOT << 11 | (offset & 0xfc));
    return (uint32_t)command(q, "inl 0x%x\n", PORT_DATA);
}

static void config_write(struct qtest *q, unsigned offset, uint32_t value)
{
    command(q, "outl 0x%x 0x%x\n", PORT_ADDRESS, 0x80000000 | SLOT << 11 | (offset & 0xfc));
    command(q, "outl 0x%x 0x%x\n", PORT_DATA, value);
}

/* ---- what a driver does ---- */

static char width_letter(unsigned width)
{
    return width == 1 ? 'b' : width == 2 ? 'w' : 'l';
}

static size_t qtest_bar_size(struct host_device *h, unsigned bar)
{
    return qtest_of(h)->bar_size[bar];
}

static uint32_t qtest_read(struct host_device *h, unsigned bar, uint32_t offset, unsigned width)
{
    struct qtest *q = qtest_of(h);
    return (uint32_t)command(q, "read%c 0x%" PRIx64 "\n", width_letter(width), q->bar_address[bar] + offset);
}

static void qtest_write(struct host_device *h, unsigned bar, uint32_t offset, unsigned width, uint32_t value)
{
    struct qtest *q = qtest_of(h);
    command(q, "write%c 0x%" PRIx64 " 0x%x\n", width_letter(width), q->bar_address[bar] + offset, value);
}

static uint32_t qtest_config_read(struct host_device *h, unsigned offset)
{
    return config_read(qtest_of(h), offset);
}

static void qtest_config_write(struct host_device *h, unsigned offset, uint32_t value)
{
    config_write(qtest_of(h), offset, value);
}

static void *qtest_dma_alloc(struct host_device *h, size_t size, dma_addr_t *bus)
{
    void *p = guest_memory_alloc(size);

    (void)h;
    if (!p)
        return NULL;
    *bus = guest_memory_address(p);
    return memset(p, 0, size);
}

static void qtest_dma_free(struct host_device *h, void *p, size_t size)
{
    (void)h;
    (void)size;
    guest_memory_free(p);
}

static dma_addr_t qtest_dma_map(struct host_device *h, const void *p)
{
    (void)h;
    return guest_memory_address(p);
}

/* ---- MSI-X: vector i writes i + 1 to the i-th word of messages ---- */

static unsigned find_capability(struct qtest *q, uint8_t id)
{
    unsigned offset = config_read(q, CONFIG_CAPABILITIES) & 0xfc;

    while (offset) {
        uint32_t header = config_read(q, offset);
        if ((header & 0xff) == id)
            return offset;
        offset = header >> 8 & 0xfc;
    }
    return 0;
}

static void vector_write(struct qtest *q, unsigned index, bool masked)
{
    uint64_t at = q->bar_address[q->table_bar] + q->table_at + index * MSIX_VECTOR_BYTES;

    command(q, "writel 0x%" PRIx64 " 0x%x\n", at,
            (uint32_t)guest_memory_address((const void *)(q->messages + index)));
    command(q, "writel 0x%" PRIx64 " 0\n", at + 4);
    command(q, "writel 0x%" PRIx64 " 0x%x\n", at + 8, index + 1);
    command(q, "writel 0x%" PRIx64 " %d\n", at + 12, masked);
}

static int qtest_msix_enable(struct host_device *h, unsigned n)
{
    struct qtest *q = qtest_of(h);
    unsigned capability = find_capability(q, CAP_MSIX);

    if (!capability)
        return -ENOSYS;
    uint32_t control = config_read(q, capability), table = config_read(q, capability + 4);
    q->table_bar = table & 7;
    q->table_at = table & ~7u;
    q->vectors = MIN(n, (control >> 16 & 0x7ff) + 1);
    config_write(q, capability, control | MSIX_ENABLE);
    for (unsigned i = 0; i < q->vectors; i++)
        vector_write(q, i, true);
    return (int)q->vectors;
}

static void qtest_irq_changed(struct host_device *h, unsigned index)
{
    struct qtest *q = qtest_of(h);

    if (q->vectors)
        vector_write(q, index, !h->irqs[index].handler);
}

static const struct host_device_ops qtest_ops = {
    .bar_size = qtest_bar_size,
    .read = qtest_read,
    .write = qtest_write,
    .config_read = qtest_config_read,
    .config_write = qtest_config_write,
    .msix_enable = qtest_msix_enable,
    .irq_changed = qtest_irq_changed,
    .dma_alloc = qtest_dma_alloc,
    .dma_free = qtest_dma_free,
    .dma_map = qtest_dma_map,
};

/* ---- events ---- */

static bool line_asserted(struct qtest *q)
{
    return q->host.irqs[0].handler && config_read(q, CONFIG_COMMAND) & STATUS_INTERRUPT;
}

static bool run_messages(struct qtest *q)
{
    bool any = false;

    for (unsigned i = 0; i < q->vectors; i++) {
        if (!__atomic_exchange_n(&q->messages[i], 0, __ATOMIC_ACQUIRE))
            continue;
        q->interrupts++;
        host_device_interrupt(&q->host, i);
        any = true;
    }
    return any;
}

/* Call the driver while the card asks. True if it did. */
static bool run_interrupts(struct qtest *q)
{
    unsigned calls = 0;

    if (q->vectors)
        return run_messages(q);
    for (; line_asserted(q); calls++) {
        if (calls == INTERRUPTS_MAX)
            panic("the interrupt line stays asserted");
        q->interrupts++;
        host_device_interrupt(&q->host, 0);
    }
    return calls;
}

/* Take what the card has sent. True if there was anything; waits up to a millisecond for it. */
static bool run_wire(struct qtest *q, struct dev_bench *b)
{
    struct pollfd readable = { .fd = q->wire, .events = POLLIN };
    uint8_t frame[BENCH_FRAME_MAX];
    bool any = false;
    ssize_t n;

    poll(&readable, 1, 1);
    while ((n = recv(q->wire, frame, sizeof frame, MSG_DONTWAIT)) > 0) {
        bench_saw(b, frame, (uint32_t)n);
        any = true;
    }
    return any;
}

/* Whether QEMU has still to take frames that we put on the wire. */
static bool wire_waits(struct qtest *q)
{
    int bytes = 0;

    return !ioctl(q->wire, SIOCOUTQ, &bytes) && bytes > 0;
}

static void qtest_settle(struct dev_bench *b)
{
    struct qtest *q = b->card_arg;

    for (unsigned quiet = 0; quiet < QUIET_ROUNDS; quiet++) {
        bool waits = wire_waits(q), sent = run_wire(q, b);
        if (run_interrupts(q) || sent || waits)
            quiet = 0;
        sim_run_for(us(100));
    }
}

static void qtest_inject(struct dev_bench *b, const uint8_t *frame, uint32_t len)
{
    struct qtest *q = b->card_arg;

    while (send(q->wire, frame, len, MSG_DONTWAIT) < 0) {
        if (errno != EAGAIN)
            test_fail(NULL, 0, "the wire: %s", strerror(errno));
        qtest_settle(b);
    }
}

const struct bench_card qtest_card = { qtest_inject, qtest_settle };

/* ---- the machine ---- */

void qtest_require(void)
{
    if (system("command -v qemu-system-x86_64 >/dev/null 2>&1"))
        test_skip("qemu-system-x86_64 is not installed");
}

/* A BIOS that sleeps: hlt, and again whatever wakes it. -1 if it cannot be made. */
static int sleeping_bios(void)
{
    static const uint8_t hlt_forever[] = { 0xf4, 0xeb, 0xfd };
    enum { BIOS_SIZE = 64 << 10, RESET_VECTOR = BIOS_SIZE - 16 };
    int fd = memfd_create("bios", 0);

    if (fd < 0 || ftruncate(fd, BIOS_SIZE) ||
        pwrite(fd, hlt_forever, sizeof hlt_forever, RESET_VECTOR) != sizeof hlt_forever)
        return -1;
    return fd;
}

static _Noreturn void run_qemu(const char *card, const char *socket, int memory, int bios, int wire)
{
    char object[128], rom[32], netdev[64], device[128], qtest[160], size[16];

    prctl(PR_SET_PDEATHSIG, SIGKILL); /* it ends with the test, however that ends */
    snprintf(size, sizeof size, "%dM", GUEST_MEMORY >> 20);
    snprintf(object, sizeof object, "memory-backend-file,id=ram,size=%s,share=on,mem-path=/dev/fd/%d", size,
             memory);
    snprintf(rom, sizeof rom, "/dev/fd/%d", bios);
    snprintf(netdev, sizeof netdev, "socket,id=wire,fd=%d", wire);
    snprintf(device, sizeof device, "%s,netdev=wire,addr=%d,mac=52:54:00:12:34:56", card, SLOT);
    snprintf(qtest, sizeof qtest, "unix:%s", socket);
    char *const argv[] = { "qemu-system-x86_64",
                           "-nodefaults",
                           "-display",
                           "none",
                           "-machine",
                           "pc,accel=tcg,memory-backend=ram",
                           "-icount",
                           "shift=0,sleep=off",
                           "-m",
                           size,
                           "-object",
                           object,
                           "-bios",
                           rom,
                           "-qtest",
                           qtest,
                           "-qtest-log",
                           "none",
                           "-netdev",
                           netdev,
                           "-device",
                           device,
                           NULL };
    execvp(argv[0], argv);
    _exit(127);
}

/* Wait for QEMU to come; -1 when it does not. */
static int await_qemu(int listener)
{
    struct pollfd readable = { .fd = listener, .events = POLLIN };

    return poll(&readable, 1, START_SECONDS * 1000) == 1 ? accept(listener, NULL, NULL) : -1;
}

static void start_qemu(struct qtest *q, const char *card)
{
    char dir[] = "/tmp/qtest-XXXXXX";
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int memory = guest_memory_create(), bios = sleeping_bios(), pair[2];
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(memory >= 0 && bios >= 0 && listener >= 0 && mkdtemp(dir));
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
    snprintf(at.sun_path, sizeof at.sun_path, "%s/qtest", dir);
    CHECK(bind(listener, (struct sockaddr *)&at, sizeof at) == 0 && listen(listener, 1) == 0);
    q->wire = pair[0];
    q->pid = fork();
    if (q->pid == 0) {
        close(pair[0]);
        run_qemu(card, at.sun_path, memory, bios, pair[1]);
    }
    q->out = await_qemu(listener);
    unlink(at.sun_path);
    rmdir(dir);
    close(listener);
    close(bios);
    close(pair[1]);
    CHECK(q->out >= 0);
    q->in = fdopen(q->out, "r");
}

static void place_bars(struct qtest *q)
{
    for (unsigned i = 0; i < HOST_BARS; i++) {
        unsigned at = CONFIG_BAR0 + 4 * i;
        config_write(q, at, ~0u);
        uint32_t mask = config_read(q, at);
        if (!mask || mask & 1) /* none, or I/O ports */
            continue;
        q->bar_size[i] = ~(mask & ~15u) + 1;
        q->bar_address[i] = BAR_WINDOW + i * BAR_STRIDE;
        config_write(q, at, (uint32_t)q->bar_address[i]);
        if ((mask & 6) == 4) /* 64 bits: the next word is the upper half */
            config_write(q, CONFIG_BAR0 + 4 * ++i, 0);
    }
    config_write(q, CONFIG_COMMAND, COMMAND_MEMORY);
}

struct qtest *qtest_create(const char *card, uint16_t vendor, uint16_t device)
{
    struct qtest *q = calloc(1, sizeof *q);

    host_device_init(&q->host, &qtest_ops, "qtest", vendor, device);
    start_qemu(q, card);
    CHECK_EQ(config_read(q, 0), (uint32_t)device << 16 | vendor);
    place_bars(q);
    q->messages = guest_memory_alloc(HOST_VECTORS * sizeof *q->messages);
    memset((void *)q->messages, 0, HOST_VECTORS * sizeof *q->messages);
    sim_set_dma_memory(guest_memory_alloc, guest_memory_free);
    return q;
}

struct device *qtest_device(struct qtest *q)
{
    return &q->host.device;
}

uint64_t qtest_interrupts(const struct qtest *q)
{
    return q->interrupts;
}

void qtest_destroy(struct qtest *q)
{
    if (q->host.bars_mapped || q->host.irqs[0].handler)
        panic("the driver left %u BARs, %s irq", q->host.bars_mapped, q->host.irqs[0].handler ? "an" : "no");
    kill(q->pid, SIGKILL);
    waitpid(q->pid, NULL, 0);
    fclose(q->in);
    close(q->wire);
    sim_set_dma_memory(NULL, NULL);
    guest_memory_free((void *)q->messages);
    guest_memory_destroy();
    free(q);
}

/* ---- with a bench ---- */

struct qtest *qtest_bench_init(struct dev_bench *b, const char *card, uint16_t vendor, uint16_t device)
{
    struct qtest *q = qtest_create(card, vendor, device);

    bench_init(b, qtest_device(q), &qtest_card, q);
    return q;
}

void qtest_bench_fini(struct dev_bench *b, struct qtest *q)
{
    bench_settle(b);
    CHECK_EQ(b->rx_wrong, 0);
    CHECK_EQ(b->tx_wrong, 0);
    CHECK_EQ(bench_loose_skbs(b), 0);
    bench_fini(b);
    qtest_destroy(q);
}
