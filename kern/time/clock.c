/* kern/time/clock.c - what time it is, and one clock event a CPU.
 * Time is the TSC, scaled: calibrated once against the ACPI PM timer (or the PIT), together with the local
 * APIC's timer. The TSCs of all CPUs are taken to agree and to run at one rate, as they do on QEMU and on
 * CPUs of the last fifteen years. */
#include "dev/dev.h"
#include "kern/cpu/cpu.h"
#include "kern/cpu/cpuid.h"
#include "kern/irq/irq.h"
#include "kern/irq/lapic.h"
#include "kern/time/rtc.h"
#include "kern/time/time.h"
#include "lib/abi/errno.h"
#include "lib/abi/vdso.h"
#include "net/port.h"

enum { CALIBRATION_MS = 20, SCALE_SHIFT = 32 };

static uint64_t tsc_at_boot;
static uint64_t tsc_hz, lapic_hz;
static uint64_t ns_per_tick_scaled; /* << SCALE_SHIFT; 0 before calibration: time stands still */
static uint64_t wall_at_boot;       /* atomic: clock_settime() moves it */
static bool tsc_deadline;
static uint64_t event_due[MAX_CPUS]; /* each its CPU's own, irqs off */

/* ---- reading ---- */

static uint64_t scale(uint64_t n, uint64_t factor)
{
    return (unsigned __int128)n * factor >> SCALE_SHIFT;
}

uint64_t time_now(void)
{
    return scale(rdtsc() - tsc_at_boot, ns_per_tick_scaled);
}

uint64_t time_wall(void)
{
    return READ_ONCE(wall_at_boot) + time_now();
}

int time_wall_set(uint64_t ns)
{
    uint64_t now = time_now();

    if (ns < now)
        return -EINVAL;
    WRITE_ONCE(wall_at_boot, ns - now);
    return 0;
}

void clock_get_parameters(uint64_t *at_boot, uint64_t *ns_per_tick, uint64_t *wall)
{
    _Static_assert((int)SCALE_SHIFT == (int)VDSO_SCALE_SHIFT, "programs do the same arithmetic");
    *at_boot = tsc_at_boot;
    *ns_per_tick = ns_per_tick_scaled;
    *wall = READ_ONCE(wall_at_boot);
}

void udelay(unsigned microseconds)
{
    enum { DELAY_PORT = 0x80 }; /* a write to it takes about a microsecond on the ISA bus */
    uint64_t end = time_now() + us(microseconds);
    for (unsigned i = 0; !tsc_hz && i < microseconds; i++)
        outb(DELAY_PORT, 0);
    while (tsc_hz && time_now() < end)
        cpu_relax();
}

/* ---- calibration: a reference that counts at a known rate, read beside the TSC ---- */

struct reference {
    const char *name;
    uint64_t hz;
    uint32_t (*read)(void); /* counts up */
    uint32_t mask;
};
struct sample {
    uint64_t tsc;
    uint32_t reference, lapic;
};

static uint32_t read_pm_timer(void)
{
    return inl(acpi.pm_timer_port);
}

enum { PIT_HZ = 1193182, PIT_CHANNEL0 = 0x40, PIT_COMMAND = 0x43 };

static uint32_t read_pit(void)
{
    enum { LATCH_CHANNEL0 = 0x00 };
    outb(PIT_COMMAND, LATCH_CHANNEL0);
    uint32_t low = inb(PIT_CHANNEL0), high = inb(PIT_CHANNEL0);
    return 0x10000 - (high << 8 | low); /* it counts down */
}

static struct reference pit_reference(void)
{
    enum { CHANNEL0_RATE = 0x34 }; /* both bytes, mode 2, binary */
    outb(PIT_COMMAND, CHANNEL0_RATE);
    outb(PIT_CHANNEL0, 0); /* 65,536 */
    outb(PIT_CHANNEL0, 0);
    return (struct reference){ "PIT", PIT_HZ, read_pit, 0xffff };
}

