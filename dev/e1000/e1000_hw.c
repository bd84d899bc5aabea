/* dev/e1000/e1000_hw.c - the card itself: reset, EEPROM, PHY, link, its own counters.
 *
 * Written for the silicon. QEMU's model needs less (its reset resets nothing, its link is up, its EEPROM
 * answers at once) and takes exception to one thing: each write of RCTL holds up all receive for a second. */
#include "dev/e1000/e1000.h"
#include "lib/abi/errno.h"
#include "lib/string.h"

enum { POLL_TRIES = 1000, POLL_STEP_US = 10 };
enum { RESET_US = 5000, DRAIN_US = 10000 };

/* Wait until all of bits are set (or, with set false, clear) in reg; *value is what was read last. */
static int e1000_wait(struct e1000 *e, enum e1000_register reg, uint32_t bits, bool set, uint32_t *value)
{
    for (int i = 0; i < POLL_TRIES; i++) {
        *value = e1000_read(e, reg);
        if ((*value & bits) == (set ? bits : 0))
            return 0;
        udelay(POLL_STEP_US);
    }
    return -EIO;
}

void e1000_set_rctl(struct e1000 *e, uint32_t value)
{
    e->rctl = value;
    if (e1000_read(e, REG_RCTL) != value)
        e1000_write(e, REG_RCTL, value);
}

int e1000_reset_hw(struct e1000 *e)
{
    uint32_t ctrl;

    e1000_write(e, REG_IMC, ~0u);
    e1000_set_rctl(e, 0);
    e1000_write(e, REG_TCTL, TCTL_PSP);
    udelay(DRAIN_US); /* DMA on its way ends */
    e1000_write(e, REG_CTRL, e1000_read(e, REG_CTRL) | CTRL_RST);
    udelay(RESET_US); /* and the EEPROM is read again (SDM 5.3, 14.2) */
    if (e1000_wait(e, REG_CTRL, CTRL_RST, false, &ctrl))
        return -EIO;
    e1000_write(e, REG_IMC, ~0u);
    e1000_read(e, REG_ICR);
    return 0;
}

static int eeprom_read(struct e1000 *e, unsigned word, uint16_t *value)
{
    uint32_t eerd;

    e1000_write(e, REG_EERD, EERD_START | word << EERD_ADDR_SHIFT);
    if (e1000_wait(e, REG_EERD, EERD_DONE, true, &eerd))
        return -EIO;
    *value = (uint16_t)(eerd >> EERD_DATA_SHIFT);
    return 0;
}

static bool mac_valid(const uint8_t mac[ETH_ALEN])
{
    bool group = mac[0] & 1;
    return !group && (mac[0] | mac[1] | mac[2] | mac[3] | mac[4] | mac[5]);
}

int e1000_read_mac(struct e1000 *e, uint8_t mac[ETH_ALEN])
{
    uint16_t sum = 0;

    for (unsigned i = 0; i < EEPROM_WORDS; i++) {
        uint16_t word;
        if (eeprom_read(e, i, &word))
            return -EIO;
        sum = (uint16_t)(sum + word);
        if (i < EEPROM_MAC_WORD + ETH_ALEN / 2) {
            mac[2 * i] = (uint8_t)word;
            mac[2 * i + 1] = (uint8_t)(word >> 8);
        }
    }
    return sum == EEPROM_SUM && mac_valid(mac) ? 0 : -EINVAL;
}

/* One transaction on the PHY's management wires: command holds the operation and, to write, the data. */
static int phy_command(struct e1000 *e, unsigned reg, uint32_t command, uint16_t *value)
{
    uint32_t mdic;

    e1000_write(e, REG_MDIC, command | reg << MDIC_REG_SHIFT | (uint32_t)MDIC_PHY << MDIC_PHY_SHIFT);
    if (e1000_wait(e, REG_MDIC, MDIC_READY, true, &mdic) || mdic & MDIC_ERROR)
        return -EIO;
    *value = (uint16_t)mdic;
    return 0;
}

/* The PHY negotiates by itself after a reset; make it, if somebody had told it not to. Restarting it when it
 * already does would only cost the link for half a second. */
static void phy_start(struct e1000 *e)
{
    enum { ASLEEP = PHY_CTRL_POWER_DOWN | PHY_CTRL_ISOLATE };
    uint16_t ctrl;

    if (phy_command(e, PHY_CTRL, MDIC_OP_READ, &ctrl)) {
        klog(LOG_WARNING, "%s: the PHY does not answer", e->device->name);
        return;
    }
    if ((ctrl & (PHY_CTRL_AUTONEG | ASLEEP)) == PHY_CTRL_AUTONEG)
        return;
    uint16_t awake = (uint16_t)((ctrl & ~ASLEEP) | PHY_CTRL_AUTONEG | PHY_CTRL_RESTART_AUTONEG);
    phy_command(e, PHY_CTRL, (uint32_t)MDIC_OP_WRITE | awake, &ctrl);
}

