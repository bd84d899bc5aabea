/* kern/fs/procfs_pid.c - /proc/PID and /proc/PID/task/TID: which files, links and directories there are.
 *
 * An inode names a process and a thread by their numbers and keeps neither alive: each operation looks for
 * them anew, so what is done with the inode of a process that has ended fails with ESRCH or ENOENT. */
#include "kern/fs/files.h"
#include "kern/fs/fs.h"
#include "kern/fs/mount.h"
#include "kern/fs/procfs.h"
#include "kern/mm/vm.h"
#include "kern/proc/process.h"
#include "lib/abi/stat.h"
#include "lib/format.h"
#include "lib/string.h"

enum pid_kind {
    PROCESS_DIR,
    THREAD_DIR,
    TASK_DIR,
    FD_DIR,
    FDINFO_DIR,
    TEXT,
    LINK,
    FD_LINK,
    FDINFO_FILE,
    MEMORY
};
enum { NUMBER_ROOM = 12, STORE_MAX = 64 };

struct pid_entry {
    const char *name;
    enum pid_kind kind;
    proc_subject_show show; /* TEXT */
    /* a TEXT that may be written: what was written, NUL-terminated; 0 or -errno */
    int (*store)(const struct proc_subject *s, char *text);
    /* LINK: what it leads to as an open file or an inode, with a reference; one of them is NULL */
    void (*lead)(struct process *p, struct file **file, struct inode **inode);
};

struct pid_inode {
    struct inode inode;
    enum pid_kind kind;
    int pid, tid; /* tid 0: the process as a whole */
    int fd;       /* FD_LINK, FDINFO_FILE */
    const struct pid_entry *entry;
};

static const struct inode_ops pid_ops;
static const struct pid_entry entries[];

static struct pid_inode *pid_inode(struct inode *inode)
{
    return container_of(inode, struct pid_inode, inode);
}

/* ---- whom it is about ---- */

/* The process with a reference and, if the inode names a thread, that thread still there. */
static int subject_get(struct inode *inode, struct proc_subject *s)
{
    struct pid_inode *i = pid_inode(inode);
    bool there = true;
    uint64_t flags;

    *s = (struct proc_subject){ .tid = i->tid };
    s->process = process_find(i->pid);
    if (!s->process)
        return -ESRCH;
    if (i->tid) {
        flags = spin_lock(&process_lock);
        there = task_find_locked(s->process, i->tid);
        spin_unlock(&process_lock, flags);
    }
    if (there)
        return 0;
    process_put(s->process);
    return -ESRCH;
}

static void subject_put(struct proc_subject *s)
{
    process_put(s->process);
}

/* The file behind a descriptor of a process, with a reference; NULL: none. */
static struct file *file_of(struct process *p, int fd)
{
    struct files *files = process_files(p);
    struct file *f = files ? files_at(files, fd) : NULL;

    if (files)
        files_put(files);
    return f;
}

/* ---- inodes ---- */

/* The same thing has the same number each time. */
static uint64_t ino_of(enum pid_kind kind, int pid, int tid, int fd, const struct pid_entry *e)
{
    uint64_t what = e ? (uint64_t)(e - entries) : (uint64_t)fd;

    return 3ull << 62 | (uint64_t)kind << 54 | (uint64_t)pid << 34 | (uint64_t)tid << 17 | what;
}

static uint32_t mode_of(enum pid_kind kind, const struct pid_entry *e)
{
    switch (kind) {
    case TEXT:
        return S_IFREG | (e->store ? 0644 : 0444);
    case FDINFO_FILE:
        return S_IFREG | 0400;
    case MEMORY:
        return S_IFREG | 0600;
    case LINK:
        return S_IFLNK | 0777;
    case FD_LINK:
        return S_IFLNK | 0700;
    case FD_DIR:
    case FDINFO_DIR:
        return S_IFDIR | 0500;
    default:
        return S_IFDIR | 0555;
    }
}

static const struct file_ops text_ops, memory_ops;

static const struct file_ops *file_ops_of(uint32_t mode, enum pid_kind kind)
{
    return S_ISDIR(mode)    ? &directory_file_ops
           : S_ISLNK(mode)  ? NULL
           : kind == MEMORY ? &memory_ops
                            : &text_ops;
}

static struct inode *make_inode(struct inode *parent, const struct pid_inode *what)
{
    struct pid_inode *i = kzalloc(sizeof *i);
    uint32_t mode = mode_of(what->kind, what->entry);
    struct process *p;

