/* sim/dev_model_e1000.c - the 82540EM as registers, two rings and an interrupt line.
 * The line is a level: while a cause is latched and not masked, the driver's handler is called again. */
#include "sim/dev_model_e1000.h"
#include "lib/checksum.h"
#include "sim/sim.h"
#include <stdlib.h>
#include <string.h>

enum { COMMAND = 4, COMMAND_MASTER = 1 << 2 };
enum { BUFFER_SIZE = 2048, WIRE_MIN = 60, WIRE_MAX = 1518 }; /* without FCS; VLAN tag included */
enum { ANSWERS_AFTER = 3 };                                  /* reads of EERD or MDIC until they are done */
enum { STORM = 1000 }; /* calls of a handler that leaves the line asserted */

static const uint8_t model_mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };

static uint32_t *reg(struct e1000_model *m, uint32_t offset)
{
    return &m->regs[offset / 4];
}

static struct e1000_model *model_of(struct host_device *h)
{
    return container_of(h, struct e1000_model, host);
}

/* ---- interrupts ---- */

static void update_line(struct e1000_model *m)
{
    if (m->in_interrupt) /* the handler is running; whoever called it looks again */
        return;
    m->in_interrupt = true;
    for (unsigned calls = 0; *reg(m, REG_ICR) & m->mask && m->host.irqs[0].handler; calls++) {
        if (calls == STORM)
            panic("the interrupt line stays asserted: causes 0x%x, mask 0x%x", *reg(m, REG_ICR), m->mask);
        m->interrupts++;
        host_device_interrupt(&m->host, 0);
    }
    m->in_interrupt = false;
}

void e1000_model_raise(struct e1000_model *m, uint32_t causes)
{
    *reg(m, REG_ICR) |= causes;
    update_line(m);
}

void e1000_model_set_link(struct e1000_model *m, bool up)
{
    if (m->link == up)
        return;
    m->link = up;
    e1000_model_raise(m, INT_LSC);
}

/* ---- DMA: a bus address is the host's ---- */

static void *dma(struct e1000_model *m, uint64_t address)
{
    if (!(m->command & COMMAND_MASTER))
        panic("DMA while bus mastering is off");
    if (!address)
        panic("DMA to address 0");
    return (void *)(uintptr_t)address;
}

static uint64_t ring_base(struct e1000_model *m, uint32_t low)
{
    return *reg(m, low) | (uint64_t)*reg(m, low + 4) << 32;
}

/* ---- receive ---- */

static bool rx_on(struct e1000_model *m)
{
    return *reg(m, REG_RCTL) & RCTL_EN && m->link;
}

static unsigned rx_buffers(struct e1000_model *m)
{
    unsigned n = *reg(m, REG_RDLEN) / sizeof(struct e1000_rx_desc);
    return n ? (*reg(m, REG_RDT) + n - *reg(m, REG_RDH)) % n : 0;
}

static bool rx_wanted(struct e1000_model *m, const uint8_t *frame)
{
    uint32_t rctl = *reg(m, REG_RCTL), low = *reg(m, REG_RAL0), high = *reg(m, REG_RAH0);
    static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

    if (!memcmp(frame, broadcast, 6))
        return rctl & RCTL_BAM;
    if (frame[0] & 1) { /* SDM 13.5.1, RCTL.MO = 0 */
        uint32_t bit = ((uint32_t)(frame[5] << 8 | frame[4]) >> 4) & 0xfff;
        return rctl & RCTL_MPE || *reg(m, REG_MTA + bit / 32 * 4) >> bit % 32 & 1;
    }
    return rctl & RCTL_UPE || (high & RAH_AV && !memcmp(frame, &low, 4) && !memcmp(frame + 4, &high, 2));
}

/* Write one buffer's worth of the frame back into the descriptor at the head. */
static void rx_write_back(struct e1000_model *m, const uint8_t *bytes, uint32_t len, bool end)
{
    uint32_t head = *reg(m, REG_RDH), n = *reg(m, REG_RDLEN) / sizeof(struct e1000_rx_desc);
    struct e1000_rx_desc *d = (struct e1000_rx_desc *)dma(m, ring_base(m, REG_RDBAL)) + head;

    if (d->status & RXD_DD)
        panic("receive descriptor %u is handed over with DD set", head);
    memcpy(dma(m, d->addr), bytes, len);
    struct e1000_rx_desc done = { .addr = d->addr, .length = (uint16_t)len };
    done.status = (uint8_t)(RXD_DD | (end ? RXD_EOP : 0));
    if (m->rx_damage)
        m->rx_damage(m, &done);
    *d = done;
    *reg(m, REG_RDH) = (head + 1) % n;
}

