/* Whether the pages of a commit are what LMDB could have written. LMDB trusts them: a turned bit in the head of a page or in a
 * number of a page would end in SIGSEGV or in a value of somewhere else. Called by open, after whole.c; engine thread.
 *
 * Every tree is walked down to its leaves, and each page is held against its place: its own number, its kind, and offsets within it.
 * Trees with flags are another program's: open.c refuses them by name. */
#include "store/internal.h"

#include "store/pages.h"

/* LMDB's cursors go no deeper. */
#define HEIGHT_MAX 32

typedef struct walker {
    const tw_pages *pages;
    int height;
    bool names; /* in the main tree, whose values may be trees */
} walker;

static bool walk_tree(const walker *w, const tw_page_tree *tree, bool names);

/* A long value: its first page says how many there are. */
static bool long_is_sound(const walker *w, const tw_page_entry *entry) {
    tw_page_head head;
    uint32_t pages;
    uint64_t wanted = (sizeof head + entry->size + w->pages->page_size - 1) / w->pages->page_size;
    if (entry->page < 2 || entry->page + wanted > w->pages->count ||
        !tw_pages_read(w->pages, &head, sizeof head, entry->page * w->pages->page_size))
        return false;
    memcpy(&pages, &head.lower, sizeof pages);
    return head.number == entry->page && (head.flags & TW_PAGE_KINDS) == TW_PAGE_LONG && pages == wanted;
}

static bool take_entry(void *self, const tw_page_entry *entry) {
    walker *w = self;
    if (w->height > 1) {
        w->height--;
        bool good = tw_pages_each(w->pages, entry->page, w->height, take_entry, w);
        w->height++;
        return good;
    }
    if (entry->flags == TW_NODE_LONG)
        return long_is_sound(w, entry);
    if (entry->flags == TW_NODE_TREE && w->names && entry->size == sizeof(tw_page_tree)) {
        tw_page_tree tree;
        memcpy(&tree, entry->bytes, sizeof tree);
        return tree.flags != 0 || walk_tree(w, &tree, false);
    }
    return entry->flags == 0;
}

static bool walk_tree(const walker *w, const tw_page_tree *tree, bool names) {
    walker down = {w->pages, tree->depth, names};
    if (tree->entries == 0)
        return true;
    return tree->depth <= HEIGHT_MAX && tw_pages_each(w->pages, tree->root, down.height, take_entry, &down);
}

tw_code tw_store_check_sound(const tw_store *store, const tw_pages *pages, const tw_page_meta *meta, tw_err *err) {
    const walker w = {.pages = pages};
    if (walk_tree(&w, &meta->free_pages, false) && (meta->names.flags != 0 || walk_tree(&w, &meta->names, true)))
        return TW_OK;
    return tw_fail(
        err, TW_E_STORE,
        "%s/data.mdb is damaged: a page is not what LMDB wrote; bring back a copy, or remove the directory to "
        "begin anew",
        store->dir);
}
