/* Who is in memory and who is not, over a shelf that is an array: what comes back is what went, only rows that the shelf has may go, and what
 * the shelf cannot do is told. */
#include "model/seats.h"

#include "model/items.h"
#include "support/test.h"

#define D 8
#define USERS 40
#define ITEMS 20

static tw_err err;

/* A table of users over a shelf; each row on it is as the last save or settle left it. */
typedef struct room {
    tw_users users;
    tw_items items;
    tw_buf rows[USERS];
    bool placed[USERS]; /* in_place says so */
    bool no_reads, no_writes;
    int reads, writes; /* calls */
} room;

static bool in_place(void *self, tw_table table, uint32_t user) {
    ASSERT_EQ(table, TW_TABLE_USER);
    return ((room *)self)->placed[user];
}

static tw_code read_row(void *self, tw_table table, uint32_t user, tw_buf *out, tw_err *e) {
    room *r = self;
    (void)table;
    r->reads++;
    if (r->no_reads)
        return tw_fail(e, TW_E_IO, "the shelf is away, read %d", r->reads);
    tw_buf_put(out, r->rows[user].data, r->rows[user].size);
    return TW_OK;
}

static void save(room *r, uint32_t user) {
    const float *vector;
    const tw_user *u = tw_users_look(&r->users, user, &vector);
    tw_buf row = {0};
    tw_user_encode(u, vector, D, true, &row);
    tw_buf_done(&r->rows[user]);
    r->rows[user] = row;
    r->placed[user] = true;
}

static tw_code settle(void *self, tw_table table, const uint32_t *users, size_t count, tw_err *e) {
    room *r = self;
    (void)table;
    r->writes++;
    if (r->no_writes)
        return tw_fail(e, TW_E_FULL, "the shelf is full");
    for (size_t i = 0; i < count; i++)
        save(r, users[i]);
    return TW_OK;
}

/* bytes_max 0: no bound. */
static void begin(room *r, uint64_t bytes_max) {
    *r = (room){0};
    err = (tw_err){0};
    tw_users_init(&r->users, D);
    tw_items_init(&r->items, D);
    const tw_row_shelf shelf = {r, in_place, read_row, settle};
    if (bytes_max)
        tw_seats_begin(&r->users, &shelf, &r->items, bytes_max);
    for (int i = 0; i < ITEMS; i++) {
        char id[24];
        snprintf(id, sizeof id, "i%d", i);
        tw_items_add(&r->items, tw_slice_of(id), i);
    }
}

static void end(room *r) {
    tw_users_done(&r->users);
    tw_items_done(&r->items);
    for (int user = 0; user < USERS; user++)
        tw_buf_done(&r->rows[user]);
}

static tw_slice name_of(int number) {
    static char name[24];
    snprintf(name, sizeof name, "user-%02d", number);
    return tw_slice_of(name);
}

/* A user with a past, a vector and every third with a debt. The order of arrival is the number. */
static uint32_t arrive(room *r, int number) {
    uint32_t user = tw_users_add(&r->users, (uint32_t)number % 2, name_of(number));
    tw_user *u = tw_user_here(&r->users, user);
    for (int i = 0; i <= number % 5; i++)
        tw_past_meet(&r->users, u, (uint32_t)(number + i) % ITEMS, 1000 * (number + i));
    for (int d = 0; d < D; d++)
        tw_user_vector(&r->users, user)[d] = (float)(number * D + d);
    u->list.newest_ms = number;
    if (number % 3 == 0)
        u->list.owed_since_ms = 7 * number;
    tw_users_touch(&r->users, user, (uint64_t)number + 1, 1000 * number, r->items.next_order);
    return user;
}

/* As a commit does: the changes are on their way to the shelf, and (placed) in place there. */
static void commit(room *r, bool placed) {
    tw_dirty_clear(&r->users.dirty);
    for (uint32_t user = 0; user < r->users.slots.end; user++)
        if (placed && tw_slots_used(&r->users.slots, user) && tw_user_in_memory(&r->users, user))
            save(r, user);
}

static void fill(room *r) {
    for (int number = 0; number < USERS; number++)
        ASSERT_EQ(arrive(r, number), number);
}

static uint32_t in_memory(const room *r) {
    return r->users.seats->taken.count;
}

/* What rows take, as seats.h counts it. */
static size_t bytes_of_rows(const room *r) {
    size_t bytes = 0;
    for (uint32_t user = 0; user < r->users.slots.end; user++)
        if (tw_slots_used(&r->users.slots, user) && tw_user_in_memory(&r->users, user)) {
            const tw_user *u = tw_user_at(&r->users, user);
            bytes += sizeof *u + D * sizeof(float) + tw_user_own_bytes(u);
        }
    return bytes;
}

