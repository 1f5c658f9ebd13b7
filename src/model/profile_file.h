/* A trained profile network as a file (model_file.h, kind PROFILE), and a profile that starts from one.
 *
 * The file holds all but what belongs to the vectors of one state's items: a network is trained without a context vector (D = 0), and
 * where it starts the weights of the context are zero, so that it answers as it was trained and learns them in the stream. A later
 * category of the shop is added as ever. With transfer, for another catalogue, what names a category stays behind: input weights of
 * shares and the output layer begin anew, the rest (bias and manners of the first layer, the second layer, the mixture) is taken over.
 * Engine thread, or the trainer's. */
#ifndef TW_MODEL_PROFILE_FILE_H
#define TW_MODEL_PROFILE_FILE_H

#include "model/profile.h"

/* The payload. profile has no context vector, and no example waits. */
void tw_profile_file_encode(const tw_profile *profile, tw_buf *out);

/* Starts a profile that has not begun from the file. Errors: those of tw_model_file_read; TW_E_BAD_FILE (numbers that do not fit or are not
 * finite); TW_E_MISMATCH (horizons, widths or the bound on categories are others than the settings say; naming both). The profile is to be
 * done after an error. */
tw_code tw_profile_file_start(tw_profile *profile, const char *path, bool transfer, tw_err *err);

#endif
