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

static tw_code run(int argc, char **argv, tw_err *err) {
    const char *state_dir = NULL, *category = "";
    int64_t top = 0;
    bool json = false;
    const tw_option options[] = {
        {.name = "state", .value = "DIR", .doc = "Directory of the durable state", .text = &state_dir},
        {.name = "top",
         .value = "N",
         .doc = "How many items (default rank.list.size)",
         .number = &top,
         .number_min = 1,
         .number_max = TW_LIST_SIZE_MAX},
        {.name = "category", .value = "NAME", .doc = "Only items of this category", .text = &category},
        {.name = "json", .doc = "One JSON object", .flag = &json},
        {0}};
    tw_config config;
    tw_args args;
    tw_engine *engine = NULL;
    tw_list list;
    tw_buf buf = {0};
    tw_config_init(&config);
    tw_code code = tw_args_parse(&tw_command_recommend, options, argc, argv, &config, 1, 1, &args, err);
    if (code != TW_OK || args.help)
        goto done;
    if ((code = tw_open_state(&config, state_dir, &engine, err)) != TW_OK)
        goto done;
    code = tw_engine_recommend(engine, tw_slice_of(args.positionals[0]), (int)(top ? top : config.rank_list_size),
                               tw_slice_of(category), &list, err);
    if (code != TW_OK)
        goto done;
    if (json)
        tw_list_write_json(&list, &buf);
    else
        write_table(&list, &buf);
    code = tw_print(&buf, err);
done:
    tw_engine_close(engine);
    tw_buf_done(&buf);
    tw_config_done(&config);
    return code;
}

const tw_command tw_command_recommend = {"recommend", "USER --state DIR [--top N] [--json]",
                                         "Prints a user's fresh list from a state, with reasons", run};
