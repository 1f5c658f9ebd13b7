/* `tailwater train WHAT ...`: finds what is to be trained and hands the rest of the line over. */
#include "cli/train.h"

#include <stdio.h>
#include <string.h>

static const tw_command *const subjects[] = {&tw_train_embeddings, &tw_train_propensity, &tw_train_profile};
#define SUBJECTS_COUNT (sizeof subjects / sizeof subjects[0])

static void print_help(void) {
    printf("tailwater train WHAT [FILE...]\n\n%s\n\nOptions:\n", tw_command_train.doc);
    for (size_t i = 0; i < SUBJECTS_COUNT; i++)
        printf("  %-12s %s\n", subjects[i]->name + sizeof "train", subjects[i]->doc);
    printf("  %-12s This text; after WHAT its own options\n\nExit codes: 0 done, 1 failure, 2 usage, 65 bad file.\n",
           "--help");
}

static bool go_on(void *self, int64_t done, int64_t all, uint64_t records) {
    tw_progress_show(self, done, all, records);
    return !tw_stop_wanted();
}

tw_train_beat tw_train_bar(tw_progress *bar, const char *what) {
    tw_progress_begin(bar, what);
    return (tw_train_beat){go_on, bar};
}

tw_code tw_train_read_events(const tw_train_inputs *inputs, const tw_config *config, bool profiles,
                             tw_before_learn_fn take, void *self, tw_err *err) {
    tw_config least;
    tw_progress bar;
    tw_config_copy(&least, config);
    least.learn_model = TW_LEARN_MF;
    least.learn_dim = 4;
    least.profile_enabled = profiles;
    least.profile_model_file = "";
    tw_code code = tw_train_read(inputs, &least, take, self, tw_train_bar(&bar, "read"), err);
    tw_progress_end(&bar);
    tw_config_done(&least);
    return code;
}

tw_code tw_train_finish(const tw_train_asked *asked, tw_output *output, tw_model_kind kind, const tw_buf *payload,
                        tw_buf *report, tw_err *err) {
    tw_buf file = {0};
    tw_code code = TW_OK;
    if (asked->model_path) {
        tw_model_file_write(kind, tw_buf_slice(payload), &file);
        code = tw_output_end(output, &file, err);
    }
    tw_buf_done(&file);
    return code == TW_OK ? tw_print(report, err) : code;
}

static tw_code run(int argc, char **argv, tw_err *err) {
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        print_help();
        return TW_OK;
    }
    if (argc > 1 && strncmp(argv[1], "--", 2) == 0)
        return tw_fail(err, TW_E_USAGE, "unknown option %s (try tailwater train --help)", argv[1]);
    for (size_t i = 0; argc > 1 && i < SUBJECTS_COUNT; i++)
        if (strcmp(subjects[i]->name + sizeof "train", argv[1]) == 0)
            return subjects[i]->run(argc - 1, argv + 1, err);
    if (argc > 1)
        return tw_fail(err, TW_E_USAGE, "\"%s\" cannot be trained (try tailwater train --help)", argv[1]);
    return tw_fail(err, TW_E_USAGE, "usage: tailwater train %s", tw_command_train.usage);
}

const tw_command tw_command_train = {"train", "WHAT [FILE...]", "Trains a model offline and writes it into a file",
                                     run};
