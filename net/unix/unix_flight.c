/* net/unix/unix_flight.c - open files on their way from one process to another (SCM_RIGHTS).
 *
 * A file in flight has a reference from the sk_buff it travels with. Two things follow, which this file is
 * about. Letting go of a file may close a socket, which frees its queue, which lets go of files: that would
 * recurse as deep as somebody cares to nest, so files are put on a list, doomed, and whoever is the first to
 * come empties it. And sockets may lie in their own queues, so that no count ever reaches zero: the collector
 * finds sockets all of whose references lie in queues that can be reached from no descriptor.
 *
 * The collector runs whenever a local socket is closed while sockets are in flight, and when too many files
 * are. What it looks at is the flight lock's alone: who is in flight, and in whose queue. A socket whose file
 * has more users than flights is reachable. Whoever wants to take files out of a queue needs the flight lock,
 * and a user reference on that queue's socket, which then is no suspect. */
#include "lib/string.h"
#include "net/unix/unix.h"

void unix_flight_init(struct unix_state *state)
{
    lock_init(&state->flight_lock, "files in flight", RANK_UNIX_FLIGHT);
    list_init(&state->flying);
    list_init(&state->doomed);
}

/* The local socket that file stands for, or NULL. */
static struct unix_sock *unix_sock_of(struct passed_file *file)
{
    struct sock *sk = passed_file_sock(file);

    return sk && sk->family == AF_UNIX ? unix_sk(sk) : NULL;
}

/* ---- flights; flight lock held ---- */

static void take_off(struct unix_state *state, struct passed_file *file)
{
    struct unix_sock *u = unix_sock_of(file);

    WRITE_ONCE(state->files_in_flight, state->files_in_flight + 1);
    if (!u)
        return;
    u->file = file;
    if (!u->inflight++)
        list_add_tail(&u->flying, &state->flying);
}

static void touch_down(struct unix_state *state, struct passed_file *file)
{
    struct unix_sock *u = unix_sock_of(file);

    WRITE_ONCE(state->files_in_flight, state->files_in_flight - 1);
    if (u && !--u->inflight)
        list_del(&u->flying);
}

static struct passed_files *detach(struct unix_state *state, struct sk_buff *skb)
{
    struct passed_files *files = unix_cb(skb)->files;

    unix_cb(skb)->files = NULL;
    list_del(&files->link);
    for (unsigned i = 0; i < files->n; i++)
        touch_down(state, files->file[i]);
    return files;
}

/* ---- the collector; flight lock held ---- */

/* Suspect every socket that no descriptor holds: all its users are flights. */
static void suspect(struct unix_state *state, struct list_head *suspects)
{
    struct unix_sock *u, *next;

    list_for_each_entry_safe (u, next, &state->flying, flying) {
        if (passed_file_users(u->file) != u->inflight)
            continue;
        u->suspect = true;
        u->unexplained = u->inflight;
        list_del(&u->flying);
        list_add_tail(&u->flying, suspects);
    }
}

/* Call fn for each socket that lies in u's queue. */
static void for_each_held(struct unix_sock *u, void (*fn)(struct unix_sock *held, struct list_head *arg),
                          struct list_head *arg)
{
    struct passed_files *files;

    list_for_each_entry (files, &u->held, link) {
        for (unsigned i = 0; i < files->n; i++) {
            struct unix_sock *held = unix_sock_of(files->file[i]);
            if (held)
                fn(held, arg);
        }
    }
}

static void explain(struct unix_sock *held, struct list_head *unused)
{
    (void)unused;
    if (held->suspect)
        held->unexplained--;
}

static void acquit(struct unix_sock *u, struct list_head *reachable)
{
    if (!u->suspect)
        return;
    u->suspect = false;
    list_del(&u->flying);
    list_add_tail(&u->flying, reachable);
}

/* Acquit those that lie in a queue that is nobody's suspect, and what can be reached through them. */
static void acquit_reachable(struct unix_state *state, struct list_head *suspects)
{
    struct list_head reachable;
    struct unix_sock *u, *next;

    list_init(&reachable);
    list_for_each_entry (u, suspects, flying)
        for_each_held(u, explain, NULL);
    list_for_each_entry_safe (u, next, suspects, flying)
        if (u->unexplained)
            acquit(u, &reachable);
    while ((u = list_first_entry(&reachable, struct unix_sock, flying))) {
        list_del(&u->flying);
        list_add_tail(&u->flying, &state->flying);
        for_each_held(u, acquit, &reachable);
    }
}

/* Those that are garbage, each with a reference, linked by garbage. */
static void find_garbage(struct unix_state *state, struct list_head *garbage)
{
    struct list_head suspects;
    struct unix_sock *u;

    list_init(&suspects);
    suspect(state, &suspects);
    acquit_reachable(state, &suspects);
    while ((u = list_first_entry(&suspects, struct unix_sock, flying))) {
        u->suspect = false;
        list_del(&u->flying);
        list_add_tail(&u->flying, &state->flying);
        sock_hold(&u->sk);
        list_add_tail(&u->garbage, garbage);
    }
}

