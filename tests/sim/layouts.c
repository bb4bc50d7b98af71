/*
 * The layouts that the campaigns run over: small and large sectors, mixed
 * ones, every program unit, both erased values, one chip and two. A product
 * adds its own by building with -DTANDEM_SIM_LAYOUTS=FILE (see README.md).
 */
#include <string.h>

#include "board.h"

#ifdef TANDEM_SIM_LAYOUTS
/* The product's file defines these, ending with NULL. */
extern const struct sim_layout *const sim_own_layouts[];
#endif

#define KB 1024u

/* 64 KB of 1 KB sectors, word writes: a small Cortex-M0. */
static const struct sim_layout tiny = {
    .name = "tiny",
    .chips = {{.regions = {{0, 1 * KB, 64}},
               .region_count = 1,
               .program_unit = 4,
               .erased = 0xFF,
               .erase_us = 22000,
               .program_ns = 10000}},
    .chip_count = 1,
    .slots = {{TANDEM_KIND_APPLICATION, {{0, 8 * KB, 4 * KB}, {0, 12 * KB, 4 * KB}}, 2200, TANDEM_MODE_DIRECT}},
    .slot_count = 1,
    .manifests = {{0, 16 * KB, 1 * KB}, {0, 17 * KB, 1 * KB}},
    .journal = {0, 18 * KB, 2 * KB},
    .block_size = 512,
    .buffer_size = 1088,
};

/* 4 KB sectors written by the byte: serial NOR. */
static const struct sim_layout nor4k = {
    .name = "nor4k",
    .chips = {{.regions = {{0x100000, 4 * KB, 32}},
               .region_count = 1,
               .program_unit = 1,
               .erased = 0xFF,
               .erase_us = 85000,
               .program_ns = 3000}},
    .chip_count = 1,
    .slots = {{TANDEM_KIND_APPLICATION, {{0, 0x104000, 16 * KB}, {0, 0x108000, 16 * KB}}, 5000, TANDEM_MODE_DIRECT}},
    .slot_count = 1,
    .manifests = {{0, 0x100000, 4 * KB}, {0, 0x101000, 4 * KB}},
    .journal = {0, 0x102000, 8 * KB},
    .block_size = 1024,
    .buffer_size = 2304,
    .verify_policy = TANDEM_VERIFY_ONCE,
};

/* Two images in a bank. */
static const struct sim_layout duo = {
    .name = "duo",
    .chips = {{.regions = {{0x8000000, 1 * KB, 64}},
               .region_count = 1,
               .program_unit = 8,
               .erased = 0xFF,
               .erase_us = 40000,
               .program_ns = 10000}},
    .chip_count = 1,
    .slots = {{TANDEM_KIND_APPLICATION, {{0, 0x8002000, 4 * KB}, {0, 0x8003000, 4 * KB}}, 1700, TANDEM_MODE_DIRECT},
              {TANDEM_KIND_STACK, {{0, 0x8004000, 2 * KB}, {0, 0x8005000, 2 * KB}}, 1300, TANDEM_MODE_DIRECT}},
    .slot_count = 2,
    .manifests = {{0, 0x8006000, 2 * KB}, {0, 0x8006800, 2 * KB}},
    .journal = {0, 0x8007000, 4 * KB},
    .block_size = 512,
    .buffer_size = 1536,
};

/* Sectors of 16, 64 and 128 KB, slots of different sectors: an STM32F4. */
static const struct sim_layout mixed = {
    .name = "mixed",
    .chips = {{.regions = {{0x8000000, 16 * KB, 4}, {0x8010000, 64 * KB, 1}, {0x8020000, 128 * KB, 1}},
               .region_count = 3,
               .program_unit = 4,
               .erased = 0xFF,
               .erase_us = 250000,
               .program_ns = 4000}},
    .chip_count = 1,
    .slots = {{TANDEM_KIND_APPLICATION, {{0, 0x8010000, 64 * KB}, {0, 0x8020000, 128 * KB}}, 3000, TANDEM_MODE_DIRECT}},
    .slot_count = 1,
    .manifests = {{0, 0x8008000, 16 * KB}, {0, 0x800C000, 16 * KB}},
    .journal = {0, 0x8000000, 32 * KB},
    .block_size = 1024,
    .buffer_size = 2304,
};

