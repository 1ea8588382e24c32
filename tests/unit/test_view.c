/* The reader of state files, against files that are good, cut, of another version, hostile, and
 * changed at random: whatever the bytes are, a report of them is written or refused, and nothing
 * outside the copy is touched (run it under AddressSanitizer). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

#include "state/place.h"

#define NOW (1000 * SECOND)

enum { FILE_MAX = 64 << 10, MUTATIONS = 20000 };

/* A small valid state file, and one to spoil. */
static _Alignas(64) unsigned char good[FILE_MAX], file[FILE_MAX];
static size_t good_size, size;
static int fd = -1;
enum { ORPHANS = 2 }; /* TLS objects without a connection */

static struct box_header *header(void) {
    return (struct box_header *)(void *)file;
}

static struct box_conn *conn(uint32_t i) {
    return (struct box_conn *)(void *)(file + header()->region[REGION_CONNS].offset) + i;
}

static struct box_module *module(uint32_t i) {
    return (struct box_module *)(void *)(file + header()->region[REGION_MODULES].offset) + i;
}

/* Exchanges in every phase, uses of two sites with all that can be found, and retractions. */
static void speak_http(struct box *b, const uint32_t *site) {
    static const char get[] = "GET /a HTTP/1.1\r\nHost: a.test\r\n\r\n";
    static const char *const in[] = {
        "",
        "HTTP/1.1 2",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nKeep-Alive: timeout=5\r\n\r\nok",
        "HTTP/1.1 101 Switching\r\n\r\n",
        "garbage\r\n"};
    for (uint32_t i = 0; i < 10; i++)
        if (i % 4 != 3)
            synthetic_http(b, &b->conns[i], get, in[i % 6]);
    for (int i = 0; i < 2; i++) {
        struct box_use *u = synthetic_use(b, site[i]);
        u->conns = u->requests = 40;
        for (int end = 0; end < USE_ENDS; end++)
            u->ended[end] = 5;
        u->spared = 30;
        u->undrained = 3;
        u->undrained_left = u->undrained_read = 100;
        strcpy(u->undrained_path, "/big");
        u->idle_closed = 4;
        u->idle_least = SECOND;
        u->stale = 1;
        u->closing_stack = u->undrained_stack = 0;
        b->sites[site[i]].retracted = 2;
        b->sites[site[i]].quiet_longest = 40 * SECOND;
    }
    b->conns[1].reported = 7 * SECOND;
    b->conns[1].waits_since = SECOND;
    b->conns[1].used_in.stack = b->conns[1].used_out.stack = 1;
    b->conns[1].used_in.call = 3;
}

/* Three hosts, five stacks (one through a module that can be opened), a call site that leaks, one
 * that failed, one inbound, and connections of each. */
static void make_good(void) {
    struct box b;
    synthetic_box(&b);
    uint32_t m = synthetic_module(&b, "/lib/x86_64-linux-gnu/libdl.so.2");
    synthetic_module(&b, "/opt/gone.so");
    uint32_t api = synthetic_host(&b, "10.0.0.1:443", 30 * SECOND);
    uint32_t db = synthetic_host(&b, "10.0.0.2:5432", 60 * SECOND);
    uint32_t v6 = synthetic_host(&b, "[fe80::1%2]:80", 30 * SECOND);
    uint32_t cipher = synthetic_name(&b, "CIPHER");
    b.hosts[api].name = synthetic_name(&b, "api.test");
    atomic_store(&b.hosts[db].alias, synthetic_name(&b, "db.test"));
    uint64_t in_module = (uint64_t)(m + 1) << FRAME_MODULE_SHIFT | 0x1000;
    uint32_t s0 =
        synthetic_stack(&b, 3, in_module, in_module + (UINT64_C(1) << 48), (uint64_t)4096);
    uint32_t s1 = synthetic_stack(&b, 2, (uint64_t)0x1234, in_module + 16);
    synthetic_stack(&b, 0);
    uint32_t site[4] = {
        synthetic_site(&b, s0, api, CONN_OUTBOUND),
        synthetic_site(&b, s1, db, CONN_OUTBOUND),
        synthetic_site(&b, BOX_NONE, v6, CONN_OUTBOUND),
        synthetic_site(&b, s1, BOX_NONE, CONN_INBOUND),
    };
    for (uint32_t i = 0; i < 20; i++) {
        struct box_conn *c = synthetic_conn(&b, site[i % 4], i * 50 * SECOND);
        atomic_store(&c->bytes_in, i * 100);
        atomic_store(&c->bytes_out, i * 10);
        if (i % 5 == 0)
            atomic_store(&c->state, CONN_FAILED);
        if (i % 3 == 0) {
            struct box_tls *t = synthetic_tls(&b, c);
            atomic_store(&t->cipher, cipher);
            atomic_store(&t->freed, i % 2 * SECOND);
            atomic_store(&t->freeing_stack, s0);
            if (i % 4 == 0) {
                atomic_store(&c->tls, 0);
                atomic_store(&t->closed, SECOND);
                atomic_store(&t->life.holders, TLS_HELD_BY_OBJECT);
            }
        }
    }
    speak_http(&b, site);
    atomic_store(&b.header->exhausted, 2);
    atomic_store(&b.header->exhausted_errno, EMFILE);
    atomic_store(&b.header->exhausted_stack, s1);
    good_size = synthetic_file(&b, good, sizeof good);
    box_unmap(&b);
}

