/* kern/mm/usercopy_moves.S - copies that may meet a bad user address.
 * Each returns 0 (or a length), and -1 when a fault could not be mended: every instruction that touches user
 * memory is in the exception table. Unrolled moves of 8 bytes rather than `rep movsb`: under emulation a string
 * instruction costs as much a byte as a loop does a word. */
#include "kern/cpu/asm.h"

#define MAY_FAULT(label, ...)                                                                                \
    label: __VA_ARGS__;                                                                                      \
    EXTABLE(label, fault)

    .text
/* int64_t usercopy(void *dst, const void *src, size_t n) */
FUNCTION(usercopy)
    movq %rdx, %rcx
    shrq $6, %rcx
    jz words
block: /* 64 bytes */
    MAY_FAULT(u1, movq 0(%rsi), %rax)
    MAY_FAULT(u2, movq 8(%rsi), %r8)
    MAY_FAULT(u3, movq 16(%rsi), %r9)
    MAY_FAULT(u4, movq 24(%rsi), %r10)
    MAY_FAULT(u5, movq %rax, 0(%rdi))
    MAY_FAULT(u6, movq %r8, 8(%rdi))
    MAY_FAULT(u7, movq %r9, 16(%rdi))
    MAY_FAULT(u8, movq %r10, 24(%rdi))
    MAY_FAULT(u9, movq 32(%rsi), %rax)
    MAY_FAULT(u10, movq 40(%rsi), %r8)
    MAY_FAULT(u11, movq 48(%rsi), %r9)
    MAY_FAULT(u12, movq 56(%rsi), %r10)
    MAY_FAULT(u13, movq %rax, 32(%rdi))
    MAY_FAULT(u14, movq %r8, 40(%rdi))
    MAY_FAULT(u15, movq %r9, 48(%rdi))
    MAY_FAULT(u16, movq %r10, 56(%rdi))
    addq $64, %rsi
    addq $64, %rdi
    decq %rcx
    jnz block
words:
    movl %edx, %ecx
    andl $63, %ecx
    shrl $3, %ecx
    jz bytes
word:
    MAY_FAULT(u17, movq (%rsi), %rax)
    MAY_FAULT(u18, movq %rax, (%rdi))
    addq $8, %rsi
    addq $8, %rdi
    decl %ecx
    jnz word
bytes:
    andl $7, %edx
    jz done
byte:
    MAY_FAULT(u19, movb (%rsi), %al)
    MAY_FAULT(u20, movb %al, (%rdi))
    incq %rsi
    incq %rdi
    decl %edx
    jnz byte
done:
    xorl %eax, %eax
    ret
END(usercopy)

/* int64_t userclear(void *dst, size_t n) */
FUNCTION(userclear)
    xorl %eax, %eax
    movq %rsi, %rcx
    shrq $3, %rcx
    jz clear_bytes
clear_word:
    MAY_FAULT(u21, movq %rax, (%rdi))
    addq $8, %rdi
    decq %rcx
    jnz clear_word
clear_bytes:
    andl $7, %esi
    jz clear_done
clear_byte:
    MAY_FAULT(u22, movb %al, (%rdi))
    incq %rdi
    decl %esi
    jnz clear_byte
clear_done:
    ret
END(userclear)

/* int64_t userstring(char *dst, const char *src, size_t max): the length without the NUL; max if there is none */
FUNCTION(userstring)
    xorl %eax, %eax
    testq %rdx, %rdx
    jz string_done
string_byte:
    MAY_FAULT(u23, movb (%rsi,%rax), %cl)
    movb %cl, (%rdi,%rax)
    testb %cl, %cl
    jz string_done
    incq %rax
    cmpq %rdx, %rax
    jb string_byte
string_done:
    ret
END(userstring)

/* int64_t userexchange(uint32_t *word, uint32_t old, uint32_t new): what it was, whether or not that was old */
FUNCTION(userexchange)
    movl %esi, %eax
    MAY_FAULT(u24, lock; cmpxchgl %edx, (%rdi))
    movl %eax, %eax
    ret
END(userexchange)

fault:
    movq $-1, %rax
    ret

    .section .note.GNU-stack, "", @progbits
