/* kern/proc/vdso_image.S - the shared object that user/vdso/ is built to, as bytes. */
    .section .rodata
    .balign 16
    .global vdso_image_start, vdso_image_end
vdso_image_start:
    .incbin "vdso.so"
vdso_image_end:

    .section .note.GNU-stack, "", @progbits
