/* sim/fuzz/segments/generate.c - stories by chance. What nearly fits goes deeper than what is any number:
 * most segments have the numbers that the connection expects, or such as lie just beside them. */
#include "lib/compiler.h"
#include "sim/fuzz/segments/story.h"

uint32_t chance_next(uint64_t *chance) /* SplitMix64 (Steele, Lea and Flood, 2014) */
{
    uint64_t z = *chance += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (uint32_t)((z ^ z >> 31) >> 32);
}

static bool one_in(uint64_t *chance, unsigned n)
{
    return chance_next(chance) % n == 0;
}

/* One of n values, each as likely as it is often in the list. */
#define ONE_OF(chance, ...)                                                                                  \
    (((const uint32_t[]){ __VA_ARGS__ })[chance_next(chance) %                                               \
                                         (sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))])

struct start story_chance_start(uint64_t *chance)
{
    return (struct start){
        .state = (uint8_t)(one_in(chance, 3) ? START_ESTABLISHED : chance_next(chance) % START_STATES),
        .matter = (uint8_t)(chance_next(chance) % MATTERS),
        .switches = (uint8_t)(one_in(chance, 2) ? 0 : chance_next(chance) & chance_next(chance)),
        .user = (uint8_t)(chance_next(chance) & chance_next(chance) & chance_next(chance)),
        .peer = (uint8_t)(one_in(chance, 2) ? 0x1f : chance_next(chance)),
        .cong = (uint8_t)chance_next(chance),
        .ecn = (uint8_t)ONE_OF(chance, 0, 1, 2),
        .peer_scale = (uint8_t)ONE_OF(chance, 0, 2, 7, 7, 14, 15),
        .mss = (uint16_t)ONE_OF(chance, 1460, 1460, 1460, 536, 536, 100, 0, 64, 9000, 65535),
        .window = (uint16_t)ONE_OF(chance, 65535, 65535, 20000, 3000, 500, 1, 0),
        .iss = one_in(chance, 2) ? 0u - chance_next(chance) % 5000 : chance_next(chance),
    };
}

static uint16_t chance_len(uint64_t *chance)
{
    return (uint16_t)ONE_OF(chance, 0, 0, 0, 0, 0, 0, 1, 2, 10, 100, 536, 1000, 1460, 1448, 1460,
                            chance_next(chance) % 1461);
}

static int16_t chance_delta(uint64_t *chance)
{
    switch (chance_next(chance) % 8) {
    case 0:
        return (int16_t)(chance_next(chance) % 9) - 4;
    case 1:
        return (int16_t)(chance_next(chance) % 41) - 20;
    case 2:
        return (int16_t)chance_next(chance);
    default:
        return 0;
    }
}

static uint8_t chance_flags(uint64_t *chance)
{
    return (uint8_t)ONE_OF(chance, ACK, ACK, ACK, ACK, ACK, ACK, ACK, ACK, PSH | ACK, PSH | ACK, FIN | ACK,
                           FIN | ACK, FIN | PSH | ACK, SYN, SYN, SYN | ACK, RST, RST | ACK, ACK | ECE,
                           ACK | CWR, SYN | ECE | CWR, ACK | URG, ACK | PSH | URG, chance_next(chance));
}

static void chance_segment(struct action *a, uint64_t *chance)
{
    a->flags = chance_flags(chance);
    a->seq_base = (uint8_t)(ONE_OF(chance, SEQ_RCV_NXT, SEQ_RCV_NXT, SEQ_RCV_NXT, SEQ_PEER_NEXT,
                                   SEQ_PEER_NEXT, SEQ_RIGHT_EDGE, SEQ_IRS) |
                            (one_in(chance, 12) ? chance_next(chance) << 4 : 0));
    a->ack_base = (uint8_t)(ONE_OF(chance, ACK_SND_UNA, ACK_SND_UNA, ACK_SND_NXT, ACK_SND_NXT, ACK_BUFFER,
                                   ACK_WRITE_SEQ, ACK_ISS) |
                            (one_in(chance, 6) ? chance_next(chance) << 4 : 0));
    a->seq = chance_delta(chance);
    a->ack = chance_delta(chance);
    a->unit = (uint8_t)ONE_OF(chance, 0, 0, 0, 1, 1, 2, 3);
    a->len = chance_len(chance);
    a->options = (uint8_t)ONE_OF(chance, 0, 0, 0, 0, WITH_SACK, WITH_SACK, WITH_SACK, WITH_DSACK | WITH_SACK,
                                 WITH_DSACK, WITH_MARK, WITH_SYN_OPTIONS, chance_next(chance));
}

struct action story_chance_action(uint64_t *chance)
{
    struct action a = {
        .kind = (uint8_t)ONE_OF(chance, ACT_SEGMENT, ACT_SEGMENT, ACT_SEGMENT, ACT_SEGMENT, ACT_SEGMENT,
                                ACT_SEGMENT, ACT_SEGMENT, ACT_SEGMENT, ACT_SEGMENT, ACT_SEGMENT, ACT_TIME,
                                ACT_TIME, ACT_WRITE, ACT_WRITE, ACT_READ, ACT_END, ACT_OPTION, ACT_CALL,
                                ACT_ICMP, one_in(chance, 3) ? ACT_MEMORY : ACT_READ),
        .window = (uint16_t)ONE_OF(chance, 65535, 65535, 20000, 3000, 0, chance_next(chance)),
        .a = (uint8_t)chance_next(chance),
        .b = (uint8_t)chance_next(chance),
        .flags = (uint8_t)chance_next(chance),
        .len = (uint16_t)chance_next(chance),
    };

    if (a.kind == ACT_SEGMENT)
        chance_segment(&a, chance);
    return a;
}

void story_chance(struct story *s, uint64_t *chance)
{
    s->start = story_chance_start(chance);
    s->n = 8 + chance_next(chance) % (ACTIONS_MOST - 8);
    for (unsigned i = 0; i < s->n; i++)
        s->actions[i] = story_chance_action(chance);
}

void story_change_action(struct action *a, uint64_t *chance)
{
    struct action other = story_chance_action(chance);

    switch (chance_next(chance) % 11) {
    case 0:
        a->flags = chance_flags(chance);
        break;
    case 1:
        a->flags ^= (uint8_t)(1u << chance_next(chance) % 8);
        break;
    case 2:
        a->seq_base = (uint8_t)chance_next(chance);
        break;
    case 3:
        a->ack_base = (uint8_t)chance_next(chance);
        break;
    case 4:
        a->seq = (int16_t)(a->seq + chance_delta(chance));
        break;
    case 5:
        a->ack = (int16_t)(a->ack + chance_delta(chance));
        break;
    case 6:
        a->window = other.window;
        break;
    case 7:
        a->len = chance_len(chance);
        break;
    case 8:
        a->options ^= (uint8_t)(1u << chance_next(chance) % 8);
        break;
    case 9:
        a->a = (uint8_t)(one_in(chance, 2) ? a->a + 1u : chance_next(chance));
        break;
    default:
        a->b = (uint8_t)(one_in(chance, 2) ? a->b + 1u : chance_next(chance));
    }
}
