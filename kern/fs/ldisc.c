/* kern/fs/ldisc.c - the line discipline: canonical and raw input, echo, editing keys, signals (termios(3)).
 * In canonical mode a line is committed to readers by its newline; until then the keys can take it back.
 * All of it with the terminal's lock held. */
#include "kern/fs/ldisc.h"
#include "kern/proc/signals.h"
#include "lib/string.h"

enum { TAB = 8 };

void ldisc_init(struct tty *tty, const struct tty_driver *driver)
{
    *tty = (struct tty){ .driver = driver,
                         .termios = { .c_iflag = ICRNL | IXON,
                                      .c_oflag = OPOST | ONLCR,
                                      .c_cflag = B38400 | CS8 | CREAD,
                                      .c_lflag =
                                          ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
                                      .c_cc = { [VINTR] = 'C' - '@',
                                                [VQUIT] = '\\' - '@',
                                                [VERASE] = 0x7f,
                                                [VKILL] = 'U' - '@',
                                                [VEOF] = 'D' - '@',
                                                [VMIN] = 1,
                                                [VSTART] = 'Q' - '@',
                                                [VSTOP] = 'S' - '@',
                                                [VSUSP] = 'Z' - '@',
                                                [VREPRINT] = 'R' - '@',
                                                [VDISCARD] = 'O' - '@',
                                                [VWERASE] = 'W' - '@',
                                                [VLNEXT] = 'V' - '@' } } };
    refcount_set(&tty->refs, 1);
    spin_init(&tty->lock, "tty", RANK_TTY);
    waitq_init(&tty->wq);
}

/* ---- output ---- */

static void count_columns(struct tty *tty, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\t')
            tty->column = (tty->column / TAB + 1) * TAB;
        else if (bytes[i] == '\r')
            tty->column = 0;
        else if (bytes[i] == '\b' && tty->column)
            tty->column--;
        else if ((uint8_t)bytes[i] >= ' ')
            tty->column++;
    }
}

static size_t put(struct tty *tty, const char *bytes, size_t n)
{
    n = tty->driver->write(tty, bytes, n);
    count_columns(tty, bytes, n);
    return n;
}

static size_t to_newline(const char *bytes, size_t n)
{
    size_t i = 0;

    while (i < n && bytes[i] != '\n')
        i++;
    return i;
}

/* Send bytes, mended as c_oflag asks; how many went out. */
static size_t send(struct tty *tty, const char *bytes, size_t n)
{
    const uint32_t mend = OPOST | ONLCR;
    bool newlines = (tty->termios.c_oflag & mend) == mend;
    size_t done = 0;

    while (done < n) {
        size_t plain = newlines ? to_newline(bytes + done, n - done) : n - done;
        size_t sent = put(tty, bytes + done, plain);
        done += sent;
        if (sent < plain)
            break;
        if (done < n) {
            if (tty->driver->room(tty) < 2)
                break;
            put(tty, "\r\n", 2);
            done++;
        }
    }
    return done;
}

size_t ldisc_output(struct tty *tty, const char *bytes, size_t n)
{
    n = tty->stopped ? 0 : send(tty, bytes, n);
    tty->line_column = tty->column;
    return n;
}

void ldisc_flush(struct tty *tty)
{
    tty->read_pos = tty->commit_pos = tty->write_pos;
}

size_t ldisc_room(const struct tty *tty)
{
    size_t room = TTY_BUFFER - (tty->write_pos - tty->read_pos);

    /* A line without an end must not stop the line: what is too much of it is lost. */
    return (tty->termios.c_lflag & ICANON) && tty->commit_pos == tty->read_pos ? TTY_BUFFER : room;
}

/* ---- one typed byte ---- */

static bool has_flag(const struct tty *tty, uint32_t lflag)
{
    return tty->termios.c_lflag & lflag;
}

/* Is c the key for this function? A function set to 0 has no key. */
static bool is_key(const struct tty *tty, unsigned function, uint8_t c)
{
    return c && tty->termios.c_cc[function] == c;
}

/* Of the keys that only IEXTEN gives. */
static bool is_extended_key(const struct tty *tty, unsigned function, uint8_t c)
{
    return has_flag(tty, IEXTEN) && is_key(tty, function, c);
}