/* Double words with ECC, images linked for their bank: an STM32L4 or G4 without remap. */
static const struct sim_layout unit16 = {
    .name = "unit16",
    .chips = {{.regions = {{0, 2 * KB, 32}},
               .region_count = 1,
               .program_unit = 16,
               .erased = 0xFF,
               .erase_us = 22000,
               .program_ns = 10000}},
    .chip_count = 1,
    .slots = {{TANDEM_KIND_APPLICATION, {{0, 16 * KB, 8 * KB}, {0, 24 * KB, 8 * KB}}, 3100, TANDEM_MODE_DIRECT}},
    .slot_count = 1,
    .manifests = {{0, 32 * KB, 2 * KB}, {0, 34 * KB, 2 * KB}},
    .journal = {0, 36 * KB, 4 * KB},
    .block_size = 512,
    .buffer_size = 1600,
    .linked = 1,
};

/* Flash words of 32 bytes, manifests in the last sector of the slots: an STM32H7 in small. */
static const struct sim_layout unit32 = {
    .name = "unit32",
    .chips = {{.regions = {{0x8000000, 8 * KB, 6}},
               .region_count = 1,
               .program_unit = 32,
               .erased = 0xFF,
               .erase_us = 500000,
               .program_ns = 3000}},
    .chip_count = 1,
    .slots = {{TANDEM_KIND_APPLICATION, {{0, 0x8004000, 14 * KB}, {0, 0x8008000, 14 * KB}}, 4000, TANDEM_MODE_DIRECT}},
    .slot_count = 1,
    .manifests = {{0, 0x8007800, 2 * KB}, {0, 0x800B800, 2 * KB}},
    .journal = {0, 0x8000000, 16 * KB},
    .block_size = 512,
    .buffer_size = 1600,
};

/* Erased cells read as zero, two images: an STM32L0 or L1. */
static const struct sim_layout zero = {
    .name = "zero",
    .chips = {{.regions = {{0, 512, 96}},
               .region_count = 1,
               .program_unit = 4,
               .erased = 0x00,
               .erase_us = 3000,
               .program_ns = 10000}},
    .chip_count = 1,
    .slots = {{TANDEM_KIND_APPLICATION, {{0, 8 * KB, 4 * KB}, {0, 12 * KB, 4 * KB}}, 1500, TANDEM_MODE_DIRECT},
              {TANDEM_KIND_DATA, {{0, 16 * KB, 2 * KB}, {0, 18 * KB, 2 * KB}}, 700, TANDEM_MODE_DIRECT}},
    .slot_count = 2,
    .manifests = {{0, 20 * KB, 2 * KB}, {0, 22 * KB, 2 * KB}},
    .journal = {0, 24 * KB, 4 * KB},
    .block_size = 512,
    .buffer_size = 1536,
};

/* One bank on the chip, the other on a serial flash beside it. */
static const struct sim_layout external = {
    .name = "external",
    .chips = {{.regions = {{0, 1 * KB, 32}},
               .region_count = 1,
               .program_unit = 4,
               .erased = 0xFF,
               .erase_us = 85000,
               .program_ns = 10000},
              {.regions = {{0, 4 * KB, 16}},
               .region_count = 1,
               .program_unit = 1,
               .erased = 0xFF,
               .erase_us = 45000,
               .program_ns = 3000}},
    .chip_count = 2,
    .slots = {{TANDEM_KIND_APPLICATION, {{0, 8 * KB, 4 * KB}, {1, 0, 8 * KB}}, 2100, TANDEM_MODE_DIRECT}},
    .slot_count = 1,
    .manifests = {{0, 16 * KB, 1 * KB}, {1, 8 * KB, 4 * KB}},
    .journal = {0, 18 * KB, 4 * KB},
    .block_size = 512,
    .buffer_size = 1536,
};

