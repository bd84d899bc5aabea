/* bench/insncount.c - a QEMU plugin that counts the guest instructions each translated block executed.
 *
 *     -plugin insncount.so,out=FILE
 *
 * FILE is mapped shared and can be read while the guest runs: an array of struct block, which only grows; the
 * first is the sum of all. The counts are exact as long as one host thread runs all virtual CPUs (-smp 1, or
 * -accel tcg,thread=single). The plugin interface (version 1, QEMU 4.2 and later) is declared here, so that
 * no header of QEMU's is needed. */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What QEMU exports, and what it looks for here. */
typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { INLINE_ADD_U64 = 0 };
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id, void (*fn)(plugin_id, struct qemu_plugin_tb *));
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

static void block_translated(plugin_id id, struct qemu_plugin_tb *tb)
{
    const size_t n = qemu_plugin_tb_n_insns(tb);

    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64, &blocks[0].instructions, n);
    if (n_blocks == BLOCKS_MAX)
        return; /* no room: only the sum knows of it */
    struct block *b = &blocks[n_blocks++];
    *b = (struct block){ .address = qemu_plugin_tb_vaddr(tb), .size = n };
    qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64, &b->instructions, n);
}

static struct block *map_blocks(const char *path)
{
    const size_t size = BLOCKS_MAX * sizeof(struct block);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0644);

    if (fd < 0 || ftruncate(fd, (off_t)size))
        return NULL;
    void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    return map == MAP_FAILED ? NULL : map;
}

int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    (void)info;
    if (argc != 1 || strncmp(argv[0], "out=", 4)) {
        fprintf(stderr, "insncount: usage: -plugin insncount.so,out=FILE\n");
        return -1;
    }
    blocks = map_blocks(argv[0] + 4);
    if (!blocks) {
        perror(argv[0] + 4);
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, block_translated);
    return 0;
}
