/* kern/fs/procfs_memory.c - what /proc/PID tells of a process's memory, and what it reads there: statm, maps,
 * and the arguments, environment and auxiliary vector that the program was started with. */
#include "kern/fs/fs.h"
#include "kern/fs/procfs.h"
#include "kern/mm/vm.h"
#include "kern/proc/process.h"
#include "kern/proc/vdso.h"
#include "lib/format.h"
#include "lib/string.h"

enum { TEXTS_MOST = 128 * 1024 }; /* of arguments, or of environment */

static uint64_t pages_of(const struct vm_region_facts *r)
{
    return (r->end - r->start) / PAGE_SIZE;
}

static void count_region(struct memory_use *use, const struct vm_region_facts *r)
{
    use->size += pages_of(r);
    if (r->prot & VM_STACK)
        use->stack += pages_of(r);
    else if (r->prot & VM_EXEC)
        use->code += pages_of(r);
    else if (r->prot & VM_WRITE)
        use->data += pages_of(r);
}

struct memory_use proc_memory_use(struct process *p)
{
    struct vm_space *vm = process_vm(p);
    struct memory_use use = { 0 };
    struct vm_region_facts r = { .end = 0 };

    if (!vm)
        return use;
    while (vm_region_from(vm, r.end, &r))
        count_region(&use, &r);
    use.resident = vm_resident(vm);
    vm_put(vm);
    return use;
}

void proc_show_statm(struct textbuf *out, const struct proc_subject *s)
{
    struct memory_use use = proc_memory_use(s->process);

    textbuf_printf(out, "%llu %llu 0 %llu 0 %llu 0\n", (unsigned long long)use.size,
                   (unsigned long long)use.resident, (unsigned long long)use.code,
                   (unsigned long long)(use.data + use.stack));
}

/* What a process's regions are compared with to give them names. */
struct landmarks {
    uint64_t heap_start, heap_end;
    struct file *exe; /* a reference; NULL: none */
    uint64_t exe_id;  /* of the object that its mappings show */
    char *exe_path;   /* within room; NULL: it has no name */
    char *room;       /* PATH_MAX bytes */
};

/* 0: it has none. */
static uint64_t object_id_of(struct file *f)
{
    struct vm_object *o = file_object(f);
    uint64_t id = o ? o->id : 0;

    if (o)
        o->ops->put(o);
    return id;
}

static bool landmarks_get(struct landmarks *l, struct process *p, struct vm_space *vm)
{
    *l = (struct landmarks){ .room = kmalloc(PATH_MAX) };
    if (!l->room)
        return false;
    vm_heap(vm, &l->heap_start, &l->heap_end);
    l->exe = process_exe(p);
    l->exe_id = l->exe ? object_id_of(l->exe) : 0;
    l->exe_path = l->exe ? path_of_file(l->exe, l->room, PATH_MAX) : NULL;
    return true;
}

static void landmarks_put(struct landmarks *l)
{
    if (l->exe)
        file_put(l->exe);
    kfree(l->room);
}

static bool shows_program(const struct landmarks *l, const struct vm_region_facts *r)
{
    return r->object_id && r->object_id == l->exe_id;
}

static const char *name_of(const struct landmarks *l, const struct vm_region_facts *r)
{
    if (r->prot & VM_STACK)
        return "[stack]";
    if (r->object_id && vdso_region_name(r->object_id, r->offset))
        return vdso_region_name(r->object_id, r->offset);
    if (shows_program(l, r))
        return l->exe_path;
    return !r->object_id && r->start < l->heap_end && l->heap_start < r->end ? "[heap]" : NULL;
}

/* proc(5): the name begins in column 73. Files other than the program itself are told by number only. */
static void show_region(struct textbuf *out, const struct landmarks *l, const struct vm_region_facts *r)
{
    const char *name = name_of(l, r);
    char line[96];

    ksnprintf(line, sizeof line, "%08llx-%08llx %c%c%c%c %08llx 00:%02u %llu", (unsigned long long)r->start,
              (unsigned long long)r->end, r->prot & VM_READ ? 'r' : '-', r->prot & VM_WRITE ? 'w' : '-',
              r->prot & VM_EXEC ? 'x' : '-', r->prot & VM_SHARED ? 's' : 'p', (unsigned long long)r->offset,
              r->object_id ? 1u : 0u,
              (unsigned long long)(shows_program(l, r) ? l->exe->inode->ino : r->object_id));
    if (name)
        textbuf_printf(out, "%-72s %s\n", line, name);
    else
        textbuf_printf(out, "%s \n", line);
}

void proc_show_maps(struct textbuf *out, const struct proc_subject *s)
{
    struct vm_space *vm = process_may_inspect(s->process) ? process_vm(s->process) : NULL;
    struct vm_region_facts r = { .end = 0 };
    struct landmarks l;

    if (!vm)
        return;
    if (landmarks_get(&l, s->process, vm)) {
        while (vm_region_from(vm, r.end, &r))
            show_region(out, &l, &r);
        landmarks_put(&l);
    }
    vm_put(vm);
}

/* Append n bytes to the text; they may hold NULs. */
static void append(struct textbuf *out, const void *bytes, size_t n)
{
    if (out->len < out->size)
        memcpy(out->buf + out->len, bytes, MIN(n, out->size - out->len));
    out->len += n;
}

static struct program_places places_of(struct process *p)
{
    uint64_t flags = spin_lock(&process_lock);
    struct program_places places = p->places;

    spin_unlock(&process_lock, flags);
    return places;
}

/* The bytes of the process's memory from start to end, as they are there now. */
static void append_memory(struct textbuf *out, struct process *p, uint64_t start, uint64_t end)
{
    struct vm_space *vm = process_vm(p);
    char *bytes = kmalloc(TEXTS_MOST);
    int64_t n = 0;

    if (vm && bytes && end > start)
        n = vm_read(vm, start, bytes, MIN(end - start, (uint64_t)TEXTS_MOST));
    if (n > 0)
        append(out, bytes, (size_t)n);
    kfree(bytes);
    if (vm)
        vm_put(vm);
}

static void end_at_first_nul(struct textbuf *out)
{
    size_t n = MIN(out->len, out->size), end = strnlen(out->buf, n);

    out->len = end < n ? end + 1 : n;
}

/* A program that shows a title in ps (nginx, sshd) writes it over its arguments and on over its environment:
 * then the NUL behind the last argument is gone, and the text ends with the title's own. */
void proc_show_cmdline(struct textbuf *out, const struct proc_subject *s)
{
    struct program_places places = places_of(s->process);

    append_memory(out, s->process, places.arg_start, places.arg_end);
    if (!out->len || out->len >= out->size || !out->buf[out->len - 1])
        return;
    append_memory(out, s->process, places.env_start, places.env_end);
    end_at_first_nul(out);
}

void proc_show_environ(struct textbuf *out, const struct proc_subject *s)
{
    struct program_places places = places_of(s->process);

    if (process_may_inspect(s->process))
        append_memory(out, s->process, places.env_start, places.env_end);
}

void proc_show_auxv(struct textbuf *out, const struct proc_subject *s)
{
    uint64_t auxv[AUXV_WORDS], flags = spin_lock(&process_lock);
    size_t n = 0;

    memcpy(auxv, s->process->auxv, sizeof auxv);
    spin_unlock(&process_lock, flags);
    while (n < AUXV_WORDS - 2 && auxv[n]) /* AT_NULL ends it */
        n += 2;
    append(out, auxv, (n + 2) * sizeof *auxv);
}
