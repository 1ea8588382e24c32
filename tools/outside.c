#include "outside.h"

#include <stdio.h>
#include <string.h>

#include "report/threads.h"

static void take_socket(struct fact *x, struct socket_entry *e, const struct numbers *watched,
                        uint64_t now) {
    e->claimed = true;
    fact_set_tcp(x, e->tcp);
    x->local = e->local;
    x->unread = e->unread;
    fact_take_info(x, &e->info, now);
    for (uint32_t i = 0; i < e->fd_count && i < FACT_FDS; i++) {
        fact_add_fd(x, e->fds[i]);
        x->watched |= numbers_has(watched, e->fds[i]);
    }
    x->fd_count = e->fd_count;
}

/* A record without an inode (made under a seccomp filter) is known by its peer alone. */
static struct socket_entry *find_by_peer(struct sockets *s, const struct fact *x) {
    for (struct socket_entry *e = s->by_inode; e; e = e->hh.next)
        if (!e->claimed && e->is_tcp && addr_equal(&e->peer, &x->peer))
            return e;
    return NULL;
}

static void gather(struct facts *f, struct sockets *s, bool with_inode) {
    for (uint32_t i = 0; i < f->view->count[REGION_CONNS]; i++) {
        const struct box_conn *c = view_conn(f->view, i);
        if ((c->inode != 0) != with_inode)
            continue;
        struct fact *x = facts_of(f, i);
        if (!x)
            continue;
        struct socket_entry *e = with_inode ? sockets_find(s, x->inode) : find_by_peer(s, x);
        if (e && !e->claimed)
            take_socket(x, e, &s->watched, f->now);
        else
            facts_drop_last(f, i);
    }
}

void outside_gather(struct facts *f, struct sockets *s, int pid) {
    char name[16];
    gather(f, s, true);
    gather(f, s, false);
    facts_add_orphans(f);
    for (struct socket_entry *e = s->by_inode; e; e = e->hh.next)
        f->unseen += e->is_tcp && !e->claimed && e->tcp != TCP_IS_LISTEN && e->tcp != TCP_IS_CLOSE;
    f->unseen_known = true;
    f->holes |= s->has_uring ? FACT_HOLE_URING : 0;
    snprintf(name, sizeof name, "%d", pid);
    threads_look(f, name, NULL);
}

static uint8_t last_known_state(const struct fact *x) {
    if (x->state == CONN_FAILED || x->flags & CONN_RESET)
        return TCP_IS_CLOSE;
    if (x->state == CONN_CONNECTING)
        return TCP_IS_SYN_SENT;
    return x->flags & CONN_PEER_EOF ? TCP_IS_CLOSE_WAIT : TCP_IS_ESTABLISHED;
}

/* When the process ended is not written anywhere; the last thing that it did is. */
static uint64_t last_event(const struct facts *f) {
    uint64_t last = f->view->header->created;
    for (uint32_t i = 0; i < f->count; i++) {
        uint64_t used = fact_last_use(&f->fact[i]);
        last = used > last ? used : last;
    }
    return last;
}

void outside_gather_ended(struct facts *f) {
    for (uint32_t i = 0; i < f->view->count[REGION_CONNS]; i++) {
        struct fact *x = facts_of(f, i);
        if (!x)
            continue;
        x->tcp = last_known_state(x);
        x->waits_since = 0; /* what an earlier look saw may have been read since */
        int fd = atomic_load(&view_conn(f->view, i)->fd);
        if (fd >= 0)
            fact_add_fd(x, fd);
    }
    f->now = last_event(f);
    facts_add_orphans(f);
}
