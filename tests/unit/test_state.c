/* The producer's side of the state file: where it lies, what it costs, what happens where there is
 * no room for it, and who tidies up. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

#include "base/clock.h"
#include "state/place.h"

enum { SHM_DIRECTORY_UID = 54321, THREADS = 8, NOBODY = 65534 };

static char dir[64];
static struct box box;

static int fresh(void **state) {
    (void)state;
    said_count = 0;
    support_mkdir(dir);
    return 0;
}

static int tidy(void **state) {
    (void)state;
    box_unmap(&box);
    support_rmdir(dir);
    return 0;
}

static bool create(const char *state_dir) {
    struct box_setup s = {
        .state_dir = state_dir,
        .program = "/usr/bin/demo",
        .suppressions = "/etc/known.supp",
        .leak_after = 7 * SECOND,
    };
    return box_create(&box, &s, support_complain);
}

static void own_path(char path[PLACE_MAX]) {
    place_file(path, dir, getpid(), place_pid_namespace());
}

static bool exists(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0;
}

/* Hands records out and writes to the whole of each. */
static void fill_conns(uint32_t n) {
    for (uint32_t k = 0; k < n; k++) {
        uint32_t i = box_record(&box, REGION_CONNS);
        CHECK(i == k);
        memset(&box.conns[i], 0x5a, sizeof box.conns[i]);
    }
}

/* --- where it lies --------------------------------------------------------------------------- */

static void a_new_box_is_a_file_that_says_whose_it_is(void **state) {
    (void)state;
    char path[PLACE_MAX];
    struct stat st;
    assert_true(create(dir));
    own_path(path);
    assert_true(box.is_file);
    assert_int_equal(said_count, 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, box.header->file_size);
    assert_memory_equal(box.header->magic, BOX_MAGIC, 8);
    assert_int_equal(box.header->version, BOX_VERSION);
    assert_int_equal(box.header->pid, getpid());
    assert_int_equal(box.header->parent_pid, getppid());
    assert_int_equal(box.header->uid, getuid());
    assert_string_equal(box.header->program, "/usr/bin/demo");
    assert_string_equal(box.header->suppressions, "/etc/known.supp");
    assert_int_equal(box.header->leak_after, 7 * SECOND);
    assert_int_equal(box.header->exhausted_stack, BOX_NONE);
}

static void creating_a_box_leaves_no_descriptor(void **state) {
    (void)state;
    unsigned before = support_entries("/proc/self/fd");
    assert_true(create(dir));
    assert_int_equal(support_entries("/proc/self/fd"), before);
}

static void a_file_of_an_earlier_process_with_our_pid_gives_way(void **state) {
    (void)state;
    char path[PLACE_MAX];
    own_path(path);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_int_equal(write(fd, "old", 3), 3);
    close(fd);
    assert_true(create(dir));
    assert_true(box.is_file);
    assert_int_equal(said_count, 0);
    assert_int_equal(support_entries(dir), 1);
}

static void a_long_path_is_cut_and_ends(void **state) {
    (void)state;
    char program[2 * BOX_PATH_MAX];
    memset(program, 'p', sizeof program);
    program[sizeof program - 1] = '\0';
    struct box_setup s = {.state_dir = dir, .program = program, .suppressions = program};
    assert_true(box_create(&box, &s, support_complain));
    assert_int_equal(strlen(box.header->program), BOX_PATH_MAX - 1);
    assert_int_equal(strlen(box.header->suppressions), BOX_PATH_MAX - 1);
}

static void off_means_private_memory_and_no_complaint(void **state) {
    (void)state;
    assert_true(create("off"));
    assert_false(box.is_file);
    assert_int_equal(said_count, 0);
    fill_conns(1000);
}

static void unlink_takes_the_name_away_and_leaves_the_memory(void **state) {
    (void)state;
    char path[PLACE_MAX];
    assert_true(create(dir));
    own_path(path);
    box_unlink(&box);
    assert_false(exists(path));
    fill_conns(1000);
}

static void child_without_permission(void *unused) {
    (void)unused;
    CHECK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
    CHECK(create(dir));
    CHECK(!box.is_file);
    CHECK(said_count == 1);
    CHECK(strncmp(said[0], dir, strlen(dir)) == 0);
    CHECK(strstr(said[0], "Permission denied"));
    fill_conns(1000);
}

