/* sim/tap.h - a scripted station: what a test itself says and hears on a wire.
 * It answers ARP requests for its address, if told so, and keeps every other frame until the test takes it.
 */
#pragma once
#include "sim/frame.h"
#include "sim/wire.h"

struct tap {
    struct wire_port port;
    uint8_t mac[6];
    uint32_t ip;      /* host order */
    bool answers_arp; /* requests for ip; those are then not kept */
    bool only_for_me; /* keep only frames to mac or to a group */

    struct list_head frames; /* received, oldest first */
    struct tap_frame *taken; /* what the last tap_receive() gave; its bytes live until the next */
    struct lock lock;
    struct waitq wq;
};

/* A station with this address and the MAC 02:00:<ip> that answers ARP. */
struct tap *tap_create(struct wire *w, uint32_t ip);
void tap_destroy(struct tap *t);

/* Send now. The source MAC is the tap's when p has none, the destination broadcast when p has none. */
void tap_send(struct tap *t, const struct packet *p);
/* Send later; p and what it points to must live until then. */
void tap_send_at(struct tap *t, uint64_t when, const struct packet *p);
void tap_send_bytes(struct tap *t, const uint8_t *frame, size_t n);

/* Take the oldest frame kept, or wait for one. False when none came within timeout (ns). p's pointers are
 * good until the next call. A task, or the body of a test. */
bool tap_receive(struct tap *t, struct packet *p, uint64_t timeout);
/* The bytes of the frame that the last tap_receive() gave. */
const uint8_t *tap_bytes(const struct tap *t, size_t *n);
/* Forget all that was kept. */
void tap_flush(struct tap *t);

/* The same with the test failing when the next frame is another than expected; what came is in the message.
 */
void tap_expect_arp(struct tap *t, struct packet *p, uint16_t op, const char *file, int line);
void tap_expect_ip(struct tap *t, struct packet *p, uint8_t protocol, const char *file, int line);
void tap_expect_tcp(struct tap *t, struct packet *p, uint8_t flags, const char *file, int line);
void tap_expect_silence(struct tap *t, uint64_t duration, const char *file, int line);
#define EXPECT_ARP(tap, p, op)      tap_expect_arp(tap, p, op, __FILE__, __LINE__)
#define EXPECT_IP(tap, p, protocol) tap_expect_ip(tap, p, protocol, __FILE__, __LINE__)
#define EXPECT_TCP(tap, p, flags)   tap_expect_tcp(tap, p, flags, __FILE__, __LINE__)
#define EXPECT_SILENCE(tap, ns)     tap_expect_silence(tap, ns, __FILE__, __LINE__)
enum { TAP_PATIENCE_SECONDS = 120 }; /* virtual; how long an EXPECT waits */
