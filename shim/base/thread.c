#include "base/thread.h"

#include "base/live.h"

__thread struct thread_state self;
bool thread_quiet;

/* Set before the first vfork(); zero in whoever was forked since, with the flag of its parent. */
struct vforked {
    int set;
};
LIVE_TYPE(struct vforked, vforked);
static union live_vforked vforked;

void thread_enter_vfork(void) {
    if (!vforked.v.set)
        live_register(&vforked, sizeof vforked);
    vforked.v.set = 1;
    self.vfork_parent = thread_quiet ? 0 : (int)sys(SYS_getpid);
}

bool thread_is_vfork_child(void) {
    if ((int)sys(SYS_getpid) != self.vfork_parent && vforked.v.set)
        return true;
    self.vfork_parent = 0;
    return false;
}