static void rx_deliver(struct e1000_model *m, const struct model_frame *f)
{
    for (uint32_t at = 0; at < f->len; at += BUFFER_SIZE) {
        uint32_t piece = MIN(f->len - at, (uint32_t)BUFFER_SIZE);
        rx_write_back(m, f->bytes + at, piece, at + piece == f->len);
    }
    m->frames_delivered++;
}

/* Frames leave the FIFO while there are descriptors for them. */
static void rx_run(void *arg)
{
    struct e1000_model *m = arg;
    bool any = false;

    m->rx_event = false;
    while (m->fifo && rx_on(m) && rx_buffers(m) * BUFFER_SIZE >= m->fifo->len) {
        struct model_frame *f = m->fifo;
        m->fifo = f->next;
        if (!m->fifo)
            m->fifo_end = &m->fifo;
        m->fifo_len--;
        rx_deliver(m, f);
        free(f);
        any = true;
    }
    if (any)
        e1000_model_raise(m, INT_RXT0);
}

static void rx_kick(struct e1000_model *m)
{
    if (!m->rx_delay) {
        rx_run(m);
    } else if (!m->rx_event) {
        m->rx_event = true;
        sim_at(time_now() + m->rx_delay, rx_run, m);
    }
}

static void fifo_add(struct e1000_model *m, const void *frame, uint32_t len)
{
    struct model_frame *f = calloc(1, sizeof *f + MAX(len, (uint32_t)WIRE_MIN));

    f->len = MAX(len, (uint32_t)WIRE_MIN); /* shorter ones are padded by their sender */
    memcpy(f->bytes, frame, len);
    *m->fifo_end = f;
    m->fifo_end = &f->next;
    m->fifo_len++;
}

void e1000_model_receive(struct e1000_model *m, const void *frame, uint32_t len)
{
    if (!rx_on(m) || !rx_wanted(m, frame))
        return;
    if (len > WIRE_MAX && !m->long_frames) {
        ++*reg(m, REG_ROC);
        return;
    }
    if (m->fifo_len == MODEL_FIFO) {
        ++*reg(m, REG_MPC);
        e1000_model_raise(m, INT_RXO);
        return;
    }
    fifo_add(m, frame, len);
    rx_kick(m);
}

/* ---- transmit ---- */

static void tx_context(struct e1000_model *m, const struct e1000_tx_desc *d)
{
    m->contexts++;
    m->context.tucss = d->context.tucss;
    m->context.tucso = d->context.tucso;
    if (d->context.tucse)
        panic("a checksum that ends before the packet's end");
}

/* Sum from TUCSS to the end, store it at TUCSO (SDM 3.5.8). */
static void tx_insert_checksum(struct e1000_model *m)
{
    if (m->context.tucso + 2u > m->tx_len || m->context.tucss > m->tx_len)
        panic("checksum at %u, from %u, in a frame of %u", m->context.tucso, m->context.tucss, m->tx_len);
    csum_t sum = csum_partial(m->tx_frame + m->context.tucss, m->tx_len - m->context.tucss, 0);
    be16 check = csum_fold(sum);
    memcpy(m->tx_frame + m->context.tucso, &check, sizeof check);
}

static void tx_send(struct e1000_model *m)
{
    if (m->tx_sum)
        tx_insert_checksum(m);
    if (m->tx_len < WIRE_MIN && *reg(m, REG_TCTL) & TCTL_PSP) {
        memset(m->tx_frame + m->tx_len, 0, WIRE_MIN - m->tx_len);
        m->tx_len = WIRE_MIN;
    }
    m->frames_sent++;
    if (m->sent && m->link)
        m->sent(m, m->tx_frame, m->tx_len);
    m->tx_len = 0;
}

static void tx_data(struct e1000_model *m, const struct e1000_tx_desc *d)
{
    uint32_t len = d->cmd_len & 0xfffff;

    if (!len || m->tx_len + len > MODEL_FRAME_MAX || !(d->cmd_len & TXD_IFCS))
        panic("transmit descriptor of %u bytes, command 0x%x", len, d->cmd_len >> 24);
    if (!m->tx_len) /* the first piece's options count */
        m->tx_sum = d->popts & TXD_POPTS_TXSM;
    memcpy(m->tx_frame + m->tx_len, dma(m, d->addr), len);
    m->tx_len += len;
    if (d->cmd_len & TXD_EOP)
        tx_send(m);
}

