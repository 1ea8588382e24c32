/* Function names from ELF symbol tables.
 *
 * The idea: map the file, find up to three tables in it (.symtab, or the one packed away in
 * .gnu_debugdata, and .dynsym), remember where they are, unmap on close. Nothing is sorted or
 * copied: a report asks for a few dozen addresses, and one pass over even 150 000 symbols takes
 * less than a millisecond.
 *
 * The file is not ours and may be anything. Each structure is copied out of the mapping by
 * bytes_read or reached through bytes_at, the only two places that turn an offset into an address;
 * both check it against the size. What stays open: a file that is cut after it was mapped raises
 * SIGBUS when read, and one rewritten in place may lose the '\0' that ends its strings. Package
 * managers do neither (they rename a new file over the old one), so we accept it. */
#include "stack/names.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/sys.h"
#include "stack/debugdata.h"

struct bytes {
    const uint8_t *at;
    size_t size;
};

static const uint8_t *bytes_at(struct bytes b, uint64_t offset, uint64_t size) {
    return offset <= b.size && size <= b.size - offset ? b.at + offset : NULL;
}

static bool bytes_read(struct bytes b, uint64_t offset, void *to, size_t size) {
    const uint8_t *p = bytes_at(b, offset, size);
    if (p)
        memcpy(to, p, size);
    return p != NULL;
}

/* ---- headers ---- */

struct elf {
    struct bytes image;
    struct bytes segments; /* the Elf64_Phdr array; empty when missing or broken */
    struct bytes sections; /* the Elf64_Shdr array, the same */
    unsigned name_section;
};

static bool segment_get(const struct elf *e, size_t i, Elf64_Phdr *to) {
    return bytes_read(e->segments, i * sizeof *to, to, sizeof *to);
}

static bool section_get(struct bytes sections, size_t i, Elf64_Shdr *to) {
    return i < sections.size / sizeof *to && bytes_read(sections, i * sizeof *to, to, sizeof *to);
}

static struct bytes array_at(struct bytes image, uint64_t offset, uint64_t count, size_t each) {
    const uint8_t *p = count <= image.size / each ? bytes_at(image, offset, count * each) : NULL;
    return (struct bytes){p, p ? count * each : 0};
}

/* Files with very many sections keep the true counts in section 0 (elf(5), e_shnum). */
static void elf_sections(struct elf *e, const Elf64_Ehdr *h) {
    Elf64_Shdr first;
    if (h->e_shoff == 0 || h->e_shentsize != sizeof first ||
        !bytes_read(e->image, h->e_shoff, &first, sizeof first))
        return;
    uint64_t count = h->e_shnum ? h->e_shnum : first.sh_size;
    e->sections = array_at(e->image, h->e_shoff, count, sizeof first);
    e->name_section = h->e_shstrndx == SHN_XINDEX ? first.sh_link : h->e_shstrndx;
}

/* Whether it is an ELF file of the kind we read; then *e knows its segments. */
static bool elf_open(struct elf *e, struct bytes image, Elf64_Ehdr *h) {
    *e = (struct elf){.image = image};
    if (!bytes_read(image, 0, h, sizeof *h) || memcmp(h->e_ident, ELFMAG, SELFMAG) != 0 ||
        h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB ||
        (h->e_type != ET_DYN && h->e_type != ET_EXEC))
        return false;
    if (h->e_phentsize == sizeof(Elf64_Phdr))
        e->segments = array_at(image, h->e_phoff, h->e_phnum, sizeof(Elf64_Phdr));
    return true;
}

/* ---- tables of a file ---- */

static void names_add(struct names *n, struct names_table t) {
    if (t.count > 0 && t.strings_size > 0 && t.strings[t.strings_size - 1] == '\0')
        n->table[n->tables++] = t;
}

static struct bytes section_bytes(const struct elf *e, const Elf64_Shdr *s) {
    if (s->sh_type == SHT_NOBITS)
        return (struct bytes){NULL, 0};
    return array_at(e->image, s->sh_offset, s->sh_size, 1);
}

static bool section_find(const struct elf *e, uint32_t type, Elf64_Shdr *s) {
    for (size_t i = 0; section_get(e->sections, i, s); i++)
        if (s->sh_type == type)
            return true;
    return false;
}

static void table_add(struct names *n, const struct elf *e, uint32_t type) {
    Elf64_Shdr s, link;
    if (!section_find(e, type, &s) || s.sh_entsize != sizeof(Elf64_Sym) ||
        !section_get(e->sections, s.sh_link, &link))
        return;
    struct bytes syms = section_bytes(e, &s), strings = section_bytes(e, &link);
    names_add(n, (struct names_table){.syms = syms.at,
                                      .count = syms.size / sizeof(Elf64_Sym),
                                      .strings = (const char *)strings.at,
                                      .strings_size = strings.size,
                                      .sections = e->sections.at,
                                      .section_count = e->sections.size / sizeof(Elf64_Shdr)});
}