#define ROOM_FOR_FEW 4000

static int first_cold(const room *r) {
    for (uint32_t user = 0; user < USERS; user++)
        if (!tw_user_in_memory(&r->users, user))
            return (int)user;
    return -1;
}

/* ---- what comes back ------------------------------------------------------------------------------------------------ */

TEST(rows_that_went_come_back_as_they_were) {
    room r, whole;
    begin(&r, ROOM_FOR_FEW);
    begin(&whole, 0);
    fill(&r);
    fill(&whole);
    commit(&r, true);
    tw_users_cool(&r.users);
    ASSERT_LE(tw_users_row_bytes(&r.users), ROOM_FOR_FEW);
    ASSERT_LT(in_memory(&r), USERS / 2);
    for (int round = 0; round < 3; round++)
        for (int number = 0; number < USERS; number++) {
            tw_buf got = {0}, wanted = {0};
            uint32_t user = tw_users_find(&r.users, (uint32_t)number % 2, name_of(number));
            ASSERT_EQ(user, number);
            tw_user_encode(tw_user_here(&r.users, user), tw_user_vector(&r.users, user), D, true, &got);
            tw_user_encode(tw_user_at(&whole.users, user), tw_user_vector(&whole.users, user), D, true, &wanted);
            ASSERT_TRUE(tw_slice_equal(tw_buf_slice(&got), tw_buf_slice(&wanted)));
            tw_buf_done(&got);
            tw_buf_done(&wanted);
            tw_users_cool(&r.users);
            ASSERT_LE(tw_users_row_bytes(&r.users), ROOM_FOR_FEW);
            ASSERT_EQ(tw_users_row_bytes(&r.users), bytes_of_rows(&r));
        }
    ASSERT_EQ(r.writes, 0);
    ASSERT_OK(tw_users_sound(&r.users, &err));
    end(&r);
    end(&whole);
}

TEST(looking_at_cold_rows_brings_none_of_them_to_memory) {
    room r;
    const float *vector;
    begin(&r, ROOM_FOR_FEW);
    fill(&r);
    commit(&r, true);
    tw_users_cool(&r.users);
    uint32_t before = in_memory(&r);
    for (uint32_t user = 0; user < USERS; user++) {
        const tw_user *u = tw_users_look(&r.users, user, &vector);
        ASSERT_TRUE(tw_slice_equal((tw_slice){u->id, u->id_size}, name_of((int)user)));
        ASSERT_EQ(vector[D - 1], user * D + D - 1);
    }
    ASSERT_EQ(in_memory(&r), before);
    ASSERT_EQ(r.reads, USERS - before);
    ASSERT_EQ(tw_users_row_bytes(&r.users),
              bytes_of_rows(&r) + r.users.seats->spare.id_size + r.users.seats->spare.past_capacity * 11);
    end(&r);
}

TEST(tasks_and_debts_of_cold_users_are_known_without_reading) {
    room r;
    begin(&r, ROOM_FOR_FEW);
    fill(&r);
    commit(&r, true);
    tw_users_cool(&r.users);
    for (uint32_t user = 0; user < USERS; user++) {
        ASSERT_EQ(tw_users_task(&r.users, user), user % 2);
        ASSERT_EQ(tw_users_owes(&r.users, user), user % 3 == 0);
    }
    ASSERT_EQ(r.reads, 0);
    end(&r);
}

TEST(the_time_of_the_oldest_is_read_once_while_it_is_the_oldest) {
    room r;
    begin(&r, ROOM_FOR_FEW);
    fill(&r);
    commit(&r, true);
    tw_users_cool(&r.users);
    ASSERT_EQ(r.users.oldest, 0);
    ASSERT_FALSE(tw_user_in_memory(&r.users, 0));
    for (int i = 0; i < 3; i++)
        ASSERT_EQ(tw_users_last_ms(&r.users, 0), 0);
    ASSERT_EQ(r.reads, 1);
    tw_users_touch(&r.users, 0, USERS + 1, 99000, r.items.next_order); /* it has come again */
    ASSERT_EQ(tw_users_last_ms(&r.users, 0), 99000);
    ASSERT_EQ(r.users.oldest, 1);
    ASSERT_EQ(tw_users_last_ms(&r.users, 1), 1000);
    end(&r);
}