static int fresh(void **state) {
    (void)state;
    memcpy(file, good, good_size);
    size = good_size;
    return 0;
}

/* The file in memory as one that can be opened. */
static enum view_error read_it(struct view *v) {
    if (fd < 0)
        fd = memfd_create("state", MFD_CLOEXEC);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    assert_int_equal(pwrite(fd, file, size, 0), size);
    return view_read(v, fd);
}

static enum view_error verdict_on_it(void) {
    struct view v;
    enum view_error e = read_it(&v);
    if (e == VIEW_OK)
        view_free(&v);
    return e;
}

/* What a gatherer can find, in all its forms. */
static void gather(struct report *r, const struct view *v) {
    static const uint8_t tcp[] = {TCP_IS_ESTABLISHED, TCP_IS_CLOSE_WAIT, TCP_IS_CLOSE,
                                  TCP_UNKNOWN,        TCP_IS_SYN_SENT,   TCP_IS_FIN_WAIT2};
    synthetic_gather(r, v, NOW);
    for (uint32_t i = 0; i < r->facts.count; i++) {
        struct fact *x = &r->facts.fact[i];
        x->tcp = tcp[i % sizeof tcp];
        x->watched = i % 7 == 0;
        x->unread = i % 3 * 1000;
        x->silent_ms = i % 2 * 40000;
    }
}

/* A whole report of the view, in both formats. */
static const char *report_on(const struct view *v, bool at_exit, struct suppression *s) {
    struct report r = {
        .trigger = at_exit ? TRIGGER_EXIT : TRIGGER_SIGNAL, .ended = at_exit, .suppressions = s};
    gather(&r, v);
    assert_true(report_judge(&r));
    assert_non_null(strstr(synthetic_json(&r), "{\"schema\":\"poolguard.report/1\","));
    const char *text = synthetic_text(&r);
    assert_non_null(strstr(text, "\nSUMMARY: poolguard: "));
    report_free(&r);
    return text;
}

/* --- good files --------------------------------------------------------------------------------
 */

static void a_good_file_is_read_whole(void **state) {
    (void)state;
    struct view v;
    uint64_t address;
    assert_int_equal(read_it(&v), VIEW_OK);
    assert_int_equal(v.header->pid, 4211);
    assert_int_equal(v.count[REGION_MODULES], 2);
    assert_int_equal(v.count[REGION_HOSTS], 3);
    assert_int_equal(v.count[REGION_STACKS], 3);
    assert_int_equal(v.count[REGION_SITES], 4);
    assert_int_equal(v.count[REGION_CONNS], 20);
    assert_string_equal(view_module(&v, 1)->path, "/opt/gone.so");
    assert_int_equal(view_host(&v, 1)->addr.port, 5432);
    const struct box_stack *s = view_stack(&v, 0);
    assert_int_equal(view_depth(s), 3);
    assert_ptr_equal(view_frame(&v, s->frames[1], &address), view_module(&v, 1));
    assert_int_equal(address, 0x1000);
    assert_null(view_frame(&v, s->frames[2], &address));
    assert_int_equal(address, 4096);
    assert_int_equal(view_site(&v, 1)->host, 1);
    assert_int_equal(view_conn(&v, 19)->id, 20);
    assert_non_null(strstr(report_on(&v, false, NULL), "==4211== poolguard: demo: "));
    view_free(&v);
}

