/* A C program that opens a C++ library after it has connected often enough for any unwinder to have
 * been loaded. PORT LIBRARY */
#include <dlfcn.h>

#include "torture.h"

int main(int argc, char **argv) {
    const char *library = begin(argc, argv);
    for (int i = 0; i < 100; i++)
        dial_and_close();
    void *handle = dlopen(library, RTLD_NOW);
    if (!handle)
        die(dlerror());
    int (*catches)(int, int) = (int (*)(int, int))dlsym(handle, "catches");
    dprintf(1, "%d caught\n", catches(server_port, 100));
    return 0;
}
