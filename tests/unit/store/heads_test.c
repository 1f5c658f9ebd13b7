/* Turned bits in LMDB's two heads, which it takes on trust: never a signal, never a start that does not end. */
#include "support/test.h"
#include "unit/store/shelf.h"

#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#include "store/pages.h"

#define MAP_MAX ((uint64_t)1 << 28)
#define PAGE 4096

static tw_err err;

static void turn(const char *path, int64_t at, int bit) {
    char byte;
    int fd = open(path, O_RDWR);
    ASSERT_EQ(pread(fd, &byte, 1, at), 1);
    byte ^= (char)(1 << bit);
    ASSERT_EQ(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

/* Turns each bit of a field of either head, either one the newer; returns how many of the openings, at most 4 a bit, were refused. The
 * others must load what was committed. */
static int damage(size_t field, int bits) {
    char dir[600], path[700];
    tw_store *store;
    int refused = 0;
    for (int commits = 10; commits < 12; commits++) {
        snprintf(dir, sizeof dir, "%s/s", tw_test_dir());
        snprintf(path, sizeof path, "%s/data.mdb", dir);
        tw_rng rng = tw_rng_at((uint64_t)commits, 1, 2);
        shelf s = {.size_max = 600};
        ASSERT_OK(shelf_open(dir, MAP_MAX, false, &s, &store, &err));
        for (int i = 0; i < commits; i++) {
            shelf_change(&s, store, &rng, 300);
            ASSERT_OK(tw_store_commit(store, &err));
        }
        tw_store_close(store);
        for (int i = 0; i < 2 * bits; i++) {
            int64_t at = i / bits * PAGE + (int64_t)(sizeof(tw_page_head) + field) + i % bits / 8;
            shelf loaded = {.size_max = s.size_max};
            turn(path, at, i % 8);
            tw_code code = shelf_open(dir, MAP_MAX, true, &loaded, &store, &err);
            turn(path, at, i % 8);
            if (code == TW_OK) {
                tw_store_close(store);
                ASSERT_TRUE(shelf_same(&loaded, &s));
            } else {
                ASSERT_TRUE(code == TW_E_STORE || code == TW_E_NO_MEMORY);
                refused++;
            }
        }
    }
    return refused;
}

TEST(a_turned_bit_in_the_size_of_a_page_is_refused) {
    int bits = 32;
    ASSERT_EQ(damage(offsetof(tw_page_meta, free_pages.pad), bits), 4 * bits);
}

/* In the older head it changes nothing; a size over the bytes of the file is one of a truncated store, or more than can be mapped. */
TEST(a_turned_bit_in_the_number_of_pages_is_refused_or_changes_nothing) {
    int bits = 64;
    ASSERT_GE(damage(offsetof(tw_page_meta, last_page), bits), 2 * (bits - 12));
}