static void a_file_of_the_producers_own_is_read(void **state) {
    (void)state;
    char dir[64], path[PLACE_MAX];
    struct box b;
    struct view v;
    support_mkdir(dir);
    struct box_setup s = {.state_dir = dir, .program = "p", .suppressions = ""};
    assert_true(box_create(&b, &s, support_complain));
    uint32_t host = synthetic_host(&b, "10.0.0.1:1", SECOND);
    uint32_t site = synthetic_site(&b, BOX_NONE, host, CONN_OUTBOUND);
    for (uint32_t i = 0; i < 3000; i++)
        synthetic_conn(&b, site, i);
    place_file(path, dir, getpid(), place_pid_namespace());
    int f = open(path, O_RDONLY);
    assert_true(f >= 0);
    assert_int_equal(view_read(&v, f), VIEW_OK);
    assert_int_equal(v.count[REGION_CONNS], 3000);
    assert_memory_equal(v.conns, b.conns, 3000 * sizeof *b.conns);
    view_free(&v);
    view_own(&v, &b);
    assert_int_equal(v.count[REGION_CONNS], 3000);
    assert_ptr_equal(view_conn(&v, 2999), &b.conns[2999]);
    assert_null(view_conn(&v, 3000));
    close(f);
    box_unmap(&b);
    support_rmdir(dir);
}

/* The magic is written last (state/box.c). */
static void a_file_that_is_being_set_up_is_said_to_be_one(void **state) {
    (void)state;
    memset(header()->magic, 0, sizeof header()->magic);
    assert_int_equal(verdict_on_it(), VIEW_UNFINISHED);
    assert_non_null(strstr(view_error_text(VIEW_UNFINISHED), "setting it up"));
}

static void reading_changes_neither_the_file_nor_its_offset(void **state) {
    (void)state;
    static unsigned char again[FILE_MAX];
    assert_int_equal(verdict_on_it(), VIEW_OK);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
    assert_int_equal(pread(fd, again, sizeof again, 0), size);
    assert_memory_equal(again, good, size);
}

/* --- what is no record --------------------------------------------------------------------------
 */

static void a_record_caught_half_written_is_not_shown(void **state) {
    (void)state;
    struct view v;
    struct report r = {0};
    atomic_store(&conn(6)->life.seq, 3);
    assert_int_equal(read_it(&v), VIEW_OK);
    assert_int_equal(view_conn(&v, 6)->life.seq % 2, 1);
    synthetic_gather(&r, &v, NOW);
    assert_int_equal(r.facts.count, 19 + ORPHANS);
    assert_null(facts_of(&r.facts, 6));
    facts_free(&r.facts);
    view_free(&v);
}

static void unfinished_records_and_wrong_indices_are_none(void **state) {
    (void)state;
    struct view v;
    uint64_t address;
    atomic_store(&module(0)->ready, 0);
    assert_int_equal(read_it(&v), VIEW_OK);
    assert_null(view_module(&v, 0));
    assert_null(view_module(&v, 2));
    assert_null(view_host(&v, 3));
    assert_null(view_host(&v, BOX_NONE));
    assert_null(view_stack(&v, BOX_NONE));
    assert_null(view_site(&v, BOX_NONE));
    assert_null(view_conn(&v, BOX_NONE));
    assert_null(view_frame(&v, UINT64_MAX, &address));
    assert_int_equal(address, FRAME_ADDRESS_MASK);
    view_free(&v);
}

