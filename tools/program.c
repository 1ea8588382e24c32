#include "program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "command.h"
#include "image.h"
#include "report/report.h"

enum { SCRIPTS_MOST = 4 };

const struct program_fault_text program_fault_text[PROGRAM_FAULTS] = {
    [PROGRAM_FINE] = {0, "can be watched", NULL},
    [PROGRAM_NOT_FOUND] = {STATUS_NOT_FOUND, "was not found", NULL},
    [PROGRAM_NOT_EXECUTABLE] = {STATUS_NOT_RUNNABLE, "is not an executable file", NULL},
    [PROGRAM_NO_LOADER] = {STATUS_NOT_FOUND, "names a dynamic loader that is not there",
                           "see `readelf -l` for which"},
    [PROGRAM_SCRIPTS] = {STATUS_NOT_RUNNABLE,
                         "is a script run by a script run by a script, on and on",
                         "name the last interpreter yourself"},
    [PROGRAM_GO] =
        {STATUS_UNSEEN,
         "is a Go program: it makes raw system calls that a preloaded library does not see",
         "this version of poolguard can not watch it"},
    [PROGRAM_STATIC] = {STATUS_UNSEEN, "is statically linked: nothing can be preloaded into it",
                        "link it dynamically (without -static)"},
    [PROGRAM_OTHER_MACHINE] = {STATUS_UNSEEN,
                               "is built for another machine or word size than libpoolguard.so",
                               "run it with a poolguard built for that one"},
    [PROGRAM_OTHER_LIBC] = {STATUS_UNSEEN,
                            "uses another C library than glibc, for which libpoolguard.so is made",
                            "run a build of it for glibc"},
    [PROGRAM_SETUID] = {STATUS_UNSEEN,
                        "changes the user or group (setuid, setgid): the loader ignores LD_PRELOAD",
                        "run it as that user already, or run a copy without the bit"},
    [PROGRAM_CAPABILITIES] = {STATUS_UNSEEN, "has file capabilities: the loader ignores LD_PRELOAD",
                              "run it as root, or run a copy, which has none"},
    [PROGRAM_CLEARS_PRELOAD] = {STATUS_UNSEEN,
                                "is started by env(1) with LD_PRELOAD taken away by its #! line",
                                "name the interpreter yourself"},
};

/* --- finding --- */

static enum program_fault file_fault(const char *path) {
    struct stat st;
    if (stat(path, &st) != 0)
        return errno == ENOENT || errno == ENOTDIR ? PROGRAM_NOT_FOUND : PROGRAM_NOT_EXECUTABLE;
    return S_ISREG(st.st_mode) && access(path, X_OK) == 0 ? PROGRAM_FINE : PROGRAM_NOT_EXECUTABLE;
}

/* The first that can be run; when there is none, whether one was there that can not. */
static enum program_fault search(const char *name, const char *directories, char path[PATH_MAX]) {
    enum program_fault fault = PROGRAM_NOT_FOUND;
    char tried[PATH_MAX];
    for (size_t n;; directories += n + 1) {
        n = strcspn(directories, ":");
        int length =
            snprintf(tried, sizeof tried, "%.*s%s%s", (int)n, directories, n ? "/" : "./", name);
        enum program_fault here = length < PATH_MAX ? file_fault(tried) : PROGRAM_NOT_FOUND;
        if (here != PROGRAM_NOT_FOUND && fault == PROGRAM_NOT_FOUND)
            snprintf(path, PATH_MAX, "%s", tried);
        if (here == PROGRAM_FINE) {
            snprintf(path, PATH_MAX, "%s", tried);
            return here;
        }
        if (here != PROGRAM_NOT_FOUND)
            fault = here;
        if (!directories[n])
            return fault;
    }
}

enum program_fault program_find(const char *name, char path[PATH_MAX]) {
    const char *directories = getenv("PATH");
    snprintf(path, PATH_MAX, "%s", name);
    if (!*name || strlen(name) >= PATH_MAX)
        return PROGRAM_NOT_FOUND;
    if (strchr(name, '/'))
        return file_fault(name);
    return search(name, directories ? directories : "/bin:/usr/bin", path);
}

