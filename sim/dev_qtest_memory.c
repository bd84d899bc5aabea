/* sim/dev_qtest_memory.c - guest memory in slots of two pages. */
#include "sim/dev_qtest_memory.h"
#include "net/port.h"
#include <sanitizer/asan_interface.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SLOTS = (GUEST_MEMORY - GUEST_FIRST) / GUEST_SLOT };

static struct {
    uint8_t *base;
    int fd;
    unsigned n_free;
    uint16_t free[SLOTS];
} guest;

int guest_memory_create(void)
{
    guest.fd = memfd_create("guest memory", 0);
    if (guest.fd < 0 || ftruncate(guest.fd, GUEST_MEMORY))
        return -1;
    guest.base = mmap(NULL, GUEST_MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, guest.fd, 0);
    if (guest.base == MAP_FAILED)
        return -1;
    ASAN_POISON_MEMORY_REGION(guest.base, GUEST_MEMORY);
    guest.n_free = SLOTS;
    for (unsigned i = 0; i < SLOTS; i++)
        guest.free[i] = (uint16_t)(SLOTS - 1 - i);
    return guest.fd;
}

void guest_memory_destroy(void)
{
    if (guest.n_free != SLOTS)
        panic("%u pieces of guest memory were not freed", SLOTS - guest.n_free);
    ASAN_UNPOISON_MEMORY_REGION(guest.base, GUEST_MEMORY);
    munmap(guest.base, GUEST_MEMORY);
    close(guest.fd);
}

void *guest_memory_alloc(size_t size)
{
    if (size > GUEST_SLOT || !guest.n_free)
        return NULL;
    uint8_t *p = guest.base + GUEST_FIRST + (size_t)guest.free[--guest.n_free] * GUEST_SLOT;
    ASAN_UNPOISON_MEMORY_REGION(p, size);
    return p;
}

void guest_memory_free(void *p)
{
    size_t slot = (guest_memory_address(p) - GUEST_FIRST) / GUEST_SLOT;

    ASAN_POISON_MEMORY_REGION(p, GUEST_SLOT);
    guest.free[guest.n_free++] = (uint16_t)slot;
}

uint64_t guest_memory_address(const void *p)
{
    const uint8_t *bytes = p;

    if (bytes < guest.base + GUEST_FIRST || bytes >= guest.base + GUEST_MEMORY)
        panic("%p is not in guest memory", p);
    return (uint64_t)(bytes - guest.base);
}
