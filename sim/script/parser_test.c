/* sim/script/parser_test.c - the language of scripts: what a line becomes, and what is no line. */
#include "sim/frame.h"
#include "sim/script/build.h"
#include "sim/script/differ.h"
#include "sim/script/script.h"
#include "sim/test.h"
#include <stdio.h>
#include <string.h>

static struct script *parse(const char *text)
{
    struct script_error error = { 0 };
    struct script *s = script_parse("test", text, strlen(text), NULL, &error);

    if (!s)
        test_fail(__FILE__, __LINE__, "%d:%d: %s in: %s", error.line, error.column, error.text, text);
    return s;
}

static int64_t value(const struct script *s)
{
    struct values v = { 0 };
    int64_t result = values_of(&v, s->steps->value);

    CHECK(!v.failed);
    return result;
}

TEST(expressions_of_a_script_have_the_usual_order)
{
    static const struct {
        const char *text;
        int64_t value;
    } cases[] = {
        { "let x = 1 + 2 * 3 - 4", 3 },
        { "let x = (1 + 2) * -3", -9 },
        { "let x = 7 / 2", 3 },
        { "let x = 1.5s", 1500000000 },
        { "let x = 2min", 120000000000 },
        { "let x = 0x10 | 1", 17 },
        { "let x = 10.0.0.1", 0x0a000001 },
        { "let x = 02:00:00:00:00:ff", 0x0200000000ff },
        { "let x = ECONNRESET", -104 },
        { "let x = 9223372036854775807 + 1", INT64_MIN }, /* wraps, and is no undefined behaviour */
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct script *s = parse(cases[i].text);
        CHECK_EQ(value(s), cases[i].value);
        script_free(s);
    }
}

/* The frame that the first step of text stands for, as seen again. */
static void build(const char *text, struct flow *f, struct seen *s)
{
    static uint8_t frame[BUILD_MOST];
    static struct seen quoted;
    struct values values = { 0 };
    struct builder b = { &values, f, 0x0a000001, 0x0a000002, 1, 2, 0 };
    struct script *script = parse(text);
    char why[160] = "";
    size_t n = build_frame(&b, script->steps->packet, frame, why);

    if (!n)
        test_fail(__FILE__, __LINE__, "%s: %s", text, why);
    seen_read(s, &quoted, true, frame, n);
    seen_relate(s, f);
    script_free(script);
}

static struct flow flow(void)
{
    struct flow f = { .label = "", .peer_ip = 0x0a000002, .peer_port = PEER_PORT, .host_port = HOST_PORT };

    flow_reset(&f, 0xffffff00u, 0xfffff000u);
    f.host.known = true;
    f.host.isn = 1000;
    f.host.next = 1;
    f.peer.next = 1;
    return f;
}

TEST(what_a_script_sends_reads_back_as_it_was_written)
{
    static const char *const lines[] = {
        "SYN seq 0 win 20000 <mss 1460, sackOK, wscale 7, eol>",
        "PSH ACK seq 301 ack 1 len 1000 win 65535",
        "ACK seq -5 ack 1 win 65535 <nop, nop, sack 1001:2001 3001:4001>",
        "RST seq 5 win 65535",
        "ACK URG seq 1 ack 1 len 4 win 65535 urg 4",
        "udp from 4000 to 53 len 20",
        "icmp 8/0 id 7 num 1 len 56",
        "icmp 3/4 mtu 1000 about { tcp seq 1 len 8 }",
        "protocol 200 len 8",
        "[more 1 offset 0] protocol 17 len 24",
    };
    static const char *const written[] = {
        [7] = "icmp 3/4 mtu 1000 about { ACK seq 1 }",
        [9] = "[part 0..24] udp len 100",
    };
    struct flow f = flow();
    struct seen s;
    char text[600], line[200];

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        bool other = i < sizeof written / sizeof *written && written[i];
        snprintf(line, sizeof line, "peer: %s", other ? written[i] : lines[i]);
        build(line, &f, &s);
        if (s.about)
            seen_relate(s.about, &f);
        seen_text(&s, NULL, text, NULL, sizeof text);
        if (strcmp(text, lines[i]))
            test_fail(__FILE__, __LINE__, "%s came back as %s", lines[i], text);
    }
}

TEST(faults_of_a_script_s_packets_are_there)
{
    struct flow f = flow();
    struct seen s;

    build("peer: ACK badsum", &f, &s);
    CHECK(s.bad_sum && !s.bad_ip_sum);
    build("peer: [badsum] udp len 3", &f, &s);
    CHECK(s.bad_ip_sum && !s.bad_sum);
    build("peer: udp nosum", &f, &s);
    CHECK(s.no_sum);
    build("peer: ACK doff 3", &f, &s);
    CHECK(s.malformed);
    build("peer: [total 500] ACK", &f, &s);
    CHECK(s.malformed);
    build("peer: [options x\"01010101\"] ACK", &f, &s);
    CHECK_EQ(s.v[FIELD_IHL], 6);
    CHECK(!s.malformed && !s.bad_sum && !s.bad_ip_sum);
}

