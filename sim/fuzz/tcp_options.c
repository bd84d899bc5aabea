/* sim/fuzz/tcp_options.c - fuzz target: TCP's options. Any bytes are read without leaving them; what was
 * understood and is written again reads the same. */
#include "net/tcp/tcp_options.h"
#include "sim/fuzz/fuzz.h"
#include <string.h>

static void check_round_trip(const struct tcp_options *o)
{
    uint8_t bytes[TCP_OPTIONS_MAX];
    uint32_t n = tcp_options_length(o);
    struct tcp_options again = { 0 };

    FUZZ_CHECK(n <= TCP_OPTIONS_MAX && n % 4 == 0);
    FUZZ_CHECK(tcp_options_write(bytes, o) == n);
    FUZZ_CHECK(tcp_options_parse(bytes, n, &again));
    FUZZ_CHECK(again.mss == o->mss && again.has_wscale == o->has_wscale && again.wscale == o->wscale);
    FUZZ_CHECK(again.has_timestamp == o->has_timestamp && again.sack_permitted == o->sack_permitted);
    FUZZ_CHECK(again.ts_val == o->ts_val && again.ts_ecr == o->ts_ecr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t n = size < TCP_OPTIONS_MAX ? (uint32_t)size : TCP_OPTIONS_MAX;
    struct tcp_options o = { 0 };
    uint8_t *bytes = malloc(n + !n); /* of its own, with an edge that is watched */

    if (!bytes)
        abort();
    memcpy(bytes, data, n);
    tcp_options_parse(bytes, n, &o);
    FUZZ_CHECK(!o.has_wscale || o.wscale <= TCP_WSCALE_MAX);
    check_round_trip(&o);
    free(bytes);
    return 0;
}
