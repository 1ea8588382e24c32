/* Small text files, read once before main or in a signal handler: raw system calls, no libc stream.
 */
#include "base/text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/sys.h"

enum { FILE_MOST = 1 << 20 };

/* A descriptor, or a negative errno. A FIFO without a writer must not block, and reading a
 * terminal must not make it ours. */
static long file_open(const char *path) {
    long fd = sys(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    struct stat st;
    if (fd >= 0 && (sys(SYS_fstat, fd, &st) < 0 || !S_ISREG(st.st_mode))) {
        sys(SYS_close, fd);
        return -ENOTSUP;
    }
    return fd;
}

/* The number of bytes read, up to FILE_MOST + 1, or a negative errno. */
static long file_read(const char *path, char *buf) {
    long fd = file_open(path), n = fd, got = 0;
    while (fd >= 0 && got <= FILE_MOST) {
        n = sys(SYS_read, fd, buf + got, FILE_MOST + 1 - got);
        if (n == -EINTR)
            continue;
        if (n <= 0)
            break;
        got += n;
    }
    if (fd >= 0)
        sys(SYS_close, fd);
    return n < 0 ? n : got;
}

/* What is wrong with a file as a whole, NULL when nothing is. */
static const char *file_fault(const char *buf, long got) {
    static const struct {
        int error;
        const char *text;
    } faults[] = {{ENOENT, "no such file"},
                  {ENOTDIR, "no such file"},
                  {EACCES, "no permission to read it"},
                  {ENOTSUP, "not a regular file"},
                  {ENXIO, "not a regular file"},
                  {EMFILE, "too many open files"},
                  {ENFILE, "too many open files"}};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        if (got == -faults[i].error)
            return faults[i].text;
    if (got < 0)
        return "can not be read";
    if (got > FILE_MOST)
        return "larger than 1 MiB";
    return memchr(buf, '\0', (size_t)got) ? "a binary file" : NULL;
}

const char *text_file_read(struct text_file *f, const char *path) {
    static const char mark[] = "\xef\xbb\xbf"; /* of UTF-8, as some editors write it */
    f->map = mem_map(FILE_MOST + 2);
    f->text = f->map;
    if (!f->map)
        return "not enough memory to read it";
    const char *fault = file_fault(f->map, file_read(path, f->map));
    if (!fault && strncmp(f->text, mark, sizeof mark - 1) == 0)
        f->text += sizeof mark - 1;
    return fault;
}

void text_file_free(struct text_file *f) {
    mem_unmap(f->map, FILE_MOST + 2);
    f->map = f->text = NULL;
}

char *text_line(char **rest) {
    char *line = *rest, *end = line ? strchr(line, '\n') : NULL;
    if (end)
        *end++ = '\0';
    *rest = end;
    return line;
}

bool text_is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

char *text_trim(char *s) {
    while (text_is_blank(*s))
        s++;
    size_t n = strlen(s);
    while (n && text_is_blank(s[n - 1]))
        n--;
    s[n] = '\0';
    return s;
}
