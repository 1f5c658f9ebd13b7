/* The table of settings: the one place where a key exists. It makes the struct, the parser, `tailwater config`, the
 * generated reference and the nearest-name hint.
 *
 * A row: X(TYPE, field, "dotted.key", default, min, max, "unit", "sentence")
 *   INT     int64_t       min and max inclusive
 *   REAL    double        min and max inclusive
 *   BOOL    bool          min 0, max 1
 *   TEXT    const char *  min and max bound the length in bytes
 *   CHOICE  int           default is an index; unit lists the choices split by '|' (index = position)
 * Numbers may carry k, m, g (1,024-based) in the file when the unit is "bytes".
 *
 * Behind the sentence a row may carry a mark: `tailwater tune` may move it.
 *   TW_TUNE(MODEL, SCALE, from, to, step)   MODEL: DEFAULT, MF or BOTH (learn.model under which it acts); SCALE: LINEAR or LOG, on which
 *   a draw is uniform; step: what a whole number is a multiple of, 0 for REAL (three digits are kept) */
#ifndef TW_CONFIG_KEYS_H
#define TW_CONFIG_KEYS_H

#define TW_DAY_MS 86400000LL

#define TW_TUNE(model, scale, from, to, step) .tune = {TW_TUNE_##model, TW_TUNE_##scale, (from), (to), (step)}

