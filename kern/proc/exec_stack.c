/* kern/proc/exec_stack.c - the arguments of a new program, and its first stack (System V ABI, AMD64 3.4.1):
 *
 *     USER_TOP - a page   the program's path, 16 random bytes, all strings
 *                         auxiliary vector, envp, argv, argc   <- rsp, 16-byte aligned */
#include "kern/proc/exec.h"
#include "kern/proc/process.h"
#include "lib/abi/elf.h"
#include "lib/string.h"

enum { AUX_PAIRS = AUXV_WORDS / 2, RANDOM_BYTES = 16 };
#define STACK_TOP (USER_TOP - PAGE_SIZE)

int exec_strings_init(struct exec_strings *s)
{
    *s = (struct exec_strings){ .bytes = kmalloc(ARG_BYTES_MAX) };
    return s->bytes ? 0 : -ENOMEM;
}

void exec_strings_free(struct exec_strings *s)
{
    kfree(s->bytes);
}

int exec_strings_add(struct exec_strings *s, const char *text)
{
    size_t n = strlen(text) + 1;

    if (n > ARG_BYTES_MAX - s->len)
        return -E2BIG;
    memcpy(s->bytes + s->len, text, n);
    s->len += n;
    return 0;
}

int exec_strings_add_user(struct exec_strings *s, uintptr_t text)
{
    int64_t n = s->len < ARG_BYTES_MAX
                    ? copy_string_from_user(s->bytes + s->len, text, ARG_BYTES_MAX - s->len)
                    : -ENAMETOOLONG;

    if (n < 0)
        return n == -ENAMETOOLONG ? -E2BIG : (int)n;
    s->len += (size_t)n + 1;
    return 0;
}

int exec_strings_prepend(struct exec_strings *s, const char *text)
{
    size_t n = strlen(text) + 1;

    if (n > ARG_BYTES_MAX - s->len)
        return -E2BIG;
    memmove(s->bytes + n, s->bytes, s->len);
    memcpy(s->bytes, text, n);
    s->len += n;
    s->argc++;
    return 0;
}

void exec_strings_drop_first(struct exec_strings *s)
{
    size_t n;

    if (!s->argc)
        return;
    n = strlen(s->bytes) + 1;
    memmove(s->bytes, s->bytes + n, s->len - n);
    s->len -= n;
    s->argc--;
}

/* ---- the stack ---- */

struct pointers {
    uint64_t *words;
    size_t n;
};

static void push_word(struct pointers *p, uint64_t word)
{
    p->words[p->n++] = word;
}

static void push_aux(struct pointers *p, uint64_t type, uint64_t value)
{
    push_word(p, type);
    push_word(p, value);
}

/* count pointers to texts that begin at *text, which stand at *address in the new space; then NULL. */
static void push_vector(struct pointers *p, const char **text, uint64_t *address, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        size_t n = strlen(*text) + 1;
        push_word(p, *address);
        *address += n;
        *text += n;
    }
    push_word(p, 0);
}

static void push_auxv(struct pointers *p, const struct elf_image *image, uint64_t random, uint64_t path)
{

    push_aux(p, AT_SYSINFO_EHDR, image->vdso);
    push_aux(p, AT_PHDR, image->phdr);
    push_aux(p, AT_PHENT, sizeof(struct elf64_phdr));
    push_aux(p, AT_PHNUM, image->phnum);
    push_aux(p, AT_PAGESZ, PAGE_SIZE);
    push_aux(p, AT_BASE, image->base);
    push_aux(p, AT_ENTRY, image->entry);
    push_aux(p, AT_UID, image->cred->uid.real);
    push_aux(p, AT_EUID, image->cred->uid.effective);
    push_aux(p, AT_GID, image->cred->gid.real);
    push_aux(p, AT_EGID, image->cred->gid.effective);
    push_aux(p, AT_CLKTCK, 100);
    push_aux(p, AT_SECURE, image->secure);
    push_aux(p, AT_RANDOM, random);
    push_aux(p, AT_EXECFN, path);
    push_aux(p, AT_NULL, 0);
}

/* Write what the pointers point to; the addresses of each. */
static int write_texts(struct vm_space *vm, const struct exec_strings *s, const char *path, uint64_t *strings,
                       uint64_t *random, uint64_t *path_at)
{
    uint8_t bytes[RANDOM_BYTES];
    int err;

    *path_at = STACK_TOP - 8 - (strlen(path) + 1);
    *random = *path_at - RANDOM_BYTES;
    *strings = *random - s->len;
    random_bytes(bytes, sizeof bytes);
    err = vm_write(vm, *path_at, path, strlen(path) + 1);
    if (!err)
        err = vm_write(vm, *random, bytes, sizeof bytes);
    return err ? err : vm_write(vm, *strings, s->bytes, s->len);
}

int exec_build_stack(struct vm_space *vm, struct elf_image *image, const struct exec_strings *s,
                     const char *path, uint64_t *rsp)
{
    size_t most = 3 + s->argc + s->envc + 2 * AUX_PAIRS;
    uint64_t strings, random, path_at;
    size_t auxv;
    const char *text = s->bytes;
    int64_t at =
        vm_map(vm, STACK_TOP - USER_STACK_FIRST, USER_STACK_FIRST, VM_READ | VM_WRITE | VM_STACK, false);
    struct pointers p = { .n = 0 };
    int err;

    if (at < 0)
        return (int)at == -ENOMEM ? -ENOMEM : -ENOEXEC;
    err = write_texts(vm, s, path, &strings, &random, &path_at);
    if (err)
        return err;
    p.words = kmalloc(most * sizeof *p.words);
    if (!p.words)
        return -ENOMEM;
    *rsp = image->places.arg_start = strings;
    push_word(&p, s->argc);
    push_vector(&p, &text, &strings, s->argc);
    image->places.arg_end = image->places.env_start = strings;
    push_vector(&p, &text, &strings, s->envc);
    image->places.env_end = strings;
    auxv = p.n;
    push_auxv(&p, image, random, path_at);
    memcpy(image->auxv, p.words + auxv, (p.n - auxv) * sizeof *p.words);
    *rsp = image->places.stack = ROUND_DOWN(*rsp - p.n * sizeof *p.words, 16ull);
    err = vm_write(vm, *rsp, p.words, p.n * sizeof *p.words);
    kfree(p.words);
    return err;
}
