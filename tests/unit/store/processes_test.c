/* Several processes at one store: writers, readers beside them, readers that may not write, and some that are killed. */
#include "support/test.h"
#include "unit/store/shelf.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAP_MAX ((uint64_t)1 << 28)
#define NOBODY 65534

static tw_err err;

/* open_state DIR (read|write) [nobody]: prints "code N" and the sentence; with code 0, the rows that came back. */
HELPER(open_state) {
    tw_store *store = NULL;
    shelf s = {.size_max = 600};
    if (argc > 2 && setuid(NOBODY) != 0)
        return 2;
    tw_code code = shelf_open(argv[0], MAP_MAX, strcmp(argv[1], "read") == 0, &s, &store, &err);
    printf("code %d %s %" PRIu64 "\n", code, code == TW_OK ? "meta" : err.text, code == TW_OK ? s.meta : 0);
    tw_store_close(store);
    return 0;
}

static const char *answer_of(const char *const *args) {
    static char text[1024];
    int out;
    size_t size = 0;
    pid_t pid = tw_test_spawn("open_state", args, &out);
    for (ssize_t n; (n = read(out, text + size, sizeof text - 1 - size)) > 0;)
        size += (size_t)n;
    text[size] = '\0';
    close(out);
    ASSERT_EQ(tw_test_wait(pid), 0);
    return text;
}

static bool says(const char *text, tw_code code, const char *part) {
    char head[32];
    snprintf(head, sizeof head, "code %d ", code);
    bool good = strncmp(text, head, strlen(head)) == 0 && strstr(text, part);
    if (!good)
        printf("  %s", text);
    return good;
}

TEST(a_second_writer_is_refused_with_the_owner_named) {
    const char *dir = tw_test_dir();
    tw_store *store;
    shelf s = {0};
    char wanted[64], path[700];
    ASSERT_OK(shelf_open(dir, MAP_MAX, false, &s, &store, &err));
    snprintf(wanted, sizeof wanted, "open for writing in process %ld", (long)getpid());
    ASSERT_TRUE(says(answer_of((const char *[]){dir, "write", NULL}), TW_E_LOCKED, wanted));
    snprintf(path, sizeof path, "%s/owner.pid", dir);
    ASSERT_EQ(unlink(path), 0); /* the lock is on the data: without its sign it still holds */
    ASSERT_TRUE(says(answer_of((const char *[]){dir, "write", NULL}), TW_E_LOCKED, "in another process"));
    tw_store_close(store);
}

TEST(a_number_left_by_a_writer_that_died_refuses_nobody) {
    const char *dir = tw_test_dir();
    tw_store *store;
    shelf s = {0};
    char path[700], text[32];
    ASSERT_OK(shelf_open(dir, MAP_MAX, false, &s, &store, &err));
    tw_store_close(store);
    snprintf(path, sizeof path, "%s/owner.pid", dir);
    FILE *file = fopen(path, "w");
    fprintf(file, "%ld\n", (long)getppid()); /* another process has the number now */
    fclose(file);
    ASSERT_TRUE(says(answer_of((const char *[]){dir, "write", NULL}), TW_OK, ""));
    file = fopen(path, "r");
    ASSERT_TRUE(fgets(text, sizeof text, file) != NULL && strtol(text, NULL, 10) != (long)getppid());
    fclose(file);
}

/* A directory that nobody may read and not write, with a store of some commits. */
static const char *closed_store(tw_store **ret_store, shelf *s) {
    static char dir[700];
    char path[800];
    snprintf(dir, sizeof dir, "%s", tw_test_dir());
    snprintf(path, sizeof path, "%s/..", dir);
    ASSERT_EQ(chmod(path, 0755), 0);
    ASSERT_EQ(chmod(dir, 0755), 0);
    umask(022);
    tw_rng rng = tw_rng_at(3, 3, 3);
    *s = (shelf){.size_max = 600};
    ASSERT_OK(shelf_open(dir, MAP_MAX, false, s, ret_store, &err));
    for (int i = 0; i < 5; i++) {
        shelf_change(s, *ret_store, &rng, 100);
        ASSERT_OK(tw_store_commit(*ret_store, &err));
    }
    return dir;
}

TEST(a_reader_without_leave_to_write_is_refused_beside_a_writer_and_reads_without_one) {
    tw_store *store;
    shelf s;
    if (getuid() != 0)
        tw_test_skip("needs root, to become nobody");
    const char *dir = closed_store(&store, &s);
    const char *const nobody[] = {dir, "read", "nobody", NULL}, *const root[] = {dir, "read", NULL};
    ASSERT_TRUE(says(answer_of(nobody), TW_E_LOCKED, "needs leave to write to"));
    ASSERT_TRUE(says(answer_of(root), TW_OK, "meta 5"));
    tw_store_close(store);
    ASSERT_TRUE(says(answer_of(nobody), TW_OK, "meta 5"));
    const char *const writer[] = {dir, "write", "nobody", NULL};
    ASSERT_TRUE(says(answer_of(writer), TW_E_IO, "Permission denied"));
}

