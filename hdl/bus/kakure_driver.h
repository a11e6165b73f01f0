/* Driver of an accelerator that Kakure generated. C99; allocates nothing, keeps nothing. */
#ifndef KAKURE_DRIVER_H
#define KAKURE_DRIVER_H

#include <stdint.h>

/* How the accelerator is reached; context is handed on to every function. */
typedef struct {
    void *context;
    /* The register at a byte offset. */
    uint32_t (*read)(void *context, uint32_t offset);
    void (*write)(void *context, uint32_t offset, uint32_t value);
    /* Puts words into the input stream and returns how many found room, in order; with is_last,
       TLAST goes with the last of count. */
    uint32_t (*send)(void *context, const uint32_t *words, uint32_t count, int is_last);
    /* Takes at most `most` words that have come out of the accelerator, and returns how many. */
    uint32_t (*receive)(void *context, uint32_t *words, uint32_t most);
} kakure_bus;

typedef enum {
    KAKURE_OK = 0,
    KAKURE_NO_ACCELERATOR, /* IDENTITY is not that of one */
    KAKURE_OTHER_VERSION,  /* its register map is not that of kakure.h */
    KAKURE_OTHER_NETWORK,  /* it was generated from another configuration */
    KAKURE_FAILED,         /* it has found an error: kakure_error() */
    KAKURE_STUCK           /* nothing has moved for as many tries as were allowed */
} kakure_status;

/* Sees that the accelerator is the one of a network (KAKURE_<name>_CONFIG_DIGEST), and resets it. */
kakure_status kakure_open(const kakure_bus *bus, const char *digest);

/* Loads the words of supermask.bin; `tries` calls of the bus in a row may move nothing. */
kakure_status kakure_load(const kakure_bus *bus, const uint32_t *words, uint32_t count,
                          uint32_t tries);

/* Runs one image, its bytes as (row, column, channel), and gives its logits. */
kakure_status kakure_run(const kakure_bus *bus, const uint8_t *image, uint32_t bytes,
                         int32_t *logits, uint32_t classes, uint32_t tries);

/* The first of the largest logits: the class. */
uint32_t kakure_class(const int32_t *logits, uint32_t classes);

/* ERROR.CODE: KAKURE_ERROR_CODE_... of kakure.h. */
uint32_t kakure_error(const kakure_bus *bus);

#endif
