#include "base/live.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "base/sys.h"

enum { OBJECTS_MAX = 8 };

static struct {
    void *object;
    size_t size;
} wiped_by_hand[OBJECTS_MAX];

static void wipe_in_child(void) {
    for (int i = 0; i < OBJECTS_MAX && wiped_by_hand[i].object; i++)
        memset(wiped_by_hand[i].object, 0, wiped_by_hand[i].size);
}

void live_register(void *object, size_t size) {
    if (sys(SYS_madvise, object, size, MADV_WIPEONFORK) == 0)
        return;
    for (int i = 0; i < OBJECTS_MAX; i++) {
        if (wiped_by_hand[i].object == object)
            return;
        if (!wiped_by_hand[i].object) {
            wiped_by_hand[i].object = object;
            wiped_by_hand[i].size = size;
            if (i == 0)
                pthread_atfork(NULL, NULL, wipe_in_child);
            return;
        }
    }
}