static void tx_descriptor(struct e1000_model *m, struct e1000_tx_desc *d)
{
    if (!(d->cmd_len & TXD_DEXT) || d->status)
        panic("transmit descriptor: command 0x%x, status 0x%x", d->cmd_len, d->status);
    if (d->cmd_len & TXD_TYPE_DATA)
        tx_data(m, d);
    else
        tx_context(m, d);
    if (d->cmd_len & TXD_RS)
        d->status = TXD_DD;
}

static void tx_kick(struct e1000_model *m);

/* Send one descriptor (each takes tx_delay), or all when there is no delay. */
static void tx_run(void *arg)
{
    struct e1000_model *m = arg;
    uint32_t n = *reg(m, REG_TDLEN) / sizeof(struct e1000_tx_desc);

    m->tx_event = false;
    if (m->tx_hangs || !(*reg(m, REG_TCTL) & TCTL_EN) || *reg(m, REG_TDH) == *reg(m, REG_TDT))
        return;
    do {
        uint32_t head = *reg(m, REG_TDH);
        *reg(m, REG_TDH) = (head + 1) % n;
        tx_descriptor(m, (struct e1000_tx_desc *)dma(m, ring_base(m, REG_TDBAL)) + head);
    } while (!m->tx_delay && *reg(m, REG_TDH) != *reg(m, REG_TDT));
    e1000_model_raise(m, INT_TXDW);
    tx_kick(m);
}

static void tx_kick(struct e1000_model *m)
{
    if (!m->tx_delay) {
        tx_run(m);
    } else if (!m->tx_event && *reg(m, REG_TDH) != *reg(m, REG_TDT)) {
        m->tx_event = true;
        sim_at(time_now() + m->tx_delay, tx_run, m);
    }
}

/* ---- registers ---- */

static void reset(struct e1000_model *m)
{
    memset(m->regs, 0, sizeof m->regs);
    m->mask = 0;
    m->tx_len = 0;
    *reg(m, REG_RAL0) = model_mac[0] | model_mac[1] << 8 | model_mac[2] << 16 | (uint32_t)model_mac[3] << 24;
    *reg(m, REG_RAH0) = model_mac[4] | (uint32_t)model_mac[5] << 8 | RAH_AV;
    if (m->reset_hangs)
        *reg(m, REG_CTRL) = CTRL_RST;
}

static uint32_t read_eerd(struct e1000_model *m)
{
    uint32_t word = *reg(m, REG_EERD) >> EERD_ADDR_SHIFT & 0xff;

    if (m->eeprom_dead || ++m->eerd_reads < ANSWERS_AFTER || word >= EEPROM_WORDS)
        return *reg(m, REG_EERD) & ~(uint32_t)EERD_DONE;
    return (uint32_t)m->eeprom[word] << EERD_DATA_SHIFT | word << EERD_ADDR_SHIFT | EERD_DONE;
}

static uint32_t read_mdic(struct e1000_model *m)
{
    uint32_t mdic = *reg(m, REG_MDIC);

    if (++m->mdic_reads < ANSWERS_AFTER)
        return mdic & ~(uint32_t)MDIC_READY;
    if (mdic & MDIC_OP_READ)
        mdic = (mdic & 0xffff0000) | m->phy_ctrl;
    else
        m->phy_ctrl = (uint16_t)(mdic & ~(uint32_t)PHY_CTRL_RESTART_AUTONEG);
    return mdic | MDIC_READY;
}

static uint32_t read_status(struct e1000_model *m)
{
    bool awake = !(m->phy_ctrl & PHY_CTRL_POWER_DOWN) && *reg(m, REG_CTRL) & CTRL_SLU;
    return STATUS_FD | 2 << STATUS_SPEED_SHIFT | (m->link && awake ? STATUS_LU : 0);
}

static bool clears_on_read(uint32_t offset)
{
    return offset == REG_ICR || (offset >= 0x4000 && offset < 0x4100);
}

