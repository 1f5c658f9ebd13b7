/* `tailwater watch`: fresh lists from the recommendations topic, one line each. */
#include "cli/cli.h"
#include "cli/watcher.h"

#include "base/log.h"

#include <limits.h>

typedef struct choice {
    const char *user; /* NULL: all */
    int64_t count;    /* 0: endless */
    int64_t titles;
    bool json;
} choice;

static tw_code show(const tw_record *record, const choice *wanted, tw_buf *line, tw_err *err) {
    if (!wanted->json)
        TW_TRY(tw_watcher_write(record, (int)wanted->titles, line, err));
    else if (record->value.data)
        tw_buf_put(line, record->value.data, record->value.size);
    else
        tw_buf_printf(line, "null");
    return tw_print(line, err);
}

static tw_code watch(tw_watcher *watcher, const choice *wanted, tw_err *err) {
    tw_buf line = {0};
    int64_t shown = 0;
    tw_code code = TW_OK;
    while (code == TW_OK && !tw_stop_wanted() && (wanted->count == 0 || shown < wanted->count)) {
        const tw_record *records;
        int count;
        code = tw_watcher_poll(watcher, 100, &records, &count, err);
        for (int i = 0; code == TW_OK && i < count && (wanted->count == 0 || shown < wanted->count); i++) {
            if (wanted->user && !tw_slice_equal(records[i].key, tw_slice_of(wanted->user)))
                continue;
            code = show(&records[i], wanted, &line, err);
            shown++;
        }
    }
    tw_buf_done(&line);
    return code;
}

static tw_code run(int argc, char **argv, tw_err *err) {
    choice wanted = {.titles = 5};
    bool from_beginning = false;
    const tw_option options[] = {
        {.name = "user", .value = "ID", .doc = "Only this user's lists", .text = &wanted.user},
        {.name = "count",
         .value = "N",
         .doc = "End after so many (default: never)",
         .number = &wanted.count,
         .number_min = 1,
         .number_max = INT64_MAX},
        {.name = "titles",
         .value = "N",
         .doc = "Titles shown of each list (default 5)",
         .number = &wanted.titles,
         .number_min = 1,
         .number_max = TW_LIST_SIZE_MAX},
        {.name = "from-beginning", .doc = "All that the topic still has, not only what comes", .flag = &from_beginning},
        {.name = "json", .doc = "Each list whole, as it stands in the topic", .flag = &wanted.json},
        {0}};
    tw_config config;
    tw_args args;
    tw_watcher *watcher = NULL;
    tw_config_init(&config);
    tw_code code = tw_args_parse(&tw_command_watch, options, argc, argv, &config, 0, 0, &args, err);
    if (code == TW_OK && !args.help) {
        tw_log_set((tw_log_level)config.log_level, (tw_log_format)config.log_format);
        tw_stop_catch();
        code = tw_watcher_open(&config, from_beginning, &watcher, err);
        if (code == TW_OK)
            code = watch(watcher, &wanted, err);
    }
    tw_watcher_close(watcher);
    tw_config_done(&config);
    return code;
}

const tw_command tw_command_watch = {"watch", "--config FILE [--user ID] [--count N]",
                                     "Shows fresh lists as they come out on the recommendations topic", run};
