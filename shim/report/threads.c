#include "report/threads.h"

#include <fcntl.h>
#include <string.h>

#include "base/numbers.h"
#include "base/proc.h"
#include "base/sys.h"

int thread_own_id(const char *pid, int tid) {
    char name[PROC_THREAD], text[1024];
    int own = 0;
    proc_thread(name, pid, tid);
    proc_read(name, "/status", -1, text, sizeof text);
    const char *ids = strstr(text, "\nNSpid:");
    for (const char *s = ids ? ids + 7 : ""; *s == '\t' || (*s >= '0' && *s <= '9'); s++)
        own = *s == '\t' ? 0 : own * 10 + (*s - '0');
    return own ? own : tid;
}

struct crowd {
    struct facts *f;
    const char *pid;
    int leader;   /* the thread that the process began with, as /proc has it; 0: not found */
    bool ended;   /* that one has: it stays until the process does */
    bool foreign; /* /proc is of another namespace than the process */
    struct numbers alive;
};

static void note_thread(int tid, void *arg) {
    struct crowd *c = arg;
    int own = c->foreign ? thread_own_id(c->pid, tid) : tid;
    if (own == c->f->view->header->pid)
        c->leader = tid;
    numbers_add(&c->alive, own);
}

static bool list(struct crowd *c) {
    numbers_free(&c->alive);
    return numbers_begin(&c->alive) && proc_threads(c->pid, note_thread, c);
}

/* The ids that the process's own threads have for themselves. */
static bool list_own(struct crowd *c) {
    if (!list(c))
        return false;
    c->foreign = !c->leader;
    return (!c->foreign || list(c)) && c->leader;
}

/* The leader's state and the number of threads, which stand 3rd and 20th in proc(5)'s stat, behind
 * a name that may hold anything. */
static void take_stat(struct crowd *c) {
    enum { STATE_TO_THREADS = 17 };
    char name[PROC_THREAD], text[512];
    proc_thread(name, c->pid, c->leader);
    proc_read(name, "/stat", -1, text, sizeof text);
    const char *s = strrchr(text, ')');
    if (!s || s[1] != ' ')
        return;
    s += 2;
    c->ended = *s == 'Z' || *s == 'X';
    for (int i = 0; i < STATE_TO_THREADS && s; i++) {
        s = strchr(s, ' ');
        s = s ? s + 1 : NULL;
    }
    for (; s && *s >= '0' && *s <= '9'; s++)
        c->f->threads = c->f->threads * 10 + (uint32_t)(*s - '0');
    if (c->f->threads && c->ended)
        c->f->threads--;
}

/* The list may have missed it. */
static bool is_there(const struct crowd *c, int tid) {
    char name[PROC_THREAD];
    proc_thread(name, c->pid, tid);
    int dir = proc_open(name, "", -1, O_PATH);
    if (dir >= 0)
        sys(SYS_close, dir);
    return dir >= 0;
}

static bool has_ended(const struct crowd *c, int tid) {
    if (tid == c->f->view->header->pid)
        return c->ended;
    return !numbers_has(&c->alive, tid) && (c->foreign || !is_there(c, tid));
}

/* A record without an inode was made when the thread's id could not be asked. */
static void find_openers(const struct crowd *c) {
    for (uint32_t i = 0; i < c->f->count; i++) {
        struct fact *x = &c->f->fact[i];
        x->opener_gone = x->inode && has_ended(c, x->thread);
    }
}

void threads_look(struct facts *f, const char *pid, const struct system_call *own) {
    struct crowd c = {.f = f, .pid = pid};
    if (!f->count)
        return;
    if (list_own(&c)) {
        take_stat(&c);
        find_openers(&c);
    }
    numbers_free(&c.alive);
    blocked_look(f, pid, c.foreign, own);
}
