/* LMDB's pages read by hand. Called by whole.c and sound.c; engine thread. */
#include "store/pages.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define META_MAGIC 0xBEEFC0DE
#define DATA_VERSION 1
#define KEY_SIZE_MAX 511
#define PAGE_SIZE_MAX 65536

bool tw_pages_read(const tw_pages *pages, void *to, size_t size, uint64_t offset) {
    return pread(pages->fd, to, size, (off_t)offset) == (ssize_t)size;
}

static bool read_meta(const tw_pages *pages, uint64_t page, tw_page_meta *ret_meta) {
    return tw_pages_read(pages, ret_meta, sizeof *ret_meta, page * pages->page_size + sizeof(tw_page_head)) &&
           ret_meta->magic == META_MAGIC && ret_meta->version == DATA_VERSION;
}

bool tw_pages_size_fits(int fd) {
    tw_pages pages = {.fd = fd};
    tw_page_meta meta;
    if (!read_meta(&pages, 0, &meta))
        return true;
    uint32_t size = meta.free_pages.pad;
    if (size < sizeof meta || size > PAGE_SIZE_MAX || (size & (size - 1)) != 0)
        return false;
    pages.page_size = size;
    return !read_meta(&pages, 1, &meta) || meta.free_pages.pad == size;
}

bool tw_pages_meta(const tw_pages *pages, uint64_t txn, tw_page_meta *ret_meta) {
    tw_page_meta metas[2];
    if (!read_meta(pages, 0, &metas[0]) || !read_meta(pages, 1, &metas[1]))
        return false;
    /* Transactions take turns at them; in a new file both are 0. */
    uint64_t a = metas[0].txn, b = metas[1].txn;
    if (a % 2 != 0 || (a + 1 != b && b + 1 != a && (a != 0 || b != 0)))
        return false;
    *ret_meta = metas[txn % 2];
    return ret_meta->txn == txn;
}

static bool find_entry(const tw_pages *pages, const char *bytes, const tw_page_head *head, size_t at,
                       tw_page_entry *ret_entry) {
    tw_page_node node;
    uint16_t offset;
    memcpy(&offset, bytes + at, sizeof offset);
    if (offset < head->upper || offset + sizeof node > pages->page_size)
        return false;
    memcpy(&node, bytes + offset, sizeof node);
    size_t start = offset + sizeof node + node.key_size;
    if (node.key_size > KEY_SIZE_MAX || start > pages->page_size)
        return false;
    *ret_entry = (tw_page_entry){.size = node.low | (size_t)node.high << 16, .flags = node.flags};
    if (head->flags & TW_PAGE_BRANCH) {
        *ret_entry = (tw_page_entry){.page = ret_entry->size | (uint64_t)node.flags << 32};
        return true;
    }
    if (start + (node.flags & TW_NODE_LONG ? sizeof(uint64_t) : ret_entry->size) > pages->page_size)
        return false;
    if (node.flags & TW_NODE_LONG)
        memcpy(&ret_entry->page, bytes + start, sizeof ret_entry->page);
    else
        ret_entry->bytes = bytes + start;
    return true;
}

bool tw_pages_each(const tw_pages *pages, uint64_t page, int height,
                   bool (*take)(void *self, const tw_page_entry *entry), void *self) {
    char *bytes = tw_alloc(pages->page_size);
    tw_page_head head;
    bool good = height > 0 && page >= 2 && page < pages->count &&
                tw_pages_read(pages, bytes, pages->page_size, page * pages->page_size);
    if (good) {
        memcpy(&head, bytes, sizeof head);
        good = head.number == page && (head.flags & TW_PAGE_KINDS) == (height == 1 ? TW_PAGE_LEAF : TW_PAGE_BRANCH) &&
               head.lower > sizeof head && head.lower % 2 == 0 && head.lower <= head.upper &&
               head.upper <= pages->page_size;
    }
    for (size_t at = sizeof head; good && at < head.lower; at += sizeof(uint16_t)) {
        tw_page_entry entry;
        good = find_entry(pages, bytes, &head, at, &entry) && take(self, &entry);
    }
    free(bytes);
    return good;
}
