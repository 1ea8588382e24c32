#include "state/view.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/sys.h"

void view_own(struct view *v, const struct box *b) {
    memset(v, 0, sizeof *v);
    v->header = b->header;
    v->modules = b->modules;
    v->names = b->names;
    v->hosts = b->hosts;
    v->stacks = b->stacks;
    v->sites = b->sites;
    v->conns = b->conns;
    v->tls = b->tls;
    v->http = b->http;
    v->uses = b->uses;
    v->double_closes = b->double_closes;
    for (int i = 0; i < REGION_COUNT; i++)
        v->count[i] = atomic_load_explicit(&b->header->region[i].count, memory_order_acquire);
}

/* --- copying -------------------------------------------------------------------------------- */

/* False when the file did not have all of it. */
static bool read_all(int fd, void *to, size_t n, uint64_t at) {
    char *p = to;
    while (n > 0) {
        long r = sys(SYS_pread64, fd, p, n, at);
        if (r == -EINTR)
            continue;
        if (r <= 0)
            return false;
        p += r;
        n -= (size_t)r;
        at += (uint64_t)r;
    }
    return true;
}

static const struct { uint32_t record_size, max; } shape[REGION_COUNT] = BOX_SHAPE;

static size_t room(uint32_t count, int region) {
    return ((size_t)count * shape[region].record_size + 63) & ~(size_t)63;
}

/* How many records of a region the file can hold at most; false when its place contradicts the
 * file's size. */
static bool count_of(const struct box_region *r, int i, uint64_t file_size, uint32_t *count) {
    uint32_t n = atomic_load_explicit(&r->count, memory_order_relaxed);
    if (r->record_size != shape[i].record_size || r->capacity > shape[i].max || n > r->capacity ||
        r->offset > file_size || (uint64_t)n * r->record_size > file_size - r->offset)
        return false;
    *count = n;
    return true;
}

static enum view_error check_header(const struct box_header *h, uint64_t file_size,
                                    uint32_t count[REGION_COUNT]) {
    static const char unwritten[sizeof h->magic];
    if (file_size > sizeof *h && memcmp(h->magic, unwritten, sizeof unwritten) == 0)
        return VIEW_UNFINISHED;
    if (memcmp(h->magic, BOX_MAGIC, sizeof h->magic) != 0)
        return VIEW_NOT_A_BOX;
    if (h->version != BOX_VERSION || h->header_size != sizeof *h)
        return VIEW_OTHER_VERSION;
    if (h->file_size != file_size || h->pid <= 0)
        return VIEW_GARBLED;
    for (int i = 0; i < REGION_COUNT; i++)
        if (!count_of(&h->region[i], i, file_size, &count[i]))
            return VIEW_GARBLED;
    return VIEW_OK;
}

static void end_texts(struct box_header *h, void *const start[REGION_COUNT],
                      const uint32_t count[REGION_COUNT]) {
    struct box_module *modules = start[REGION_MODULES];
    struct box_name *names = start[REGION_NAMES];
    struct box_use *uses = start[REGION_USES];
    h->program[sizeof h->program - 1] = '\0';
    h->suppressions[sizeof h->suppressions - 1] = '\0';
    for (uint32_t i = 0; i < count[REGION_NAMES]; i++)
        names[i].text[sizeof names[i].text - 1] = '\0';
    for (uint32_t i = 0; i < count[REGION_USES]; i++)
        uses[i].undrained_path[sizeof uses[i].undrained_path - 1] = '\0';
    for (uint32_t i = 0; i < count[REGION_MODULES]; i++) {
        modules[i].path[sizeof modules[i].path - 1] = '\0';
        if (modules[i].build_id_size > sizeof modules[i].build_id)
            modules[i].build_id_size = 0;
    }
}

/* Is it one life in both copies? The number says so for the time of the copying; what does not
 * change in a life must be the same too, for within a copy the bytes come in no certain order. */
static bool is_same_conn(const void *first, const void *second) {
    const struct box_conn *a = first, *b = second;
    return a->id == b->id && a->inode == b->inode && a->opened == b->opened &&
           addr_equal(&a->peer, &b->peer);
}

static bool is_same_tls(const void *first, const void *second) {
    const struct box_tls *a = first, *b = second;
    return a->conn == b->conn && a->opened == b->opened;
}

static bool is_same_http(const void *first, const void *second) {
    const struct box_http *a = first, *b = second;
    return a->conn == b->conn;
}

static bool (*const is_same[REGION_COUNT])(const void *, const void *) = {
    [REGION_CONNS] = is_same_conn,
    [REGION_TLS] = is_same_tls,
    [REGION_HTTP] = is_same_http,
};

/* A record that changed lives between the two copies, or was being written, is no record. */
static void keep_steady(int region, void *first, const void *second, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        size_t at = (size_t)i * shape[region].record_size;
        struct box_life *a = (void *)((char *)first + at);
        const struct box_life *b = (const void *)((const char *)second + at);
        uint32_t seq = atomic_load_explicit(&a->seq, memory_order_relaxed);
        if (seq != atomic_load_explicit(&b->seq, memory_order_relaxed) || !is_same[region](a, b))
            atomic_store_explicit(&a->seq, seq | 1, memory_order_relaxed);
    }
}

static bool copy_region(int fd, const struct box_region *r, int region, void *to, uint32_t n) {
    size_t size = (size_t)n * shape[region].record_size;
    if (!is_same[region] || !n)
        return read_all(fd, to, size, r->offset);
    void *second = mem_map(size);
    bool ok = second && read_all(fd, to, size, r->offset) && read_all(fd, second, size, r->offset);
    if (ok)
        keep_steady(region, to, second, n);
    mem_unmap(second, size);
    return ok;
}

