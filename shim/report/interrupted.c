#include "report/interrupted.h"

#include <string.h>
#include <ucontext.h>

#include "base/sys.h"

/* The instruction of sys.h. Code may be mapped without the right to read it. */
static bool is_at(uint64_t address, const void *instruction, size_t size) {
    enum { LOWEST = 4096 };                /* sys_can_read() takes NULL for readable */
    const char *p = (const char *)address; // NOLINT(performance-no-int-to-ptr)
    return address >= LOWEST && sys_can_read(p) && sys_can_read(p + size - 1) &&
           memcmp(p, instruction, size) == 0;
}

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
#elif defined(__aarch64__)
    static const unsigned char instruction[] = {0x01, 0x00, 0x00, 0xd4}; /* svc #0 */
    uint64_t at = u->uc_mcontext.pc;
    c->number = (long)u->uc_mcontext.regs[8];
    for (int i = 0; i < 6; i++)
        c->argument[i] = u->uc_mcontext.regs[i];
#endif
    return is_at(at, instruction, sizeof instruction);
}
