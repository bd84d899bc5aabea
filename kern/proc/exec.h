/* kern/proc/exec.h - replacing a process's program. */
#pragma once
#include "kern/fs/file.h"
#include "kern/mm/vm.h"
#include "kern/proc/process.h"

enum {
    ARG_BYTES_MAX = 128 * 1024,
    SCRIPT_DEPTH = 4,
    USER_STACK_SIZE = 8 << 20,
    USER_STACK_FIRST = 256 << 10
};

/* argv and envp: texts one after the other, each NUL-terminated; the arguments come first. */
struct exec_strings {
    char *bytes; /* ARG_BYTES_MAX */
    size_t len;
    unsigned argc, envc;
};
int exec_strings_init(struct exec_strings *s); /* -ENOMEM */
void exec_strings_free(struct exec_strings *s);
/* Append one from the kernel or the user: 0, -E2BIG, -EFAULT. */
int exec_strings_add(struct exec_strings *s, const char *text);
int exec_strings_add_user(struct exec_strings *s, uintptr_t text);
/* Put text before the first argument: -E2BIG. */
int exec_strings_prepend(struct exec_strings *s, const char *text);
void exec_strings_drop_first(struct exec_strings *s); /* argv[0] goes */

/* Run the program at path (from the current directory) in the current process; argv in s, s stays the
 * caller's. 0: the registers at current_thread()->user begin the new program. -errno: nothing has changed.
 * Process context. */
int process_exec(const char *path, struct exec_strings *s);

/* ---- ELF (elf.c) ---- */

struct elf_image {
    uint64_t entry, phdr, base; /* addresses; base: of the interpreter, 0: none */
    uint64_t start;             /* where to begin: entry, or the interpreter's */
    uint64_t brk;               /* the end of its last segment */
    uint16_t phnum;
    uint64_t vdso; /* where the code is that the kernel lends */
    struct program_places places;
    uint64_t auxv[AUXV_WORDS];
    const struct cred *cred; /* who will run it */
    bool secure;             /* with more rights than whoever started it */
};
/* Load the program in file into vm. 0, -ENOEXEC for anything that is no sound x86-64 program, -ENOMEM, -EIO.
 */
int elf_load(struct vm_space *vm, struct file *file, struct elf_image *image);
/* Lay out the first stack: strings, auxiliary vector, pointers (System V ABI, AMD64 3.4.1). The stack pointer
 * through *rsp, the places of the strings and the auxiliary vector into *image. path: for AT_EXECFN. */
int exec_build_stack(struct vm_space *vm, struct elf_image *image, const struct exec_strings *s,
                     const char *path, uint64_t *rsp);
