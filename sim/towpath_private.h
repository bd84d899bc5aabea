/* sim/towpath_private.h - what the parts of the library share. */
#pragma once
#include "net/core/net_namespace.h"
#include "sim/towpath.h"
#include "sim/vnic.h"

struct tp_kernel {
    struct list_head devices;   /* struct tp_card */
    struct list_head processes; /* struct tp_process */
    struct net *net;
    struct link_type raw_ip;
    uint32_t number; /* the how-manieth of its world */
    uint32_t cards;
    char name[32];
};