static void texts_and_lengths_are_cut_to_their_fields(void **state) {
    (void)state;
    struct view v;
    struct box_stack deep = {.depth = UINT32_MAX};
    memset(header()->program, 'p', BOX_PATH_MAX);
    memset(header()->suppressions, 's', BOX_PATH_MAX);
    memset(module(1)->path, 'm', BOX_PATH_MAX);
    module(1)->build_id_size = UINT32_MAX;
    assert_int_equal(read_it(&v), VIEW_OK);
    assert_int_equal(strlen(v.header->program), BOX_PATH_MAX - 1);
    assert_int_equal(strlen(v.header->suppressions), BOX_PATH_MAX - 1);
    assert_int_equal(strlen(view_module(&v, 1)->path), BOX_PATH_MAX - 1);
    assert_in_range(view_module(&v, 1)->build_id_size, 0, 20);
    assert_int_equal(view_depth(&deep), BOX_FRAMES_MAX);
    view_free(&v);
}

/* --- what is no state file ----------------------------------------------------------------------
 */

static void another_version_is_told_from_garbage(void **state) {
    (void)state;
    header()->version = BOX_VERSION + 1;
    assert_int_equal(verdict_on_it(), VIEW_OTHER_VERSION);
    header()->version = 0;
    assert_int_equal(verdict_on_it(), VIEW_OTHER_VERSION);
    header()->version = BOX_VERSION;
    header()->header_size += 8;
    assert_int_equal(verdict_on_it(), VIEW_OTHER_VERSION);
}

static void a_file_cut_anywhere_is_refused(void **state) {
    (void)state;
    for (size = 0; size < good_size; size += 97) {
        enum view_error e = verdict_on_it();
        if (e != VIEW_NOT_A_BOX && e != VIEW_GARBLED)
            fail_msg("%zu bytes: %s", size, view_error_text(e));
    }
}

/* The header says what the cut file's size is: only the regions' places give the cut away. */
static void a_cut_file_that_lies_about_its_size_shows_nothing_behind_its_end(void **state) {
    (void)state;
    for (size = sizeof(struct box_header); size < good_size; size += 97) {
        header()->file_size = size;
        struct view v;
        enum view_error e = read_it(&v);
        if (e != VIEW_GARBLED)
            fail_msg("%zu bytes: %s", size, view_error_text(e));
    }
}

static const uint64_t hostile[] = {0,
                                   1,
                                   2,
                                   7,
                                   63,
                                   64,
                                   65,
                                   255,
                                   256,
                                   4095,
                                   4096,
                                   65535,
                                   65536,
                                   1 << 20,
                                   (1 << 20) + 1,
                                   INT32_MAX,
                                   UINT64_C(1) << 31,
                                   UINT32_MAX,
                                   UINT64_C(1) << 32,
                                   UINT64_C(1) << 40,
                                   INT64_MAX,
                                   UINT64_C(1) << 63,
                                   UINT64_MAX - 4095,
                                   UINT64_MAX - 1,
                                   UINT64_MAX};

/* Writes v over `width` bytes at `at`, reads the file, reports on it if it is taken. */
static void try_value(size_t at, size_t width, uint64_t v) {
    struct view view;
    memcpy(file + at, &v, width);
    if (read_it(&view) == VIEW_OK) {
        report_on(&view, false, NULL);
        view_free(&view);
    }
    memcpy(file + at, good + at, width);
}

static void any_value_in_any_header_field_is_survived(void **state) {
    (void)state;
    for (size_t at = 0; at < sizeof(struct box_header); at += 4) {
        bool text = (at >= offsetof(struct box_header, program) + 8 &&
                     at < offsetof(struct box_header, leak_after)) ||
                    (at >= offsetof(struct box_header, suppressions) &&
                     at < offsetof(struct box_header, forks));
        for (size_t i = 0; !text && i < sizeof hostile / sizeof *hostile; i++) {
            try_value(at, 4, hostile[i]);
            if (at % 8 == 0)
                try_value(at, 8, hostile[i]);
        }
    }
}

static void any_value_in_any_record_field_is_survived(void **state) {
    (void)state;
    for (int r = 0; r < REGION_COUNT; r++)
        for (size_t at = 0; at + 4 <= header()->region[r].record_size; at += 4)
            for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i += 3)
                try_value(header()->region[r].offset + at, 4, hostile[i]);
}