/* A reader that stops in the middle of its load, says so and waits to be killed. */
static tw_code stop_at_row(void *self, tw_table table, uint32_t row, tw_slice bytes, bool delta, tw_err *e) {
    (void)self, (void)table, (void)row, (void)bytes, (void)delta, (void)e;
    printf("reading\n");
    fflush(stdout);
    pause();
    return TW_OK;
}
static void ignore_delete(void *self, tw_table table, uint32_t row) {
    (void)self, (void)table, (void)row;
}
static tw_code ignore_meta(void *self, const char *name, tw_slice bytes, tw_err *e) {
    (void)self, (void)name, (void)bytes, (void)e;
    return TW_OK;
}
static tw_code ignore_log(void *self, uint32_t log, uint64_t bucket, tw_slice bytes, tw_err *e) {
    (void)self, (void)log, (void)bucket, (void)bytes, (void)e;
    return TW_OK;
}
static const tw_store_owner stopping = {NULL, stop_at_row, ignore_delete, ignore_meta, ignore_log, NULL};

HELPER(read_for_ever) {
    const tw_store_options options = {argv[0], MAP_MAX, 1 << 20, 100, true};
    tw_store *store;
    bool fresh;
    if (argc > 1 && setuid(NOBODY) != 0)
        return 2;
    if (tw_store_open(&options, &stopping, &store, &fresh, &err) != TW_OK)
        return 3;
    return tw_store_load(store, &err);
}

static pid_t start_reader(const char *const *args) {
    char text[32] = "";
    int out;
    pid_t pid = tw_test_spawn("read_for_ever", args, &out);
    ASSERT_GT(read(out, text, sizeof text - 1), 0);
    ASSERT_STR(text, "reading\n");
    close(out);
    return pid;
}

TEST(no_writer_begins_under_a_reader_that_it_cannot_see) {
    tw_store *store;
    shelf s;
    if (getuid() != 0)
        tw_test_skip("needs root, to become nobody");
    const char *dir = closed_store(&store, &s);
    tw_store_close(store);
    pid_t reader = start_reader((const char *[]){dir, "nobody", NULL});
    shelf loaded = {.size_max = 600};
    tw_code code = shelf_open(dir, MAP_MAX, false, &loaded, &store, &err);
    kill(reader, SIGKILL);
    ASSERT_EQ(tw_test_wait(reader), -SIGKILL);
    ASSERT_EQ(code, TW_E_LOCKED);
    ASSERT_TRUE(strstr(err.text, "is being read by a process") != NULL);
    ASSERT_OK(shelf_open(dir, MAP_MAX, false, &loaded, &store, &err)); /* the lock went with the reader */
    ASSERT_TRUE(shelf_same(&loaded, &s));
    tw_store_close(store);
}

/* Commits some and returns how many bytes the pages of the store span then. */
static uint64_t churn(tw_store *store, shelf *s, int commits) {
    tw_store_stats stats;
    tw_rng rng = tw_rng_at(s->meta, 8, 8);
    for (int i = 0; i < commits; i++) {
        shelf_change(s, store, &rng, 300);
        ASSERT_OK(tw_store_commit(store, &err));
    }
    tw_store_stats_get(store, &stats);
    return stats.map_used_bytes;
}

TEST(a_reader_that_was_killed_holds_no_pages_for_long) {
    const char *dir = tw_test_dir();
    tw_store *store;
    shelf s = {.size_max = 600};
    ASSERT_OK(shelf_open(dir, MAP_MAX, false, &s, &store, &err));
    uint64_t steady = churn(store, &s, 100);
    pid_t reader = start_reader((const char *[]){dir, NULL});
    kill(reader, SIGKILL);
    ASSERT_EQ(tw_test_wait(reader), -SIGKILL);
    uint64_t after = churn(store, &s, 300);
    printf("  %" PRIu64 " bytes before the reader, %" PRIu64 " after 300 more commits\n", steady, after);
    ASSERT_LT(after, 2 * steady);
    tw_store_close(store);
}

/* follow DIR: opens with a small map, says so, waits for a word, then loads. */
HELPER(follow) {
    const tw_store_options options = {argv[0], 1 << 16, 1 << 20, 100, true};
    const tw_store_owner owner = {NULL, NULL, ignore_delete, ignore_meta, ignore_log, NULL};
    tw_store *store;
    tw_store_stats stats;
    bool fresh;
    char line[8];
    (void)argc;
    if (tw_store_open(&options, &owner, &store, &fresh, &err) != TW_OK)
        return 3;
    printf("open\n");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin))
        return 4;
    if (tw_store_load(store, &err) != TW_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 5;
    }
    tw_store_stats_get(store, &stats);
    tw_store_close(store);
    return stats.map_used_bytes > 1 << 22 ? 0 : 6;
}

