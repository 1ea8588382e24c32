/* names.h against programs built here from names_fixture.c, with binutils as the judge: nm says
 * where each function is, names_find must say the same. CC_LIST names the compilers ("gcc clang"),
 * NAMES_FIXTURE the source when the test does not run from the top of the repository. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dl_iterate_phdr */
#endif
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <lzma.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "stack/names.h"

static char dir[] = "/tmp/test_names.XXXXXX";
static char fixture[4096];

/* ---- helpers ---- */

/* Runs a shell command in the temporary directory; $F is the fixture's source. */
__attribute__((format(printf, 1, 2))) static void run(const char *format, ...) {
    char line[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    int ret = system(line);
    if (ret != 0)
        fail_msg("exit %d: %s", ret, line);
}

struct symbol {
    char name[120];
    char kind;
    uint64_t at, size;
};

struct symbols {
    struct symbol of[4096];
    size_t count;
};

static int symbol_parse(const char *line, struct symbol *s) {
    unsigned long at = 0, size = 0;
    int n = sscanf(line, "%119s %c %lx %lx", s->name, &s->kind, &at, &size);
    s->at = at;
    s->size = size;
    return n >= 3;
}

static struct symbols *nm(const char *file) {
    static struct symbols all;
    char line[512];
    snprintf(line, sizeof line, "nm --format=posix --defined-only %s", file);
    FILE *f = popen(line, "r");
    assert_non_null(f);
    for (all.count = 0; all.count < 4096 && fgets(line, sizeof line, f);)
        all.count += (size_t)symbol_parse(line, &all.of[all.count]);
    pclose(f);
    return &all;
}

static uint64_t nm_address(const char *file, const char *name) {
    struct symbols *all = nm(file);
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->of[i].name, name) == 0)
            return all->of[i].at;
    fail_msg("%s has no %s", file, name);
    return 0;
}

static int nm_has(const struct symbols *all, const char *name, uint64_t at) {
    for (size_t i = 0; i < all->count; i++)
        if (all->of[i].at == at && strcmp(all->of[i].name, name) == 0)
            return 1;
    return 0;
}

static void assert_named(const struct names *n, uint64_t at, const char *want, uint64_t want_into) {
    uint64_t into = UINT64_MAX;
    const char *name = names_find(n, at, &into);
    if (!name)
        fail_msg("no name at %#lx, not %s", (unsigned long)at, want);
    assert_string_equal(name, want);
    assert_int_equal(into, want_into);
}

static void assert_unnamed(const struct names *n, uint64_t at) {
    const char *name = names_find(n, at, NULL);
    if (name)
        fail_msg("%s at %#lx", name, (unsigned long)at);
}

static void open_ok(struct names *n, const char *file) {
    assert_int_equal(names_open(n, file, NULL, 0), 0);
}

static size_t file_read(const char *path, uint8_t *to, size_t cap) {
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(to, 1, cap, f);
    fclose(f);
    assert_true(n < cap);
    return n;
}

static void file_write(const char *path, const void *data, size_t size) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), size);
    close(fd);
}

static void xz_set(void) {
    names_set_xz((void *)lzma_stream_buffer_decode);
}

static const char *first_compiler(void) {
    static char name[64];
    sscanf(getenv("CC_LIST"), "%63s", name);
    return name;
}

/* A program, a static program without libc, and a library, with build ids. */
static void build(void) {
    const char *cc = first_compiler();
    run("%s -O1 -Wl,--build-id=sha1 -rdynamic $F -o program", cc);
    run("%s -O1 -DNAMES_BARE -nostdlib -static $F -o bare", cc);
    run("%s -O1 -DNAMES_BARE -fPIC -nostdlib -shared -Wl,--hash-style=gnu $F -o gnu.so", cc);
    run("%s -O1 -DNAMES_BARE -fPIC -nostdlib -shared -Wl,--hash-style=sysv $F -o sysv.so", cc);
}

/* Fedora's recipe (find-debuginfo, add_minidebug): the functions that .dynsym does not have. The
 * debug file's own text is left out; `pad` adds a section to make it bigger. */