    if (!i)
        return INODE_NO_MEMORY;
    *i = *what;
    inode_init(&i->inode, mode, &pid_ops, file_ops_of(mode, what->kind));
    i->inode.dev = DEV_PROC;
    i->inode.ino = ino_of(i->kind, i->pid, i->tid, i->fd, i->entry);
    if (S_ISDIR(mode))
        i->inode.parent = inode_get(parent);
    i->inode.uid = i->inode.gid = 0;
    p = process_find(i->pid);
    if (p) {
        i->inode.uid = p->cred.uid.effective;
        i->inode.gid = p->cred.gid.effective;
        process_put(p);
    }
    return &i->inode;
}

static void pid_evict(struct inode *inode)
{
    kfree(pid_inode(inode));
}

/* ---- finding ---- */

/* A number in decimal below most, -1 if it is none. */
static int parse_number(const char *name, int most)
{
    int n = 0;

    if (!*name)
        return -1;
    for (; *name >= '0' && *name <= '9' && n < most; name++)
        n = n * 10 + (*name - '0');
    return *name ? -1 : n;
}

struct inode *procfs_pid_lookup(struct inode *root, const char *name)
{
    int pid = parse_number(name, PID_MAX);
    struct process *p;

    if (pid <= 0)
        return NULL;
    p = process_find(pid);
    if (!p)
        return NULL;
    process_put(p);
    return make_inode(root, &(struct pid_inode){ .kind = PROCESS_DIR, .pid = pid });
}

static bool has_entry(const struct pid_inode *dir, const struct pid_entry *e)
{
    return e->kind != TASK_DIR || dir->kind == PROCESS_DIR;
}

static struct inode *lookup_entry(struct inode *dir, const char *name)
{
    const struct pid_inode *d = pid_inode(dir);

    for (const struct pid_entry *e = entries; e->name; e++)
        if (has_entry(d, e) && !strcmp(e->name, name))
            return make_inode(
                dir, &(struct pid_inode){ .kind = e->kind, .pid = d->pid, .tid = d->tid, .entry = e });
    return NULL;
}

static struct inode *lookup_thread(struct inode *dir, const char *name)
{
    struct pid_inode thread = { .kind = THREAD_DIR,
                                .pid = pid_inode(dir)->pid,
                                .tid = parse_number(name, PID_MAX) };
    struct inode *inode = thread.tid > 0 ? make_inode(dir, &thread) : NULL;
    struct proc_subject s;

    if (!inode || subject_get(inode, &s)) {
        inode_put(inode);
        return NULL;
    }
    subject_put(&s);
    return inode;
}

static struct inode *lookup_fd(struct inode *dir, const char *name)
{
    const struct pid_inode *d = pid_inode(dir);
    struct pid_inode link = { .kind = d->kind == FD_DIR ? FD_LINK : FDINFO_FILE,
                              .pid = d->pid,
                              .tid = d->tid,
                              .fd = parse_number(name, FILES_MAX) };
    struct proc_subject s;
    struct file *f;

    if (link.fd < 0 || subject_get(dir, &s))
        return NULL;
    f = file_of(s.process, link.fd);
    subject_put(&s);
    if (!f)
        return NULL;
    file_put(f);
    return make_inode(dir, &link);
}

static struct inode *pid_lookup(struct inode *dir, const char *name)
{
    switch (pid_inode(dir)->kind) {
    case PROCESS_DIR:
    case THREAD_DIR:
        return lookup_entry(dir, name);
    case TASK_DIR:
        return lookup_thread(dir, name);
    case FD_DIR:
    case FDINFO_DIR:
        return lookup_fd(dir, name);
    default:
        return NULL;
    }
}

/* ---- listing: after the dots, position 2 + n is the entry, descriptor or thread with the least number >= n
 * ---- */

static bool emit_number(int number, uint64_t ino, uint32_t mode, uint64_t next, struct dir_buffer *out)
{
    char name[NUMBER_ROOM];

    ksnprintf(name, sizeof name, "%d", number);
    return dir_emit(out, name, ino, mode, next);
}

/* The least pid >= least, 0: none. */
static int next_pid(int least)
{
    struct process *p = process_next(least);
    int pid = p ? p->pid : 0;

    if (p)
        process_put(p);
    return pid;
}