static void an_unwritable_directory_means_private_memory_and_one_complaint(void **state) {
    (void)state;
    if (!support_is_root())
        skip();
    assert_int_equal(chmod(dir, 0755), 0);
    support_in_child(child_without_permission, NULL);
    assert_int_equal(support_entries(dir), 0);
}

static void a_directory_that_can_not_be_made_means_private_memory(void **state) {
    (void)state;
    assert_true(create("/proc/no/such/place"));
    assert_false(box.is_file);
    assert_int_equal(said_count, 1);
}

static void a_name_too_long_for_a_directory_means_private_memory(void **state) {
    (void)state;
    char name[2 * PLACE_MAX];
    memset(name, 'n', sizeof name);
    name[0] = '/';
    name[sizeof name - 1] = '\0';
    assert_true(create(name));
    assert_false(box.is_file);
    assert_int_equal(said_count, 1);
}

/* The default directory is in a place where anybody may put things. */
static void only_a_private_directory_of_ones_own_will_do_by_default(void **state) {
    (void)state;
    char path[PLACE_MAX];
    snprintf(path, sizeof path, "%s/default", dir);
    int fd = place_open(path, geteuid(), 1);
    struct stat st;
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    close(fd);
    assert_int_equal(place_open(path, geteuid() + 1, 1), -EPERM);
    assert_int_equal(chmod(path, 0755), 0);
    assert_int_equal(place_open(path, geteuid(), 1), -EPERM);
    fd = place_open(path, geteuid(), 0); /* named by option, that is the user's affair */
    assert_true(fd >= 0);
    close(fd);
}

static void child_with_a_link_for_a_directory(void *unused) {
    (void)unused;
    CHECK(setgid(SHM_DIRECTORY_UID) == 0 && setuid(SHM_DIRECTORY_UID) == 0);
    CHECK(create(""));
    CHECK(!box.is_file);
    CHECK(said_count == 1);
}

static void a_symbolic_link_for_the_default_directory_is_refused(void **state) {
    (void)state;
    char path[PLACE_MAX];
    snprintf(path, sizeof path, "%s/link", dir);
    assert_int_equal(symlink(dir, path), 0);
    assert_true(place_open(path, geteuid(), 1) < 0);
    if (!support_is_root())
        return;
    place_directory(path, "", SHM_DIRECTORY_UID);
    assert_int_equal(chmod(dir, 0700), 0);
    assert_int_equal(chown(dir, SHM_DIRECTORY_UID, SHM_DIRECTORY_UID), 0);
    assert_int_equal(symlink(dir, path), 0);
    support_in_child(child_with_a_link_for_a_directory, NULL);
    unlink(path);
    assert_int_equal(support_entries(dir), 1); /* the first link */
}

/* --- what it costs ---------------------------------------------------------------------------- */

static void a_new_file_is_sparse(void **state) {
    (void)state;
    char path[PLACE_MAX];
    struct stat st;
    assert_true(create(dir));
    own_path(path);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size > 100 << 20);
    assert_true(st.st_blocks * 512 <= 64 << 10);
}

static void a_million_connections_have_a_file_as_big_as_they_need(void **state) {
    (void)state;
    enum { MILLION = 1000000 };
    char path[PLACE_MAX];
    struct stat st;
    assert_true(create(dir));
    uint64_t began = clock_ns(CLOCK_MONOTONIC);
    for (uint32_t k = 0; k < MILLION; k++)
        if (box_record(&box, REGION_CONNS) != k)
            fail_msg("no record %u", k);
    uint64_t handed = clock_ns(CLOCK_MONOTONIC);
    for (uint32_t k = 0; k < MILLION; k++)
        memset(&box.conns[k], 0x5a, sizeof box.conns[k]);
    uint64_t written = clock_ns(CLOCK_MONOTONIC);
    print_message("1,000,000 records: %u ms to hand out, %u ms to write\n",
                  (unsigned)((handed - began) / MS), (unsigned)((written - handed) / MS));
    own_path(path);
    assert_int_equal(stat(path, &st), 0);
    int64_t need = (int64_t)MILLION * (int64_t)sizeof(struct box_conn);
    assert_in_range(st.st_blocks * 512, need, need + (4 << 20));
    assert_false(atomic_load(&box.header->flags) & BOX_PARTLY_PRIVATE);
}

/* A program of a few connections must not pay for a million. */
static void the_first_connections_cost_a_few_pages(void **state) {
    (void)state;
    char path[PLACE_MAX];
    struct stat st;
    assert_true(create(dir));
    fill_conns(10);
    own_path(path);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_blocks * 512 <= 128 << 10);
}

