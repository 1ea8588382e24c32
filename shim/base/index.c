#include "base/index.h"

#include <stdatomic.h>
#include <string.h>

struct index_entry {
    struct index_entry *next;
    uint32_t hash, words;
    uint64_t key[]; /* and the value behind it */
};

static uint32_t hash_of(const uint64_t *key, size_t words) {
    uint64_t h = words ^ UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = 0; i < words; i++) {
        h = (h ^ key[i]) * UINT64_C(0xff51afd7ed558ccd);
        h ^= h >> 32;
    }
    return (uint32_t)h;
}

static bool same(const uint64_t *a, const uint64_t *b, size_t words) {
    for (size_t i = 0; i < words; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

/* In the chain from e on, as far as `end`. */
static const struct index_entry *scan(const struct index_entry *e, const struct index_entry *end,
                                      const uint64_t *key, size_t words, uint32_t hash) {
    for (; e != end; e = e->next)
        if (e->hash == hash && e->words == words && same(e->key, key, words))
            return e;
    return NULL;
}

static void *value_of(const struct index_entry *e) {
    return (void *)(uintptr_t)&e->key[e->words]; // NOLINT(performance-no-int-to-ptr)
}

void *index_value(struct index *x, const uint64_t *key, size_t words) {
    uint32_t hash = hash_of(key, words);
    const struct index_entry *head =
        atomic_load_explicit(&x->chain[hash % INDEX_CHAINS], memory_order_acquire);
    const struct index_entry *e = scan(head, NULL, key, words, hash);
    return e ? value_of(e) : NULL;
}

void *index_keep(struct index *x, const uint64_t *key, size_t words, const void *value,
                 size_t size) {
    uint32_t hash = hash_of(key, words);
    struct index_entry *_Atomic *chain = &x->chain[hash % INDEX_CHAINS];
    struct index_entry *mine = arena_alloc(&x->arena, sizeof *mine + words * sizeof *key + size);
    if (!mine)
        return NULL;
    mine->hash = hash;
    mine->words = (uint32_t)words;
    memcpy(mine->key, key, words * sizeof *key);
    memcpy(value_of(mine), value, size);
    struct index_entry *head = atomic_load_explicit(chain, memory_order_acquire), *seen = NULL;
    do {
        const struct index_entry *theirs = scan(head, seen, key, words, hash);
        if (theirs)
            return value_of(theirs);
        seen = mine->next = head;
    } while (!atomic_compare_exchange_weak_explicit(chain, &head, mine, memory_order_release,
                                                    memory_order_acquire));
    return value_of(mine);
}

uint32_t index_find(struct index *x, const uint64_t *key, size_t words) {
    const uint32_t *number = index_value(x, key, words);
    return number ? *number : INDEX_NONE;
}

uint32_t index_add(struct index *x, const uint64_t *key, size_t words, uint32_t number) {
    const uint32_t *kept = index_keep(x, key, words, &number, sizeof number);
    return kept ? *kept : number;
}

size_t index_text_key(uint64_t *key, size_t room, const char *text, size_t n) {
    size_t words = (n + sizeof *key - 1) / sizeof *key;
    if (!n || words > room)
        return 0;
    key[words - 1] = 0;
    memcpy(key, text, n);
    return words;
}