/* The board of the throughput figures: 4 KB sectors, 85 ms to erase one. */
static const struct sim_layout earbud = {
    .name = "earbud",
    .chips = {{.regions = {{0, 4 * KB, 256}},
               .region_count = 1,
               .program_unit = 4,
               .erased = 0xFF,
               .erase_us = 85000,
               .program_ns = 0}},
    .chip_count = 1,
    .slots =
        {{TANDEM_KIND_APPLICATION, {{0, 0x20000, 320 * KB}, {0, 0x70000, 320 * KB}}, 256 * KB, TANDEM_MODE_DIRECT}},
    .slot_count = 1,
    .manifests = {{0, 0x10000, 4 * KB}, {0, 0x11000, 4 * KB}},
    .journal = {0, 0x12000, 8 * KB},
    .block_size = 4096,
    .buffer_size = 16384,
};

/* An image that runs from one place, and its store with a sector to spare. */
static const struct sim_layout swap = {
    .name = "swap",
    .chips = {{.regions = {{0, 1 * KB, 64}},
               .region_count = 1,
               .program_unit = 4,
               .erased = 0xFF,
               .erase_us = 22000,
               .program_ns = 10000}},
    .chip_count = 1,
    .slots = {{TANDEM_KIND_APPLICATION, {{0, 8 * KB, 4 * KB}, {0, 12 * KB, 5 * KB}}, 2200, TANDEM_MODE_SWAP}},
    .slot_count = 1,
    .manifests = {{0, 17 * KB, 1 * KB}, {0, 18 * KB, 1 * KB}},
    .journal = {0, 19 * KB, 2 * KB},
    .block_size = 512,
    .buffer_size = 1088,
};

/* The same from small sectors on the chip to large ones on a serial flash, beside an image that runs from either bank.
 */
static const struct sim_layout swapmix = {
    .name = "swapmix",
    .chips = {{.regions = {{0x8000000, 1 * KB, 48}},
               .region_count = 1,
               .program_unit = 8,
               .erased = 0xFF,
               .erase_us = 22000,
               .program_ns = 10000},
              {.regions = {{0, 4 * KB, 8}},
               .region_count = 1,
               .program_unit = 1,
               .erased = 0xFF,
               .erase_us = 45000,
               .program_ns = 3000}},
    .chip_count = 2,
    .slots = {{TANDEM_KIND_APPLICATION, {{0, 0x8002000, 8 * KB}, {1, 0, 12 * KB}}, 5000, TANDEM_MODE_SWAP},
              {TANDEM_KIND_STACK, {{0, 0x8004000, 2 * KB}, {0, 0x8004800, 2 * KB}}, 900, TANDEM_MODE_DIRECT}},
    .slot_count = 2,
    .manifests = {{0, 0x8005000, 2 * KB}, {1, 12 * KB, 4 * KB}},
    .journal = {0, 0x8006000, 4 * KB},
    .block_size = 512,
    .buffer_size = 1536,
    .verify_policy = TANDEM_VERIFY_ONCE,
};

/* An image that is written over. */
static const struct sim_layout over = {
    .name = "over",
    .chips = {{.regions = {{0, 1 * KB, 64}},
               .region_count = 1,
               .program_unit = 4,
               .erased = 0xFF,
               .erase_us = 22000,
               .program_ns = 10000}},
    .chip_count = 1,
    .slots = {{TANDEM_KIND_APPLICATION, {{0, 8 * KB, 4 * KB}, {0, 12 * KB, 4 * KB}}, 2200, TANDEM_MODE_OVERWRITE}},
    .slot_count = 1,
    .manifests = {{0, 16 * KB, 1 * KB}, {0, 17 * KB, 1 * KB}},
    .journal = {0, 18 * KB, 2 * KB},
    .block_size = 512,
    .buffer_size = 1088,
};

/* An STM32F407 in small: few sectors of many sizes, so that the manifests share the last ones of image and store. */
static const struct sim_layout overtail = {
    .name = "overtail",
    .chips = {{.regions = {{0x8000000, 1 * KB, 4}, {0x8001000, 4 * KB, 1}, {0x8002000, 8 * KB, 7}},
               .region_count = 3,
               .program_unit = 4,
               .erased = 0xFF,
               .erase_us = 250000,
               .program_ns = 4000}},
    .chip_count = 1,
    .slots =
        {{TANDEM_KIND_APPLICATION, {{0, 0x8001000, 26 * KB}, {0, 0x8008000, 30 * KB}}, 6000, TANDEM_MODE_OVERWRITE}},
    .slot_count = 1,
    .manifests = {{0, 0x8007800, 2 * KB}, {0, 0x800F800, 2 * KB}},
    .journal = {0, 0x8000800, 2 * KB},
    .block_size = 512,
    .buffer_size = 1088,
};