TEST(a_cold_user_moves_to_another_task_and_is_removed_like_any_other) {
    room r;
    begin(&r, ROOM_FOR_FEW);
    fill(&r);
    commit(&r, true);
    tw_users_cool(&r.users);
    int user = first_cold(&r);
    ASSERT_GE(user, 0);
    uint32_t task = (uint32_t)user % 2;
    tw_users_move(&r.users, (uint32_t)user, 5);
    ASSERT_EQ(tw_users_task(&r.users, (uint32_t)user), 5);
    ASSERT_EQ(tw_users_find(&r.users, task, name_of(user)), TW_SLOT_NONE);
    ASSERT_EQ(tw_users_find(&r.users, 5, name_of(user)), user);
    commit(&r, true);
    tw_users_cool(&r.users);
    user = first_cold(&r);
    tw_slice name = name_of(user);
    task = tw_users_task(&r.users, (uint32_t)user);
    tw_users_remove(&r.users, (uint32_t)user);
    ASSERT_EQ(tw_users_find(&r.users, task, name), TW_SLOT_NONE);
    ASSERT_EQ(r.users.slots.count, USERS - 1);
    ASSERT_EQ(tw_users_add(&r.users, 9, name), user); /* its number is free again */
    ASSERT_EQ(tw_user_here(&r.users, (uint32_t)user)->past_count, 0);
    ASSERT_OK(tw_users_sound(&r.users, &err));
    end(&r);
}

/* User 0 has met item 0 alone, user 4 the items 4 to 8. */
TEST(items_that_went_are_dropped_from_a_cold_past_though_others_have_their_slots) {
    room r;
    begin(&r, ROOM_FOR_FEW);
    fill(&r);
    commit(&r, true);
    tw_users_cool(&r.users);
    ASSERT_FALSE(tw_user_in_memory(&r.users, 0) || tw_user_in_memory(&r.users, 4));
    tw_items_remove(&r.items, 0);
    tw_items_remove(&r.items, 6);
    ASSERT_EQ(tw_items_add(&r.items, TW_SLICE_LITERAL("another"), 0), 0);
    ASSERT_EQ(tw_user_here(&r.users, 0)->past_count, 0);
    const tw_user *u = tw_user_here(&r.users, 4);
    ASSERT_EQ(u->past_count, 4);
    ASSERT_EQ(tw_past_find(u, 6), -1);
    ASSERT_EQ(tw_past_find(u, 8), 3);
    end(&r);
}

/* ---- who goes ------------------------------------------------------------------------------------------------------- */

TEST(whoever_was_asked_for_since_the_hand_came_by_stays_longer) {
    room r;
    begin(&r, ROOM_FOR_FEW);
    fill(&r);
    commit(&r, true);
    tw_users_cool(&r.users);
    uint32_t favourite = USERS - 1;
    int asked = 0, read = 0;
    for (int round = 0; round < 4; round++)
        for (uint32_t user = 0; user < favourite;
             user++, asked++) { /* all go through, one is asked for again and again */
            tw_user_here(&r.users, user);
            tw_users_cool(&r.users);
            read += !tw_user_in_memory(&r.users, favourite);
            tw_user_here(&r.users, favourite);
            tw_users_cool(&r.users);
        }
    ASSERT_LT(read * 8, asked);
    ASSERT_GT(r.reads - read, asked / 2); /* most of the others come from the shelf */
    end(&r);
}

TEST(rows_that_changed_or_are_not_on_the_shelf_stay_until_they_are_put_there) {
    room r;
    begin(&r, ROOM_FOR_FEW);
    fill(&r);
    tw_users_cool(&r.users);
    ASSERT_EQ(in_memory(&r), USERS);
    ASSERT_TRUE(r.users.seats->tight);
    commit(&r, false); /* in the journal alone */
    tw_users_cool(&r.users);
    ASSERT_EQ(in_memory(&r), USERS);
    ASSERT_OK(tw_users_relieve(&r.users, &err));
    ASSERT_FALSE(r.users.seats->tight);
    ASSERT_LE(tw_users_row_bytes(&r.users), ROOM_FOR_FEW - ROOM_FOR_FEW / 8);
    ASSERT_EQ(tw_users_row_bytes(&r.users), bytes_of_rows(&r));
    ASSERT_EQ(r.writes, 1);
    ASSERT_EQ(r.users.seats->settled, USERS - in_memory(&r));
    for (uint32_t user = 0; user < USERS; user++)
        ASSERT_TRUE(tw_user_in_memory(&r.users, user) || r.placed[user]);
    end(&r);
}

TEST(relief_writes_no_row_that_is_in_place_already) {
    room r;
    begin(&r, ROOM_FOR_FEW);
    fill(&r);
    commit(&r, true);
    ASSERT_OK(tw_users_relieve(&r.users, &err));
    ASSERT_LE(tw_users_row_bytes(&r.users), ROOM_FOR_FEW - ROOM_FOR_FEW / 8);
    ASSERT_EQ(r.writes, 0);
    ASSERT_EQ(r.users.seats->settled, 0);
    end(&r);
}

