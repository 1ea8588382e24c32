/* The file is created with its full size, sparse, and mapped without access rights. A region gets
 * rights and memory chunk by chunk as records are handed out: a full /dev/shm then shows as a
 * failed system call here and not as SIGBUS in the middle of the program, an address space limit or
 * a core dump never sees memory that is not used, and mlockall() has nothing to lock. */
#include "state/box.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/lock.h"
#include "base/out.h"
#include "state/place.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum { CHUNK_MIN = 16 << 10, CHUNK_MAX = 1 << 20 };

static const struct { uint32_t record_size, capacity; } region_shape[REGION_COUNT] = BOX_SHAPE;

/* Bytes of each region that have memory behind them. The process's own: not in the file. */
static struct {
    struct lock lock;
    _Atomic uint64_t backed[REGION_COUNT];
} growth;

static char file_path[PLACE_MAX];

static uint64_t page_up(uint64_t n) {
    return (n + PAGE_LARGEST - 1) & ~(uint64_t)(PAGE_LARGEST - 1);
}

/* Fills in the regions, their capacities divided by 2^shift; returns the file's size. */
static uint64_t lay_out(struct box_region region[REGION_COUNT], unsigned shift) {
    uint64_t at = PAGE_LARGEST;
    for (int i = 0; i < REGION_COUNT; i++) {
        region[i].offset = at;
        region[i].record_size = region_shape[i].record_size;
        region[i].capacity = region_shape[i].capacity >> shift;
        at += page_up((uint64_t)region[i].record_size * region[i].capacity);
    }
    return at;
}

static uint64_t limit_of(int resource) {
    struct rlimit l;
    if (sys(SYS_prlimit64, 0, resource, NULL, &l) != 0 || l.rlim_cur == RLIM_INFINITY)
        return UINT64_MAX;
    return l.rlim_cur;
}

/* The largest layout that takes no more than an eighth of the program's address space and no more
 * than `most`, or the smallest there is. */
static uint64_t lay_out_within(struct box_region region[REGION_COUNT], uint64_t most) {
    uint64_t space = limit_of(RLIMIT_AS) / 8;
    uint64_t limit = space < most ? space : most;
    uint64_t size = 0;
    for (unsigned shift = 0; shift <= 10; shift++) {
        size = lay_out(region, shift);
        if (size <= limit)
            break;
    }
    return size;
}

static long map(uint64_t size, int flags, int fd) {
    long p = sys(SYS_mmap, 0, size, PROT_NONE, flags | MAP_NORESERVE, fd, 0);
    return p < 0 && p > -4096 ? 0 : p;
}

/* A new file of that size in the directory: a descriptor or a negative errno. A file of an earlier
 * process with our pid gives way. */
static int file_create(const char *directory, uint32_t uid, bool by_default, uint64_t ns,
                       uint64_t size) {
    int dir = place_open(directory, uid, by_default);
    if (dir < 0)
        return dir;
    place_sweep(dir, ns);
    place_file(file_path, directory, (int)sys(SYS_getpid), ns);
    const char *name = file_path + strlen(directory) + 1;
    sys(SYS_unlinkat, dir, name, 0);
    int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    int fd = (int)sys(SYS_openat, dir, name, flags, 0600);
    long r = fd;
    if (fd >= 0 && (r = sys(SYS_ftruncate, fd, size)) < 0) {
        sys(SYS_unlinkat, dir, name, 0);
        sys(SYS_close, fd);
    }
    sys(SYS_close, dir);
    return r < 0 ? (int)r : fd;
}

static void complain_no_file(const char *directory, int error, void (*complain)(const char *)) {
    char line[PLACE_MAX + 160];
    struct out o;
    out_init(&o, -1, line, sizeof line - 1);
    out_strs(&o, directory, ": no state file (", NULL);
    out_str(&o, error == -EPERM ? "not a directory of this user's alone" : strerrordesc_np(-error));
    out_str(&o, "); `poolguard report` can not read this process, signals and exit work");
    line[o.len] = '\0';
    complain(line);
}

/* A file mapped for the box: 0 and a negative errno when none is to be had. Growing a file past
 * RLIMIT_FSIZE raises SIGXFSZ: that is not tried. */
