#include "preload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "image.h"
#include "report/report.h"

#define LIBRARY "libpoolguard.so"
/* ld.so(8): LD_PRELOAD is split at these, and nothing escapes them. */
#define SEPARATORS " :"

/* --- the library --- */

/* The directory of this binary, with the '/' at its end. False: /proc is not there. */
static bool own_directory(char path[PATH_MAX]) {
    ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
    if (n <= 0)
        return false;
    path[n] = '\0';
    strrchr(path, '/')[1] = '\0';
    return true;
}

static bool library_beside(char path[PATH_MAX]) {
    static const char *const places[] = {"../lib/poolguard/" LIBRARY, LIBRARY};
    char directory[PATH_MAX], tried[PATH_MAX + 64];
    bool known = own_directory(directory);
    for (size_t n = sizeof places / sizeof *places; known && n > 0; n--) {
        snprintf(tried, sizeof tried, "%s%s", directory, places[n - 1]);
        if (realpath(tried, path))
            return true;
    }
    snprintf(path, PATH_MAX, LIBRARY); /* realpath leaves its own there when it fails */
    return false;
}

/* What would make the loader pass it over with no more than a line on stderr. */
static const char *library_fault(const char *path) {
    struct image image;
    struct statvfs fs;
    image_read(path, &image);
    if (image.kind == IMAGE_UNREADABLE)
        return "can not be read";
    if (image.kind != IMAGE_ELF || image.foreign)
        return "is no library for this machine";
    if (strpbrk(path, SEPARATORS))
        return "has a blank or colon in its path, at which LD_PRELOAD is split: move it";
    if (statvfs(path, &fs) == 0 && fs.f_flag & ST_NOEXEC)
        return "lies on a file system that is mounted noexec: move it";
    return NULL;
}

const char *library_find(char path[PATH_MAX], const char *file) {
    if (file && !realpath(file, path)) {
        snprintf(path, PATH_MAX, "%s", file);
        return "is not there";
    }
    if (!file && !library_beside(path))
        return "is neither beside this command nor in ../lib/poolguard; name it with --library";
    return library_fault(path);
}

/* --- LD_PRELOAD --- */

static bool is_asan(const char *entry) {
    const char *name = base_name(entry);
    return strncmp(name, "libasan", 7) == 0 || strncmp(name, "libclang_rt.asan", 16) == 0;
}

/* Appends those of old's entries that are the runtime of ASan, or those that are not; never ours.
 */
static void append_entries(FILE *to, const char *old, const char *library, bool asan) {
    char *copy = strdup(old), *rest = NULL;
    for (char *e = copy ? strtok_r(copy, SEPARATORS, &rest) : NULL; e;
         e = strtok_r(NULL, SEPARATORS, &rest))
        if (is_asan(e) == asan && strcmp(e, library) != 0)
            fprintf(to, asan ? "%s:" : ":%s", e);
    free(copy);
}

char *preload_list(const char *old, const char *library) {
    char *list = NULL;
    size_t size;
    FILE *to = open_memstream(&list, &size);
    if (!to)
        return NULL;
    append_entries(to, old ? old : "", library, true);
    fputs(library, to);
    append_entries(to, old ? old : "", library, false);
    fclose(to);
    return list;
}