/* A reader puts nothing in place, so the rows that the journal alone has stay; the others still come and go. */
TEST(where_nothing_relieves_rows_still_leave_once_an_eighth_has_come_on_top) {
    room r;
    begin(&r, ROOM_FOR_FEW);
    for (int number = 0; number < USERS / 2; number++)
        arrive(&r, number);
    commit(&r, false);
    tw_users_cool(&r.users);
    ASSERT_TRUE(r.users.seats->tight);
    size_t stuck = tw_users_row_bytes(&r.users);
    for (int number = USERS / 2; number < USERS; number++) {
        save(&r, arrive(&r, number));
        tw_dirty_clear(&r.users.dirty);
        tw_users_cool(&r.users);
        ASSERT_LE(tw_users_row_bytes(&r.users), stuck + ROOM_FOR_FEW / 8 + bytes_of_rows(&r) / in_memory(&r) * 2);
    }
    ASSERT_GT(r.users.seats->cooled, 0);
    end(&r);
}

TEST(without_a_bound_there_are_no_seats) {
    room r;
    begin(&r, 0);
    fill(&r);
    tw_users_cool(&r.users);
    ASSERT_TRUE(r.users.seats == NULL);
    for (uint32_t user = 0; user < USERS; user++)
        ASSERT_EQ(tw_user_seat(&r.users, user), user);
    ASSERT_OK(tw_users_sound(&r.users, &err));
    end(&r);
}

/* ---- what cannot be done -------------------------------------------------------------------------------------------- */

TEST(a_row_that_cannot_be_read_is_a_failure_that_stays_and_the_first_one_is_told) {
    room r;
    begin(&r, ROOM_FOR_FEW);
    fill(&r);
    commit(&r, true);
    tw_users_cool(&r.users);
    uint32_t user = (uint32_t)first_cold(&r), before = r.users.slots.count;
    r.no_reads = true;
    ASSERT_EQ(tw_user_here(&r.users, user)->past_count, 0); /* an empty user stands for it */
    for (int d = 0; d < D; d++)
        ASSERT_EQ(tw_user_vector(&r.users, user)[d], 0);
    ASSERT_EQ(tw_users_sound(&r.users, &err), TW_E_IO);
    ASSERT_STR(err.text, "the shelf is away, read 1");
    tw_user_here(&r.users, (uint32_t)first_cold(&r));
    r.no_reads = false;
    tw_user_here(&r.users, (uint32_t)first_cold(&r));
    ASSERT_EQ(tw_users_sound(&r.users, &err), TW_E_IO);
    ASSERT_STR(err.text, "the shelf is away, read 1");
    tw_users_remove(&r.users, user); /* whose id is not known */
    tw_users_move(&r.users, user, 5);
    ASSERT_EQ(r.users.slots.count, before);
    uint32_t here = in_memory(&r);
    tw_users_cool(&r.users); /* nobody goes any more */
    ASSERT_EQ(in_memory(&r), here);
    end(&r);
}

TEST(a_row_that_was_cut_or_is_another_shape_is_a_failure) {
    for (int damage = 0; damage < 3; damage++) {
        room r;
        char said[64];
        begin(&r, ROOM_FOR_FEW);
        fill(&r);
        commit(&r, true);
        tw_users_cool(&r.users);
        uint32_t user = (uint32_t)first_cold(&r);
        tw_buf *row = &r.rows[user];
        if (damage == 0)
            row->size = 0;
        else if (damage == 1)
            row->size--;
        else
            tw_buf_u8(row, 0);
        tw_user_here(&r.users, user);
        ASSERT_EQ(tw_users_sound(&r.users, &err), TW_E_STORE);
        snprintf(said, sizeof said, "user row %" PRIu32 " is damaged", user);
        ASSERT_STR(err.text, said);
        end(&r);
    }
}

TEST(a_shelf_that_takes_nothing_keeps_everybody_in_memory) {
    room r;
    begin(&r, ROOM_FOR_FEW);
    fill(&r);
    commit(&r, false);
    tw_users_cool(&r.users);
    r.no_writes = true;
    ASSERT_EQ(tw_users_relieve(&r.users, &err), TW_E_FULL);
    ASSERT_STR(err.text, "the shelf is full");
    ASSERT_EQ(in_memory(&r), USERS);
    ASSERT_TRUE(r.users.seats->tight);
    ASSERT_EQ(r.users.seats->settled, 0);
    r.no_writes = false; /* and nobody is held as chosen */
    ASSERT_OK(tw_users_relieve(&r.users, &err));
    ASSERT_LE(tw_users_row_bytes(&r.users), ROOM_FOR_FEW - ROOM_FOR_FEW / 8);
    end(&r);
}
