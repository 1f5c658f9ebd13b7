/* `tailwater recommend --state DIR USER`: a user's list from the last commit, beside a running writer. */
#include "cli/cli.h"

#include "engine/engine.h"

#include <inttypes.h>

static void write_table(const tw_list *list, tw_buf *buf) {
    tw_buf_printf(buf, "%s " TW_SLICE_FMT ", list version %" PRIu64,
                  list->known ? "user" : "unknown user (the popular)", TW_SLICE_ARG(list->user_id), list->list_version);
    for (int i = 0; i < list->count; i++) {
        const tw_list_item *item = &list->items[i];
        tw_buf_printf(buf, "\n%3d  %8.4f  " TW_SLICE_FMT, i + 1, (double)item->score, TW_SLICE_ARG(item->item_id));
        if (item->title.size)
            tw_buf_printf(buf, "  " TW_SLICE_FMT, TW_SLICE_ARG(item->title));
        for (int r = 0; r < item->reasons_count; r++) {
            const tw_list_reason *reason = &item->reasons[r];
            tw_buf_printf(buf, "%s%s %.0f%%", r ? ", " : "  (", reason->source, (double)reason->share * 100);
            if (r == 0 && reason->because_item.size)
                tw_buf_printf(buf, " because of " TW_SLICE_FMT, TW_SLICE_ARG(reason->because_item));
        }
        if (item->reasons_count)
            tw_buf_u8(buf, ')');
    }
}

typedef struct wanted {
    int64_t top; /* 0: rank.list.size */
    const char *category;
    bool json;
} wanted;

static tw_code answer(void *self, tw_engine *engine, const tw_config *config, const tw_args *args, tw_buf *out,
                      tw_err *err) {
    const wanted *w = self;
    tw_list list;
    TW_TRY(tw_engine_recommend(engine, tw_slice_of(args->positionals[0]),
                               (int)(w->top ? w->top : config->rank_list_size), tw_slice_of(w->category), &list, err));
    (w->json ? tw_list_write_json : write_table)(&list, out);
    return TW_OK;
}

static tw_code run(int argc, char **argv, tw_err *err) {
    const char *state_dir = NULL;
    wanted w = {.category = ""};
    const tw_option options[] = {
        {.name = "state", .value = "DIR", .doc = "Directory of the durable state", .text = &state_dir},
        {.name = "top",
         .value = "N",
         .doc = "How many items (default rank.list.size)",
         .number = &w.top,
         .number_min = 1,
         .number_max = TW_LIST_SIZE_MAX},
        {.name = "category", .value = "NAME", .doc = "Only items of this category", .text = &w.category},
        {.name = "json", .doc = "One JSON object", .flag = &w.json},
        {0}};
    const tw_state_question question = {&tw_command_recommend, options, 1, &state_dir, answer, &w};
    return tw_ask_state(&question, argc, argv, err);
}

const tw_command tw_command_recommend = {"recommend", "USER --state DIR [--top N] [--json]",
                                         "Prints a user's fresh list from a state, with reasons", run};
