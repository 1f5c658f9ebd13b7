package tailwater.bench;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Vectors and biases of all items, in memory and shared by the tasks of the one stream thread. They are not kept across a restart, which
 * spares this program work that tailwater does.
 */
final class Items {
    static final int D = 64;
    static final float RATE = 0.05f, DECAY = 0.002f;
    private final Map<String, Integer> numbers = new HashMap<>();
    private final List<String> ids = new ArrayList<>();
    private float[] vectors = new float[1024 * D];
    private float[] biases = new float[1024];
    private final Random random = new Random(1);

    int number(String id) {
        Integer known = numbers.get(id);
        if (known != null)
            return known;
        int n = ids.size();
        ids.add(id);
        numbers.put(id, n);
        if (n == biases.length) {
            vectors = java.util.Arrays.copyOf(vectors, vectors.length * 2);
            biases = java.util.Arrays.copyOf(biases, biases.length * 2);
        }
        return n;
    }

    String id(int number) {
        return ids.get(number);
    }

    int draw() {
        return random.nextInt(ids.size());
    }

    /** One step of logistic SGD on an item; the user's gradient is collected. */
    void step(int item, float label, float[] user, float[] gradient) {
        int at = item * D;
        float logit = biases[item];
        for (int d = 0; d < D; d++)
            logit += user[d] * vectors[at + d];
        float error = label - 1 / (1 + (float) Math.exp(-logit));
        for (int d = 0; d < D; d++) {
            gradient[d] += error * vectors[at + d];
            vectors[at + d] = (1 - RATE * DECAY) * vectors[at + d] + RATE * error * user[d];
        }
        biases[item] += RATE * error;
    }

    /** The best items of a user, best first, into best and scores; returns how many. */
    int top(float[] user, int[] best, float[] scores) {
        int count = 0;
        for (int item = 0, at = 0; item < ids.size(); item++, at += D) {
            float score = biases[item];
            for (int d = 0; d < D; d++)
                score += user[d] * vectors[at + d];
            if (count == best.length && score <= scores[count - 1])
                continue;
            int place = count < best.length ? count++ : count - 1;
            for (; place > 0 && score > scores[place - 1]; place--) {
                best[place] = best[place - 1];
                scores[place] = scores[place - 1];
            }
            best[place] = item;
            scores[place] = score;
        }
        return count;
    }
}
