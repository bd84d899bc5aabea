/* sim/dev_model_virtio.c - the card of sim/dev_model_virtio.h: registers, two queues, a FIFO. */
#include "sim/dev_model_virtio.h"
#include "sim/sim.h"
#include <stdlib.h>
#include <string.h>

enum { BAR = 4, BAR_SIZE = 0x4000, COMMON_AT = 0, NOTIFY_AT = 0x1000, CONFIG_AT = 0x2000, MULTIPLIER = 4 };
enum { CAPABILITIES = 0x34, CAP_AT = 0x40, CAP_STEP = 0x20, CAP_VENDOR = 9, COMMAND = 4, MASTER = 1 << 2 };
enum { DRIVER_OK = 4, FEATURES_OK = 8 }; /* 2.1 */
enum { HEADER = sizeof(struct virtio_net_hdr) };

static struct virtio_model *model_of(struct host_device *h)
{
    return container_of(h, struct virtio_model, host);
}

static uint64_t offered(const struct virtio_model *m)
{
    return 1ull << VIRTIO_F_VERSION_1 | 1ull << VIRTIO_NET_F_CSUM | 1ull << VIRTIO_NET_F_MAC |
           1ull << VIRTIO_NET_F_STATUS | (m->no_event_idx ? 0 : 1ull << VIRTIO_F_EVENT_IDX);
}

/* ---- the queues, 2.7: bus addresses are the host's own ---- */

static struct virtq_avail *avail_of(const struct virtio_model_queue *q)
{
    return (struct virtq_avail *)(uintptr_t)q->avail;
}
static struct virtq_used *used_of(const struct virtio_model_queue *q)
{
    return (struct virtq_used *)(uintptr_t)q->used;
}

static void check_usable(const struct virtio_model *m, const struct virtio_model_queue *q)
{
    if (!(m->command & MASTER))
        panic("virtio DMA without bus mastering");
    if (!q->enabled || !(m->status & DRIVER_OK))
        panic("a virtio queue is used before it is enabled and the driver ready");
}

/* The next chain's first descriptor; NULL: none is offered. */
static const struct virtq_desc *next_chain(struct virtio_model *m, struct virtio_model_queue *q,
                                           uint16_t *head)
{
    check_usable(m, q);
    if (q->taken == avail_of(q)->idx)
        return NULL;
    *head = avail_of(q)->ring[q->taken % q->size];
    if (*head >= q->size)
        panic("virtio chain %u of %u", *head, q->size);
    q->taken++;
    return (const struct virtq_desc *)(uintptr_t)q->desc + *head;
}

/* 2.7.10: tell the driver, and ask it, by the words behind the rings. */
static void event_ask(const struct virtio_model *m, struct virtio_model_queue *q)
{
    if (m->accepted >> VIRTIO_F_EVENT_IDX & 1)
        memcpy(&used_of(q)->ring[q->size], &q->taken, sizeof q->taken);
}
static bool event_wanted(const struct virtio_model *m, const struct virtio_model_queue *q, uint16_t before)
{
    uint16_t after = used_of(q)->idx, event;
    if (!(m->accepted >> VIRTIO_F_EVENT_IDX & 1))
        return !(avail_of(q)->flags & VIRTQ_AVAIL_NO_INTERRUPT);
    memcpy(&event, &avail_of(q)->ring[q->size], sizeof event);
    return (uint16_t)(after - event - 1) < (uint16_t)(after - before);
}

static void give_back(struct virtio_model_queue *q, uint16_t head, uint32_t len)
{
    struct virtq_used *u = used_of(q);
    u->ring[u->idx % q->size] = (struct virtq_used_elem){ head, len };
    u->idx++;
}

static void interrupt(struct virtio_model *m, struct virtio_model_queue *q, uint16_t before)
{
    if (used_of(q)->idx == before || !event_wanted(m, q, before) || m->in_interrupt)
        return;
    m->in_interrupt = true;
    m->interrupts++;
    host_device_interrupt(&m->host, q->vector);
    m->in_interrupt = false;
}

/* ---- transmit ---- */

static void send_chain(struct virtio_model *m, struct virtio_model_queue *q, const struct virtq_desc *d)
{
    static uint8_t frame[2 * HEADER + VIRTIO_NET_FRAME_MAX];
    uint32_t len = 0;
    for (;;) {
        if (d->flags & VIRTQ_DESC_WRITE || len + d->len > sizeof frame)
            panic("a virtio chain to send: %u bytes more, flags %x", d->len, d->flags);
        memcpy(frame + len, (const void *)(uintptr_t)d->addr, d->len);
        len += d->len;
        if (!(d->flags & VIRTQ_DESC_NEXT))
            break;
        d = (const struct virtq_desc *)(uintptr_t)q->desc + d->next;
    }
    if (len < HEADER + ETH_HLEN)
        panic("a virtio frame of %u bytes", len);
    m->frames_sent++;
    m->sent(m, frame + HEADER, len - HEADER);
}

