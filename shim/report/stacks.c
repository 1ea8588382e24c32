#include "report/stacks.h"

/* Adds a stack if there is such a record; returns how many there are now. */
static unsigned add(struct shown_stack *to, unsigned n, const struct report *r,
                    const struct shown_stack *s) {
    if (view_stack(r->facts.view, s->stack))
        to[n++] = *s;
    return n;
}

static const char *opening_call(const struct fact *x) {
    if (x->flags & CONN_RECEIVED)
        return "recvmsg";
    return x->direction == CONN_INBOUND ? "accept" : "connect";
}

unsigned stacks_of_group(struct shown_stack to[STACKS_SHOWN], const struct report *r,
                         const struct group *g) {
    const struct fact *x = &r->facts.fact[g->first];
    struct shown_stack opened = {"opened", "opened", opening_call(x), g->stack};
    struct shown_stack freed = {"TLS object freed", "freed",
                                x->tls.made_by == TLS_GNUTLS ? "gnutls_deinit" : "SSL_free",
                                x->tls.freeing_stack};
    struct shown_stack closed = {"socket closed", "closed", "close", x->tls.closing_stack};
    unsigned n = add(to, 0, r, &opened);
    if (g->verdict == VERDICT_TLS_FREED)
        n = add(to, n, r, &freed);
    if (g->verdict == VERDICT_TLS_ORPHAN)
        n = add(to, n, r, &closed);
    return n;
}

unsigned stacks_of_double_close(struct shown_stack to[STACKS_SHOWN], const struct report *r,
                                const struct box_double_close *d) {
    const struct box_site *s = view_site(r->facts.view, d->site);
    bool inbound = s && s->direction == CONN_INBOUND;
    struct shown_stack opened = {"opened", "opened", inbound ? "accept" : "connect",
                                 s ? s->stack : BOX_NONE};
    struct shown_stack closed = {"closed", "closed", "close", d->closed};
    struct shown_stack again = {"closed again", "closed_again", "close", d->again};
    unsigned n = add(to, 0, r, &opened);
    n = add(to, n, r, &closed);
    return add(to, n, r, &again);
}

unsigned stacks_of_exhausted(struct shown_stack to[STACKS_SHOWN], const struct report *r) {
    struct shown_stack asked = {"last asked for", "asked", "socket or accept",
                                atomic_load(&r->facts.view->header->exhausted_stack)};
    return add(to, 0, r, &asked);
}