static void reserved_records_are_backed_without_being_handed_out(void **state) {
    (void)state;
    char path[PLACE_MAX];
    struct stat before, after;
    if (support_is_emulated())
        skip();
    assert_true(create(dir));
    own_path(path);
    box_reserve(&box, 1000);
    assert_int_equal(stat(path, &before), 0);
    for (int i = 0; i < REGION_COUNT; i++)
        assert_int_equal(box.header->region[i].count, 0);
    fill_conns(1000);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_blocks, after.st_blocks);
    box_reserve(&box, UINT32_MAX); /* cut to each region's capacity */
}

static void a_full_region_says_so_and_counts_what_it_lost(void **state) {
    (void)state;
    assert_true(create("off"));
    uint32_t capacity = box.header->region[REGION_MODULES].capacity;
    for (uint32_t k = 0; k < capacity; k++)
        assert_int_equal(box_record(&box, REGION_MODULES), k);
    assert_int_equal(box_record(&box, REGION_MODULES), BOX_NONE);
    assert_int_equal(box_record(&box, REGION_MODULES), BOX_NONE);
    assert_int_equal(box.header->region[REGION_MODULES].count, capacity);
    assert_int_equal(box.header->region[REGION_MODULES].dropped, 2);
    assert_int_equal(box.header->region[REGION_CONNS].dropped, 0);
}

/* --- threads ---------------------------------------------------------------------------------- */

enum { EACH = 20000 };
static pthread_barrier_t together;

static void *take_records(void *mark) {
    pthread_barrier_wait(&together);
    for (int k = 0; k < EACH; k++) {
        uint32_t i = box_record(&box, REGION_CONNS);
        if (i == BOX_NONE || atomic_exchange(&box.conns[i].calls_in, (uintptr_t)mark) != 0)
            return mark;
    }
    return NULL;
}

static void records_of_eight_threads_are_all_distinct(void **state) {
    (void)state;
    pthread_t t[THREADS];
    assert_true(create(dir));
    pthread_barrier_init(&together, NULL, THREADS);
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, take_records, (void *)(i + 1));
    unsigned failed = 0;
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(t[i], &result);
        failed += result != NULL;
    }
    pthread_barrier_destroy(&together);
    assert_int_equal(failed, 0);
    assert_int_equal(box.header->region[REGION_CONNS].count, THREADS * EACH);
    assert_int_equal(box.header->region[REGION_CONNS].dropped, 0);
}

/* --- limits ----------------------------------------------------------------------------------- */

static void limit(__rlimit_resource_t resource, rlim_t n) {
    struct rlimit l = {n, n};
    CHECK(setrlimit(resource, &l) == 0);
}

static void child_with_no_file_size(void *unused) {
    (void)unused;
    limit(RLIMIT_FSIZE, 4096); /* SIGXFSZ would kill it */
    CHECK(create(dir));
    CHECK(!box.is_file);
    CHECK(said_count == 1);
    CHECK(strstr(said[0], "File too large"));
    fill_conns(1000);
}

static void under_a_file_size_limit_too_small_memory_is_private(void **state) {
    (void)state;
    support_in_child(child_with_no_file_size, NULL);
    assert_int_equal(support_entries(dir), 0);
}

static void child_with_some_file_size(void *unused) {
    (void)unused;
    limit(RLIMIT_FSIZE, 8 << 20);
    CHECK(create(dir));
    CHECK(box.is_file);
    CHECK(said_count == 0);
    CHECK(box.header->file_size <= 8 << 20);
    fill_conns(1000);
    box_unlink(&box);
}

static void under_a_file_size_limit_the_file_is_smaller(void **state) {
    (void)state;
    support_in_child(child_with_some_file_size, NULL);
}

/* A file size limit is about files. */
static void child_off_under_a_limit(void *unused) {
    (void)unused;
    limit(RLIMIT_FSIZE, 4096);
    CHECK(create("off"));
    CHECK(box.header->region[REGION_CONNS].capacity == BOX_CONNS_MAX);
}

static void private_memory_is_not_cut_by_a_file_size_limit(void **state) {
    (void)state;
    support_in_child(child_off_under_a_limit, NULL);
}

