#include "report/language.h"

#include <string.h>

#include "report/report.h"

/* What file names of runtimes begin with, as Debian, conda, pyenv, rbenv and the vendors' builds
 * name them. Of the JDK also what connects: a stack ends at the first frame of Java code, which
 * comes before libjvm. */
static const struct {
    const char *prefix;
    enum language language;
} runtime[] = {
    {"libpython", LANGUAGE_PYTHON}, {"python", LANGUAGE_PYTHON},    {"pypy", LANGUAGE_OTHER},
    {"libphp", LANGUAGE_PHP},       {"php", LANGUAGE_PHP},          {"libruby", LANGUAGE_RUBY},
    {"ruby", LANGUAGE_RUBY},        {"libperl", LANGUAGE_PERL},     {"perl", LANGUAGE_PERL},
    {"libjvm.", LANGUAGE_JAVA},     {"node", LANGUAGE_NODE},        {"libnode.", LANGUAGE_NODE},
    {"liblua", LANGUAGE_OTHER},     {"lua", LANGUAGE_OTHER},        {"libguile", LANGUAGE_OTHER},
    {"libmono", LANGUAGE_OTHER},    {"libcoreclr", LANGUAGE_OTHER}, {"libnio.so", LANGUAGE_JAVA},
    {"libnet.so", LANGUAGE_JAVA},
};

static enum language language_of_file(const char *path) {
    const char *name = base_name(path);
    for (size_t i = 0; i < sizeof runtime / sizeof *runtime; i++)
        if (strncmp(name, runtime[i].prefix, strlen(runtime[i].prefix)) == 0)
            return runtime[i].language;
    return LANGUAGE_C;
}

enum language language_of_stack(const struct view *v, uint32_t stack) {
    const struct box_stack *s = view_stack(v, stack);
    for (uint32_t i = 0; s && i < view_depth(s); i++) {
        uint64_t address;
        const struct box_module *m = view_frame(v, s->frames[i], &address);
        enum language l = m ? language_of_file(m->path) : LANGUAGE_C;
        if (l != LANGUAGE_C)
            return l;
    }
    return LANGUAGE_C;
}

bool language_collects(enum language l) {
    return l == LANGUAGE_RUBY || l == LANGUAGE_JAVA || l == LANGUAGE_NODE || l == LANGUAGE_OTHER;
}