static void build_mini(const char *from, const char *to, const char *pad) {
    run("nm -D %s --format=posix --defined-only | awk '{print $1}' | sort >dynsyms", from);
    run("nm %s --format=posix --defined-only | awk '$2 ~ /[TtD]/ {print $1}' | sort >funcsyms",
        from);
    run("comm -13 dynsyms funcsyms >keep && objcopy --only-keep-debug %s debug", from);
    run("objcopy -S --remove-section .comment --keep-symbols=keep %s debug mini", pad);
    run("rm -f mini.xz && xz -k mini && strip -s %s -o %s", from, to);
    run("objcopy --add-section .gnu_debugdata=mini.xz %s", to);
}

/* ---- names of a file ---- */

static void check_symbol(const struct names *n, const struct symbols *all, const struct symbol *s) {
    if (!strchr("TtWi", s->kind) || s->size == 0)
        return;
    for (int i = 0; i < 3; i++) {
        uint64_t into, want = i == 0 ? 0 : i == 1 ? s->size / 2 : s->size - 1;
        const char *name = names_find(n, s->at + want, &into);
        if (!name || !nm_has(all, name, s->at) || into != want)
            fail_msg("%s+%#lx is called %s", s->name, (unsigned long)want, name ? name : "nothing");
    }
}

static void check_program(const char *cc, int level) {
    struct names n;
    run("%s -O%d -fomit-frame-pointer $F -o level", cc, level);
    open_ok(&n, "level");
    struct symbols *all = nm("level");
    for (size_t i = 0; i < all->count; i++)
        check_symbol(&n, all, &all->of[i]);
    assert_named(&n, nm_address("level", "names_static") + 3, "names_static", 3);
    assert_named(&n, nm_address("level", "names_entry"), "names_entry", 0);
    assert_named(&n, nm_address("level", "main") + 1, "main", 1);
    names_close(&n);
}

static void every_function_is_named_whatever_the_compiler_did(void **state) {
    (void)state;
    char list[256], *rest = list;
    snprintf(list, sizeof list, "%s", getenv("CC_LIST"));
    for (char *cc; (cc = strsep(&rest, " "));)
        for (int level = 0; *cc && level <= 3; level++)
            check_program(cc, level);
}

static void of_several_names_the_plain_global_one_is_told(void **state) {
    (void)state;
    struct names n;
    open_ok(&n, "program");
    uint64_t at = nm_address("program", "names_global");
    assert_int_equal(nm_address("program", "names_a_local"), at);
    assert_int_equal(nm_address("program", "_names_alias"), at);
    assert_named(&n, at + 2, "names_global", 2);
    names_close(&n);
}

static void assembly_without_size_ends_at_the_next_symbol(void **state) {
    (void)state;
    struct names n;
    open_ok(&n, "program");
    uint64_t at = nm_address("program", "names_asm_func");
    assert_named(&n, at, "names_asm_func", 0);
    assert_named(&n, at + 31, "names_asm_func", 31);
    assert_named(&n, at + 32, "names_asm_label", 0);
    names_close(&n);
}

static uint64_t section_address(const char *file, const char *section) {
    char line[256];
    unsigned long at = 0;
    snprintf(line, sizeof line, "objdump -h %s | awk '$2 == \"%s\" {print $4}'", file, section);
    FILE *f = popen(line, "r");
    assert_int_equal(fscanf(f, "%lx", &at), 1);
    pclose(f);
    return at;
}

static void assembly_without_size_ends_with_its_section(void **state) {
    (void)state;
    struct names n;
    open_ok(&n, "program");
    assert_unnamed(&n, section_address("program", "names_unnamed") + 8);
    names_close(&n);
}

static void addresses_outside_of_code_have_no_name(void **state) {
    (void)state;
    struct names n;
    open_ok(&n, "program");
    assert_unnamed(&n, 0);
    assert_unnamed(&n, UINT64_MAX);
    assert_unnamed(&n, nm_address("program", "sink"));
    assert_unnamed(&n, nm_address("program", "_end") + 100000);
    names_close(&n);
}

