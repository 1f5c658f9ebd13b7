/* Whether a file ends before a page that is in use: the first touch of such a page would be SIGBUS, so it is refused before.
 * Called by open, reader and writer; engine thread.
 *
 * LMDB numbers the pages of a commit up to the last one, but does not write those that it took and gave back within the
 * transaction, so a sound file may end a few pages early. Each of these pages is in the list of free pages of that same commit
 * (mdb_freelist_save puts them there), and no other page past the end is. So the rule is exact: a page that is not in the file
 * must be free. The list is read from the file by hand, since LMDB would read it through the map. */
#include "store/internal.h"

#include "base/alloc.h"
#include "store/pages.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

/* A writer overwrites a head two commits later; a reader that was overtaken looks again. Chosen, not measured. */
#define TRIES_MAX 1000

typedef struct check {
    tw_pages pages;        /* those in the file */
    uint64_t first, count; /* those of the commit that are not */
    uint64_t found;        /* of these, in the list of free pages */
    uint8_t *free;         /* (count) */
    int height;
} check;

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
static bool take_long_record(check *c, const tw_page_entry *entry) {
    const tw_pages *pages = &c->pages;
    if (entry->page >= c->first || entry->size > (c->first - entry->page) * pages->page_size - sizeof(tw_page_head))
        return false;
    char *bytes = tw_alloc(entry->size);
    bool good = tw_pages_read(pages, bytes, entry->size, entry->page * pages->page_size + sizeof(tw_page_head)) &&
                take_record(c, bytes, entry->size);
    free(bytes);
    return good;
}

static bool take_entry(void *self, const tw_page_entry *entry) {
    check *c = self;
    if (c->height == 1)
        return entry->bytes ? take_record(c, entry->bytes, entry->size) : take_long_record(c, entry);
    c->height--;
    bool good = tw_pages_each(&c->pages, entry->page, c->height, take_entry, c);
    c->height++;
    return good;
}

/* Whether the pages from first on are all free. */
static bool all_free(check *c, const tw_page_tree *list) {
    c->free = tw_zalloc(c->count);
    c->height = list->depth;
    bool good = list->entries > 0 && tw_pages_each(&c->pages, list->root, c->height, take_entry, c);
    free(c->free);
    return good && c->found == c->count;
}

static tw_code check_commit(const tw_store *store, check *c, const tw_page_meta *meta, tw_err *err) {
    struct stat st;
    if (TW_STORE_SYSTEM(fstat(c->pages.fd, &st)) != 0)
        return tw_fail_errno(err, TW_E_IO, "%s/data.mdb", store->dir);
    uint64_t wanted = meta->last_page + 1;
    c->first = c->pages.count = (uint64_t)st.st_size / c->pages.page_size;
    c->count = wanted > c->first ? wanted - c->first : 0;
    /* The list is in the file: it cannot name more pages than that has numbers. */
    if (c->count == 0 || (c->count <= (uint64_t)st.st_size / sizeof(uint64_t) && all_free(c, &meta->free_pages)))
        return tw_store_check_sound(store, &c->pages, meta, err);
    return tw_fail(err, TW_E_STORE,
                   "%s/data.mdb is truncated: %" PRId64 " bytes, its pages need %" PRIu64
                   "; bring back a copy, or remove the directory to begin anew",
                   store->dir, (int64_t)st.st_size, wanted * c->pages.page_size);
}

tw_code tw_store_check_whole(tw_store *store, tw_err *err) {
    MDB_stat stat;
    check c = {0};
    int result = mdb_env_stat(store->env, &stat);
    if (result == 0)
        result = mdb_env_get_fd(store->env, &c.pages.fd);
    c.pages.page_size = stat.ms_psize;
    for (int tries = 0; tries < TRIES_MAX && result == 0; tries++) {
        MDB_txn *txn;
        tw_page_meta meta;
        result = tw_store_begin_read(store, &txn);
        if (result != 0)
            break;
        uint64_t number = mdb_txn_id(txn);
        bool found = tw_pages_meta(&c.pages, number, &meta), checked = found && number == store->checked;
        tw_code code = found && !checked ? check_commit(store, &c, &meta, err) : TW_OK;
        mdb_txn_abort(txn);
        if (found && code == TW_OK)
            store->checked = number;
        if (found)
            return code;
    }
    if (result != 0)
        return tw_store_fail(store, result, "open", err);
    return tw_fail(
        err, TW_E_STORE,
        "%s: the heads of data.mdb do not fit one another and lock.mdb: it is damaged, or was replaced while "
        "something reads it",
        store->dir);
}
