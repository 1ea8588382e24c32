/* Where state files lie: one directory a user, one file a process. */
#ifndef PG_STATE_PLACE_H
#define PG_STATE_PLACE_H

#include <stdint.h>

enum { PLACE_MAX = 320 };

/* The directory of a user's state files: `option` unless that is empty, else
 * /dev/shm/poolguard-UID. */
void place_directory(char path[PLACE_MAX], const char *option, uint32_t uid);
/* DIRECTORY/PID-NAMESPACE.box: two containers that share /dev/shm have equal pids. */
void place_file(char path[PLACE_MAX], const char *directory, int pid, uint64_t pid_namespace);
/* The pid and namespace that a file name says; 0 when it is no state file's. */
int place_pid(const char *file_name, uint64_t *pid_namespace);
/* The inode of /proc/self/ns/pid; 0 when /proc is not there. */
uint64_t place_pid_namespace(void);

/* Opens, and makes if need be, the user's directory: a directory that is ours and closed to others
 * (0700), not a symbolic link. A directory named by option need only be ours or writable for us.
 * A descriptor, or a negative errno; -EPERM when it is there but not safe. */
int place_open(const char *directory, uint32_t uid, int by_default);

/* Removes the files of dead processes of this namespace from an open directory: those that were
 * found dead more than an hour ago, and all of them when there are more than 256 files. A file
 * found dead for the first time is made read-only, which notes the time. */
void place_sweep(int directory, uint64_t pid_namespace);

#endif
