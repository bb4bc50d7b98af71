/*
 * Simulated devices: see board.h. An image begins with a few bytes that say
 * which release it is and how it behaves; the rest is random, from its
 * release, slot and bank variant.
 */
#include "board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IMAGE_MAGIC 0x414D4953u /* "SIMA" */
#define IMAGE_HEAD 12
#define POLLS_MAX 400000
#define RESETS_MAX 16

static void *must(void *memory)
{
    if (!memory) {
        fprintf(stderr, "out of memory\n");
        exit(2);
    }
    return memory;
}

static void put32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* ---- keys ---- */

static uint8_t seeds[2][TANDEM_ED25519_KEY_SIZE] = {"the manufacturer's seed", "a stranger's seed"};

const uint8_t *sim_key_public(int stranger)
{
    static uint8_t keys[2][TANDEM_ED25519_KEY_SIZE];
    static int made;

    if (!made) {
        tandem_ed25519_public_key(keys[0], seeds[0]);
        tandem_ed25519_public_key(keys[1], seeds[1]);
        made = 1;
    }
    return keys[stranger ? 1 : 0];
}

static enum tandem_status sign(void *ctx, const uint8_t *message, size_t size, uint8_t *signature)
{
    tandem_ed25519_sign(signature, ctx, message, size);
    return TANDEM_OK;
}

#define MEMO_MESSAGE 64
#define MEMO_SIZE 256

static struct {
    uint8_t signature[TANDEM_SIGNATURE_SIZE];
    uint8_t key[TANDEM_ED25519_KEY_SIZE];
    uint8_t message[MEMO_MESSAGE];
    size_t size;
    enum tandem_status status;
    int used;
} memos[MEMO_SIZE];

static enum tandem_status verify(void *ctx, const uint8_t *signature, const uint8_t *key, const void *message,
                                 size_t size)
{
    unsigned place = (signature[0] ^ signature[33] ^ key[5]) % MEMO_SIZE;
    enum tandem_status status;

    (void)ctx;
    if (size > MEMO_MESSAGE)
        return tandem_ed25519_verify(signature, key, message, size);
    if (memos[place].used && memos[place].size == size && memcmp(memos[place].message, message, size) == 0 &&
        memcmp(memos[place].signature, signature, TANDEM_SIGNATURE_SIZE) == 0 &&
        memcmp(memos[place].key, key, TANDEM_ED25519_KEY_SIZE) == 0)
        return memos[place].status;
    status = tandem_ed25519_verify(signature, key, message, size);
    memcpy(memos[place].signature, signature, TANDEM_SIGNATURE_SIZE);
    memcpy(memos[place].key, key, TANDEM_ED25519_KEY_SIZE);
    memcpy(memos[place].message, message, size);
    memos[place].size = size;
    memos[place].status = status;
    memos[place].used = 1;
    return status;
}

const struct tandem_crypto_port sim_crypto = {.ed25519_verify = verify};

/* ---- releases ---- */

/* A bootloader carries a checksum of its own, so that a start can tell whether it is whole. */
static uint64_t sum_of(const uint8_t *image, uint32_t size)
{
    uint64_t sum = size;

    for (uint32_t i = 0; i < size; i++)
        sum = sim_mix(sum, image[i]);
    return sum;
}

static void make_loader(uint8_t *image, uint32_t size, int bad)
{
    uint64_t sum;

    image[9] = (uint8_t)bad;
    put32(image + IMAGE_HEAD, size);
    sum = sum_of(image, size - 8);
    put32(image + size - 8, (uint32_t)sum);
    put32(image + size - 4, (uint32_t)(sum >> 32));
}

static void make_image(struct sim_release *release, const struct sim_layout *layout, unsigned slot, uint64_t seed)
{
    uint32_t largest = layout->slots[slot].image_size;
    unsigned variants = layout->linked >> slot & 1 ? 2 : 1;

    /* Sizes differ, so that last blocks and last units are of every kind. */
    release->sizes[slot] = largest - (release->spec.number * 137 + slot * 11) % (largest / 3);
    if (slot == 0 && release->spec.image_size)
        release->sizes[slot] = release->spec.image_size;
    for (unsigned variant = 0; variant < variants; variant++) {
        struct sim_rng rng = {sim_mix(seed, slot * 2 + variant)};
        uint8_t *image = must(malloc(release->sizes[slot]));

        sim_random_bytes(&rng, image, release->sizes[slot]);
        put32(image, IMAGE_MAGIC);
        put32(image + 4, release->spec.number);
        image[8] = (uint8_t)slot;
        image[9] = (uint8_t)release->spec.bad;
        image[10] = (uint8_t)variant;
        if (sim_layout_is_loader(layout, slot))
            make_loader(image, release->sizes[slot], release->spec.bad_loader);
        release->images[slot][variant] = image;
    }
    if (variants == 1)
        release->images[slot][1] = release->images[slot][0];
}

