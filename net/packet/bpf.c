/* net/packet/bpf.c - classic BPF checked and interpreted. Two registers, A and X, and sixteen words M; a load
 * from beyond the packet ends the program: it does not want the packet. */
#include "net/packet/bpf.h"
#include "lib/compiler.h"

/* An instruction's code: class, then size and mode of a load, operation of the others, and its source. */
enum { LD = 0, LDX = 1, ST = 2, STX = 3, ALU = 4, JMP = 5, RET = 6, MISC = 7, CLASS = 7 };
enum { W = 0x00, H = 0x08, B = 0x10, SIZE = 0x18 };
enum { IMM = 0x00, ABS = 0x20, IND = 0x40, MEM = 0x60, LEN = 0x80, MSH = 0xa0 };
enum { ADD = 0x00, SUB = 0x10, MUL = 0x20, DIV = 0x30, OR = 0x40, AND = 0x50, LSH = 0x60, RSH = 0x70 };
enum { NEG = 0x80, MOD = 0x90, XOR = 0xa0, OPERATION = 0xf0 };
enum { JA = 0x00, JEQ = 0x10, JGT = 0x20, JGE = 0x30, JSET = 0x40 };
enum { K = 0x00, X = 0x08, RET_A = 0x10, TAX = 0x00, TXA = 0x80 };

/* Negative offsets ask for something else than bytes (<linux/filter.h>, SKF_*). */
enum { AD_OFF = -0x1000, NET_OFF = -0x100000, LL_OFF = -0x200000 };
enum { AD_PROTOCOL = 0, AD_PKTTYPE = 4, AD_IFINDEX = 8, AD_CPU = 36, AD_VLAN_TAG = 44, AD_VLAN_PRESENT = 48 };

/* ---- the check ---- */

static bool is_load(uint16_t code)
{
    switch (code) {
    case LD | W | ABS:
    case LD | H | ABS:
    case LD | B | ABS:
    case LD | W | IND:
    case LD | H | IND:
    case LD | B | IND:
    case LD | W | LEN:
    case LDX | W | LEN:
    case LD | IMM:
    case LDX | IMM:
    case LD | MEM:
    case LDX | MEM:
    case LDX | B | MSH:
        return true;
    default:
        return false;
    }
}

static bool is_alu(uint16_t code)
{
    unsigned operation = code & OPERATION;

    if (code == (ALU | NEG))
        return true;
    return (code & ~(uint16_t)(OPERATION | X)) == ALU && operation <= XOR && operation != NEG;
}

static bool is_jump(uint16_t code)
{
    unsigned operation = code & OPERATION;

    return code == (JMP | JA) ||
           ((code & ~(uint16_t)(OPERATION | X)) == JMP && operation >= JEQ && operation <= JSET);
}

static bool is_known(uint16_t code)
{
    return is_load(code) || is_alu(code) || is_jump(code) || code == ST || code == STX || code == (RET | K) ||
           code == (RET | RET_A) || code == (MISC | TAX) || code == (MISC | TXA);
}

static bool uses_memory(uint16_t code)
{
    return code == ST || code == STX || code == (LD | MEM) || code == (LDX | MEM);
}

/* Division by a constant zero, shifts of 32 and more: refused, as Linux refuses them. */
static bool operand_is_possible(const struct sock_filter *f)
{
    if ((f->code & CLASS) != ALU || f->code & X)
        return true;
    switch (f->code & OPERATION) {
    case DIV:
    case MOD:
        return f->k != 0;
    case LSH:
    case RSH:
        return f->k < 32;
    default:
        return true;
    }
}

/* Do f's targets, left instructions before the end, lie within the program? */
static bool jumps_inside(const struct sock_filter *f, unsigned left)
{
    if (f->code == (JMP | JA))
        return f->k < left;
    return (f->code & CLASS) != JMP || (f->jt < left && f->jf < left);
}

bool bpf_check(const struct sock_filter *program, unsigned n)
{
    if (!n || n > BPF_MAX_INSNS)
        return false;
    for (unsigned i = 0; i < n; i++) {
        const struct sock_filter *f = &program[i];
        if (!is_known(f->code) || !operand_is_possible(f) || !jumps_inside(f, n - 1 - i))
            return false;
        if (uses_memory(f->code) && f->k >= BPF_MEM_WORDS)
            return false;
    }
    return (program[n - 1].code & CLASS) == RET;
}

/* ---- the machine ---- */

struct machine {
    const struct bpf_packet *p;
    uint32_t a, x, mem[BPF_MEM_WORDS];
};

/* n bytes at offset behind base, in network order. False: they are not all there. */
static bool bytes_at(const uint8_t *base, const uint8_t *end, uint32_t offset, unsigned n, uint32_t *value)
{
    if (!base || base > end || (uint64_t)offset + n > (uint64_t)(end - base))
        return false;
    *value = 0;
    for (unsigned i = 0; i < n; i++)
        *value = *value << 8 | base[offset + i];
    return true;
}

