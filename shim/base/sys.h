/* Raw system calls.
 *
 * The library's own work inside the guarded process goes through these, never through libc's
 * wrappers: they are not cancellation points, do not touch errno, cannot be interposed (by us or
 * by another preload), and are async-signal-safe. Each returns what the kernel returned: a
 * negative errno on failure. */
#ifndef PG_BASE_SYS_H
#define PG_BASE_SYS_H

#include <stdint.h>
#include <sys/syscall.h>

#if defined(__clang_analyzer__)
/* It can not see through assembly that the kernel fills what it is pointed to. */
long sys6(long nr, long a, long b, long c, long d, long e, long f);
#elif defined(__x86_64__)
static inline long sys6(long nr, long a, long b, long c, long d, long e, long f) {
    long ret;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return ret;
}
#elif defined(__aarch64__)
static inline long sys6(long nr, long a, long b, long c, long d, long e, long f) {
    register long x8 __asm__("x8") = nr;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}
#else
#error "poolguard knows the system call convention of x86-64 and aarch64 only"
#endif

/* sys(SYS_x, ...): one to six arguments, pointers included. */
#define SYS_ARG_COUNT_(_1, _2, _3, _4, _5, _6, _7, n, ...) n
#define SYS_L_(x) ((long)(x))
#define sys1_(nr) sys6(nr, 0, 0, 0, 0, 0, 0)
#define sys2_(nr, a) sys6(nr, SYS_L_(a), 0, 0, 0, 0, 0)
#define sys3_(nr, a, b) sys6(nr, SYS_L_(a), SYS_L_(b), 0, 0, 0, 0)
#define sys4_(nr, a, b, c) sys6(nr, SYS_L_(a), SYS_L_(b), SYS_L_(c), 0, 0, 0)
#define sys5_(nr, a, b, c, d) sys6(nr, SYS_L_(a), SYS_L_(b), SYS_L_(c), SYS_L_(d), 0, 0)
#define sys6_(nr, a, b, c, d, e) sys6(nr, SYS_L_(a), SYS_L_(b), SYS_L_(c), SYS_L_(d), SYS_L_(e), 0)
#define sys7_(nr, a, b, c, d, e, f)                                                                \
    sys6(nr, SYS_L_(a), SYS_L_(b), SYS_L_(c), SYS_L_(d), SYS_L_(e), SYS_L_(f))
#define sys(...)                                                                                   \
    SYS_ARG_COUNT_(__VA_ARGS__, sys7_, sys6_, sys5_, sys4_, sys3_, sys2_, sys1_)(__VA_ARGS__)

/* The largest page that a kernel of this architecture may have (aarch64: 4, 16 or 64 KB): what is
 * aligned to it can be given rights, or be wiped, apart from its neighbours everywhere. */
#if defined(__aarch64__)
enum { PAGE_LARGEST = 64 << 10 };
#else
enum { PAGE_LARGEST = 4 << 10 };
#endif

/* Can a byte at p be read? The kernel copies a signal mask from there before it looks at `how`:
 * EFAULT when it can not, else EINVAL, and nothing is changed. No descriptor, async-signal-safe. */
static inline int sys_can_read(const void *p) {
    long word = (long)p & ~7L;
    return sys(SYS_rt_sigprocmask, -1, word, 0, 8) != -14; /* -EFAULT */
}

/* For the few variables that the constructor writes in every process, network or not: together in a
 * page that relocation has touched already. Each page more costs an exec of `true` about 2 us. */
#define STARTUP __attribute__((section(".data.startup")))

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#endif
