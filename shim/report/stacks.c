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

struct shown_stack stack_of_last_use(const struct fact *x) {
    bool in = x->last_in >= x->last_out && x->used_in.call;
    const struct fact_use *u = in ? &x->used_in : &x->used_out;
    return (struct shown_stack){.title = "last used",
                                .name = "last_used",
                                .call = in ? "read" : "write",
                                .stack = u->call ? u->stack : BOX_NONE,
                                .nth = u->call,
                                .of = (uint32_t)(in ? x->calls_in : x->calls_out),
                                .by_chance = true};
}

static unsigned stacks_of_site(struct shown_stack to[STACKS_SHOWN], const struct report *r,
                               const struct group *g) {
    const struct box_use *u = view_use(r->facts.view, g->use);
    bool undrained = g->verdict == VERDICT_CLOSED_UNDRAINED;
    struct shown_stack opened = {.title = "opened", .name = "opened", .call = "connect"};
    struct shown_stack closed = {
        .title = "last closed", .name = "closed", .call = "close", .by_chance = true};
    opened.stack = g->stack;
    closed.stack = atomic_load_explicit(undrained ? &u->undrained_stack : &u->closing_stack,
                                        memory_order_relaxed);
    unsigned n = add(to, 0, r, &opened);
    return g->verdict == VERDICT_SERVER_IDLE ? n : add(to, n, r, &closed);
}

static bool is_leak(const struct group *g) {
    return verdict_class[g->verdict].kind == KIND_LEAK;
}

unsigned stacks_of_group(struct shown_stack to[STACKS_SHOWN], const struct report *r,
                         const struct group *g) {
    if (group_is_of_site(g))
        return stacks_of_site(to, r, g);
    const struct fact *x = &r->facts.fact[g->first];
    struct shown_stack used = stack_of_last_use(x);
    struct shown_stack opened = {
        .title = "opened", .name = "opened", .call = opening_call(x), .stack = g->stack};
    struct shown_stack freed = {.title = "TLS object freed",
                                .name = "freed",
                                .call = x->tls.made_by == TLS_GNUTLS ? "gnutls_deinit" : "SSL_free",
                                .stack = x->tls.freeing_stack};
    struct shown_stack closed = {
        .title = "socket closed", .name = "closed", .call = "close", .stack = x->tls.closing_stack};
    unsigned n = add(to, 0, r, &opened);
    if (g->verdict == VERDICT_TLS_FREED)
        n = add(to, n, r, &freed);
    if (g->verdict == VERDICT_TLS_ORPHAN)
        n = add(to, n, r, &closed);
    else if (is_leak(g) || g->verdict == VERDICT_NO_TIMEOUT)
        n = add(to, n, r, &used);
    return n;
}

unsigned stacks_of_double_close(struct shown_stack to[STACKS_SHOWN], const struct report *r,
                                const struct box_double_close *d) {
    const struct box_site *s = view_site(r->facts.view, d->site);
    bool inbound = s && s->direction == CONN_INBOUND;
    struct shown_stack opened = {.title = "opened",
                                 .name = "opened",
                                 .call = inbound ? "accept" : "connect",
                                 .stack = s ? s->stack : BOX_NONE};
    struct shown_stack closed = {
        .title = "closed", .name = "closed", .call = "close", .stack = d->closed};
    struct shown_stack again = {
        .title = "closed again", .name = "closed_again", .call = "close", .stack = d->again};
    unsigned n = add(to, 0, r, &opened);
    n = add(to, n, r, &closed);
    return add(to, n, r, &again);
}

unsigned stacks_of_exhausted(struct shown_stack to[STACKS_SHOWN], const struct report *r) {
    struct shown_stack asked = {.title = "last asked for",
                                .name = "asked",
                                .call = "socket or accept",
                                .stack = atomic_load(&r->facts.view->header->exhausted_stack),
                                .by_chance = true};
    return add(to, 0, r, &asked);
}

bool stack_of_site(struct shown_stack *to, const struct report *r, const struct box_site *s) {
    const char *call = s->direction == CONN_INBOUND ? "accept" : "connect";
    struct shown_stack opened = {
        .title = "opened", .name = "opened", .call = call, .stack = s->stack};
    return add(to, 0, r, &opened) > 0;
}
