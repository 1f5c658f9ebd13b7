/* Files that were cut or changed: refused with a sentence, or what was committed; never a signal, never something else. */
#include "support/test.h"
#include "unit/store/shelf.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAP_MAX ((uint64_t)1 << 28)

static tw_err err;

static int64_t data_size(const char *dir) {
    char path[700];
    struct stat st;
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    ASSERT_EQ(stat(path, &st), 0);
    return st.st_size;
}

static shelf grow(const char *dir, uint64_t seed, int commits, bool fold) {
    tw_rng rng = tw_rng_at(seed, 1, 2);
    tw_store *store;
    shelf s = {.size_max = 600};
    ASSERT_OK(shelf_open(dir, MAP_MAX, false, &s, &store, &err));
    for (int i = 0; i < commits; i++) {
        shelf_change(&s, store, &rng, 300);
        ASSERT_OK(tw_store_commit(store, &err));
    }
    if (fold)
        ASSERT_OK(tw_store_fold_all(store, &err));
    tw_store_close(store);
    return s;
}

/* A log appended and dropped in one commit takes pages and gives them back unwritten, past the end of the file. */
static void leave_a_gap(const char *dir, shelf *s) {
    static char bytes[1 << 25]; /* longer than any run of free pages */
    tw_store *store;
    tw_store_stats stats;
    tw_rng rng = tw_rng_at(5, 5, 5);
    ASSERT_OK(shelf_open(dir, MAP_MAX, false, s, &store, &err));
    shelf_change(s, store, &rng, 10);
    tw_store_append_log(store, 0, 0, (tw_slice){bytes, sizeof bytes});
    s->log_below[0] = 1;
    s->log_sums[0][0] = 0;
    tw_store_drop_log(store, 0, 1);
    ASSERT_OK(tw_store_commit(store, &err));
    tw_store_stats_get(store, &stats);
    tw_store_close(store);
    ASSERT_GT((int64_t)stats.map_used_bytes - data_size(dir), 1 << 20);
}

/* Opens a copy of that many bytes; true when it opened. */
static bool try_cut(const char *dir, const char *copy, int64_t size, bool read_only, const shelf *committed) {
    tw_store *store;
    shelf loaded = {.size_max = committed->size_max};
    shelf_copy(dir, copy, size);
    tw_code code = shelf_open(copy, MAP_MAX, read_only, &loaded, &store, &err);
    if (code == TW_OK) {
        tw_store_close(store);
        ASSERT_TRUE(shelf_same(&loaded, committed));
        return true;
    }
    ASSERT_EQ(code, TW_E_STORE);
    ASSERT_TRUE(strstr(err.text, "truncated") != NULL && strstr(err.text, copy) != NULL);
    return false;
}

/* At every page, and a byte to either side; a file that is whole opens. */
static void cut_everywhere(const char *dir, const shelf *committed, int64_t step) {
    char copy[700];
    int opened = 0, refused = 0;
    int64_t size = data_size(dir);
    snprintf(copy, sizeof copy, "%s-copy", dir);
    for (int64_t at = 0; at < size; at += step)
        for (int64_t off = -1; off <= 1; off++) {
            if (at + off < 0)
                continue;
            for (int read_only = 0; read_only < 2; read_only++) {
                bool good = try_cut(dir, copy, at + off, read_only, committed);
                opened += good;
                refused += !good;
            }
        }
    printf("  %" PRId64 " bytes: %d cuts refused, %d open with all that was committed\n", size, refused, opened);
    ASSERT_GT(refused, 0);
    ASSERT_TRUE(try_cut(dir, copy, size, false, committed));
}

TEST(a_file_cut_at_any_length_is_refused_or_whole) {
    char dir[600];
    snprintf(dir, sizeof dir, "%s/s", tw_test_dir());
    shelf s = grow(dir, tw_test_seed(), 12, false);
    cut_everywhere(dir, &s, 4096);
    snprintf(dir, sizeof dir, "%s/s", tw_test_dir());
    s = grow(dir, tw_test_seed() + 1, 12, true);
    cut_everywhere(dir, &s, 4096);
}

TEST(a_file_that_ends_before_pages_that_were_given_back_is_whole) {
    char dir[600];
    snprintf(dir, sizeof dir, "%s/s", tw_test_dir());
    shelf s = grow(dir, tw_test_seed(), 8, true);
    leave_a_gap(dir, &s);
    cut_everywhere(dir, &s, 4096);
}

