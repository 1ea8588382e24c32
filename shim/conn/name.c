#include "conn/name.h"

#include <string.h>

#include "base/index.h"
#include "base/live.h"
#include "base/thread.h"
#include "state/mine.h"

enum {
    NAME_WORDS = BOX_NAME_MAX / sizeof(uint64_t),
    RESOLVED_MAX = 1 << 15,
    FROM_PEERS_MAX = 4096
};
enum { HOSTS_MAX = BOX_NAMES_MAX - 1024 }; /* the rest is for ciphers and protocols */

/* --- records ---------------------------------------------------------------------------------- */

struct names {
    struct index by_text;
    struct index by_resolved; /* records of resolved names, by where those stand */
};
LIVE_TYPE(struct names, names);
static union live_names names;

void name_begin_process(void) {
    live_register(&names, sizeof names);
}

/* With `most`: a new one only while there are fewer. */
static uint32_t find(const char *text, size_t n, uint32_t most) {
    uint64_t key[NAME_WORDS];
    size_t words = n < BOX_NAME_MAX ? index_text_key(key, NAME_WORDS, text, n) : 0;
    if (!words)
        return BOX_NONE;
    uint32_t id = index_find(&names.v.by_text, key, words);
    if (likely(id != INDEX_NONE))
        return id;
    if (atomic_load(&mine.header->region[REGION_NAMES].count) >= most ||
        (id = box_record(&mine, REGION_NAMES)) == BOX_NONE)
        return BOX_NONE;
    struct box_name *r = &mine.names[id];
    memcpy(r->text, text, n);
    r->text[n] = '\0';
    r->length = (uint32_t)n;
    id = index_add(&names.v.by_text, key, words, id);
    atomic_store_explicit(&mine.names[id].ready, 1, memory_order_release);
    return id;
}

uint32_t name_find(const char *text, size_t n) {
    return find(text, n, BOX_NAMES_MAX);
}

/* inet_aton(3) takes "127.1", "2130706433" and "0x7f000001" for addresses: a name's last label is
 * no number (RFC 1123, 2.1). */
static bool ends_in_number(const char *name, size_t n) {
    size_t at = n;
    while (at > 0 && name[at - 1] != '.')
        at--;
    bool hex = n - at > 2 && name[at] == '0' && name[at + 1] == 'x';
    for (size_t i = hex ? at + 2 : at; i < n; i++)
        if ((name[i] < '0' || name[i] > '9') && !(hex && name[i] >= 'a' && name[i] <= 'f'))
            return false;
    return true;
}

/* Returns the length, 0: no name. */
static size_t normalise(char to[BOX_NAME_MAX], const char *text, size_t n) {
    if (n && text[n - 1] == '.')
        n--;
    if (!n || n >= BOX_NAME_MAX)
        return 0;
    for (size_t i = 0; i < n; i++) {
        char c = text[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        bool plain =
            (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
        if (!plain)
            return 0;
        to[i] = c;
    }
    to[n] = '\0';
    return ends_in_number(to, n) ? 0 : n;
}

uint32_t name_of_host(const char *text, size_t n) {
    char name[BOX_NAME_MAX];
    return find(name, normalise(name, text, n), HOSTS_MAX);
}

uint32_t name_from_peer(const char *text, size_t n) {
    char name[BOX_NAME_MAX];
    return find(name, normalise(name, text, n), FROM_PEERS_MAX);
}

/* --- what was resolved ------------------------------------------------------------------------ */

/* Not live memory: a child of fork() connects to what its parent has resolved. Bounded, for a
 * crawler resolves without end. */
static struct index resolved_names; /* text -> the same text, where it stays */
static struct index resolved_addrs; /* address -> its latest name */
static struct index resolved_pairs; /* address and name -> nothing */
static _Atomic uint32_t resolved_count;

static bool has_room(void) {
    return atomic_load_explicit(&resolved_count, memory_order_relaxed) < RESOLVED_MAX &&
           atomic_fetch_add_explicit(&resolved_count, 1, memory_order_relaxed) < RESOLVED_MAX;
}

struct ip_key {
    uint64_t word[3];
};

static struct ip_key ip_key(const struct addr *a) {
    struct ip_key k;
    memcpy(k.word, a->ip, sizeof a->ip);
    k.word[2] = (uint64_t)a->scope << 8 | a->family;
    return k;
}

enum { IP_WORDS = 3, PAIR_WORDS = 4 };

static void pair_key(uint64_t key[PAIR_WORDS], const struct ip_key *ip, const char *name) {
    memcpy(key, ip->word, sizeof ip->word);
    key[IP_WORDS] = (uintptr_t)name;
}

const char *name_keep(const char *text, size_t length) {
    uint64_t key[NAME_WORDS];
    char name[BOX_NAME_MAX];
    size_t n = normalise(name, text, length);
    size_t words = index_text_key(key, NAME_WORDS, name, n);
    if (!words)
        return NULL;
    const char *kept = index_value(&resolved_names, key, words);
    if (kept || !has_room())
        return kept;
    return index_keep(&resolved_names, key, words, name, n + 1);
}

static bool is_number(const char *text) {
    struct addr a;
    size_t n = strnlen(text, BOX_NAME_MAX);
    n -= n && text[n - 1] == '.';
    return addr_parse(&a, text) || (n && ends_in_number(text, n));
}

static void keep_pair(const struct ip_key *ip, const char *name) {
    uint64_t pair[PAIR_WORDS];
    char nothing = 0;
    pair_key(pair, ip, name);
    if (!index_value(&resolved_pairs, pair, PAIR_WORDS) && has_room())
        index_keep(&resolved_pairs, pair, PAIR_WORDS, &nothing, sizeof nothing);
}

/* A name that can not be kept leaves the address without one: an older one would be wrong. */
void name_resolved(const char *text, const struct addr *a) {
    struct ip_key ip = ip_key(a);
    if (is_number(text))
        return;
    const char *name = name_keep(text, strnlen(text, BOX_NAME_MAX));
    self.resolved = name;
    if (name)
        keep_pair(&ip, name);
    const char *_Atomic *latest = index_value(&resolved_addrs, ip.word, IP_WORDS);
    if (!latest && name && has_room())
        latest = index_keep(&resolved_addrs, ip.word, IP_WORDS, &name, sizeof name);
    if (latest)
        atomic_store_explicit(latest, name, memory_order_release);
}

static const char *resolved_from(const struct addr *a) {
    struct ip_key ip = ip_key(a);
    uint64_t pair[PAIR_WORDS];
    if (self.resolved) {
        pair_key(pair, &ip, self.resolved);
        if (index_value(&resolved_pairs, pair, PAIR_WORDS))
            return self.resolved;
    }
    const char *_Atomic *latest = index_value(&resolved_addrs, ip.word, IP_WORDS);
    return latest ? atomic_load_explicit(latest, memory_order_acquire) : NULL;
}

uint32_t name_of_addr(const struct addr *a) {
    if (!atomic_load_explicit(&resolved_count, memory_order_relaxed))
        return BOX_NONE;
    const char *name = resolved_from(a);
    if (!name)
        return BOX_NONE;
    uint64_t key = (uintptr_t)name;
    uint32_t id = index_find(&names.v.by_resolved, &key, 1);
    if (id == INDEX_NONE && (id = name_find(name, strlen(name))) != BOX_NONE)
        id = index_add(&names.v.by_resolved, &key, 1, id);
    return id;
}