static void set_mac(struct e1000 *e, const uint8_t mac[ETH_ALEN])
{
    e1000_write(e, REG_RAL0, mac[0] | mac[1] << 8 | mac[2] << 16 | (uint32_t)mac[3] << 24);
    e1000_write(e, REG_RAH0, mac[4] | (uint32_t)mac[5] << 8 | RAH_AV);
}

/* Which of the 4,096 bits stands for a group: SDM 13.5.1 with RCTL.MO = 0, bits 47:36 of the address. */
static unsigned mta_bit(const uint8_t *address)
{
    return (address[4] >> 4 | (unsigned)address[5] << 4) & 0xfff;
}

void e1000_set_groups(struct e1000 *e, const struct net_device *dev)
{
    uint32_t wanted[E1000_MTA_WORDS];
    const struct netdev_group *g;

    memset(wanted, dev_flags(dev, NETDEV_ALLMULTI) ? 0xff : 0, sizeof wanted);
    list_for_each_entry (g, &dev->groups, link)
        wanted[mta_bit(g->address) / 32] |= 1u << mta_bit(g->address) % 32;
    for (unsigned i = 0; i < E1000_MTA_WORDS; i++) {
        if (wanted[i] == e->mta[i])
            continue;
        e->mta[i] = wanted[i];
        e1000_write(e, REG_MTA + 4 * i, wanted[i]);
    }
}

void e1000_init_hw(struct e1000 *e)
{
    uint32_t ctrl = e1000_read(e, REG_CTRL);

    set_mac(e, e->netdev->dev_addr);
    memset(e->mta, 0, sizeof e->mta);
    for (unsigned i = 0; i < E1000_MTA_WORDS; i++)
        e1000_write(e, REG_MTA + 4 * i, 0);
    ctrl &= ~(uint32_t)(CTRL_LRST | CTRL_ILOS | CTRL_FRCSPD | CTRL_FRCDPX | CTRL_VME);
    e1000_write(e, REG_CTRL, ctrl | CTRL_SLU | CTRL_ASDE);
    phy_start(e);
}

void e1000_update_link(struct e1000 *e)
{
    static const char *const speeds[] = { "10", "100", "1000", "1000" };
    uint32_t status = e1000_read(e, REG_STATUS);
    bool up = status & STATUS_LU;

    if (up == e->netdev->carrier)
        return;
    if (up) {
        netif_carrier_on(e->netdev);
        klog(LOG_INFO, "%s: link up, %s Mb/s, %s duplex", e->netdev->name,
             speeds[status >> STATUS_SPEED_SHIFT & STATUS_SPEED_MASK], status & STATUS_FD ? "full" : "half");
    } else {
        netif_carrier_off(e->netdev);
        klog(LOG_INFO, "%s: link down", e->netdev->name);
    }
}

/* Add the register to the count it belongs to: reading it clears it. */
static void gather(struct e1000 *e, enum e1000_register reg, uint64_t *count)
{
    __atomic_fetch_add(count, e1000_read(e, reg), __ATOMIC_RELAXED);
}

void e1000_get_stats(struct net_device *dev, struct net_device_stats *stats)
{
    static const enum e1000_register rx_errors[] = { REG_CRCERRS, REG_ALGNERRC, REG_RXERRC,
                                                     REG_RLEC,    REG_RUC,      REG_ROC };
    struct e1000 *e = netdev_priv(dev);

    for (unsigned i = 0; i < ARRAY_SIZE(rx_errors); i++)
        gather(e, rx_errors[i], &e->hw_stats.rx_errors);
    gather(e, REG_MPC, &e->hw_stats.rx_missed);
    gather(e, REG_ECOL, &e->hw_stats.tx_errors);
    gather(e, REG_LATECOL, &e->hw_stats.tx_errors);
    stats->rx_errors += __atomic_load_n(&e->hw_stats.rx_errors, __ATOMIC_RELAXED);
    stats->rx_no_buffer += __atomic_load_n(&e->hw_stats.rx_missed, __ATOMIC_RELAXED);
    stats->tx_errors += __atomic_load_n(&e->hw_stats.tx_errors, __ATOMIC_RELAXED);
}
