#include "conn/fdtable.h"

#include <string.h>

#include "base/mem.h"

union live_fd_table fd_table;

/* The same pages, in memory that a forked child keeps: where it learns what it inherited. */
static struct fd_page *_Atomic kept[FD_PAGES];

static struct fd_page *page_add(unsigned p) {
    struct fd_page *page = mem_map(sizeof *page), *other = NULL;
    if (!page)
        return NULL;
    if (!atomic_compare_exchange_strong(&fd_table.v.page[p], &other, page)) {
        mem_unmap(page, sizeof *page);
        return other;
    }
    atomic_store(&kept[p], page);
    return page;
}

static _Atomic uint64_t *slot_at(int fd, bool add) {
    unsigned p = (unsigned)fd / FD_PAGE;
    if (p >= FD_PAGES)
        return NULL;
    struct fd_page *page = atomic_load_explicit(&fd_table.v.page[p], memory_order_acquire);
    if (!page && add)
        page = page_add(p);
    return page ? &page->slot[(unsigned)fd % FD_PAGE] : NULL;
}

void fd_table_reserve(unsigned n) {
    for (unsigned fd = 0; fd < n; fd += FD_PAGE)
        slot_at((int)fd, true);
}

struct fd_closed *fd_closed_note(int fd) {
    unsigned p = (unsigned)fd / FD_PAGE;
    struct fd_page *page = p < FD_PAGES ? atomic_load(&fd_table.v.page[p]) : NULL;
    return page ? &page->closed[(unsigned)fd % FD_PAGE] : NULL;
}

void fd_closed_clear(unsigned first, unsigned last) {
    for (unsigned fd = first; fd <= last && fd < FD_MAX; fd++) {
        struct fd_closed *c = fd_closed_note((int)fd);
        if (c)
            atomic_store_explicit(&c->what, 0, memory_order_relaxed);
        else
            fd |= FD_PAGE - 1;
    }
}

uint64_t fd_put(int fd, uint64_t slot, bool *ok) {
    _Atomic uint64_t *s = slot_at(fd, slot != FD_NONE);
    *ok = s || slot == FD_NONE;
    return s ? atomic_exchange_explicit(s, slot, memory_order_acq_rel) : FD_NONE;
}

uint64_t fd_take(int fd) {
    _Atomic uint64_t *s = slot_at(fd, false);
    if (!s || !atomic_load_explicit(s, memory_order_relaxed))
        return FD_NONE;
    return atomic_exchange_explicit(s, FD_NONE, memory_order_acq_rel);
}

bool fd_change(int fd, uint64_t slot, uint64_t to) {
    _Atomic uint64_t *s = slot_at(fd, false);
    return s && atomic_compare_exchange_strong(s, &slot, to);
}

bool fd_take_if(int fd, uint64_t slot) {
    return fd_change(fd, slot, FD_NONE);
}

bool fd_put_back(int fd, uint64_t slot) {
    _Atomic uint64_t *s = slot_at(fd, false);
    uint64_t empty = FD_NONE;
    return !s || atomic_compare_exchange_strong(s, &empty, slot);
}

void fd_each(unsigned first, unsigned last, void (*visit)(int, uint64_t, void *), void *arg) {
    for (unsigned fd = first; fd <= last && fd < FD_MAX; fd++) {
        struct fd_page *page =
            atomic_load_explicit(&fd_table.v.page[fd / FD_PAGE], memory_order_acquire);
        if (!page) {
            fd |= FD_PAGE - 1; /* the rest of the page is empty too */
            continue;
        }
        uint64_t slot = atomic_load_explicit(&page->slot[fd % FD_PAGE], memory_order_acquire);
        if (slot)
            visit((int)fd, slot, arg);
    }
}

void fd_table_inherit(uint64_t (*visit)(int, uint64_t, void *), void *arg) {
    for (unsigned p = 0; p < FD_PAGES; p++) {
        struct fd_page *page = atomic_load(&kept[p]);
        if (!page)
            continue;
        memset(page->closed, 0, sizeof page->closed); /* the parent's history, not the child's */
        for (unsigned i = 0; i < FD_PAGE; i++) {
            uint64_t slot = atomic_load(&page->slot[i]);
            uint64_t own = slot_is_conn(slot) ? visit((int)(p * FD_PAGE + i), slot, arg) : FD_NONE;
            if (slot)
                atomic_store(&page->slot[i], own);
        }
        atomic_store(&fd_table.v.page[p], page);
    }
}
