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

struct arena_chunk {
    _Atomic size_t used;
    size_t size;
    _Alignas(16) char bytes[];
};

void *arena_alloc(struct arena *a, size_t n) {
    struct arena_chunk *c = atomic_load_explicit(&a->chunk, memory_order_acquire);
    n = (n + 15) & ~(size_t)15;
    for (;;) {
        if (c) {
            size_t at = atomic_fetch_add_explicit(&c->used, n, memory_order_relaxed);
            if (at <= c->size && n <= c->size - at)
                return c->bytes + at;
        }
        size_t all = sizeof *c + n > ARENA_CHUNK ? sizeof *c + n : ARENA_CHUNK;
        struct arena_chunk *fresh = mem_map(all);
        if (!fresh)
            return NULL;
        fresh->size = all - sizeof *c;
        atomic_store_explicit(&fresh->used, n, memory_order_relaxed);
        if (atomic_compare_exchange_strong(&a->chunk, &c, fresh))
            return fresh->bytes;
        mem_unmap(fresh, all);
    }
}

char *arena_copy(struct arena *a, const char *s, size_t n) {
    char *p = arena_alloc(a, n + 1);
    if (p)
        memcpy(p, s, n);
    return p;
}
