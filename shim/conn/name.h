/* Names: texts as records of the state file, and what the program has resolved. */
#ifndef PG_CONN_NAME_H
#define PG_CONN_NAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "state/layout.h"

void name_begin_process(void);

/* The record of a text as it is (a cipher, a protocol), new at first sight; BOX_NONE when it is
 * empty or too long, or the table full. Ready; any thread, async-signal-safe, as all of this. */
uint32_t name_find(const char *text, size_t n);

/* The record of a host's name, in lower case and without the dot of the root; BOX_NONE for what is
 * no name (RFC 1123, 2.1): an address, or text with other characters. */
uint32_t name_of_host(const char *text, size_t n);

/* The same for a name that came from a peer or with the program's traffic, which may bring any
 * number of them: BOX_NONE for new ones when there were too many. */
uint32_t name_from_peer(const char *text, size_t n);

/* The program has resolved `text` to this address. Kept in memory of our own, which forked children
 * share the knowledge of. Does not need a process that is set up. */
void name_resolved(const char *text, const struct addr *a);

/* A host's name in memory of our own, where it stays; NULL: no name, or too many. Does not need a
 * process that is set up. */
const char *name_keep(const char *text, size_t n);

/* The name that the address was resolved from: by the calling thread's latest resolution if that
 * gave it, else by the latest one of any thread. BOX_NONE: from none. Ready. */
uint32_t name_of_addr(const struct addr *a);

#endif
