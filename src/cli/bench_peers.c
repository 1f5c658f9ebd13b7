/* The whole pipeline on a real broker, beside a Kafka Streams program and a Python program that do the same job on the same topic; tests/bench/kafka
 * runs all three. With --peers alone: it starts Java and fetches packages. */
#include "cli/bench.h"

#include <stdio.h>

#define EVENTS 600000 /* a Python program takes about a minute for them */

static tw_code rates_of(const tw_json *answer, const char *side, int runs, double *rates, tw_err *err) {
    char name[64];
    snprintf(name, sizeof name, "%s.at_least_once", side);
    const tw_json *values = tw_json_get(tw_json_get(tw_json_get(answer, name), "events_per_s"), "values");
    if (tw_json_count(values) != (size_t)runs)
        return tw_fail(err, TW_E_CORRUPT, "tests/bench/kafka gave no rates of %s", side);
    for (int i = 0; i < runs; i++)
        rates[i] = tw_json_number(tw_json_at(values, (size_t)i), 0);
    return TW_OK;
}

static tw_code add_rates(tw_bench *bench, const tw_json *answer, tw_err *err) {
    double ours[TW_BENCH_RUNS_MAX], streams[TW_BENCH_RUNS_MAX], python[TW_BENCH_RUNS_MAX];
    TW_TRY(rates_of(answer, "tailwater", bench->runs, ours, err));
    TW_TRY(rates_of(answer, "kafka_streams", bench->runs, streams, err));
    TW_TRY(rates_of(answer, "python", bench->runs, python, err));
    tw_bench_add_ratio(bench, "pipeline.vs_kafka_streams", ours, streams, bench->runs);
    tw_bench_add_ratio(bench, "pipeline.vs_python", ours, python, bench->runs);
    tw_bench_add(bench, "pipeline.real_broker_events_per_s", "events/s", ours, bench->runs);
    tw_bench_add(bench, "pipeline.kafka_streams_events_per_s", "events/s", streams, bench->runs);
    tw_bench_add(bench, "pipeline.python_events_per_s", "events/s", python, bench->runs);
    return TW_OK;
}

tw_code tw_bench_kafka_run(tw_bench *bench, tw_err *err) {
    char arguments[256];
    tw_json *answer = NULL;
    snprintf(
        arguments, sizeof arguments,
        "--json --sides tailwater kafka_streams python --guarantees at_least_once --skip latency rebalance restore "
        "--events %zu --runs %d",
        tw_bench_size(bench, EVENTS), bench->runs);
    TW_TRY(tw_bench_peer("kafka/run.sh", arguments, &answer, err));
    tw_code code = add_rates(bench, answer, err);
    tw_json_free(answer);
    return code;
}
