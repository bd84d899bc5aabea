/* net/packet/bpf_test.c - the checker refuses what could go wrong; the machine does what the paper says;
 * chance finds nothing in between. */
#include "net/packet/bpf.h"
#include "sim/sim.h"
#include "sim/test.h"
#include <stdlib.h>
#include <string.h>

#define N(program) (sizeof(program) / sizeof *(program))

static const uint8_t frame[] = { 2, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 8, 0, 0x46, 0, 0, 99, 0xde, 0xad };

static struct bpf_packet packet(void)
{
    return (struct bpf_packet){ .data = frame,
                                .len = sizeof frame,
                                .mac = frame,
                                .network = frame + 14,
                                .end = frame + sizeof frame,
                                .protocol = 0x800,
                                .pkt_type = 4,
                                .ifindex = 3 };
}

static uint32_t run(const struct sock_filter *program, unsigned n)
{
    struct bpf_packet p = packet();

    CHECK(bpf_check(program, n));
    return bpf_run(program, &p);
}

TEST(bpf_the_usual_filter_for_ip_takes_ip_only) /* tcpdump -dd ip */
{
    struct sock_filter ip[] = {
        { 0x28, 0, 0, 12 }, { 0x15, 0, 1, 0x800 }, { 6, 0, 0, 262144 }, { 6, 0, 0, 0 }
    };

    CHECK_EQ(run(ip, N(ip)), 262144);
    ip[1].k = 0x806;
    CHECK_EQ(run(ip, N(ip)), 0);
}

TEST(bpf_loads_of_all_sizes_and_modes)
{
    static const struct {
        struct sock_filter first, second;
        uint32_t a;
    } rows[] = {
        { { 0x01, 0, 0, 0 }, { 0x20, 0, 0, 16 }, 0x0063dead },
        { { 0x01, 0, 0, 2 }, { 0x40, 0, 0, 14 }, 0x0063dead },
        { { 0x01, 0, 0, 4 }, { 0x48, 0, 0, 8 }, 0x0800 },
        { { 0x01, 0, 0, 1 }, { 0x50, 0, 0, 0 }, 1 },
        { { 0x01, 0, 0, 0 }, { 0x80, 0, 0, 0 }, sizeof frame },
        { { 0xb1, 0, 0, 14 }, { 0x87, 0, 0, 0 }, 24 },
        { { 0x81, 0, 0, 0 }, { 0x87, 0, 0, 0 }, sizeof frame },
        { { 0x00, 0, 0, 7 }, { 0x84, 0, 0, 0 }, -7u },
        { { 0x00, 0, 0, 5 }, { 0x02, 0, 0, 15 }, 5 },
        { { 0x00, 0, 0, 0 }, { 0x28, 0, 0, -0x1000u }, 0x800 },
        { { 0x00, 0, 0, 0 }, { 0x28, 0, 0, -0x1000u + 8 }, 3 },
        { { 0x00, 0, 0, 0 }, { 0x30, 0, 0, -0x100000u }, 0x46 },
        { { 0x00, 0, 0, 0 }, { 0x30, 0, 0, -0x200000u + 1 }, 1 },
    };
    for (unsigned i = 0; i < N(rows); i++) {
        struct sock_filter program[] = { rows[i].first, rows[i].second, { 0x16, 0, 0, 0 } };
        uint32_t a = run(program, N(program));
        if (a != rows[i].a)
            test_fail(__FILE__, __LINE__, "row %u gives %x", i, a);
    }
}

TEST(bpf_arithmetic)
{
    static const struct {
        uint16_t operation;
        uint32_t a, k, result;
    } rows[] = { { 0x04, 7, 5, 12 }, { 0x14, 7, 5, 2 },  { 0x24, 7, 5, 35 }, { 0x34, 7, 2, 3 },
                 { 0x44, 6, 9, 15 }, { 0x54, 6, 12, 4 }, { 0x64, 3, 4, 48 }, { 0x74, 48, 4, 3 },
                 { 0x94, 17, 5, 2 }, { 0xa4, 6, 3, 5 },  { 0x14, 1, 2, -1u } };

    for (unsigned i = 0; i < N(rows); i++) {
        struct sock_filter program[] = { { 0x00, 0, 0, rows[i].a },
                                         { rows[i].operation, 0, 0, rows[i].k },
                                         { 0x16, 0, 0, 0 } };
        CHECK_EQ(run(program, N(program)), rows[i].result);
        struct sock_filter by_x[] = { { 0x01, 0, 0, rows[i].k },
                                      { 0x00, 0, 0, rows[i].a },
                                      { rows[i].operation | 8, 0, 0, 0 },
                                      { 0x16, 0, 0, 0 } };
        CHECK_EQ(run(by_x, N(by_x)), rows[i].result);
    }
}

