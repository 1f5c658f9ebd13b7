/* Chunks in a list, a pointer that moves through them. Reset goes back to the first chunk and keeps all. */
#include "base/arena.h"

#include "base/alloc.h"

#include <stdalign.h>
#include <stdlib.h>

typedef struct chunk {
    struct chunk *next;
    size_t size;
    alignas(max_align_t) char bytes[];
} chunk;

struct tw_arena {
    chunk *first, *current;
    size_t used; /* of current */
    size_t chunk_size, held;
};

static chunk *add_chunk(tw_arena *arena, size_t size) {
    chunk *c = tw_alloc(sizeof(chunk) + size);
    c->size = size;
    arena->held += size;
    return c;
}

tw_arena *tw_arena_create(size_t chunk_size) {
    tw_arena *arena = tw_zalloc(sizeof *arena);
    arena->chunk_size = chunk_size;
    arena->first = arena->current = add_chunk(arena, chunk_size);
    arena->first->next = NULL;
    return arena;
}

tw_arena *tw_arena_free(tw_arena *arena) {
    if (!arena)
        return NULL;
    for (chunk *c = arena->first, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(arena);
    return NULL;
}

void *tw_arena_alloc(tw_arena *arena, size_t size) {
    size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    while (arena->current->size - arena->used < size) {
        chunk *next = arena->current->next;
        if (!next || next->size < size) { /* none to reuse: a new one goes in between */
            next = add_chunk(arena, size > arena->chunk_size ? size : arena->chunk_size);
            next->next = arena->current->next;
            arena->current->next = next;
        }
        arena->current = next;
        arena->used = 0;
    }
    void *block = arena->current->bytes + arena->used;
    arena->used += size;
    return block;
}

tw_slice tw_arena_copy(tw_arena *arena, tw_slice s) {
    if (s.size == 0)
        return (tw_slice){0};
    return (tw_slice){memcpy(tw_arena_alloc(arena, s.size), s.data, s.size), s.size};
}

void tw_arena_reset(tw_arena *arena) {
    arena->current = arena->first;
    arena->used = 0;
}

size_t tw_arena_size(const tw_arena *arena) {
    return arena->held;
}
