/* `tailwater train profile FILE`: the profile network offline (src/train/profile.h has how). */
#include "cli/train.h"

#include "base/alloc.h"
#include "engine/engine.h"
#include "model/profile_file.h"
#include "train/profile.h"

#include <stdlib.h>

typedef struct request {
    tw_config config;
    tw_args args;
    tw_train_asked asked;
    tw_tastes tastes;
} request;

static void take(void *self, tw_engine *engine, uint32_t task, const tw_event *event, int64_t offset) {
    request *r = self;
    (void)offset;
    tw_tastes_add(&r->tastes, tw_engine_model(engine), task, event);
}

static tw_code train(request *r, tw_err *err) {
    const tw_train_inputs inputs = {.paths = r->args.positionals, .paths_count = 1};
    const tw_training training = {.epochs = (int)r->asked.epochs,
                                  .batch = (int)r->config.profile_batch,
                                  .patience = (int)r->asked.patience,
                                  .seed = (uint64_t)r->config.seed};
    tw_profile_result *result = tw_zalloc(sizeof *result);
    tw_profile profile = {0};
    tw_progress bar;
    tw_output output = {0};
    tw_buf payload = {0}, report = {0};
    tw_code code = r->asked.model_path ? tw_output_begin(&output, r->asked.model_path, err) : TW_OK;
    if (code == TW_OK)
        code = tw_train_read_events(&inputs, &r->config, true, take, r, err);
    if (code == TW_OK) {
        code = tw_profile_train(&r->tastes, &r->config, &training, tw_train_bar(&bar, "train"), &profile, result, err);
        tw_progress_end(&bar);
    }
    if (code == TW_OK) {
        tw_profile_file_encode(&profile, &payload);
        (r->asked.json ? tw_profile_json : tw_profile_text)(result, &profile, &report);
        code = tw_train_finish(&r->asked, &output, TW_MODEL_FILE_PROFILE, &payload, &report, err);
    }
    tw_output_drop(&output);
    tw_buf_done(&payload);
    tw_buf_done(&report);
    tw_profile_done(&profile);
    free(result);
    return code;
}

static tw_code run(int argc, char **argv, tw_err *err) {
    request r = {.asked = TW_TRAIN_ASKED};
    const tw_option options[] = {TW_TRAIN_OPTIONS(r.asked), {0}};
    tw_config_init(&r.config);
    tw_code code = tw_args_parse(&tw_train_profile, options, argc, argv, &r.config, 1, 1, &r.args, err);
    if (code == TW_OK && !r.args.help) {
        tw_stop_catch();
        tw_tastes_init(&r.tastes, &r.config, (uint64_t)r.asked.every);
        code = train(&r, err);
        tw_tastes_done(&r.tastes);
    }
    tw_config_done(&r.config);
    return code;
}

const tw_command tw_train_profile = {"train profile", "FILE [--model FILE] [--epochs N] [--json]",
                                     "Which category comes next? The profile network, for profile.model.file", run};
