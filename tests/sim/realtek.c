/*
 * Power cuts in updates that come as Realtek's apps send them: at every flash
 * operation of the transfer, the switch, the start and its confirmation, torn
 * in every way. After each the old set starts, or the new one, whole; and a
 * fresh update goes in.
 *
 *   sim_realtek [--stride N] [--first K] [--scenario NAME] [--plant bit]
 */
#include "unit/realtek_rig.h"

#define APP TANDEM_KIND_APPLICATION
#define STACK TANDEM_KIND_STACK

struct scenario {
    const char *name;
    uint8_t dialect, ic;
    int check;   /* buffer check */
    int package; /* the payload is a package, and nothing else is taken */
};

static const struct scenario scenarios[] = {
    {"bee2", TANDEM_REALTEK_BEE2, 5, 0, 0},
    {"8752h", TANDEM_REALTEK_8752H, 16, 1, 0},
    {"audio", TANDEM_REALTEK_AUDIO, 11, 1, 0},
    {"package", TANDEM_REALTEK_AUDIO, 11, 0, 1},
};

static struct rig rig;
static struct package packages[2];       /* of the update that is cut, of the one after */
static struct rig_image images[4][2][2]; /* by scenario, update, place */
static int planted;

static const struct rig_way *way_of(const struct scenario *scenario)
{
    static const struct rig_way plain = {240, 0, NULL, 0, 0, 0, 0}, checked = {240, 1, NULL, 0, 0, 0, 0};

    return scenario->check ? &checked : &plain;
}

static unsigned count_of(const struct scenario *scenario)
{
    return scenario->package ? 1 : 2;
}

static void make_images(void)
{
    packages[0] = fixture_package(2);
    packages[1] = fixture_package(3);
    for (unsigned s = 0; s < 4; s++)
        for (unsigned u = 0; u < 2; u++) {
            uint8_t ic = scenarios[s].ic;

            if (scenarios[s].package) {
                images[s][u][0] = rig_image(ic, RIG_APP, packages[u].bytes, packages[u].size, 0);
                continue;
            }
            images[s][u][0] = rig_image(ic, RIG_PATCH, fixture_bytes(40 + u, 1500), 1500, 0);
            images[s][u][1] = rig_image(ic, RIG_APP, fixture_bytes(42 + u, 3000), 3000, 1);
        }
}

/* Send all, switch, restart, confirm. @return 1: it runs */
static int update(const struct scenario *scenario, unsigned which)
{
    const struct rig_image *image = images[scenario - scenarios][which];
    struct tandem_boot boot;

    for (unsigned i = 0; i < count_of(scenario); i++)
        if (rig_send(&rig, &image[i], way_of(scenario)) != 1)
            return 0;
    rig.reboots = 0;
    (void)rig_ask(&rig, "04");
    rig_settle(&rig, 4000);
    for (unsigned i = 0; i < 40 && rig.reboots == 0; i++) {
        rig.ms += 100;
        (void)tandem_realtek_device_poll(&rig.device, rig.ms);
    }
    if (rig.reboots == 0 || fixture_boot(&rig.f, &boot) != TANDEM_OK)
        return 0;
    return fixture_install(&rig.f) == TANDEM_OK && fixture_confirm(&rig.f) == TANDEM_OK;
}

/* The set of update `which` lies whole in a bank. */
static int is_there(const struct scenario *scenario, unsigned which, uint8_t bank)
{
    const struct rig_image *image = images[scenario - scenarios][which];

    if (scenario->package)
        return fixture_holds(&rig.f, bank, APP, &packages[which]) &&
               fixture_holds(&rig.f, bank, STACK, &packages[which]);
    return rig_holds(&rig, bank, STACK, image[0].bytes, image[0].size) &&
           rig_holds(&rig, bank, APP, image[1].bytes, image[1].size) &&
           fixture_holds(&rig.f, bank, TANDEM_KIND_DATA, &rig.old);
}

