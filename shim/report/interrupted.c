#include "report/interrupted.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <ucontext.h>

#include "base/sys.h"
#include "stack/names.h"

/* The instruction of sys.h. Code may be mapped without the right to read it. */
static bool is_at(uint64_t address, const void *instruction, size_t size) {
    enum { LOWEST = 4096 };                /* sys_can_read() takes NULL for readable */
    const char *p = (const char *)address; // NOLINT(performance-no-int-to-ptr)
    return address >= LOWEST && sys_can_read(p) && sys_can_read(p + size - 1) &&
           memcmp(p, instruction, size) == 0;
}

#if defined(__x86_64__)
/* The function that the address lies in, by the symbol table of its object in memory. */
static bool is_in(uint64_t address, const char *const *functions, size_t count, size_t *which) {
    struct dl_find_object o;
    struct names n;
    void *p = (void *)address; // NOLINT(performance-no-int-to-ptr)
    if (_dl_find_object(p, &o) != 0 ||
        names_open_loaded(&n, o.dlfo_map_start,
                          (size_t)((char *)o.dlfo_map_end - (char *)o.dlfo_map_start)) != 0)
        return false;
    const char *name = names_find(&n, address - (uint64_t)o.dlfo_link_map->l_addr, NULL);
    for (*which = 0; name && *which < count; ++*which)
        if (strcmp(name, functions[*which]) == 0)
            break;
    names_close(&n);
    return name && *which < count;
}

/* poll() and select() are never begun again (signal(7)): the kernel has put the result over their
 * number, and the arguments stand. libc's function tells which it was. */
static bool is_over(struct system_call *c, uint64_t at, const void *instruction, size_t size) {
    static const char *const functions[] = {"poll", "ppoll", "select", "pselect"};
    static const long numbers[] = {SYS_poll, SYS_ppoll, SYS_select, SYS_pselect6};
    size_t which;
    if (c->number != -EINTR || !is_at(at - size, instruction, size) ||
        !is_in(at - size, functions, sizeof numbers / sizeof *numbers, &which))
        return false;
    c->number = numbers[which];
    return true;
}
#endif

bool interrupted_call(struct system_call *c, const void *context) {
    const ucontext_t *u = context;
#if defined(__x86_64__)
    static const unsigned char instruction[] = {0x0f, 0x05};
    const greg_t *r = u->uc_mcontext.gregs;
    static const uint8_t argument[] = {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9};
    uint64_t at = (uint64_t)r[REG_RIP];
    c->number = (long)r[REG_RAX];
    for (int i = 0; i < 6; i++)
        c->argument[i] = (uint64_t)r[argument[i]];
    if (is_over(c, at, instruction, sizeof instruction))
        return true;
#elif defined(__aarch64__)
    static const unsigned char instruction[] = {0x01, 0x00, 0x00, 0xd4}; /* svc #0 */
    uint64_t at = u->uc_mcontext.pc;
    c->number = (long)u->uc_mcontext.regs[8];
    for (int i = 0; i < 6; i++)
        c->argument[i] = u->uc_mcontext.regs[i];
#endif
    return is_at(at, instruction, sizeof instruction);
}
