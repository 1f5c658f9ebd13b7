/* The shop's own say: the items that rank.allow and rank.deny name, one id a line.
 *
 * Read as a whole at the start and on SIGHUP; a list that is being ranked sees the old or the new, never a mixture. Blanks around an id
 * are left out, and so are empty lines and those that begin with #. Thread: engine. */
#ifndef TW_RANK_IDS_H
#define TW_RANK_IDS_H

#include "base/err.h"
#include "base/slice.h"
#include "config/config.h"

typedef struct tw_rank_ids tw_rank_ids;

/* Reads both files; *ret_ids is NULL when neither is set. Errors: TW_E_CONFIG with the key and the path: a file that cannot be read,
 * an id that no event can have (with its line), an allow list without an id. */
tw_code tw_rank_ids_open(const tw_config *config, tw_rank_ids **ret_ids, tw_err *err);
tw_rank_ids *tw_rank_ids_free(tw_rank_ids *ids);

/* May this item be in a list? Denied wins over allowed. ids may be NULL: yes. */
bool tw_rank_ids_show(const tw_rank_ids *ids, tw_slice item_id);

#endif
