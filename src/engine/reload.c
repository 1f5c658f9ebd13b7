/* Settings that change while the engine runs: rank.* alone, which shapes lists and nothing that is learned. Called on SIGHUP; engine
 * thread. */
#include "engine/internal.h"

#include <string.h>

void tw_engine_reload(tw_engine *engine, const tw_config *config, tw_rank_ids *ids) {
#define TAKE(type, field, key, def, min, max, unit, doc, ...) \
    if (strncmp(key, "rank.", 5) == 0)                        \
        engine->own_config.field = config->field;
    TW_KEY_TABLE(TAKE)
#undef TAKE
    tw_ranker_take_ids(engine->ranker, ids);
    engine->changed = true; /* the state keeps them for who reads beside us */
}
