/* .gnu_debugdata through somebody else's liblzma.
 *
 * We do not link liblzma: the program may not have it, and most reports never need it. libunwind
 * brings it along nearly everywhere, so the owner looks the one function that we need up at start
 * and hands it in. Its types are declared here, as much of them as we use; they are part of
 * liblzma's stable ABI (lzma/base.h, lzma/container.h).
 *
 * liblzma itself takes no lock and keeps no state outside what it allocates, so with an allocator
 * over plain mappings it may run in a signal handler. */
#include "stack/debugdata.h"

#include "base/mem.h"
#include "base/sys.h"
#include "stack/names.h"

enum {
    XZ_OK = 0,
    XZ_BUF_ERROR = 10, /* the output buffer was too small */
    HEADER = 64,       /* in front of each block: its size; keeps liblzma's alignment */
    OUTPUT_MIN = 64 << 10,
    OUTPUT_MAX = 64 << 20,
    MEMORY_MAX = 128 << 20, /* xz -9 needs 65 MiB; a hostile header may ask for 4 GiB */
    GUESS = 16,             /* output per input, first try */
};

struct xz_allocator {
    void *(*alloc)(void *opaque, size_t count, size_t size);
    void (*free)(void *opaque, void *p);
    void *opaque;
};

typedef int xz_decode(uint64_t *memlimit, uint32_t flags, const struct xz_allocator *allocator,
                      const uint8_t *in, size_t *in_pos, size_t in_size, uint8_t *out,
                      size_t *out_pos, size_t out_size);

static xz_decode *decode;

void names_set_xz(void *lzma_stream_buffer_decode_fn) {
    __atomic_store_n(&decode, (xz_decode *)lzma_stream_buffer_decode_fn, __ATOMIC_RELEASE);
}

static void *block_alloc(void *opaque, size_t count, size_t size) {
    (void)opaque;
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > MEMORY_MAX)
        return NULL;
    bytes += HEADER;
    char *p = mem_map(bytes);
    if (!p)
        return NULL;
    *(size_t *)(void *)p = bytes;
    return p + HEADER;
}

static void block_free(void *opaque, void *p) {
    (void)opaque;
    if (!p)
        return;
    char *block = (char *)p - HEADER;
    mem_unmap(block, *(size_t *)(void *)block);
}

static int unpack_into(xz_decode *fn, const uint8_t *xz, size_t size, uint8_t *out, size_t cap) {
    static const struct xz_allocator allocator = {.alloc = block_alloc, .free = block_free};
    uint64_t memlimit = MEMORY_MAX;
    size_t in_pos = 0, out_pos = 0;
    return fn(&memlimit, 0, &allocator, xz, &in_pos, size, out, &out_pos, cap);
}

static size_t first_guess(size_t size) {
    if (size > OUTPUT_MAX / GUESS)
        return OUTPUT_MAX;
    return size < OUTPUT_MIN / GUESS ? OUTPUT_MIN : size * GUESS;
}

uint8_t *debugdata_unpack(const uint8_t *xz, size_t size, size_t *mapped) {
    xz_decode *fn = __atomic_load_n(&decode, __ATOMIC_ACQUIRE);
    if (!fn)
        return NULL;
    int ret = XZ_BUF_ERROR;
    for (size_t cap = first_guess(size); ret == XZ_BUF_ERROR;) {
        uint8_t *out = mem_map(cap);
        if (!out)
            return NULL;
        ret = unpack_into(fn, xz, size, out, cap);
        if (ret == XZ_OK) {
            *mapped = cap;
            return out;
        }
        mem_unmap(out, cap);
        if (cap == OUTPUT_MAX)
            return NULL;
        cap = cap > OUTPUT_MAX / 2 ? OUTPUT_MAX : cap * 2;
    }
    return NULL;
}
