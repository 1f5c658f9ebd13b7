/* A shop's program with Tailwater inside: learns from what its users do and prints what they may want next. Built against the installed
 * files: cc embed.c $(pkg-config --cflags --libs tailwater). */
#include <tailwater/tailwater.h>

#include <inttypes.h>
#include <stdio.h>

static int fail(const tw_err *err) {
    fprintf(stderr, "%s: %s\n", tw_code_name(err->code), err->text);
    return 1;
}

int main(int argc, char **argv) {
    static const char *const settings[] = {"learn.dim=16", "rank.exclude=purchased"};
    const tw_recommender_options options = {
        .state_dir = argc > 1 ? argv[1] : NULL, .settings = settings, .settings_count = 2};
    tw_recommender *shop;
    tw_err err;
    if (tw_recommender_open(&options, &shop, &err) != TW_OK)
        return fail(&err);
    printf("%" PRIu64 " events are known\n", tw_recommender_added(shop));

    /* Every user looks at two items of one kind, and buys the first. Goes on where the last run was committed. */
    for (uint64_t n = tw_recommender_added(shop); n < 600; n++) {
        char user[16], item[16];
        const char *category = n / 3 % 2 ? "tea" : "coffee";
        snprintf(user, sizeof user, "user%d", (int)(n / 3));
        snprintf(item, sizeof item, "%s%d", category, (int)(n / 3 / 2 % 5 + (n % 3 == 1)));
        const tw_recommender_event event = {.kind = n % 3 == 2 ? "purchase" : "click",
                                            .user_id = user,
                                            .item_id = item,
                                            .category = category,
                                            .event_ms = 1700000000000 + (int64_t)n * 1000};
        tw_outcome outcome;
        if (tw_recommender_add(shop, &event, &outcome, &err) != TW_OK)
            return fail(&err);
        if (outcome == TW_OUTCOME_REFUSED)
            printf("event %" PRIu64 " is refused: %s\n", n, tw_recommender_reason(shop));
    }
    if (tw_recommender_commit(shop, &err) != TW_OK)
        return fail(&err);

    const tw_recommended *items;
    int count;
    if (tw_recommender_recommend(shop, "user199", NULL, 3, &items, &count, &err) != TW_OK)
        return fail(&err);
    for (int i = 0; i < count; i++)
        printf("%d. %s (%s) %.3f: %s%s%s\n", i + 1, items[i].item_id, items[i].category, (double)items[i].score,
               items[i].reason, *items[i].because_item ? " after " : "", items[i].because_item);
    tw_recommender_close(shop);
    return 0;
}