/* The list of free pages grows past a leaf, into pages of its own and branches. */
TEST(a_long_list_of_free_pages_is_read_too) {
    char dir[600];
    tw_store *store;
    tw_rng rng = tw_rng_at(tw_test_seed(), 6, 6);
    snprintf(dir, sizeof dir, "%s/s", tw_test_dir());
    shelf s = {.size_max = 6000}, empty;
    ASSERT_OK(shelf_open(dir, MAP_MAX, false, &s, &store, &err));
    for (int i = 0; i < 12; i++) {
        shelf_change(&s, store, &rng, 2000);
        ASSERT_OK(tw_store_commit(store, &err));
    }
    ASSERT_OK(tw_store_fold_all(store, &err));
    tw_store_begin(store);
    empty = s;
    for (uint32_t t = 1; t < TW_TABLE_COUNT; t++)
        for (uint32_t r = 0; r < SHELF_ROWS; r++)
            if (empty.rows[t][r]) {
                s.rows[t][r] = 0;
                tw_store_delete(store, (tw_table)t, r);
            }
    ASSERT_OK(tw_store_commit(store, &err));
    ASSERT_OK(tw_store_fold_all(store, &err));
    tw_store_close(store);
    leave_a_gap(dir, &s);
    cut_everywhere(dir, &s, 4096 * 97);
}

/* Turns one bit wherever the file holds these bytes. */
static int turn_bit(const char *dir, const char *bytes, size_t size, size_t at) {
    char path[700];
    int found = 0;
    int64_t file_size = data_size(dir);
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    int fd = open(path, O_RDWR);
    char *file = malloc((size_t)file_size);
    ASSERT_EQ(pread(fd, file, (size_t)file_size, 0), file_size);
    for (char *hit = file; (hit = memmem(hit, (size_t)(file + file_size - hit), bytes, size)) != NULL; hit += size) {
        char turned = hit[at] ^ 4;
        ASSERT_EQ(pwrite(fd, &turned, 1, hit + at - file), 1);
        found++;
    }
    free(file);
    close(fd);
    return found;
}

TEST(a_turned_bit_in_a_row_in_place_is_refused_with_table_and_row) {
    char dir[600], copy[700];
    tw_store *store;
    tw_buf bytes = {0};
    snprintf(dir, sizeof dir, "%s/s", tw_test_dir());
    snprintf(copy, sizeof copy, "%s-copy", dir);
    shelf s = grow(dir, 11, 12, true), loaded;
    int tried = 0;
    for (uint32_t r = 0; r < SHELF_ROWS; r++) {
        tw_buf_clear(&bytes);
        shelf_bytes(&s, TW_TABLE_ITEM, r, &bytes);
        if (!s.rows[TW_TABLE_ITEM][r] || bytes.size < 40)
            continue;
        shelf_copy(dir, copy, INT64_MAX);
        ASSERT_GT(turn_bit(copy, bytes.data, bytes.size, r % bytes.size), 0);
        for (int read_only = 0; read_only < 2; read_only++) {
            char name[64];
            loaded = (shelf){.size_max = s.size_max};
            ASSERT_EQ(shelf_open(copy, MAP_MAX, read_only, &loaded, &store, &err), TW_E_STORE);
            snprintf(name, sizeof name, "row %u of table item is damaged", r);
            ASSERT_TRUE(strstr(err.text, name) != NULL);
        }
        if (++tried == 20)
            break;
    }
    ASSERT_EQ(tried, 20);
    tw_buf_done(&bytes);
}

TEST(a_turned_bit_in_a_meta_is_refused_with_its_name) {
    char dir[600];
    tw_store *store;
    snprintf(dir, sizeof dir, "%s/s", tw_test_dir());
    shelf s = grow(dir, 12, 3, false), loaded = {.size_max = s.size_max};
    ASSERT_GT(turn_bit(dir, "number", 6, 6 + 8), 0); /* the value lies behind its key and its checksum */
    ASSERT_EQ(shelf_open(dir, MAP_MAX, false, &loaded, &store, &err), TW_E_STORE);
    ASSERT_TRUE(strstr(err.text, "meta \"number\" is damaged") != NULL);
}

