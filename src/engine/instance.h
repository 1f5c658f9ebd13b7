/* Who a state belongs to: a random number in the file "instance" of its directory, made once. It names the process in the changelog and its
 * transactions to the broker, so a copy of a directory must not run beside the original. Thread: any. */
#ifndef TW_ENGINE_INSTANCE_H
#define TW_ENGINE_INSTANCE_H

#include "base/err.h"

#include <stdint.h>

/* Reads it, or makes directory and file. Errors: TW_E_IO, TW_E_BAD_FILE. */
tw_code tw_instance_of(const char *state_dir, uint64_t *ret_instance, tw_err *err);

#endif
