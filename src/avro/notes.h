/* What avro-c drops when it parses a schema (logical types, aliases), looked up in the schema's text. The text is one that avro-c
 * has accepted: these functions find their way in valid JSON and answer nothing where they do not. Thread: any. */
#ifndef TW_AVRO_NOTES_H
#define TW_AVRO_NOTES_H

#include "base/slice.h"

/* Without the blanks around it, as all of these want it. */
tw_slice tw_notes_trimmed(tw_slice text);

/* The value of that name in an object, as JSON text; empty: not there, or text is not an object. Of two the last counts. */
tw_slice tw_notes_member(tw_slice text, const char *name);

/* Takes the next element off an array, begun with *rest = its text. Empty: none is left, or it is not an array. */
tw_slice tw_notes_next(tw_slice *rest);

/* What is between the quotes of a string without escapes; empty when text is something else. */
tw_slice tw_notes_string(tw_slice text);

/* The type itself: the last of {"type": {"type": ...}}. */
tw_slice tw_notes_type(tw_slice text);

#endif