static uint32_t model_read(struct host_device *h, unsigned bar, uint32_t offset, unsigned width)
{
    struct e1000_model *m = model_of(h);

    (void)bar;
    if (width != 4)
        panic("a register is read %u bytes wide", width);
    if (offset == REG_EERD)
        return read_eerd(m);
    if (offset == REG_MDIC)
        return read_mdic(m);
    if (offset == REG_STATUS)
        return read_status(m);
    uint32_t value = *reg(m, offset);
    if (clears_on_read(offset))
        *reg(m, offset) = 0;
    return value;
}

static void check_ring(struct e1000_model *m, uint32_t offset, uint32_t value)
{
    bool base = offset == REG_RDBAL || offset == REG_TDBAL,
         length = offset == REG_RDLEN || offset == REG_TDLEN;
    uint32_t size = offset == REG_RDT ? *reg(m, REG_RDLEN) : *reg(m, REG_TDLEN);

    if ((base && value % 16) || (length && value % 128))
        panic("register 0x%x = 0x%x: not aligned", offset, value);
    if ((offset == REG_RDT || offset == REG_TDT) && value && value >= size / 16)
        panic("register 0x%x = %u: beyond the ring", offset, value);
}

static void model_write(struct host_device *h, unsigned bar, uint32_t offset, unsigned width, uint32_t value)
{
    struct e1000_model *m = model_of(h);

    (void)bar;
    if (width != 4)
        panic("a register is written %u bytes wide", width);
    check_ring(m, offset, value);
    if (offset != REG_IMS && offset != REG_IMC)
        *reg(m, offset) = value;
    switch (offset) {
    case REG_CTRL:
        if (value & CTRL_RST)
            reset(m);
        break;
    case REG_EERD:
        m->eerd_reads = 0;
        break;
    case REG_MDIC:
        m->mdic_reads = 0;
        break;
    case REG_IMS:
        m->mask |= value;
        update_line(m);
        break;
    case REG_IMC:
        m->mask &= ~value;
        break;
    case REG_RCTL:
        m->rctl_writes++;
        rx_kick(m);
        break;
    case REG_RDT:
        m->tail_writes_rx++;
        rx_kick(m);
        break;
    case REG_TDT:
        m->tail_writes_tx++;
        tx_kick(m);
        break;
    }
}

/* ---- the bus ---- */

static size_t model_bar_size(struct host_device *h, unsigned bar)
{
    (void)h;
    return bar == E1000_BAR_REGISTERS ? E1000_REGISTERS_SIZE : 0;
}

static uint32_t model_config_read(struct host_device *h, unsigned offset)
{
    return offset == COMMAND ? model_of(h)->command : 0;
}

static void model_config_write(struct host_device *h, unsigned offset, uint32_t value)
{
    if (offset == COMMAND)
        model_of(h)->command = value;
}

static void model_irq_changed(struct host_device *h, unsigned index)
{
    (void)index;
    update_line(model_of(h));
}

static const struct host_device_ops model_ops = {
    .bar_size = model_bar_size,
    .read = model_read,
    .write = model_write,
    .config_read = model_config_read,
    .config_write = model_config_write,
    .irq_changed = model_irq_changed,
    .dma_alloc = host_heap_alloc,
    .dma_free = host_heap_free,
    .dma_map = host_heap_map,
};

struct e1000_model *e1000_model_create(void)
{
    struct e1000_model *m = calloc(1, sizeof *m);
    uint16_t sum = 0;

    host_device_init(&m->host, &model_ops, "model", E1000_VENDOR_INTEL, E1000_DEVICE_82540EM);
    m->fifo_end = &m->fifo;
    m->link = true;
    m->phy_ctrl = PHY_CTRL_AUTONEG;
    memcpy(m->eeprom, model_mac, sizeof model_mac);
    for (unsigned i = 0; i < EEPROM_WORDS - 1; i++)
        sum = (uint16_t)(sum + m->eeprom[i]);
    m->eeprom[EEPROM_WORDS - 1] = (uint16_t)(EEPROM_SUM - sum);
    reset(m);
    return m;
}

void e1000_model_destroy(struct e1000_model *m)
{
    if (m->host.live_dma || m->host.bars_mapped || m->host.irqs[0].handler || m->command & COMMAND_MASTER)
        panic("the driver left %u pieces of DMA memory, %u BARs, %s irq, bus mastering %s", m->host.live_dma,
              m->host.bars_mapped, m->host.irqs[0].handler ? "an" : "no",
              m->command & COMMAND_MASTER ? "on" : "off");
    while (m->fifo) {
        struct model_frame *f = m->fifo;
        m->fifo = f->next;
        free(f);
    }
    free(m);
}
