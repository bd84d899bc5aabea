/* lib/abi/termios.h - Linux's terminals: settings and requests (x86-64). */
#pragma once
#if __STDC_HOSTED__
#include <sys/ioctl.h>
#include <termios.h>
#else
#include <stdint.h>

enum { NCCS = 19 }; /* the kernel's, not the C library's */
struct termios {
    uint32_t c_iflag, c_oflag, c_cflag, c_lflag;
    uint8_t c_line;
    uint8_t c_cc[NCCS];
};
_Static_assert(sizeof(struct termios) == 36, "the ABI's size");
struct winsize {
    uint16_t ws_row, ws_col, ws_xpixel, ws_ypixel;
};

enum {
    VINTR,
    VQUIT,
    VERASE,
    VKILL,
    VEOF,
    VTIME,
    VMIN,
    VSTART = 8,
    VSTOP = 9,
    VSUSP = 10,
    VEOL = 11,
    VREPRINT = 12,
    VDISCARD = 13,
    VWERASE = 14,
    VLNEXT = 15,
    VEOL2 = 16
};
enum { ISTRIP = 040, INLCR = 0100, IGNCR = 0200, ICRNL = 0400, IXON = 02000, IXANY = 04000 };
enum { OPOST = 01, ONLCR = 04 };
enum { B38400 = 017, B115200 = 010002, CS8 = 060, CREAD = 0200, CLOCAL = 04000 };
enum {
    ISIG = 01,
    ICANON = 02,
    ECHO = 010,
    ECHOE = 020,
    ECHOK = 040,
    ECHONL = 0100,
    NOFLSH = 0200,
    TOSTOP = 0400,
    ECHOCTL = 01000,
    ECHOKE = 04000,
    IEXTEN = 0100000
};
enum { TCOOFF = 0, TCOON = 1, TCIOFF = 2, TCION = 3 };
enum { TCIFLUSH = 0, TCOFLUSH = 1, TCIOFLUSH = 2 };

enum {
    TCGETS = 0x5401,
    TCSETS = 0x5402,
    TCSETSW = 0x5403,
    TCSETSF = 0x5404,
    TCSBRK = 0x5409,
    TCXONC = 0x540a,
    TCFLSH = 0x540b,
    TIOCSCTTY = 0x540e,
    TIOCGPGRP = 0x540f,
    TIOCSPGRP = 0x5410,
    TIOCGWINSZ = 0x5413,
    TIOCSWINSZ = 0x5414,
    TIOCPKT = 0x5420,
    TIOCNOTTY = 0x5422,
    TIOCGSID = 0x5429
};
enum { /* of a pty's master */
       TIOCGPTN = 0x80045430,
       TIOCSPTLCK = 0x40045431,
       TIOCSIG = 0x40045436,
       TIOCGPKT = 0x80045438,
       TIOCGPTLCK = 0x80045439,
       TIOCGPTPEER = 0x5441
};
enum { FIONCLEX = 0x5450, FIOCLEX = 0x5451, FIOASYNC = 0x5452 }; /* any file */
#endif
