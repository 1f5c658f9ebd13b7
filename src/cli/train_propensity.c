/* `tailwater train propensity [FILE...]`: the recurrent propensity to buy, trained and judged beside a logistic regression
 * (src/train/propensity.h has how). */
#include "cli/train.h"

#include "base/alloc.h"
#include "train/propensity.h"

#include <stdlib.h>

typedef struct request {
    tw_config config;
    tw_args args;
    int64_t events, users;
    tw_train_asked asked;
    tw_examples examples;
} request;

static void take(void *self, tw_engine *engine, uint32_t task, const tw_event *event, int64_t offset) {
    request *r = self;
    (void)engine, (void)task, (void)offset;
    tw_examples_add(&r->examples, event);
}

/* A shop of few events a day, so that its sessions last for hours, as a considered purchase does. */
#define SHOP_EVENTS_PER_S 0.003
#define SHOP_END_MS 1700000000000

static tw_code read_events(request *r, tw_err *err) {
    tw_train_inputs inputs = {.paths = r->args.positionals, .paths_count = r->args.positionals_count};
    tw_shop_defaults(&inputs.shop);
    inputs.shop.seed = (uint64_t)r->config.seed;
    inputs.shop.users = (uint32_t)r->users;
    inputs.shop.events = (uint64_t)r->events;
    inputs.shop.events_per_s = SHOP_EVENTS_PER_S;
    inputs.shop.end_ms = SHOP_END_MS;
    inputs.shop.funnel = true;
    tw_code code = tw_train_read_events(&inputs, &r->config, false, take, r, err);
    tw_examples_close(&r->examples);
    return code;
}

static tw_code train(request *r, tw_err *err) {
    const tw_propensity_options options = {
        .training = {.epochs = (int)r->asked.epochs,
                     .batch = (int)r->config.propensity_batch,
                     .patience = (int)r->asked.patience,
                     .seed = (uint64_t)r->config.seed},
        .steps = (int)r->config.propensity_steps,
        .hidden = (int)r->config.propensity_hidden,
        .adam = {(float)r->config.propensity_rate, (float)r->config.propensity_decay},
        .every = (uint64_t)r->asked.every};
    tw_propensity_result *result = tw_zalloc(sizeof *result);
    tw_propensity propensity = {0};
    tw_progress bar;
    tw_output output = {0};
    tw_buf payload = {0}, report = {0};
    tw_code code = r->asked.model_path ? tw_output_begin(&output, r->asked.model_path, err) : TW_OK;
    if (code == TW_OK)
        code = read_events(r, err);
    if (code == TW_OK) {
        code = tw_propensity_train(&r->examples, &options, tw_train_bar(&bar, "train"), &propensity, result, err);
        tw_progress_end(&bar);
    }
    if (code == TW_OK) {
        tw_propensity_encode(&propensity, &payload);
        (r->asked.json ? tw_propensity_json : tw_propensity_text)(result, &propensity, &report);
        code = tw_train_finish(&r->asked, &output, TW_MODEL_FILE_PROPENSITY, &payload, &report, err);
    }
    tw_output_drop(&output);
    tw_buf_done(&payload);
    tw_buf_done(&report);
    tw_propensity_done(&propensity);
    free(result);
    return code;
}

static tw_code run(int argc, char **argv, tw_err *err) {
    request r = {.asked = TW_TRAIN_ASKED, .events = 40000, .users = 20000};
    const tw_option options[] = {TW_TRAIN_OPTIONS(r.asked),
                                 {.name = "events",
                                  .value = "N",
                                  .doc = "Without a file: events of the synthetic shop (default 40000)",
                                  .number = &r.events,
                                  .number_min = 1,
                                  .number_max = 1000000000},
                                 {.name = "users",
                                  .value = "N",
                                  .doc = "Without a file: users of the synthetic shop (default 20000)",
                                  .number = &r.users,
                                  .number_min = 1,
                                  .number_max = 100000000},
                                 {0}};
    tw_config_init(&r.config);
    tw_code code =
        tw_args_parse(&tw_train_propensity, options, argc, argv, &r.config, 0, TW_POSITIONALS_MAX, &r.args, err);
    if (code == TW_OK && !r.args.help) {
        tw_stop_catch();
        tw_examples_init(&r.examples, r.config.propensity_horizon_ms);
        code = train(&r, err);
        tw_examples_done(&r.examples);
    }
    tw_config_done(&r.config);
    return code;
}

const tw_command tw_train_propensity = {
    "train propensity", "[FILE...] [--model FILE] [--epochs N] [--json]",
    "Will the user buy soon? A recurrent network over the newest events, judged beside a logistic regression", run};
