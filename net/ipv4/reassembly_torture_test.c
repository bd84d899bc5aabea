/* net/ipv4/reassembly_torture_test.c - random datagrams, cut at random, shuffled, duplicated, overlapping,
 * forged, lost, against a model that knows only the rules (RFC 791 3.2, RFC 8200 4.5's for overlaps): after
 * every single fragment the host has delivered exactly what the model says, or nothing. Afterwards nothing is
 * left.
 *
 * REASSEMBLY_DATAGRAMS in the environment says how many (`make test-long`: 100,000). */
#include "net/ipv4/host_test.h"
#include "net/ipv4/ipv4.h"
#include <stdlib.h>

enum {
    PROTOCOL = 253, /* RFC 3692: nobody's */
    PAYLOAD_MOST = 9000,
    PIECES_MOST = 64,
    BATCH = 6, /* datagrams under way at a time */
    PIECE_MOST = 1480,
    DATAGRAMS = 5000,
    TIMEOUT_SECONDS = 30
};

struct piece {
    unsigned datagram; /* of the batch */
    uint32_t offset, len;
    bool more, forged;
};

/* What a host that keeps to the rules knows of one datagram. */
struct model {
    uint8_t bytes[PAYLOAD_MOST + PIECE_MOST];
    bool have[PAYLOAD_MOST + PIECE_MOST];
    struct {
        uint32_t offset, len;
    } accepted[PIECES_MOST * 2];
    unsigned n_accepted;
    uint32_t total, highest, count; /* bytes: of the whole (0: unknown), the last known, known */
};

struct datagram {
    uint8_t bytes[PAYLOAD_MOST];
    uint32_t len, saddr;
    uint16_t id;
    struct model model;
};

struct torture {
    struct host host;
    struct sock *sk;
    struct datagram datagrams[BATCH];
    struct piece pieces[BATCH * PIECES_MOST * 2];
    unsigned n_pieces, sent, delivered, abandoned;
    uint16_t next_id;
};

static uint32_t below(uint32_t n)
{
    return (uint32_t)(sim_random() % n);
}

/* ---- the model ---- */

static void forget(struct model *m)
{
    memset(m->have, 0, sizeof m->have);
    m->n_accepted = m->total = m->highest = m->count = 0;
}

static bool had_the_same(const struct model *m, uint32_t offset, const uint8_t *bytes, uint32_t len)
{
    for (unsigned i = 0; i < m->n_accepted; i++)
        if (m->accepted[i].offset == offset && m->accepted[i].len == len)
            return !memcmp(m->bytes + offset, bytes, len);
    return false;
}

static bool overlaps(const struct model *m, uint32_t offset, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        if (m->have[offset + i])
            return true;
    return false;
}

static bool contradicts(const struct model *m, uint32_t end, bool more)
{
    if (more)
        return m->total && end >= m->total;
    return (m->total && m->total != end) || m->highest > end;
}

/* A fragment comes. True: the datagram is whole, in m->bytes. */
static bool model_add(struct torture *t, struct model *m, uint32_t offset, const uint8_t *bytes, uint32_t len,
                      bool more)
{
    if (more && len % 8) /* dropped alone */
        return false;
    if (overlaps(m, offset, len)) {
        if (!had_the_same(m, offset, bytes, len)) {
            forget(m);
            t->abandoned++;
        }
        return false;
    }
    if (contradicts(m, offset + len, more)) {
        forget(m);
        t->abandoned++;
        return false;
    }
    if (!more)
        m->total = offset + len;
    memcpy(m->bytes + offset, bytes, len);
    memset(m->have + offset, 1, len);
    m->accepted[m->n_accepted].offset = offset;
    m->accepted[m->n_accepted++].len = len;
    m->highest = MAX(m->highest, offset + len);
    m->count += len;
    return m->total && m->count == m->total;
}

/* ---- what is sent ---- */

static void make_datagram(struct torture *t, struct datagram *d)
{
    d->len = 9 + below(below(4) ? 3000 : PAYLOAD_MOST - 9);
    for (uint32_t i = 0; i < d->len; i++)
        d->bytes[i] = (uint8_t)sim_random();
    d->saddr = ip4(10, 0, 0, (uint8_t)(2 + below(4)));
    d->id = t->next_id++;
    forget(&d->model);
}

static void add_piece(struct torture *t, struct piece p)
{
    if (t->n_pieces < ARRAY_SIZE(t->pieces))
        t->pieces[t->n_pieces++] = p;
}

/* A fragment that should not be: it covers some of what others cover, it lies about the end, it is forged. */
static void add_trouble(struct torture *t, unsigned i)
{
    const struct datagram *d = &t->datagrams[i];
    uint32_t offset = below(d->len / 8 + 1) * 8, len = 1 + below(MIN((uint32_t)PIECE_MOST, d->len));
    bool more = below(4) != 0;

    if (more && below(8))
        len = ROUND_UP(len, 8u);
    len = MIN(len, (uint32_t)PIECE_MOST);
    add_piece(t, (struct piece){ i, offset, len, more, below(2) });
}

