/* Unpacks .gnu_debugdata: an ELF file of its own, xz-compressed, that carries the .symtab which
 * stripping took from the image (Fedora's MiniDebugInfo). */
#ifndef PG_STACK_DEBUGDATA_H
#define PG_STACK_DEBUGDATA_H

#include <stddef.h>
#include <stdint.h>

/* The unpacked bytes in a mapping of *mapped bytes, zeros behind their end; the caller gives it
 * back with mem_unmap. NULL when names_set_xz was not called, the data is not xz, it needs more
 * than 64 MiB, or the kernel refuses memory. Async-signal-safe; needs about 2 KiB of stack,
 * liblzma's included. */
uint8_t *debugdata_unpack(const uint8_t *xz, size_t size, size_t *mapped);

#endif