static unsigned describe_images(const struct sim_release *release, const struct sim_layout *layout,
                                struct tandem_pack_image *images)
{
    unsigned count = 0;

    for (unsigned slot = 0; slot < layout->slot_count; slot++) {
        unsigned variants = layout->linked >> slot & 1 ? 2 : 1;

        for (unsigned variant = 0; variant < variants && release->kinds >> slot & 1; variant++) {
            struct tandem_pack_image *image = &images[count++];

            memset(image, 0, sizeof *image);
            image->kind = layout->slots[slot].kind;
            image->variant = (uint8_t)(variants == 2 ? variant : TANDEM_VARIANT_ANY);
            image->version = release->version;
            image->data = release->images[slot][variant];
            image->size = release->sizes[slot];
        }
    }
    return count;
}

void sim_release_make(struct sim_release *release, const struct sim_layout *layout, const struct sim_release_spec *spec)
{
    struct tandem_pack_image images[SIM_SLOTS * 2];
    struct tandem_signer signer = {0};
    struct tandem_pack pack = {0};
    struct tandem_manifest manifest;
    enum tandem_status status;

    memset(release, 0, sizeof *release);
    release->spec = *spec;
    release->kinds = spec->kinds ? spec->kinds : (1u << layout->slot_count) - 1;
    release->version.major = (uint16_t)spec->number;
    for (unsigned slot = 0; slot < layout->slot_count; slot++)
        make_image(release, layout, slot, sim_mix(0x7A6D, spec->number));
    pack.vendor = "Example";
    pack.product = "Board";
    pack.version = release->version;
    pack.counter = spec->counter;
    pack.block_size = layout->block_size;
    pack.images = images;
    pack.image_count = (uint8_t)describe_images(release, layout, images);
    signer.ctx = seeds[spec->stranger ? 1 : 0];
    signer.key.type = TANDEM_KEY_ED25519;
    signer.key.key = sim_key_public(spec->stranger);
    signer.sign = sign;
    pack.signers = &signer;
    pack.signer_count = spec->unsigned_ ? 0 : 1;
    status = tandem_pack_size(&pack, &release->size);
    if (!status) {
        release->bytes = must(malloc(release->size));
        status = tandem_pack_write(&pack, NULL, release->bytes, release->size);
    }
    if (!status)
        status = tandem_manifest_parse(&manifest, NULL, release->bytes, release->size);
    if (status) {
        fprintf(stderr, "cannot pack release %u for %s: 0x%02x\n", (unsigned)spec->number, layout->name, status);
        exit(2);
    }
    memcpy(release->id, manifest.id, sizeof release->id);
}

void sim_release_free(struct sim_release *release)
{
    for (unsigned slot = 0; slot < SIM_SLOTS; slot++) {
        if (release->images[slot][1] != release->images[slot][0])
            free(release->images[slot][1]);
        free(release->images[slot][0]);
    }
    free(release->bytes);
}

void sim_set_apply(struct sim_set *set, const struct sim_set *base, const struct sim_release *release)
{
    struct sim_set result = {0};

    result.head = release;
    for (unsigned slot = 0; slot < SIM_SLOTS; slot++)
        result.from[slot] = release->kinds >> slot & 1 ? release : base ? base->from[slot] : NULL;
    *set = result;
}

/* ---- boards ---- */

static uint64_t reads_of(const struct sim_board *board)
{
    return board->chips[0].stats.reads + board->chips[1].stats.reads;
}

static void watchdog(void *ctx)
{
    struct sim_board *board = ctx;
    uint64_t reads = reads_of(board) - board->fed_reads;
    uint64_t ops = board->power.ops - board->fed_ops;

    if (reads > board->hungry_reads)
        board->hungry_reads = reads;
    if (ops > board->hungry_ops)
        board->hungry_ops = ops;
    board->feeds++;
    board->fed_reads = reads_of(board);
    board->fed_ops = board->power.ops;
}

