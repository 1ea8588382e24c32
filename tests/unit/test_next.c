/* The real functions, found without the loader: what dlsym(RTLD_NEXT) finds. */
#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"
#include "wrap/next.h"

static char dir[64];

static void every_row_leads_where_dlsym_leads(void **state) {
    (void)state;
#define REAL(ret, name, params, args)                                                              \
    assert_non_null(next_function(#name));                                                         \
    assert_ptr_equal(next_function(#name), dlsym(RTLD_NEXT, #name));
#define REAL_VOID(name, params, args) REAL(void, name, params, args)
#define REAL_VA REAL
#include "wrap/real.def"
}

/* Of several versions the default one; one that is chosen at run time. */
static void versions_and_indirect_functions_are_as_dlsym_has_them(void **state) {
    (void)state;
    static const char *const name[] = {
        "memcpy",      "fopen",  "realpath",     "regexec",
        "posix_spawn", "strlen", "gettimeofday", "nobody_has_this_function"};
    for (size_t i = 0; i < sizeof name / sizeof *name; i++)
        assert_ptr_equal(next_function(name[i]), dlsym(RTLD_NEXT, name[i]));
}

/* Built with that style of hash table, loaded: its function, by dlsym. */
static void *load_fixture(const char *style) {
    char source[96], object[96], line[512], symbol[32];
    const char *cc = getenv("CC");
    snprintf(symbol, sizeof symbol, "fixture_of_%s", style);
    snprintf(source, sizeof source, "%s/%s.c", dir, style);
    snprintf(object, sizeof object, "%s/%s.so", dir, style);
    FILE *f = fopen(source, "w");
    for (int i = 0; i < 50; i++)
        fprintf(f, "int other_%s_%d(void) { return %d; }\n", style, i, i);
    fprintf(f, "int %s(void) { return 77; }\n", symbol);
    fclose(f);
    snprintf(line, sizeof line, "%s -fPIC -shared -Wl,--hash-style=%s -o %s %s", cc ? cc : "cc",
             style, object, source);
    assert_int_equal(system(line), 0);
    void *h = dlopen(object, RTLD_NOW);
    assert_non_null(h);
    return dlsym(h, symbol);
}

static void both_kinds_of_hash_table_are_read(void **state) {
    (void)state;
    void *by_dlsym = load_fixture("sysv");
    assert_ptr_equal(next_function("fixture_of_sysv"), by_dlsym);
    by_dlsym = load_fixture("gnu");
    assert_ptr_equal(next_function("fixture_of_gnu"), by_dlsym);
    assert_non_null(next_function("other_sysv_49"));
    assert_null(next_function("fixture_of_nobody"));
}

static int setup(void **state) {
    (void)state;
    support_mkdir(dir);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    support_rmdir(dir);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_leads_where_dlsym_leads),
        cmocka_unit_test(versions_and_indirect_functions_are_as_dlsym_has_them),
        cmocka_unit_test(both_kinds_of_hash_table_are_read),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
