/* sim/port_files.c - what net/port.h asks of the files above local sockets: a flat list of paths, and files
 * that are nothing but a count and perhaps a socket. */
#include "net/net.h"
#include "sim/state.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct fs_name {
    struct list_head link;
    unsigned refs;
    char path[];
};

static struct fs_name *name_at(const char *path)
{
    struct fs_name *name;

    list_for_each_entry (name, &sim.names, link)
        if (!strcmp(name->path, path))
            return name;
    return NULL;
}

int fs_name_create(const char *path, struct fs_name **name)
{
    if (name_at(path))
        return -EADDRINUSE;
    *name = mem_alloc(sizeof **name + strlen(path) + 1);
    if (!*name)
        return -ENOMEM;
    strcpy((*name)->path, path);
    (*name)->refs = 1;
    list_add_tail(&(*name)->link, &sim.names);
    return 0;
}

int fs_name_find(const char *path, struct fs_name **name)
{
    *name = name_at(path);
    if (!*name)
        return -ENOENT;
    (*name)->refs++;
    return 0;
}

void fs_name_put(struct fs_name *name)
{
    if (--name->refs)
        return;
    list_del(&name->link);
    mem_free(name);
}

struct passed_file {
    unsigned refs;
    struct sock *sk;
};

struct passed_file *sim_file(struct sock *sk)
{
    struct passed_file *f = mem_alloc(sizeof *f);

    f->refs = 1;
    f->sk = sk;
    return f;
}

void passed_file_get(struct passed_file *f)
{
    f->refs++;
}

void passed_file_put(struct passed_file *f)
{
    sim_no_locks("while a file is put");
    if (--f->refs)
        return;
    if (f->sk)
        sock_release(f->sk);
    mem_free(f);
}

unsigned passed_file_users(const struct passed_file *f)
{
    return f->refs;
}

struct sock *passed_file_sock(const struct passed_file *f)
{
    return f->sk;
}

void credentials_now(struct credentials *c)
{
    *c = sim.credentials;
    c->net_raw = c->net_admin = c->net_bind = !c->euid; /* no capabilities here, root has them all */
}

void signal_urgent(const struct signal_owner *owner)
{
    (void)owner;
    sim.urgent_signals++;
}

unsigned sim_urgent_signals(void)
{
    return sim.urgent_signals;
}

void sim_set_credentials(const struct credentials *c)
{
    sim.credentials = *c;
}