static int old_is_there(uint8_t bank)
{
    return fixture_holds(&rig.f, bank, APP, &rig.old) && fixture_holds(&rig.f, bank, STACK, &rig.old);
}

static void power_up(void)
{
    struct sim_flash *flash = &rig.f.flash;

    sim_power_return(&rig.f.power, &flash, 1);
    rig.f.power.cut_at = 0;
    flash->violations[SIM_VIOLATION_DEAD] = 0; /* calls after a cut let the code run out */
}

/* What power left, and whether life goes on. */
static int recovers(const struct scenario *scenario)
{
    struct tandem_boot boot;
    uint8_t bank;

    if (fixture_boot(&rig.f, &boot) != TANDEM_OK)
        return 0;
    bank = boot.bank;
    if (planted)
        sim_flash_flip(&rig.f.flash, rig.f.slots[0].areas[bank].address + 100, 3);
    if (!is_there(scenario, 0, bank) && !old_is_there(bank))
        return 0;
    rig_start(&rig);
    if (tandem_install_state(&rig.f.install) == TANDEM_STATE_TRIAL && fixture_confirm(&rig.f) != TANDEM_OK)
        return 0;
    rig_start(&rig);
    if (!update(scenario, 1))
        return 0;
    return fixture_boot(&rig.f, &boot) == TANDEM_OK && is_there(scenario, 1, boot.bank);
}

/* One life with a cut in operation `at` (0: none). @return operations; *good: all held */
static uint64_t live(const struct scenario *scenario, uint64_t at, enum sim_tear tear, int *good)
{
    uint64_t first, ops;

    rig_open(&rig, scenario->dialect, scenario->ic);
    if (scenario->package)
        rig.f.device.allow_unsigned = 0;
    first = rig.f.power.ops;
    rig.f.power.cut_at = at != 0 ? first + at : 0;
    rig.f.power.tear = tear;
    *good = update(scenario, 0) || at != 0;
    ops = rig.f.power.ops - first;
    power_up();
    *good = *good && recovers(scenario) && sim_flash_violations(&rig.f.flash) == 0;
    rig_close(&rig);
    return ops;
}

static unsigned long number_of(int argc, char **argv, const char *name, unsigned long usual)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return strtoul(argv[i + 1], NULL, 10);
    return usual;
}

static int is_wanted(int argc, char **argv, const char *option, const char *name, int usual)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], option) == 0)
            return strcmp(argv[i + 1], name) == 0;
    return usual;
}

int main(int argc, char **argv)
{
    unsigned long stride = number_of(argc, argv, "--stride", 1), from = number_of(argc, argv, "--first", 1);
    unsigned failures = 0;

    planted = is_wanted(argc, argv, "--plant", "bit", 0);
    make_images();
    for (unsigned s = 0; s < 4; s++) {
        unsigned long cuts = 0;
        uint64_t ops;
        int good;

        if (!is_wanted(argc, argv, "--scenario", scenarios[s].name, 1))
            continue;
        ops = live(&scenarios[s], 0, SIM_TEAR_BEFORE, &good);
        if (!good) {
            printf("FAILED sim_realtek --scenario %s: without a cut\n", scenarios[s].name);
            failures++;
        }
        for (uint64_t at = from; at <= ops && failures < 5; at += stride)
            for (unsigned tear = 0; tear < SIM_TEARS && failures < 5; tear++) {
                if (stride > 1 && tear != (at / stride) % SIM_TEARS)
                    continue; /* each in another way */
                (void)live(&scenarios[s], at, (enum sim_tear)tear, &good);
                cuts++;
                if (good)
                    continue;
                printf("FAILED sim_realtek --scenario %s --first %lu: %s\n", scenarios[s].name, (unsigned long)at,
                       sim_tear_text((enum sim_tear)tear));
                failures++;
            }
        printf("%-8s %lu operations, %lu cuts\n", scenarios[s].name, (unsigned long)ops, cuts);
    }
    return rig_failures() != 0 || failures != 0;
}
