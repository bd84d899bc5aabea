/* dev/e1000/regs.h - registers and descriptors of the 82540EM, those that the driver uses.
 *
 * Section numbers are those of Intel's 'PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's
 * Manual' (SDM). All registers are 32 bits wide, all shared layouts little endian. */
#pragma once
#include "lib/compiler.h"

enum { E1000_VENDOR_INTEL = 0x8086, E1000_DEVICE_82540EM = 0x100e };
enum { E1000_BAR_REGISTERS = 0, E1000_REGISTERS_SIZE = 0x20000 }; /* SDM 4.1: 128 KiB */

enum e1000_register {
    REG_CTRL = 0x0000,     /* SDM 13.4.1 */
    REG_STATUS = 0x0008,   /* SDM 13.4.2 */
    REG_EERD = 0x0014,     /* SDM 13.4.4: read a word of the EEPROM */
    REG_MDIC = 0x0020,     /* SDM 13.4.7: read or write a register of the PHY */
    REG_ICR = 0x00c0,      /* SDM 13.4.17: causes; reading clears them */
    REG_IMS = 0x00d0,      /* SDM 13.4.20: mask set: the causes written may interrupt */
    REG_IMC = 0x00d8,      /* SDM 13.4.21: mask clear */
    REG_RCTL = 0x0100,     /* SDM 13.4.22 */
    REG_TCTL = 0x0400,     /* SDM 13.4.33 */
    REG_TIPG = 0x0410,     /* SDM 13.4.34 */
    REG_RDBAL = 0x2800,    /* SDM 13.4.25: ring base, 16-byte aligned */
    REG_RDBAH = 0x2804,    /* SDM 13.4.26 */
    REG_RDLEN = 0x2808,    /* SDM 13.4.27: bytes, a multiple of 128 */
    REG_RDH = 0x2810,      /* SDM 13.4.28: head, moved by the card */
    REG_RDT = 0x2818,      /* SDM 13.4.29: tail, moved by us */
    REG_TDBAL = 0x3800,    /* SDM 13.4.36 */
    REG_TDBAH = 0x3804,    /* SDM 13.4.37 */
    REG_TDLEN = 0x3808,    /* SDM 13.4.38 */
    REG_TDH = 0x3810,      /* SDM 13.4.39 */
    REG_TDT = 0x3818,      /* SDM 13.4.40 */
    REG_CRCERRS = 0x4000,  /* SDM 13.7: statistics; reading clears */
    REG_ALGNERRC = 0x4004, /* frames with an alignment error */
    REG_RXERRC = 0x400c,   /* frames with an error on the PHY's wire */
    REG_MPC = 0x4010,      /* missed: no room in the card, no descriptor */
    REG_ECOL = 0x4018,     /* given up after 15 collisions */
    REG_LATECOL = 0x401c,  /* collisions after 512 bit times */
    REG_RLEC = 0x4040,     /* length field wrong */
    REG_RUC = 0x40a4,      /* too short, checksum right */
    REG_ROC = 0x40ac,      /* too long, checksum right */
    REG_MTA = 0x5200,      /* SDM 13.5.1: 128 words of multicast hash */
    REG_RAL0 = 0x5400,     /* SDM 13.5.2: our address, bytes 0 to 3 */
    REG_RAH0 = 0x5404      /* SDM 13.5.3: bytes 4 and 5, and RAH_AV */
};

enum { /* SDM 13.4.1 */
       CTRL_LRST = 1 << 3,
       CTRL_ASDE = 1 << 5, /* take the speed from the PHY */
       CTRL_SLU = 1 << 6,  /* set link up */
       CTRL_ILOS = 1 << 7,
       CTRL_FRCSPD = 1 << 11,
       CTRL_FRCDPX = 1 << 12,
       CTRL_RST = 1 << 26,
       CTRL_VME = 1 << 30
};
enum { /* SDM 13.4.2 */
       STATUS_FD = 1 << 0,
       STATUS_LU = 1 << 1,
       STATUS_SPEED_SHIFT = 6,
       STATUS_SPEED_MASK = 3
};
enum { /* SDM 13.4.4 */
       EERD_START = 1 << 0,
       EERD_DONE = 1 << 4,
       EERD_ADDR_SHIFT = 8,
       EERD_DATA_SHIFT = 16
};
enum { EEPROM_MAC_WORD = 0, EEPROM_WORDS = 0x40, EEPROM_SUM = 0xbaba }; /* SDM 5.6.1, 5.6.35 */