static void cut(struct torture *t, unsigned i)
{
    const struct datagram *d = &t->datagrams[i];
    uint32_t most =
        below(3) ? (uint32_t)PIECE_MOST : MAX(8 * (1 + below(40)), d->len / (PIECES_MOST - 2) + 8);
    uint32_t lost = below(4) ? 0 : 1 + below(20); /* percent */

    uint32_t least = d->len / (PIECES_MOST - 4); /* or there would be too many */
    most = MIN(most, (uint32_t)PIECE_MOST - 8);
    for (uint32_t at = 0, n; at < d->len; at += n) {
        n = MAX(1 + below(most), least);
        n = MIN(ROUND_UP(n, 8u), d->len - at);
        struct piece p = { i, at, n, at + n < d->len, false };
        if (below(100) >= lost)
            add_piece(t, p);
        if (!below(12))
            add_piece(t, p); /* twice */
        p.forged = true;
        if (!below(100))
            add_piece(t, p); /* at the same place, but not the same */
    }
    while (!below(4))
        add_trouble(t, i);
}

static void shuffle(struct torture *t)
{
    for (unsigned i = t->n_pieces; i > 1; i--) {
        unsigned j = below(i);
        struct piece p = t->pieces[i - 1];
        t->pieces[i - 1] = t->pieces[j];
        t->pieces[j] = p;
    }
}

/* The bytes of a piece: what the datagram has there, zeroes behind its end, inverted if it is forged. */
static void bytes_of(const struct datagram *d, const struct piece *p, uint8_t *bytes)
{
    for (uint32_t i = 0; i < p->len; i++) {
        uint8_t b = p->offset + i < d->len ? d->bytes[p->offset + i] : 0;
        bytes[i] = p->forged ? (uint8_t)~b : b;
    }
}

/* ---- what is received ---- */

static void expect_whole(struct torture *t, const struct datagram *d)
{
    static uint8_t got[20 + sizeof d->model.bytes];
    ssize_t n = vk_recv(t->sk, got, sizeof got, MSG_DONTWAIT);

    CHECK_EQ(n, 20 + (ssize_t)d->model.total);
    CHECK_EQ(got[2] << 8 | got[3], n);
    CHECK_EQ(got[4] << 8 | got[5], d->id);
    CHECK((got[6] | got[7]) == 0 && frame_sum(got, 20, 0) == 0xffff);
    CHECK(!memcmp(got + 20, d->model.bytes, d->model.total));
}

static void send_piece(struct torture *t, const struct piece *p)
{
    struct datagram *d = &t->datagrams[p->datagram];
    uint8_t bytes[PIECE_MOST], c;
    struct packet packet = to_host(&t->host, PROTOCOL);

    bytes_of(d, p, bytes);
    packet.saddr = d->saddr;
    packet.ip_id = d->id;
    packet.frag_off = (uint16_t)(p->offset / 8 | (p->more ? 0x2000 : 0));
    packet.payload = bytes;
    packet.payload_len = p->len;
    if (!packet.frag_off) /* no fragment at all: another datagram, not the model's business */
        return;
    tap_send(t->host.tap, &packet);
    sim_run_for(us(5));
    t->sent++;
    if (model_add(t, &d->model, p->offset, bytes, p->len, p->more)) {
        expect_whole(t, d);
        t->delivered++;
        forget(&d->model); /* what comes now begins anew */
    }
    CHECK_EQ(vk_recv(t->sk, &c, 1, MSG_DONTWAIT), -EAGAIN);
}

static void expect_nothing_left(struct torture *t)
{
    sim_run_for(sec(TIMEOUT_SECONDS + 1));
    tap_flush(t->host.tap);
    CHECK_EQ(t->host.vk->net->ipv4->frags.memory, 0);
    CHECK(list_empty(&t->host.vk->net->ipv4->frags.oldest_first));
    for (unsigned i = 0; i < FRAG_SOURCES; i++)
        CHECK_EQ(t->host.vk->net->ipv4->frags.sources[i].memory, 0);
}

static void batch(struct torture *t)
{
    t->n_pieces = 0;
    for (unsigned i = 0; i < BATCH; i++) {
        make_datagram(t, &t->datagrams[i]);
        cut(t, i);
    }
    shuffle(t);
    for (unsigned i = 0; i < t->n_pieces; i++)
        send_piece(t, &t->pieces[i]);
    tap_flush(t->host.tap);
    CHECK(t->host.vk->net->ipv4->frags.memory <= t->host.vk->net->ipv4->knobs.frag_memory_max);
}

TEST(reassembly_delivers_exactly_what_was_sent_or_nothing) // RFC 791 3.2, RFC 8200 4.5; checklist 17-22
{
    const char *wanted = getenv("REASSEMBLY_DATAGRAMS");
    unsigned datagrams = wanted ? (unsigned)atoi(wanted) : DATAGRAMS;
    struct torture *t = calloc(1, sizeof *t);

    t->host = host_create();
    CHECK_EQ(sock_create(t->host.vk->net, AF_INET, SOCK_RAW, PROTOCOL, &t->sk), 0);
    CHECK_EQ(net_sysctl_set(t->host.vk->net, "net/ipv4/ipfrag_max_dist", "0"), 0);
    CHECK_EQ(net_sysctl_set(t->host.vk->net, "net/ipv4/ipfrag_source_thresh", "4194304"), 0);
    for (unsigned i = 0; i < datagrams; i += BATCH) {
        batch(t);
        if (i % (40 * BATCH) == 0)
            expect_nothing_left(t);
    }
    expect_nothing_left(t);
    CHECK(t->delivered > datagrams / 3 && t->abandoned > datagrams / 20); /* neither was idle */
    vk_close(t->sk);
    host_destroy(&t->host);
    free(t);
}
