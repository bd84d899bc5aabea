/* bench/guest/main.c - usage: kbench NAME [COUNT]; without a name it lists what there is. */
#include "bench/guest/op.h"
#include <string.h>

static const struct op *const tables[] = { call_ops,    process_ops,  memory_ops, pipe_ops,
                                           network_ops, datagram_ops, stream_ops };
enum { TABLES = sizeof tables / sizeof tables[0] };

static const struct op *find(const char *name)
{
    for (unsigned i = 0; i < TABLES; i++)
        for (const struct op *op = tables[i]; op->name; op++)
            if (!strcmp(op->name, name))
                return op;
    return NULL;
}

static void list(void)
{
    for (unsigned i = 0; i < TABLES; i++)
        for (const struct op *op = tables[i]; op->name; op++)
            printf("%s\n", op->name);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        list();
        return 0;
    }
    if (!strcmp(argv[1], "nothing")) /* what the exec operations run */
        return 0;
    const struct op *op = find(argv[1]);
    if (!op) {
        fprintf(stderr, "kbench: no operation %s\n", argv[1]);
        return 2;
    }
    unsigned count = argc > 2 ? strtoul(argv[2], NULL, 0) : op->count;
    op->run(count);
    printf("done %u\n", count);
    return 0;
}
