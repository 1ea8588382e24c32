/* The C side of the assembly stubs (stubs-*.S). */
#ifndef PG_WRAP_STUBS_H
#define PG_WRAP_STUBS_H

/* Where the stubs jump to: copies of real.dlopen and real.syscall under names that assembly can
 * use.
 */
extern void *stub_real_dlopen __attribute__((visibility("hidden")));
extern void *stub_real_syscall __attribute__((visibility("hidden")));

/* vfork: marks the thread, returns the real function for the stub to jump to. */
void *stub_enter_vfork(void);

/* dlopen: notes that the loader is at work. */
void stub_enter_dlopen(void);

/* syscall: the stub jumps here for the numbers that concern descriptors, and to the real function
 * for all others. */
long stub_syscall(long nr, long a, long b, long c, long d, long e, long f);

#endif
