/* This process's own state file, as the rooms of the library share it. Set up by conn/process.c
 * before anything is recorded; in a forked child it still shows the parent's until the child has
 * set up its own, so only code behind process_ready() may touch it. */
#ifndef PG_STATE_MINE_H
#define PG_STATE_MINE_H

#include "state/box.h"

extern struct box mine;

#endif