static struct bytes debugdata_find(const struct elf *e) {
    static const char name[] = ".gnu_debugdata";
    Elf64_Shdr s;
    if (!section_get(e->sections, e->name_section, &s))
        return (struct bytes){NULL, 0};
    struct bytes strings = section_bytes(e, &s);
    for (size_t i = 0; section_get(e->sections, i, &s); i++) {
        const uint8_t *p = bytes_at(strings, s.sh_name, sizeof name);
        if (p && memcmp(p, name, sizeof name) == 0)
            return section_bytes(e, &s);
    }
    return (struct bytes){NULL, 0};
}

static void debugdata_add(struct names *n, const struct elf *e) {
    struct bytes packed = debugdata_find(e);
    if (packed.size == 0)
        return;
    n->debugdata = debugdata_unpack(packed.at, packed.size, &n->debugdata_size);
    struct elf inner;
    Elf64_Ehdr h;
    if (n->debugdata && elf_open(&inner, (struct bytes){n->debugdata, n->debugdata_size}, &h)) {
        elf_sections(&inner, &h);
        table_add(n, &inner, SHT_SYMTAB);
    }
}

size_t names_build_id(const void *notes, size_t size, uint8_t id[20]) {
    struct bytes b = {notes, size};
    Elf64_Nhdr h;
    for (uint64_t at = 0; bytes_read(b, at, &h, sizeof h);) {
        uint64_t name = at + sizeof h;
        uint64_t desc = name + (((uint64_t)h.n_namesz + 3) & ~3ULL);
        at = desc + (((uint64_t)h.n_descsz + 3) & ~3ULL);
        size_t len = h.n_descsz < 20 ? h.n_descsz : 20;
        char owner[4];
        if (h.n_type == NT_GNU_BUILD_ID && h.n_namesz == sizeof owner &&
            bytes_read(b, name, owner, sizeof owner) && memcmp(owner, "GNU", sizeof owner) == 0 &&
            bytes_read(b, desc, id, len))
            return len;
    }
    return 0;
}

static bool build_id_is(const struct elf *e, const uint8_t *want, size_t want_len) {
    Elf64_Phdr p;
    uint8_t id[20];
    for (size_t i = 0; segment_get(e, i, &p); i++) {
        const uint8_t *notes = bytes_at(e->image, p.p_offset, p.p_filesz);
        if (p.p_type != PT_NOTE || !notes)
            continue;
        size_t len = names_build_id(notes, p.p_filesz, id);
        if (len > 0)
            return len == want_len && memcmp(id, want, len) == 0;
    }
    return false;
}

/* ---- opening a file ---- */

