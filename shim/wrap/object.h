/* Loaded objects, read as they lie there: their symbols, names, needs and bindings (gABI, "Dynamic
 * Linking"; the GNU hash table as in glibc's elf/dl-lookup.c). No lock and no memory: any thread,
 * signal handlers, the child of fork() or vfork(), before any constructor. The caller sees to it
 * that the object stays loaded meanwhile. */
#ifndef PG_WRAP_OBJECT_H
#define PG_WRAP_OBJECT_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>

/* The function of that name that the object defines, in the version that new programs are linked
 * to; NULL: none. */
void *object_function(const struct link_map *map, const char *name);

/* Are its calls of its own exports bound inside of it (DF_SYMBOLIC)? */
bool object_is_symbolic(const struct link_map *map);

/* Is this its file's name, or its DT_SONAME? */
bool object_is_named(const struct link_map *map, const char *name);

/* Its n-th DT_NEEDED, NULL: it has no more. */
const char *object_needs(const struct link_map *map, size_t n);

/* The object that the loader has bound one of its undefined symbols with that prefix to, if is_it
 * says so; NULL: none is bound yet, or to no such object. */
const struct link_map *object_bound_to(const struct link_map *map, const char *prefix,
                                       bool (*is_it)(const struct link_map *));

#endif
