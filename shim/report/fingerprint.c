#include "report/fingerprint.h"

#include "base/out.h"
#include "report/report.h"

enum { PORT_EPHEMERAL = 32768 }; /* from here on: ip_local_port_range, as it is without changes */

uint64_t fingerprint_add(uint64_t so_far, const char *text) {
    do
        so_far = (so_far ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    while (*text++);
    return so_far;
}

uint64_t fingerprint_add_frame(uint64_t so_far, const struct frame_name *n) {
    so_far = fingerprint_add(so_far, n->module ? base_name(n->module) : "");
    return fingerprint_add(so_far, n->function ? n->function : "");
}

uint64_t fingerprint_add_port(uint64_t so_far, unsigned port) {
    char text[8];
    struct out o;
    out_init(&o, -1, text, sizeof text - 1);
    if (port >= PORT_EPHEMERAL)
        out_char(&o, '*');
    else if (port)
        out_u64(&o, port);
    text[o.len] = '\0';
    return fingerprint_add(so_far, text);
}

const char *fingerprint_text(uint64_t fingerprint, char buf[FINGERPRINT_TEXT]) {
    for (int i = FINGERPRINT_TEXT - 2; i >= 0; i--, fingerprint >>= 4)
        buf[i] = "0123456789abcdef"[fingerprint & 15];
    buf[FINGERPRINT_TEXT - 1] = '\0';
    return buf;
}
