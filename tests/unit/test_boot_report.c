/*
 * The boot report and the request for recovery, in RAM that may hold anything.
 */
#include "check.h"
#include "sim/rng.h"
#include "tandem/boot_report.h"

static const struct tandem_boot decided = {
    .bank = 1, .reason = TANDEM_BOOT_FALLBACK, .status = TANDEM_ERROR_DIGEST, .version = {2, 1, 70000, 9}};

static int is_empty(const struct tandem_boot_report *report)
{
    return report->reason == TANDEM_BOOT_NONE && report->status == TANDEM_OK && report->bank == 0 &&
           report->recovery == TANDEM_RECOVERY_NOT && report->starts == 0 && report->restarts == 0 &&
           report->version.major == 0;
}

static void store_and_load(void)
{
    uint8_t memory[TANDEM_BOOT_REPORT_SIZE + 2];
    struct tandem_boot_report report;
    memset(memory, 0xA5, sizeof memory);
    tandem_boot_report_store(memory + 1, &decided, TANDEM_RECOVERY_PIN);
    CHECK_EQUAL(tandem_boot_report_load(&report, memory + 1), TANDEM_OK);
    CHECK_EQUAL(report.reason, TANDEM_BOOT_FALLBACK);
    CHECK_EQUAL(report.status, TANDEM_ERROR_DIGEST);
    CHECK_EQUAL(report.recovery, TANDEM_RECOVERY_PIN);
    CHECK_EQUAL(report.bank, 1);
    CHECK_EQUAL(report.starts, 1);
    CHECK(tandem_version_compare(&report.version, &decided.version) == 0);
    CHECK(memory[0] == 0xA5 && memory[TANDEM_BOOT_REPORT_SIZE + 1] == 0xA5);
    CHECK_BYTES(memory + 1, "TDBR", 4);
}

/* The count goes on over resets, and begins anew when RAM lost it. */
static void starts(void)
{
    uint8_t memory[TANDEM_BOOT_REPORT_SIZE] = {0};
    struct tandem_boot_report report;
    for (uint32_t n = 1; n < 300; n++) {
        tandem_boot_report_store(memory, &decided, TANDEM_RECOVERY_NOT);
        CHECK_EQUAL(tandem_boot_report_load(&report, memory), TANDEM_OK);
        CHECK_EQUAL(report.starts, n);
    }
    memory[4] ^= 1;
    tandem_boot_report_store(memory, &decided, TANDEM_RECOVERY_NOT);
    CHECK_EQUAL(tandem_boot_report_load(&report, memory), TANDEM_OK);
    CHECK_EQUAL(report.starts, 1);
}

/* Restarts in a row: until somebody is well, or recovery had its turn. */
static void restarts(void)
{
    uint8_t memory[TANDEM_BOOT_REPORT_SIZE] = {0};
    struct tandem_boot_report report;
    tandem_boot_report_well(memory); /* nothing there, nothing done */
    CHECK_EQUAL(tandem_boot_report_load(&report, memory), TANDEM_ERROR_NOTHING);
    for (uint32_t n = 1; n <= 30; n++) {
        tandem_boot_report_store(memory, &decided, n % 10 == 0 ? TANDEM_RECOVERY_RESTARTS : TANDEM_RECOVERY_NOT);
        CHECK_EQUAL(tandem_boot_report_load(&report, memory), TANDEM_OK);
        CHECK_EQUAL(report.restarts, n % 10);
        CHECK_EQUAL(report.starts, n);
    }
    for (uint32_t n = 1; n <= 5; n++) {
        tandem_boot_report_store(memory, &decided, TANDEM_RECOVERY_NOT);
        tandem_boot_report_store(memory, &decided, TANDEM_RECOVERY_NOT);
        tandem_boot_report_well(memory);
        CHECK_EQUAL(tandem_boot_report_load(&report, memory), TANDEM_OK);
        CHECK_EQUAL(report.restarts, 0);
        CHECK_EQUAL(report.starts, 30 + 2 * n);
        CHECK_EQUAL(report.reason, TANDEM_BOOT_FALLBACK);
    }
}

/* Every bit counts. */
static void damage(void)
{
    uint8_t memory[TANDEM_BOOT_REPORT_SIZE];
    struct tandem_boot_report report;
    memset(memory, 0, sizeof memory);
    tandem_boot_report_store(memory, &decided, TANDEM_RECOVERY_NOT);
    for (unsigned bit = 0; bit < 8 * sizeof memory; bit++) {
        memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
        memset(&report, 0x5A, sizeof report);
        CHECK_EQUAL(tandem_boot_report_load(&report, memory), TANDEM_ERROR_NOTHING);
        CHECK(is_empty(&report));
        memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CHECK_EQUAL(tandem_boot_report_load(&report, memory), TANDEM_OK);
}

static void noise(void)
{
    uint8_t memory[TANDEM_BOOT_REPORT_SIZE];
    struct tandem_boot_report report;
    struct sim_rng rng = {1};
    for (unsigned i = 0; i < 10000; i++) {
        sim_random_bytes(&rng, memory, sizeof memory);
        CHECK_EQUAL(tandem_boot_report_load(&report, memory), TANDEM_ERROR_NOTHING);
        CHECK_EQUAL(tandem_boot_request_take(memory), 0);
    }
    memset(memory, 0x00, sizeof memory);
    CHECK_EQUAL(tandem_boot_report_load(&report, memory), TANDEM_ERROR_NOTHING);
    CHECK_EQUAL(tandem_boot_request_take(memory), 0);
    memset(memory, 0xFF, sizeof memory);
    CHECK_EQUAL(tandem_boot_report_load(&report, memory), TANDEM_ERROR_NOTHING);
    CHECK_EQUAL(tandem_boot_request_take(memory), 0);
}

/* A request counts once, and only whole. */
static void request(void)
{
    uint8_t memory[TANDEM_BOOT_REQUEST_SIZE + 2];
    memset(memory, 0xA5, sizeof memory);
    tandem_boot_request_store(memory + 1);
    CHECK_EQUAL(tandem_boot_request_take(memory + 1), 1);
    CHECK_EQUAL(tandem_boot_request_take(memory + 1), 0);
    for (unsigned bit = 0; bit < 8 * TANDEM_BOOT_REQUEST_SIZE; bit++) {
        tandem_boot_request_store(memory + 1);
        memory[1 + bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK_EQUAL(tandem_boot_request_take(memory + 1), 0);
        CHECK_EQUAL(tandem_boot_request_take(memory + 1), 0);
    }
    CHECK(memory[0] == 0xA5 && memory[TANDEM_BOOT_REQUEST_SIZE + 1] == 0xA5);
}

static void texts(void)
{
    for (unsigned cause = TANDEM_RECOVERY_NOT; cause <= TANDEM_RECOVERY_RESTARTS; cause++)
        CHECK(strcmp(tandem_recovery_cause_text((enum tandem_recovery_cause)cause), "unknown cause") != 0);
    CHECK(strcmp(tandem_recovery_cause_text((enum tandem_recovery_cause)99), "unknown cause") == 0);
}

int main(void)
{
    RUN(store_and_load);
    RUN(starts);
    RUN(restarts);
    RUN(damage);
    RUN(noise);
    RUN(request);
    RUN(texts);
    return check_report();
}
