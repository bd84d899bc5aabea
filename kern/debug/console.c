/* kern/debug/console.c - the serial ports (16550A), COM1 and COM2.
 *
 * Output is polled: a model's transmitter is empty again at once, and bytes are never lost, whatever the
 * context. Input is interrupt-driven: the hard irq only masks the port's receiver; a tasklet empties the
 * FIFO, hands the bytes on and unmasks. Meanwhile more bytes wait in the FIFO, and behind it their sender. */
#include "kern/debug/console.h"
#include "kern/cpu/cpu.h"
#include "kern/debug/debug.h"
#include "kern/irq/irq.h"
#include "kern/sched/spinlock.h"
#include "net/port.h"

enum { /* National Semiconductor PC16550D, table II */
       REG_DATA = 0,
       REG_DIVISOR_LOW = 0,
       REG_IER = 1,
       REG_DIVISOR_HIGH = 1,
       REG_FCR = 2,
       REG_LCR = 3,
       REG_MCR = 4,
       REG_LSR = 5,
       REG_SCRATCH = 7,
       IER_RECEIVED = 1 << 0,
       FCR_ENABLE_AND_CLEAR = 0x07,
       LCR_8N1 = 0x03,
       LCR_DIVISOR_ACCESS = 1 << 7,
       MCR_DTR_RTS_OUT2 = 0x0b, /* OUT2 gates the interrupt line on a PC */
       LSR_DATA_READY = 1 << 0,
       LSR_TRANSMITTER_EMPTY = 1 << 5,
       LSR_ALL_SENT = 1 << 6,
       FIFO_SIZE = 16,
       BURST = 512 /* bytes under one hold of the lock, so that a line stays whole */
};

struct serial_port {
    uint16_t base;
    uint8_t isa_irq;
    bool present;
    struct tasklet input;
    void (*receiver)(unsigned port, const uint8_t *bytes, size_t n);
    struct spinlock lock; /* the transmitter */
};
static struct serial_port ports[SERIAL_PORTS] = {
    { .base = 0x3f8, .isa_irq = 4, .lock = SPINLOCK_INIT("COM1", RANK_CONSOLE) },
    { .base = 0x2f8, .isa_irq = 3, .lock = SPINLOCK_INIT("COM2", RANK_CONSOLE) },
};

static void port_init(struct serial_port *p)
{
    outb(p->base + REG_SCRATCH, 0x5a);
    p->present = inb(p->base + REG_SCRATCH) == 0x5a;
    outb(p->base + REG_IER, 0);
    outb(p->base + REG_LCR, LCR_DIVISOR_ACCESS);
    outb(p->base + REG_DIVISOR_LOW, 1); /* 115,200 baud */
    outb(p->base + REG_DIVISOR_HIGH, 0);
    outb(p->base + REG_LCR, LCR_8N1);
    outb(p->base + REG_FCR, FCR_ENABLE_AND_CLEAR);
    outb(p->base + REG_MCR, MCR_DTR_RTS_OUT2);
}

void console_init(void)
{
    for (unsigned i = 0; i < SERIAL_PORTS; i++)
        port_init(&ports[i]);
}

/* ---- output ---- */

static void transmit(struct serial_port *p, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        while (i % FIFO_SIZE == 0 && !(inb(p->base + REG_LSR) & LSR_TRANSMITTER_EMPTY))
            cpu_relax();
        outb(p->base + REG_DATA, s[i]);
    }
}

void serial_write(unsigned port, const char *s, size_t n)
{
    struct serial_port *p = &ports[port];
    if (!p->present)
        return;
    while (n > 0) {
        size_t burst = MIN(n, (size_t)BURST);
        if (panicking()) {
            transmit(p, s, burst);
        } else {
            uint64_t flags = spin_lock(&p->lock);
            transmit(p, s, burst);
            spin_unlock(&p->lock, flags);
        }
        s += burst;
        n -= burst;
    }
}

void serial_drain(void)
{
    for (unsigned i = 0; i < SERIAL_PORTS; i++)
        for (unsigned tries = 0; ports[i].present && tries < 100000; tries++)
            if (inb(ports[i].base + REG_LSR) & LSR_ALL_SENT)
                break;
}

/* ---- input ---- */

static bool serial_interrupt(void *arg)
{
    struct serial_port *p = arg;
    if (!(inb(p->base + REG_LSR) & LSR_DATA_READY))
        return false;
    outb(p->base + REG_IER, 0);
    tasklet_schedule(&p->input);
    return true;
}

static void serial_input(struct tasklet *t)
{
    struct serial_port *p = container_of(t, struct serial_port, input);
    uint8_t bytes[64];
    size_t n = 0;
    while (n < sizeof bytes && inb(p->base + REG_LSR) & LSR_DATA_READY)
        bytes[n++] = inb(p->base + REG_DATA);
    if (n > 0 && READ_ONCE(p->receiver))
        p->receiver(p - ports, bytes, n);
    outb(p->base + REG_IER, IER_RECEIVED); /* more by now: a new edge */
}

void serial_irq_init(void)
{
    static const char *const names[SERIAL_PORTS] = { "COM1", "COM2" };
    for (unsigned i = 0; i < SERIAL_PORTS; i++) {
        struct serial_port *p = &ports[i];
        if (!p->present)
            continue;
        bool level, low;
        unsigned gsi = irq_isa_gsi(p->isa_irq, &level, &low);
        tasklet_init(&p->input, serial_input);
        int err = irq_request_gsi(gsi, level, low, serial_interrupt, p, names[i]);
        if (err)
            klog(LOG_ERROR, "%s: no interrupt (%d), no input", names[i], err);
        else
            outb(p->base + REG_IER, IER_RECEIVED);
    }
}

void serial_set_receiver(unsigned port, void (*fn)(unsigned port, const uint8_t *bytes, size_t n))
{
    WRITE_ONCE(ports[port].receiver, fn);
}
