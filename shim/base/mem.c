#include "base/mem.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/sys.h"

enum { ARENA_CHUNK = 64 << 10 };

static _Atomic bool refused;

void mem_refuse(bool on) {
    atomic_store(&refused, on);
}

void *mem_map(size_t size) {
    if (atomic_load_explicit(&refused, memory_order_relaxed))
        return NULL;
    long p = sys(SYS_mmap, 0, size, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p < 0 && p > -4096)
        return NULL;
    sys(SYS_madvise, p, size, MADV_DONTDUMP);
    return (void *)p; // NOLINT(performance-no-int-to-ptr): the kernel's answer is an address
}

void mem_unmap(void *p, size_t size) {
    if (p)
        sys(SYS_munmap, p, size);
}

void *arena_alloc(struct arena *a, size_t n) {
    n = (n + 15) & ~(size_t)15;
    if ((size_t)(a->end - a->next) < n) {
        size_t chunk = n > ARENA_CHUNK ? n : ARENA_CHUNK;
        char *p = mem_map(chunk);
        if (!p)
            return NULL;
        a->next = p;
        a->end = p + chunk;
    }
    char *p = a->next;
    a->next += n;
    return p;
}

char *arena_copy(struct arena *a, const char *s, size_t n) {
    char *p = arena_alloc(a, n + 1);
    if (p)
        memcpy(p, s, n);
    return p;
}