/* Break the circles: empty the queues of the garbage, whose files are doomed by that. No lock held. */
static void empty_queues(struct list_head *garbage)
{
    struct unix_sock *u;

    while ((u = list_first_entry(garbage, struct unix_sock, garbage))) {
        struct sk_buff_head queue;
        struct sk_buff *skb;
        skb_queue_head_init(&queue);
        list_del(&u->garbage);
        unix_close_embryos(&u->sk);
        lock_acquire(&u->sk.lock);
        while ((skb = skb_dequeue(&u->sk.receive_queue)))
            skb_queue_tail(&queue, skb);
        lock_release(&u->sk.lock);
        skb_queue_purge(&queue, SKB_DROP_SOCKET_CLOSED);
        sock_put(&u->sk);
    }
}

/* ---- the end of files ---- */

static void put_all(struct unix_state *state, struct passed_files *files)
{
    lock_release(&state->flight_lock);
    passed_files_free(files);
    lock_acquire(&state->flight_lock);
}

/* Let go of all that is doomed, and of garbage if that was asked for. Flight lock held, dropped meanwhile. */
static void reap(struct unix_state *state)
{
    struct passed_files *files;

    if (state->reaping)
        return;
    state->reaping = true;
    for (;;) {
        struct list_head garbage;
        while ((files = list_first_entry(&state->doomed, struct passed_files, link))) {
            list_del(&files->link);
            put_all(state, files);
        }
        if (!state->collect)
            break;
        state->collect = false;
        list_init(&garbage);
        find_garbage(state, &garbage);
        lock_release(&state->flight_lock);
        empty_queues(&garbage);
        lock_acquire(&state->flight_lock);
    }
    state->reaping = false;
}

void unix_flight_crash(struct sk_buff *skb)
{
    struct unix_state *state = skb->net->unix_domain;

    lock_acquire(&state->flight_lock);
    if (unix_cb(skb)->files) {
        struct passed_files *files = detach(state, skb);
        list_add_tail(&files->link, &state->doomed);
    }
    reap(state);
    lock_release(&state->flight_lock);
}

void unix_flight_collect(struct net *net)
{
    struct unix_state *state = net->unix_domain;

    lock_acquire(&state->flight_lock);
    state->collect |= !list_empty(&state->flying);
    reap(state);
    lock_release(&state->flight_lock);
}

/* ---- a flight ---- */

int unix_flight_begin(struct sk_buff *skb, struct message *msg, struct sock *to)
{
    struct unix_state *state = skb->net->unix_domain;
    struct passed_files *files = msg->files;
    struct unix_sock *holder;
    int err = 0;

    if (!files)
        return 0;
    if (READ_ONCE(state->files_in_flight) + files->n > UNIX_FLIGHT_MAX)
        unix_flight_collect(skb->net);
    lock_acquire(&state->flight_lock);
    if (state->files_in_flight + files->n > UNIX_FLIGHT_MAX) {
        err = -ETOOMANYREFS;
    } else {
        holder = unix_sk(to)->embryo_of ? unix_sk(to)->embryo_of : unix_sk(to);
        for (unsigned i = 0; i < files->n; i++)
            take_off(state, files->file[i]);
        files->target = to;
        list_add_tail(&files->link, &holder->held);
        unix_cb(skb)->files = files;
        msg->files = NULL;
    }
    lock_release(&state->flight_lock);
    return err;
}

struct passed_files *unix_flight_land(struct sk_buff *skb)
{
    struct unix_state *state = skb->net->unix_domain;

    lock_acquire(&state->flight_lock);
    struct passed_files *files = unix_cb(skb)->files ? detach(state, skb) : NULL;
    lock_release(&state->flight_lock);
    return files;
}

struct passed_files *unix_flight_peek(struct sk_buff *skb)
{
    struct unix_state *state = skb->net->unix_domain;
    const struct passed_files *files = unix_cb(skb)->files;
    struct passed_files *copy = files ? passed_files_alloc(files->n) : NULL;

    if (!copy)
        return NULL;
    lock_acquire(&state->flight_lock);
    copy->n = files->n;
    for (unsigned i = 0; i < files->n; i++) {
        copy->file[i] = files->file[i];
        passed_file_get(copy->file[i]);
    }
    lock_release(&state->flight_lock);
    return copy;
}

void unix_flight_lend(struct unix_sock *child, struct unix_sock *listener)
{
    struct unix_state *state = unix_of(&child->sk);

    lock_acquire(&state->flight_lock);
    child->embryo_of = listener;
    list_splice_tail(&child->held, &listener->held); /* sent while connect() was waiting for its turn */
    lock_release(&state->flight_lock);
}

void unix_flight_adopt(struct unix_sock *child)
{
    struct unix_state *state = unix_of(&child->sk);
    struct unix_sock *listener = child->embryo_of;
    struct passed_files *files, *next;

    lock_acquire(&state->flight_lock);
    list_for_each_entry_safe (files, next, &listener->held, link) {
        if (files->target != &child->sk)
            continue;
        list_del(&files->link);
        list_add_tail(&files->link, &child->held);
    }
    child->embryo_of = NULL;
    lock_release(&state->flight_lock);
}