enum { /* SDM 13.4.7 */
       MDIC_REG_SHIFT = 16,
       MDIC_PHY_SHIFT = 21,
       MDIC_OP_WRITE = 1 << 26,
       MDIC_OP_READ = 2 << 26,
       MDIC_READY = 1 << 28,
       MDIC_ERROR = 1 << 30,
       MDIC_PHY = 1 /* the internal PHY's address */
};
enum { PHY_CTRL = 0 };
enum { /* SDM 13.8: PHY_CTRL, IEEE 802.3 22.2.4.1 */
       PHY_CTRL_RESTART_AUTONEG = 1 << 9,
       PHY_CTRL_ISOLATE = 1 << 10,
       PHY_CTRL_POWER_DOWN = 1 << 11,
       PHY_CTRL_AUTONEG = 1 << 12
};

enum {                      /* SDM 13.4.17 */
       INT_TXDW = 1 << 0,   /* a transmit descriptor with RS was written back */
       INT_LSC = 1 << 2,    /* link status changed */
       INT_RXDMT0 = 1 << 4, /* receive descriptors run low */
       INT_RXO = 1 << 6,    /* receive overrun */
       INT_RXT0 = 1 << 7    /* received */
};
enum { /* SDM 13.4.22; BSIZE 0 is 2,048 bytes a buffer */
       RCTL_EN = 1 << 1,
       RCTL_UPE = 1 << 3, /* unicast promiscuous */
       RCTL_MPE = 1 << 4, /* multicast promiscuous */
       RCTL_BAM = 1 << 15,
       RCTL_SECRC = 1 << 26 /* strip the FCS */
};
enum { /* SDM 13.4.33 */
       TCTL_EN = 1 << 1,
       TCTL_PSP = 1 << 3,     /* pad short packets */
       TCTL_CT = 0x10 << 4,   /* tries before giving up */
       TCTL_COLD = 0x40 << 12 /* collision distance, full duplex */
};
enum { TIPG_COPPER = 10 | 8 << 10 | 6 << 20 }; /* SDM 13.4.34: IPGT, IPGR1, IPGR2 */
#define RAH_AV (1u << 31)                      /* SDM 13.5.3 */

/* ---- descriptors: what lies in the rings ---- */

struct e1000_rx_desc { /* SDM 3.2.3 */
    uint64_t addr;
    uint16_t length, csum;
    uint8_t status, errors;
    uint16_t special;
};
enum { RXD_DD = 1 << 0, RXD_EOP = 1 << 1 };                                    /* SDM 3.2.3.1 */
enum { RXD_CE = 1 << 0, RXD_SE = 1 << 1, RXD_SEQ = 1 << 2, RXD_RXE = 1 << 7 }; /* SDM 3.2.3.2 */
enum { RXD_FRAME_ERRORS = RXD_CE | RXD_SE | RXD_SEQ | RXD_RXE };

/* Two readings of the same sixteen bytes: a context (SDM 3.3.5) says where a checksum begins and goes, data
 * (SDM 3.3.6) is a piece of a packet. */
struct e1000_tx_desc {
    union {
        uint64_t addr;
        struct {
            uint8_t ipcss, ipcso;
            uint16_t ipcse;
            uint8_t tucss, tucso; /* sum from here; store there; both from the start of the frame */
            uint16_t tucse;       /* sum up to here; 0: to the end */
        } context;
    };
    uint32_t cmd_len; /* length:20, type:4, command:8 */
    uint8_t status, popts;
    uint16_t special;
};
enum {
    TXD_TYPE_DATA = 1 << 20,
    TXD_EOP = 1 << 24,
    TXD_IFCS = 1 << 25, /* append the FCS */
    TXD_RS = 1 << 27,   /* report status: DD when done */
    TXD_DEXT = 1 << 29  /* not a legacy descriptor */
};
enum { TXD_DD = 1 << 0, TXD_POPTS_TXSM = 1 << 1 }; /* SDM 3.3.6.1, 3.3.6.2 */

_Static_assert(sizeof(struct e1000_rx_desc) == 16 && offsetof(struct e1000_rx_desc, status) == 12,
               "SDM 3.2.3");
_Static_assert(sizeof(struct e1000_tx_desc) == 16 && offsetof(struct e1000_tx_desc, status) == 12,
               "SDM 3.3.6");
_Static_assert(offsetof(struct e1000_tx_desc, context.tucss) == 4, "SDM 3.3.5");