static void child_with_little_address_space(void *unused) {
    (void)unused;
    limit(RLIMIT_AS, 512 << 20);
    CHECK(create(dir));
    CHECK(box.is_file);
    CHECK(said_count == 0);
    CHECK(box.header->file_size <= 64 << 20);
    fill_conns(10000);
    box_unlink(&box);
}

static void child_with_no_address_space(void *unused) {
    (void)unused;
    limit(RLIMIT_AS, 4096); /* what is mapped stays, nothing comes */
    CHECK(!create(dir));
    CHECK(support_entries(dir) == 0 || errno == ENOMEM);
}

static void an_address_space_limit_is_respected(void **state) {
    (void)state;
    if (UNDER_ASAN) {
        print_message("skipped: AddressSanitizer needs its address space\n");
        skip();
    }
    if (support_is_emulated())
        skip();
    support_in_child(child_with_little_address_space, NULL);
    support_in_child(child_with_no_address_space, NULL);
    assert_int_equal(support_entries(dir), 0);
}

/* --- a full file system ------------------------------------------------------------------------
 */

static void mount_small(const char *size) {
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", dir, "tmpfs", 0, size) != 0) {
        print_message("not tried: mount: %s\n", strerror(errno));
        _exit(0);
    }
}

static void child_that_fills_its_file_system(void *unused) {
    (void)unused;
    mount_small("size=256k");
    CHECK(create(dir));
    CHECK(box.is_file);
    CHECK(!(atomic_load(&box.header->flags) & BOX_PARTLY_PRIVATE));
    fill_conns(20000); /* 5 MB; SIGBUS would kill it */
    CHECK(atomic_load(&box.header->flags) & BOX_PARTLY_PRIVATE);
    for (uint32_t i = 0; i < 20000; i++)
        CHECK(((unsigned char *)&box.conns[i])[255] == 0x5a);
    CHECK(box.header->region[REGION_CONNS].dropped == 0);
    for (unsigned i = 0; i < REGION_CONNS; i++) /* the other regions too */
        CHECK(box_record(&box, i) == 0);
    box.hosts[0].leak_after = 1;
    box.stacks[0].depth = 1;
}

static void growth_on_a_full_file_system_falls_back_to_private_memory(void **state) {
    (void)state;
    if (!support_is_root() || support_is_emulated())
        skip();
    support_in_child(child_that_fills_its_file_system, NULL);
}

static void child_whose_file_system_is_full(void *unused) {
    (void)unused;
    char path[PLACE_MAX], block[4096] = {1};
    mount_small("size=16k");
    snprintf(path, sizeof path, "%s/filler", dir);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    while (write(fd, block, sizeof block) > 0)
        ;
    CHECK(create(dir));
    CHECK(!box.is_file);
    CHECK(said_count == 1);
    CHECK(strstr(said[0], "No space left on device"));
    CHECK(support_entries(dir) == 1);
    fill_conns(1000);
}

static void a_file_system_full_from_the_start_means_private_memory(void **state) {
    (void)state;
    if (!support_is_root() || support_is_emulated())
        skip();
    support_in_child(child_whose_file_system_is_full, NULL);
}

/* --- names and tidying ---------------------------------------------------------------------------
 */

static void a_name_tells_pid_and_namespace(void **state) {
    (void)state;
    char path[PLACE_MAX];
    uint64_t ns = 0;
    place_file(path, "/d", 4211, 4026531836);
    assert_string_equal(path, "/d/4211-4026531836.box");
    assert_int_equal(place_pid(path + 3, &ns), 4211);
    assert_int_equal(ns, 4026531836);
    place_file(path, "/d", INT32_MAX, 0);
    assert_int_equal(place_pid(path + 3, &ns), INT32_MAX);
    assert_int_equal(ns, 0);
}

static void other_names_are_no_state_files(void **state) {
    (void)state;
    static const char *const names[] = {"",
                                        "box",
                                        ".box",
                                        "-.box",
                                        "1-.box",
                                        "-1.box",
                                        "0-1.box",
                                        "1-1.boxx",
                                        "1-1.bo",
                                        "1_1.box",
                                        "1-1-1.box",
                                        " 1-1.box",
                                        "+1-1.box",
                                        "1--1.box",
                                        "2147483648-1.box",
                                        "1-1.BOX",
                                        "1-1",
                                        "x1-1.box",
                                        "99999999999999999999999999-1.box",
                                        "1-99999999999999999999999999.box"};
    uint64_t ns;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (place_pid(names[i], &ns) != 0)
            fail_msg("\"%s\" taken for a state file's", names[i]);
}

