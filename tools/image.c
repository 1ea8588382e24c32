#include "image.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__x86_64__)
enum { OUR_MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { OUR_MACHINE = EM_AARCH64 };
#endif
enum { OUR_CLASS = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32 };

enum { SCRIPT_LINE = 256 }; /* BINPRM_BUF_SIZE: what the kernel reads of a #! line */

struct bytes {
    const char *data;
    size_t size;
};

/* A part of the bytes; empty when it does not lie inside. */
static struct bytes part(struct bytes b, uint64_t offset, uint64_t size) {
    if (offset > b.size || size > b.size - offset)
        return (struct bytes){"", 0};
    return (struct bytes){b.data + offset, (size_t)size};
}

/* Copies a structure out (nothing in a file need be aligned). False: it does not lie inside. */
static bool fetch(struct bytes b, uint64_t offset, void *to, size_t size) {
    struct bytes p = part(b, offset, size);
    if (p.size == size)
        memcpy(to, p.data, size);
    return p.size == size;
}

static void copy_text(char to[PATH_MAX], struct bytes from) {
    size_t n = strnlen(from.data, from.size < PATH_MAX ? from.size : PATH_MAX - 1);
    memcpy(to, from.data, n);
    to[n] = '\0';
}

/* --- ELF --- */

static uint64_t padded(uint64_t size) {
    return (size + 3) & ~UINT64_C(3);
}

/* The note that the Go linker writes: its name is "Go". Stripping leaves it. */
static bool has_go_note(struct bytes notes) {
    ElfW(Nhdr) n;
    uint64_t at = 0;
    for (; fetch(notes, at, &n, sizeof n); at += padded(n.n_descsz)) {
        at += sizeof n;
        if (n.n_namesz == 3 || n.n_namesz == 4) {
            struct bytes name = part(notes, at, 3);
            if (name.size && memcmp(name.data, "Go", 3) == 0)
                return true;
        }
        at += padded(n.n_namesz);
    }
    return false;
}

static void read_segments(struct image *image, struct bytes file, const ElfW(Ehdr) * e) {
    ElfW(Phdr) p;
    for (unsigned i = 0; i < e->e_phnum; i++) {
        if (!fetch(file, e->e_phoff + (uint64_t)i * e->e_phentsize, &p, sizeof p))
            return;
        if (p.p_type == PT_INTERP)
            copy_text(image->interpreter, part(file, p.p_offset, p.p_filesz));
        else if (p.p_type == PT_NOTE)
            image->go |= has_go_note(part(file, p.p_offset, p.p_filesz));
    }
}

/* Position-independent Go programs linked by the system's linker may keep the note out of the
 * segments; this section they have all the same. */
static bool has_go_section(struct bytes file, const ElfW(Ehdr) * e) {
    static const char wanted[] = ".go.buildinfo";
    ElfW(Shdr) names, s;
    uint64_t size = e->e_shentsize;
    if (!fetch(file, e->e_shoff + e->e_shstrndx * size, &names, sizeof names))
        return false;
    struct bytes text = part(file, names.sh_offset, names.sh_size);
    for (unsigned i = 0; i < e->e_shnum; i++) {
        if (!fetch(file, e->e_shoff + i * size, &s, sizeof s))
            return false;
        struct bytes name = part(text, s.sh_name, sizeof wanted);
        if (name.size && memcmp(name.data, wanted, sizeof wanted) == 0)
            return true;
    }
    return false;
}

static void read_elf(struct image *image, struct bytes file) {
    ElfW(Ehdr) e;
    image->kind = IMAGE_ELF;
    image->foreign = !fetch(file, 0, &e, sizeof e) || e.e_ident[EI_CLASS] != OUR_CLASS ||
                     e.e_machine != OUR_MACHINE;
    if (image->foreign)
        return;
    read_segments(image, file, &e);
    image->go |= has_go_section(file, &e);
}

/* --- scripts --- */

/* "#! /usr/bin/env python3 -u" as the kernel cuts it (fs/binfmt_script.c): an interpreter, and all
 * the rest as one argument. */
static void read_script(struct image *image, struct bytes file) {
    char line[SCRIPT_LINE + 1];
    size_t n = file.size - 2 < SCRIPT_LINE ? file.size - 2 : SCRIPT_LINE;
    memcpy(line, file.data + 2, n);
    line[n] = '\0';
    line[strcspn(line, "\n")] = '\0';
    char *word = line + strspn(line, " \t");
    size_t length = strcspn(word, " \t");
    char *rest = word + length + strspn(word + length, " \t");
    image->kind = IMAGE_SCRIPT;
    snprintf(image->interpreter, sizeof image->interpreter, "%.*s", (int)length, word);
    snprintf(image->argument, sizeof image->argument, "%s", rest);
}

static void read_bytes(struct image *image, struct bytes file) {
    image->kind = IMAGE_OTHER;
    if (file.size >= SELFMAG && memcmp(file.data, ELFMAG, SELFMAG) == 0)
        read_elf(image, file);
    else if (file.size >= 2 && memcmp(file.data, "#!", 2) == 0)
        read_script(image, file);
}

void image_read(const char *path, struct image *image) {
    struct stat st;
    memset(image, 0, sizeof *image);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        size_t size = (size_t)st.st_size;
        void *map = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
        if (map != MAP_FAILED)
            read_bytes(image, (struct bytes){map, size});
        else if (!size)
            image->kind = IMAGE_OTHER;
        if (map != MAP_FAILED)
            munmap(map, size);
    }
    close(fd);
}
