/* sim/fuzz/script.c - fuzz target: any text is a script or an error with a place, and a packet that it has
 * can be built, read back and written down. */
#include "sim/fuzz/fuzz.h"
#include "sim/script/build.h"
#include "sim/script/differ.h"
#include <stdio.h>

static void use_packet(const struct packet_spec *packet)
{
    static uint8_t frame[BUILD_MOST];
    static struct seen s, quoted;
    struct values values = { 0 };
    struct flow f = { .label = "", .peer_ip = 2, .peer_port = PEER_PORT, .host_port = HOST_PORT };
    struct builder b = { &values, &f, 1, 2, 1, 2, 0 };
    struct differences d;
    char text[600], under[600], why[160];
    size_t n;

    flow_reset(&f, 0, 0);
    n = build_frame(&b, packet, frame, why);
    if (!n)
        return;
    seen_read(&s, &quoted, true, frame, n);
    seen_relate(&s, &f);
    differ(&(struct expectation){ &values, &f, 1, 2, false }, packet, &s, &d);
    seen_text(&s, &d, text, under, sizeof text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct script_error error = { 0 };
    struct script *s = script_parse("input", (const char *)data, size, NULL, &error);

    if (!s) {
        if (!error.line || !error.column || !*error.text)
            abort(); /* an error has a place and says something */
        return 0;
    }
    for (const struct step *step = s->steps; step; step = step->next)
        if (step->packet)
            use_packet(step->packet);
    script_free(s);
    return 0;
}