TEST(a_reader_with_a_small_map_follows_the_writer_as_it_grows) {
    const char *dir = tw_test_dir();
    static char big[1 << 23];
    tw_store *store;
    shelf s = {0};
    int in[2], out, kept = dup(STDIN_FILENO);
    char text[32] = "";
    ASSERT_OK(shelf_open(dir, MAP_MAX, false, &s, &store, &err));
    tw_store_begin(store);
    ASSERT_OK(tw_store_commit(store, &err));
    ASSERT_EQ(pipe(in), 0);
    dup2(in[0], STDIN_FILENO);
    pid_t reader = tw_test_spawn("follow", (const char *[]){dir, NULL}, &out);
    dup2(kept, STDIN_FILENO);
    ASSERT_GT(read(out, text, sizeof text - 1), 0);
    tw_store_begin(store);
    tw_store_append_log(store, 1, 1, (tw_slice){big, sizeof big});
    ASSERT_OK(tw_store_commit(store, &err));
    ASSERT_EQ(write(in[1], "go\n", 3), 3);
    ASSERT_EQ(tw_test_wait(reader), 0);
    close(in[0]);
    close(in[1]);
    close(out);
    close(kept);
    tw_store_close(store);
}

/* commit_a_gap DIR: leaves a gap of free pages at the end of the file and is killed where LMDB's commit is through. */
HELPER(commit_a_gap) {
    static char bytes[1 << 20];
    tw_store *store;
    shelf s = {.size_max = 600};
    (void)argc;
    if (shelf_open(argv[0], MAP_MAX, false, &s, &store, &err) != TW_OK)
        return 3;
    tw_store_begin(store);
    tw_store_append_log(store, 0, 40, (tw_slice){bytes, sizeof bytes});
    tw_store_drop_log(store, 0, 41);
    return tw_store_commit(store, &err);
}

/* A writer that dies in its transaction under a reader, with LMDB's note of the last commit one behind: in lock.mdb that note
 * follows two numbers of 4 bytes and a mutex. */
#define NOTE_OFFSET (8 + sizeof(pthread_mutex_t))

TEST(a_commit_that_lock_mdb_does_not_know_of_is_not_forgotten) {
    const char *dir = tw_test_dir();
    tw_store *store;
    shelf s = {.size_max = 600}, loaded = {.size_max = 600};
    char path[700];
    uint64_t noted;
    ASSERT_OK(shelf_open(dir, MAP_MAX, false, &s, &store, &err));
    churn(store, &s, 5);
    tw_store_close(store);
    pid_t reader = start_reader((const char *[]){dir, NULL});
    setenv("TAILWATER_FAILPOINT", "store.commit:1", 1);
    int end = tw_test_wait(tw_test_spawn("commit_a_gap", (const char *[]){dir, NULL}, NULL));
    unsetenv("TAILWATER_FAILPOINT");
    snprintf(path, sizeof path, "%s/lock.mdb", dir);
    int fd = open(path, O_RDWR);
    ASSERT_EQ(pread(fd, &noted, sizeof noted, NOTE_OFFSET), sizeof noted);
    ASSERT_TRUE(noted > 5 && noted < 10); /* the tables, then five commits */
    noted--;
    ASSERT_EQ(pwrite(fd, &noted, sizeof noted, NOTE_OFFSET), sizeof noted);
    close(fd);
    tw_code code = shelf_open(dir, MAP_MAX, false, &loaded, &store, &err);
    kill(reader, SIGKILL);
    ASSERT_EQ(tw_test_wait(reader), -SIGKILL);
    ASSERT_EQ(end, -SIGKILL);
    ASSERT_OK(code);
    tw_store_close(store);
    ASSERT_EQ(loaded.meta, 5);
    ASSERT_TRUE(shelf_same(&loaded, &s));
}

TEST(a_file_removed_under_its_writer_stops_it) {
    const char *dir = tw_test_dir();
    tw_store *store;
    shelf s = {.size_max = 600};
    char path[700];
    ASSERT_OK(shelf_open(dir, MAP_MAX, false, &s, &store, &err));
    churn(store, &s, 2);
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    ASSERT_EQ(unlink(path), 0);
    tw_store_begin(store);
    ASSERT_EQ(tw_store_commit(store, &err), TW_E_STORE);
    ASSERT_TRUE(strstr(err.text, "removed or replaced") != NULL);
    tw_store_close(store);
}

TEST(a_writer_killed_just_after_the_commit_leaves_a_file_that_opens) {
    const char *dir = tw_test_dir();
    tw_store *store;
    shelf s = {.size_max = 600}, loaded;
    ASSERT_OK(shelf_open(dir, MAP_MAX, false, &s, &store, &err));
    churn(store, &s, 12);
    tw_store_close(store);
    setenv("TAILWATER_FAILPOINT", "store.committed:1", 1);
    int end = tw_test_wait(tw_test_spawn("commit_a_gap", (const char *[]){dir, NULL}, NULL));
    unsetenv("TAILWATER_FAILPOINT");
    ASSERT_EQ(end, -SIGKILL);
    memset(s.log_sums[0], 0, 41 * sizeof s.log_sums[0][0]);
    for (int read_only = 2; read_only-- > 0;) {
        loaded = (shelf){.size_max = 600};
        ASSERT_OK(shelf_open(dir, MAP_MAX, read_only, &loaded, &store, &err));
        ASSERT_TRUE(shelf_same(&loaded, &s));
        tw_store_close(store);
    }
}
