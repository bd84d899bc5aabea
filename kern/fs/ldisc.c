/* kern/fs/ldisc.c - the line discipline: canonical and raw input, echo, editing keys, signals (termios(3)).
 * In canonical mode a line is committed to readers by its newline; until then the keys can take it back. */
#include "kern/fs/ldisc.h"
#include "kern/debug/console.h"
#include "kern/proc/signals.h"
#include "lib/string.h"

void ldisc_init(struct tty *tty, unsigned port)
{
    *tty = (struct tty){ .port = port,
                         .winsize = { .ws_row = 24, .ws_col = 80 },
                         .termios = { .c_iflag = ICRNL | IXON,
                                      .c_oflag = OPOST | ONLCR,
                                      .c_cflag = B115200 | CS8 | CREAD | CLOCAL,
                                      .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | IEXTEN,
                                      .c_cc = { [VINTR] = 'C' - '@',
                                                [VQUIT] = '\\' - '@',
                                                [VERASE] = 0x7f,
                                                [VKILL] = 'U' - '@',
                                                [VEOF] = 'D' - '@',
                                                [VMIN] = 1,
                                                [VSUSP] = 'Z' - '@',
                                                [VWERASE] = 'W' - '@' } } };
    spin_init(&tty->lock, "tty", RANK_TTY);
    waitq_init(&tty->wq);
}

static const char *find_newline(const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i] == '\n')
            return bytes + i;
    return NULL;
}

void ldisc_output(struct tty *tty, const char *bytes, size_t n)
{
    const uint32_t mend = OPOST | ONLCR;
    bool newlines = (READ_ONCE(tty->termios.c_oflag) & mend) == mend;

    while (n) {
        const char *newline = newlines ? find_newline(bytes, n) : NULL;
        size_t plain = newline ? (size_t)(newline - bytes) : n;
        serial_write(tty->port, bytes, plain);
        if (newline) {
            serial_write(tty->port, "\r\n", 2);
            plain++;
        }
        bytes += plain;
        n -= plain;
    }
}

void ldisc_flush(struct tty *tty)
{
    uint64_t flags = spin_lock(&tty->lock);

    tty->read_pos = tty->commit_pos = tty->write_pos;
    spin_unlock(&tty->lock, flags);
}

/* ---- one typed byte; lock held ---- */

static bool has_flag(const struct tty *tty, uint32_t lflag)
{
    return tty->termios.c_lflag & lflag;
}

/* Is c the key for this function? A function set to 0 has no key. */
static bool is_key(const struct tty *tty, unsigned function, uint8_t c)
{
    return c && tty->termios.c_cc[function] == c;
}

static bool is_control(uint16_t c)
{
    return c < ' ' || c == 0x7f;
}

static void echo(struct tty *tty, uint8_t c)
{
    char text[2] = { '^', (char)(c ^ '@') };

    if (!has_flag(tty, ECHO))
        return;
    if (has_flag(tty, ECHOCTL) && is_control(c) && c != '\n' && c != '\t')
        ldisc_output(tty, text, 2);
    else
        ldisc_output(tty, (const char *)&c, 1);
}

static void append(struct tty *tty, uint16_t c)
{
    if (tty->write_pos - tty->read_pos < TTY_BUFFER)
        tty->ring[tty->write_pos++ % TTY_BUFFER] = c;
}

/* Take back the last byte of the line being typed. False: there is none. */
static bool erase(struct tty *tty)
{
    uint16_t c;

    if (tty->write_pos == tty->commit_pos)
        return false;
    c = tty->ring[--tty->write_pos % TTY_BUFFER];
    if (has_flag(tty, ECHO) && has_flag(tty, ECHOE))
        ldisc_output(tty, "\b \b\b \b", is_control(c) ? 6 : 3);
    return true;
}

static uint16_t last_typed(const struct tty *tty)
{
    return tty->write_pos == tty->commit_pos ? 0 : tty->ring[(tty->write_pos - 1) % TTY_BUFFER];
}

static void erase_word(struct tty *tty)
{
    while (last_typed(tty) == ' ')
        erase(tty);
    while (last_typed(tty) && last_typed(tty) != ' ')
        erase(tty);
}

static void erase_line(struct tty *tty)
{
    while (erase(tty))
        ;
}

/* Keys that take the line back. True: c was one. */
static bool edit_key(struct tty *tty, uint8_t c)
{
    if (is_key(tty, VERASE, c) || (c == '\b' && tty->termios.c_cc[VERASE] == 0x7f))
        erase(tty);
    else if (is_key(tty, VWERASE, c))
        erase_word(tty);
    else if (is_key(tty, VKILL, c))
        erase_line(tty);
    else
        return false;
    return true;
}

static void commit(struct tty *tty)
{
    tty->commit_pos = tty->write_pos;
}

static void type_canonical(struct tty *tty, uint8_t c)
{
    if (edit_key(tty, c))
        return;
    if (is_key(tty, VEOF, c)) {
        append(tty, TTY_END_OF_FILE);
        commit(tty);
        return;
    }
    echo(tty, c);
    /* The last place is kept for the newline, or a full line could never be ended. */
    if (c == '\n' || tty->write_pos - tty->read_pos < TTY_BUFFER - 1)
        append(tty, c);
    if (c == '\n')
        commit(tty);
}

static void type_raw(struct tty *tty, uint8_t c)
{
    echo(tty, c);
    append(tty, c);
    commit(tty);
}

/* The signal that c means, or 0. */
static int signal_key(const struct tty *tty, uint8_t c)
{
    if (!has_flag(tty, ISIG))
        return 0;
    return is_key(tty, VINTR, c)   ? SIGINT
           : is_key(tty, VQUIT, c) ? SIGQUIT
           : is_key(tty, VSUSP, c) ? SIGTSTP
                                   : 0;
}

static void type_byte(struct tty *tty, uint8_t c)
{
    uint32_t iflag = tty->termios.c_iflag;
    int signo = signal_key(tty, c);

    if (signo) {
        echo(tty, c);
        tty->read_pos = tty->commit_pos = tty->write_pos;
        if (tty->pgid)
            signal_send_group(tty->pgid, signo, &(struct signal_info){ .code = SI_KERNEL });
        return;
    }
    if (c == '\r' && (iflag & IGNCR))
        return;
    if (c == '\r' && (iflag & ICRNL))
        c = '\n';
    else if (c == '\n' && (iflag & INLCR))
        c = '\r';
    if (has_flag(tty, ICANON))
        type_canonical(tty, c);
    else
        type_raw(tty, c);
}

void ldisc_input(struct tty *tty, const uint8_t *bytes, size_t n)
{
    uint64_t flags = spin_lock(&tty->lock);

    for (size_t i = 0; i < n; i++)
        type_byte(tty, bytes[i]);
    spin_unlock(&tty->lock, flags);
    waitq_wake(&tty->wq);
}