static void a_region_that_does_not_fit_the_file_is_garbled(void **state) {
    (void)state;
    for (int i = 0; i < REGION_COUNT; i++) {
        struct box_region *r = &header()->region[i], was = *r;
        r->offset = size + 1;
        assert_int_equal(verdict_on_it(), VIEW_GARBLED);
        r->offset = UINT64_MAX - 100;
        assert_int_equal(verdict_on_it(), VIEW_GARBLED);
        *r = was;
        r->record_size += 8;
        assert_int_equal(verdict_on_it(), VIEW_GARBLED);
        *r = was;
        r->record_size = 0;
        assert_int_equal(verdict_on_it(), VIEW_GARBLED);
        *r = was;
        atomic_store(&r->count, r->capacity + 1);
        assert_int_equal(verdict_on_it(), VIEW_GARBLED);
        r->capacity = UINT32_MAX;
        assert_int_equal(verdict_on_it(), VIEW_GARBLED);
        atomic_store(&r->count, UINT32_MAX);
        assert_int_equal(verdict_on_it(), VIEW_GARBLED);
        *r = was;
    }
    assert_int_equal(verdict_on_it(), VIEW_OK);
}

static void a_header_that_contradicts_its_file_is_garbled(void **state) {
    (void)state;
    header()->file_size++;
    assert_int_equal(verdict_on_it(), VIEW_GARBLED);
    header()->file_size = size;
    size += 64; /* grown since */
    assert_int_equal(verdict_on_it(), VIEW_GARBLED);
    size -= 64;
    header()->pid = 0;
    assert_int_equal(verdict_on_it(), VIEW_GARBLED);
    header()->pid = -1;
    assert_int_equal(verdict_on_it(), VIEW_GARBLED);
}

static enum view_error verdict_on_path(const char *path, int flags) {
    struct view v;
    int f = open(path, flags);
    assert_true(f >= 0);
    enum view_error e = view_read(&v, f);
    close(f);
    return e;
}

static void empty_files_directories_and_devices_are_no_state_files(void **state) {
    (void)state;
    size = 0;
    assert_int_equal(verdict_on_it(), VIEW_NOT_A_BOX);
    assert_int_equal(verdict_on_path("/tmp", O_RDONLY), VIEW_NOT_A_BOX);
    assert_int_equal(verdict_on_path("/dev/zero", O_RDONLY), VIEW_NOT_A_BOX);
    assert_int_equal(verdict_on_path("/proc/self/status", O_RDONLY), VIEW_NOT_A_BOX);
    struct view v;
    assert_int_equal(view_read(&v, -1), VIEW_NOT_A_BOX);
    view_free(&v);
}

