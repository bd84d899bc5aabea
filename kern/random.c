/* kern/random.c - the kernel's random bytes: ChaCha20 keyed by what cannot be foreseen.
 * The key is mixed from the processor's own generator where there is one, and always from the low bits of the
 * time-stamp counter around work whose length varies. Before every read the counter is mixed in again. */
#include "lib/random.h"
#include "kern/cpu/cpu.h"
#include "kern/cpu/cpuid.h"
#include "kern/sched/spinlock.h"
#include "net/port.h"

enum { JITTER_SAMPLES = 64, RDRAND_TRIES = 10, WORDS = 16 };

static struct spinlock lock = SPINLOCK_INIT("random", RANK_RANDOM);
static struct random_state state; /* lock */
static bool seeded;               /* lock */
static uint32_t words[WORDS];     /* lock; made in advance for random_u32() */
static unsigned n_words;          /* lock */

/* SDM vol. 1, 7.3.17: they may fail, and are asked again. */
static bool rdrand(uint64_t *v)
{
    bool ok = false;
    for (unsigned i = 0; i < RDRAND_TRIES && !ok; i++)
        __asm__ volatile("rdrand %0" : "=r"(*v), "=@ccc"(ok));
    return ok;
}

static bool rdseed(uint64_t *v)
{
    bool ok = false;
    for (unsigned i = 0; i < RDRAND_TRIES && !ok; i++)
        __asm__ volatile("rdseed %0" : "=r"(*v), "=@ccc"(ok));
    return ok;
}

static void seed_from_cpu(void)
{
    bool has_rdrand = cpuid_bit(1, CPUID_ECX, 30);
    bool has_rdseed = cpuid(0, 0).eax >= 7 && cpuid_bit(7, CPUID_EBX, 18);
    for (unsigned i = 0; i < 4; i++) {
        uint64_t v;
        if ((has_rdseed && rdseed(&v)) || (has_rdrand && rdrand(&v)))
            random_seed(&state, &v, sizeof v);
    }
}

static void seed_from_jitter(void)
{
    uint64_t samples[JITTER_SAMPLES];
    for (unsigned i = 0; i < JITTER_SAMPLES; i++) {
        samples[i] = rdtsc();
        for (volatile unsigned n = samples[i] & 63; n; n--)
            ;
    }
    random_seed(&state, samples, sizeof samples);
}

static void prepare(void)
{
    uint64_t times[] = { rdtsc(), time_now() };
    if (!seeded) {
        uint64_t wall = time_wall();
        random_seed(&state, &wall, sizeof wall);
        seed_from_cpu();
        seed_from_jitter();
        seeded = true;
    }
    random_seed(&state, times, sizeof times);
}

void random_bytes(void *dst, size_t n)
{
    uint64_t flags = spin_lock(&lock);
    prepare();
    random_fill(&state, dst, n);
    spin_unlock(&lock, flags);
}

uint32_t random_u32(void)
{
    uint64_t flags = spin_lock(&lock);
    if (!n_words) {
        prepare();
        random_fill(&state, words, sizeof words);
        n_words = WORDS;
    }
    uint32_t word = words[--n_words];
    words[n_words] = 0;
    spin_unlock(&lock, flags);
    return word;
}
