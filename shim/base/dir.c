#include "base/dir.h"

#include <stdint.h>
#include <unistd.h>

#include "base/sys.h"

struct kernel_dirent { /* getdents64(2) */
    uint64_t ino;
    int64_t off;
    uint16_t len;
    uint8_t type;
    char name[];
};

bool dir_each(int dir, void (*visit)(const char *, void *), void *arg) {
    char buf[1024] __attribute__((aligned(8)));
    long n;
    sys(SYS_lseek, dir, 0, SEEK_SET);
    while ((n = sys(SYS_getdents64, dir, buf, sizeof buf)) > 0) {
        for (long at = 0; at < n;) {
            struct kernel_dirent *d = (struct kernel_dirent *)(void *)(buf + at);
            at += d->len;
            visit(d->name, arg);
        }
    }
    return n == 0;
}
