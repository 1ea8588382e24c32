/* Connection records: filled, shared by descriptors, recycled. */
#ifndef PG_CONN_RECORD_H
#define PG_CONN_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "conn/fdtable.h"

/* What a new record is filled with; the rest starts as zero. */
struct record_facts {
    int fd;
    uint8_t state, direction;
    uint16_t flags;
    uint64_t inode, leak_after;
    uint32_t site;
    const struct addr *peer;
};

void record_begin_process(void);

/* A published record with one descriptor: the slot that names it, or FD_NONE when the table is
 * full. */
uint64_t record_open(const struct record_facts *f);

/* One more descriptor refers to it. False: it is gone. */
bool record_share(uint64_t slot);

/* The descriptor fd no longer refers to it; with the last one the record is free again. */
void record_close(uint64_t slot, int fd, uint32_t closing_stack);
static inline void record_release(uint64_t slot, int fd) {
    record_close(slot, fd, BOX_NONE);
}

/* The record in the life that the slot names, or NULL when that life is over. */
struct box_conn *record_of(uint64_t slot);
/* Has it a descriptor still? Not from the moment on at which its end begins. */
bool record_is_open(uint64_t slot);

#endif