static enum tandem_status reboot(void *ctx)
{
    struct sim_board *board = ctx;

    board->reboot = 1;
    return TANDEM_OK;
}

static enum tandem_status battery(void *ctx, uint8_t *percent)
{
    const struct sim_board *board = ctx;

    *percent = board->battery;
    return TANDEM_OK;
}

static struct tandem_area area_of(struct sim_board *board, const struct tandem_flash_port *const *ports,
                                  const struct sim_place *place)
{
    struct tandem_area area = {0};

    (void)board;
    area.flash = ports[place->chip];
    area.address = place->address;
    area.size = place->size;
    return area;
}

static void describe_device(struct sim_board *board, const struct tandem_flash_port *const *ports)
{
    const struct sim_layout *layout = board->layout;
    struct tandem_device *device = &board->device;

    for (unsigned i = 0; i < layout->slot_count; i++) {
        board->slots[i].kind = layout->slots[i].kind;
        board->slots[i].mode = layout->slots[i].mode;
        for (unsigned bank = 0; bank < 2; bank++)
            board->slots[i].areas[bank] = area_of(board, ports, &layout->slots[i].banks[bank]);
    }
    board->key.type = TANDEM_KEY_ED25519;
    board->key.key = sim_key_public(0);
    board->system.ctx = board;
    board->system.reboot = reboot;
    board->system.battery = battery;
    board->system.watchdog = watchdog;
    device->vendor = "Example";
    device->product = "Board";
    device->hardware = 1;
    device->slots = board->slots;
    device->slot_count = layout->slot_count;
    device->manifests[0] = area_of(board, ports, &layout->manifests[0]);
    device->manifests[1] = area_of(board, ports, &layout->manifests[1]);
    device->journal = area_of(board, ports, &layout->journal);
    device->keys = &board->key;
    device->key_count = 1;
    device->verify_policy = layout->verify_policy;
    device->crypto = &sim_crypto;
    device->system = &board->system;
}

void sim_board_init(struct sim_board *board, const struct sim_layout *layout, int asynchronous, uint64_t seed,
                    const uint64_t *now_us)
{
    const struct tandem_flash_port *ports[SIM_CHIPS] = {NULL, NULL};
    const char *reason = "";

    memset(board, 0, sizeof *board);
    board->layout = layout;
    sim_power_init(&board->power, seed);
    for (unsigned i = 0; i < layout->chip_count; i++) {
        struct sim_flash_spec spec = layout->chips[i];

        if (asynchronous)
            spec.asynchronous = 1;
        sim_flash_init(&board->chips[i], &spec, &board->power, now_us ? now_us : &board->clock_us);
        ports[i] = layout->wrap ? layout->wrap(&board->chips[i]) : &board->chips[i].port;
    }
    describe_device(board, ports);
    board->battery = 100;
    board->buffer = must(malloc(layout->buffer_size));
    if (tandem_device_check(&board->device, &reason) != TANDEM_OK) {
        fprintf(stderr, "layout %s: %s\n", layout->name, reason);
        exit(2);
    }
}

void sim_board_free(struct sim_board *board)
{
    for (unsigned i = 0; i < board->layout->chip_count; i++)
        sim_flash_free(&board->chips[i]);
    free(board->buffer);
}

void sim_board_copy(struct sim_board *to, const struct sim_board *from)
{
    for (unsigned i = 0; i < from->layout->chip_count; i++)
        sim_flash_copy(&to->chips[i], &from->chips[i]);
    to->reboot = 0;
}

uint32_t sim_board_address(const struct sim_board *board, const struct sim_place *place)
{
    return board->layout->chip_base[place->chip] + place->address;
}

/* The end of a copy of the bootloader. Of it only what is not erased was programmed. */
static void put_tail(struct sim_board *board, const struct sim_place *place, const uint8_t *tail)
{
    struct sim_flash *chip = &board->chips[place->chip];
    uint32_t address = sim_board_address(board, place) + place->size - TANDEM_STAGE_TAIL;

    for (uint32_t at = 0; at < TANDEM_STAGE_TAIL; at += 32)
        for (uint32_t i = 0; i < 32; i++)
            if (tail[at + i] != chip->spec.erased) {
                sim_flash_put(chip, address + at, tail + at, 32);
                break;
            }
}

