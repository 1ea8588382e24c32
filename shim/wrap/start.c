/* The constructor. Linked with -z initfirst: it runs before any other object's, and before libc's
 * own, so it uses system calls and the arguments that it is given, not the environment or stdio. */
#include <dlfcn.h>
#include <string.h>

#include "conn/process.h"
#include "report/trigger.h"
#include "stack/stack.h"
#include "wrap/real.h"
#include "wrap/tls_library.h"

STARTUP static struct options options;
STARTUP static struct arena arena;

/* Does this word of LD_PRELOAD name the library? By its file name: the loader may have searched, or
 * filled in a $LIB. */
static bool names_us(const char *word, size_t n) {
    struct dl_find_object us;
    if (_dl_find_object((void *)&options, &us) != 0)
        return false;
    const char *path = us.dlfo_link_map->l_name, *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path, *base = word + n;
    while (base > word && base[-1] != '/')
        base--;
    size_t length = (size_t)(word + n - base);
    return strlen(name) == length && memcmp(name, base, length) == 0;
}

/* The library's name is taken out of LD_PRELOAD (ld.so(8)), where it lies: programs that are
 * started from here on are not guarded. */
static void leave_children_alone(char **envp) {
    static const char variable[] = "LD_PRELOAD=";
    for (char **e = envp; *e; e++) {
        if (strncmp(*e, variable, sizeof variable - 1) != 0)
            continue;
        char *to = *e + sizeof variable - 1;
        for (const char *word = to; *word;) {
            size_t n = strcspn(word, ": "), with_end = n + (word[n] != '\0');
            const char *next = word + with_end;
            if (!names_us(word, n)) {
                memmove(to, word, with_end);
                to += with_end;
            }
            word = next;
        }
        *to = '\0';
    }
}

static void complain(const char *line) {
    say(line, NULL);
}

__attribute__((constructor)) static void start(int argc, char **argv, char **envp) {
    (void)argc;
    (void)argv;
    struct options_ctx ctx = {.arena = &arena, .complain = complain};
    real_resolve_stubs();
    tls_library_started();
    options_defaults(&options);
    options_from_env(&options, &ctx, envp);
    if (!options.follow_children)
        leave_children_alone(envp);
    stack_setup(options.stack_depth, options.unwinder);
    process_setup(&options, trigger_process_ready);
    trigger_setup(&options);
    process_start();
}
