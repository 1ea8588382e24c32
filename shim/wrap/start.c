/* The constructor. Linked with -z initfirst: it runs before any other object's, and before libc's
 * own, so it uses system calls and the arguments that it is given, not the environment or stdio. */
#include <fcntl.h>

#include "conn/process.h"
#include "report/trigger.h"
#include "stack/stack.h"
#include "wrap/real.h"

static struct options options;
static struct arena arena;
static char program[4096];

static void complain(const char *line) {
    say(line, NULL);
}

static void learn_program(char *const *argv) {
    long n = sys(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", program, sizeof program - 1);
    if (n <= 0 && argv && argv[0]) {
        struct out o;
        out_init(&o, -1, program, sizeof program - 1);
        out_str(&o, argv[0]);
    }
}

__attribute__((constructor)) static void start(int argc, char **argv, char **envp) {
    (void)argc;
    struct options_ctx ctx = {.arena = &arena, .complain = complain};
    real_resolve();
    options_defaults(&options);
    options_from_env(&options, &ctx, envp);
    learn_program(argv);
    stack_setup(options.stack_depth, options.unwinder);
    process_setup(&options, program, trigger_process_ready);
    trigger_setup(&options, program);
}
