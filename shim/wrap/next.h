/* dlsym(RTLD_NEXT) that can be asked anywhere. */
#ifndef PG_WRAP_NEXT_H
#define PG_WRAP_NEXT_H

#include <link.h>

/* The function of that name in the first object after ours in the loader's order, as dlsym(3) finds
 * it: another preload's that comes after us, or libc's. NULL: nobody has it. Takes no lock and
 * allocates nothing: any thread, signal handlers, the child of fork() or vfork(), before any
 * constructor. */
void *next_function(const char *name);

/* Our own object. */
const struct link_map *next_us(void);

#endif
