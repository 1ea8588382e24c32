/* Fingerprints: the same finding has the same one in every run, whatever the addresses, line
 * numbers, descriptors, process ids and times.
 *
 * FNV-1a, 64 bits, over texts with a '\0' behind each; libpoolguard(7) says which these are, for
 * tools that make their own. Async-signal-safe. */
#ifndef PG_REPORT_FINGERPRINT_H
#define PG_REPORT_FINGERPRINT_H

#include "report/symbols.h"

#define FINGERPRINT_START UINT64_C(0xcbf29ce484222325)
/* 16 hexadecimal digits. */
enum { FINGERPRINT_TEXT = 17 };

/* The fingerprint so far, with one more text. */
uint64_t fingerprint_add(uint64_t so_far, const char *text);
/* With one more frame of a stack: the name of its module's file and its function. */
uint64_t fingerprint_add_frame(uint64_t so_far, const struct frame_name *n);
/* With a port; those that the kernel hands out are not told apart. */
uint64_t fingerprint_add_port(uint64_t so_far, unsigned port);
const char *fingerprint_text(uint64_t fingerprint, char buf[FINGERPRINT_TEXT]);

#endif