static void put_image(struct sim_board *board, const struct sim_release *release, unsigned slot, unsigned bank)
{
    const struct sim_place *place = &board->layout->slots[slot].banks[bank];
    const uint8_t *image = release->images[slot][bank];
    struct sim_flash *chip = &board->chips[place->chip];
    uint8_t tail[TANDEM_STAGE_TAIL];

    sim_flash_put(chip, sim_board_address(board, place), image, release->sizes[slot]);
    if (sim_layout_is_loader(board->layout, slot) &&
        tandem_loader_tail(tail, image, release->sizes[slot], chip->spec.erased) == TANDEM_OK)
        put_tail(board, place, tail);
}

void sim_board_factory(struct sim_board *board, const struct sim_release *release)
{
    const struct sim_layout *layout = board->layout;
    struct tandem_package_header header;

    for (unsigned slot = 0; slot < layout->slot_count; slot++) {
        put_image(board, release, slot, 0);
        if (sim_layout_is_loader(layout, slot) && layout->loaders == 2)
            put_image(board, release, slot, 1);
    }
    tandem_package_header(&header, release->bytes);
    sim_flash_put(&board->chips[layout->manifests[0].chip], sim_board_address(board, &layout->manifests[0]),
                  release->bytes, header.head_size);
}

/* What a cut leaves in RAM: nothing to rely on. */
static void lose_ram(struct sim_board *board)
{
    struct sim_rng rng = {sim_mix(board->power.rng.state, 0xDEAD)};

    sim_random_bytes(&rng, (uint8_t *)&board->install, sizeof board->install);
    sim_random_bytes(&rng, (uint8_t *)&board->boot, sizeof board->boot);
    memset(board->buffer, (int)(sim_random(&rng) & 0xFF), board->layout->buffer_size);
    memset(board->scratch, (int)(sim_random(&rng) & 0xFF), sizeof board->scratch);
}

static enum tandem_status decide(struct sim_board *board)
{
    enum tandem_status status;

    board->fed_reads = reads_of(board);
    board->fed_ops = board->power.ops;
    status = tandem_boot_decide(&board->boot, &board->device, board->scratch, sizeof board->scratch);
    watchdog(board);
    return status;
}

/* The bytes of a copy of the bootloader, if they are those of one. */
static const uint8_t *loader_at(struct sim_board *board, const struct tandem_slot *loader, uint8_t copy)
{
    unsigned slot = (unsigned)(loader - board->slots);
    const struct sim_place *place = &board->layout->slots[slot].banks[copy];
    const uint8_t *image = sim_flash_at(&board->chips[place->chip], sim_board_address(board, place));
    uint32_t size = get32(image + IMAGE_HEAD);
    uint64_t sum;

    if (get32(image) != IMAGE_MAGIC || image[8] != slot || size < IMAGE_HEAD + 12 || size > place->size)
        return NULL;
    if (board->layout->linked >> slot & 1 && image[10] != copy)
        return NULL;
    sum = sum_of(image, size - 8);
    return get32(image + size - 8) == (uint32_t)sum && get32(image + size - 4) == (uint32_t)(sum >> 32) ? image : NULL;
}

/* First stage, bootloader, firmware; whatever hangs is reset by the watchdog. */
static enum tandem_status reset_to_firmware(struct sim_board *board, const struct tandem_slot *loader)
{
    for (unsigned resets = 0; resets < RESETS_MAX; resets++) {
        uint8_t copy = tandem_stage_choose(loader->areas);
        const uint8_t *image = loader_at(board, loader, copy);
        enum tandem_status status;

        lose_ram(board);
        if (!image)
            return TANDEM_ERROR_DIGEST;
        if (image[9] == 1)
            continue;
        status = decide(board);
        if (tandem_loader_run(&board->device, copy, board->scratch, sizeof board->scratch))
            continue;
        if (status)
            return status;
        if (image[9] == 2)
            continue;
        board->loader = get32(image + 4);
        return tandem_loader_good(&board->device, copy);
    }
    return TANDEM_ERROR_TIMEOUT;
}

enum tandem_status sim_board_start(struct sim_board *board)
{
    const struct tandem_slot *loader = NULL;
    enum tandem_status status;