TEST(bpf_what_lies_beyond_the_packet_ends_the_program)
{
    static const uint32_t offsets[] = { sizeof frame - 3, sizeof frame, 0x7fffffff,
                                        -0x100000u + 4,   -0x300000u,   -0x1000u + 100 };

    for (unsigned i = 0; i < N(offsets); i++) {
        struct sock_filter program[] = { { 0x20, 0, 0, offsets[i] }, { 6, 0, 0, 1 } };
        CHECK_EQ(run(program, N(program)), 0);
    }
    struct sock_filter zero[] = { { 0x01, 0, 0, 0 }, { 0x3c, 0, 0, 0 }, { 6, 0, 0, 1 } };
    CHECK_EQ(run(zero, N(zero)), 0);
}

TEST(bpf_bad_programs_are_refused)
{
    static const struct sock_filter bad[][2] = {
        { { 0x00, 0, 0, 0 }, { 0x00, 0, 0, 0 } }, /* no return */
        { { 0x05, 0, 0, 1 }, { 6, 0, 0, 0 } },    /* jumps out */
        { { 0x05, 0, 0, -1u }, { 6, 0, 0, 0 } },  /* jumps back */
        { { 0x15, 1, 0, 0 }, { 6, 0, 0, 0 } },    /* one arm jumps out */
        { { 0x15, 0, 1, 0 }, { 6, 0, 0, 0 } },    /* the other */
        { { 0x60, 0, 0, 16 }, { 6, 0, 0, 0 } },   /* no such word of memory */
        { { 0x02, 0, 0, 16 }, { 6, 0, 0, 0 } },
        { { 0x03, 0, 0, -1u }, { 6, 0, 0, 0 } },
        { { 0x61, 0, 0, 99 }, { 6, 0, 0, 0 } },
        { { 0x34, 0, 0, 0 }, { 6, 0, 0, 0 } }, /* division by 0 */
        { { 0x94, 0, 0, 0 }, { 6, 0, 0, 0 } },
        { { 0x64, 0, 0, 32 }, { 6, 0, 0, 0 } }, /* a shift too far */
        { { 0xff, 0, 0, 0 }, { 6, 0, 0, 0 } },
        { { 0x1234, 0, 0, 0 }, { 6, 0, 0, 0 } },
        { { 0xb4, 0, 0, 1 }, { 6, 0, 0, 0 } },
        { { 0x55, 0, 0, 0 }, { 6, 0, 0, 0 } },
    };
    const struct sock_filter ret = { 6, 0, 0, 0 };

    for (unsigned i = 0; i < N(bad); i++)
        if (bpf_check(bad[i], 2))
            test_fail(__FILE__, __LINE__, "program %u was accepted", i);
    CHECK(!bpf_check(&ret, 0));
    CHECK(bpf_check(&ret, 1));
    struct sock_filter *big = calloc(BPF_MAX_INSNS + 1, sizeof *big);
    big[BPF_MAX_INSNS] = big[BPF_MAX_INSNS - 1] = ret;
    CHECK(!bpf_check(big, BPF_MAX_INSNS + 1));
    CHECK(bpf_check(big, BPF_MAX_INSNS));
    free(big);
}

TEST(bpf_programs_by_chance_stay_inside) /* ASan and UBSan watch */
{
    struct bpf_packet p = packet();
    unsigned accepted = 0;

    for (int round = 0; round < 200000; round++) {
        struct sock_filter program[6];
        unsigned n = 1 + sim_random() % 6;
        for (unsigned i = 0; i < n; i++)
            program[i] =
                (struct sock_filter){ .code = (uint16_t)(sim_random() & 0xbf),
                                      .jt = sim_random() % 4,
                                      .jf = sim_random() % 4,
                                      .k = sim_chance(500000) ? sim_random() % 40 : (uint32_t)sim_random() };
        if (sim_chance(800000))
            program[n - 1].code = sim_chance(500000) ? 6 : 0x16;
        if (!bpf_check(program, n))
            continue;
        accepted++;
        bpf_run(program, &p);
    }
    CHECK(accepted > 1000);
}
