package tailwater.bench;

import java.time.Duration;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.StateRestoreListener;
import org.apache.kafka.streams.state.Stores;

/**
 * The job of tailwater's benchmark as a Kafka Streams program: events in, top-10 lists out.
 *
 * <p>Peer BOOTSTRAP APPLICATION_ID STATE_DIR EVENTS_TOPIC LISTS_TOPIC GUARANTEE, until SIGTERM. Settings are those of Kafka Streams but for
 * the guarantee, the linger of tailwater's own producer, and the beginning of the topic.
 */
public final class Peer {
    static final String USERS = "users", SEEN = "seen";
    private static final Duration WINDOW = Duration.ofDays(1), SEGMENT = Duration.ofHours(6);

    private static Topology topology(String events, String lists) {
        Topology topology = new Topology();
        Items items = new Items();
        topology.addSource("events", Serdes.String().deserializer(), Serdes.ByteArray().deserializer(), events);
        topology.addProcessor("learn", () -> new Learn(items, WINDOW), "events");
        topology.addStateStore(Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(USERS), Serdes.String(),
                Serdes.ByteArray()), "learn");
        topology.addStateStore(Stores.windowStoreBuilder(Stores.persistentWindowStore(SEEN, WINDOW.plus(SEGMENT), WINDOW,
                false), Serdes.String(), Serdes.Long()), "learn");
        topology.addSink("lists", lists, Serdes.String().serializer(), Serdes.ByteArray().serializer(), "learn");
        return topology;
    }

    /** Says how fast a store came back from its changelog. */
    private static final class Restores implements StateRestoreListener {
        private final java.util.Map<String, Long> started = new java.util.concurrent.ConcurrentHashMap<>();

        @Override
        public void onRestoreStart(TopicPartition partition, String store, long from, long to) {
            started.put(store + partition, System.nanoTime());
        }

        @Override
        public void onBatchRestored(TopicPartition partition, String store, long end, long count) { }

        @Override
        public void onRestoreEnd(TopicPartition partition, String store, long total) {
            double seconds = (System.nanoTime() - started.get(store + partition)) * 1e-9;
            System.out.printf("restored store=%s partition=%d rows=%d seconds=%.3f%n", store, partition.partition(), total,
                    seconds);
        }
    }

    public static void main(String[] args) throws InterruptedException {
        if (args.length != 6) {
            System.err.println("usage: Peer BOOTSTRAP APPLICATION_ID STATE_DIR EVENTS_TOPIC LISTS_TOPIC GUARANTEE");
            System.exit(2);
        }
        Properties settings = new Properties();
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, args[1]);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, args[2]);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, args[5]);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 1);
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        KafkaStreams streams = new KafkaStreams(topology(args[3], args[4]), settings);
        streams.setGlobalStateRestoreListener(new Restores());
        Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(20))));
        streams.start();
        Thread.currentThread().join();
    }
}
