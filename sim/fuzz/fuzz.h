/* sim/fuzz/fuzz.h - what the fuzz targets share. A target turns any bytes into a short story, lets it happen
 * in a fresh world and ends that world, which panics if anything leaked; sanitizers watch meanwhile. Input
 * that ran out reads as zeroes, so that every prefix of a story is one. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* libFuzzer's call: one input. Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct input {
    const uint8_t *at, *end;
};

static inline bool input_left(const struct input *in)
{
    return in->at < in->end;
}

static inline uint8_t input_u8(struct input *in)
{
    return input_left(in) ? *in->at++ : 0;
}

static inline uint16_t input_u16(struct input *in)
{
    uint16_t low = input_u8(in);

    return (uint16_t)(input_u8(in) << 8 | low);
}

static inline uint32_t input_u32(struct input *in)
{
    uint32_t low = input_u16(in);

    return (uint32_t)input_u16(in) << 16 | low;
}

/* The next n bytes, or as many as are left: *n. They stay the input's. */
static inline const uint8_t *input_bytes(struct input *in, size_t *n)
{
    const uint8_t *bytes = in->at;
    size_t left = (size_t)(in->end - in->at);

    *n = *n < left ? *n : left;
    in->at += *n;
    return bytes;
}

/* What must hold whatever the input. */
#define FUZZ_CHECK(condition)                                                                                \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                          \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)
