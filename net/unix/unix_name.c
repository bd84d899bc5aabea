/* net/unix/unix_name.c - names of local sockets, unix(7): paths, whose place in the file system is the key,
 * and abstract names, which are bytes behind a leading NUL and live as long as their socket.
 *
 * A socket is on the chain of its name from bind to close. A chain holds no references: a socket takes itself
 * off before it dies. */
#include "lib/string.h"
#include "net/unix/unix.h"

enum { AUTO_DIGITS = 5, AUTO_NAMES = 1 << 20 }; /* unix(7): autobind gives five hexadecimal digits */

int unix_check_address(const struct sockaddr *addr, socklen_t len)
{
    if (len <= UNIX_PATH_OFFSET || len > sizeof(struct sockaddr_un) || addr->sa_family != AF_UNIX)
        return -EINVAL;
    return 0;
}

const struct unix_name *unix_name_of(struct sock *sk)
{
    return __atomic_load_n(&unix_sk(sk)->name, __ATOMIC_ACQUIRE);
}

/* ---- making names ---- */

void unix_name_free(struct unix_name *name)
{
    if (name && name->place)
        fs_name_put(name->place);
    mem_free(name);
}

/* A copy of addr; a path gets a NUL at its end, and its length counts it. */
static struct unix_name *name_create(const struct sockaddr *addr, socklen_t len)
{
    struct unix_name *name = mem_alloc(sizeof *name + 1); /* a path may fill sun_path: its NUL is behind it */

    if (!name)
        return NULL;
    memcpy(&name->addr, addr, len);
    name->len = len;
    if (name->addr.sun_path[0])
        name->len = (socklen_t)(UNIX_PATH_OFFSET + strlen(name->addr.sun_path) + 1);
    return name;
}

static bool is_path(const struct unix_name *name)
{
    return name->addr.sun_path[0];
}

/* ---- the table ---- */

static struct list_head *chain_of(struct net *net, const struct unix_name *name)
{
    uint64_t hash = name->place ? siphash(&name->place, sizeof name->place, &net->hash_key)
                                : siphash(&name->addr, name->len, &net->hash_key);
    return &net->unix_domain->bound[hash % UNIX_BUCKETS];
}

/* Abstract names of different socket types are different names. */
static bool same_name(const struct unix_name *a, const struct unix_name *b, bool same_type)
{
    if (a->place || b->place)
        return a->place == b->place;
    return same_type && a->len == b->len && !memcmp(&a->addr, &b->addr, a->len);
}

/* Table lock held. */
static struct unix_sock *find_locked(struct net *net, const struct unix_name *name, int type)
{
    struct unix_sock *u;

    list_for_each_entry (u, chain_of(net, name), bound)
        if (same_name(u->name, name, u->sk.type == type))
            return u;
    return NULL;
}

static struct sock *find(struct net *net, const struct unix_name *name, int type)
{
    struct unix_state *state = net->unix_domain;

    lock_acquire(&state->lock);
    struct unix_sock *u = find_locked(net, name, type);
    if (u)
        sock_hold(&u->sk);
    lock_release(&state->lock);
    return u ? &u->sk : NULL;
}

/* Give sk the name, if nobody has it. 0 or -EADDRINUSE. */
static int enter(struct sock *sk, struct unix_name *name)
{
    struct unix_state *state = unix_of(sk);
    int err = -EADDRINUSE;

    lock_acquire(&state->lock);
    if (!find_locked(sk->net, name, sk->type)) {
        list_add(&unix_sk(sk)->bound, chain_of(sk->net, name));
        __atomic_store_n(&unix_sk(sk)->name, name, __ATOMIC_RELEASE);
        err = 0;
    }
    lock_release(&state->lock);
    return err;
}

/* ---- bind ---- */

/* Be the only one who names sk. False: it has a name, or is about to get one. */
static bool begin_binding(struct sock *sk)
{
    lock_acquire(&sk->lock);
    bool may = !unix_name_of(sk) && !unix_sk(sk)->binding;
    if (may)
        unix_sk(sk)->binding = true;
    lock_release(&sk->lock);
    return may;
}