static void a_stripped_program_names_its_exports_only(void **state) {
    (void)state;
    struct names n;
    run("strip -s program -o stripped");
    open_ok(&n, "stripped");
    assert_named(&n, nm_address("program", "names_global") + 1, "names_global", 1);
    assert_unnamed(&n, nm_address("program", "names_static") + 1);
    names_close(&n);
}

static void versions_are_not_part_of_a_name(void **state) {
    (void)state;
    struct names n;
    run("echo 'V_1 { global: names_versioned; local: *; };' >map");
    run("(cat $F; echo '__asm__(\".symver names_entry,names_versioned@@V_1\");') >versioned.c");
    run("%s -O1 -fPIC -shared -Wl,--version-script=map versioned.c -o versioned.so",
        first_compiler());
    run("readelf -p .strtab versioned.so | grep -q names_versioned@@V_1"); /* a real case */
    open_ok(&n, "versioned.so");
    assert_named(&n, nm_address("versioned.so", "names_entry") + 1, "names_versioned", 1);
    names_close(&n);
}

/* ---- .gnu_debugdata ---- */

static void debugdata_names_static_functions(void **state) {
    (void)state;
    struct names n;
    xz_set();
    build_mini("program", "packed", "");
    open_ok(&n, "packed");
    assert_named(&n, nm_address("program", "names_static") + 5, "names_static", 5);
    assert_int_equal(n.tables, 2);
    names_close(&n);
}

static void an_export_keeps_its_name_beside_debugdata(void **state) {
    (void)state;
    struct names n;
    build_mini("program", "packed", "");
    open_ok(&n, "packed");
    assert_true(nm_has(nm("mini"), "names_a_local", nm_address("program", "names_global")));
    assert_named(&n, nm_address("program", "names_global") + 5, "names_global", 5);
    names_close(&n);
}

static void debugdata_is_ignored_without_liblzma(void **state) {
    (void)state;
    struct names n;
    build_mini("program", "packed", "");
    names_set_xz(NULL);
    open_ok(&n, "packed");
    assert_unnamed(&n, nm_address("program", "names_static") + 5);
    assert_named(&n, nm_address("program", "names_global") + 5, "names_global", 5);
    names_close(&n);
    xz_set();
}

static void debugdata_far_bigger_than_guessed_is_unpacked(void **state) {
    (void)state;
    struct names n;
    run("head -c 9000000 /dev/zero >zeros");
    build_mini("program", "packed", "--add-section .pad=zeros");
    open_ok(&n, "packed");
    assert_true(n.debugdata_size > 9000000);
    assert_named(&n, nm_address("program", "names_static") + 5, "names_static", 5);
    names_close(&n);
}

static void debugdata_beyond_the_limit_is_ignored(void **state) {
    (void)state;
    struct names n;
    run("head -c 70000000 /dev/zero >zeros");
    build_mini("program", "packed", "--add-section .pad=zeros");
    run("rm -f zeros mini debug");
    open_ok(&n, "packed");
    assert_null(n.debugdata);
    assert_unnamed(&n, nm_address("program", "names_static") + 5);
    names_close(&n);
}

static void debugdata_that_is_not_xz_is_ignored(void **state) {
    (void)state;
    struct names n;
    run("strip -s program -o packed && objcopy --add-section .gnu_debugdata=$F packed");
    open_ok(&n, "packed");
    assert_null(n.debugdata);
    assert_named(&n, nm_address("program", "names_global") + 5, "names_global", 5);
    names_close(&n);
}

/* ---- what is refused ---- */

static size_t build_id_of(const char *file, uint8_t id[20]) {
    char line[512], hex[41] = "";
    snprintf(line, sizeof line, "readelf -n %s 2>&1 | awk '/Build ID/ {print $3}'", file);
    FILE *f = popen(line, "r");
    assert_int_equal(fscanf(f, "%40s", hex), 1);
    pclose(f);
    for (size_t i = 0; i < 20; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        id[i] = (uint8_t)byte;
    }
    return 20;
}