static struct reference choose_reference(void)
{
    uint32_t mask = acpi.pm_timer_32bit ? 0xffffffff : 0xffffff;
    if (acpi.pm_timer_port && read_pm_timer() != read_pm_timer() + 1)
        return (struct reference){ "ACPI PM timer", 3579545, read_pm_timer, mask };
    return pit_reference();
}

/* All counters at one moment: of several tries the one that took the least time. */
static struct sample take_sample(const struct reference *r)
{
    struct sample best = { 0 };
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 8; i++) {
        uint64_t before = rdtsc();
        struct sample s = { .reference = r->read(), .lapic = lapic_timer_left() };
        s.tsc = rdtsc();
        if (s.tsc - before < least) {
            least = s.tsc - before;
            best = s;
        }
    }
    return best;
}

static void calibrate(const struct reference *r)
{
    lapic_timer_init(false);
    lapic_timer_start(UINT32_MAX);
    struct sample start = take_sample(r);
    uint64_t wanted = r->hz * CALIBRATION_MS / 1000;
    while (((r->read() - start.reference) & r->mask) < wanted)
        cpu_relax();
    struct sample end = take_sample(r);
    lapic_timer_start(0);
    uint64_t ticks = (end.reference - start.reference) & r->mask;
    tsc_hz = (end.tsc - start.tsc) * r->hz / ticks;
    lapic_hz = (uint64_t)(start.lapic - end.lapic) * r->hz / ticks;
    tsc_at_boot = start.tsc;
}

uint64_t clock_ticks_to_ns(uint64_t ticks)
{
    return (unsigned __int128)ticks * ns_per_tick_scaled >> SCALE_SHIFT;
}

void clock_init(void)
{
    struct reference r = choose_reference();
    calibrate(&r);
    if (tsc_hz == 0 || lapic_hz == 0)
        panic("clock: the TSC or the local APIC's timer stands still");
    ns_per_tick_scaled = (1000000000ull << SCALE_SHIFT) / tsc_hz;
    wall_at_boot = rtc_read() - time_now();
    tsc_deadline = cpuid_bit(1, CPUID_ECX, 24);
    klog(LOG_INFO, "clock: TSC %llu kHz by the %s, clock events by %s", (unsigned long long)tsc_hz / 1000,
         r.name, tsc_deadline ? "TSC deadline" : "the local APIC");
    clock_event_init_cpu();
}

/* ---- clock events ---- */

void clock_event_init_cpu(void)
{
    event_due[cpu_id()] = TIME_NEVER;
    lapic_timer_init(tsc_deadline);
}

static uint64_t ticks_in(uint64_t ns, uint64_t hz)
{
    return (unsigned __int128)ns * ((hz << SCALE_SHIFT) / 1000000000) >> SCALE_SHIFT;
}

/* Set the hardware for when: at most a second ahead, which any counter can hold; an early event is set again.
 */
static void arm(uint64_t when)
{
    uint64_t now = time_now();
    uint64_t wait = when > now ? MIN(when - now, sec(1)) : 0;
    if (tsc_deadline)
        lapic_timer_deadline(rdtsc() + ticks_in(wait, tsc_hz) + 1);
    else
        lapic_timer_start(MIN(ticks_in(wait, lapic_hz) + 1, (uint64_t)UINT32_MAX));
}

static void disarm(void)
{
    if (tsc_deadline)
        lapic_timer_deadline(0);
    else
        lapic_timer_start(0);
}

void clock_event_set(uint64_t when)
{
    event_due[cpu_id()] = when;
    if (when == TIME_NEVER)
        disarm();
    else
        arm(when);
}

void clock_event_interrupt(void)
{
    uint64_t due = event_due[cpu_id()];
    if (due == TIME_NEVER)
        return;
    if (time_now() < due) {
        arm(due);
        return;
    }
    event_due[cpu_id()] = TIME_NEVER;
    timer_interrupt();
}