static long map_file(const char *directory, bool by_default, uint64_t ns,
                     struct box_region region[REGION_COUNT], uint64_t *size, int *error) {
    uint64_t most = limit_of(RLIMIT_FSIZE);
    *size = lay_out_within(region, most);
    *error = -EFBIG;
    if (*size > most)
        return 0;
    int fd = file_create(directory, (uint32_t)sys(SYS_geteuid), by_default, ns, *size);
    *error = fd;
    if (fd < 0)
        return 0;
    long p = map(*size, MAP_SHARED, fd);
    sys(SYS_close, fd);
    if (!p)
        sys(SYS_unlinkat, AT_FDCWD, file_path, 0);
    *error = -ENOMEM;
    return p;
}

static long map_privately(struct box_region region[REGION_COUNT], uint64_t *size) {
    *size = lay_out_within(region, UINT64_MAX);
    long p = map(*size, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    if (p)
        sys(SYS_madvise, p, *size, MADV_DONTDUMP);
    return p;
}

/* The mapping for the box: of a file where one can be had, else anonymous; 0: neither. */
static long map_somewhere(struct box *b, const struct box_setup *s, uint64_t ns,
                          struct box_region region[REGION_COUNT], uint64_t *size,
                          void (*complain)(const char *)) {
    enum { FILE_NAME_ROOM = 48 };
    char directory[PLACE_MAX];
    int error = -ENAMETOOLONG;
    long p = 0;
    if (strcmp(s->state_dir, "off") != 0) {
        place_directory(directory, s->state_dir, (uint32_t)sys(SYS_geteuid));
        if (strlen(directory) < PLACE_MAX - FILE_NAME_ROOM)
            p = map_file(directory, !*s->state_dir, ns, region, size, &error);
        if (!p)
            complain_no_file(directory, error, complain);
    }
    b->is_file = p != 0;
    return p ? p : map_privately(region, size);
}

/* Rights and memory for n bytes of the mapping at p. Kernels before 5.14 cannot be asked for memory
 * in advance: there the pages come at first use, as in any program that maps a shared file. */
static bool back_by_file(char *p, uint64_t n) {
    if (sys(SYS_mprotect, p, n, PROT_READ | PROT_WRITE) != 0)
        return false;
    long r = sys(SYS_madvise, p, n, MADV_POPULATE_WRITE);
    return r == 0 || r == -EINVAL;
}

/* The same from private memory, in place of the file's. */
static bool back_privately(char *p, uint64_t n) {
    long q =
        sys(SYS_mmap, p, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    return q >= 0 || q <= -4096;
}

static bool back(const struct box *b, uint64_t from, uint64_t to) {
    char *p = (char *)b->header + from;
    if (back_by_file(p, to - from))
        return true;
    /* The file system is full. Private memory instead: everything but reading from outside works.
     */
    if (!back_privately(p, to - from))
        return false;
    atomic_fetch_or(&b->header->flags, BOX_PARTLY_PRIVATE);
    return true;
}

/* The least that a region grows by: whole pages of this kernel. */
static uint64_t chunk_min(void) {
    uint64_t page = getauxval(AT_PAGESZ);
    return page > CHUNK_MIN ? page : CHUNK_MIN;
}

/* Grows region i until `bytes` of it are backed. */
static bool grow(const struct box *b, int i, uint64_t bytes) {
    uint64_t signals;
    if (!lock_take(&growth.lock, thread_id(b->header->pid), &signals))
        return false;
    const struct box_region *r = &b->header->region[i];
    uint64_t have = atomic_load(&growth.backed[i]);
    uint64_t all = page_up((uint64_t)r->record_size * r->capacity);
    bool ok = true;
    if (have < bytes) {
        uint64_t least = chunk_min(), chunk = have / 4 < least ? least : page_up(have / 4);
        uint64_t want = have + (chunk < CHUNK_MAX ? chunk : CHUNK_MAX);
        want = want < bytes ? page_up(bytes) : want;
        want = want < all ? want : all;
        ok = back(b, r->offset + have, r->offset + want);
        if (ok)
            atomic_store_explicit(&growth.backed[i], want, memory_order_release);
    }
    lock_drop(&growth.lock, &signals);
    return ok;
}

static bool backed(const struct box *b, int i, uint32_t records) {
    uint64_t bytes = (uint64_t)records * b->header->region[i].record_size;
    return likely(bytes <= atomic_load_explicit(&growth.backed[i], memory_order_acquire)) ||
           (!thread_quiet && grow(b, i, bytes));
}

static void copy_text(char *to, size_t size, const char *from) {
    size_t n = strlen(from);
    n = n < size ? n : size - 1;
    memcpy(to, from, n);
    to[n] = '\0';
}

static void fill_header(struct box_header *h, const struct box_setup *s, uint64_t size,
                        uint64_t ns) {
    h->version = BOX_VERSION;
    h->header_size = sizeof *h;
    h->file_size = size;
    h->pid = (int32_t)sys(SYS_getpid);
    h->parent_pid = (int32_t)sys(SYS_getppid);
    h->uid = (uint32_t)sys(SYS_getuid);
    h->pid_namespace = ns;
    h->created_real = clock_ns(CLOCK_REALTIME);
    h->created = clock_ns(CLOCK_MONOTONIC);
    h->leak_after = s->leak_after;
    h->churn_within = s->churn_within;
    h->churn_min = s->churn_min;
    h->undrained_min = s->undrained_min;
    h->mismatch_min = s->mismatch_min;
    h->exhausted_stack = BOX_NONE;
    copy_text(h->program, sizeof h->program, s->program);
    copy_text(h->suppressions, sizeof h->suppressions, s->suppressions);
}

bool box_create(struct box *b, const struct box_setup *s, void (*complain)(const char *)) {
    struct box_region region[REGION_COUNT];
    memset(region, 0, sizeof region);
    memset(&growth, 0, sizeof growth);
    memset(b, 0, sizeof *b);
    uint64_t size, ns = place_pid_namespace();
    long base = map_somewhere(b, s, ns, region, &size, complain);
    if (!base)
        return false;
    char *p = (char *)base; // NOLINT(performance-no-int-to-ptr): the kernel's answer is an address
    b->header = (struct box_header *)(void *)p;
    if (!back_by_file(p, sizeof *b->header)) {
        if (b->is_file) {
            sys(SYS_unlinkat, AT_FDCWD, file_path, 0);
            complain_no_file(file_path, -ENOSPC, complain);
        }
        b->is_file = false;
        if (!back_privately(p, sizeof *b->header)) {
            sys(SYS_munmap, p, size);
            return false;
        }
    }
    memcpy(b->header->region, region, sizeof region);
    b->modules = (struct box_module *)(void *)(p + region[REGION_MODULES].offset);
    b->names = (struct box_name *)(void *)(p + region[REGION_NAMES].offset);
    b->hosts = (struct box_host *)(void *)(p + region[REGION_HOSTS].offset);
    b->stacks = (struct box_stack *)(void *)(p + region[REGION_STACKS].offset);
    b->sites = (struct box_site *)(void *)(p + region[REGION_SITES].offset);
    b->conns = (struct box_conn *)(void *)(p + region[REGION_CONNS].offset);
    b->tls = (struct box_tls *)(void *)(p + region[REGION_TLS].offset);
    b->http = (struct box_http *)(void *)(p + region[REGION_HTTP].offset);
    b->uses = (struct box_use *)(void *)(p + region[REGION_USES].offset);
    b->double_closes = (struct box_double_close *)(void *)(p + region[REGION_DOUBLE_CLOSES].offset);
    fill_header(b->header, s, size, ns);
    /* The magic last: a reader that comes meanwhile sees no state file yet. */
    atomic_thread_fence(memory_order_release);
    memcpy(b->header->magic, BOX_MAGIC, sizeof b->header->magic);
    return true;
}

uint32_t box_record(struct box *b, unsigned region) {
    struct box_region *r = &b->header->region[region];
    uint32_t i = atomic_load_explicit(&r->count, memory_order_relaxed);
    do {
        if (i >= r->capacity || !backed(b, (int)region, i + 1)) {
            atomic_fetch_add_explicit(&r->dropped, 1, memory_order_relaxed);
            return BOX_NONE;
        }
    } while (!atomic_compare_exchange_weak(&r->count, &i, i + 1));
    return i;
}

void box_reserve(struct box *b, uint32_t n) {
    for (int i = 0; i < REGION_COUNT; i++) {
        uint32_t capacity = b->header->region[i].capacity;
        backed(b, i, n < capacity ? n : capacity);
    }
}

void box_unlink(const struct box *b) {
    if (b->is_file)
        sys(SYS_unlinkat, AT_FDCWD, file_path, 0);
}

void box_unmap(struct box *b) {
    if (b->header)
        sys(SYS_munmap, b->header, b->header->file_size);
    memset(b, 0, sizeof *b);
}