    for (unsigned slot = 0; slot < board->layout->slot_count; slot++)
        if (sim_layout_is_loader(board->layout, slot))
            loader = &board->slots[slot];
    for (unsigned i = 0; i < board->layout->chip_count; i++)
        board->chips[i].pending.active = 0;
    board->reboot = 0;
    board->loader = 0;
    if (loader) {
        status = reset_to_firmware(board, loader);
    } else {
        lose_ram(board);
        status = decide(board);
    }
    sim_board_settle(board);
    return status;
}

void sim_board_settle(struct sim_board *board)
{
    for (unsigned i = 0; i < board->layout->chip_count; i++) {
        board->clock_us += board->chips[i].stall_us;
        board->chips[i].stall_us = 0;
    }
}

enum tandem_status sim_board_poll(struct sim_board *board)
{
    enum tandem_status status = tandem_install_poll(&board->install);

    sim_board_settle(board);
    board->clock_us += 1000;
    return status;
}

struct sim_place sim_board_image(struct sim_board *board, unsigned slot, unsigned bank)
{
    const struct sim_slot_plan *plan = &board->layout->slots[slot];
    struct tandem_bank opened;
    struct tandem_area area;
    struct sim_place place = plan->banks[bank];

    if (plan->mode == TANDEM_MODE_DIRECT || tandem_bank_open(&opened, &board->device) != TANDEM_OK)
        return place;
    area = tandem_bank_area(&opened, (uint8_t)slot, (uint8_t)bank);
    place.chip = plan->banks[opened.state.home != bank].chip;
    place.address = area.address;
    place.size = area.size;
    return place;
}

struct sim_place sim_board_manifests(struct sim_board *board, unsigned bank)
{
    const struct sim_layout *layout = board->layout;
    struct tandem_bank_state state;

    for (unsigned slot = 0; slot < layout->slot_count; slot++) {
        const struct sim_place *run = &layout->slots[slot].banks[0];

        if (layout->slots[slot].mode == TANDEM_MODE_OVERWRITE && run->chip == layout->manifests[0].chip &&
            run->address + run->size == layout->manifests[0].address && sim_board_state(board, &state) == TANDEM_OK)
            return layout->manifests[state.home != bank];
    }
    return layout->manifests[bank];
}

/* A package may bring a bootloader alone: then only its head tells the sets apart. */
static int holds_head(const struct sim_board *board, uint8_t bank, const struct sim_release *head)
{
    const struct sim_place *place = &board->layout->manifests[bank];
    struct tandem_package_header header;
    unsigned slot = 0;

    while (slot < board->layout->slot_count && !sim_layout_is_loader(board->layout, slot))
        slot++;
    tandem_package_header(&header, head->bytes);
    return slot == board->layout->slot_count ||
           memcmp(sim_flash_at(&board->chips[place->chip], sim_board_address(board, place)), head->bytes,
                  TANDEM_PACKAGE_HEADER_SIZE + header.manifest_size) == 0;
}

int sim_board_holds(const struct sim_board *board, uint8_t bank, const struct sim_set *set)
{
    if (!set->head || !holds_head(board, bank, set->head))
        return 0;
    for (unsigned slot = 0; slot < board->layout->slot_count; slot++) {
        const struct sim_place *place = sim_layout_runs(board->layout, slot, bank);
        const struct sim_release *from = set->from[slot];

        if (sim_layout_is_loader(board->layout, slot))
            continue;
        if (!from || memcmp(sim_flash_at(&board->chips[place->chip], sim_board_address(board, place)),
                            from->images[slot][bank], from->sizes[slot]) != 0)
            return 0;
    }
    return 1;
}

uint32_t sim_board_runs(const struct sim_board *board, int *bad)
{
    const struct sim_place *place =
        sim_layout_runs(board->layout, sim_layout_is_loader(board->layout, 0) ? 1 : 0, board->boot.bank & 1);
    const uint8_t *image = sim_flash_at(&board->chips[place->chip], sim_board_address(board, place));

    *bad = image[9];
    return get32(image) == IMAGE_MAGIC ? get32(image + 4) : 0;
}

uint32_t sim_board_violations(const struct sim_board *board)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i < board->layout->chip_count; i++)
        sum += sim_flash_violations(&board->chips[i]);
    return sum;
}

void sim_board_complain(const struct sim_board *board)
{
    for (unsigned i = 0; i < board->layout->chip_count; i++)
        for (unsigned rule = 0; rule < SIM_VIOLATIONS; rule++)
            if (board->chips[i].violations[rule])
                printf("  chip %u: %s, %u times, last at 0x%x\n", i, sim_violation_text((enum sim_violation)rule),
                       (unsigned)board->chips[i].violations[rule], (unsigned)board->chips[i].violation_address);
}

