/* sim/pcapng.c - the three blocks of a pcapng file that a capture of one interface needs: section header,
 * interface description, enhanced packet. A block is its type, its length, a body padded to words, its length
 * again. */
#include "sim/pcapng.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTION_HEADER = 0x0a0d0d0a, INTERFACE_DESCRIPTION = 1, ENHANCED_PACKET = 6 };
enum { BYTE_ORDER_MAGIC = 0x1a2b3c4d };
enum { OPTION_END = 0, OPTION_IF_NAME = 2, OPTION_IF_TSRESOL = 9 };

struct pcapng {
    FILE *file;
};

/* A block under construction. */
struct block {
    size_t n;
    uint8_t bytes[65536 + 64];
};

static void add(struct block *b, const void *data, size_t n)
{
    memcpy(b->bytes + b->n, data, n);
    b->n += n;
    while (b->n % 4)
        b->bytes[b->n++] = 0;
}

static void add32(struct block *b, uint32_t v)
{
    add(b, &v, sizeof v);
}

static void add_option(struct block *b, uint16_t code, const void *value, uint16_t n)
{
    add32(b, (uint32_t)n << 16 | code); /* two 16-bit fields, little-endian as the section says */
    add(b, value, n);
}

static void write_block(struct pcapng *p, uint32_t type, const struct block *b)
{
    uint32_t total = (uint32_t)b->n + 12;

    fwrite(&type, sizeof type, 1, p->file);
    fwrite(&total, sizeof total, 1, p->file);
    fwrite(b->bytes, 1, b->n, p->file);
    fwrite(&total, sizeof total, 1, p->file);
}

static void write_section_header(struct pcapng *p)
{
    struct block b = { 0 };

    add32(&b, BYTE_ORDER_MAGIC);
    add32(&b, 1); /* version 1.0 */
    add32(&b, UINT32_MAX);
    add32(&b, UINT32_MAX); /* section length unknown */
    write_block(p, SECTION_HEADER, &b);
}

static void write_interface(struct pcapng *p, const char *name, enum pcapng_link link)
{
    struct block b = { 0 };
    uint8_t nanoseconds = 9; /* times count 10^-9 s */

    add32(&b, link);
    add32(&b, 0); /* no limit of length */
    add_option(&b, OPTION_IF_NAME, name, (uint16_t)strlen(name));
    add_option(&b, OPTION_IF_TSRESOL, &nanoseconds, 1);
    add_option(&b, OPTION_END, "", 0);
    write_block(p, INTERFACE_DESCRIPTION, &b);
}

struct pcapng *pcapng_open(const char *path, const char *interface, enum pcapng_link link)
{
    struct pcapng *p = malloc(sizeof *p);
    FILE *file = fopen(path, "wb");

    if (!p || !file) {
        if (file)
            fclose(file);
        free(p);
        return NULL;
    }
    p->file = file;
    write_section_header(p);
    write_interface(p, interface, link);
    return p;
}

void pcapng_write(struct pcapng *p, uint64_t time, const uint8_t *frame, size_t n)
{
    struct block b; /* not zeroed: it is large, and this is done for each frame */

    b.n = 0;
    add32(&b, 0); /* the interface */
    add32(&b, (uint32_t)(time >> 32));
    add32(&b, (uint32_t)time);
    add32(&b, (uint32_t)n);
    add32(&b, (uint32_t)n);
    add(&b, frame, n);
    write_block(p, ENHANCED_PACKET, &b);
    fflush(p->file); /* a test that fails leaves what was seen */
}

void pcapng_close(struct pcapng *p)
{
    fclose(p->file);
    free(p);
}
