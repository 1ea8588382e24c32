/* poolguard report PID: the report of a process, without touching it. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/option_value.h"
#include "command.h"
#include "find.h"
#include "flags.h"
#include "outside.h"
#include "report/report.h"

static void complain(const char *line) {
    fprintf(stderr, "poolguard: %s\n", line);
}

static int cannot(const char *what) {
    complain(what);
    return STATUS_UNSEEN;
}

enum { FORMAT, STATE_DIR, SUPPRESSIONS, FLAGS };
static struct flag flag[FLAGS] = {
    [FORMAT] = {.name = "format",
                .value = "text|json",
                .help = "What the report looks like; default: POOLGUARD_FORMAT, else text."},
    [STATE_DIR] = {.name = "state-dir",
                   .value = "DIRECTORY",
                   .help = "Where the state file of a process that has ended is looked for; "
                           "default: POOLGUARD_STATE_DIR, else the user's directory in /dev/shm."},
    [SUPPRESSIONS] = {.name = "suppressions",
                      .value = "FILE",
                      .help = "Patterns of what is no leak; default: those that the process was "
                              "started with."},
};

static unsigned format = FORMAT_TEXT;

/* The flag counts, else the variable. False: it is wrong, and a line said so. */
static bool take_format(void) {
    const struct option_info *row = &option_table[OPTION_format];
    const char *named = flag[FORMAT].given, *text = named ? named : getenv("POOLGUARD_FORMAT");
    char why_text[256];
    struct out why;
    union option_value v = {.choice = FORMAT_TEXT};
    out_init(&why, -1, why_text, sizeof why_text - 1);
    bool right = !text || option_value_parse(&v, row, text, &why);
    why_text[why.len] = '\0';
    if (!right)
        say(named ? "--format=" : "POOLGUARD_FORMAT=", text, ": ", why_text, NULL);
    format = v.choice;
    return right;
}

/* Suppressions: those that the user names here, else those that the process runs with. */
static struct suppression *load_suppressions(const struct view *v) {
    static struct arena arena;
    struct suppression *list = NULL;
    const char *named = flag[SUPPRESSIONS].given;
    const char *path = named ? named : v->header->suppressions;
    if (*path)
        suppress_load(&list, &arena, path, complain);
    return list;
}

static const char *gather(struct report *r, struct sockets *s, const struct found *f) {
    bool permission;
    r->ended = !f->running;
    if (!f->running) {
        outside_gather_ended(&r->facts);
        return NULL;
    }
    const char *fault = sockets_gather(s, f->pid, &permission);
    if (!fault)
        outside_gather(&r->facts, s, f->pid);
    return fault;
}

static int write_report(struct report *r) {
    static char buffer[1 << 16];
    struct out o;
    out_init(&o, STDOUT_FILENO, buffer, sizeof buffer);
    report_write(r, &o, format);
    return o.error ? cannot(strerror(o.error)) : 0;
}

static int report_view(const struct found *f, const struct view *v) {
    struct report r = {.suppressions = load_suppressions(v), .trigger = TRIGGER_REQUEST};
    struct sockets s = {0};
    if (!facts_begin(&r.facts, v))
        return cannot("not enough memory");
    const char *fault = gather(&r, &s, f);
    r.facts.holes |= f->namespaces ? FACT_HOLE_NAMESPACE : 0;
    int status;
    if (fault) {
        fprintf(stderr, "poolguard: process %d: %s\n", f->pid, fault);
        status = STATUS_UNSEEN;
    } else {
        status = report_judge(&r) ? write_report(&r) : cannot("not enough memory");
    }
    report_free(&r);
    sockets_free(&s);
    return status;
}

/* A file that its process is setting up at this moment is done with in a millisecond. */
static enum view_error view_read_finished(struct view *v, int fd) {
    enum { TRIES = 100, NAP_MS = 10 };
    enum view_error e = view_read(v, fd);
    for (int i = 0; e == VIEW_UNFINISHED && i < TRIES; i++) {
        poll(NULL, 0, NAP_MS);
        e = view_read(v, fd);
    }
    return e;
}

static int report_one(const char *name, const char *state_dir) {
    struct found f;
    struct view v;
    const char *fault = find_box(&f, name, state_dir);
    if (fault)
        return cannot(fault);
    enum view_error e = view_read_finished(&v, f.fd);
    close(f.fd);
    if (e != VIEW_OK) {
        fprintf(stderr, "poolguard: %s: %s\n", f.path, view_error_text(e));
        return STATUS_UNSEEN;
    }
    int status = report_view(&f, &v);
    view_free(&v);
    return status;
}

int command_report(int argc, char **argv) {
    struct flags flags = {
        .usage = "poolguard report [--format=text|json] [--state-dir=DIRECTORY] "
                 "[--suppressions=FILE] PID | STATE-FILE",
        .about =
            "Reports on the TCP connections of a guarded process from its state file, without "
            "touching the process: no signal, no stop. A process that has ended is reported as "
            "it was last seen.",
        .own = flag,
        .own_count = FLAGS,
    };
    int status, first = flags_parse(&flags, argc, argv, &status);
    if (!first)
        return status;
    if (!take_format())
        return STATUS_USAGE;
    if (argc - first != 1) {
        complain(argc == first ? "report: which process? give its pid: poolguard report PID"
                               : "report: one process at a time: poolguard report PID");
        return STATUS_USAGE;
    }
    const char *dir = flag[STATE_DIR].given ? flag[STATE_DIR].given : getenv("POOLGUARD_STATE_DIR");
    return report_one(argv[first], dir ? dir : "");
}