static void tx_run(void *arg)
{
    struct virtio_model *m = arg;
    struct virtio_model_queue *q = &m->queues[VIRTIO_NET_QUEUE_TX];
    const struct virtq_desc *d;
    uint16_t head;
    m->tx_event = false;
    if (!q->enabled || m->tx_hangs) /* reset since */
        return;
    uint16_t before = used_of(q)->idx;
    while ((d = next_chain(m, q, &head))) {
        send_chain(m, q, d);
        give_back(q, head, 0);
    }
    event_ask(m, q);
    interrupt(m, q, before);
}

/* ---- receive ---- */

static void deliver(struct virtio_model *m, struct virtio_model_queue *q, const struct virtio_model_frame *f)
{
    uint16_t head;
    const struct virtq_desc *d = next_chain(m, q, &head);
    if (!(d->flags & VIRTQ_DESC_WRITE) || d->flags & VIRTQ_DESC_NEXT || d->len < HEADER + f->len)
        panic("a virtio buffer of %u bytes, flags %x", d->len, d->flags);
    struct virtio_net_hdr h = { .num_buffers = 1 };
    memcpy((void *)(uintptr_t)d->addr, &h, sizeof h);
    memcpy((uint8_t *)(uintptr_t)d->addr + HEADER, f->bytes, f->len);
    give_back(q, head, HEADER + f->len);
    m->frames_delivered++;
}

/* Frames leave the FIFO while there are buffers for them. */
static void rx_run(void *arg)
{
    struct virtio_model *m = arg;
    struct virtio_model_queue *q = &m->queues[VIRTIO_NET_QUEUE_RX];
    m->rx_event = false;
    if (!q->enabled || !(m->status & DRIVER_OK))
        return;
    uint16_t before = used_of(q)->idx;
    while (m->fifo && q->taken != avail_of(q)->idx) {
        struct virtio_model_frame *f = m->fifo;
        m->fifo = f->next;
        if (!m->fifo)
            m->fifo_end = &m->fifo;
        m->fifo_len--;
        deliver(m, q, f);
        free(f);
    }
    event_ask(m, q);
    interrupt(m, q, before);
}

static void run_later(struct virtio_model *m, uint64_t delay, bool *event, void (*run)(void *arg))
{
    if (!delay) {
        run(m);
    } else if (!*event) {
        *event = true;
        sim_at(time_now() + delay, run, m);
    }
}

void virtio_model_receive(struct virtio_model *m, const void *frame, uint32_t len)
{
    if (m->fifo_len == VIRTIO_MODEL_FIFO) {
        m->overruns++;
        return;
    }
    struct virtio_model_frame *f = calloc(1, sizeof *f + len);
    f->len = len;
    memcpy(f->bytes, frame, len);
    *m->fifo_end = f;
    m->fifo_end = &f->next;
    m->fifo_len++;
    run_later(m, m->rx_delay, &m->rx_event, rx_run);
}

/* ---- registers, 4.1.4.3 ---- */

static void reset(struct virtio_model *m)
{
    m->accepted = m->status = 0;
    m->device_select = m->driver_select = m->queue_select = 0;
    for (unsigned i = 0; i < VIRTIO_MODEL_QUEUES; i++)
        m->queues[i] = (struct virtio_model_queue){ .size = m->ring };
}

static uint32_t common_read(struct virtio_model *m, uint32_t at)
{
    const struct virtio_model_queue *q = &m->queues[m->queue_select % VIRTIO_MODEL_QUEUES];
    bool there = m->queue_select < VIRTIO_MODEL_QUEUES;
    switch (at) {
    case 4:
        return (uint32_t)(m->device_select ? offered(m) >> 32 : offered(m));
    case 20:
        return m->status;
    case 24:
        return there ? q->size : 0;
    case 28:
        return there ? q->enabled : 0;
    case 30:
        return m->queue_select;
    default:
        panic("virtio register %u read", at);
    }
}

static void set_status(struct virtio_model *m, uint8_t status)
{
    if (!status)
        reset(m);
    else
        m->status = status;
    if (status & FEATURES_OK && m->accepted & ~offered(m)) /* 3.1.1 6 */
        m->status &= (uint8_t)~FEATURES_OK;
}

static void accept_features(struct virtio_model *m, uint32_t value)
{
    if (m->driver_select)
        m->accepted = (uint32_t)m->accepted | (uint64_t)value << 32;
    else
        m->accepted = m->accepted >> 32 << 32 | value;
}

static void half(uint64_t *word, bool high, uint32_t value)
{
    *word = high ? (uint32_t)*word | (uint64_t)value << 32 : *word >> 32 << 32 | value;
}

static void queue_write(struct virtio_model_queue *q, uint32_t at, uint32_t value)
{
    if (q->enabled)
        panic("a virtio queue is changed while it is enabled");
    if (at == 24)
        q->size = (uint16_t)value;
    else if (at == 26)
        q->vector = (uint16_t)value;
    else if (at == 28)
        q->enabled = (uint16_t)value;
    else if (at >= 32 && at < 56)
        half(at < 40 ? &q->desc : at < 48 ? &q->avail : &q->used, at & 4, value);
    else
        panic("virtio register %u written", at);
}

