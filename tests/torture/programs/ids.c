/* What a process may do to itself only under conditions that a guard could spoil: each line says
 * what came of it. PORT userns|setns|setuid|capset */
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>

#include "torture.h"

enum { THREADS = 3 };
static pthread_barrier_t changed, seen;

static void tell(const char *what, long result) {
    dprintf(1, "%s: %ld %s\n", what, result, result < 0 ? strerror(errno) : "");
}

static void *be_changed(void *unused) {
    dial();
    pthread_barrier_wait(&seen);
    pthread_barrier_wait(&changed);
    dial();
    tell("uid of a thread", syscall(SYS_getuid));
    pthread_barrier_wait(&seen);
    return unused;
}

static void change_user(void) {
    pthread_t thread;
    pthread_barrier_init(&changed, NULL, THREADS + 1);
    pthread_barrier_init(&seen, NULL, THREADS + 1);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&thread, NULL, be_changed, NULL);
    pthread_barrier_wait(&seen);
    tell("setgid", setgid(65534));
    tell("setuid", setuid(65534));
    pthread_barrier_wait(&changed);
    pthread_barrier_wait(&seen);
    tell("setuid back", setuid(0));
}

static void enter_namespaces(void) {
    static const char *const name[] = {"mnt", "net", "uts", "user"};
    char path[64];
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "/proc/self/ns/%s", name[i]);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        tell(name[i], setns(fd, 0));
        close(fd);
    }
}

static void drop_capabilities(void) {
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {{0}, {0}};
    tell("capset", syscall(SYS_capset, &head, none));
    tell("setuid without capabilities", setuid(65534));
}

int main(int argc, char **argv) {
    const char *mode = begin(argc, argv);
    dial();
    if (is(mode, "userns"))
        tell("unshare", unshare(CLONE_NEWUSER));
    else if (is(mode, "setns"))
        enter_namespaces();
    else if (is(mode, "setuid"))
        change_user();
    else
        drop_capabilities();
    dial();
    ready();
    return 0;
}
