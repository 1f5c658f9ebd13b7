/* Any bytes as a file of vectors in each form: finite vectors under words that are found again, or one clear error. */
#include "base/vectors.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static float vector[TW_VECTORS_DIM_MAX];
    tw_slice all = {(const char *)bytes, size};
    for (int format = TW_VECTORS_AUTO; format < TW_VECTORS_FORMATS; format++) {
        tw_vectors *vectors;
        tw_err err = {0};
        tw_code code = tw_vectors_of(all, "fuzz", (tw_vectors_format)format, &vectors, &err);
        if (code != TW_OK) {
            if (code != TW_E_BAD_FILE || !err.text[0])
                __builtin_trap();
            continue;
        }
        if (tw_vectors_count(vectors) == 0 || tw_vectors_dim(vectors) < 1 ||
            tw_vectors_dim(vectors) > TW_VECTORS_DIM_MAX)
            __builtin_trap();
        for (uint32_t i = 0; i < tw_vectors_count(vectors); i++) {
            if (tw_vectors_find(vectors, tw_vectors_word(vectors, i)) != i)
                __builtin_trap();
            tw_vectors_get(vectors, i, vector);
            for (int d = 0; d < tw_vectors_dim(vectors); d++)
                if (!isfinite(vector[d]))
                    __builtin_trap();
        }
        tw_vectors_close(vectors);
    }
    return 0;
}