static void a_replaced_file_is_stale(void **state) {
    (void)state;
    struct names n;
    uint8_t id[20];
    size_t len = build_id_of("program", id);
    assert_int_equal(names_open(&n, "program", id, len), 0);
    names_close(&n);
    id[19] ^= 1;
    assert_int_equal(names_open(&n, "program", id, len), -ESTALE);
    id[19] ^= 1;
    assert_int_equal(names_open(&n, "program", id, 8), -ESTALE);
    run("objcopy --remove-section .note.gnu.build-id program without");
    assert_int_equal(names_open(&n, "without", id, len), -ESTALE);
}

static uint8_t crafted[1 << 20];

/* A copy of `bare` to tamper with: its .symtab header, and the section that it links to. */
static size_t craft(ElfW(Shdr) * *symtab, ElfW(Shdr) * *strtab) {
    size_t size = file_read("bare", crafted, sizeof crafted);
    ElfW(Shdr) *all = (void *)(crafted + ((const ElfW(Ehdr) *)(const void *)crafted)->e_shoff);
    for (*symtab = all; (*symtab)->sh_type != SHT_SYMTAB;)
        ++*symtab;
    *strtab = &all[(*symtab)->sh_link];
    return size;
}

static int open_crafted(struct names *n, size_t size) {
    file_write("crafted", crafted, size);
    return names_open(n, "crafted", NULL, 0);
}

static void offsets_that_wrap_round_are_refused(void **state) {
    (void)state;
    struct names n;
    ElfW(Shdr) * symtab, *strtab;
    size_t size = craft(&symtab, &strtab);
    symtab->sh_offset = -4096UL;
    symtab->sh_size = 4096 + 240;
    assert_int_equal(open_crafted(&n, size), -ENODATA);
    craft(&symtab, &strtab);
    strtab->sh_size = -strtab->sh_offset + 64;
    assert_int_equal(open_crafted(&n, size), -ENODATA);
}

static void strings_without_an_end_are_refused(void **state) {
    (void)state;
    struct names n;
    ElfW(Shdr) * symtab, *strtab;
    size_t size = craft(&symtab, &strtab);
    crafted[strtab->sh_offset + strtab->sh_size - 1] = 'x';
    assert_int_equal(open_crafted(&n, size), -ENODATA);
}

static void a_symbol_with_a_huge_size_covers_nothing_below_it(void **state) {
    (void)state;
    struct names n;
    ElfW(Shdr) * symtab, *strtab;
    size_t size = craft(&symtab, &strtab);
    ElfW(Sym) *sym = (void *)(crafted + symtab->sh_offset);
    for (size_t i = 0; i < symtab->sh_size / sizeof *sym; i++)
        sym[i].st_size = UINT64_MAX;
    assert_int_equal(open_crafted(&n, size), 0);
    assert_unnamed(&n, 64);
    names_close(&n);
}

static void what_is_no_elf_file_is_refused(void **state) {
    (void)state;
    struct names n;
    run("mkfifo fifo && : >empty");
    assert_int_equal(names_open(&n, "missing", NULL, 0), -ENOENT);
    assert_int_equal(names_open(&n, "program/x", NULL, 0), -ENOTDIR);
    assert_int_equal(names_open(&n, fixture, NULL, 0), -ENOEXEC);
    assert_int_equal(names_open(&n, "empty", NULL, 0), -ENOEXEC);
    assert_int_equal(names_open(&n, "fifo", NULL, 0), -ENOEXEC);
    assert_int_equal(names_open(&n, dir, NULL, 0), -ENOEXEC);
}

static void foreign_elf_classes_are_refused(void **state) {
    (void)state;
    static uint8_t data[1 << 20];
    struct names n;
    size_t size = file_read("bare", data, sizeof data);
    data[EI_CLASS] = ELFCLASS32;
    file_write("foreign", data, size);
    assert_int_equal(names_open(&n, "foreign", NULL, 0), -ENOEXEC);
    data[EI_CLASS] = ELFCLASS64;
    data[EI_DATA] = ELFDATA2MSB;
    file_write("foreign", data, size);
    assert_int_equal(names_open(&n, "foreign", NULL, 0), -ENOEXEC);
}

