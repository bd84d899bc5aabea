/* kern/proc/elf.c - load an ELF64 program: fixed, position-independent, or with an interpreter.
 *
 * The file is untrusted: every offset, size and address in it is checked before use, sums for overflow too.
 * What is not sound is ENOEXEC. Segments are copied into private memory; pages beyond the file's part are
 * zero. */
#include "lib/abi/elf.h"
#include "kern/fs/fs.h"
#include "kern/proc/exec.h"
#include "lib/abi/stat.h"
#include "lib/string.h"

enum { MAX_PHDRS = 64 };
/* Where position-independent programs and interpreters go: below the stack, far above fixed programs. */
#define PIE_BASE         0x555555554000ull
#define INTERPRETER_BASE 0x7f0000000000ull

struct elf_file {
    struct file *file;
    uint64_t size; /* bytes in the file */
    struct elf64_ehdr header;
    struct elf64_phdr *phdrs; /* kmalloc'ed */
    uint64_t base;            /* added to every address in the file */
    uint64_t end;             /* of the last segment, base included */
};

static bool fits(uint64_t start, uint64_t size, uint64_t limit)
{
    return start <= limit && size <= limit - start;
}

static int read_exactly(struct elf_file *e, void *dst, size_t n, uint64_t pos)
{
    int64_t got;

    if (!fits(pos, n, e->size))
        return -ENOEXEC;
    got = file_read_kernel(e->file, dst, n, pos);
    return got < 0 ? (int)got : (size_t)got == n ? 0 : -ENOEXEC;
}

static bool header_is_sound(const struct elf64_ehdr *h)
{
    return !memcmp(h->e_ident, "\177ELF", 4) && h->e_ident[4] == ELFCLASS64 && h->e_ident[5] == ELFDATA2LSB &&
           h->e_machine == EM_X86_64 && (h->e_type == ET_EXEC || h->e_type == ET_DYN) &&
           h->e_version == EV_CURRENT && h->e_phentsize == sizeof(struct elf64_phdr) && h->e_phnum > 0 &&
           h->e_phnum <= MAX_PHDRS;
}

static uint64_t page_down(uint64_t v)
{
    return ROUND_DOWN(v, (uint64_t)PAGE_SIZE);
}

static uint64_t page_up(uint64_t v)
{
    return ROUND_UP(v, (uint64_t)PAGE_SIZE);
}

static bool segment_is_sound(const struct elf_file *e, const struct elf64_phdr *p)
{
    uint64_t start;

    return p->p_filesz <= p->p_memsz && fits(p->p_offset, p->p_filesz, e->size) &&
           !__builtin_add_overflow(p->p_vaddr, e->base, &start) && start >= PAGE_SIZE &&
           fits(start, p->p_memsz, USER_TOP - PAGE_SIZE);
}

/* Open what is in file: header and program headers. */
static int elf_open(struct elf_file *e, struct file *file)
{
    size_t bytes;
    int err;

    *e = (struct elf_file){ .file = file, .size = READ_ONCE(file->inode->size) };
    err = read_exactly(e, &e->header, sizeof e->header, 0);
    if (err)
        return err;
    if (!header_is_sound(&e->header))
        return -ENOEXEC;
    bytes = e->header.e_phnum * sizeof *e->phdrs;
    e->phdrs = kmalloc(bytes);
    if (!e->phdrs)
        return -ENOMEM;
    err = read_exactly(e, e->phdrs, bytes, e->header.e_phoff);
    if (err)
        kfree(e->phdrs);
    return err;
}

static uint32_t segment_prot(const struct elf64_phdr *p)
{
    return (p->p_flags & PF_R ? VM_READ : 0) | (p->p_flags & PF_W ? VM_WRITE : 0) |
           (p->p_flags & PF_X ? VM_EXEC : 0);
}

/* A region of a segment; nothing if it would be empty. */
static int map_segment(struct vm_space *vm, uint64_t start, uint64_t end, const struct elf64_phdr *p,
                       struct vm_view view)
{
    int64_t at = start < end ? vm_map_object(vm, start, end - start, segment_prot(p), false, view) : 0;

    if (at < 0) /* two segments in one page, or on top of each other */
        return at == -ENOMEM ? -ENOMEM : -ENOEXEC;
    return 0;
}

/* What follows the file's bytes in their last page is not the file's but the segment's, and zero. */
static int clear_rest(struct vm_space *vm, uint64_t from, uint64_t to)
{
    static const uint8_t zeroes[PAGE_SIZE];

    return from < to ? vm_write(vm, from, zeroes, to - from) : 0;
}

/* Pages of the file, shared with it until they are written, then zeroes. */
static int load_segment(struct vm_space *vm, struct elf_file *e, const struct elf64_phdr *p,
                        struct vm_object *o)
{
    uint64_t start = e->base + p->p_vaddr, file_end = start + p->p_filesz, end = page_up(start + p->p_memsz);
    uint64_t border = p->p_filesz ? page_up(file_end) : page_down(start);
    int err;

