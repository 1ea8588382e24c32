/* Linked with lib_early or with it preloaded. PORT preinit: connects by itself before any
 * constructor, and closes in a destructor. */
#include "torture.h"

static int mine = -1;

static void before_all(int argc, char **argv, char **envp) {
    (void)envp;
    if (argc < 3)
        return;
    server_port = atoi(argv[1]);
    mine = dial();
    if (write(mine, "Q", 1) != 1)
        die("write");
}

__attribute__((section(".preinit_array"), used)) static void (*preinit)(int, char **,
                                                                        char **) = before_all;

__attribute__((destructor)) static void close_mine(void) {
    close(mine);
}

int main(int argc, char **argv) {
    begin(argc, argv);
    ready();
    return 0;
}