/* One row of the table is one or two lines. */
/* clang-format off */
#define TW_KEY_TABLE(X)                                                                                                \
    /* The application and its state. */                                                                               \
    X(TEXT, application_id, "application.id", "tailwater", 1, 200, "",                                                 \
      "Name of this application: the consumer group, the prefix of internal topics")                                   \
    X(TEXT, state_dir, "state.dir", "", 0, 4000, "path", "Directory of the durable state (LMDB); created if missing")  \
    X(INT, state_map_max_bytes, "state.map.max.bytes", 64LL << 30, 1 << 20, 1LL << 46, "bytes",                        \
      "Address space reserved for the store; also the largest size it can reach")                                      \
    X(INT, state_users_max, "state.users.max", 20000000, 1, 4000000000LL, "users",                                     \
      "Most users kept; beyond it the one idle for longest is evicted and counted")                                    \
    X(INT, state_memory_max, "state.memory.max", 0, 0, 1LL << 46, "bytes",                                             \
      "Memory for users' rows: identity, past, vector, profile, debt (not for the index of all users, 47 to 71 bytes "   \
      "each). Rows beyond it lie in the store alone and are read back when needed; 0: no bound")                      \
    X(INT, state_items_max, "state.items.max", 2000000, 16, 100000000, "items",                                        \
      "Most items kept; beyond it the one unseen for longest is evicted and counted")                                  \
    X(INT, state_ttl_ms, "state.ttl.ms", 0, 0, 100 * 365 * TW_DAY_MS, "ms",                                            \
      "Drop users idle for longer than this in event time; 0 never")                                                   \
    X(CHOICE, processing_guarantee, "processing.guarantee", 0, 0, 1, "at_least_once|exactly_once",                     \
      "exactly_once: lists, dead letters, state and positions in one transaction; wants state.changelog")              \
    X(BOOL, state_changelog, "state.changelog", false, 0, 1, "",                                                       \
      "Keep the state of each task in a topic as well, so that several instances can share the partitions")            \
    X(INT, state_changelog_model_rows, "state.changelog.model.rows", 2000, 0, 1000000, "rows",                         \
      "Most rows of items and weights sent to the model changelog in a second; 0: none")                             \
    X(INT, commit_interval_ms, "commit.interval.ms", 0, 0, 600000, "ms",                                               \
      "Wall time between durable commits; 0: 1000, or under exactly_once 500 while behind and else as short as leaves half "   \
      "of the time for the events")                                         \
    X(INT, store_journal_max_bytes, "store.journal.max.bytes", 256LL << 20, 1 << 20, 1LL << 40, "bytes",               \
      "Journal beyond which rows are folded in place at each commit; bounds the time of a start")                      \
    X(INT, store_fold_rows_max, "store.fold.rows.max", 8192, 1, 100000000, "rows",                                     \
      "Most rows folded in one commit while the journal is below twice its bound")                                     \
    X(INT, shutdown_timeout_ms, "shutdown.timeout.ms", 10000, 0, 600000, "ms",                                         \
      "How long a stop waits for outputs to be acknowledged; all else that it does takes 5 s at most")                 \
    X(CHOICE, log_level, "log.level", 1, 0, 4, "debug|info|warn|error|off", "Least severe line that is logged")        \
    X(CHOICE, log_format, "log.format", 0, 0, 1, "logfmt|json", "Form of a log line")                                  \
    X(INT, seed, "seed", 1, 0, INT64_MAX, "", "Seed of every random draw")                                             \
    /* Topics in and out. */                                                                                           \
    X(CHOICE, input_format, "input.format", 0, 0, 3, "json|avro|confluent|single_object",                              \
      "Form of the values; avro is of one schema (input.*.schema), the last two name it in each value")                \
    X(TEXT, input_clicks_topic, "input.clicks.topic", "clicks", 0, 249, "",                                            \
      "Topic of clicks and cart events; empty: none")                                                                  \
    X(CHOICE, input_clicks_format, "input.clicks.format", 0, 0, 4, "same|json|avro|confluent|single_object",           \
      "Form of its values; same: as input.format")                                                                     \
    X(TEXT, input_clicks_schema, "input.clicks.schema", "", 0, 4000, "path",                                           \
      "The schema its values were written with, for avro")                                                             \
    X(TEXT, input_purchases_topic, "input.purchases.topic", "purchases", 0, 249, "",                                   \
      "Topic of purchases and returns; empty: none")                                                                   \
    X(CHOICE, input_purchases_format, "input.purchases.format", 0, 0, 4, "same|json|avro|confluent|single_object",     \
      "Form of its values; same: as input.format")                                                                     \
    X(TEXT, input_purchases_schema, "input.purchases.schema", "", 0, 4000, "path",                                     \
      "The schema its values were written with, for avro")                                                             \
    X(TEXT, input_reviews_topic, "input.reviews.topic", "reviews", 0, 249, "",                                         \
      "Topic of reviews; empty: none")                                                                                 \
    X(CHOICE, input_reviews_format, "input.reviews.format", 0, 0, 4, "same|json|avro|confluent|single_object",         \
      "Form of its values; same: as input.format")                                                                     \
    X(TEXT, input_reviews_schema, "input.reviews.schema", "", 0, 4000, "path",                                         \
      "The schema its values were written with, for avro")                                                             \
    X(TEXT, input_events_topic, "input.events.topic", "", 0, 249, "",                                                  \
      "Topic of events of every kind, each of which names its kind; empty: none")                                      \
    X(CHOICE, input_events_format, "input.events.format", 0, 0, 4, "same|json|avro|confluent|single_object",           \
      "Form of its values; same: as input.format")                                                                     \
    X(TEXT, input_events_schema, "input.events.schema", "", 0, 4000, "path",                                           \
      "The schema its values were written with, for avro")                                                             \
    X(TEXT, input_items_topic, "input.items.topic", "items", 0, 249, "",                                               \
      "Topic of news about items (compacted; read whole, a tombstone retires the item); empty: none")                  \
    X(CHOICE, input_items_format, "input.items.format", 0, 0, 4, "same|json|avro|confluent|single_object",             \
      "Form of its values; same: as input.format")                                                                     \
    X(TEXT, input_items_schema, "input.items.schema", "", 0, 4000, "path",                                             \
      "The schema its values were written with, for avro")                                                             \
    X(TEXT, input_schemas, "input.schemas", "", 0, 4000, "path",                                                       \
      "File of lines ID PATH: the schemas that a registry's ids stand for, for confluent and single_object")           \
    X(CHOICE, input_time_unit, "input.time.unit", 0, 0, 3, "ms|s|us|ns",                                               \
      "Unit of event times given as numbers; ISO 8601 texts are read in any case")                                     \
    X(TEXT, input_kinds, "input.kinds", "", 0, 4000, "",                                                               \
      "The shop's own names of kinds, as theirs=ours,theirs=ours, beside click, cart, purchase, review, return")       \
    X(BOOL, input_key_check, "input.key.check", true, 0, 1, "",                                                        \
      "Stop when over 1 % of the first 1,000 keys are not the user id, or missing with several partitions")            \
    X(CHOICE, input_offset_reset, "input.offset.reset", 0, 0, 2, "error|earliest|latest",                              \
      "Where to go on when a stored position is outside of what its topic has (retention, made anew); error: stop")    \
    X(TEXT, input_field_event_id, "input.field.event.id", "", 0, 200, "",                                              \
      "The shop's own name of the event's id, also a.b inside of an object; empty: as in schemas/")                    \
    X(TEXT, input_field_user_id, "input.field.user.id", "", 0, 200, "",                                                \
      "The shop's own name of the user's id, also a.b inside of an object; empty: as in schemas/")                     \
    X(TEXT, input_field_item_id, "input.field.item.id", "", 0, 200, "",                                                \
      "The shop's own name of the item's id, also a.b inside of an object; empty: as in schemas/")                     \
    X(TEXT, input_field_time, "input.field.time", "", 0, 200, "",                                                      \
      "The shop's own name of event time, also a.b inside of an object; empty: as in schemas/")                        \
    X(TEXT, input_field_kind, "input.field.kind", "", 0, 200, "",                                                      \
      "The shop's own name of the kind of event, also a.b inside of an object; empty: as in schemas/")                 \
    X(TEXT, input_field_category, "input.field.category", "", 0, 200, "",                                              \
      "The shop's own name of the category, also a.b inside of an object; empty: as in schemas/")                      \
    X(TEXT, input_field_title, "input.field.title", "", 0, 200, "",                                                    \
      "The shop's own name of the title, also a.b inside of an object; empty: as in schemas/")                         \
    X(TEXT, input_field_price, "input.field.price", "", 0, 200, "",                                                    \
      "The shop's own name of the price, also a.b inside of an object; empty: as in schemas/")                         \
    X(TEXT, input_field_quantity, "input.field.quantity", "", 0, 200, "",                                              \
      "The shop's own name of the quantity, also a.b inside of an object; empty: as in schemas/")                      \
    X(TEXT, input_field_rating, "input.field.rating", "", 0, 200, "",                                                  \
      "The shop's own name of the rating, also a.b inside of an object; empty: as in schemas/")                        \
    X(TEXT, input_field_in_stock, "input.field.in.stock", "", 0, 200, "",                                              \
      "The shop's own name of the stock flag, also a.b inside of an object; empty: as in schemas/")                    \
    X(TEXT, input_field_retired, "input.field.retired", "", 0, 200, "",                                                \
      "The shop's own name of the retired flag, also a.b inside of an object; empty: as in schemas/")                  \
    X(TEXT, output_recommendations_topic, "output.recommendations.topic", "recommendations", 1, 249, "",               \
      "Topic of fresh lists, keyed by user id; compact it")                                                            \
    X(TEXT, output_dead_letters_topic, "output.dead.letters.topic", "dead-letters", 1, 249, "",                        \
      "Topic of records that could not be used, unchanged, with the reason in their headers")                          \
    X(CHOICE, output_format, "output.format", 0, 0, 3, "json|avro|confluent|single_object",                            \
      "Form of the lists: JSON; bare Avro; Avro behind its schema's id; Avro behind its fingerprint")                  \
    X(INT, output_schema_id, "output.schema.id", 0, 0, 4294967295, "",                                                 \
      "The registry's id of schemas/recommendation.avsc, for confluent; 0: schema.registry.url is asked")              \
    X(TEXT, output_profiles_topic, "output.profiles.topic", "", 0, 249, "",                                            \
      "Topic of users' profiles (profile.enabled), keyed by user id, in the form of the lists; compact it; empty: none") \
    X(INT, output_profiles_schema_id, "output.profiles.schema.id", 0, 0, 4294967295, "",                               \
      "The registry's id of schemas/profile.avsc, for confluent; 0: schema.registry.url is asked")                     \
    X(TEXT, output_drift_topic, "output.drift.topic", "", 0, 249, "",                                                  \
      "Topic of changes that are noticed (drift.*), in the form of the lists; empty: none")                            \
    X(INT, output_drift_schema_id, "output.drift.schema.id", 0, 0, 4294967295, "",                                     \
      "The registry's id of schemas/drift.avsc, for confluent; 0: schema.registry.url is asked")                       \
    X(INT, topics_partitions, "topics.partitions", 4, 1, 10000, "partitions",                                          \
      "Partitions of a topic that `tailwater topics --create` makes, where no other topic decides it")                 \
    X(INT, topics_replication_factor, "topics.replication.factor", -1, -1, 32767, "",                                  \
      "Replicas of a topic that `tailwater topics --create` makes; -1: the broker's default")                          \
    /* Schema registry. */                                                                                             \
    X(TEXT, schema_registry_url, "schema.registry.url", "", 0, 4000, "",                                               \
      "URL of a registry with Confluent's API: resolves ids of the form confluent; empty: input.schemas alone does")   \
    X(TEXT, schema_registry_basic_auth, "schema.registry.basic.auth", "", 0, 1000, "",                                 \
      "user:password for the registry; empty: none")                                                                   \
    X(TEXT, schema_registry_ssl_ca_location, "schema.registry.ssl.ca.location", "", 0, 4000, "path",                   \
      "Certificates (PEM) of those who may vouch for the registry; empty: the system's")                               \
    X(TEXT, schema_registry_ssl_certificate_location, "schema.registry.ssl.certificate.location", "", 0, 4000, "path", \
      "Certificate (PEM) that the registry is shown; empty: none")                                                     \
    X(TEXT, schema_registry_ssl_key_location, "schema.registry.ssl.key.location", "", 0, 4000, "path",                 \
      "Private key (PEM, not encrypted) of that certificate")                                                          \
    X(INT, schema_registry_timeout_ms, "schema.registry.timeout.ms", 5000, 10, 600000, "ms",                           \
      "Longest that one attempt to ask the registry may take; it is asked again until it answers")                     \
    X(BOOL, auto_register_schemas, "auto.register.schemas", true, 0, 1, "",                                            \
      "Register the schemas of outputs as TOPIC-value; false: they must be registered already, or the start stops")    \
    /* Ingest. */                                                                                                      \
    X(INT, ingest_batch_max, "ingest.batch.max", 256, 1, 100000, "records", "Most records taken in one step")          \
    X(INT, ingest_record_max_bytes, "ingest.record.max.bytes", 1 << 20, 256, 1 << 30, "bytes",                         \
      "A record larger than this is a dead letter")                                                                    \
    /* Clean. */                                                                                                       \
    X(INT, clean_skew_max_ms, "clean.skew.max.ms", TW_DAY_MS, 0, 365 * TW_DAY_MS, "ms",                                \
      "Event time further ahead of the append time (else of the wall clock) than this is a dead letter")               \
    X(INT, clean_lateness_click_ms, "clean.lateness.click.ms", 3600000, 0, 3650 * TW_DAY_MS, "ms",                     \
      "Allowed lateness of clicks and cart events behind the watermark")                                               \
    X(INT, clean_lateness_purchase_ms, "clean.lateness.purchase.ms", TW_DAY_MS, 0, 3650 * TW_DAY_MS, "ms",             \
      "Allowed lateness of purchases and returns behind the watermark")                                                \
    X(INT, clean_lateness_review_ms, "clean.lateness.review.ms", TW_DAY_MS, 0, 3650 * TW_DAY_MS, "ms",                 \
      "Allowed lateness of reviews behind the watermark")                                                              \
    X(BOOL, dedup_enabled, "dedup.enabled", true, 0, 1, "", "Drop events whose id was seen within the window")         \
    X(BOOL, dedup_exact, "dedup.exact", false, 0, 1, "",                                                               \
      "Keep 128 bits of each id instead of 48 plus its place: no false duplicate, three times the memory")             \
    X(INT, dedup_window_click_ms, "dedup.window.click.ms", TW_DAY_MS, 256, 3650 * TW_DAY_MS, "ms",                     \
      "How long in event time the id of a click or cart event is remembered; not below its allowed lateness")          \
    X(INT, dedup_window_purchase_ms, "dedup.window.purchase.ms", 7 * TW_DAY_MS, 256, 3650 * TW_DAY_MS, "ms",           \
      "How long in event time the id of a purchase or return is remembered; not below its allowed lateness")           \
    X(INT, dedup_window_review_ms, "dedup.window.review.ms", 7 * TW_DAY_MS, 256, 3650 * TW_DAY_MS, "ms",               \
      "How long in event time the id of a review is remembered; not below its allowed lateness")                       \
    X(INT, dedup_ids_max, "dedup.ids.max", 50000000, 1024, 4000000000LL, "ids",                                        \
      "Most live ids kept per partition; beyond it the oldest bucket is forgotten early and counted")                  \
    /* Learn. */                                                                                                       \
    X(CHOICE, learn_model, "learn.model", 0, 0, 1, "default|mf",                                                       \
      "default: context embeddings, transitions, repeats and popularity, blended; mf: user x item factors by SGD")     \
    X(INT, learn_dim, "learn.dim", 64, 4, 512, "", "Width of the embeddings; a multiple of 4",                         \
      TW_TUNE(BOTH, LOG, 32, 128, 16))                                                                                 \
    X(INT, learn_past_max, "learn.past.max", 512, 8, 65536, "items",                                                   \
      "Most past items kept with a user; what rank.exclude names is kept beyond it, up to 65,536")                     \
    X(INT, learn_context_items, "learn.context.items", 20, 1, 256, "items", "Newest past items that make the context", \
      TW_TUNE(DEFAULT, LOG, 8, 48, 1))                                                                                 \
    X(REAL, learn_context_fast, "learn.context.fast", 0.6, 0, 1, "",                                                   \
      "Decay of the context per past item, first half of the dimensions",                                              \
      TW_TUNE(DEFAULT, LINEAR, 0.3, 0.85, 0))                                                                          \
    X(REAL, learn_context_slow, "learn.context.slow", 0.92, 0, 1, "",                                                  \
      "Decay of the context per past item, second half of the dimensions",                                             \
      TW_TUNE(DEFAULT, LINEAR, 0.85, 0.98, 0))                                                                         \
    X(REAL, learn_context_rate, "learn.context.rate", 0.2, 1e-6, 10, "",                                               \
      "Learning rate of the context embeddings (row-wise Adagrad)",                                                    \
      TW_TUNE(DEFAULT, LOG, 0.05, 0.5, 0))                                                                             \
    X(REAL, learn_user_rate, "learn.user.rate", 0.05, 0, 10, "",                                                       \
      "Learning rate of a user's own embedding beside the context; 0 leaves it out",                                   \
      TW_TUNE(DEFAULT, LOG, 0.01, 0.2, 0))                                                                             \
    X(INT, learn_negatives, "learn.negatives", 128, 8, 4096, "items",                                                  \
      "Size of the shared pool of sampled negatives; a multiple of 8",                                                 \
      TW_TUNE(DEFAULT, LOG, 64, 256, 32))                                                                              \
    X(INT, learn_transitions_steps, "learn.transitions.steps", 8, 1, 64, "items",                                      \
      "Newest past items whose followers are learned and asked",                                                       \
      TW_TUNE(DEFAULT, LOG, 4, 16, 1))                                                                                 \
    X(REAL, learn_transitions_decay, "learn.transitions.decay", 0.75, 0, 1, "", "Weight of each further step back",    \
      TW_TUNE(DEFAULT, LINEAR, 0.5, 0.9, 0))                                                                           \
    X(REAL, learn_transitions_near, "learn.transitions.near", 0.3, 0, 1, "",                                           \
      "The same in a second count, of what comes right after",                                                         \
      TW_TUNE(DEFAULT, LINEAR, 0.1, 0.6, 0))                                                                           \
    X(INT, learn_transitions_pairs_max, "learn.transitions.pairs.max", 16777216, 1024, 4000000000LL, "pairs",          \
      "Most pairs of all items together; beyond it the weakest eighth is pruned and counted")                          \
    X(INT, learn_repeat_items, "learn.repeat.items", 64, 0, 128, "items",                                              \
      "Newest past items whose chance to be met again is learned by age and count",                                    \
      TW_TUNE(DEFAULT, LOG, 16, 128, 8))                                                                               \
    X(INT, learn_popular_events, "learn.popular.events", 10000, 10, 1000000000, "events",                              \
      "Half-life of the fast popularity, in applied events; the slow one counts the last 65,536",                      \
      TW_TUNE(DEFAULT, LOG, 1000, 100000, 100))                                                                        \
    X(INT, learn_blend_every, "learn.blend.every", 36, 1, 1000000, "events",                                           \
      "One event of so many (chosen by hash; fewer for more than 32,768 items) trains the blend by ranking all items", \
      TW_TUNE(DEFAULT, LOG, 24, 96, 8))                                                                                \
    X(REAL, learn_blend_rate, "learn.blend.rate", 0.05, 1e-6, 10, "", "Learning rate of the blend (Adagrad)",           \
      TW_TUNE(DEFAULT, LOG, 0.02, 0.4, 0))                                                                             \
    X(TEXT, learn_vectors_file, "learn.vectors.file", "", 0, 4000, "path",                                             \
      "Word vectors that new items start from, by their id or the words of title and category; empty: none. "            \
      "Fixed once the state is made; not with learn.model: mf")                                                        \
    X(CHOICE, learn_vectors_format, "learn.vectors.format", 0, 0, 3, "auto|word2vec|word2vec-binary|glove",            \
      "Form of that file; auto: by its content")                                                                       \
    X(REAL, learn_mf_rate, "learn.mf.rate", 0.05, 1e-6, 10, "", "Learning rate of the factor model",                   \
      TW_TUNE(MF, LOG, 0.01, 0.3, 0))                                                                                  \
    X(REAL, learn_mf_decay, "learn.mf.decay", 0.002, 0, 1, "", "L2 regularisation of the factor model",                \
      TW_TUNE(MF, LOG, 0.0002, 0.02, 0))                                                                               \
    X(INT, learn_mf_negatives, "learn.mf.negatives", 5, 1, 64, "items", "Sampled negatives per event, factor model",   \
      TW_TUNE(MF, LOG, 2, 16, 1))                                                                                      \
    /* Profile. */                                                                                                     \
    X(BOOL, profile_enabled, "profile.enabled", false, 0, 1, "", \
      "Keep and learn users' profiles (output.profiles.topic, `profile`, the API). Fixed once the state is made") \
    X(INT, profile_categories_max, "profile.categories.max", 64, 1, 128, "categories",                                 \
      "Categories that a profile tells apart, by first appearance; the rest share one, \"other\"")                     \
    X(REAL, profile_short, "profile.short", 0.8, 0, 1, "",                                                             \
      "What is left of older interests at each event, over the short horizon")                                         \
    X(REAL, profile_long, "profile.long", 0.98, 0, 1, "", "The same over the long horizon")                            \
    X(INT, profile_hidden_first, "profile.hidden.first", 32, 1, 64, "units",                                           \
      "Width of the profile network's first hidden layer")                                                             \
    X(INT, profile_hidden_second, "profile.hidden.second", 32, 1, 64, "units", "Width of the second one")              \
    X(INT, profile_batch, "profile.batch", 16, 1, 64, "examples", "Events that make one step of the profile network")  \
    X(REAL, profile_rate, "profile.rate", 0.05, 1e-9, 10, "",                                                          \
      "Learning rate of the profile network; for Adam about 0.001")                                                    \
    X(CHOICE, profile_optimizer, "profile.optimizer", 0, 0, 1, "sgd|adam",                                             \
      "Plain stochastic gradient descent, or Adam with three times the state")                                         \
    X(TEXT, profile_model_file, "profile.model.file", "", 0, 4000, "path",                                             \
      "Profiles start from this file (train profile), read while no category has been met; empty: from nothing")       \
    X(BOOL, profile_model_transfer, "profile.model.transfer", false, 0, 1, "",                                         \
      "The file is of another catalogue: take only what names no category, with a new output layer")                   \
    /* Propensity. */                                                                                                  \
    X(INT, propensity_horizon_ms, "propensity.horizon.ms", TW_DAY_MS, 1, 3650 * TW_DAY_MS, "ms",                       \
      "Propensity is the probability that the user buys within this, in event time")                                   \
    X(INT, propensity_steps, "propensity.steps", 20, 1, 256, "moments",                                                \
      "Newest moments of a user that it reads; what a user does at one time (a basket) is one moment")                 \
    X(INT, propensity_hidden, "propensity.hidden", 128, 4, 512, "units", "Width of its two recurrent layers")          \
    X(INT, propensity_batch, "propensity.batch", 32, 1, 1024, "examples", "Examples that make one step of it")         \
    X(REAL, propensity_rate, "propensity.rate", 0.001, 1e-9, 1, "", "Its learning rate (Adam)")                        \
    X(REAL, propensity_decay, "propensity.decay", 0.3, 0, 100, "",                                                     \
      "What a weight of it loses of itself at each step, as a share of the learning rate")                             \
    /* Rank. */                                                                                                        \
    X(INT, rank_list_size, "rank.list.size", 20, 1, 1000, "items", "Items in a published list")                        \
    X(CHOICE, rank_exclude, "rank.exclude", 0, 0, 2, "none|purchased|consumed",                                        \
      "Items never recommended to a user: none, those bought, or those met in any event")                              \
    X(INT, rank_min_interval_ms, "rank.min.interval.ms", 1000, 0, 365 * TW_DAY_MS, "ms",                               \
      "A user's list is refreshed at most once in this time")                                                          \
    X(INT, rank_max_delay_ms, "rank.max.delay.ms", 5000, 0, 365 * TW_DAY_MS, "ms",                                     \
      "A user's list is refreshed at latest this long after an event")                                                 \
    X(INT, rank_every_events, "rank.every.events", 0, 0, 1000000000, "events",                                         \
      "A list at a user's first and each N-th applied event, at once; 0: by time, as the two before it say")           \
    X(INT, rank_category_max, "rank.category.max", 0, 0, 1000, "items",                                                \
      "Most items of one category in a list, the rest only where nothing else fills it; 0: no cap. "                   \
      "4: HR@10 .254 to .194 on ml1m_pos (1 event in 20)")                                                             \
    X(REAL, rank_explore_share, "rank.explore.share", 0, 0, 1, "",                                                     \
      "Share of places drawn for new items; each item then says how likely it was there. "                             \
      "0.1: HR@10 .254 to .243 on ml1m_pos, .369 to .361 on online_retail (1 event in 20)")                            \
    X(INT, rank_explore_new_ms, "rank.explore.new.ms", TW_DAY_MS, 1, 3650 * TW_DAY_MS, "ms",                           \
      "An item is new for this long after it first appeared, in event time")                                           \
    X(INT, rank_hide_bought_ms, "rank.hide.bought.ms", 0, 0, 3650 * TW_DAY_MS, "ms",                                   \
      "What was bought is hidden for this long after the user last met it; 0: never. "                                 \
      "A day: HR@10 .369 to .367, 10 minutes: .369 to .369 on online_retail (1 event in 20)",                          \
      TW_TUNE(BOTH, LINEAR, 0, 3600000, 60000))                                                                        \
    X(TEXT, rank_allow, "rank.allow", "", 0, 4000, "path",                                                             \
      "File of item ids, one a line, # begins a comment: nothing else is shown; empty: all items")                     \
    X(TEXT, rank_deny, "rank.deny", "", 0, 4000, "path",                                                               \
      "File of item ids, in the same form, that are never shown; read again on SIGHUP, like rank.allow")               \
    /* Drift. */                                                                                                       \
    X(BOOL, drift_enabled, "drift.enabled", false, 0, 1, "",                                                            \
      "Notice changes of a user's taste, of what all users do, and of how well the model does")                        \
    X(REAL, drift_user_evidence, "drift.user.evidence", 8.5, 1, 100, "nats",                                           \
      "A user's taste has changed from this log-likelihood ratio on; chance reaches b from an event with e^-b at most") \
    X(REAL, drift_user_half_life, "drift.user.half.life", 512, 1, 1e9, "visits",                                       \
      "Visits after which a user's past counts half")                                                                  \
    X(REAL, drift_population_p, "drift.population.p", 1e-6, 1e-300, 0.1, "",                                           \
      "p-value below which the mix of categories, kinds, prices or ratings has changed")                               \
    X(REAL, drift_model_delta, "drift.model.delta", 1e-5, 1e-300, 0.1, "",                                             \
      "ADWIN's bound on a false cut, for loss, hits, score and norm")                                                  \
    /* Serve. */                                                                                                       \
    X(BOOL, serve_enabled, "serve.enabled", true, 0, 1, "",                                                            \
      "Serve the live page, the metrics and the API while `run` runs")                                                 \
    X(TEXT, serve_host, "serve.host", "127.0.0.1", 1, 255, "",                                                         \
      "Name or address to listen on; there is no login, so beyond loopback put a guard in front")                      \
    X(INT, serve_port, "serve.port", 8080, 0, 65535, "", "Port to listen on; 0: any that is free")                     \
    X(INT, serve_connections_max, "serve.connections.max", 128, 4, 4096, "connections",                                \
      "Most connections at a time; a further one is turned away")                                                      \
    X(INT, serve_streams_max, "serve.streams.max", 32, 0, 4096, "connections",                                         \
      "Most live streams at a time; a further one is answered by 503")                                                 \
    X(INT, serve_live_max_ms, "serve.live.max.ms", 120000, 1000, 86400000, "ms",                                       \
      "An engine that answers nothing for longer than this is not live")
/* clang-format on */

#endif