static void common_write(struct virtio_model *m, uint32_t at, uint32_t value)
{
    switch (at) {
    case 0:
        m->device_select = value;
        break;
    case 8:
        m->driver_select = value;
        break;
    case 12:
        accept_features(m, value);
        break;
    case 16:
        m->config_vector = (uint16_t)value;
        break;
    case 20:
        set_status(m, (uint8_t)value);
        break;
    case 22:
        m->queue_select = (uint16_t)value;
        break;
    default:
        queue_write(&m->queues[m->queue_select % VIRTIO_MODEL_QUEUES], at, value);
    }
}

static void notified(struct virtio_model *m, uint32_t queue)
{
    m->notifications++;
    if (queue == VIRTIO_NET_QUEUE_TX)
        run_later(m, m->tx_delay, &m->tx_event, tx_run);
    else if (m->fifo)
        run_later(m, m->rx_delay, &m->rx_event, rx_run);
}

static uint32_t model_read(struct host_device *h, unsigned bar, uint32_t offset, unsigned width)
{
    static const uint8_t config[8] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56, VIRTIO_NET_S_LINK_UP, 0 }; /* 5.1.4 */
    uint32_t value = 0;
    (void)bar;
    if (offset < NOTIFY_AT)
        return common_read(model_of(h), offset - COMMON_AT);
    if (offset < CONFIG_AT || offset - CONFIG_AT + width > sizeof config)
        panic("virtio read at %x", offset);
    memcpy(&value, config + offset - CONFIG_AT, width);
    return value;
}

static void model_write(struct host_device *h, unsigned bar, uint32_t offset, unsigned width, uint32_t value)
{
    (void)bar, (void)width;
    if (offset < NOTIFY_AT)
        common_write(model_of(h), offset - COMMON_AT, value);
    else if (offset == NOTIFY_AT + value * MULTIPLIER && value < VIRTIO_MODEL_QUEUES)
        notified(model_of(h), value);
    else
        panic("virtio write at %x", offset);
}

/* ---- PCI: three vendor capabilities, 4.1.4 ---- */

static uint32_t capability_read(unsigned i, unsigned word)
{
    static const uint8_t type[] = { 1, 2, 4 };
    static const uint32_t at[] = { COMMON_AT, NOTIFY_AT, CONFIG_AT };
    uint32_t next = i + 1 < ARRAY_SIZE(type) ? CAP_AT + (i + 1) * CAP_STEP : 0;
    const uint32_t words[] = { CAP_VENDOR | next << 8 | 20u << 16 | (uint32_t)type[i] << 24, BAR, at[i],
                               0x1000, MULTIPLIER };
    return word < ARRAY_SIZE(words) ? words[word] : 0;
}

static uint32_t model_config_read(struct host_device *h, unsigned offset)
{
    if (offset == COMMAND)
        return model_of(h)->command;
    if (offset == CAPABILITIES)
        return CAP_AT;
    if (offset >= CAP_AT && offset < CAP_AT + 3 * CAP_STEP)
        return capability_read((offset - CAP_AT) / CAP_STEP, (offset - CAP_AT) % CAP_STEP / 4);
    return 0;
}

static void model_config_write(struct host_device *h, unsigned offset, uint32_t value)
{
    if (offset == COMMAND)
        model_of(h)->command = value;
}

static size_t model_bar_size(struct host_device *h, unsigned bar)
{
    (void)h;
    return bar == BAR ? BAR_SIZE : 0;
}
static int model_msix_enable(struct host_device *h, unsigned n)
{
    (void)h;
    return (int)n;
}
static void model_irq_changed(struct host_device *h, unsigned index)
{
    (void)h, (void)index;
}

static const struct host_device_ops model_ops = {
    .bar_size = model_bar_size,
    .read = model_read,
    .write = model_write,
    .config_read = model_config_read,
    .config_write = model_config_write,
    .msix_enable = model_msix_enable,
    .irq_changed = model_irq_changed,
    .dma_alloc = host_heap_alloc,
    .dma_free = host_heap_free,
    .dma_map = host_heap_map,
};

struct virtio_model *virtio_model_create(void)
{
    struct virtio_model *m = calloc(1, sizeof *m);
    host_device_init(&m->host, &model_ops, "virtio-model", VIRTIO_VENDOR, VIRTIO_NET_MODERN);
    m->fifo_end = &m->fifo;
    m->ring = VIRTIO_MODEL_RING;
    reset(m);
    return m;
}

void virtio_model_destroy(struct virtio_model *m)
{
    if (m->host.live_dma || m->host.bars_mapped)
        panic("the virtio driver left %u pieces of memory and %u mapped BARs", m->host.live_dma,
              m->host.bars_mapped);
    while (m->fifo) {
        struct virtio_model_frame *f = m->fifo;
        m->fifo = f->next;
        free(f);
    }
    free(m);
}
