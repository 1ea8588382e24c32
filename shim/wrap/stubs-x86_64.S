/* vfork, syscall and dlopen can not be wrapped in C.
 *
 * vfork() returns twice to the caller's frame: a C wrapper's own frame would be gone the second
 * time. dlopen() searches the RUNPATH of whoever calls it: the return address must stay the
 * program's. Both do their part and then jump, so that the real function sees the program's own
 * frame. syscall() is made by allocators before any constructor and thousands of times a second
 * by some programs: the numbers that do not concern us go through at the cost of a few compares. */

#include <sys/syscall.h>

        .text

        .globl  vfork
        .type   vfork, @function
vfork:
        .cfi_startproc
        endbr64
        sub     $8, %rsp
        .cfi_adjust_cfa_offset 8
        call    stub_enter_vfork
        add     $8, %rsp
        .cfi_adjust_cfa_offset -8
        jmp     *%rax
        .cfi_endproc
        .size   vfork, .-vfork

/* Clears RTLD_DEEPBIND (8): with it an object binds to libc before us, and nothing that it does
 * would be seen. */
        .globl  dlopen
        .type   dlopen, @function
dlopen:
        .cfi_startproc
        endbr64
        push    %rdi
        .cfi_adjust_cfa_offset 8
        push    %rsi
        .cfi_adjust_cfa_offset 8
        sub     $8, %rsp
        .cfi_adjust_cfa_offset 8
        call    stub_enter_dlopen
        add     $8, %rsp
        .cfi_adjust_cfa_offset -8
        pop     %rsi
        .cfi_adjust_cfa_offset -8
        pop     %rdi
        .cfi_adjust_cfa_offset -8
        and     $~8, %esi
        jmp     *stub_real_dlopen(%rip)
        .cfi_endproc
        .size   dlopen, .-dlopen

        .macro  ours nr
        cmp     $\nr, %rdi
        je      stub_syscall
        .endm

        .globl  syscall
        .type   syscall, @function
syscall:
        .cfi_startproc
        endbr64
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
        ours    SYS_dup2
        ours    SYS_dup3
        ours    SYS_fcntl
        ours    SYS_close_range
        ours    SYS_seccomp
        ours    SYS_prctl
        jmp     *stub_real_syscall(%rip)
        .cfi_endproc
        .size   syscall, .-syscall

        .section .note.GNU-stack, "", @progbits
