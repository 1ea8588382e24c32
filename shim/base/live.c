#include "base/live.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "base/sys.h"

enum { OBJECTS_MAX = 32 }; /* more than there are rooms */

static struct {
    void *object;
    size_t size;
} wiped_by_hand[OBJECTS_MAX];

static void wipe_in_child(void) {
    for (int i = 0; i < OBJECTS_MAX && wiped_by_hand[i].object; i++)
        memset(wiped_by_hand[i].object, 0, wiped_by_hand[i].size);
}

/* qemu-user before 8.0 answers 0 to any advice and does nothing: to one that there is not, too. */
static bool advise_wipe(void *object, size_t size) {
    return sys(SYS_madvise, object, size, -1) != 0 &&
           sys(SYS_madvise, object, size, MADV_WIPEONFORK) == 0;
}

void live_register(void *object, size_t size) {
    if (advise_wipe(object, size))
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