static int file_map(struct names *n, int fd) {
    struct stat st;
    long ret = sys(SYS_fstat, fd, &st);
    if (ret < 0)
        return (int)ret;
    if (!S_ISREG(st.st_mode) || st.st_size < (off_t)sizeof(Elf64_Ehdr))
        return -ENOEXEC;
    ret = sys(SYS_mmap, 0, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (ret < 0 && ret > -4096)
        return (int)ret;
    n->map = (const uint8_t *)ret; // NOLINT(performance-no-int-to-ptr): the kernel's answer
    n->map_size = (size_t)st.st_size;
    return 0;
}

static int file_open(struct names *n, const char *path) {
    long fd;
    do /* O_NONBLOCK: the path may have become a FIFO */
        fd = sys(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    while (fd == -EINTR);
    if (fd < 0)
        return (int)fd;
    int ret = file_map(n, (int)fd);
    sys(SYS_close, fd);
    return ret;
}

static int file_parse(struct names *n, const uint8_t *build_id, size_t id_len) {
    struct elf e;
    Elf64_Ehdr h;
    if (!elf_open(&e, (struct bytes){n->map, n->map_size}, &h))
        return -ENOEXEC;
    if (id_len > 0 && !build_id_is(&e, build_id, id_len))
        return -ESTALE;
    elf_sections(&e, &h);
    table_add(n, &e, SHT_SYMTAB);
    if (n->tables == 0)
        debugdata_add(n, &e);
    table_add(n, &e, SHT_DYNSYM);
    return n->tables > 0 ? 0 : -ENODATA;
}

int names_open(struct names *n, const char *path, const uint8_t *build_id, size_t id_len) {
    *n = (struct names){0};
    int ret = file_open(n, path);
    if (ret == 0)
        ret = file_parse(n, build_id, id_len);
    if (ret < 0)
        names_close(n);
    return ret;
}

void names_close(struct names *n) {
    if (n->map)
        sys(SYS_munmap, n->map, n->map_size);
    mem_unmap(n->debugdata, n->debugdata_size);
    *n = (struct names){0};
}

/* ---- opening a loaded image ---- */

struct dynamic {
    uint64_t base; /* ELF virtual address of the image's first byte */
    uint64_t symtab, strtab, strsz, hash, gnu_hash;
};

/* glibc's loader replaces the virtual addresses in the dynamic section by real ones, in most
 * objects; the vDSO's section it cannot write, and musl writes none. */
static uint64_t dynamic_offset(const struct dynamic *d, struct bytes image, uint64_t ptr) {
    uint64_t start = (uintptr_t)image.at;
    return ptr >= start ? ptr - start : ptr - d->base;
}

static void dynamic_take(struct dynamic *d, const Elf64_Dyn *entry) {
    uint64_t v = entry->d_un.d_val;
    switch (entry->d_tag) {
    case DT_SYMTAB: d->symtab = v; break;
    case DT_STRTAB: d->strtab = v; break;
    case DT_STRSZ: d->strsz = v; break;
    case DT_HASH: d->hash = v; break;
    case DT_GNU_HASH: d->gnu_hash = v; break;
    default: break;
    }
}

static bool segment_find(const struct elf *e, uint32_t type, Elf64_Phdr *p) {
    for (size_t i = 0; segment_get(e, i, p); i++)
        if (p->p_type == type)
            return true;
    return false;
}

static bool dynamic_read(struct dynamic *d, const struct elf *e) {
    Elf64_Phdr load, dyn;
    if (!segment_find(e, PT_LOAD, &load) || !segment_find(e, PT_DYNAMIC, &dyn))
        return false;
    *d = (struct dynamic){.base = load.p_vaddr - load.p_offset};
    const uint8_t *p = bytes_at(e->image, dyn.p_vaddr - d->base, dyn.p_memsz);
    Elf64_Dyn entry;
    for (uint64_t at = 0; p; at += sizeof entry) {
        if (!bytes_read((struct bytes){p, dyn.p_memsz}, at, &entry, sizeof entry) ||
            entry.d_tag == DT_NULL)
            break;
        dynamic_take(d, &entry);
    }
    return d->symtab && d->strtab;
}

static uint32_t word_at(struct bytes b, uint64_t offset) {
    uint32_t v;
    return bytes_read(b, offset, &v, sizeof v) ? v : 0;
}

/* A GNU hash table does not say how many symbols there are: the chain of the highest bucket ends
 * at the last one (its words are hashes, with bit 0 set in the last of a chain). */
static size_t gnu_hash_count(struct bytes image, uint64_t at) {
    struct {
        uint32_t buckets, first, bloom_words, bloom_shift;
    } h;
    if (!bytes_read(image, at, &h, sizeof h))
        return 0;
    uint64_t bucket = at + sizeof h + h.bloom_words * 8ULL, chain = bucket + h.buckets * 4ULL;
    if (!bytes_at(image, bucket, h.buckets * 4ULL))
        return 0;
    uint64_t last = 0;
    for (; bucket < chain; bucket += 4)
        if (word_at(image, bucket) > last)
            last = word_at(image, bucket);
    if (last < h.first)
        return h.first;
    for (uint64_t link = chain + (last - h.first) * 4; bytes_at(image, link, 4); link += 4, last++)
        if (word_at(image, link) & 1)
            return last + 1;
    return 0;
}

static size_t symbol_count(const struct dynamic *d, struct bytes image) {
    size_t n = d->gnu_hash ? gnu_hash_count(image, dynamic_offset(d, image, d->gnu_hash)) : 0;
    if (n == 0 && d->hash) /* nbucket, nchain: as many chain words as symbols */
        n = word_at(image, dynamic_offset(d, image, d->hash) + 4);
    return n;
}

int names_open_loaded(struct names *n, const void *image, size_t size) {
    *n = (struct names){0};
    struct elf e;
    struct dynamic d;
    Elf64_Ehdr h;
    if (!elf_open(&e, (struct bytes){image, size}, &h))
        return -ENOEXEC;
    if (!dynamic_read(&d, &e))
        return -ENODATA;
    struct bytes syms = array_at(e.image, dynamic_offset(&d, e.image, d.symtab),
                                 symbol_count(&d, e.image), sizeof(Elf64_Sym));
    struct bytes strings = array_at(e.image, dynamic_offset(&d, e.image, d.strtab), d.strsz, 1);
    names_add(n, (struct names_table){.syms = syms.at,
                                      .count = syms.size / sizeof(Elf64_Sym),
                                      .strings = (const char *)strings.at,
                                      .strings_size = strings.size});
    return n->tables > 0 ? 0 : -ENODATA;
}
