/* Function names from ELF symbol tables: .symtab, .dynsym, and the .symtab inside .gnu_debugdata.
 *
 * Works inside a signal handler while the program holds any lock: no malloc, no loader call, raw
 * system calls, our own reading. Every offset of the file is checked: a file may be cut or
 * hostile. Also used by the command. */
#ifndef PG_STACK_NAMES_H
#define PG_STACK_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One ELF symbol table found in an image. */
struct names_table {
    const uint8_t *syms; /* Elf64_Sym, count of them */
    size_t count;
    const char *strings; /* the last byte is '\0' */
    size_t strings_size;
    const uint8_t *sections; /* Elf64_Shdr, section_count of them; NULL in a loaded image */
    size_t section_count;
};

/* An ELF image opened for looking names up. Opaque but for its size: lives in the caller. */
struct names {
    const uint8_t *map; /* file mapping, or NULL for a loaded image */
    size_t map_size;
    uint8_t *debugdata; /* unpacked .gnu_debugdata mapping, or NULL */
    size_t debugdata_size;
    struct names_table table[3]; /* most telling first */
    unsigned tables;
};

/* Opens the file at path (mapped, the descriptor closed before return). When id_len > 0 the file's
 * GNU build id must be the given one, so that a file replaced since the program started gives no
 * wrong names. 0, or a negative errno: -ENOENT and so on from open, -ENOEXEC not an ELF file of
 * ours, -ESTALE another build id, -ENODATA no symbols at all. */
int names_open(struct names *n, const char *path, const uint8_t *build_id, size_t id_len);

/* The same from an image as the loader mapped it (the .dynsym that PT_DYNAMIC points to): for the
 * vDSO and for files that cannot be opened any more. `image` is the address of its ELF header,
 * `size` how many bytes from there are mapped. The caller guarantees that it stays mapped. */
int names_open_loaded(struct names *n, const void *image, size_t size);

/* The function that contains the ELF virtual address (file's, without load bias): its name, and how
 * far into it the address is (offset may be NULL). NULL when no function symbol covers it. A symbol
 * without a size (assembly) covers up to the next function symbol or the end of its section, when
 * none with a size covers the address; in a loaded image, which has no sections, it covers nothing:
 * no name rather than a wrong one. Among several at one address: global before local, then the
 * fewest leading underscores (close, not __close). Versions ("@GLIBC_2.2.5") are not part of the
 * name as long as the image has its .dynsym. The name points into the image. */
const char *names_find(const struct names *n, uint64_t vaddr, uint64_t *offset);

void names_close(struct names *n);

/* The GNU build id note in a run of ELF notes: its length copied to id (at most 20), 0: none. */
size_t names_build_id(const void *notes, size_t size, uint8_t id[20]);

/* Gives the address of liblzma's lzma_stream_buffer_decode, which unpacks .gnu_debugdata. NULL
 * until set: then that section is ignored. poolguard does not link liblzma; libunwind usually has
 * it loaded. It is called with an allocator of ours over mem_map, so it may run in a signal
 * handler. Call this once, at start, before names_open. */
void names_set_xz(void *lzma_stream_buffer_decode_fn);

#endif