bool procfs_pid_list(uint64_t *pos, struct dir_buffer *out)
{
    int pid;

    while ((pid = next_pid((int)(*pos - PROC_PID_POSITION)))) {
        uint64_t next = PROC_PID_POSITION + (uint64_t)pid + 1;
        if (!emit_number(pid, ino_of(PROCESS_DIR, pid, 0, 0, NULL), S_IFDIR, next, out))
            return false;
        *pos = next;
    }
    return true;
}

static bool list_entries(struct inode *dir, uint64_t *pos, struct dir_buffer *out)
{
    const struct pid_inode *d = pid_inode(dir);

    for (uint64_t i = *pos - 2; entries[i].name; i++, ++*pos) {
        const struct pid_entry *e = &entries[i];
        if (has_entry(d, e) &&
            !dir_emit(out, e->name, ino_of(e->kind, d->pid, d->tid, 0, e), mode_of(e->kind, e), *pos + 1))
            return false;
    }
    return true;
}

/* The least tid >= least of p's threads, 0: none. */
static int next_tid(struct process *p, int least)
{
    uint64_t flags = spin_lock(&process_lock);
    struct task *t;
    int best = 0;

    list_for_each_entry (t, &p->threads, link)
        if (t->tid >= least && (!best || t->tid < best))
            best = t->tid;
    spin_unlock(&process_lock, flags);
    return best;
}

static bool list_threads(struct inode *dir, struct process *p, uint64_t *pos, struct dir_buffer *out)
{
    int tid, pid = pid_inode(dir)->pid;

    while ((tid = next_tid(p, (int)*pos - 2))) {
        uint64_t next = (uint64_t)tid + 3;
        if (!emit_number(tid, ino_of(THREAD_DIR, pid, tid, 0, NULL), S_IFDIR, next, out))
            return false;
        *pos = next;
    }
    return true;
}

static bool list_fds(struct inode *dir, struct process *p, uint64_t *pos, struct dir_buffer *out)
{
    const struct pid_inode *d = pid_inode(dir);
    enum pid_kind kind = d->kind == FD_DIR ? FD_LINK : FDINFO_FILE;
    struct files *files = process_files(p);
    bool room = true;
    int fd;

    while (files && room && (fd = fd_next(files, (int)*pos - 2)) >= 0) {
        uint64_t next = (uint64_t)fd + 3;
        room = emit_number(fd, ino_of(kind, d->pid, d->tid, fd, NULL), mode_of(kind, NULL), next, out);
        *pos = room ? next : *pos;
    }
    if (files)
        files_put(files);
    return room;
}

static bool list_of_subject(struct inode *dir, const struct proc_subject *s, uint64_t *pos,
                            struct dir_buffer *out)
{
    switch (pid_inode(dir)->kind) {
    case PROCESS_DIR:
    case THREAD_DIR:
        return list_entries(dir, pos, out);
    case TASK_DIR:
        return list_threads(dir, s->process, pos, out);
    default:
        return list_fds(dir, s->process, pos, out);
    }
}

static int pid_readdir(struct inode *dir, uint64_t *pos, struct dir_buffer *out)
{
    struct proc_subject s;
    int err = subject_get(dir, &s);
    bool room;

    if (err)
        return err;
    room = dir_emit_dots(dir, pos, out) && list_of_subject(dir, &s, pos, out);
    subject_put(&s);
    return room || out->used ? 0 : -EINVAL;
}

/* ---- links ---- */

static void lead_to_cwd(struct process *p, struct file **file, struct inode **inode)
{
    (void)file;
    *inode = process_cwd(p);
}

static void lead_to_root(struct process *p, struct file **file, struct inode **inode)
{
    uint64_t flags = spin_lock(&process_lock);

    (void)file;
    *inode = inode_get(p->root ? p->root : fs_root);
    spin_unlock(&process_lock, flags);
}

static void lead_to_exe(struct process *p, struct file **file, struct inode **inode)
{
    (void)inode;
    *file = process_exe(p);
}

/* What a link leads to, as an open file or an inode, with a reference. 0, -ENOENT, -ESRCH, -EACCES. */
static int lead(struct inode *link, struct file **file, struct inode **inode)
{
    struct pid_inode *i = pid_inode(link);
    struct proc_subject s;
    int err = subject_get(link, &s);

    *file = NULL;
    *inode = NULL;
    if (err)
        return err;
    if (!process_may_inspect(s.process))
        err = -EACCES;
    else if (i->kind == FD_LINK)
        *file = file_of(s.process, i->fd);
    else
        i->entry->lead(s.process, file, inode);
    subject_put(&s);
    return err ? err : *file || *inode ? 0 : -ENOENT;
}

