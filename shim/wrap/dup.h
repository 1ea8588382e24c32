/* What follows a duplicated descriptor, for the functions and for syscall(). */
#ifndef PG_WRAP_DUP_H
#define PG_WRAP_DUP_H

#include "wrap/wrap.h"

/* newfd (negative: the call failed) is a duplicate of oldfd. errno kept; returns newfd. */
int dup_after(int oldfd, int newfd);

/* Around a dup2() or dup3() over newfd. */
uint64_t dup_over_before(int oldfd, int newfd);
int dup_over_after(int oldfd, int newfd, uint64_t taken, int result);

#endif
