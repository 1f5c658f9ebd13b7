"""Makes propensity_reference.h: numbers of a recurrent network by Keras, which propensity_network_test.c is held to.

Run once, by hand, with Keras 3 and JAX:  KERAS_BACKEND=jax JAX_ENABLE_X64=1 python propensity_reference.py > propensity_reference.h
Weights, inputs and labels are formulas, which the test has too."""
import textwrap

import jax, jax.numpy as jnp, keras, numpy as np

keras.config.set_floatx("float64")
T, B, N, H = 6, 4, 3, 5
RATE, STEPS = 0.01, 3
BEGIN = [0, 0, 2, 5]  # steps of each sequence that are absent


def formula(shape, phase, size):
    return size * np.sin(phase + 0.7 * np.arange(np.prod(shape))).reshape(shape)


x, labels = formula((B, T, N), 0.3, 1.0), np.array([1.0, 0.0, 0.0, 1.0])
present = np.array([[t >= BEGIN[b] for t in range(T)] for b in range(B)])
inputs, mask = keras.Input((T, N)), keras.Input((T,), dtype="bool")
h = keras.layers.LSTM(H, return_sequences=True)(inputs, mask=mask)
h = keras.layers.LSTM(H)(h, mask=mask)
model = keras.Model([inputs, mask], keras.layers.Dense(1)(h))
shapes = [w.shape for w in model.trainable_variables]
weights = formula((sum(int(np.prod(s)) for s in shapes),), 1.1, 0.4)
ends = np.cumsum([int(np.prod(s)) for s in shapes])


def loss_of(flat):
    parts = [p.reshape(s) for p, s in zip(jnp.split(flat, ends[:-1]), shapes)]
    z = model.stateless_call(parts, model.non_trainable_variables, [x, present])[0][:, 0]
    return jnp.mean(jnp.logaddexp(0, z) - labels * z), jax.nn.sigmoid(z)


def show(name, values):
    print(f"static const double {name}[] = {{")
    print(textwrap.fill(", ".join(f"{float(v):.9g}" for v in values), 116), "};")


slope_of = jax.grad(lambda flat: loss_of(flat)[0])
loss, p = loss_of(jnp.array(weights))
print("/* Made by propensity_reference.py: Keras", keras.__version__, "on JAX", jax.__version__, "in double. */")
print("// clang-format off")
show("reference_p", p)
show("reference_slopes", slope_of(jnp.array(weights)))
print(f"static const double reference_loss = {float(loss):.9g};")
optimizer, variable = keras.optimizers.Adam(RATE, epsilon=1e-8), keras.Variable(weights)
optimizer.build([variable])
for _ in range(STEPS):
    optimizer.apply([slope_of(variable.value)])
print(f"static const double reference_loss_after = {float(loss_of(variable.value)[0]):.9g}; /* {STEPS} steps of Adam */")
