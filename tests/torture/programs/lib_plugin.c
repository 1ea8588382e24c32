/* A plugin that connects. */
#include "torture.h"

int plugin_dial(int port);
int plugin_dial(int port) {
    return dial_plainly(port);
}