/* A name for what has none in the tree. */
static int nameless(struct file *f, char *buf, size_t size)
{
    struct stat st;

    file_stat(f, &st);
    if ((st.st_mode & S_IFMT) == S_IFIFO)
        return ksnprintf(buf, size, "pipe:[%llu]", (unsigned long long)st.st_ino);
    if ((st.st_mode & S_IFMT) == S_IFSOCK)
        return ksnprintf(buf, size, "socket:[%llu]", (unsigned long long)st.st_ino);
    return f->inode ? ksnprintf(buf, size, "/(deleted)") : ksnprintf(buf, size, "anon_inode:[file]");
}

static int64_t pid_readlink(struct inode *link, char *buf, size_t size)
{
    char *path = kmalloc(PATH_MAX), *at = NULL;
    struct inode *inode = NULL;
    struct file *f = NULL;
    int64_t n = path ? lead(link, &f, &inode) : -ENOMEM;

    if (!n)
        at = f ? path_of_file(f, path, PATH_MAX) : path_of_directory(inode, path, PATH_MAX);
    if (!n && !at) {
        at = path;
        if (f)
            nameless(f, path, PATH_MAX);
        else
            ksnprintf(path, PATH_MAX, "/(deleted)");
    }
    if (!n) {
        n = (int64_t)MIN(strlen(at), size);
        memcpy(buf, at, (size_t)n);
    }
    if (f)
        file_put(f);
    inode_put(inode);
    kfree(path);
    return n;
}

static struct inode *pid_target(struct inode *link, struct inode **dir)
{
    struct inode *inode;
    struct file *f;

    if (lead(link, &f, &inode))
        return NULL;
    if (f) {
        inode = f->inode ? inode_get(f->inode) : NULL;
        *dir = f->dir ? inode_get(f->dir) : NULL;
        file_put(f);
    }
    return inode;
}

static const struct inode_ops pid_ops = { .lookup = pid_lookup,
                                          .readdir = pid_readdir,
                                          .readlink = pid_readlink,
                                          .target = pid_target,
                                          .evict = pid_evict };

/* ---- texts ---- */

static void show_fdinfo(struct textbuf *out, struct process *p, int fd)
{
    struct file *f = file_of(p, fd);

    if (!f)
        return;
    textbuf_printf(out, "pos:\t%llu\nflags:\t0%o\nmnt_id:\t1\n", (unsigned long long)READ_ONCE(f->pos),
                   READ_ONCE(f->flags));
    file_put(f);
}

static void show_text(struct textbuf *out, struct inode *inode)
{
    struct pid_inode *i = pid_inode(inode);
    struct proc_subject s;

    if (subject_get(inode, &s))
        return;
    if (i->kind == FDINFO_FILE)
        show_fdinfo(out, s.process, i->fd);
    else
        i->entry->show(out, &s);
    subject_put(&s);
}

static int text_open(struct file *f)
{
    const struct pid_entry *e = pid_inode(f->inode)->entry;
    struct proc_subject s;
    int err = subject_get(f->inode, &s);

    if (err)
        return err;
    subject_put(&s);
    if ((f->flags & O_ACCMODE) == O_RDONLY)
        return proc_text_open(f, show_text);
    return e && e->store ? 0 : -EACCES;
}

static int64_t text_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    return f->private ? proc_text_read(f, it, pos) : -EINVAL; /* opened to be written */
}

static int64_t text_write(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    size_t n = MIN(it->count, (size_t)STORE_MAX - 1);
    char text[STORE_MAX] = "";
    struct proc_subject s;
    int err;

    (void)pos;
    if (copy_from_iter(text, n, it))
        return -EFAULT;
    err = subject_get(f->inode, &s);
    if (err)
        return err;
    if (n && text[n - 1] == '\n')
        text[n - 1] = 0;
    err = pid_inode(f->inode)->entry->store(&s, text);
    subject_put(&s);
    return err ? err : (int64_t)n;
}

static void text_release(struct file *f)
{
    if (f->private)
        proc_text_release(f);
}

