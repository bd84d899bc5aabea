/* sim/threads/port_misc.c - user memory, files, log and panic of net/port.h. */
#include "lib/format.h"
#include "net/net.h"
#include "sim/threads/state.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FIRST_USER_ADDRESS = 4096 };

/* ---- user memory ---- */

bool user_range_is_valid(uintptr_t start, size_t n)
{
    return start + n >= start;
}

static int user_copy(void *dst, const void *src, size_t n, uintptr_t user)
{
    if (self()->context != CONTEXT_PROCESS)
        panic("user memory is touched outside process context");
    no_locks("while user memory is touched");
    if (n && user < FIRST_USER_ADDRESS)
        return -EFAULT;
    if (n)
        memcpy(dst, src, n);
    return 0;
}

int copy_from_user(void *dst, uintptr_t src, size_t n)
{
    return user_copy(dst, (const void *)src, n, src);
}

int copy_to_user(uintptr_t dst, const void *src, size_t n)
{
    return user_copy((void *)dst, src, n, dst);
}

void credentials_now(struct credentials *c)
{
    *c = (struct credentials){ .pid = 1, .net_raw = true, .net_admin = true };
}

void signal_urgent(const struct signal_owner *owner)
{
    (void)owner; /* nobody is there to be told */
}

/* ---- names of local sockets ---- */

struct fs_name {
    struct list_head link;
    unsigned refs; /* machine.names_guard */
    char path[];
};

/* The file system has a lock, which orders. */
static void names_lock(void)
{
    quiet_lock(&machine.names_guard);
    order_acquire(&machine.names);
}

static void names_unlock(void)
{
    order_release(&machine.names);
    quiet_unlock(&machine.names_guard);
}

static struct fs_name *name_at(const char *path)
{
    struct fs_name *name;

    list_for_each_entry (name, &machine.names, link)
        if (!strcmp(name->path, path))
            return name;
    return NULL;
}

int fs_name_create(const char *path, struct fs_name **name)
{
    struct fs_name *made = mem_alloc(sizeof *made + strlen(path) + 1);

    if (!made)
        return -ENOMEM;
    strcpy(made->path, path);
    made->refs = 1;
    names_lock();
    bool there = name_at(path);
    if (!there)
        list_add_tail(&made->link, &machine.names);
    names_unlock();
    if (there)
        mem_free(made);
    else
        *name = made;
    return there ? -EADDRINUSE : 0;
}

int fs_name_find(const char *path, struct fs_name **name)
{
    names_lock();
    *name = name_at(path);
    if (*name)
        (*name)->refs++;
    names_unlock();
    return *name ? 0 : -ENOENT;
}

void fs_name_put(struct fs_name *name)
{
    names_lock();
    bool last = --name->refs == 0;
    if (last)
        list_del(&name->link);
    names_unlock();
    if (last)
        mem_free(name);
}

/* ---- files in messages ---- */

struct passed_file {
    unsigned refs;
    struct sock *sk;
};

struct passed_file *threads_file(struct sock *sk)
{
    struct passed_file *f = mem_alloc(sizeof *f);

    if (f)
        *f = (struct passed_file){ 1, sk };
    return f;
}

void passed_file_get(struct passed_file *f)
{
    order_used(f);
    __atomic_fetch_add(&f->refs, 1, __ATOMIC_RELAXED);
}

void passed_file_put(struct passed_file *f)
{
    no_locks("while a file is put");
    order_release(f);
    if (__atomic_sub_fetch(&f->refs, 1, __ATOMIC_ACQ_REL))
        return;
    order_acquire(f);
    if (f->sk)
        sock_release(f->sk);
    mem_free(f);
}

unsigned passed_file_users(const struct passed_file *f)
{
    order_used(f);
    return __atomic_load_n(&f->refs, __ATOMIC_RELAXED);
}

struct sock *passed_file_sock(const struct passed_file *f)
{
    order_used(f);
    return f->sk;
}

/* ---- the record ---- */

void klog(enum log_level level, const char *fmt, ...)
{
    char line[512];
    va_list ap;

    if (level != LOG_ERROR && !machine.options.verbose)
        return;
    va_start(ap, fmt);
    kvsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    fprintf(stderr, "[%s] %s\n", self()->name, line);
}

void trace(const char *point, uint64_t packet_id, uint32_t length)
{
    (void)point, (void)packet_id, (void)length;
}

void panic(const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    kvsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    fprintf(stderr, "panic in %s on CPU %u: %s\n", self()->name, self()->cpu->id, text);
    order_show_stack();
    _exit(99);
}
