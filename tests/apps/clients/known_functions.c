/* Connections opened through functions whose names are known: a report must name them all.
 *
 *     known_functions HOST PORT     then a command a line on stdin, each answered with one line:
 *
 *     open N         N connections through main, outer, middle (static) and opener (static)
 *     load FILE      dlopen() of a plugin
 *     call SYMBOL    a connection through the plugin's function; answers where that lies
 *     unload         dlclose() of the plugin
 *
 * The same file built with -DPLUGIN=alpha is such a plugin: alpha_open, alpha_dial and opener.
 * What is counted after a call keeps the call from becoming a jump. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef __clang__
#define KNOWN __attribute__((noinline))
#else
#define KNOWN __attribute__((noipa))
#endif

static volatile int returned;

static struct sockaddr_in address_of(const char *host, int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    inet_pton(AF_INET, host, &to.sin_addr);
    return to;
}

KNOWN static int opener(const struct sockaddr_in *to) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)to, sizeof *to) != 0) {
        close(fd);
        fd = -1;
    }
    returned++;
    return fd;
}

#ifdef PLUGIN
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

int JOIN(PLUGIN, _open)(const char *host, int port);

KNOWN static int JOIN(PLUGIN, _dial)(const char *host, int port) {
    struct sockaddr_in to = address_of(host, port);
    int fd = opener(&to);
    returned++;
    return fd;
}

KNOWN int JOIN(PLUGIN, _open)(const char *host, int port) {
    int fd = JOIN(PLUGIN, _dial)(host, port);
    returned++;
    return fd;
}
#else

int outer(const char *host, int port);

KNOWN static int middle(const char *host, int port) {
    struct sockaddr_in to = address_of(host, port);
    int fd = opener(&to);
    returned++;
    return fd;
}

KNOWN int outer(const char *host, int port) {
    int fd = middle(host, port);
    returned++;
    return fd;
}

typedef int open_function(const char *host, int port);

int main(int argc, char **argv) {
    char line[4096], word[8], rest[4000];
    void *plugin = NULL;
    if (argc < 3)
        return 2;
    int port = atoi(argv[2]);
    while (fgets(line, sizeof line, stdin)) {
        *rest = '\0';
        if (sscanf(line, "%7s %3999s", word, rest) < 1)
            return 2;
        int ok = 1;
        void *called = NULL;
        if (strcmp(word, "open") == 0) {
            for (int n = atoi(rest); ok && n > 0; n--)
                ok = outer(argv[1], port) >= 0;
        } else if (strcmp(word, "load") == 0) {
            ok = (plugin = dlopen(rest, RTLD_NOW | RTLD_LOCAL)) != NULL;
        } else if (strcmp(word, "call") == 0) {
            called = plugin ? dlsym(plugin, rest) : NULL;
            ok = called && ((open_function *)called)(argv[1], port) >= 0;
        } else if (strcmp(word, "unload") == 0) {
            ok = plugin && dlclose(plugin) == 0;
        }
        if (ok && called)
            printf("%p\n", called);
        else
            puts(ok ? "OK" : "FAILED");
        fflush(stdout);
    }
    return 0;
}
#endif
