/* The file source: finds out what the file is, then hands out its rows, lines or datums. Called by the engine. */
#include "pipeline/ingest/file.h"

#include "avro/container.h"
#include "base/alloc.h"
#include "pipeline/ingest/avro_blocks.h"
#include "pipeline/ingest/bytes.h"
#include "pipeline/ingest/inputs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct file_source {
    tw_source source; /* first */
    tw_input input;
    tw_mapping mapping;
    char *path;
    tw_bytes *bytes;
    size_t record_max;
    int64_t next;    /* number of the next record */
    char *header;    /* CSV: the first line */
    char *oversized; /* (record_max + 1) the start of a record that is too long */
    bool quoted;     /* CSV: newlines may stand inside quotes */
    bool ended;
    tw_avro_blocks *avro; /* NULL: lines */
} file_source;

/* The end of a CSV row that has quotes in it: a quote counts only where a field begins (RFC 4180), so that a stray one inside a
 * field (5" pipe) costs nothing. NULL: not in the window. */
static const char *quoted_row_end(const char *at, const char *end) {
    while (at < end) {
        if (*at == '"')
            for (at++;;) {
                at = memchr(at, '"', (size_t)(end - at));
                if (!at || at + 1 == end)
                    return NULL;
                if (at[1] != '"')
                    break;
                at += 2;
            }
        while (at < end && *at != ',' && *at != '\n')
            at++;
        if (at < end && *at == '\n')
            return at + 1;
        at++;
    }
    return NULL;
}

/* The end of the record at the start of the window: just past its newline. False: it needs more bytes. */
static bool record_end(const file_source *self, tw_slice window, size_t *ret_end) {
    const char *end = window.data + window.size;
    const char *newline = memchr(window.data, '\n', window.size);
    if (!newline)
        return false;
    const char *after = newline + 1;
    if (self->quoted && memchr(window.data, '"', (size_t)(newline - window.data)))
        after = quoted_row_end(window.data, end);
    if (!after)
        return false;
    *ret_end = (size_t)(after - window.data);
    return true;
}

static tw_slice without_newline(tw_slice line) {
    if (line.size && line.data[line.size - 1] == '\n')
        line.size--;
    if (line.size && line.data[line.size - 1] == '\r')
        line.size--;
    return line;
}

/* A quote that is never closed costs its own line and not what follows. */
static bool take_line(file_source *self, tw_slice *ret_value) {
    tw_slice window = tw_bytes_window(self->bytes);
    const char *newline = self->quoted ? memchr(window.data, '\n', window.size) : NULL;
    if (!newline || (size_t)(newline + 1 - window.data) > self->record_max)
        return false;
    *ret_value = without_newline((tw_slice){window.data, (size_t)(newline + 1 - window.data)});
    tw_bytes_take(self->bytes, (size_t)(newline + 1 - window.data));
    return true;
}

/* The record at the start of the window is longer than allowed: its start is kept, the rest of its line is skipped. */
static tw_code skip_oversized(file_source *self, tw_slice *ret_value, tw_err *err) {
    tw_slice window = tw_bytes_window(self->bytes);
    memcpy(self->oversized, window.data, self->record_max + 1);
    *ret_value = (tw_slice){self->oversized, self->record_max + 1};
    for (;;) {
        window = tw_bytes_window(self->bytes);
        const char *newline = memchr(window.data, '\n', window.size);
        if (newline) {
            tw_bytes_take(self->bytes, (size_t)(newline + 1 - window.data));
            return TW_OK;
        }
        tw_bytes_take(self->bytes, window.size);
        bool more;
        TW_TRY(tw_bytes_more(self->bytes, &more, err));
        if (!more) {
            self->ended = true;
            return TW_OK;
        }
    }
}

/* Takes the next record that is not blank. Windows move only when there is no record to give from this one, so that what was
 * given in this poll stays. *ret_found false: nothing whole is in the window. */
static bool take_whole(file_source *self, tw_slice *ret_value) {
    size_t end;
    for (;;) {
        tw_slice window = tw_bytes_window(self->bytes);
        if (!record_end(self, window, &end))
            return false;
        if (end > self->record_max + 2)
            return false;
        tw_slice value = without_newline((tw_slice){window.data, end});
        tw_bytes_take(self->bytes, end);
        if (value.size) {
            *ret_value = value;
            return true;
        }
    }
}

/* Called with no record given in this poll: the window may move. */
static tw_code fill(file_source *self, tw_slice *ret_value, bool *ret_found, tw_err *err) {
    *ret_found = false;
    for (;;) {
        if (take_whole(self, ret_value)) {
            *ret_found = true;
            return TW_OK;
        }
        tw_slice window = tw_bytes_window(self->bytes);
        if (window.size > self->record_max + 2) {
            *ret_found = true;
            return take_line(self, ret_value) ? TW_OK : skip_oversized(self, ret_value, err);
        }
        bool more;
        TW_TRY(tw_bytes_more(self->bytes, &more, err));
        if (!more && take_line(self, ret_value)) {
            *ret_found = true;
            return TW_OK;
        }
        if (!more) {
            window = tw_bytes_window(self->bytes);
            tw_bytes_take(self->bytes, window.size);
            self->ended = true;
            *ret_value = without_newline(window); /* the last line may lack its newline */
            *ret_found = ret_value->size > 0;
            return TW_OK;
        }
    }
}

