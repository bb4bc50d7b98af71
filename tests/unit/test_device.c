/*
 * The check of a device's description: good layouts pass, and each fault is
 * named in words.
 */
#include "check.h"
#include "core/journal.h"
#include "fixture.h"

/* A device to break: bank 0 and 1 in 128 KB sectors with manifests in their tails, a journal in 16 KB sectors. */
struct bench {
    struct tandem_flash_region regions[3];
    struct tandem_flash_port flash;
    struct tandem_slot slots[3];
    struct tandem_key keys[33];
    struct tandem_device device;
};

static enum tandem_status no_read(void *ctx, uint32_t address, void *data, size_t size)
{
    (void)ctx;
    (void)address;
    (void)data;
    (void)size;
    return TANDEM_ERROR_FLASH;
}

static enum tandem_status no_program(void *ctx, uint32_t address, const void *data, size_t size)
{
    (void)ctx;
    (void)address;
    (void)data;
    (void)size;
    return TANDEM_ERROR_FLASH;
}

static enum tandem_status no_erase(void *ctx, uint32_t address)
{
    (void)ctx;
    (void)address;
    return TANDEM_ERROR_FLASH;
}

#define KB 1024u
#define BASE 0x08000000u

static struct tandem_area area(struct bench *bench, uint32_t address, uint32_t size)
{
    struct tandem_area made = {&bench->flash, address, size};
    return made;
}

/* 4 × 16 KB, 1 × 64 KB, 7 × 128 KB, as on an STM32F4. */
static void good(struct bench *bench)
{
    static const struct tandem_flash_region regions[3] = {
        {BASE, 16 * KB, 4}, {BASE + 64 * KB, 64 * KB, 1}, {BASE + 128 * KB, 128 * KB, 7}};
    memset(bench, 0, sizeof *bench);
    memcpy(bench->regions, regions, sizeof regions);
    bench->flash.read = no_read;
    bench->flash.program = no_program;
    bench->flash.erase = no_erase;
    bench->flash.regions = bench->regions;
    bench->flash.region_count = 3;
    bench->flash.program_unit = 4;
    bench->flash.erased = 0xFF;
    for (unsigned i = 0; i < 33; i++)
        bench->keys[i] = *fixture_key(0);
    bench->slots[0].kind = TANDEM_KIND_APPLICATION;
    bench->slots[0].areas[0] = area(bench, BASE + 128 * KB, 256 * KB - 2 * KB);
    bench->slots[0].areas[1] = area(bench, BASE + 384 * KB, 256 * KB - 2 * KB);
    bench->slots[1].kind = TANDEM_KIND_STACK;
    bench->slots[1].areas[0] = area(bench, BASE + 640 * KB, 128 * KB);
    bench->slots[1].areas[1] = area(bench, BASE + 768 * KB, 128 * KB);
    bench->device.vendor = "Acme";
    bench->device.product = "Bud";
    bench->device.slots = bench->slots;
    bench->device.slot_count = 2;
    bench->device.manifests[0] = area(bench, BASE + 384 * KB - 2 * KB, 2 * KB);
    bench->device.manifests[1] = area(bench, BASE + 640 * KB - 2 * KB, 2 * KB);
    bench->device.journal = area(bench, BASE + 16 * KB, 32 * KB);
    bench->device.keys = bench->keys;
    bench->device.key_count = 1;
}

static void expect(const struct bench *bench, enum tandem_status status, const char *part, const char *what)
{
    const char *reason = NULL;
    CHECK_EQUAL(tandem_device_check(&bench->device, &reason), status);
    CHECK_EQUAL(tandem_device_check(&bench->device, NULL), status);
    if (!CHECK(reason != NULL && strstr(reason, part) != NULL && (*part != '\0' || *reason == '\0')))
        fprintf(stderr, "  %s: \"%s\", should speak of \"%s\"\n", what, reason, part);
}

