/* net/core/user_call.c - a user's addresses and options, in and out (net/syscalls.h). Both are copied to
 * kernel memory of bounded size before a protocol sees them. */
#include "lib/string.h"
#include "net/core/sock.h"
#include "net/core/user_address.h"

enum { OPTION_USUAL = 256, OPTION_MOST = 16384, FIRST_FREE_PORT = 1024 };

/* ---- addresses ---- */

int address_from_user(uintptr_t user, socklen_t len, struct sockaddr_storage *addr)
{
    *addr = (struct sockaddr_storage){ .ss_family = AF_UNSPEC };
    if (len > sizeof *addr)
        return -EINVAL;
    return copy_from_user(addr, user, len);
}

int address_to_user(const struct sockaddr_storage *addr, socklen_t len, uintptr_t user, uintptr_t user_len)
{
    int32_t room;

    if (copy_from_user(&room, user_len, sizeof room))
        return -EFAULT;
    if (room < 0)
        return -EINVAL;
    if (copy_to_user(user, addr, MIN((size_t)room, (size_t)len)))
        return -EFAULT;
    return copy_to_user(user_len, &len, sizeof len);
}

/* A low port (net.ipv4.ip_unprivileged_port_start, as Linux has it at first) needs a right; a wrong address
 * is the socket's to refuse. */
static int may_bind(const struct sockaddr_storage *addr, socklen_t len)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)addr;
    unsigned port = be16_to_cpu((be16){ in->sin_port });
    struct credentials me;

    if ((addr->ss_family != AF_INET && addr->ss_family != AF_INET6) || len < sizeof *in || !port ||
        port >= FIRST_FREE_PORT)
        return 0;
    credentials_now(&me);
    return me.net_bind ? 0 : -EACCES;
}

int user_bind(struct sock *sk, uintptr_t user, socklen_t len)
{
    struct sockaddr_storage addr;
    int err = address_from_user(user, len, &addr);

    if (!err)
        err = may_bind(&addr, len);
    return err ? err : sock_bind(sk, (struct sockaddr *)&addr, len);
}

int user_connect(struct sock *sk, uintptr_t user, socklen_t len, int flags)
{
    struct sockaddr_storage addr;
    int err = address_from_user(user, len, &addr);

    return err ? err : sock_connect(sk, (struct sockaddr *)&addr, len, flags);
}

int user_accept(struct sock *sk, uintptr_t user, uintptr_t user_len, int flags, struct sock **connection)
{
    struct sockaddr_storage addr = { .ss_family = AF_UNSPEC };
    int err = sock_accept(sk, flags, connection), len;

    if (err || !user)
        return err;
    len = sock_getname(*connection, &addr, true); /* one that is gone already has none */
    err = address_to_user(&addr, len > 0 ? (socklen_t)len : 0, user, user_len);
    if (err)
        sock_release(*connection);
    return err;
}

int user_getname(struct sock *sk, uintptr_t user, uintptr_t user_len, bool peer)
{
    struct sockaddr_storage addr;
    int len = sock_getname(sk, &addr, peer);

    return len < 0 ? len : address_to_user(&addr, (socklen_t)len, user, user_len);
}

/* ---- options ---- */

/* Zeroed memory for an option of *len bytes, cut to OPTION_MOST: `usual` where that is large enough. NULL:
 * memory is out. For option_memory_free(). */
static void *option_memory(uint8_t *usual, socklen_t *len)
{
    *len = MIN(*len, (socklen_t)OPTION_MOST);
    return *len <= OPTION_USUAL ? usual : mem_alloc(*len);
}

static void option_memory_free(void *value, const uint8_t *usual)
{
    if (value != usual)
        mem_free(value);
}

int user_setsockopt(struct sock *sk, int level, int option, uintptr_t user, int user_len)
{
    uint8_t usual[OPTION_USUAL] = { 0 };
    socklen_t len = (socklen_t)user_len;
    void *value;
    int err;

    if (user_len < 0)
        return -EINVAL;
    err = sock_option_level(sk, level, true);
    if (err)
        return err;
    value = option_memory(usual, &len);
    if (!value)
        return -ENOMEM;
    err = copy_from_user(value, user, len);
    if (err && len < sizeof(int) && level != SOL_IP && option != SO_BINDTODEVICE)
        err = -EINVAL; /* too short comes before not there (Linux) */
    if (!err)
        err = sock_setsockopt(sk, level, option, value, len);
    option_memory_free(value, usual);
    return err;
}

/* Some options are asked with something there: PACKET_HDRLEN with a number, MCAST_MSFILTER with a group. */
static int get_option(struct sock *sk, int level, int option, uintptr_t user, void *value, socklen_t *len)
{
    const socklen_t room = *len;
    int err;

    if (copy_from_user(value, user, room))
        memset(value, 0, room);
    err = sock_getsockopt(sk, level, option, value, len);
    return err ? err : copy_to_user(user, value, MIN(room, *len));
}

int user_getsockopt(struct sock *sk, int level, int option, uintptr_t user, uintptr_t user_len)
{
    uint8_t usual[OPTION_USUAL] = { 0 };
    socklen_t len;
    int32_t room;
    void *value;
    int err = sock_option_level(sk, level, false);

    if (err)
        return err;
    if (copy_from_user(&room, user_len, sizeof room))
        return -EFAULT;
    if (room < 0)
        return -EINVAL;
    len = (socklen_t)room;
    value = option_memory(usual, &len);
    if (!value)
        return -ENOMEM;
    err = get_option(sk, level, option, user, value, &len);
    option_memory_free(value, usual);
    return err ? err : copy_to_user(user_len, &len, sizeof len);
}
