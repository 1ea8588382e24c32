#include "http_case.h"

#include <stdlib.h>

/* Of all steps, `which` is cut at `at`, or each byte stands alone where `which` is count. The bytes
 * of a piece are a copy of their own, so that AddressSanitizer sees what is read behind it. */
static void piece(struct http_observer *o, enum http_way way, const char *bytes, size_t size) {
    char *copy = malloc(size + !size);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    http_feed(o, way, copy, size);
    free(copy);
}

static void bytes_alone(struct http_observer *o, const struct step *s) {
    for (size_t i = 0; i < s->size; i++)
        piece(o, s->way, s->bytes + i, 1);
}

static struct http_observer cut(const struct step *step, size_t count, size_t which, size_t at) {
    struct http_observer o = {0};
    for (size_t i = 0; i < count; i++) {
        const struct step *s = &step[i];
        if (!s->bytes) {
            http_end(&o, s->way);
        } else if (which == count) {
            bytes_alone(&o, s);
        } else {
            size_t first = which == i ? at : s->size;
            piece(&o, s->way, s->bytes, first);
            piece(&o, s->way, s->bytes + first, s->size - first);
        }
    }
    return o;
}

struct http_observer http_case(const struct step *step, size_t count) {
    struct http_observer whole = cut(step, count, 0, 0), other;
    for (size_t i = 0; i < count; i++)
        for (size_t at = 1; at < step[i].size; at++) {
            other = cut(step, count, i, at);
            if (memcmp(&whole, &other, sizeof whole) != 0)
                fail_msg("step %zu, cut at %zu: %s instead of %s", i, at,
                         http_phase_name(http_phase(&other)), http_phase_name(http_phase(&whole)));
        }
    other = cut(step, count, count, 0);
    assert_memory_equal(&whole, &other, sizeof whole);
    return whole;
}

void http_case_stands(const struct http_observer *o, enum http_phase phase, enum http_why why,
                      int line) {
    if (http_phase(o) != phase || http_why(o) != why)
        fail_msg("line %d: %s (%s) instead of %s (%s)", line, http_phase_name(http_phase(o)),
                 http_why_text(http_why(o)), http_phase_name(phase), http_why_text(why));
}