TEST(numbers_count_on_without_a_gap) /* across the wrap, and in any order */
{
    struct side s = { .known = true };

    side_said(&s, 0, 1);
    side_said(&s, 101, 201);
    CHECK_EQ(s.next, 1);
    side_said(&s, 301, 401);
    side_said(&s, 1, 101);
    CHECK_EQ(s.next, 201);
    side_said(&s, 150, 350);
    CHECK_EQ(s.next, 401);
    s.next = 0xffffff00u;
    side_said(&s, 0xffffff00u, 0x100);
    CHECK_EQ(s.next, 0x100);
}

/* What differs between the expectation and what was built, by name; "" for nothing. */
static void differences(const char *came, const char *expected, char names[200])
{
    struct values values = { 0 };
    struct flow f = flow();
    struct seen s;
    struct differences d;
    struct script *script = parse(expected);
    size_t n = 0;

    build(came, &f, &s);
    s.from_peer = true;
    f.peer.next = 1;
    differ(&(struct expectation){ &values, &f, 0x0a000001, 0x0a000002, false }, script->steps->packet, &s,
           &d);
    names[0] = '\0';
    for (unsigned i = 0; i < d.n; i++)
        n += (size_t)snprintf(names + n, 200 - n, "%s%s", i ? " " : "", d.at[i].what);
    script_free(script);
}

TEST(each_field_that_differs_is_named)
{
    static const struct {
        const char *came, *expected, *names;
    } cases[] = {
        { "peer: ACK", "host: ACK", "" },
        { "peer: ACK", "host: ACK ack 1 seq 1 win 65535 len 0", "" },
        { "peer: PSH ACK len 5", "host: PSH? ACK len 5", "" },
        { "peer: PSH ACK len 5", "host: ACK len 5", "flags" },
        { "peer: ACK len 5", "host: ACK", "len" },
        { "peer: ACK seq 9", "host: ACK", "seq" },
        { "peer: ACK ack 5", "host: ACK win 1..5", "ack win" },
        { "peer: ACK len 5", "host: ACK len 5 \"hello\"", "text" },
        { "peer: ACK <mss 1460>", "host: ACK <mss 1400>", "options" },
        { "peer: ACK <mss 1460, nop>", "host: ACK <mss 1460>", "" },
        { "peer: ACK <mss 1460, sackOK>", "host: ACK <mss 1460>", "options" },
        { "peer: ACK <mss 1460, sackOK>", "host: ACK <mss 1460, ...>", "" },
        { "peer: ACK <mss 1460, sackOK>", "host: ACK <!sackOK, ...>", "options" },
        { "peer: ACK <sack 1:5>", "host: ACK <sack 1:6>", "options" },
        { "peer: ACK badsum", "host: ACK", "checksum" },
        { "peer: [ttl 1] ACK", "host: [ttl 64] ACK", "ttl" },
        { "peer: udp len 5", "host: ACK", "packet" },
        { "peer: udp len 5", "host: any", "" },
        { "peer: [part 0..16] udp len 16", "host: udp len 16", "part" },
        { "peer: [part 0..16] udp len 16", "host: [part 0..16] udp len 16", "" },
        { "peer: icmp 3/3 about { udp to 5 }", "host: icmp 3/3 about { udp to 6 }", "quoted to" },
    };
    char names[200];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        differences(cases[i].came, cases[i].expected, names);
        if (strcmp(names, cases[i].names))
            test_fail(__FILE__, __LINE__, "%s against %s: '%s' differs", cases[i].came, cases[i].expected,
                      names);
    }
}

TEST(no_text_however_odd_breaks_the_parser) /* ASan watches; and nothing is kept */
{
    static const char *const pieces[] = { "peer", "host",   ":",      "SYN",   "ACK",
                                          "<",    ">",      "mss",    "(",     ")",
                                          "[",    "]",      "{",      "}",     "about",
                                          "icmp", "/",      "1",      "-",     "+",
                                          "at",   "within", "repeat", "again", "\n",
                                          "\"",   "x\"",    "..",     "...",   "sack",
                                          "let",  "=",      "read",   "info",  "99999999999999999999" };
    uint64_t state = 1;
    char text[512];

    for (int round = 0; round < 3000; round++) {
        struct script_error error;
        struct script *s;
        size_t n = 0;
        for (int i = 0; i < 24; i++) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s",
                                  pieces[(state >> 33) % (sizeof pieces / sizeof *pieces)],
                                  state >> 62 ? " " : "");
        }
        s = script_parse("odd", text, n, NULL, &error);
        if (s)
            script_free(s);
    }
}