static enum view_error copy_regions(struct view *v, int fd, struct box_header *h) {
    char *at = (char *)h + sizeof *h;
    void *start[REGION_COUNT];
    for (int i = 0; i < REGION_COUNT; i++) {
        start[i] = at;
        at += room(v->count[i], i);
        if (!copy_region(fd, &h->region[i], i, start[i], v->count[i]))
            return VIEW_UNREADABLE;
    }
    v->header = h;
    v->modules = start[REGION_MODULES];
    v->names = start[REGION_NAMES];
    v->hosts = start[REGION_HOSTS];
    v->stacks = start[REGION_STACKS];
    v->sites = start[REGION_SITES];
    v->conns = start[REGION_CONNS];
    v->tls = start[REGION_TLS];
    v->http = start[REGION_HTTP];
    v->uses = start[REGION_USES];
    v->double_closes = start[REGION_DOUBLE_CLOSES];
    end_texts(h, start, v->count);
    return VIEW_OK;
}

enum view_error view_read(struct view *v, int fd) {
    struct box_header h;
    struct stat st;
    memset(v, 0, sizeof *v);
    if (sys(SYS_fstat, fd, &st) != 0 || !S_ISREG(st.st_mode) || !read_all(fd, &h, sizeof h, 0))
        return VIEW_NOT_A_BOX;
    enum view_error e = check_header(&h, (uint64_t)st.st_size, v->count);
    if (e != VIEW_OK)
        return e;
    v->copy_size = sizeof h + 64;
    for (int i = 0; i < REGION_COUNT; i++)
        v->copy_size += room(v->count[i], i);
    v->copy = mem_map(v->copy_size);
    if (!v->copy)
        return VIEW_UNREADABLE;
    /* The records want cache line alignment; the header's size need not be a multiple of it. */
    struct box_header *copy = (void *)((char *)v->copy + (64 - sizeof h % 64) % 64);
    memcpy(copy, &h, sizeof h);
    e = copy_regions(v, fd, copy);
    if (e != VIEW_OK)
        view_free(v);
    return e;
}

void view_free(struct view *v) {
    mem_unmap(v->copy, v->copy_size);
    memset(v, 0, sizeof *v);
}

const char *view_error_text(enum view_error e) {
    static const char *const text[] = {
        [VIEW_OK] = "ok",
        [VIEW_UNFINISHED] = "a state file whose process is setting it up, or ended while it did",
        [VIEW_NOT_A_BOX] = "not a poolguard state file",
        [VIEW_OTHER_VERSION] =
            ("a state file of another version of poolguard: use the command that came with the "
             "library"),
        [VIEW_GARBLED] = "a damaged state file: its header contradicts its size",
        [VIEW_UNREADABLE] = "a state file that can not be read to its end",
    };
    return text[e];
}

/* --- looking -------------------------------------------------------------------------------- */

static bool is_ready(const _Atomic uint32_t *ready) {
    return atomic_load_explicit(ready, memory_order_acquire) == 1;
}

const struct box_module *view_module(const struct view *v, uint32_t i) {
    return i < v->count[REGION_MODULES] && is_ready(&v->modules[i].ready) ? &v->modules[i] : NULL;
}

const struct box_name *view_name(const struct view *v, uint32_t i) {
    return i < v->count[REGION_NAMES] && is_ready(&v->names[i].ready) ? &v->names[i] : NULL;
}

const struct box_host *view_host(const struct view *v, uint32_t i) {
    return i < v->count[REGION_HOSTS] && is_ready(&v->hosts[i].ready) ? &v->hosts[i] : NULL;
}

const struct box_stack *view_stack(const struct view *v, uint32_t i) {
    return i < v->count[REGION_STACKS] && is_ready(&v->stacks[i].ready) ? &v->stacks[i] : NULL;
}

const struct box_site *view_site(const struct view *v, uint32_t i) {
    return i < v->count[REGION_SITES] && is_ready(&v->sites[i].ready) ? &v->sites[i] : NULL;
}

const struct box_conn *view_conn(const struct view *v, uint32_t i) {
    return i < v->count[REGION_CONNS] ? &v->conns[i] : NULL;
}

const struct box_tls *view_tls(const struct view *v, uint32_t i) {
    return i < v->count[REGION_TLS] ? &v->tls[i] : NULL;
}

const struct box_http *view_http(const struct view *v, uint32_t i) {
    return i < v->count[REGION_HTTP] ? &v->http[i] : NULL;
}

const struct box_use *view_use(const struct view *v, uint32_t i) {
    return i < v->count[REGION_USES] && is_ready(&v->uses[i].ready) ? &v->uses[i] : NULL;
}

const struct box_double_close *view_double_close(const struct view *v, uint32_t i) {
    return i < v->count[REGION_DOUBLE_CLOSES] && is_ready(&v->double_closes[i].ready)
               ? &v->double_closes[i]
               : NULL;
}

uint32_t view_depth(const struct box_stack *s) {
    return s->depth < BOX_FRAMES_MAX ? s->depth : BOX_FRAMES_MAX;
}

const struct box_module *view_frame(const struct view *v, uint64_t frame, uint64_t *address) {
    uint64_t module = frame >> FRAME_MODULE_SHIFT;
    *address = frame & FRAME_ADDRESS_MASK;
    return module ? view_module(v, (uint32_t)module - 1) : NULL;
}
