/* net/ipv4/rtnl_rule.c - by which rules tables are asked, for `ip rule`: there are three and they never
 * change. */
#include "net/ipv4/rtnl.h"

static int dump_rules(struct nl_request *r)
{
    static const struct {
        uint32_t priority;
        uint8_t table;
    } rules[] = { { 0, RT_TABLE_LOCAL }, { 32766, RT_TABLE_MAIN }, { 32767, RT_TABLE_DEFAULT } };

    for (; r->at[0] < ARRAY_SIZE(rules); r->at[0]++) {
        const struct fib_rule_hdr fixed = { .family = AF_INET,
                                            .table = rules[r->at[0]].table,
                                            .action = FR_ACT_TO_TBL };
        struct nlmsg m = nlmsg_begin(r->skb, &r->to, RTM_NEWRULE, &fixed, sizeof fixed);
        nl_put_u32(&m, FRA_TABLE, fixed.table);
        nl_put_u32(&m, FRA_SUPPRESS_PREFIXLEN, UINT32_MAX); /* none is too short */
        nl_put_u8(&m, FRA_PROTOCOL, RTPROT_KERNEL);
        if (rules[r->at[0]].priority)
            nl_put_u32(&m, FRA_PRIORITY, rules[r->at[0]].priority);
        if (!nlmsg_end(&m))
            return 1;
    }
    return 0;
}

const struct nl_handler rtnl_rule_handlers[RTNL_RULE_HANDLERS] = {
    { .type = RTM_GETRULE, .family = AF_INET, .dump = dump_rules },
};
