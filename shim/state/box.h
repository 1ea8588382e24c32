/* The producer of the state file: creates it, grows it, hands out records. */
#ifndef PG_STATE_BOX_H
#define PG_STATE_BOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/thread.h"
#include "state/layout.h"

/* The mapping of this process's state file. The regions' addresses never change once set. */
struct box {
    struct box_header *header;
    struct box_module *modules;
    struct box_name *names;
    struct box_host *hosts;
    struct box_stack *stacks;
    struct box_site *sites;
    struct box_conn *conns;
    struct box_tls *tls;
    struct box_http *http;
    struct box_use *uses;
    struct box_double_close *double_closes;
    bool is_file; /* false: private memory, nobody outside can read it */
};

struct box_setup {
    const char *state_dir; /* "": the default; "off": private memory */
    const char *program;   /* path of the executable */
    const char *suppressions;
    /* The options of the same names (base/options.def). */
    uint64_t leak_after, churn_within, churn_min, undrained_min, mismatch_min;
};

/* Creates the state file, or private memory where there is no place for one, into *b. Complaints
 * that the user must know go through `complain` as one line. False when not even private memory was
 * to be had. Raw system calls only; leaves no descriptor behind. */
bool box_create(struct box *b, const struct box_setup *s, void (*complain)(const char *line));

/* A new record of a region: its index, zeroed and backed by memory, or BOX_NONE when the region is
 * full. Any thread, async-signal-safe. */
uint32_t box_record(struct box *b, unsigned region);

/* Backs the first n records of each region with memory now, so that later events need no system
 * call: for a process that is about to put itself under a seccomp filter. */
void box_reserve(struct box *b, uint32_t n);

/* Takes the file's name away: the process ended in order and nobody asked to keep it. */
void box_unlink(const struct box *b);

/* Unmaps a box that this process does not own (a forked child: its parent's). */
void box_unmap(struct box *b);

#endif
