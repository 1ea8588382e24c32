/* Looking a function up in the symbol tables that names.c has found: one pass over each table, the
 * best of the symbols that cover the address. */
#include <elf.h>
#include <string.h>

#include "stack/names.h"

/* A symbol at or below the address, and how far below. */
struct found {
    const char *name; /* NULL: none */
    uint64_t into;
    bool local;
};

/* One search over all tables. Symbols with a size are believed first; a sizeless one counts only
 * when it is nearer than the start of every sized symbol, in whatever table: the tables of a
 * stripped file are each incomplete. */
struct search {
    uint64_t vaddr;
    struct found sized, sizeless;
    uint64_t sized_start; /* distance down to the nearest sized symbol that ends before vaddr */
    uint64_t nearest;     /* symbols further down than this matter only if they cover vaddr */
};

static size_t underscores(const char *s) {
    return strspn(s, "_");
}

static bool found_better(const struct found *a, const struct found *b) {
    if (!b->name || a->into != b->into)
        return !b->name || a->into < b->into;
    if (a->local != b->local)
        return b->local;
    bool a_versioned = strchr(a->name, '@') != NULL;
    if (a_versioned != (strchr(b->name, '@') != NULL))
        return !a_versioned;
    return underscores(a->name) < underscores(b->name);
}

static bool type_is_function(const Elf64_Sym *s) {
    unsigned type = ELF64_ST_TYPE(s->st_info);
    if (type == STT_NOTYPE) /* a global label of assembly; the local ones are noise ($x, .L1) */
        return ELF64_ST_BIND(s->st_info) != STB_LOCAL;
    return type == STT_FUNC || type == STT_GNU_IFUNC;
}

static bool section_covers(const struct names_table *t, const Elf64_Sym *s, uint64_t vaddr) {
    Elf64_Shdr h;
    if (!t->sections || s->st_shndx >= t->section_count)
        return false;
    memcpy(&h, t->sections + s->st_shndx * sizeof h, sizeof h);
    return (h.sh_flags & SHF_EXECINSTR) && vaddr >= h.sh_addr && vaddr - h.sh_addr < h.sh_size;
}

static void nearer(uint64_t *least, uint64_t into) {
    if (into < *least)
        *least = into;
}

static void search_symbol(struct search *s, const struct names_table *t, const Elf64_Sym *sym) {
    if (sym->st_value > s->vaddr || sym->st_shndx == SHN_UNDEF || !type_is_function(sym) ||
        sym->st_name >= t->strings_size || t->strings[sym->st_name] == '\0')
        return;
    struct found f = {.name = t->strings + sym->st_name,
                      .into = s->vaddr - sym->st_value,
                      .local = ELF64_ST_BIND(sym->st_info) == STB_LOCAL};
    if (f.into < sym->st_size) {
        if (found_better(&f, &s->sized))
            s->sized = f;
    } else if (sym->st_size > 0) {
        nearer(&s->sized_start, f.into);
        nearer(&s->nearest, f.into);
    } else if (section_covers(t, sym, s->vaddr)) {
        nearer(&s->nearest, f.into);
        if (found_better(&f, &s->sizeless))
            s->sizeless = f;
    }
}

/* The first test drops nearly all: the distance wraps round to a huge one for symbols above. */
static void search_table(struct search *s, const struct names_table *t) {
    for (size_t i = 0; i < t->count; i++) {
        Elf64_Sym sym;
        memcpy(&sym, t->syms + i * sizeof sym, sizeof sym);
        uint64_t into = s->vaddr - sym.st_value;
        if (into < sym.st_size || into <= s->nearest)
            search_symbol(s, t, &sym);
    }
}

/* A hit ends the search unless .dynsym, the last table, may know the same function better:
 * debugdata has only the local one of its names, .symtab may write it with a version. */
const char *names_find(const struct names *n, uint64_t vaddr, uint64_t *offset) {
    struct search s = {.vaddr = vaddr, .sized_start = UINT64_MAX, .nearest = vaddr};
    for (unsigned i = 0; i < n->tables; i++) {
        search_table(&s, &n->table[i]);
        if (s.sized.name && !s.sized.local && !strchr(s.sized.name, '@'))
            break;
    }
    bool sizeless = !s.sized.name && s.sizeless.into < s.sized_start;
    const struct found *f = sizeless ? &s.sizeless : &s.sized;
    if (f->name && offset)
        *offset = f->into;
    return f->name;
}
