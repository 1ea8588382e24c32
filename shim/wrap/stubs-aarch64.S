/* vfork, syscall and dlopen can not be wrapped in C.
 *
 * vfork() returns twice to the caller's frame: a C wrapper's own frame would be gone the second
 * time. dlopen() searches the RUNPATH of whoever calls it: the return address must stay the
 * program's. Both do their part and then jump, so that the real function sees the program's own
 * frame. syscall() is made by allocators before any constructor and thousands of times a second
 * by some programs: the numbers that do not concern us go through at the cost of a few compares.
 *
 * Each begins with a landing pad (BTI) and jumps through x16 or x17, from which the real function's
 * pad may be reached; what stands on the stack is signed (PAC). As hints: no-ops on older cores. */

#include <sys/syscall.h>

#define BTI_C hint #34
#define PACIASP hint #25 /* a landing pad too */
#define AUTIASP hint #29

        .text

        .globl  vfork
        .type   vfork, %function
vfork:
        .cfi_startproc
        PACIASP
        .cfi_negate_ra_state
        stp     x29, x30, [sp, #-16]!
        .cfi_def_cfa_offset 16
        .cfi_offset 29, -16
        .cfi_offset 30, -8
        mov     x29, sp
        bl      stub_enter_vfork
        mov     x16, x0
        ldp     x29, x30, [sp], #16
        .cfi_restore 29
        .cfi_restore 30
        .cfi_def_cfa_offset 0
        AUTIASP
        .cfi_negate_ra_state
        br      x16
        .cfi_endproc
        .size   vfork, .-vfork

        .macro  jump_by pointer
        adrp    x16, \pointer
        ldr     x16, [x16, :lo12:\pointer]
        br      x16
        .endm

/* Clears RTLD_DEEPBIND (8): with it an object binds to libc before us, and nothing that it does
 * would be seen. */
        .globl  dlopen
        .type   dlopen, %function
dlopen:
        .cfi_startproc
        PACIASP
        .cfi_negate_ra_state
        stp     x29, x30, [sp, #-32]!
        .cfi_def_cfa_offset 32
        .cfi_offset 29, -32
        .cfi_offset 30, -24
        stp     x0, x1, [sp, #16]
        mov     x29, sp
        bl      stub_enter_dlopen
        ldp     x0, x1, [sp, #16]
        ldp     x29, x30, [sp], #32
        .cfi_restore 29
        .cfi_restore 30
        .cfi_def_cfa_offset 0
        AUTIASP
        .cfi_negate_ra_state
        and     w1, w1, #~8
        jump_by stub_real_dlopen
        .cfi_endproc
        .size   dlopen, .-dlopen

        .macro  ours nr
        cmp     x0, #\nr
        b.eq    1f
        .endm

/* This architecture has no SYS_dup2. */
        .globl  syscall
        .type   syscall, %function
syscall:
        .cfi_startproc
        BTI_C
        ours    SYS_close
        ours    SYS_read
        ours    SYS_write
        ours    SYS_socket
        ours    SYS_connect
        ours    SYS_accept
        ours    SYS_accept4
        ours    SYS_shutdown
        ours    SYS_setsockopt
        ours    SYS_dup
        ours    SYS_dup3
        ours    SYS_fcntl
        ours    SYS_close_range
        ours    SYS_seccomp
        ours    SYS_prctl
        jump_by stub_real_syscall
1:      b       stub_syscall
        .cfi_endproc
        .size   syscall, .-syscall

/* NT_GNU_PROPERTY_TYPE_0: this file is fit for BTI (1) and PAC (2); the library is where its C is
 * compiled so. */
        .section .note.gnu.property, "a"
        .p2align 3
        .word   4, 16, 5
        .asciz  "GNU"
        .word   0xc0000000, 4, 3, 0

        .section .note.GNU-stack, "", %progbits
