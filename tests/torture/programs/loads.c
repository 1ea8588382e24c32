/* loads LIBRARY: loads it and says so. */
#include <dlfcn.h>

#include "torture.h"

int main(int argc, char **argv) {
    if (argc < 2 || !dlopen(argv[1], RTLD_NOW))
        die("dlopen");
    puts("READY");
    return 0;
}