/* All three ways in one set. */
static const struct sim_layout trio = {
    .name = "trio",
    .chips = {{.regions = {{0, 512, 96}},
               .region_count = 1,
               .program_unit = 4,
               .erased = 0x00,
               .erase_us = 3000,
               .program_ns = 10000}},
    .chip_count = 1,
    .slots = {{TANDEM_KIND_APPLICATION, {{0, 8 * KB, 2 * KB}, {0, 10 * KB, 3 * KB}}, 1500, TANDEM_MODE_SWAP},
              {TANDEM_KIND_DATA, {{0, 16 * KB, 1 * KB}, {0, 17 * KB, 1 * KB}}, 700, TANDEM_MODE_OVERWRITE},
              {TANDEM_KIND_STACK, {{0, 18 * KB, 1 * KB}, {0, 19 * KB, 1 * KB}}, 600, TANDEM_MODE_DIRECT}},
    .slot_count = 3,
    .manifests = {{0, 20 * KB, 2 * KB}, {0, 22 * KB, 2 * KB}},
    .journal = {0, 24 * KB, 4 * KB},
    .block_size = 512,
    .buffer_size = 1536,
};

/* The smallest of them, for cuts in pairs: two units to exchange, few large program units. */
#define SMALLEST(title, how, store)                                                                               \
    {                                                                                                             \
        .name = title,                                                                                            \
        .chips = {{.regions = {{0, 512, 16}},                                                                     \
                   .region_count = 1,                                                                             \
                   .program_unit = 32,                                                                            \
                   .erased = 0xFF,                                                                                \
                   .erase_us = 22000,                                                                             \
                   .program_ns = 3000}},                                                                          \
        .chip_count = 1, .slots = {{TANDEM_KIND_APPLICATION, {{0, 0, 1 * KB}, {0, 1 * KB, store}}, 620, how}},    \
        .slot_count = 1, .manifests = {{0, 3 * KB, 512}, {0, 3 * KB + 512, 512}}, .journal = {0, 4 * KB, 2 * KB}, \
        .block_size = 512, .buffer_size = 1088,                                                                   \
    }
static const struct sim_layout swap2 = SMALLEST("swap2", TANDEM_MODE_SWAP, 1536);
static const struct sim_layout over2 = SMALLEST("over2", TANDEM_MODE_OVERWRITE, 1 * KB);

/* A bootloader that can be replaced. */
static const struct sim_layout loader = {
    .name = "loader",
    .chips = {{.regions = {{0, 1 * KB, 32}},
               .region_count = 1,
               .program_unit = 4,
               .erased = 0xFF,
               .erase_us = 22000,
               .program_ns = 10000}},
    .chip_count = 1,
    .slots = {{TANDEM_KIND_APPLICATION, {{0, 8 * KB, 3 * KB}, {0, 11 * KB, 3 * KB}}, 1500, TANDEM_MODE_DIRECT},
              {TANDEM_KIND_BOOTLOADER, {{0, 2 * KB, 2 * KB}, {0, 4 * KB, 2 * KB}}, 1600, TANDEM_MODE_LOADER}},
    .slot_count = 2,
    .manifests = {{0, 16 * KB, 1 * KB}, {0, 17 * KB, 1 * KB}},
    .journal = {0, 18 * KB, 2 * KB},
    .block_size = 512,
    .buffer_size = 1088,
    .loaders = 1,
};

/* The same in pages so small that a seal takes three, erased to zero: an STM32L0. Beside it an image that is swapped.
 */