static bool ancillary(const struct bpf_packet *p, int32_t what, uint32_t *value)
{
    switch (what) {
    case AD_PROTOCOL:
        *value = p->protocol;
        return true;
    case AD_PKTTYPE:
        *value = p->pkt_type;
        return true;
    case AD_IFINDEX:
        *value = p->ifindex;
        return true;
    case AD_CPU:
        *value = p->cpu;
        return true;
    case AD_VLAN_TAG:
    case AD_VLAN_PRESENT: /* a tag is in the packet, where the sender put it */
        *value = 0;
        return true;
    default:
        return false;
    }
}

static bool load(const struct bpf_packet *p, uint32_t offset, unsigned n, uint32_t *value)
{
    int32_t where = (int32_t)offset;

    if (where >= 0)
        return bytes_at(p->data, p->data + p->len, offset, n, value);
    if (where >= AD_OFF)
        return ancillary(p, where - AD_OFF, value);
    if (where >= NET_OFF)
        return bytes_at(p->network, p->end, (uint32_t)(where - NET_OFF), n, value);
    if (where >= LL_OFF)
        return bytes_at(p->mac, p->end, (uint32_t)(where - LL_OFF), n, value);
    return false;
}

static unsigned size_of(uint16_t code)
{
    return (code & SIZE) == W ? 4 : (code & SIZE) == H ? 2 : 1;
}

/* LD and LDX. False: beyond the packet. */
static bool do_load(struct machine *m, const struct sock_filter *f)
{
    uint32_t *to = (f->code & CLASS) == LD ? &m->a : &m->x, byte;

    switch (f->code & 0xe0) {
    case IMM:
        *to = f->k;
        return true;
    case ABS:
        return load(m->p, f->k, size_of(f->code), to);
    case IND:
        return load(m->p, f->k + m->x, size_of(f->code), to);
    case MEM:
        *to = m->mem[f->k];
        return true;
    case LEN:
        *to = m->p->len;
        return true;
    default: /* MSH: four times the lower half of a byte, the length of an IP header */
        if (!load(m->p, f->k, 1, &byte))
            return false;
        *to = (byte & 0xf) * 4;
        return true;
    }
}

/* False: division by zero. */
static bool do_alu(struct machine *m, const struct sock_filter *f)
{
    uint32_t operand = f->code & X ? m->x : f->k;

    switch (f->code & OPERATION) {
    case ADD:
        m->a += operand;
        return true;
    case SUB:
        m->a -= operand;
        return true;
    case MUL:
        m->a *= operand;
        return true;
    case DIV:
        m->a = operand ? m->a / operand : 0;
        return operand;
    case MOD:
        m->a = operand ? m->a % operand : 0;
        return operand;
    case OR:
        m->a |= operand;
        return true;
    case AND:
        m->a &= operand;
        return true;
    case XOR:
        m->a ^= operand;
        return true;
    case LSH:
        m->a <<= operand & 31;
        return true;
    case RSH:
        m->a >>= operand & 31;
        return true;
    default:
        m->a = -m->a;
        return true;
    }
}

/* How many instructions behind this one to go on. */
static uint32_t do_jump(const struct machine *m, const struct sock_filter *f)
{
    uint32_t operand = f->code & X ? m->x : f->k;

    switch (f->code & OPERATION) {
    case JA:
        return f->k;
    case JEQ:
        return m->a == operand ? f->jt : f->jf;
    case JGT:
        return m->a > operand ? f->jt : f->jf;
    case JGE:
        return m->a >= operand ? f->jt : f->jf;
    default:
        return m->a & operand ? f->jt : f->jf;
    }
}

/* Everything but jumps and returns. False: the packet is not wanted. */
static bool do_plain(struct machine *m, const struct sock_filter *f)
{
    switch (f->code & CLASS) {
    case LD:
    case LDX:
        return do_load(m, f);
    case ST:
        m->mem[f->k] = m->a;
        return true;
    case STX:
        m->mem[f->k] = m->x;
        return true;
    case ALU:
        return do_alu(m, f);
    default:
        *(f->code & TXA ? &m->a : &m->x) = f->code & TXA ? m->x : m->a;
        return true;
    }
}

uint32_t bpf_run(const struct sock_filter *f, const struct bpf_packet *p)
{
    struct machine m = { .p = p };

    for (;; f++) {
        if ((f->code & CLASS) == RET)
            return f->code & RET_A ? m.a : f->k;
        if ((f->code & CLASS) == JMP)
            f += do_jump(&m, f);
        else if (!do_plain(&m, f))
            return 0;
    }
}
