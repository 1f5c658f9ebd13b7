/* The configuration file: libyaml events, one flat map of scalars, and `kafka:` as the only map inside. What libyaml lets
 * pass and we do not: duplicate keys, anchors and aliases, further documents. Every message names file and line. */
#include "config/internal.h"

#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#include <yaml.h>

typedef struct reader {
    tw_config *config;
    const char *path;
    yaml_parser_t parser;
    tw_buf seen; /* names so far, each "\n"-terminated, for duplicates */
    tw_err *err;
} reader;

__attribute__((format(printf, 3, 4))) static tw_code complain(reader *r, const yaml_mark_t *mark, const char *fmt,
                                                              ...) {
    char text[400];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return tw_fail(r->err, TW_E_CONFIG, "%s:%zu: %s", r->path, mark->line + 1, text);
}

static tw_code next(reader *r, yaml_event_t *ret_event) {
    if (yaml_parser_parse(&r->parser, ret_event))
        return TW_OK;
    return tw_fail(r->err, TW_E_CONFIG, "%s:%zu: %s", r->path, r->parser.problem_mark.line + 1,
                   r->parser.problem ? r->parser.problem : "cannot be read");
}

static bool seen_before(reader *r, const char *name) {
    char line[300];
    int size = snprintf(line, sizeof line, "\n%s\n", name);
    tw_buf_u8(&r->seen, '\0');
    r->seen.size--;
    if (strstr(r->seen.data, line))
        return true;
    tw_buf_put(&r->seen, line + 1, (size_t)size - 1);
    return false;
}

static tw_code take_pair(reader *r, const yaml_event_t *key, bool in_kafka);

/* The inside of `kafka:` up to its end. */
static tw_code take_kafka(reader *r) {
    for (;;) {
        yaml_event_t event;
        TW_TRY(next(r, &event));
        bool end = event.type == YAML_MAPPING_END_EVENT;
        tw_code code = end ? TW_OK : take_pair(r, &event, true);
        yaml_event_delete(&event);
        if (end || code != TW_OK)
            return code;
    }
}

static tw_code take_pair(reader *r, const yaml_event_t *key, bool in_kafka) {
    char name[280];
    if (key->type != YAML_SCALAR_EVENT)
        return complain(r, &key->start_mark, "a key must be plain text");
    const char *bare = (const char *)key->data.scalar.value;
    if (key->data.scalar.anchor)
        return complain(r, &key->start_mark, "anchors and aliases are not allowed");
    if (strlen(bare) > 250 || strpbrk(bare, "\n"))
        return complain(r, &key->start_mark, "a key of %zu bytes", strlen(bare));
    snprintf(name, sizeof name, "%s%s", in_kafka ? "kafka." : "", bare);
    if (seen_before(r, name))
        return complain(r, &key->start_mark, "\"%s\" is there twice", name);
    yaml_event_t value;
    TW_TRY(next(r, &value));
    tw_code code = TW_OK;
    tw_err inner = {0};
    if (!in_kafka && strcmp(bare, "kafka") == 0 && value.type == YAML_MAPPING_START_EVENT) {
        code = take_kafka(r);
    } else if (value.type == YAML_ALIAS_EVENT || (value.type == YAML_SCALAR_EVENT && value.data.scalar.anchor)) {
        code = complain(r, &value.start_mark, "anchors and aliases are not allowed");
    } else if (value.type != YAML_SCALAR_EVENT) {
        code =
            complain(r, &value.start_mark, "%s wants one value (keys are flat and dotted; only kafka: is a map)", name);
    } else if (strlen((const char *)value.data.scalar.value) != value.data.scalar.length) {
        code = complain(r, &value.start_mark, "%s: a zero byte", name);
    } else {
        const char *text = (const char *)value.data.scalar.value;
        if ((in_kafka ? tw_config_put_kafka(r->config, bare, text, &inner)
                      : tw_config_put(r->config, bare, text, &inner)) != TW_OK)
            code = complain(r, &key->start_mark, "%s", inner.text);
    }
    yaml_event_delete(&value);
    return code;
}

static tw_code read_document(reader *r) {
    bool in_map = false;
    int documents = 0;
    for (;;) {
        yaml_event_t event;
        TW_TRY(next(r, &event));
        yaml_event_type_t type = event.type;
        tw_code code = TW_OK;
        switch (type) {
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
        case YAML_STREAM_END_EVENT:
            break;
        case YAML_DOCUMENT_START_EVENT:
            if (documents++)
                code = complain(r, &event.start_mark, "more than one document");
            break;
        case YAML_MAPPING_START_EVENT:
            if (in_map)
                code = complain(r, &event.start_mark, "keys are flat and dotted");
            in_map = true;
            break;
        case YAML_MAPPING_END_EVENT:
            in_map = false;
            break;
        default:
            if (in_map)
                code = take_pair(r, &event, false);
            else if (type == YAML_SCALAR_EVENT && event.data.scalar.length == 0)
                break; /* an empty file: all defaults */
            else
                code = complain(r, &event.start_mark, "\"key: value\" lines are wanted");
        }
        yaml_event_delete(&event);
        if (code != TW_OK || type == YAML_STREAM_END_EVENT)
            return code;
    }
}

tw_code tw_config_load(tw_config *config, const char *path, tw_err *err) {
    FILE *file = fopen(path, "rb");
    if (!file)
        return tw_fail_errno(err, TW_E_IO, "%s", path);
    reader r = {.config = config, .path = path, .err = err};
    tw_buf_u8(&r.seen, '\n');
    if (!yaml_parser_initialize(&r.parser)) {
        fclose(file);
        return tw_fail(err, TW_E_NO_MEMORY, "%s", path);
    }
    yaml_parser_set_input_file(&r.parser, file);
    tw_code code = read_document(&r);
    yaml_parser_delete(&r.parser);
    tw_buf_done(&r.seen);
    fclose(file);
    return code;
}
