/* sim/dev_qtest.h - QEMU's own cards without a guest: register access over QEMU's qtest protocol, guest
 * memory as a file that this process maps, the wire as a datagram socket. The processor sleeps from its first
 * instruction on. Guest time jumps to the next timer when there is nothing to do (-icount sleep=off), so a
 * second that the card waits costs nothing here. */
#pragma once
#include "sim/dev_bench.h"
#include <sys/types.h>

struct qtest;

/* Skip the running test where qemu-system-x86_64 is not installed. */
void qtest_require(void);
/* A machine with one card, given as -device takes it ("e1000,mitigation=off"), as the host_device of a bench.
 * From here on dma_buffer_alloc() gives memory that the card reaches. Fails the test if QEMU does not come
 * up. */
struct qtest *qtest_create(const char *card, uint16_t vendor, uint16_t device);
struct device *qtest_device(struct qtest *q);
/* The same with a bench over it: the driver has probed the card, its device is closed. */
struct qtest *qtest_bench_init(struct dev_bench *b, const char *card, uint16_t vendor, uint16_t device);
/* Check that no frame was wrong and nothing is left over; take both down. */
void qtest_bench_fini(struct dev_bench *b, struct qtest *q);
/* Ends QEMU. The driver must have been removed. */
void qtest_destroy(struct qtest *q);

/* For bench_init(): inject and settle over the socket; card_arg is the struct qtest. */
extern const struct bench_card qtest_card;

/* How many interrupts reached a handler. */
uint64_t qtest_interrupts(const struct qtest *q);