static bool is_control(uint16_t c)
{
    return c < ' ' || c == 0x7f;
}

static bool is_shown_as_two(const struct tty *tty, uint16_t c)
{
    return has_flag(tty, ECHOCTL) && is_control(c) && c != '\n' && c != '\t';
}

static void echo(struct tty *tty, uint8_t c)
{
    char text[2] = { '^', (char)(c ^ '@') };

    if (!has_flag(tty, ECHO)) {
        if (c == '\n' && has_flag(tty, ECHONL) && has_flag(tty, ICANON))
            send(tty, "\n", 1);
        return;
    }
    if (tty->write_pos == tty->commit_pos)
        tty->line_column = tty->column;
    if (is_shown_as_two(tty, c))
        send(tty, text, 2);
    else
        send(tty, (const char *)&c, 1);
}

static void append(struct tty *tty, uint16_t c)
{
    if (tty->write_pos - tty->read_pos < TTY_BUFFER)
        tty->ring[tty->write_pos++ % TTY_BUFFER] = c;
}

/* Where the cursor was before the last byte typed, a tab, was shown. */
static unsigned column_before_tab(const struct tty *tty)
{
    unsigned column = tty->line_column;

    for (uint32_t i = tty->commit_pos; i != tty->write_pos; i++) {
        uint16_t c = tty->ring[i % TTY_BUFFER];
        column =
            c == '\t' ? (column / TAB + 1) * TAB : column + (is_shown_as_two(tty, c) ? 2 : !is_control(c));
    }
    return column;
}

static void unshow(struct tty *tty, uint16_t c)
{
    if (c == '\t')
        for (unsigned from = column_before_tab(tty); tty->column > from;)
            send(tty, "\b", 1);
    else if (is_shown_as_two(tty, c))
        send(tty, "\b \b\b \b", 6);
    else if (!is_control(c))
        send(tty, "\b \b", 3);
}

/* Take back the last byte of the line being typed. False: there is none. */
static bool erase(struct tty *tty)
{
    uint16_t c;

    if (tty->write_pos == tty->commit_pos)
        return false;
    c = tty->ring[--tty->write_pos % TTY_BUFFER];
    if (has_flag(tty, ECHO) && has_flag(tty, ECHOE))
        unshow(tty, c);
    return true;
}

static void erase_key(struct tty *tty, uint8_t c)
{
    if (erase(tty) && has_flag(tty, ECHO) && !has_flag(tty, ECHOE))
        echo(tty, c);
}

static uint16_t last_typed(const struct tty *tty)
{
    return tty->write_pos == tty->commit_pos ? 0 : tty->ring[(tty->write_pos - 1) % TTY_BUFFER];
}

static bool is_word(uint16_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c > 0x7f;
}

static void erase_word(struct tty *tty)
{
    while (last_typed(tty) && !is_word(last_typed(tty)))
        erase(tty);
    while (last_typed(tty) && is_word(last_typed(tty)))
        erase(tty);
}

static void erase_line(struct tty *tty, uint8_t key)
{
    if (has_flag(tty, ECHOK) && has_flag(tty, ECHOKE) && has_flag(tty, ECHOE)) {
        while (erase(tty))
            ;
        return;
    }
    tty->write_pos = tty->commit_pos;
    echo(tty, key);
    if (has_flag(tty, ECHO) && has_flag(tty, ECHOK))
        send(tty, "\n", 1);
}

static void reprint(struct tty *tty, uint8_t key)
{
    if (!has_flag(tty, ECHO))
        return;
    echo(tty, key);
    send(tty, "\n", 1);
    tty->line_column = tty->column;
    for (uint32_t i = tty->commit_pos; i != tty->write_pos; i++) {
        uint16_t c = tty->ring[i % TTY_BUFFER];
        char text[2] = { '^', (char)(c ^ '@') }, plain = (char)c;
        if (is_shown_as_two(tty, c))
            send(tty, text, 2);
        else
            send(tty, &plain, 1);
    }
}

