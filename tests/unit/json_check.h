/* Is a text well-formed JSON (RFC 8259), in UTF-8? A small recursive checker of the tests' own. */
#ifndef PG_TESTS_JSON_CHECK_H
#define PG_TESTS_JSON_CHECK_H

#include <stddef.h>

/* NULL when the n bytes are one value and blanks around it; else the place of the first fault. */
const char *json_fault(const char *text, size_t n);

#endif
