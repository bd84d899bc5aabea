/* sim/switch.h - an Ethernet switch: it learns behind which of its wires a station is, and floods what it
 * does not know. */
#pragma once
#include "sim/wire.h"

struct wire_switch;

struct wire_switch *switch_create(void);
/* Put an end of w into a port of its own. */
void switch_join(struct wire_switch *s, struct wire *w);
/* Take all ends off their wires. */
void switch_destroy(struct wire_switch *s);
