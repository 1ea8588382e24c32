/* What execve(2) would find in a file: an ELF image, or a script that names its interpreter. */
#ifndef PG_TOOLS_IMAGE_H
#define PG_TOOLS_IMAGE_H

#include <linux/limits.h>
#include <stdbool.h>

enum image_kind {
    IMAGE_UNREADABLE, /* nothing can be said */
    IMAGE_ELF,
    IMAGE_SCRIPT, /* begins with #! */
    IMAGE_OTHER,  /* a shell runs it, if anybody does */
};

struct image {
    enum image_kind kind;
    bool foreign; /* ELF of another machine or word size; the fields below are then unset */
    bool go;      /* linked by the Go toolchain */
    /* ELF: the dynamic loader, empty for a static program or a library. Script: the interpreter. */
    char interpreter[PATH_MAX];
    char argument[PATH_MAX]; /* of a script: all that stands behind the interpreter */
};

/* Reads the file; whatever its bytes are, nothing outside it is read. */
void image_read(const char *path, struct image *image);

#endif