/* With a writer that never writes: reading would block for ever. */
static void a_fifo_is_no_state_file_and_does_not_block(void **state) {
    (void)state;
    char dir[64], path[80];
    support_mkdir(dir);
    snprintf(path, sizeof path, "%s/fifo", dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(verdict_on_path(path, O_RDWR), VIEW_NOT_A_BOX);
    support_rmdir(dir);
}

static void a_file_that_can_not_be_read_is_refused(void **state) {
    (void)state;
    char path[64];
    struct view v;
    read_it(&v);
    view_free(&v);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    assert_int_not_equal(verdict_on_path(path, O_WRONLY), VIEW_OK);
}

static void every_fault_has_a_text(void **state) {
    (void)state;
    for (enum view_error e = VIEW_OK; e <= VIEW_UNREADABLE; e++)
        assert_non_null(view_error_text(e));
}

/* --- chance --------------------------------------------------------------------------------------
 */

/* xorshift64*: the same sequence on every run, so that a finding can be found again. */
static uint64_t seed = 42;

static uint64_t chance(void) {
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return seed * UINT64_C(0x2545f4914f6cdd1d);
}

static uint64_t below(uint64_t n) {
    return chance() % n;
}

static void change_once(void) {
    size_t head = sizeof(struct box_header), at = below(3) ? below(size) : below(head);
    size_t left = size - at;
    uint64_t v;
    switch (below(6)) {
    case 0: file[at] ^= (unsigned char)(1u << below(8)); break;
    case 1: file[at] = (unsigned char)chance(); break;
    case 2: /* an aligned word */
        at &= ~(size_t)3;
        v = hostile[below(sizeof hostile / sizeof *hostile)];
        memcpy(file + at, &v, left < 4 ? left : 4);
        break;
    case 3: /* a run of one byte */
        memset(file + at, (int)below(256), below(left < 300 ? left : 300));
        break;
    case 4: /* a piece of the file somewhere else */
        memmove(file + at, good + below(size - left / 2), below(left / 2 + 1));
        break;
    default: /* another length, truly or by word only */
        if (below(2))
            size = head + below(good_size - head);
        if (below(2))
            header()->file_size = size;
    }
}

/* One mutation in two keeps magic, version and size right, so that most get past the first check.
 */
static void mend(void) {
    memcpy(file, good, offsetof(struct box_header, file_size));
    header()->file_size = size;
    header()->pid = 4211;
}

static void twenty_thousand_spoilt_files_are_reported_on_or_refused(void **state) {
    (void)state;
    static struct suppression by_host = {.pattern = "10.0.0.2*", .kind = SUPPRESS_HOST};
    static struct suppression by_module = {.next = &by_host, .pattern = "*libdl*"};
    unsigned taken = 0;
    for (int i = 0; i < MUTATIONS; i++) {
        struct view v;
        fresh(NULL);
        for (uint64_t n = 1 + below(8); n > 0; n--)
            change_once();
        if (i % 2)
            mend();
        if (read_it(&v) != VIEW_OK)
            continue;
        taken++;
        report_on(&v, i % 3 == 0, i % 4 ? NULL : &by_module);
        view_free(&v);
    }
    print_message("%u of %d were taken\n", taken, MUTATIONS);
    assert_true(taken > MUTATIONS / 4);
}

static void random_bytes_are_refused(void **state) {
    (void)state;
    for (int i = 0; i < 500; i++) {
        size = below(FILE_MAX);
        for (size_t k = 0; k < size; k++)
            file[k] = (unsigned char)chance();
        assert_int_equal(verdict_on_it(), VIEW_NOT_A_BOX);
    }
}

static void random_bytes_behind_a_good_header_are_survived(void **state) {
    (void)state;
    for (int i = 0; i < 500; i++) {
        struct view v;
        for (size_t k = sizeof(struct box_header); k < size; k++)
            file[k] = (unsigned char)chance();
        assert_int_equal(read_it(&v), VIEW_OK);
        report_on(&v, false, NULL);
        view_free(&v);
    }
}

#define TEST(f) cmocka_unit_test_setup(f, fresh)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_good_file_is_read_whole),
        TEST(a_file_of_the_producers_own_is_read),
        TEST(a_file_that_is_being_set_up_is_said_to_be_one),
        TEST(reading_changes_neither_the_file_nor_its_offset),
        TEST(a_record_caught_half_written_is_not_shown),
        TEST(unfinished_records_and_wrong_indices_are_none),
        TEST(texts_and_lengths_are_cut_to_their_fields),
        TEST(another_version_is_told_from_garbage),
        TEST(a_file_cut_anywhere_is_refused),
        TEST(a_cut_file_that_lies_about_its_size_shows_nothing_behind_its_end),
        TEST(any_value_in_any_header_field_is_survived),
        TEST(any_value_in_any_record_field_is_survived),
        TEST(a_region_that_does_not_fit_the_file_is_garbled),
        TEST(a_header_that_contradicts_its_file_is_garbled),
        TEST(empty_files_directories_and_devices_are_no_state_files),
        TEST(a_fifo_is_no_state_file_and_does_not_block),
        TEST(a_file_that_can_not_be_read_is_refused),
        TEST(every_fault_has_a_text),
        TEST(twenty_thousand_spoilt_files_are_reported_on_or_refused),
        TEST(random_bytes_are_refused),
        TEST(random_bytes_behind_a_good_header_are_survived),
    };
    make_good();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
