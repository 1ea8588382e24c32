/* The C library's functions on bytes and strings, once more, for the library alone (hidden).
 *
 * Those that the program has may be a sanitizer's: ThreadSanitizer's take our ordering for a data
 * race, and none of them works before the sanitizer's own constructor, which comes after ours. The
 * unwinder that is linked in uses these too. */
// NOLINTBEGIN(performance-no-int-to-ptr): how const is cast away, as the real ones do
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The compiler would make a call of memcpy() out of memcpy(). */
#if !defined(__clang__)
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#define NO_IDIOMS
#else
#define NO_IDIOMS __attribute__((no_builtin))
#endif
#define HERE __attribute__((visibility("hidden"))) NO_IDIOMS

enum { WORD = sizeof(uint64_t) };

static inline void word_copy(char *to, const char *from) {
    __builtin_memcpy(to, from, WORD);
}

HERE void *memcpy(void *restrict to, const void *restrict from, size_t n) {
    char *t = to;
    const char *f = from;
    for (; n >= WORD; n -= WORD, t += WORD, f += WORD)
        word_copy(t, f);
    while (n--)
        *t++ = *f++;
    return to;
}

HERE void *memmove(void *to, const void *from, size_t n) {
    char *t = to;
    const char *f = from;
    if (t <= f || t >= f + n)
        for (size_t i = 0; i < n; i++)
            t[i] = f[i];
    else
        while (n--)
            t[n] = f[n];
    return to;
}

HERE void *memset(void *to, int c, size_t n) {
    char *t = to;
    uint64_t word = (unsigned char)c * UINT64_C(0x0101010101010101);
    for (; n >= WORD; n -= WORD, t += WORD)
        word_copy(t, (const char *)&word);
    while (n--)
        *t++ = (char)c;
    return to;
}

HERE int memcmp(const void *a, const void *b, size_t n) {
    const unsigned char *x = a, *y = b;
    for (; n; n--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

HERE void *memchr(const void *s, int c, size_t n) {
    const unsigned char *p = s;
    for (; n; n--, p++)
        if (*p == (unsigned char)c)
            return (void *)(uintptr_t)p;
    return NULL;
}

HERE size_t strnlen(const char *s, size_t most) {
    size_t n = 0;
    while (n < most && s[n])
        n++;
    return n;
}

HERE size_t strlen(const char *s) {
    return strnlen(s, SIZE_MAX);
}

HERE int strncmp(const char *a, const char *b, size_t n) {
    for (; n; n--, a++, b++)
        if (*a != *b || !*a)
            return (unsigned char)*a - (unsigned char)*b;
    return 0;
}

HERE int strcmp(const char *a, const char *b) {
    return strncmp(a, b, SIZE_MAX);
}

HERE char *strchr(const char *s, int c) {
    for (; *s != (char)c; s++)
        if (!*s)
            return NULL;
    return (char *)(uintptr_t)s;
}

HERE char *strrchr(const char *s, int c) {
    const char *found = NULL;
    do
        if (*s == (char)c)
            found = s;
    while (*s++);
    return (char *)(uintptr_t)found;
}

HERE size_t strspn(const char *s, const char *accept) {
    size_t n = 0;
    while (s[n] && strchr(accept, s[n]))
        n++;
    return n;
}

HERE size_t strcspn(const char *s, const char *reject) {
    size_t n = 0;
    while (s[n] && !strchr(reject, s[n]))
        n++;
    return n;
}

HERE char *strstr(const char *s, const char *wanted) {
    size_t n = strlen(wanted);
    for (; *s && strncmp(s, wanted, n) != 0; s++)
        ;
    return *s || !n ? (char *)(uintptr_t)s : NULL;
}
// NOLINTEND(performance-no-int-to-ptr)