static void a_file_without_symbols_says_so(void **state) {
    (void)state;
    struct names n;
    run("strip -s bare -o silent");
    assert_int_equal(names_open(&n, "silent", NULL, 0), -ENODATA);
}

static int is_mapped(const char *file) {
    char line[512];
    int found = 0;
    FILE *f = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, f))
        found |= strstr(line, file) != NULL;
    fclose(f);
    return found;
}

static void closing_leaves_neither_mapping_nor_descriptor(void **state) {
    (void)state;
    struct names n;
    int before = dup(0);
    close(before);
    open_ok(&n, "program");
    int during = dup(0);
    close(during);
    assert_int_equal(before, during);
    assert_true(is_mapped("/program"));
    names_close(&n);
    assert_false(is_mapped("/program"));
    names_close(&n); /* twice does no harm */
    uint8_t wrong[20] = {0};
    assert_int_equal(names_open(&n, "program", wrong, 20), -ESTALE);
    assert_false(is_mapped("/program"));
}

/* ---- build id notes ---- */

static void the_build_id_is_found_behind_other_notes(void **state) {
    (void)state;
    static const uint32_t notes[] = {4, 5, 1, 0x00554e47, 7,         7, /* an ABI tag, padded */
                                     4, 2, 3, 0x00554e47, 0x0000cdab};
    uint8_t id[20];
    assert_int_equal(names_build_id(notes, sizeof notes, id), 2);
    assert_int_equal(id[0], 0xab);
    assert_int_equal(id[1], 0xcd);
}

static void broken_notes_give_no_build_id(void **state) {
    (void)state;
    static const uint32_t long_desc[] = {4, UINT32_MAX, 3, 0x00554e47, 1};
    static const uint32_t long_name[] = {UINT32_MAX, UINT32_MAX, 3, 0x00554e47, 1};
    static const uint32_t other[] = {4, 4, 3, 0x00444d41, 1};
    uint8_t id[20];
    assert_int_equal(names_build_id(long_desc, sizeof long_desc, id), 0);
    assert_int_equal(names_build_id(long_name, sizeof long_name, id), 0);
    assert_int_equal(names_build_id(other, sizeof other, id), 0);
    assert_int_equal(names_build_id(other, 7, id), 0);
    assert_int_equal(names_build_id(NULL, 0, id), 0);
}

/* ---- loaded images ---- */

struct loaded {
    uintptr_t pc, bias; /* in: an address in the object */
    const uint8_t *image;
    size_t size;
};

static int loaded_match(struct dl_phdr_info *info, size_t size, void *arg) {
    (void)size;
    struct loaded *l = arg;
    uintptr_t low = UINTPTR_MAX, high = 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type != PT_LOAD)
            continue;
        uintptr_t at = info->dlpi_addr + p->p_vaddr;
        low = at < low ? at : low;
        high = at + p->p_memsz > high ? at + p->p_memsz : high;
    }
    if (l->pc < low || l->pc >= high)
        return 0;
    *l = (struct loaded){l->pc, info->dlpi_addr, (const uint8_t *)low, high - low};
    return 1;
}

static void check_loaded(const char *library, const char *function) {
    void *lib = dlopen(library, RTLD_LAZY | RTLD_NOLOAD);
    if (!lib)
        skip();
    struct loaded l = {.pc = (uintptr_t)dlsym(lib, function)};
    struct names n;
    assert_int_equal(dl_iterate_phdr(loaded_match, &l), 1);
    assert_int_equal(names_open_loaded(&n, l.image, l.size), 0);
    assert_named(&n, l.pc - l.bias + 1, function, 1);
    assert_unnamed(&n, l.size + 4096);
    names_close(&n);
    dlclose(lib);
}

static void the_loaded_libc_is_named_with_relocated_pointers(void **state) {
    (void)state;
    check_loaded("libc.so.6", "close");
    check_loaded("libc.so.6", "qsort");
}

