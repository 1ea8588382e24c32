/* The constructor. Linked with -z initfirst: it runs before any other object's, and before libc's
 * own, so it uses system calls and the arguments that it is given, not the environment or stdio. */
#include "conn/process.h"
#include "report/trigger.h"
#include "stack/stack.h"
#include "wrap/real.h"

STARTUP static struct options options;
STARTUP static struct arena arena;

static void complain(const char *line) {
    say(line, NULL);
}

__attribute__((constructor)) static void start(int argc, char **argv, char **envp) {
    (void)argc;
    (void)argv;
    struct options_ctx ctx = {.arena = &arena, .complain = complain};
    real_resolve_stubs();
    options_defaults(&options);
    options_from_env(&options, &ctx, envp);
    stack_setup(options.stack_depth, options.unwinder);
    process_setup(&options, trigger_process_ready);
    trigger_setup(&options);
    process_start();
}