/* --- scripts --- */

static bool is_one_of(const char *word, const char *const *words) {
    while (*words && strcmp(word, *words) != 0)
        words++;
    return *words != NULL;
}

static bool clears_preload(const char *word) {
    static const char *const words[] = {
        "-", "-i", "--ignore-environment", "-uLD_PRELOAD", "--unset=LD_PRELOAD", NULL};
    return is_one_of(word, words) || strncmp(word, "LD_PRELOAD=", 11) == 0;
}

/* The command in the words that env(1) is given, NULL: there is none. *clears: LD_PRELOAD does not
 * reach it. Quotes of -S are not looked at. Cuts `words`. */
static const char *env_command(char *words, bool *clears) {
    static const char *const unset[] = {"-u", "--unset", NULL};
    static const char *const other[] = {"-C", "--chdir", "-a", "--argv0", NULL};
    char *rest = NULL;
    *clears = false;
    for (char *w = words; (w = strtok_r(w, " \t", &rest)); w = NULL) {
        if (strncmp(w, "-S", 2) == 0)
            w += 2;
        if (is_one_of(w, unset) || is_one_of(w, other)) {
            const char *value = strtok_r(NULL, " \t", &rest);
            *clears |= is_one_of(w, unset) && value && strcmp(value, "LD_PRELOAD") == 0;
        } else if (clears_preload(w)) {
            *clears = true;
        } else if (*w && *w != '-' && !strchr(w, '=')) {
            return w;
        }
    }
    return NULL;
}

/* What runs the script, into `file`. */
static enum program_fault interpreter_find(struct image *script, char file[PATH_MAX]) {
    bool clears = false;
    const char *name = script->interpreter;
    if (strcmp(base_name(name), "env") == 0) {
        const char *command = env_command(script->argument, &clears);
        name = command ? command : name;
    }
    if (clears)
        return PROGRAM_CLEARS_PRELOAD;
    return program_find(name, file);
}

/* --- the answer --- */

/* execve(2) gives the program other ids than ours, or powers that we have not. The bits on a file
 * that is already ours, and capabilities for root, change nothing. */
static enum program_fault secure_fault(const char *path) {
    struct stat st;
    if (stat(path, &st) != 0)
        return PROGRAM_FINE;
    bool group = (st.st_mode & S_ISGID) && (st.st_mode & S_IXGRP);
    if ((st.st_mode & S_ISUID && st.st_uid != getuid()) || (group && st.st_gid != getgid()))
        return PROGRAM_SETUID;
    if (getuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0)
        return PROGRAM_CAPABILITIES;
    return PROGRAM_FINE;
}

static bool is_other_libc(const char *loader) {
    return strstr(loader, "ld-musl") || strstr(loader, "ld-uClibc") ||
           strncmp(base_name(loader), "linker", 6) == 0;
}

static enum program_fault elf_fault(const char *path, const struct image *image) {
    if (image->foreign)
        return PROGRAM_OTHER_MACHINE;
    if (image->go)
        return PROGRAM_GO;
    if (!*image->interpreter)
        return PROGRAM_STATIC;
    if (is_other_libc(image->interpreter))
        return PROGRAM_OTHER_LIBC;
    if (access(image->interpreter, F_OK) != 0)
        return PROGRAM_NO_LOADER;
    return secure_fault(path);
}

enum program_fault program_check(const char *path, char file[PATH_MAX]) {
    struct image image;
    snprintf(file, PATH_MAX, "%s", path);
    for (unsigned level = 0; level <= SCRIPTS_MOST; level++) {
        image_read(file, &image);
        if (image.kind == IMAGE_UNREADABLE) /* it may be run all the same */
            return PROGRAM_FINE;
        if (image.kind == IMAGE_ELF)
            return elf_fault(file, &image);
        if (image.kind == IMAGE_OTHER) /* execvp(3) gives it to the shell */
            snprintf(image.interpreter, sizeof image.interpreter, "/bin/sh");
        enum program_fault fault = interpreter_find(&image, file);
        if (fault != PROGRAM_FINE)
            return fault;
    }
    return PROGRAM_SCRIPTS;
}
