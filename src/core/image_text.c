/*
 * Realtek's images and chips by name, and where packs have them.
 */
#include "tandem/image_mppack.h"
#include "image_mppack.h"

int tandem_mppack_is_audio(uint8_t ic)
{
    return ic == 4 || (ic >= 6 && ic <= 8) || ic == 10 || ic == 11 || ic == 13 || ic == 14 || ic >= 17;
}

const char *tandem_realtek_ic_name(uint8_t ic)
{
    static const char *const names[] = {
        [3] = "RTL8762A",  [4] = "RTL8763B",  [5] = "RTL8762C",  [9] = "RTL8762D",
        [11] = "RTL87x3E", [12] = "RTL8762E", [15] = "RTL87x2G", [16] = "RTL8752H",
    };

    if (ic < sizeof names / sizeof names[0] && names[ic] != NULL)
        return names[ic];
    return tandem_mppack_is_audio(ic) && ic < 20 ? "an RTL87x3 or RTL8763" : "an unknown chip";
}

/* ---- image ids ---- */

static const struct {
    uint16_t image;
    const char *name;
    const char *audio; /* NULL: the same */
} images[] = {
    {0x278D, "system configuration", NULL},
    {0x278E, "one-time configuration", NULL},
    {0x278F, "factory or boot patch", NULL},
    {0x2790, "OTA header", NULL},
    {0x2791, "secondary boot loader", NULL},
    {0x2792, "ROM patch", NULL},
    {0x2793, "application", NULL},
    {0x2794, "application data 1", "DSP system"},
    {0x2795, "application data 2", "DSP application"},
    {0x2796, "application data 3", "application configuration"},
    {0x2797, "application data 4", "DSP configuration"},
    {0x2798, "application data 5", "extension 0"},
    {0x2799, "application data 6", "extension 1"},
    {0x279A, "upper stack", "extension 2"},
    {0x279B, "stack patch", "extension 3"},
    {0x279C, "system patch", NULL},
    {0x279D, "stack patch", NULL},
    {0x279E, "upper stack", NULL},
    {0x279F, "framework", NULL},
    {0x27A0, "system data", NULL},
    {0x27A1, "platform extension", NULL},
    {0x27A2, "lower-stack extension", NULL},
    {0x27A4, "voice prompts", NULL},
    {0x379D, "configuration", NULL},
    {0x379F, "boot patch", NULL},
    {0x37A0, "OTA header", NULL},
    {0x37A2, "secure application", NULL},
    {0x37A3, "secure application data", NULL},
    {0x37A6, "stack patch", NULL},
    {0x37A7, "system patch", NULL},
    {0x37A8, "upper stack", NULL},
    {0x37A9, "application", NULL},
    {0x37AA, "application configuration", NULL},
    {0x37AE, "application data 1", NULL},
    {0x37AF, "application data 2", NULL},
    {0x37B0, "application data 3", NULL},
    {0x37B1, "application data 4", NULL},
    {0x37B2, "application data 5", NULL},
    {0x37B3, "application data 6", NULL},
    {0x37B4, "Zigbee stack", NULL},
};

const char *tandem_realtek_image_name(uint8_t ic, uint16_t image)
{
    for (unsigned i = 0; i < sizeof images / sizeof images[0]; i++)
        if (images[i].image == image)
            return images[i].audio != NULL && tandem_mppack_is_audio(ic) ? images[i].audio : images[i].name;
    return image >= 0xFFF7 && image < 0xFFFF ? "user data" : "unknown image";
}

/* ---- functions: bits of a pack ---- */

/* By bit; the id of the image that a pack has there, 0 if it is not sure. */
struct function {
    uint16_t image;
    const char *name;
};

static const struct function common[] = {
    {0x278E, "one-time configuration"},
    {0x278D, "system configuration"},
    {0x2790, "OTA header"},
    {0x2791, "secondary boot loader"},
    {0x2792, "ROM patch"},
    {0x2793, "application"},
};

static const struct function sensor[] = {
    {0x2794, "application data 1"}, {0x2795, "application data 2"},           {0x2796, "application data 3"},
    {0x2797, "application data 4"}, {0x2798, "application data 5"},           {0x2799, "application data 6"},
    {0x279A, "upper stack"},        {0, "stack patch or application data 8"}, {0, "application data 9"},
    {0, "application data 10"},
};

static const struct function audio[] = {
    {0x2794, "DSP system"},
    {0x2795, "DSP application"},
    {0x2797, "DSP configuration"},
    {0x2796, "application configuration"},
    {0x2798, "extension 0"},
    {0x2799, "extension 1"},
    {0x279A, "extension 2"},
    {0x279B, "extension 3"},
    {0x278F, "factory"},
    {0, "backup 1"},
    {0, "backup 2"},
    {0x279C, "system patch"},
    {0x279D, "stack patch"},
    {0x279E, "upper stack"},
    {0x279F, "framework"},
    {0, "unknown"},
    {0, "unknown"},
    {0, "unknown"},
    {0x27A4, "voice prompts"},
};

static const struct function first_generation[] = {
    {0, "patch"},           {0, "application, bank 0"}, {0, "application, bank 1"}, {0, "user data"},
    {0, "patch extension"}, {0, "configuration"},       {0, "external flash"},
};

#define COUNT(table) ((uint16_t)(sizeof(table) / sizeof(table)[0]))

/* A function of a chip's packs; NULL: not known. */
static const struct function *function_of(uint8_t ic, uint16_t function)
{
    if (ic == 15) /* RTL87x2G: nobody has said */
        return NULL;
    if (ic == 3)
        return function < COUNT(first_generation) ? &first_generation[function] : NULL;
    if (function < COUNT(common))
        return &common[function];
    function = (uint16_t)(function - COUNT(common));
    if (tandem_mppack_is_audio(ic))
        return function < COUNT(audio) ? &audio[function] : NULL;
    return function < COUNT(sensor) ? &sensor[function] : NULL;
}

const char *tandem_mppack_function_name(uint8_t ic, uint16_t function)
{
    const struct function *found = function_of(ic, function);

    return found != NULL ? found->name : "unknown";
}

enum tandem_status tandem_mppack_function(uint8_t ic, uint16_t image, uint16_t *function)
{
    const struct function *found;

    for (uint16_t i = 0; (found = function_of(ic, i)) != NULL; i++)
        if (found->image == image && image != 0) {
            *function = i;
            return TANDEM_OK;
        }
    return TANDEM_ERROR_UNSUPPORTED;
}