/* Each leaf in turn loses its last entry, or has its first twice and its second never, as turned bits in its head would do it. */
static void damage_leaves(bool twice, const char *part, int parts_min) {
    char dir[600], copy[700], path[800];
    tw_store *store;
    snprintf(dir, sizeof dir, "%s/s", tw_test_dir());
    snprintf(copy, sizeof copy, "%s-copy", dir);
    snprintf(path, sizeof path, "%s/data.mdb", copy);
    shelf s = grow(dir, 13, 6, true);
    int64_t size = data_size(dir);
    int refused = 0, parts = 0, same = 0;
    for (int64_t page = 2; page < size / 4096; page++) {
        struct {
            uint64_t number;
            uint16_t pad, flags, lower, upper, offsets[2];
        } head; /* LMDB's */
        shelf_copy(dir, copy, INT64_MAX);
        int fd = open(path, O_RDWR);
        ASSERT_EQ(pread(fd, &head, sizeof head, page * 4096), sizeof head);
        bool leaf =
            head.number == (uint64_t)page && head.flags == 2 && head.lower > sizeof head && head.lower <= head.upper;
        if (twice)
            head.offsets[1] = head.offsets[0];
        else
            head.lower -= 2;
        if (leaf)
            ASSERT_EQ(pwrite(fd, &head, sizeof head, page * 4096), sizeof head);
        close(fd);
        if (!leaf)
            continue;
        shelf loaded = {.size_max = s.size_max};
        tw_code code = shelf_open(copy, MAP_MAX, true, &loaded, &store, &err);
        if (code == TW_OK) {
            tw_store_close(store);
            ASSERT_TRUE(shelf_same(&loaded, &s));
            same++;
        } else {
            ASSERT_TRUE(code == TW_E_STORE || code == TW_E_MISMATCH);
            refused++;
            parts += strstr(err.text, part) != NULL;
        }
    }
    printf("  %d refused, %d of them by \"%s\"; %d not in use\n", refused, parts, part, same);
    ASSERT_GE(parts, parts_min);
}

TEST(a_page_that_hides_an_entry_is_refused_or_not_in_use) {
    damage_leaves(false, "are there", 10);
}

TEST(a_page_that_has_an_entry_twice_is_refused_or_not_in_use) {
    damage_leaves(true, "the order of", 10);
}

/* load_as DIR FILE: 0 when what is loaded is the shelf in the file, 1 when it is refused, 2 when it is another. */
HELPER(load_as) {
    tw_store *store;
    shelf wanted, loaded = {.size_max = 600};
    FILE *file = fopen(argv[1], "rb");
    if (argc != 2 || !file || fread(&wanted, sizeof wanted, 1, file) != 1)
        return 3;
    fclose(file);
    if (shelf_open(argv[0], MAP_MAX, true, &loaded, &store, &err) != TW_OK)
        return 1;
    tw_store_close(store);
    return shelf_same(&loaded, &wanted) ? 0 : 2;
}

TEST(a_turned_bit_anywhere_is_refused_or_changes_nothing) {
    char dir[600], copy[700], path[800], wanted[800];
    tw_rng rng = tw_rng_at(tw_test_seed(), 4, 4);
    snprintf(dir, sizeof dir, "%s/s", tw_test_dir());
    snprintf(copy, sizeof copy, "%s-copy", dir);
    snprintf(path, sizeof path, "%s/data.mdb", copy);
    snprintf(wanted, sizeof wanted, "%s/wanted", dir);
    shelf s = grow(dir, tw_test_seed(), 10, false);
    FILE *file = fopen(wanted, "wb");
    ASSERT_EQ(fwrite(&s, sizeof s, 1, file), 1);
    fclose(file);
    uint32_t pages = (uint32_t)(data_size(dir) / 4096);
    int counts[2] = {0};
    for (int i = 0; i < 400; i++) {
        /* half of them where LMDB has the heads of its pages */
        int64_t at = (int64_t)tw_rng_below(&rng, pages) * 4096 + tw_rng_below(&rng, i % 2 ? 4096 : 64);
        char byte;
        shelf_copy(dir, copy, INT64_MAX);
        int fd = open(path, O_RDWR);
        ASSERT_EQ(pread(fd, &byte, 1, at), 1);
        byte ^= (char)(1 << tw_rng_below(&rng, 8));
        ASSERT_EQ(pwrite(fd, &byte, 1, at), 1);
        close(fd);
        int end = tw_test_wait(tw_test_spawn("load_as", (const char *[]){copy, wanted, NULL}, NULL));
        if (end != 0 && end != 1)
            tw_test_fail(__FILE__, __LINE__, "byte %" PRId64 ": ended with %d", at, end);
        counts[end]++;
    }
    printf("  %d refused, %d not in use\n", counts[1], counts[0]);
    ASSERT_GT(counts[1], 20);
}