static void touch(const char *name) {
    char path[PLACE_MAX];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static bool there(const char *name) {
    char path[PLACE_MAX];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return exists(path);
}

/* The name that a dead process's file has; pids below pid_max were all given out and are dead. */
static pid_t dead_pid(void) {
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    support_wait(pid);
    return pid;
}

static void sweep(uint64_t ns) {
    int fd = open(dir, O_RDONLY | O_DIRECTORY);
    place_sweep(fd, ns);
    close(fd);
}

static void a_sweep_leaves_a_young_dead_process_its_file(void **state) {
    (void)state;
    char name[64];
    snprintf(name, sizeof name, "%d-7.box", dead_pid());
    touch(name);
    sweep(7);
    assert_true(there(name));
}

/* No process has a pid above 4194304 (PID_MAX_LIMIT). */
static void a_crowded_directory_is_swept_of_the_dead_of_this_namespace(void **state) {
    (void)state;
    char name[64], live[64], foreign[64];
    snprintf(live, sizeof live, "%d-7.box", getpid());
    snprintf(foreign, sizeof foreign, "%d-8.box", 5000000);
    touch(live);
    touch(foreign);
    touch("notes.txt");
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "%d-7.box", 5000000 + i);
        touch(name);
    }
    sweep(7);
    assert_true(there(live));
    assert_true(there(foreign));
    assert_true(there("notes.txt"));
    assert_int_equal(support_entries(dir), 3);
}

/* kill(pid, 0) of another user's process says EPERM, which is no death. */
static void child_of_another_user(void *unused) {
    (void)unused;
    CHECK(setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
    sweep(7);
}

static void a_sweep_leaves_live_processes_of_other_users_alone(void **state) {
    (void)state;
    char name[64];
    if (!support_is_root())
        skip();
    assert_int_equal(chmod(dir, 0777), 0);
    touch("1-7.box");
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "%d-7.box", 5000000 + i);
        touch(name);
    }
    support_in_child(child_of_another_user, NULL);
    assert_true(there("1-7.box"));
    assert_int_equal(support_entries(dir), 1);
}

static void making_a_box_sweeps_its_directory(void **state) {
    (void)state;
    char name[64];
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "%d-%" PRIu64 ".box", 5000000 + i, place_pid_namespace());
        touch(name);
    }
    assert_true(create(dir));
    assert_int_equal(support_entries(dir), 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fresh, tidy)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_new_box_is_a_file_that_says_whose_it_is),
        TEST(creating_a_box_leaves_no_descriptor),
        TEST(a_file_of_an_earlier_process_with_our_pid_gives_way),
        TEST(a_long_path_is_cut_and_ends),
        TEST(off_means_private_memory_and_no_complaint),
        TEST(unlink_takes_the_name_away_and_leaves_the_memory),
        TEST(an_unwritable_directory_means_private_memory_and_one_complaint),
        TEST(a_directory_that_can_not_be_made_means_private_memory),
        TEST(a_name_too_long_for_a_directory_means_private_memory),
        TEST(only_a_private_directory_of_ones_own_will_do_by_default),
        TEST(a_symbolic_link_for_the_default_directory_is_refused),
        TEST(a_new_file_is_sparse),
        TEST(a_million_connections_have_a_file_as_big_as_they_need),
        TEST(the_first_connections_cost_a_few_pages),
        TEST(reserved_records_are_backed_without_being_handed_out),
        TEST(a_full_region_says_so_and_counts_what_it_lost),
        TEST(records_of_eight_threads_are_all_distinct),
        TEST(under_a_file_size_limit_too_small_memory_is_private),
        TEST(under_a_file_size_limit_the_file_is_smaller),
        TEST(private_memory_is_not_cut_by_a_file_size_limit),
        TEST(an_address_space_limit_is_respected),
        TEST(growth_on_a_full_file_system_falls_back_to_private_memory),
        TEST(a_file_system_full_from_the_start_means_private_memory),
        TEST(a_name_tells_pid_and_namespace),
        TEST(other_names_are_no_state_files),
        TEST(a_sweep_leaves_a_young_dead_process_its_file),
        TEST(a_crowded_directory_is_swept_of_the_dead_of_this_namespace),
        TEST(a_sweep_leaves_live_processes_of_other_users_alone),
        TEST(making_a_box_sweeps_its_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