/* Break one thing, expect one reason. */
#define FAULT(change, status, part)        \
    do {                                   \
        good(&b);                          \
        change;                            \
        expect(&b, status, part, #change); \
    } while (0)
#define LAYOUT(change, part) FAULT(change, TANDEM_ERROR_LAYOUT, part)
#define GOOD(change) FAULT(change, TANDEM_OK, "")

static void good_layouts(void)
{
    struct bench b;
    GOOD(;);
    /* Manifests in sectors of their own. */
    GOOD((b.device.manifests[0] = area(&b, BASE, 16 * KB), b.slots[0].areas[0].size += 2 * KB));
    /* A slot over sectors of different sizes. */
    GOOD((b.slots[1].areas[0] = area(&b, BASE + 48 * KB, 80 * KB)));
    /* One optional slot more, on a second flash. */
    static const struct tandem_flash_region small[1] = {{0, 512, 8}};
    struct tandem_flash_port second;
    GOOD((second = b.flash, second.regions = small, second.region_count = 1, second.program_unit = 32,
          second.erased = 0x00, b.device.slot_count = 3, b.slots[2].kind = 0x80,
          b.slots[2].areas[0] = area(&b, 0, 2048), b.slots[2].areas[1] = area(&b, 2048, 2048),
          b.slots[2].areas[0].flash = b.slots[2].areas[1].flash = &second));
    /* A map with a hole in it. */
    GOOD((b.regions[2].address += 128 * KB, b.regions[2].count = 6, b.slots[0].areas[0].address += 128 * KB,
          b.slots[0].areas[1].address += 128 * KB, b.slots[1].areas[0].address += 128 * KB,
          b.slots[1].areas[1].address += 128 * KB, b.device.manifests[0].address += 128 * KB,
          b.device.manifests[1].address += 128 * KB));
    /* A manifest area of more than a sector, from inside one on. */
    GOOD((b.slots[1].areas[0] = area(&b, BASE, 16 * KB), b.device.manifests[1].size += 128 * KB));
    GOOD(b.device.key_count = 32);
    GOOD((b.device.key_count = 0, b.device.allow_unsigned = 1));
    GOOD((b.device.key_count = 2, b.device.signatures_needed = 2));
    GOOD(b.flash.erased = 0x00);
}

static void names_and_keys(void)
{
    struct bench b;
    FAULT(b.device.vendor = NULL, TANDEM_ERROR_ARGUMENT, "names");
    FAULT(b.device.vendor = "", TANDEM_ERROR_ARGUMENT, "names");
    FAULT(b.device.product = NULL, TANDEM_ERROR_ARGUMENT, "names");
    FAULT(b.device.product = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", TANDEM_ERROR_ARGUMENT, "names");
    GOOD(b.device.product = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    FAULT(b.device.slots = NULL, TANDEM_ERROR_ARGUMENT, "slots");
    FAULT(b.device.slot_count = 0, TANDEM_ERROR_ARGUMENT, "slots");
    FAULT(b.device.slot_count = TANDEM_CONFIG_MAX_IMAGES + 1, TANDEM_ERROR_ARGUMENT, "slots");
    FAULT(b.device.keys = NULL, TANDEM_ERROR_ARGUMENT, "keys");
    FAULT(b.device.key_count = 33, TANDEM_ERROR_ARGUMENT, "keys");
    FAULT(b.device.key_count = 0, TANDEM_ERROR_ARGUMENT, "fewer trusted keys");
    FAULT(b.device.signatures_needed = 2, TANDEM_ERROR_ARGUMENT, "fewer trusted keys");
}

static void flash_ports(void)
{
    struct bench b;
    LAYOUT(b.slots[0].areas[0].flash = NULL, "lacks a function");
    LAYOUT((b.slots[0].areas[1].size += 2 * KB, b.device.manifests[1].flash = NULL), "lacks a function");
    LAYOUT(b.device.journal.flash = NULL, "lacks a function");
    LAYOUT(b.flash.read = NULL, "lacks a function");
    LAYOUT(b.flash.program = NULL, "lacks a function");
    LAYOUT(b.flash.erase = NULL, "lacks a function");
    LAYOUT(b.flash.regions = NULL, "lacks a function");
    LAYOUT(b.flash.region_count = 0, "lacks a function");
    LAYOUT(b.flash.program_unit = 0, "program unit");
    LAYOUT(b.flash.program_unit = 3, "program unit");
    LAYOUT(b.flash.program_unit = 64, "program unit");
    LAYOUT(b.flash.erased = 0xF0, "erased byte");
    LAYOUT(b.regions[1].sector_size = 0, "whole program units");
    LAYOUT(b.regions[2].count = 0, "whole program units");
    LAYOUT(b.regions[0].sector_size = 16 * KB + 2, "whole program units");
    LAYOUT(b.regions[1].address -= 4, "ascending");
    LAYOUT(b.regions[2].address = 0, "ascending");
    LAYOUT(b.regions[2].count = 0x8000, "32 bits");
}

static void areas(void)
{
    struct bench b;
    LAYOUT(b.slots[1].areas[0].size = 0, "empty");
    LAYOUT(b.slots[1].areas[0].size = 0xFFFFFFFFu - BASE, "empty or too large");
    LAYOUT(b.slots[1].areas[0].address = BASE + 4096 * KB, "outside its flash");
    LAYOUT(b.slots[1].areas[0].address = 0, "outside its flash");
    LAYOUT(b.slots[1].areas[1].size = 512 * KB, "outside its flash");
    LAYOUT(b.slots[1].areas[0].address += 4, "begin on a sector border");
    LAYOUT(b.slots[1].areas[0].size -= 4, "end on a sector border");
    LAYOUT(b.slots[0].areas[0].size -= 4, "end on a sector border");
    LAYOUT(b.slots[0].kind = 0, "no kind");
    LAYOUT(b.slots[1].mode = 9, "mode");
    LAYOUT(b.slots[1].kind = TANDEM_KIND_APPLICATION, "same kind");
    LAYOUT(b.slots[1].areas[1] = b.slots[1].areas[0], "slots overlap");
    LAYOUT(b.slots[1].areas[0] = area(&b, BASE + 128 * KB, 128 * KB), "slots overlap");
    /* A hole inside an area. */
    LAYOUT((b.regions[1].address = BASE + 80 * KB, b.regions[1].sector_size = 16 * KB,
            b.slots[1].areas[0] = area(&b, BASE + 48 * KB, 48 * KB)),
           "outside its flash");
}

/* Where a swapped slot runs and its store, on a flash of its own. */
static void give_second(struct bench *b, struct tandem_flash_port *second, const struct tandem_flash_region *regions,
                        uint8_t count, struct tandem_area run, struct tandem_area store)
{
    *second = b->flash;
    second->regions = regions;
    second->region_count = count;
    b->slots[1].mode = TANDEM_MODE_SWAP;
    b->slots[1].areas[0] = run;
    b->slots[1].areas[1] = store;
    b->slots[1].areas[0].flash = b->slots[1].areas[1].flash = second;
}

/* Images that run from one place only. */
static void modes(void)
{
    static const struct tandem_flash_region even[2] = {{0, 512, 8}, {4 * KB, 2 * KB, 8}};
    static const struct tandem_flash_region odd[3] = {{0, 512, 1}, {512, 1 * KB, 1}, {1536, 512, 13}};
    struct tandem_flash_port second;
    struct bench b;
    /* Written over: with manifests in the tails of both areas, or of neither. */
    GOOD(b.slots[0].mode = TANDEM_MODE_OVERWRITE);
    GOOD((b.slots[0].mode = TANDEM_MODE_OVERWRITE, b.slots[0].areas[0].size += 2 * KB,
          b.slots[0].areas[1].size += 2 * KB, b.device.manifests[0] = area(&b, BASE, 16 * KB),
          b.device.manifests[1] = area(&b, BASE + 48 * KB, 16 * KB)));
    GOOD(b.slots[1].mode = TANDEM_MODE_OVERWRITE);
    LAYOUT((b.slots[0].mode = TANDEM_MODE_OVERWRITE, b.slots[0].areas[0].size += 2 * KB,
            b.device.manifests[0] = area(&b, BASE, 16 * KB)),
           "only one of an overwritten slot's areas");
    LAYOUT((b.slots[0].mode = TANDEM_MODE_OVERWRITE, b.slots[0].areas[1].size += 2 * KB,
            b.device.manifests[1] = area(&b, BASE, 16 * KB)),
           "only one of an overwritten slot's areas");
    /* Swapped: in whole units, with one to spare in the store. */
    GOOD((b.slots[1].mode = TANDEM_MODE_SWAP, b.slots[1].areas[1].size += 128 * KB));
    LAYOUT(b.slots[1].mode = TANDEM_MODE_SWAP, "no unit to spare");
    LAYOUT(b.slots[0].mode = TANDEM_MODE_SWAP, "end on a sector border"); /* a manifest cannot be in its tail */
    LAYOUT((b.slots[1].mode = TANDEM_MODE_SWAP, b.slots[1].areas[1].size += 128 * KB,
            b.slots[1].areas[0] = area(&b, BASE + 64 * KB, 64 * KB)),
           "not whole units");
    LAYOUT((b.slots[1].mode = TANDEM_MODE_SWAP, b.slots[1].areas[0].size += 128 * KB,
            b.slots[1].areas[1] = area(&b, BASE + 48 * KB, 80 * KB)),
           "not whole units");
    /* Four small sectors to one large one, either way; what is too large for the other area is not used. */
    GOOD(give_second(&b, &second, even, 2, area(&b, 0, 4 * KB), area(&b, 4 * KB, 6 * KB)));
    GOOD(give_second(&b, &second, even, 2, area(&b, 4 * KB, 2 * KB), area(&b, 0, 4 * KB)));
    GOOD(give_second(&b, &second, even, 2, area(&b, 4 * KB, 8 * KB), area(&b, 0, 4 * KB)));
    LAYOUT(give_second(&b, &second, even, 2, area(&b, 0, 3 * KB), area(&b, 4 * KB, 6 * KB)), "not whole units");
    LAYOUT(give_second(&b, &second, even, 2, area(&b, 4 * KB, 6 * KB), area(&b, 0, 2 * KB)), "no unit to spare");
    /* A sector that lies across two units. */
    LAYOUT(give_second(&b, &second, odd, 3, area(&b, 0, 2 * KB), area(&b, 2 * KB, 3 * KB)), "not whole units");
    GOOD(give_second(&b, &second, odd, 3, area(&b, 2 * KB, 2 * KB), area(&b, 4 * KB, 3 * KB)));
}

static void manifests(void)
{
    struct bench b;
    LAYOUT((b.device.manifests[0].address -= 2, b.device.manifests[0].size += 2, b.slots[0].areas[0].size -= 2),
           "program unit");
    LAYOUT(b.slots[0].areas[0].size = 128 * KB, "that is not its bank's");
    LAYOUT((b.device.manifests[0] = area(&b, BASE + 8 * KB, 8 * KB), b.slots[0].areas[0].size += 2 * KB),
           "that is not its bank's");
    LAYOUT((b.slots[0].areas[0].size += 2 * KB, b.device.manifests[0] = area(&b, BASE + 640 * KB, 128 * KB)),
           "overlaps something");
    LAYOUT((b.slots[0].areas[1].size += 2 * KB, b.slots[0].areas[0].size += 2 * KB,
            b.device.manifests[0] = b.device.manifests[1] = area(&b, BASE, 16 * KB)),
           "overlaps something");
    /* The sector that the manifest begins in is the other bank's. */
    LAYOUT((b.slots[0].areas[0].size = 128 * KB, b.slots[1].areas[1] = area(&b, BASE + 256 * KB, 128 * KB)),
           "shares a sector with the other bank");
}

static void journals(void)
{
    struct bench b;
    LAYOUT(b.device.journal.address += 4, "begin on a sector border");
    LAYOUT(b.device.journal.size -= 4, "end on a sector border");
    LAYOUT(b.device.journal.size = 16 * KB, "too small");
    LAYOUT((b.device.journal = area(&b, BASE + 48 * KB, 80 * KB)), "not of one size");
    LAYOUT((b.regions[0].sector_size = 512, b.regions[0].count = 128, b.device.journal = area(&b, BASE, 1024)),
           "too small");
    GOOD((b.regions[0].sector_size = 512, b.regions[0].count = 128, b.device.journal = area(&b, BASE, 2048)));
    LAYOUT((b.device.journal = area(&b, BASE + 640 * KB, 256 * KB)), "the journal overlaps");
    LAYOUT((b.device.manifests[0] = area(&b, BASE + 16 * KB, 16 * KB), b.slots[0].areas[0].size += 2 * KB),
           "the journal overlaps");
    LAYOUT((b.device.manifests[1] = area(&b, BASE + 32 * KB, 16 * KB), b.slots[0].areas[1].size += 2 * KB),
           "the journal overlaps");
}

/* The least journal for each program unit: twice the least half, no less. */
static void journal_sizes(void)
{
    for (uint8_t unit = 1; unit <= 32; unit = (uint8_t)(unit * 2)) {
        struct bench b;
        uint32_t half = JOURNAL_HALF_MIN;
        good(&b);
        b.flash.program_unit = unit;
        b.regions[0].sector_size = half;
        b.regions[0].count = 3;
        b.device.journal = area(&b, BASE, 2 * half);
        expect(&b, TANDEM_OK, "", "least journal");
        b.regions[0].sector_size = half - 32;
        b.device.journal = area(&b, BASE, 2 * half - 64);
        expect(&b, TANDEM_ERROR_LAYOUT, "too small", "less");
        b.device.journal = area(&b, BASE, 3 * (half - 32));
        expect(&b, TANDEM_ERROR_LAYOUT, "too small", "an odd sector does not help");
    }
}

/* What the tests of the other rooms use is sound. */
static void fixtures(void)
{
    for (unsigned unit = 1; unit <= 32; unit *= 2) {
        struct fixture f;
        struct fixture_options options = {1024, (uint8_t)unit, 0, 0, 0};
        const char *reason;
        fixture_open(&f, &options);
        if (!CHECK_EQUAL(tandem_device_check(&f.device, &reason), TANDEM_OK))
            fprintf(stderr, "  %s\n", reason);
        fixture_close(&f);
    }
}

int main(void)
{
    RUN(good_layouts);
    RUN(names_and_keys);
    RUN(flash_ports);
    RUN(areas);
    RUN(modes);
    RUN(manifests);
    RUN(journals);
    RUN(journal_sizes);
    RUN(fixtures);
    return check_report();
}
