/* sim/rawip.h - packets without a link header, as a TUN device or a PPP link carries them. */
#pragma once
#include "net/core/net_namespace.h"

/* Let net have devices of type ARPHRD_NONE. type is the copy to register; it lives as long as net. */
void rawip_register(struct net *net, struct link_type *type);
void rawip_unregister(struct link_type *type);