/* Datums of one block at a time: the block stays while they are in use. */
static tw_code poll_avro(file_source *self, tw_record *records, int max, int *ret_count, tw_err *err) {
    int n = 0;
    for (; n < max; n++) {
        bool found;
        records[n] = (tw_record){.offset = self->next, .timestamp_ms = -1};
        TW_TRY(tw_avro_blocks_next(self->avro, self->bytes, n == 0, &records[n].value, &found, err));
        if (!found)
            break;
        self->next++;
    }
    self->source.read_bytes = tw_bytes_file_read(self->bytes);
    *ret_count = n;
    return TW_OK;
}

static tw_code file_poll(tw_source *source, tw_record *records, int max, int wait_ms, int *ret_count, tw_err *err) {
    file_source *self = (file_source *)source;
    int n = 0;
    (void)wait_ms;
    if (self->avro)
        return poll_avro(self, records, max, ret_count, err);
    while (n < max && !self->ended) {
        tw_slice value;
        bool found = take_whole(self, &value);
        if (!found) {
            if (n > 0)
                break; /* the window must not move under what was given */
            TW_TRY(fill(self, &value, &found, err));
            if (!found)
                break;
            if (self->ended || value.data == self->oversized) {
                records[n++] = (tw_record){.offset = self->next++, .timestamp_ms = -1, .value = value};
                break;
            }
        }
        records[n++] = (tw_record){.offset = self->next++, .timestamp_ms = -1, .value = value};
    }
    source->read_bytes = tw_bytes_file_read(self->bytes);
    *ret_count = n;
    return TW_OK;
}

static tw_code file_seek(tw_source *source, uint16_t input, int32_t partition, int64_t offset, tw_err *err) {
    file_source *self = (file_source *)source;
    (void)input, (void)partition;
    tw_record skipped[64];
    while (self->next < offset) {
        int count;
        int64_t left = offset - self->next;
        TW_TRY(file_poll(source, skipped, left < 64 ? (int)left : 64, 0, &count, err));
        if (count == 0)
            return tw_fail(err, TW_E_BAD_FILE, "%s: has %" PRId64 " records, the state says %" PRId64 " were taken",
                           self->path, self->next, offset);
    }
    return TW_OK;
}

static void file_ack(tw_source *source, uint16_t input, int32_t partition, int64_t offset) {
    (void)source, (void)input, (void)partition, (void)offset; /* a file has nobody to tell */
}

static tw_source *file_close(tw_source *source) {
    file_source *self = (file_source *)source;
    if (self) {
        tw_bytes_close(self->bytes);
        tw_avro_blocks_free(self->avro);
        free(self->path);
        free(self->header);
        free(self->oversized);
        free(self);
    }
    return NULL;
}

static tw_code find_format(file_source *self, tw_err *err) {
    bool more = true;
    while (more && tw_bytes_window(self->bytes).size < 4)
        TW_TRY(tw_bytes_more(self->bytes, &more, err));
    tw_slice window = tw_bytes_window(self->bytes);
    if (window.size == 0)
        return tw_fail(err, TW_E_BAD_FILE, "%s: the file is empty", self->path);
    if (tw_avro_is_container(window)) {
        self->input.format = TW_FORMAT_AVRO;
        TW_TRY(tw_avro_blocks_open(self->bytes, &self->avro, err));
        self->input.schema = tw_avro_blocks_schema(self->avro);
        return TW_OK;
    }
    if (window.data[0] == '{') {
        self->input.format = TW_FORMAT_JSON;
        return TW_OK;
    }
    self->input.format = TW_FORMAT_CSV;
    self->quoted = true;
    tw_slice line;
    bool found;
    TW_TRY(fill(self, &line, &found, err));
    if (!found || line.data == self->oversized)
        return tw_fail(err, TW_E_BAD_FILE, "%s: no CSV header line", self->path);
    if (line.size >= 3 && memcmp(line.data, "\xef\xbb\xbf", 3) == 0) /* a byte order mark, as spreadsheets write it */
        line = (tw_slice){line.data + 3, line.size - 3};
    self->header = tw_alloc(line.size + 1);
    memcpy(self->header, line.data, line.size);
    self->input.schema = (tw_slice){self->header, line.size};
    return TW_OK;
}

tw_code tw_source_file(const char *path, const tw_config *config, tw_source **ret_source, tw_err *err) {
    static const tw_source_ops ops = {.poll = file_poll, .seek = file_seek, .ack = file_ack, .close = file_close};
    file_source *self = tw_zalloc(sizeof *self);
    self->path = tw_strdup(path);
    self->record_max = (size_t)config->ingest_record_max_bytes;
    self->oversized = tw_alloc(self->record_max + 1);
    self->input = (tw_input){.name = self->path, .mapping = &self->mapping, .kind = TW_KIND_COUNT};
    self->source = (tw_source){.ops = &ops, .inputs = &self->input, .inputs_count = 1, .bounded = true};
    tw_code code = tw_inputs_mapping(config, &self->mapping, err);
    if (code == TW_OK)
        code = tw_bytes_open(path, &self->bytes, self->input.identity, err);
    if (code == TW_OK)
        code = find_format(self, err);
    if (code != TW_OK) {
        file_close(&self->source);
        return code;
    }
    self->source.size_bytes = tw_bytes_file_size(self->bytes);
    *ret_source = &self->source;
    return TW_OK;
}