static void end_binding(struct sock *sk)
{
    lock_acquire(&sk->lock);
    unix_sk(sk)->binding = false;
    lock_release(&sk->lock);
}

static int bind_name(struct sock *sk, struct unix_name *name)
{
    int err = is_path(name) ? fs_name_create(name->addr.sun_path, &name->place) : 0;

    return err ? err : enter(sk, name);
}

static int bind_auto(struct sock *sk, struct unix_name *name)
{
    struct unix_state *state = unix_of(sk);
    int err = -EADDRINUSE;

    name->addr.sun_family = AF_UNIX;
    name->len = UNIX_PATH_OFFSET + 1 + AUTO_DIGITS;
    for (unsigned i = 0; i < AUTO_NAMES && err; i++) {
        uint32_t number = __atomic_fetch_add(&state->next_auto, 1, __ATOMIC_RELAXED) % AUTO_NAMES;
        ksnprintf(name->addr.sun_path + 1, AUTO_DIGITS + 1, "%05x", number);
        err = enter(sk, name);
    }
    return err == -EADDRINUSE ? -ENOSPC : err;
}

int unix_bind(struct sock *sk, const struct sockaddr *addr, socklen_t len)
{
    if (len == UNIX_PATH_OFFSET && addr->sa_family == AF_UNIX)
        return unix_autobind(sk);
    int err = unix_check_address(addr, len);
    if (err)
        return err;
    struct unix_name *name = name_create(addr, len);
    if (!name)
        return -ENOMEM;
    if (!begin_binding(sk)) {
        unix_name_free(name);
        return -EINVAL;
    }
    err = bind_name(sk, name);
    if (err)
        unix_name_free(name);
    end_binding(sk);
    return err;
}

int unix_autobind(struct sock *sk)
{
    struct unix_name *name = mem_alloc(sizeof *name);
    int err;

    if (!name)
        return -ENOMEM;
    if (!begin_binding(sk)) {
        mem_free(name);
        return 0;
    }
    err = bind_auto(sk, name);
    if (err)
        mem_free(name);
    end_binding(sk);
    return err;
}

int unix_name_inherit(struct sock *child, struct sock *listener)
{
    const struct unix_name *from = unix_name_of(listener);
    struct unix_name *name = mem_alloc(sizeof *name + 1);

    if (!name)
        return -ENOMEM;
    memcpy(&name->addr, &from->addr, from->len);
    name->len = from->len;
    __atomic_store_n(&unix_sk(child)->name, name, __ATOMIC_RELEASE); /* partner: unix_name_of() */
    return 0;
}

/* ---- look-up ---- */

int unix_find(struct net *net, const struct sockaddr *addr, socklen_t len, int type, struct sock **found)
{
    struct unix_name *name = name_create(addr, len);
    int err;

    if (!name)
        return -ENOMEM;
    err = is_path(name) ? fs_name_find(name->addr.sun_path, &name->place) : 0;
    if (!err) {
        *found = find(net, name, type);
        err = *found ? 0 : -ECONNREFUSED;
    }
    unix_name_free(name);
    if (!err && (*found)->type != type) {
        sock_put(*found);
        return -EPROTOTYPE;
    }
    return err;
}

/* ---- telling ---- */

socklen_t unix_name_write(struct sock *sk, struct sockaddr_storage *addr)
{
    const struct unix_name *name = unix_name_of(sk);

    if (!name)
        return 0;
    memcpy(addr, &name->addr, name->len);
    return name->len;
}

int unix_getname(struct sock *sk, struct sockaddr_storage *addr, bool peer)
{
    struct sock *who = peer ? unix_peer_get(sk) : sk;

    if (!who)
        return -ENOTCONN;
    socklen_t len = unix_name_write(who, addr);
    if (!len) {
        addr->ss_family = AF_UNIX;
        len = UNIX_PATH_OFFSET;
    }
    if (peer)
        sock_put(who);
    return (int)len;
}