uint64_t sim_board_hash(const struct sim_board *board, uint64_t seed)
{
    for (unsigned i = 0; i < board->layout->chip_count; i++)
        seed = sim_flash_hash(&board->chips[i], seed);
    return seed;
}

/* ---- updates without a link ---- */

static enum tandem_status feed_loop(struct sim_board *board, const uint8_t *bytes, uint32_t size, struct sim_feed *feed)
{
    for (unsigned polls = 0; polls < POLLS_MAX; polls++) {
        uint32_t wants = tandem_install_wants(&board->install);
        uint32_t limit = tandem_install_limit(&board->install);

        switch (tandem_install_state(&board->install)) {
        case TANDEM_STATE_VALIDATED:
        case TANDEM_STATE_PENDING:
            if (sim_board_poll(board) == TANDEM_OK)
                return TANDEM_OK;
            continue;
        case TANDEM_STATE_FAILED:
            return tandem_install_outcome(&board->install)->status;
        case TANDEM_STATE_RECEIVING:
        case TANDEM_STATE_VALIDATING:
            break;
        default:
            return TANDEM_ERROR_STATE;
        }
        if (wants > feed->reached)
            feed->reached = wants;
        if (limit > size)
            limit = size;
        if (feed->chunk && limit > wants + feed->chunk)
            limit = wants + feed->chunk;
        if (wants < limit) {
            tandem_install_feed(&board->install, wants, bytes + wants, limit - wants);
            feed->sent += limit - wants;
        }
        sim_board_poll(board);
    }
    return TANDEM_ERROR_TIMEOUT;
}

enum tandem_status sim_board_feed_bytes(struct sim_board *board, const uint8_t *bytes, uint32_t size, const uint8_t *id,
                                        int activate, struct sim_feed *feed)
{
    struct sim_feed nothing = {0};
    enum tandem_status status;

    if (!feed)
        feed = &nothing;
    feed->sent = 0;
    status = tandem_install_begin(&board->install, id, size, activate ? 1 : 0);
    sim_board_settle(board);
    if (status)
        return status;
    feed->first = feed->reached = tandem_install_wants(&board->install);
    return feed_loop(board, bytes, size, feed);
}

enum tandem_status sim_board_feed(struct sim_board *board, const struct sim_release *release, int activate,
                                  struct sim_feed *feed)
{
    return sim_board_feed_bytes(board, release->bytes, release->size, release->id, activate, feed);
}

static enum tandem_status open_installer(struct sim_board *board)
{
    enum tandem_status status =
        tandem_install_init(&board->install, &board->device, board->buffer, board->layout->buffer_size);

    sim_board_settle(board);
    return status;
}

/* Leave a trial: good firmware confirms itself, bad firmware is started until the bootloader has had enough. */
static enum tandem_status leave_trial(struct sim_board *board)
{
    enum tandem_status status = TANDEM_OK;
    int bad;

    for (unsigned starts = 0; starts < 10; starts++) {
        status = open_installer(board);
        if (status || tandem_install_state(&board->install) != TANDEM_STATE_TRIAL)
            return status;
        sim_board_runs(board, &bad);
        if (!bad) {
            status = tandem_install_confirm(&board->install);
            sim_board_settle(board);
            return status;
        }
        status = sim_board_start(board);
        if (status)
            return status;
    }
    return TANDEM_ERROR_TIMEOUT;
}

enum tandem_status sim_board_update(struct sim_board *board, const struct sim_release *release)
{
    enum tandem_status status = leave_trial(board);

    if (!status)
        status = open_installer(board);
    if (!status)
        status = sim_board_feed(board, release, 1, NULL);
    if (!status)
        status = sim_board_start(board);
    if (!status && board->boot.reason != TANDEM_BOOT_TRIAL)
        status = board->boot.status ? board->boot.status : TANDEM_ERROR_STATE;
    if (!status)
        status = open_installer(board);
    if (!status)
        status = tandem_install_confirm(&board->install);
    sim_board_settle(board);
    return status;
}

enum tandem_status sim_board_state(struct sim_board *board, struct tandem_bank_state *state)
{
    struct tandem_bank bank;
    enum tandem_status status = tandem_bank_open(&bank, &board->device);

    *state = bank.state;
    return status;
}
