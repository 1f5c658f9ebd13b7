/* An engine without outputs whose before-learn hook takes the events. */
#include "train/read.h"

#include "pipeline/ingest/file.h"

static tw_code drain(tw_engine *engine, const tw_source *source, tw_train_beat beat, tw_err *err) {
    uint64_t records = 0;
    int count;
    do {
        TW_TRY(tw_engine_step(engine, 0, &count, err));
        records += (uint64_t)count;
        if (!beat.go_on(beat.self, source->read_bytes, source->size_bytes, records))
            return tw_fail(err, TW_E_INTERRUPTED, "stopped by a signal");
    } while (count > 0);
    return TW_OK;
}

/* An engine reads one source in its life. */
static tw_code read_source(tw_source *source, const tw_engine_options *opening, tw_train_beat beat, tw_err *err) {
    tw_engine *engine = NULL;
    tw_code code = tw_engine_open(opening, &engine, err);
    if (code == TW_OK)
        code = tw_engine_attach(engine, source, err);
    if (code == TW_OK)
        code = drain(engine, source, beat, err);
    tw_engine_close(engine);
    source->ops->close(source);
    return code;
}

tw_code tw_train_read(const tw_train_inputs *inputs, const tw_config *config, tw_before_learn_fn take, void *self,
                      tw_train_beat beat, tw_err *err) {
    const tw_engine_options opening = {
        .config = config, .lists = TW_LISTS_NONE, .before_learn = take, .before_learn_self = self};
    if (inputs->paths_count == 0)
        return read_source(tw_source_shop(&inputs->shop), &opening, beat, err);
    for (int i = 0; i < inputs->paths_count; i++) {
        tw_source *source;
        TW_TRY(tw_source_file(inputs->paths[i], config, &source, err));
        TW_TRY(read_source(source, &opening, beat, err));
    }
    return TW_OK;
}
