#include "base/sort.h"

struct heap {
    char *base;
    size_t size;
    bool (*before)(const void *, const void *);
};

static char *at(const struct heap *h, size_t i) {
    return h->base + i * h->size;
}

static void swap(const struct heap *h, size_t i, size_t k) {
    char *a = at(h, i), *b = at(h, k);
    for (size_t n = 0; n < h->size; n++) {
        char t = a[n];
        a[n] = b[n];
        b[n] = t;
    }
}

static void sift(const struct heap *h, size_t root, size_t n) {
    for (size_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && h->before(at(h, child), at(h, child + 1)))
            child++;
        if (!h->before(at(h, root), at(h, child)))
            return;
        swap(h, root, child);
    }
}

void sort_heap(void *base, size_t n, size_t size, bool (*before)(const void *, const void *)) {
    struct heap h = {base, size, before};
    for (size_t i = n / 2; i-- > 0;)
        sift(&h, i, n);
    for (size_t end = n; end-- > 1;) {
        swap(&h, 0, end);
        sift(&h, 0, end);
    }
}
