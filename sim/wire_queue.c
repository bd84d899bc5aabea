/* sim/wire_queue.c - drop-tail, RED and CoDel. All chance is the simulation's. */
#include "sim/wire_queue.h"
#include "sim/sim.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

void wire_queue_init(struct wire_queue *q)
{
    *q = (struct wire_queue){ .length = 0 };
    list_init(&q->frames);
}

static struct queued_frame *pop(struct wire_queue *q)
{
    struct queued_frame *f = list_first_entry(&q->frames, struct queued_frame, link);

    if (!f)
        return NULL;
    list_del(&f->link);
    q->length--;
    return f;
}

static void drop(struct wire_queue *q, struct queued_frame *f)
{
    q->drops++;
    free(f);
}

void wire_queue_purge(struct wire_queue *q)
{
    struct queued_frame *f;

    while ((f = pop(q)))
        free(f);
}

/* ---- RED: Floyd and Jacobson, "Random Early Detection Gateways for Congestion Avoidance", 1993 ---- */

static const double RED_WEIGHT = 0.002;        /* section 6 there */
static const uint64_t RED_IDLE_STEP = us(100); /* a frame that could have been sent while nothing came */

static void red_update_average(struct wire_queue *q)
{
    if (q->length == 0) {
        double steps = (double)(time_now() - q->red_idle_since) / (double)RED_IDLE_STEP;
        q->red_average *= pow(1 - RED_WEIGHT, steps);
        q->red_idle_since = time_now();
    } else {
        q->red_average += RED_WEIGHT * (q->length - q->red_average);
    }
}

static bool red_drops(struct wire_queue *q, const struct wire_queue_config *c)
{
    double least = c->red_min ? c->red_min : c->limit / 4.0;
    double most = c->red_max ? c->red_max : c->limit * 3 / 4.0;
    double chance = (c->red_chance ? c->red_chance : 100000) / 1e6;

    red_update_average(q);
    if (q->red_average < least) {
        q->red_since_drop = 0;
        return false;
    }
    q->red_since_drop++;
    if (q->red_average < most) {
        chance *= (q->red_average - least) / (most - least);
        double spread = 1 - q->red_since_drop * chance; /* drops are spread evenly over the frames */
        chance = spread > chance ? chance / spread : 1;
        if (!sim_chance((uint32_t)(chance * 1e6)))
            return false;
    }
    q->red_since_drop = 0;
    return true;
}

/* RFC 3168 5, 9.1.1: congestion experienced, told by a mark where the sender has said that it heeds one. The
 * header's sum changes by as much as its word does (RFC 1624 3). */
static void mark(uint8_t *frame, size_t n)
{
    enum { ETHER = 14, IP_MIN = 20, TOS = ETHER + 1, SUM = ETHER + 10, CE = 3 };
    bool ipv4 = n >= ETHER + IP_MIN && frame[12] == 0x08 && frame[13] == 0;

    if (!ipv4 || !(frame[TOS] & CE) || (frame[TOS] & CE) == CE)
        return;
    uint32_t more = (uint32_t)(~frame[TOS] & CE);
    uint32_t sum = (uint16_t) ~(frame[SUM] << 8 | frame[SUM + 1]) + more;
    frame[TOS] |= CE;
    sum = ~((sum & 0xffff) + (sum >> 16));
    frame[SUM] = (uint8_t)(sum >> 8);
    frame[SUM + 1] = (uint8_t)sum;
}

void wire_queue_put(struct wire_queue *q, const struct wire_queue_config *c, const uint8_t *frame, size_t n)
{
    struct queued_frame *f;

    if ((c->discipline == WIRE_RED && red_drops(q, c)) || q->length >= c->limit) {
        q->drops++;
        return;
    }
    f = malloc(sizeof *f + n);
    if (!f)
        panic("no memory for a frame that waits");
    f->since = time_now();
    f->n = n;
    memcpy(f->bytes, frame, n);
    if (c->mark_above && q->length > c->mark_above)
        mark(f->bytes, n);
    list_add_tail(&f->link, &q->frames);
    q->length++;
}

/* ---- CoDel: RFC 8289 5 ---- */

enum { MTU_FRAME = 1514 };

static uint64_t codel_interval(const struct wire_queue_config *c)
{
    return c->codel_interval ? c->codel_interval : ms(100);
}

/* RFC 8289 5.3: the time of the next drop comes nearer with the square root of their count. */
static uint64_t control_law(uint64_t t, const struct wire_queue_config *c, uint32_t count)
{
    return t + (uint64_t)((double)codel_interval(c) / sqrt(count));
}

/* RFC 8289 5.6, dodequeue: the next frame, and whether frames have stayed too long for a whole interval. */
static struct queued_frame *codel_pop(struct wire_queue *q, const struct wire_queue_config *c,
                                      bool *ok_to_drop)
{
    uint64_t target = c->codel_target ? c->codel_target : ms(5), now = time_now();
    struct queued_frame *f = pop(q);

    *ok_to_drop = false;
    if (!f || now - f->since < target || q->length * MTU_FRAME <= MTU_FRAME) {
        q->codel_first_above = 0;
        return f;
    }
    if (!q->codel_first_above)
        q->codel_first_above = now + codel_interval(c);
    else
        *ok_to_drop = now >= q->codel_first_above;
    return f;
}

/* RFC 8289 5.5, in the dropping state. */
static struct queued_frame *codel_go_on_dropping(struct wire_queue *q, const struct wire_queue_config *c,
                                                 struct queued_frame *f, bool ok_to_drop)
{
    if (!ok_to_drop)
        q->codel_dropping = false;
    while (q->codel_dropping && time_now() >= q->codel_next_drop) {
        drop(q, f);
        q->codel_count++;
        f = codel_pop(q, c, &ok_to_drop);
        if (ok_to_drop)
            q->codel_next_drop = control_law(q->codel_next_drop, c, q->codel_count);
        else
            q->codel_dropping = false;
    }
    return f;
}

/* RFC 8289 5.5: enter the dropping state with the rate of the last time, if that was a short while ago. */
static struct queued_frame *codel_begin_dropping(struct wire_queue *q, const struct wire_queue_config *c,
                                                 struct queued_frame *f)
{
    uint32_t delta = q->codel_count - q->codel_last_count;
    bool ok_to_drop;

    drop(q, f);
    f = codel_pop(q, c, &ok_to_drop);
    q->codel_dropping = true;
    q->codel_count = delta > 1 && time_now() - q->codel_next_drop < 16 * codel_interval(c) ? delta : 1;
    q->codel_next_drop = control_law(time_now(), c, q->codel_count);
    q->codel_last_count = q->codel_count;
    return f;
}

struct queued_frame *wire_queue_take(struct wire_queue *q, const struct wire_queue_config *c)
{
    struct queued_frame *f;
    bool ok_to_drop;

    if (c->discipline != WIRE_CODEL) {
        f = pop(q);
        if (q->length == 0)
            q->red_idle_since = time_now();
        return f;
    }
    f = codel_pop(q, c, &ok_to_drop);
    if (q->codel_dropping)
        return codel_go_on_dropping(q, c, f, ok_to_drop);
    return ok_to_drop ? codel_begin_dropping(q, c, f) : f;
}
