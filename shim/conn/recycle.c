#include "conn/recycle.h"

static struct box_life *life_of(unsigned region, uint32_t i) {
    const struct box_region *r = &mine.header->region[region];
    return (void *)((char *)mine.header + r->offset + (uint64_t)i * r->record_size);
}

uint32_t recycle_take(struct recycler *r, unsigned region) {
    uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);
    while ((uint32_t)head) {
        uint32_t i = (uint32_t)head - 1;
        struct box_life *l = life_of(region, i);
        uint32_t next = atomic_load_explicit(&l->next_free, memory_order_relaxed);
        uint64_t after = ((head >> 32) + 1) << 32 | next;
        if (atomic_compare_exchange_weak(&r->head, &head, after))
            return i;
    }
    return box_record(&mine, region);
}

void recycle_give(struct recycler *r, unsigned region, uint32_t i) {
    struct box_life *l = life_of(region, i);
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed), after;
    do {
        atomic_store_explicit(&l->next_free, (uint32_t)head, memory_order_relaxed);
        after = ((head >> 32) + 1) << 32 | (i + 1);
    } while (!atomic_compare_exchange_weak(&r->head, &head, after));
}

uint32_t life_count(struct box_life *l, uint32_t seq, int by) {
    uint64_t now = atomic_load(&l->word);
    do {
        if (now >> 32 != seq || (uint32_t)now == 0)
            return 0;
    } while (!atomic_compare_exchange_weak(&l->word, &now, now + (uint64_t)(int64_t)by));
    return (uint32_t)now;
}

uint32_t life_join(struct box_life *l, uint32_t seq, uint32_t bit) {
    uint64_t now = atomic_load(&l->word);
    do {
        if (now >> 32 != seq || (uint32_t)now == 0)
            return 0;
    } while (!(now & bit) && !atomic_compare_exchange_weak(&l->word, &now, now | bit));
    return (uint32_t)now;
}

uint32_t life_drop(struct box_life *l, uint32_t seq, uint32_t bit) {
    uint64_t now = atomic_load(&l->word);
    do {
        if (now >> 32 != seq || !(now & bit))
            return 0;
    } while (!atomic_compare_exchange_weak(&l->word, &now, now & ~(uint64_t)bit));
    return (uint32_t)now;
}
