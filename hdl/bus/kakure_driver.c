#include "kakure_driver.h"

#include "kakure.h"

/* The k-th eight hexadecimal digits of a digest. */
static uint32_t digest_word(const char *digest, uint32_t k)
{
    uint32_t word = 0;
    uint32_t n;

    for (n = 0; n < 8; n++) {
        char digit = digest[8 * k + n];

        word = word << 4 | (uint32_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
    }
    return word;
}

uint32_t kakure_error(const kakure_bus *bus)
{
    uint32_t error = bus->read(bus->context, KAKURE_ERROR_OFFSET);

    return (error & KAKURE_ERROR_CODE_MASK) >> KAKURE_ERROR_CODE_SHIFT;
}

kakure_status kakure_open(const kakure_bus *bus, const char *digest)
{
    uint32_t k;

    if (bus->read(bus->context, KAKURE_IDENTITY_OFFSET) != KAKURE_IDENTITY)
        return KAKURE_NO_ACCELERATOR;
    if (bus->read(bus->context, KAKURE_VERSION_OFFSET) != KAKURE_VERSION)
        return KAKURE_OTHER_VERSION;
    for (k = 0; k < 8; k++)
        if (bus->read(bus->context, KAKURE_DIGEST_0_OFFSET + 4 * k) != digest_word(digest, k))
            return KAKURE_OTHER_NETWORK;
    bus->write(bus->context, KAKURE_CONTROL_OFFSET, KAKURE_CONTROL_RESET_MASK);
    return KAKURE_OK;
}

kakure_status kakure_load(const kakure_bus *bus, const uint32_t *words, uint32_t count,
                          uint32_t tries)
{
    uint32_t left = tries;

    while (count != 0) {
        uint32_t sent = bus->send(bus->context, words, count, 1);

        if (kakure_error(bus) != KAKURE_ERROR_CODE_NONE)
            return KAKURE_FAILED;
        words += sent;
        count -= sent;
        if (sent != 0)
            left = tries;
        else if (left-- == 0)
            return KAKURE_STUCK;
    }
    for (left = tries; left != 0; left--) {
        if (kakure_error(bus) != KAKURE_ERROR_CODE_NONE)
            return KAKURE_FAILED;
        if (bus->read(bus->context, KAKURE_STATUS_OFFSET) & KAKURE_STATUS_LOADED_MASK)
            return KAKURE_OK;
    }
    return KAKURE_STUCK;
}

kakure_status kakure_run(const kakure_bus *bus, const uint8_t *image, uint32_t bytes,
                         int32_t *logits, uint32_t classes, uint32_t tries)
{
    uint32_t left = tries;

    while (bytes != 0 || classes != 0) {
        uint32_t moved = 0;

        if (bytes != 0) { /* four bytes a word, the first lowest; the last word is filled with 0 */
            uint32_t taken = bytes < 4 ? bytes : 4;
            uint32_t word = 0;
            uint32_t n;

            for (n = 0; n < taken; n++)
                word |= (uint32_t)image[n] << 8 * n;
            moved = bus->send(bus->context, &word, 1, bytes <= 4);
            if (moved != 0) {
                image += taken;
                bytes -= taken;
            }
        }
        if (moved == 0 && classes != 0) {
            uint32_t word;

            moved = bus->receive(bus->context, &word, 1);
            if (moved != 0) {
                *logits++ = (int32_t)word;
                classes--;
            }
        }
        if (moved != 0) {
            left = tries;
        } else {
            if (kakure_error(bus) != KAKURE_ERROR_CODE_NONE)
                return KAKURE_FAILED;
            if (left-- == 0)
                return KAKURE_STUCK;
        }
    }
    return KAKURE_OK;
}

uint32_t kakure_class(const int32_t *logits, uint32_t classes)
{
    uint32_t best = 0;
    uint32_t n;

    for (n = 1; n < classes; n++)
        if (logits[n] > logits[best])
            best = n;
    return best;
}