/* Keys that change the line being typed. True: c was one. */
static bool edit_key(struct tty *tty, uint8_t c)
{
    if (is_key(tty, VERASE, c))
        erase_key(tty, c);
    else if (is_extended_key(tty, VWERASE, c))
        erase_word(tty);
    else if (is_key(tty, VKILL, c))
        erase_line(tty, c);
    else if (is_extended_key(tty, VREPRINT, c))
        reprint(tty, c);
    else
        return false;
    return true;
}

static void commit(struct tty *tty)
{
    tty->commit_pos = tty->write_pos;
}

static bool ends_line(const struct tty *tty, uint8_t c)
{
    return c == '\n' || is_key(tty, VEOL, c) || is_extended_key(tty, VEOL2, c);
}

static void type_canonical(struct tty *tty, uint8_t c, bool literal)
{
    if (!literal && edit_key(tty, c))
        return;
    if (!literal && is_key(tty, VEOF, c)) {
        append(tty, TTY_END_OF_FILE);
        commit(tty);
        return;
    }
    echo(tty, c);
    /* The last place is kept for the newline, or a full line could never be ended. */
    bool ends = !literal && ends_line(tty, c);
    if (ends || tty->write_pos - tty->read_pos < TTY_BUFFER - 1)
        append(tty, c);
    if (ends)
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

static void send_signal(struct tty *tty, int signo, uint8_t c)
{
    if (!has_flag(tty, NOFLSH)) {
        ldisc_flush(tty);
        tty->driver->drop(tty);
    }
    tty->stopped = false;
    echo(tty, c);
    if (tty->pgid)
        signal_send_group(tty->pgid, signo, &(struct signal_info){ .code = SI_KERNEL });
}

/* The keys that stop and start output. True: c was one. */
static bool flow_key(struct tty *tty, uint8_t c)
{
    if (!(tty->termios.c_iflag & IXON) || (!is_key(tty, VSTART, c) && !is_key(tty, VSTOP, c)))
        return false;
    tty->stopped = !is_key(tty, VSTART, c);
    return true;
}

static uint8_t mend_input(const struct tty *tty, uint8_t c)
{
    uint32_t iflag = tty->termios.c_iflag;

    if (iflag & ISTRIP)
        c &= 0x7f;
    if (c == '\r' && (iflag & ICRNL))
        return '\n';
    return c == '\n' && (iflag & INLCR) ? '\r' : c;
}

static void type_literal(struct tty *tty, uint8_t c)
{
    tty->literal = false;
    if (has_flag(tty, ICANON))
        type_canonical(tty, c, true);
    else
        type_raw(tty, c);
}

static void type_byte(struct tty *tty, uint8_t c)
{
    int signo;

    if (tty->literal) {
        type_literal(tty, c);
        return;
    }
    if (flow_key(tty, c))
        return;
    signo = signal_key(tty, c);
    if (signo) {
        send_signal(tty, signo, c);
        return;
    }
    if (tty->stopped && (tty->termios.c_iflag & IXANY))
        tty->stopped = false;
    if (c == '\r' && (tty->termios.c_iflag & IGNCR))
        return;
    c = mend_input(tty, c);
    if (!has_flag(tty, ICANON)) {
        type_raw(tty, c);
    } else if (is_extended_key(tty, VLNEXT, c)) {
        tty->literal = true;
        if (has_flag(tty, ECHO) && has_flag(tty, ECHOCTL))
            send(tty, "^\b", 2);
    } else {
        type_canonical(tty, c, false);
    }
}

size_t ldisc_input(struct tty *tty, const uint8_t *bytes, size_t n, bool drop)
{
    uint64_t flags = spin_lock(&tty->lock);
    uint32_t before = tty->commit_pos;
    bool was_stopped = tty->stopped;
    size_t i = 0;
    int events;

    while (i < n && (drop || ldisc_room(tty)))
        type_byte(tty, bytes[i++]);
    events = (tty->commit_pos != before ? POLLIN | POLLRDNORM : 0) |
             (was_stopped && !tty->stopped ? POLLOUT | POLLWRNORM : 0);
    spin_unlock(&tty->lock, flags);
    waitq_wake_events(&tty->wq, events);
    return i;
}
