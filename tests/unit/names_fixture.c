/* A program whose symbols test_names.c knows. Built as an executable and as a shared library, by
 * each compiler, at each level of optimisation. */

int names_global(int x);
int names_entry(int argc);
int names_asm_func(int x);
int names_asm_label(int x);

static volatile int sink;

__attribute__((noinline, used)) static int names_static(int x) {
    for (int i = 0; i < x; i++)
        sink += i;
    return sink * 3;
}

__attribute__((noinline, used)) static int names_other_static(int x) {
    for (int i = 0; i < x; i++)
        sink ^= i;
    return sink - 7;
}

__attribute__((noinline)) int names_global(int x) {
    int r = names_static(x);
    sink = r;
    return r + names_other_static(x + 1);
}

/* Three names at one address: a local one, one with an underscore, and the one people know. */
extern int _names_alias(int x) __attribute__((alias("names_global")));
static int names_a_local(int x) __attribute__((alias("names_global"), used));

/* Assembly without sizes, one with a type and one without, and unnamed code after a section's end
 * that neither may claim. */
__asm__(".pushsection .text.names_asm,\"ax\",%progbits\n"
        ".globl names_asm_func\n"
        ".type names_asm_func, %function\n"
        "names_asm_func:\n"
        ".skip 32, 0\n"
        ".globl names_asm_label\n"
        "names_asm_label:\n"
        ".skip 32, 0\n"
        ".popsection\n"
        ".pushsection names_unnamed,\"ax\",%progbits\n"
        ".skip 64, 0\n"
        ".popsection\n");

__attribute__((noinline)) int names_entry(int argc) {
    return names_global(argc) + names_static(2);
}

#ifdef NAMES_BARE
void _start(void);
void _start(void) {
    names_entry(3);
    for (;;)
        ;
}
#else
int main(int argc, char **argv) {
    (void)argv;
    return names_entry(argc) & 1;
}
#endif
