/* Whether a file ends before a page that is in use: the first touch of such a page would be SIGBUS, so it is refused before.
 * Called by open, reader and writer; engine thread.
 *
 * LMDB numbers the pages of a commit up to the last one, but does not write those that it took and gave back within the
 * transaction, so a sound file may end a few pages early. Each of these pages is in the list of free pages of that same commit
 * (mdb_freelist_save puts them there), and no other page past the end is. So the rule is exact: a page that is not in the file
 * must be free. The list is read from the file by hand, since LMDB would read it through the map; the layout is that of LMDB's
 * data version 1, which every 0.9 release has. */
#include "store/internal.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define META_MAGIC 0xBEEFC0DE
#define DATA_VERSION 1
/* A writer overwrites a meta page two commits later; a reader that was overtaken looks again. Chosen, not measured. */
#define TRIES_MAX 1000

typedef struct page_head {
    uint64_t number;
    uint16_t pad, flags, lower, upper;
} page_head;
enum { PAGE_BRANCH = 1, PAGE_LEAF = 2 };

typedef struct tree {
    uint32_t pad;
    uint16_t flags, depth;
    uint64_t branches, leaves, overflows, entries, root;
} tree;

typedef struct meta {
    uint32_t magic, version;
    uint64_t address, map_size;
    tree free_pages, names;
    uint64_t last_page, txn;
} meta;
_Static_assert(sizeof(page_head) == 16 && sizeof(tree) == 48 && sizeof(meta) == 136, "as LMDB has them on disk");
_Static_assert(sizeof(size_t) == 8 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "as LMDB has them on disk");

typedef struct node_head {
    uint16_t low, high, flags, key_size;
} node_head;
enum { NODE_BIG = 1 };

typedef struct check {
    int fd;
    uint64_t page_size;
    uint64_t first, count; /* the pages that are not in the file */
    uint64_t found;        /* of them, in the list of free pages */
    uint8_t *free;         /* (count), one byte each */
} check;

static bool read_at(const check *c, void *to, size_t size, uint64_t offset) {
    return pread(c->fd, to, size, (off_t)offset) == (ssize_t)size;
}

/* A record of the list: a count, then so many numbers of pages. */
static bool take_record(check *c, const char *bytes, size_t size) {
    uint64_t count, page;
    if (size < sizeof count)
        return false;
    memcpy(&count, bytes, sizeof count);
    if (count > size / sizeof page - 1)
        return false;
    for (uint64_t i = 1; i <= count; i++) {
        memcpy(&page, bytes + i * sizeof page, sizeof page);
        if (page < c->first || page - c->first >= c->count || c->free[page - c->first])
            continue;
        c->free[page - c->first] = 1;
        c->found++;
    }
    return true;
}

/* A record too long for a leaf lies in pages of its own, behind one head. */
static bool take_big_record(check *c, const char *at, size_t size) {
    uint64_t page;
    memcpy(&page, at, sizeof page);
    if (page >= c->first || size > (c->first - page) * c->page_size - sizeof(page_head))
        return false;
    char *bytes = tw_alloc(size);
    bool good = read_at(c, bytes, size, page * c->page_size + sizeof(page_head)) && take_record(c, bytes, size);
    free(bytes);
    return good;
}

static bool walk(check *c, uint64_t page, int depth);

static bool take_node(check *c, const char *bytes, uint16_t offset, bool leaf, int depth) {
    node_head node;
    if (offset < sizeof(page_head) || offset + sizeof node > c->page_size)
        return false;
    memcpy(&node, bytes + offset, sizeof node);
    if (!leaf)
        return walk(c, node.low | (uint64_t)node.high << 16 | (uint64_t)node.flags << 32, depth - 1);
    size_t size = node.low | (size_t)node.high << 16, start = offset + sizeof node + node.key_size;
    if (start + (node.flags & NODE_BIG ? sizeof(uint64_t) : size) > c->page_size)
        return false;
    return node.flags & NODE_BIG ? take_big_record(c, bytes + start, size) : take_record(c, bytes + start, size);
}

/* False when the tree itself is not whole. */
static bool walk(check *c, uint64_t page, int depth) {
    if (depth == 0 || page >= c->first)
        return false;
    char *bytes = tw_alloc(c->page_size);
    page_head head;
    bool good = read_at(c, bytes, c->page_size, page * c->page_size);
    if (good) {
        memcpy(&head, bytes, sizeof head);
        good = (head.flags & (PAGE_BRANCH | PAGE_LEAF)) != 0 && head.lower >= sizeof head && head.lower <= c->page_size;
    }
    for (size_t at = sizeof head; good && at + sizeof(uint16_t) <= head.lower; at += sizeof(uint16_t)) {
        uint16_t offset;
        memcpy(&offset, bytes + at, sizeof offset);
        good = take_node(c, bytes, offset, head.flags & PAGE_LEAF, depth);
    }
    free(bytes);
    return good;
}

/* The meta page that belongs to the transaction; a writer may have overwritten it since. */
static bool find_meta(const check *c, uint64_t txn, meta *ret_meta) {
    for (uint64_t page = 0; page < 2; page++)
        if (read_at(c, ret_meta, sizeof *ret_meta, page * c->page_size + sizeof(page_head)) &&
            ret_meta->magic == META_MAGIC && ret_meta->version == DATA_VERSION && ret_meta->txn == txn)
            return true;
    return false;
}

static tw_code check_commit(const tw_store *store, check *c, const meta *m, tw_err *err) {
    struct stat st;
    if (TW_STORE_SYSTEM(fstat(c->fd, &st)) != 0)
        return tw_fail_errno(err, TW_E_IO, "%s/data.mdb", store->dir);
    uint64_t pages = m->last_page + 1;
    c->first = (uint64_t)st.st_size / c->page_size;
    if (c->first >= pages)
        return TW_OK;
    c->count = pages - c->first;
    c->free = tw_zalloc(c->count);
    bool good = m->free_pages.entries == 0 || walk(c, m->free_pages.root, m->free_pages.depth);
    free(c->free);
    if (good && c->found == c->count)
        return TW_OK;
    return tw_fail(err, TW_E_STORE,
                   "%s/data.mdb is truncated: %" PRId64 " bytes, its pages need %" PRIu64
                   "; bring back a copy, or remove the directory to begin anew",
                   store->dir, (int64_t)st.st_size, pages * c->page_size);
}

tw_code tw_store_check_whole(tw_store *store, tw_err *err) {
    MDB_stat stat;
    check c = {0};
    int result = mdb_env_stat(store->env, &stat);
    if (result == 0)
        result = mdb_env_get_fd(store->env, &c.fd);
    c.page_size = stat.ms_psize;
    for (int tries = 0; tries < TRIES_MAX && result == 0; tries++) {
        MDB_txn *txn;
        meta m;
        result = tw_store_begin_read(store, &txn);
        if (result != 0)
            break;
        bool found = find_meta(&c, mdb_txn_id(txn), &m);
        tw_code code = found ? check_commit(store, &c, &m, err) : TW_OK;
        mdb_txn_abort(txn);
        if (found)
            return code;
    }
    return result ? tw_store_fail(store, result, "open", err)
                  : tw_fail(err, TW_E_STORE,
                            "%s: lock.mdb does not belong to this data.mdb: stop what reads it and start again",
                            store->dir);
}
