/* FILE: what stands in a state file of HTTP. Says how many records of exchanges are in use, how
 * many of those belong to no connection any more, how many there ever were; and of all call sites
 * together, how many connections spoke HTTP, with how many requests, and how each ended. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "state/layout.h"

static const char *file;

static const void *region(unsigned which, uint32_t *count) {
    const struct box_region *r = &((const struct box_header *)(const void *)file)->region[which];
    *count = r->count;
    return file + r->offset;
}

static void say_records(void) {
    uint32_t count, held = 0, nobodys = 0;
    const struct box_http *h = region(REGION_HTTP, &count);
    for (uint32_t i = 0; i < count; i++) {
        held += h[i].life.holders != 0;
        nobodys += h[i].life.holders != 0 && h[i].conn == 0;
    }
    printf("held %u nobodys %u records %u", held, nobodys, count);
}

static void say_uses(void) {
    uint64_t conns = 0, requests = 0, ended[USE_ENDS] = {0};
    uint32_t count;
    const struct box_use *u = region(REGION_USES, &count);
    for (uint32_t i = 0; i < count; i++) {
        conns += u[i].conns;
        requests += u[i].requests;
        for (int e = 0; e < USE_ENDS; e++)
            ended[e] += u[i].ended[e];
    }
    printf(" conns %lu requests %lu", conns, requests);
    static const char *const name[USE_ENDS] = {"request-close", "response-close", "server-closed",
                                               "undrained",     "unused",         "unanswered",
                                               "failed"};
    for (int e = 0; e < USE_ENDS; e++)
        printf(" %s %lu", name[e], ended[e]);
    printf("\n");
}

int main(int argc, char **argv) {
    struct stat st;
    int fd = argc > 1 ? open(argv[1], O_RDONLY) : -1;
    if (fd < 0 || fstat(fd, &st) != 0)
        return 1;
    file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (file == MAP_FAILED)
        return 1;
    say_records();
    say_uses();
    return 0;
}