static void the_vdso_is_named_with_unrelocated_pointers(void **state) {
    (void)state;
    if (!getauxval(AT_SYSINFO_EHDR))
        skip();
#if defined(__x86_64__)
    check_loaded("linux-vdso.so.1", "clock_gettime");
#else
    check_loaded("linux-vdso.so.1", "__kernel_clock_gettime");
#endif
}

static uint8_t memory[1 << 20];

/* Lays the segments of a file out as a loader would, without relocating; how many bytes. */
static size_t lay_out(const char *path) {
    static uint8_t data[1 << 20];
    size_t end = 0, size = file_read(path, data, sizeof data);
    const ElfW(Ehdr) *h = (const void *)data;
    const ElfW(Phdr) *p = (const void *)(data + h->e_phoff);
    memset(memory, 0, sizeof memory);
    for (; p < (const ElfW(Phdr) *)(const void *)(data + h->e_phoff) + h->e_phnum; p++)
        if (p->p_type == PT_LOAD) {
            assert_true(p->p_vaddr + p->p_memsz < sizeof memory && p->p_offset < size);
            memcpy(memory + p->p_vaddr, data + p->p_offset, p->p_filesz);
            end = p->p_vaddr + p->p_memsz > end ? p->p_vaddr + p->p_memsz : end;
        }
    return end;
}

static void check_hash(const char *library) {
    struct names n;
    size_t size = lay_out(library);
    assert_int_equal(names_open_loaded(&n, memory, size), 0);
    assert_named(&n, nm_address(library, "names_global") + 4, "names_global", 4);
    assert_named(&n, nm_address(library, "_start"), "_start", 0);
    assert_unnamed(&n, nm_address(library, "names_static"));
    names_close(&n);
}

static void both_kinds_of_hash_table_tell_the_count(void **state) {
    (void)state;
    check_hash("gnu.so");
    check_hash("sysv.so");
}

static void an_image_cut_short_is_refused(void **state) {
    (void)state;
    struct names n;
    size_t size = lay_out("gnu.so");
    assert_int_equal(names_open_loaded(&n, memory, 63), -ENOEXEC);
    assert_int_equal(names_open_loaded(&n, memory, 128), -ENODATA);
    assert_int_equal(names_open_loaded(&n, memory + 1, size - 1), -ENOEXEC);
}

/* ---- broken images: whatever happens, no crash; for the sanitizers to judge ---- */

static uint64_t seed = 88172645463325252U;

static uint32_t dice(uint32_t sides) { /* xorshift64, so that a failure can be repeated */
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 16) % sides;
}

/* Half of the flips hit the headers or the section table, where they hurt. */
static size_t mutate(uint8_t *data, size_t size, size_t tables) {
    size_t cut = dice(4) ? size : dice((uint32_t)size);
    for (unsigned flips = dice(4) == 0 ? 0 : 1 + dice(6); flips > 0; flips--) {
        size_t at = dice((uint32_t)size);
        if (dice(2))
            at = dice(2) ? at % 512 : tables + at % (size - tables);
        data[at] = (uint8_t)(dice(2) ? data[at] ^ 1U << dice(8) : dice(256));
    }
    return cut;
}

static void find_everywhere(const struct names *n, uint64_t around) {
    uint64_t into = 0, at[] = {0, 1, UINT64_MAX, UINT64_MAX >> 1, seed};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++)
        names_find(n, at[i], &into);
    for (uint64_t i = 0; i < 32; i++) {
        const char *name = names_find(n, around - 256 + 32 * i, &into);
        assert_true(!name || strlen(name) > 0);
    }
}

static void check_mutations(const char *file, int times) {
    static uint8_t data[1 << 20], broken[1 << 20];
    size_t size = file_read(file, data, sizeof data), opened = 0;
    const ElfW(Ehdr) *h = (const void *)data;
    for (int i = 0; i < times; i++) {
        struct names n;
        memcpy(broken, data, size);
        file_write("broken", broken, mutate(broken, size, h->e_shoff));
        if (names_open(&n, "broken", NULL, 0) != 0)
            continue;
        opened++;
        find_everywhere(&n, h->e_entry);
        names_close(&n);
    }
    /* the flips were neither too mild nor too bad */
    assert_true(opened > 0 && opened < (size_t)times);
}