    if (!segment_is_sound(e, p) || (p->p_filesz && (p->p_offset - start) % PAGE_SIZE))
        return -ENOEXEC;
    if (!p->p_memsz)
        return 0;
    err = map_segment(vm, page_down(start), border, p, (struct vm_view){ o, page_down(p->p_offset) });
    if (!err)
        err = map_segment(vm, border, end, p, (struct vm_view){ 0 });
    if (!err && p->p_memsz > p->p_filesz)
        err = clear_rest(vm, file_end, MIN(border, end));
    e->end = MAX(e->end, end);
    return err;
}

static int load_segments(struct vm_space *vm, struct elf_file *e)
{
    struct vm_object *o = file_object(e->file);
    int err = 0, loaded = 0;

    if (!o)
        return -ENOEXEC;
    for (unsigned i = 0; i < e->header.e_phnum && !err; i++) {
        if (e->phdrs[i].p_type != PT_LOAD)
            continue;
        err = load_segment(vm, e, &e->phdrs[i], o);
        loaded++;
    }
    o->ops->put(o);
    return err ? err : loaded ? 0 : -ENOEXEC;
}

/* Where the program headers are in memory, for AT_PHDR; 0: not loaded. */
static uint64_t phdr_address(const struct elf_file *e)
{
    for (unsigned i = 0; i < e->header.e_phnum; i++) {
        const struct elf64_phdr *p = &e->phdrs[i];
        if (p->p_type == PT_LOAD && e->header.e_phoff >= p->p_offset &&
            e->header.e_phoff - p->p_offset < p->p_filesz)
            return e->base + p->p_vaddr + (e->header.e_phoff - p->p_offset);
    }
    return 0;
}

static const struct elf64_phdr *find_phdr(const struct elf_file *e, uint32_t type)
{
    for (unsigned i = 0; i < e->header.e_phnum; i++)
        if (e->phdrs[i].p_type == type)
            return &e->phdrs[i];
    return NULL;
}

/* Open the file that a PT_INTERP names. */
static int open_interpreter(struct elf_file *e, const struct elf64_phdr *p, struct file **out)
{
    char *path;
    int err;

    if (p->p_filesz < 2 || p->p_filesz > PATH_MAX)
        return -ENOEXEC;
    path = kmalloc(p->p_filesz);
    if (!path)
        return -ENOMEM;
    err = read_exactly(e, path, p->p_filesz, p->p_offset);
    if (!err && path[p->p_filesz - 1])
        err = -ENOEXEC;
    if (!err)
        err = path_open(fs_root, path, O_RDONLY, 0, out);
    if (!err && !S_ISREG((*out)->inode->mode)) {
        file_put(*out);
        err = -EACCES;
    }
    kfree(path);
    return err;
}

static int load_interpreter(struct vm_space *vm, struct file *file, struct elf_image *image)
{
    struct elf_file e;
    int err = elf_open(&e, file);

    if (err)
        return err;
    e.base = e.header.e_type == ET_DYN ? INTERPRETER_BASE : 0;
    err = load_segments(vm, &e);
    image->base = e.base;
    image->start = e.base + e.header.e_entry;
    kfree(e.phdrs);
    return err;
}

/* Where the program's code and data lie; the last segment of a kind counts for its end. */
static void note_places(const struct elf_file *e, struct program_places *places)
{
    for (unsigned i = 0; i < e->header.e_phnum; i++) {
        const struct elf64_phdr *p = &e->phdrs[i];
        uint64_t start = e->base + p->p_vaddr, end = start + p->p_filesz;
        if (p->p_type != PT_LOAD)
            continue;
        if (p->p_flags & PF_X) {
            places->code_start = start;
            places->code_end = end;
        } else if (p->p_flags & PF_W) {
            places->data_start = start;
            places->data_end = end;
        }
    }
}

static int load_program(struct vm_space *vm, struct elf_file *e, struct elf_image *image)
{
    const struct elf64_phdr *interp = find_phdr(e, PT_INTERP);
    struct file *file;
    int err = load_segments(vm, e);

    if (err)
        return err;
    *image = (struct elf_image){ .entry = e->base + e->header.e_entry,
                                 .phdr = phdr_address(e),
                                 .start = e->base + e->header.e_entry,
                                 .brk = e->end,
                                 .phnum = e->header.e_phnum };
    note_places(e, &image->places);
    if (!interp)
        return 0;
    err = open_interpreter(e, interp, &file);
    if (err)
        return err;
    err = load_interpreter(vm, file, image);
    file_put(file);
    return err;
}

int elf_load(struct vm_space *vm, struct file *file, struct elf_image *image)
{
    struct elf_file e;
    int err = elf_open(&e, file);

    if (err)
        return err;
    e.base = e.header.e_type == ET_DYN ? PIE_BASE : 0;
    err = load_program(vm, &e, image);
    kfree(e.phdrs);
    return err;
}
