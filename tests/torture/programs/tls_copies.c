/* Plugins that bring their own libssl, loaded in the order of the arguments. PORT STEP ...
 *
 *     local:PATH, deep:PATH   load the plugin, and let it talk
 *     lazy:PATH               load it to be bound when it calls
 *     global:PATH             load this library for everybody
 *     talk:N, default:N       the Nth plugin talks once more; through dlsym(RTLD_DEFAULT)
 *     around:N                the Nth plugin talks, and in its verify callback the one after it
 * does unload:N                the Nth plugin ends what it has, and is unloaded main the program
 * itself talks (where it is linked to lib_tls.c)
 *
 * Says for each step which libssl was at work. */
#include <dlfcn.h>

#include "torture.h"

enum { PLUGINS = 8, LAZY = -1 };

static struct plugin {
    void *handle;
    const char *(*talk)(bool);
    const char *(*around)(const char *(*)(bool));
    const char *(*end)(void);
} plugin[PLUGINS];

static int plugins;

#ifdef LINKED
const char *plugin_talk(bool);
static const char *main_talk(void) {
    return plugin_talk(false);
}
#else
static const char *main_talk(void) {
    die("not linked");
}
#endif

static const char *load(const char *path, int flags) {
    struct plugin *p = &plugin[plugins++];
    p->handle = dlopen(path, flags == LAZY ? RTLD_LAZY : RTLD_NOW | flags);
    if (!p->handle) {
        dprintf(2, "%s\n", dlerror());
        die("dlopen");
    }
    p->talk = (const char *(*)(bool))dlsym(p->handle, "plugin_talk");
    p->around = (const char *(*)(const char *(*)(bool)))dlsym(p->handle, "plugin_talk_around");
    p->end = (const char *(*)(void))dlsym(p->handle, "plugin_end");
    return p->talk && flags != LAZY ? p->talk(false) : "";
}

static const char *unload(struct plugin *p) {
    static char said[256];
    snprintf(said, sizeof said, "%s", p->end());
    dlclose(p->handle);
    return said;
}

static const char *calls_between(void) {
    static char said[16];
    unsigned (*calls)(void) = (unsigned (*)(void))dlsym(RTLD_DEFAULT, "between_calls");
    snprintf(said, sizeof said, " %u", calls ? calls() : 0);
    return said;
}

static const char *step(const char *what) {
    const char *of = strchr(what, ':');
    if (!of)
        return what[0] == 'b' ? calls_between() : main_talk();
    of++;
    switch (what[0]) {
    case 'l': return load(of, what[1] == 'a' ? LAZY : RTLD_LOCAL);
    case 'g': return load(of, RTLD_GLOBAL);
    case 't': return plugin[atoi(of)].talk(false);
    case 'a': return plugin[atoi(of)].around(plugin[atoi(of) + 1].talk);
    case 'u': return unload(&plugin[atoi(of)]);
    }
    return what[3] == 'p' ? load(of, RTLD_DEEPBIND) : plugin[atoi(of)].talk(true);
}

int main(int argc, char **argv) {
    begin(argc, argv);
    for (int i = 2; i < argc; i++) {
        char line[400];
        snprintf(line, sizeof line, "%.*s:%s", (int)strcspn(argv[i], ":"), argv[i], step(argv[i]));
        say(line);
    }
    ready();
    return 0;
}
