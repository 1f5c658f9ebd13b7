/* LMDB's pages as they lie in the file, for the checks that must not touch them through the map: data version 1, which every 0.9
 * release writes. Read with pread, so that a page that is not there is an answer and not SIGBUS. */
#ifndef TW_STORE_PAGES_H
#define TW_STORE_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct tw_page_head {
    uint64_t number;
    uint16_t pad, flags, lower, upper; /* of the first page of a long value: lower and upper are a count of pages */
} tw_page_head;
enum { TW_PAGE_BRANCH = 1, TW_PAGE_LEAF = 2, TW_PAGE_LONG = 4, TW_PAGE_KINDS = 0x6f };

typedef struct tw_page_tree {
    uint32_t pad;
    uint16_t flags, depth;
    uint64_t branches, leaves, overflows, entries, root;
} tw_page_tree;

typedef struct tw_page_meta {
    uint32_t magic, version;
    uint64_t address, map_size;
    tw_page_tree free_pages, names; /* the size of a page is the pad of free_pages */
    uint64_t last_page, txn;
} tw_page_meta;

typedef struct tw_page_node {
    uint16_t low, high, flags, key_size;
} tw_page_node;
enum { TW_NODE_LONG = 1, TW_NODE_TREE = 2 };

_Static_assert(sizeof(tw_page_head) == 16 && sizeof(tw_page_tree) == 48 && sizeof(tw_page_meta) == 136, "on disk");
_Static_assert(sizeof(size_t) == 8 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "on disk");

typedef struct tw_pages {
    int fd;
    uint64_t page_size, count; /* of the commit: its pages are below count, in the file or free */
} tw_pages;

/* One entry of a page: a child, or a value with its bytes, or the first page of a long one. */
typedef struct tw_page_entry {
    uint64_t page;     /* child, or first page of a long value */
    const char *bytes; /* NULL: long */
    size_t size;
    uint16_t flags;
} tw_page_entry;

bool tw_pages_read(const tw_pages *pages, void *to, size_t size, uint64_t offset);

/* Whether both heads give the same size of a page, one that LMDB uses. It takes the newer head's on trust and looks for the other there in
 * its map, so this must be asked before it opens the file. True of what has no two heads: LMDB refuses that itself. */
bool tw_pages_size_fits(int fd);

/* The head that belongs to a transaction. False when the two heads do not fit one another, as when a writer is overwriting one. */
bool tw_pages_meta(const tw_pages *pages, uint64_t txn, tw_page_meta *ret_meta);

/* Reads a page and gives each of its entries to take, children too. False when the page is none that LMDB could have written
 * at that height above the leaves (1), or when take says so. */
bool tw_pages_each(const tw_pages *pages, uint64_t page, int height,
                   bool (*take)(void *self, const tw_page_entry *entry), void *self);

#endif