static void broken_files_do_no_harm(void **state) {
    (void)state;
    run("cp program whole");
    build_mini("gnu.so", "packed", "");
    check_mutations("bare", 3000);
    check_mutations("packed", 1000);
    check_mutations("whole", 500);
}

static void check_loaded_mutations(const char *library) {
    size_t size = lay_out(library), opened = 0;
    for (int i = 0; i < 3000; i++) {
        struct names n;
        uint8_t *copy = malloc(size); /* exact, for the address sanitizer */
        memcpy(copy, memory, size);
        size_t cut = mutate(copy, size, size - 512);
        uint8_t *image = malloc(cut + 1);
        memcpy(image, copy, cut);
        free(copy);
        if (names_open_loaded(&n, image, cut) == 0 && ++opened)
            find_everywhere(&n, ((const ElfW(Ehdr) *)(const void *)memory)->e_entry);
        names_close(&n);
        free(image);
    }
    assert_true(opened > 0 && opened < 3000);
}

static void broken_loaded_images_do_no_harm(void **state) {
    (void)state;
    check_loaded_mutations("gnu.so");
    check_loaded_mutations("sysv.so");
}

/* ---- */

static int setup(void **state) {
    (void)state;
    const char *source = getenv("NAMES_FIXTURE");
    if (!realpath(source ? source : "tests/unit/names_fixture.c", fixture) || !mkdtemp(dir) ||
        chdir(dir) != 0)
        return -1;
    setenv("F", fixture, 1);
    setenv("CC_LIST", "gcc clang", 0);
    unsetenv("LD_PRELOAD");
    setenv("ASAN_OPTIONS", "detect_leaks=0", 0); /* of the children */
    xz_set();
    build();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    run("cd / && rm -rf %s", dir);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_is_named_whatever_the_compiler_did),
        cmocka_unit_test(of_several_names_the_plain_global_one_is_told),
        cmocka_unit_test(assembly_without_size_ends_at_the_next_symbol),
        cmocka_unit_test(assembly_without_size_ends_with_its_section),
        cmocka_unit_test(addresses_outside_of_code_have_no_name),
        cmocka_unit_test(a_stripped_program_names_its_exports_only),
        cmocka_unit_test(versions_are_not_part_of_a_name),
        cmocka_unit_test(debugdata_names_static_functions),
        cmocka_unit_test(an_export_keeps_its_name_beside_debugdata),
        cmocka_unit_test(debugdata_is_ignored_without_liblzma),
        cmocka_unit_test(debugdata_far_bigger_than_guessed_is_unpacked),
        cmocka_unit_test(debugdata_beyond_the_limit_is_ignored),
        cmocka_unit_test(debugdata_that_is_not_xz_is_ignored),
        cmocka_unit_test(a_replaced_file_is_stale),
        cmocka_unit_test(offsets_that_wrap_round_are_refused),
        cmocka_unit_test(strings_without_an_end_are_refused),
        cmocka_unit_test(a_symbol_with_a_huge_size_covers_nothing_below_it),
        cmocka_unit_test(what_is_no_elf_file_is_refused),
        cmocka_unit_test(foreign_elf_classes_are_refused),
        cmocka_unit_test(a_file_without_symbols_says_so),
        cmocka_unit_test(closing_leaves_neither_mapping_nor_descriptor),
        cmocka_unit_test(the_build_id_is_found_behind_other_notes),
        cmocka_unit_test(broken_notes_give_no_build_id),
        cmocka_unit_test(the_loaded_libc_is_named_with_relocated_pointers),
        cmocka_unit_test(the_vdso_is_named_with_unrelocated_pointers),
        cmocka_unit_test(both_kinds_of_hash_table_tell_the_count),
        cmocka_unit_test(an_image_cut_short_is_refused),
        cmocka_unit_test(broken_files_do_no_harm),
        cmocka_unit_test(broken_loaded_images_do_no_harm),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
