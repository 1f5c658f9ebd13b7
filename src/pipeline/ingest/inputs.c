/* From settings to inputs. Called when a source is opened. */
#include "pipeline/ingest/inputs.h"

#include "avro/schema_files.h"
#include "avro/schemas.h"
#include "base/file.h"

#include <stdio.h>

#define SCHEMA_SIZE_MAX ((size_t)1 << 20)

tw_code tw_inputs_mapping(const tw_config *config, tw_mapping *ret_mapping, tw_err *err) {
    const struct {
        tw_field field;
        const char *name;
    } names[] = {
        {TW_FIELD_EVENT_ID, config->input_field_event_id}, {TW_FIELD_USER_ID, config->input_field_user_id},
        {TW_FIELD_ITEM_ID, config->input_field_item_id},   {TW_FIELD_TIME, config->input_field_time},
        {TW_FIELD_KIND, config->input_field_kind},         {TW_FIELD_CATEGORY, config->input_field_category},
        {TW_FIELD_TITLE, config->input_field_title},       {TW_FIELD_PRICE, config->input_field_price},
        {TW_FIELD_QUANTITY, config->input_field_quantity}, {TW_FIELD_RATING, config->input_field_rating},
        {TW_FIELD_IN_STOCK, config->input_field_in_stock}, {TW_FIELD_RETIRED, config->input_field_retired},
    };
    _Static_assert(sizeof names / sizeof names[0] == TW_FIELD_COUNT, "a field without a key");
    *ret_mapping = (tw_mapping){.time_unit = (tw_time_unit)config->input_time_unit};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        for (size_t k = 0; *names[i].name && k < i; k++)
            if (strcmp(names[i].name, names[k].name) == 0)
                return tw_fail(err, TW_E_CONFIG, "input.field.*: \"%s\" is given to two fields", names[i].name);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        tw_mapping_name(ret_mapping, names[i].field, tw_slice_of(names[i].name));
    if (tw_mapping_add_kinds(ret_mapping, tw_slice_of(config->input_kinds), err) != TW_OK)
        return tw_wrap(err, "input.kinds");
    return TW_OK;
}

typedef struct setting { /* of one topic */
    const char *key, *topic, *schema;
    int format; /* 0: as input.format, else one more than there */
    tw_kind kind;
} setting;

static const tw_format formats[] = {TW_FORMAT_JSON, TW_FORMAT_AVRO, TW_FORMAT_CONFLUENT, TW_FORMAT_SINGLE_OBJECT};

static tw_code add_input(tw_inputs *inputs, const tw_config *config, const setting *s, tw_err *err) {
    tw_input *input = &inputs->list[inputs->count];
    tw_buf *text = &inputs->texts[inputs->count];
    for (int i = 0; i < inputs->count; i++)
        if (strcmp(inputs->list[i].name, s->topic) == 0)
            return tw_fail(err, TW_E_CONFIG,
                           "input.%s.topic: \"%s\" is read already; a topic of several kinds is "
                           "input.events.topic",
                           s->key, s->topic);
    *input = (tw_input){.name = s->topic,
                        .format = formats[s->format ? s->format - 1 : config->input_format],
                        .kind = s->kind,
                        .mapping = &inputs->mapping,
                        .schemas = inputs->schemas};
    snprintf(input->identity, sizeof input->identity, "topic %s", s->topic);
    inputs->count++;
    if (input->format != TW_FORMAT_AVRO)
        return TW_OK;
    if (!*s->schema)
        return tw_fail(err, TW_E_CONFIG,
                       "input.%s.schema is wanted: the file of the schema that its values were "
                       "written with",
                       s->key);
    TW_TRY(tw_file_read(s->schema, SCHEMA_SIZE_MAX, text, err));
    input->schema = tw_buf_slice(text);
    return TW_OK;
}

/* Our own schemas are known by their fingerprints, the shop's by id and fingerprint. One of ours that the shop's names of fields make
 * unreadable is left out: such a shop does not write it. */
static tw_code add_schemas(tw_inputs *inputs, const tw_config *config, tw_err *err) {
    inputs->schemas = tw_avro_schemas_create(&inputs->mapping);
    for (size_t i = 0; i < tw_schema_files_count; i++)
        (void)tw_avro_schemas_add(inputs->schemas, TW_AVRO_NO_ID, tw_embedded_slice(&tw_schema_files[i]), NULL);
    if (*config->input_schemas && tw_avro_schemas_add_map(inputs->schemas, config->input_schemas, err) != TW_OK)
        return tw_wrap(err, "input.schemas");
    return TW_OK;
}

static tw_code add_all(tw_inputs *inputs, const tw_config *c, tw_err *err) {
    const setting settings[] = {
        {"clicks", c->input_clicks_topic, c->input_clicks_schema, c->input_clicks_format, TW_KIND_CLICK},
        {"purchases", c->input_purchases_topic, c->input_purchases_schema, c->input_purchases_format, TW_KIND_PURCHASE},
        {"reviews", c->input_reviews_topic, c->input_reviews_schema, c->input_reviews_format, TW_KIND_REVIEW},
        {"events", c->input_events_topic, c->input_events_schema, c->input_events_format, TW_KIND_COUNT},
        {"items", c->input_items_topic, c->input_items_schema, c->input_items_format, TW_KIND_ITEM},
    };
    _Static_assert(sizeof settings / sizeof settings[0] == TW_INPUTS_MAX, "room for every topic");
    int of_users = 0;
    TW_TRY(tw_inputs_mapping(c, &inputs->mapping, err));
    TW_TRY(add_schemas(inputs, c, err));
    for (int i = 0; i < TW_INPUTS_MAX; i++)
        if (*settings[i].topic) {
            TW_TRY(add_input(inputs, c, &settings[i], err));
            of_users += settings[i].kind != TW_KIND_ITEM;
        }
    if (of_users == 0)
        return tw_fail(err, TW_E_CONFIG, "no topic to read: set input.clicks.topic or another");
    return TW_OK;
}

tw_code tw_inputs_init(tw_inputs *inputs, const tw_config *config, tw_err *err) {
    memset(inputs, 0, sizeof *inputs);
    tw_code code = add_all(inputs, config, err);
    if (code != TW_OK)
        tw_inputs_done(inputs);
    return code;
}

void tw_inputs_done(tw_inputs *inputs) {
    tw_avro_schemas_free(inputs->schemas);
    inputs->schemas = NULL;
    for (int i = 0; i < TW_INPUTS_MAX; i++)
        tw_buf_done(&inputs->texts[i]);
}