static const struct sim_layout loader128 = {
    .name = "loader128",
    .chips = {{.regions = {{0x8000000, 128, 192}},
               .region_count = 1,
               .program_unit = 4,
               .erased = 0x00,
               .erase_us = 3000,
               .program_ns = 10000}},
    .chip_count = 1,
    .slots = {{TANDEM_KIND_APPLICATION, {{0, 0x8002000, 1 * KB}, {0, 0x8002400, 1 * KB + 128}}, 900, TANDEM_MODE_SWAP},
              {TANDEM_KIND_BOOTLOADER, {{0, 0x8000400, 1 * KB}, {0, 0x8000800, 1 * KB}}, 640, TANDEM_MODE_LOADER}},
    .slot_count = 2,
    .manifests = {{0, 0x8003000, 1 * KB}, {0, 0x8003400, 1 * KB}},
    .journal = {0, 0x8004000, 4 * KB},
    .block_size = 512,
    .buffer_size = 1088,
    .loaders = 2,
    .verify_policy = TANDEM_VERIFY_ONCE,
};

/* Flash words of 32 bytes with ECC, a bootloader that is linked for its copy. */
static const struct sim_layout loader32 = {
    .name = "loader32",
    .chips = {{.regions = {{0x8000000, 4 * KB, 12}},
               .region_count = 1,
               .program_unit = 32,
               .erased = 0xFF,
               .erase_us = 500000,
               .program_ns = 3000}},
    .chip_count = 1,
    .slots = {{TANDEM_KIND_BOOTLOADER, {{0, 0x8001000, 4 * KB}, {0, 0x8002000, 4 * KB}}, 2500, TANDEM_MODE_LOADER},
              {TANDEM_KIND_APPLICATION, {{0, 0x8004000, 4 * KB}, {0, 0x8005000, 4 * KB}}, 2000, TANDEM_MODE_DIRECT}},
    .slot_count = 2,
    .manifests = {{0, 0x8006000, 4 * KB}, {0, 0x8007000, 4 * KB}},
    .journal = {0, 0x8008000, 16 * KB},
    .block_size = 512,
    .buffer_size = 1600,
    .linked = 1,
    .loaders = 2,
};

static const struct sim_layout *const layouts[] = {&tiny,  &duo,    &zero,      &unit16,   &external, &nor4k, &unit32,
                                                   &mixed, &swap,   &swapmix,   &over,     &overtail, &trio,  &swap2,
                                                   &over2, &loader, &loader128, &loader32, &earbud,   NULL};

int sim_layout_is_loader(const struct sim_layout *layout, unsigned slot)
{
    return layout->slots[slot].mode == TANDEM_MODE_LOADER;
}

static int is_moved(const struct sim_slot_plan *plan)
{
    return plan->mode == TANDEM_MODE_SWAP || plan->mode == TANDEM_MODE_OVERWRITE;
}

const struct sim_place *sim_layout_runs(const struct sim_layout *layout, unsigned slot, unsigned bank)
{
    return &layout->slots[slot].banks[is_moved(&layout->slots[slot]) ? 0 : bank];
}

int sim_layout_moved_to(const struct sim_layout *layout, unsigned chip, uint32_t address)
{
    for (unsigned slot = 0; slot < layout->slot_count; slot++) {
        const struct sim_place *place = &layout->slots[slot].banks[0];
        uint32_t first = layout->chip_base[chip] + place->address;

        if (is_moved(&layout->slots[slot]) && place->chip == chip && address >= first && address - first < place->size)
            return 1;
    }
    return 0;
}

int sim_layout_one_way(const struct sim_layout *layout)
{
    for (unsigned slot = 0; slot < layout->slot_count; slot++)
        if (layout->slots[slot].mode == TANDEM_MODE_OVERWRITE)
            return 1;
    return 0;
}

const struct sim_layout *sim_layout_at(unsigned index)
{
#ifdef TANDEM_SIM_LAYOUTS
    return sim_own_layouts[index];
#else
    return layouts[index];
#endif
}

const struct sim_layout *sim_layout_named(const char *name)
{
    const struct sim_layout *layout;

    for (unsigned i = 0; (layout = sim_layout_at(i)) != NULL; i++)
        if (strcmp(layout->name, name) == 0)
            return layout;
    for (unsigned i = 0; layouts[i]; i++)
        if (strcmp(layouts[i]->name, name) == 0)
            return layouts[i];
    return NULL;
}
