/* Functions with known stacks, in an object of their own: frames of the test program itself count
 * as the library's, because the library is linked into it. Built without frame pointers by
 * test_stack.c, so that only the unwind information leads through them. */
#include <stdint.h>

typedef uint32_t capture(void);

/* Keeps a call from becoming a jump, and its frame from going away. */
#define KEPT(call)                                                                                 \
    uint32_t r = call;                                                                             \
    __asm__ volatile("" : "+r"(r)::"memory");                                                      \
    return r

__attribute__((noinline)) uint32_t fixture_inner(capture *f);
__attribute__((noinline)) uint32_t fixture_inner(capture *f) {
    volatile char room[200]; /* a frame that is no multiple of the others' */
    room[0] = 1;
    KEPT(f());
}

__attribute__((noinline)) uint32_t fixture_middle(capture *f);
__attribute__((noinline)) uint32_t fixture_middle(capture *f) {
    KEPT(fixture_inner(f));
}

__attribute__((noinline)) uint32_t fixture_outer(capture *f);
__attribute__((noinline)) uint32_t fixture_outer(capture *f) {
    KEPT(fixture_middle(f));
}

__attribute__((noinline)) uint32_t fixture_other(capture *f);
__attribute__((noinline)) uint32_t fixture_other(capture *f) {
    KEPT(fixture_middle(f));
}

/* n frames of itself. */
__attribute__((noinline)) uint32_t fixture_deep(capture *f, unsigned n);
__attribute__((noinline)) uint32_t fixture_deep(capture *f, unsigned n) {
    if (n <= 1) {
        KEPT(f());
    }
    KEPT(fixture_deep(f, n - 1));
}
