package tailwater.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Random;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.WindowStore;
import org.apache.kafka.streams.state.WindowStoreIterator;

/**
 * Drops what is invalid, what is late and what was seen within the window, as tailwater does by default; learns from the rest, and makes a
 * list at a user's first and each 20th event.
 */
final class Learn implements Processor<String, byte[], String, byte[]> {
    private static final int EVERY = 20, TOP = 10, NEGATIVES = 5, D = Items.D;
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long HOUR_MS = 3600000, DAY_MS = 24 * HOUR_MS;
    private final Items items;
    private final long windowMs;
    private long watermarkMs = Long.MIN_VALUE;
    private final float[] user = new float[D], gradient = new float[D], scores = new float[TOP];
    private final int[] best = new int[TOP];
    private ProcessorContext<String, byte[]> context;
    private KeyValueStore<String, byte[]> users;
    private WindowStore<String, Long> seen;

    Learn(Items items, Duration window) {
        this.items = items;
        this.windowMs = window.toMillis();
    }

    @Override
    public void init(ProcessorContext<String, byte[]> given) {
        context = given;
        users = given.getStateStore(Peer.USERS);
        seen = given.getStateStore(Peer.SEEN);
    }

    private static boolean isValid(JsonNode event, long appendedMs) {
        JsonNode userId = event.get("user_id"), itemId = event.get("item_id"), ms = event.get("event_ms"), price = event.get("price");
        return userId != null && !userId.asText().isEmpty() && userId.asText().indexOf('\ufffd') < 0 && itemId != null
                && !itemId.asText().isEmpty() && ms != null && ms.asLong() >= 0 && ms.asLong() <= appendedMs + DAY_MS
                && (price == null || price.asDouble() >= 0);
    }

    /** Behind the newest event of its partition by more than its kind may be. */
    private boolean isLate(String kind, long ms) {
        watermarkMs = Math.max(watermarkMs, ms);
        return ms < watermarkMs - (kind.equals("click") || kind.equals("cart") ? HOUR_MS : DAY_MS);
    }

    private boolean isDuplicate(String id, long ms) {
        try (WindowStoreIterator<Long> times = seen.fetch(id, Math.max(0, ms - windowMs), ms + windowMs)) {
            if (times.hasNext())
                return true;
        }
        seen.put(id, ms, ms);
        return false;
    }

    /** The user's vector into the field, and how many events they had. */
    private int load(String id) {
        byte[] row = users.get(id);
        if (row == null) {
            Random random = new Random(id.hashCode());
            for (int d = 0; d < D; d++)
                user[d] = (random.nextFloat() - 0.5f) * 0.05f;
            return 0;
        }
        ByteBuffer buffer = ByteBuffer.wrap(row);
        int events = buffer.getInt();
        buffer.asFloatBuffer().get(user);
        return events;
    }

    private void save(String id, int events) {
        ByteBuffer buffer = ByteBuffer.allocate(4 + 4 * D);
        buffer.putInt(events);
        buffer.asFloatBuffer().put(user);
        users.put(id, buffer.array());
    }

    private void learn(int item) {
        java.util.Arrays.fill(gradient, 0);
        items.step(item, 1, user, gradient);
        for (int n = 0; n < NEGATIVES; n++) {
            int negative = items.draw();
            if (negative != item)
                items.step(negative, 0, user, gradient);
        }
        for (int d = 0; d < D; d++)
            user[d] = (1 - Items.RATE * Items.DECAY) * user[d] + Items.RATE * gradient[d];
    }

    private byte[] list(String id, long ms, RecordMetadata metadata) throws IOException {
        int count = items.top(user, best, scores);
        ObjectNode list = JSON.createObjectNode();
        list.put("user_id", id).put("event_ms", ms);
        list.put("partition", metadata.partition()).put("offset", metadata.offset());
        ArrayNode rows = list.putArray("items");
        for (int i = 0; i < count; i++)
            rows.addObject().put("item_id", items.id(best[i])).put("score", scores[i]);
        return JSON.writeValueAsBytes(list);
    }

    @Override
    public void process(Record<String, byte[]> record) {
        try {
            JsonNode event = JSON.readTree(record.value());
            if (!isValid(event, record.timestamp()))
                return;
            long ms = event.get("event_ms").asLong();
            String id = event.get("user_id").asText(), itemId = event.get("item_id").asText();
            JsonNode eventId = event.get("event_id");
            if (isLate(event.path("kind").asText(), ms)
                    || isDuplicate(eventId != null ? eventId.asText() : id + '/' + itemId + '/' + ms, ms))
                return;
            int events = load(id) + 1;
            learn(items.number(itemId));
            save(id, events);
            if (events == 1 || events % EVERY == 0)
                context.forward(record.withValue(list(id, ms, context.recordMetadata().orElseThrow())));
        } catch (IOException broken) {
            System.err.println("not an event: " + broken.getMessage());
        }
    }
}
