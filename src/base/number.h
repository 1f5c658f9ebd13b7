/* Numbers from text, strictly: the whole slice or nothing. Used by the CSV and JSON decoders and by files of vectors. Thread: any. */
#ifndef TW_BASE_NUMBER_H
#define TW_BASE_NUMBER_H

#include "base/slice.h"

/* A decimal number with optional fraction and exponent; also nan and inf, which clean refuses by name. false when
 * malformed. Correctly rounded: short decimals are computed exactly (Clinger 1990), the rest goes to strtod. */
bool tw_number_real(tw_slice text, double *ret_value);

#endif
