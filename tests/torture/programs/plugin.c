/* Opens a plugin by its bare name, which RUNPATH alone finds, and has it connect.
 * PORT deepbind|runpath */
#include <dlfcn.h>

#include "torture.h"

int main(int argc, char **argv) {
    bool deep = is(begin(argc, argv), "deepbind");
    void *handle = dlopen("lib_plugin.so", RTLD_NOW | (deep ? RTLD_DEEPBIND : 0));
    if (!handle)
        die(dlerror());
    int (*plugin_dial)(int) = (int (*)(int))dlsym(handle, "plugin_dial");
    for (int i = 0; i < 3; i++)
        plugin_dial(server_port);
    ready();
    return 0;
}