static const struct file_ops text_ops = {
    .seekable = true, .open = text_open, .read = text_read, .write = text_write, .release = text_release
};

/* ---- mem: the process's memory, at its addresses ---- */

static int memory_open(struct file *f)
{
    struct proc_subject s;
    int err = subject_get(f->inode, &s);

    if (err)
        return err;
    err = process_may_inspect(s.process) ? 0 : -EACCES;
    f->private = err ? NULL : process_vm(s.process); /* what it is now: a later exec is not seen */
    subject_put(&s);
    return err;
}

static int64_t memory_part(struct vm_space *vm, struct iov_iter *it, uint64_t pos, uint8_t *chunk, bool write)
{
    size_t n = MIN(it->count, (size_t)PAGE_SIZE);
    int64_t got;
    int err;

    if (write) {
        if (copy_from_iter(chunk, n, it))
            return -EFAULT;
        err = vm_write(vm, pos, chunk, n);
        return err ? -EIO : (int64_t)n;
    }
    got = vm_read(vm, pos, chunk, n);
    if (got < 0)
        return -EIO;
    return copy_to_iter(chunk, (size_t)got, it) ? -EFAULT : got;
}

static int64_t memory_move(struct file *f, struct iov_iter *it, uint64_t *pos, bool write)
{
    uint8_t *chunk = kmalloc(PAGE_SIZE);
    int64_t done = 0, part = 0;

    if (!chunk)
        return -ENOMEM;
    while (f->private && it->count && (part = memory_part(f->private, it, *pos, chunk, write)) > 0) {
        *pos += (uint64_t)part;
        done += part;
    }
    kfree(chunk);
    return done ? done : part;
}

static int64_t memory_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    return memory_move(f, it, pos, false);
}

static int64_t memory_write(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    return memory_move(f, it, pos, true);
}

static void memory_release(struct file *f)
{
    if (f->private)
        vm_put(f->private);
}

static const struct file_ops memory_ops = { .seekable = true,
                                            .open = memory_open,
                                            .read = memory_read,
                                            .write = memory_write,
                                            .release = memory_release };

/* ---- what there is ---- */

static int store_comm(const struct proc_subject *s, char *text)
{
    return process_rename(s->process, s->tid, text);
}

static int store_oom_score_adj(const struct proc_subject *s, char *text)
{
    bool negative = *text == '-';
    int n = parse_number(text + negative, 100000);

    if (n < 0 || n > OOM_SCORE_ADJ_MAX)
        return -EINVAL;
    WRITE_ONCE(s->process->oom_score_adj, negative ? -n : n);
    return 0;
}

static void show_mounts(struct textbuf *out, const struct proc_subject *s)
{
    (void)s;
    mount_show(out);
}

static void show_mountinfo(struct textbuf *out, const struct proc_subject *s)
{
    (void)s;
    mount_show_info(out);
}

static const struct pid_entry entries[] = {
    { "auxv", TEXT, proc_show_auxv, NULL, NULL },
    { "cmdline", TEXT, proc_show_cmdline, NULL, NULL },
    { "comm", TEXT, proc_show_comm, store_comm, NULL },
    { "cwd", LINK, NULL, NULL, lead_to_cwd },
    { "environ", TEXT, proc_show_environ, NULL, NULL },
    { "exe", LINK, NULL, NULL, lead_to_exe },
    { "fd", FD_DIR, NULL, NULL, NULL },
    { "fdinfo", FDINFO_DIR, NULL, NULL, NULL },
    { "limits", TEXT, proc_show_limits, NULL, NULL },
    { "maps", TEXT, proc_show_maps, NULL, NULL },
    { "mem", MEMORY, NULL, NULL, NULL },
    { "mountinfo", TEXT, show_mountinfo, NULL, NULL },
    { "mounts", TEXT, show_mounts, NULL, NULL },
    { "oom_score_adj", TEXT, proc_show_oom_score_adj, store_oom_score_adj, NULL },
    { "root", LINK, NULL, NULL, lead_to_root },
    { "stat", TEXT, proc_show_stat, NULL, NULL },
    { "statm", TEXT, proc_show_statm, NULL, NULL },
    { "status", TEXT, proc_show_status, NULL, NULL },
    { "task", TASK_DIR, NULL, NULL, NULL },
    { "wchan", TEXT, proc_show_wchan, NULL, NULL },
    { NULL, TEXT, NULL, NULL, NULL },
};
