/* What the observer makes of connections, for comparing it with other parsers.
 *
 * A line of stdin is a connection: words of a direction (> request, < response) and hexadecimal
 * bytes, or a dot for the end of the stream. Fed byte by byte; for each line one is printed, of
 * events with tabs between them:
 *   request METHOD BODY PATH, interim STATUS, response STATUS BODY closed|kept,
 * and last: why it stopped, whether requests and responses are between two messages, and whether
 * the responses were cut off. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/http.h"

struct seen {
    bool request; /* one has begun and was not printed yet */
    uint32_t responses;
    enum http_phase phase;
};

static void request_print(const struct http_observer *o) {
    printf("request %s %llu %s\t", http_method_name(o->method),
           (unsigned long long)http_body(o, HTTP_REQUEST_BYTES).read, o->path);
}

static void request_look(const struct http_observer *o, struct seen *s) {
    bool complete = http_body(o, HTTP_REQUEST_BYTES).complete;
    if (s->request && complete)
        request_print(o);
    s->request = !complete;
}

static void response_look(const struct http_observer *o, struct seen *s) {
    enum http_phase phase = http_phase(o);
    if (http_responses(o) != s->responses)
        printf("response %u %llu %s\t", o->status,
               (unsigned long long)http_body(o, HTTP_RESPONSE_BYTES).read,
               http_closes(o) ? "closed" : "kept");
    else if (s->phase == HTTP_RESPONSE_HEAD && (phase == HTTP_WAITING || phase == HTTP_SENDING))
        printf("interim %u\t", o->status);
    s->responses = http_responses(o);
    s->phase = phase;
}

static void look(const struct http_observer *o, struct seen *s) {
    if (http_phase(o) < HTTP_HANDED_OVER)
        request_look(o, s);
    response_look(o, s);
}

static void word_feed(struct http_observer *o, struct seen *s, const char *word) {
    enum http_way way = *word++ == '>' ? HTTP_REQUEST_BYTES : HTTP_RESPONSE_BYTES;
    if (*word == '.')
        http_end(o, way);
    for (; word[0] && word[1]; word += 2) {
        char digits[] = {word[0], word[1], '\0'};
        unsigned char byte = (unsigned char)strtoul(digits, NULL, 16);
        http_feed(o, way, &byte, 1);
        look(o, s);
    }
    look(o, s);
}

int main(void) {
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0) {
        struct http_observer o = {0};
        struct seen s = {0};
        for (char *word = strtok(line, " \n"); word; word = strtok(NULL, " \n"))
            word_feed(&o, &s, word);
        printf("%d %d %d %d\n", (int)http_why(&o), http_body(&o, HTTP_REQUEST_BYTES).complete,
               http_body(&o, HTTP_RESPONSE_BYTES).complete, http_cut(&o, HTTP_RESPONSE_BYTES));
    }
    free(line);
    return 0;
}
