/* bench/insncount.c - a QEMU plugin that counts the guest instructions each translated block executed.
 *
 *     -plugin insncount.so[,out=FILE][,regions=FILE]
 *
 * Both are mapped shared and can be read while the guest runs. out has an array of struct block, which only
 * grows; the first is the sum of all. regions has one struct regions: what was executed, and the CPU time of
 * the thread that executed it, between the marks of bench/guest/op.h; without out only the time is kept, and
 * little is in its way. The counts are exact as long as one host thread runs all virtual CPUs (-smp 1, or
 * -accel tcg,thread=single). The plugin interface (version 1, QEMU 4.2 and later) is declared here, so that
 * no header of QEMU's is needed. */
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* What QEMU exports, and what it looks for here. */
typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { INLINE_ADD_U64 = 0 };
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*fn)(plugin_id, struct qemu_plugin_tb *));
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
                                            void (*fn)(unsigned cpu, void *arg), int flags, void *arg);
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *counter, uint64_t by);
#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;
EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv);

/* A block may be translated more than once, and then it stands here more than once. */
struct block {
    uint64_t address;      /* of its first instruction, virtual */
    uint64_t size;         /* in instructions */
    uint64_t instructions; /* executed in it so far: size times how often it was entered */
};
enum { BLOCKS_MAX = 1 << 18 };

static struct block *blocks;
static unsigned n_blocks = 1; /* QEMU translates under a lock of its own */

/* ---- regions ---- */

static const uint8_t mark_begin[] = { 0x0f, 0x1f, 0x80, 'T', 'W', 'p', 'B' };
static const uint8_t mark_end[] = { 0x0f, 0x1f, 0x80, 'T', 'W', 'p', 'E' };

struct regions {
    uint64_t ended;        /* how many */
    uint64_t instructions; /* in them, all together */
    uint64_t cpu_ns;
    uint64_t began_instructions, began_ns; /* the one that is open */
};
static struct regions *regions;

static uint64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void region_begins(unsigned cpu, void *arg)
{
    (void)cpu, (void)arg;
    regions->began_instructions = blocks ? blocks[0].instructions : 0;
    regions->began_ns = cpu_ns();
}

static void region_ends(unsigned cpu, void *arg)
{
    (void)cpu, (void)arg;
    regions->cpu_ns += cpu_ns() - regions->began_ns;
    regions->instructions += (blocks ? blocks[0].instructions : 0) - regions->began_instructions;
    regions->ended++;
}

static bool is_mark(const struct qemu_plugin_insn *insn, const uint8_t *mark, size_t size)
{
    return qemu_plugin_insn_size(insn) == size && !memcmp(qemu_plugin_insn_data(insn), mark, size);
}

static void look_for_marks(const struct qemu_plugin_tb *tb)
{
    const int no_registers = 0;

    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        if (is_mark(insn, mark_begin, sizeof mark_begin))
            qemu_plugin_register_vcpu_insn_exec_cb(insn, region_begins, no_registers, NULL);
        if (is_mark(insn, mark_end, sizeof mark_end))
            qemu_plugin_register_vcpu_insn_exec_cb(insn, region_ends, no_registers, NULL);
    }
}

/* ---- blocks ---- */

static void count_block(struct qemu_plugin_tb *tb)
{
    const size_t n = qemu_plugin_tb_n_insns(tb);

    qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64, &blocks[0].instructions, n);
    if (n_blocks == BLOCKS_MAX)
        return; /* no room: only the sum knows of it */
    struct block *b = &blocks[n_blocks++];
    *b = (struct block){ .address = qemu_plugin_tb_vaddr(tb), .size = n };
    qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64, &b->instructions, n);
}

static void block_translated(plugin_id id, struct qemu_plugin_tb *tb)
{
    (void)id;
    if (blocks)
        count_block(tb);
    if (regions)
        look_for_marks(tb);
}

/* ---- setting up ---- */

static void *map_file(const char *path, size_t size)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);

    if (fd < 0 || ftruncate(fd, (off_t)size))
        return NULL;
    void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return map == MAP_FAILED ? NULL : map;
}

static bool take_option(const char *option)
{
    if (!strncmp(option, "out=", 4))
        return (blocks = map_file(option + 4, BLOCKS_MAX * sizeof(struct block)));
    if (!strncmp(option, "regions=", 8))
        return (regions = map_file(option + 8, sizeof(struct regions)));
    return false;
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++)
        if (!take_option(argv[i])) {
            fprintf(stderr, "insncount: cannot do %s\n", argv[i]);
            return -1;
        }
    qemu_plugin_register_vcpu_tb_trans_cb(id, block_translated);
    return 0;
}
