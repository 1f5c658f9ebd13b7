/* The version of the product and of what it writes. */
#ifndef TAILWATER_VERSION_H
#define TAILWATER_VERSION_H

#define TW_VERSION "0.1.0"

/* Format of the store. A store of another format is refused with both numbers named. */
#define TW_STORE_FORMAT 6

/* Marks what the library exports; everything else in it is hidden. */
#define TW_PUBLIC __attribute__((visibility("default")))

#endif
