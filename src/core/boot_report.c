/*
 * The boot report and the request for recovery, in RAM that a reset leaves
 * alone. A magic number and a checksum tell them from what RAM holds by itself.
 */
#include "tandem/boot_report.h"

#include <string.h>

#include "core/bytes.h"
#include "tandem/crypto.h"

/* magic u32, starts u32, restarts u32, reason, status, recovery, bank and loader, version, CRC-32 of all before */
#define MAGIC 0x52424454u /* "TDBR" */
#define AT_STARTS 4
#define AT_RESTARTS 8
#define AT_REASON 12
#define AT_STATUS 13
#define AT_RECOVERY 14
#define AT_BANK 15
#define AT_VERSION 16
#define AT_CRC (AT_VERSION + TANDEM_VERSION_WIRE_SIZE)

#define REQUEST 0x51524454u /* "TDRQ", and its complement behind it */

static uint32_t checksum(const uint8_t *memory)
{
    return ~tandem_crc32(TANDEM_CRC32_START, memory, AT_CRC);
}

enum tandem_status tandem_boot_report_load(struct tandem_boot_report *report,
                                           const uint8_t memory[TANDEM_BOOT_REPORT_SIZE])
{
    memset(report, 0, sizeof *report);
    if (tandem_load_le32(memory) != MAGIC || tandem_load_le32(memory + AT_CRC) != checksum(memory))
        return TANDEM_ERROR_NOTHING;
    report->starts = tandem_load_le32(memory + AT_STARTS);
    report->restarts = tandem_load_le32(memory + AT_RESTARTS);
    report->reason = (enum tandem_boot_reason)memory[AT_REASON];
    report->status = (enum tandem_status)memory[AT_STATUS];
    report->recovery = (enum tandem_recovery_cause)memory[AT_RECOVERY];
    report->bank = memory[AT_BANK] & 1;
    report->loader = memory[AT_BANK] >> 1 & 1;
    tandem_version_load(&report->version, memory + AT_VERSION);
    return TANDEM_OK;
}

void tandem_boot_report_store(uint8_t memory[TANDEM_BOOT_REPORT_SIZE], const struct tandem_boot *boot,
                              enum tandem_recovery_cause recovery)
{
    struct tandem_boot_report last;
    (void)tandem_boot_report_load(&last, memory); /* none: this is the first start */
    tandem_store_le32(memory, MAGIC);
    tandem_store_le32(memory + AT_STARTS, last.starts + 1);
    tandem_store_le32(memory + AT_RESTARTS, recovery == TANDEM_RECOVERY_NOT ? last.restarts + 1 : 0);
    memory[AT_REASON] = (uint8_t)boot->reason;
    memory[AT_STATUS] = (uint8_t)boot->status;
    memory[AT_RECOVERY] = (uint8_t)recovery;
    memory[AT_BANK] = (uint8_t)(boot->bank | boot->loader << 1);
    tandem_version_store(&boot->version, memory + AT_VERSION);
    tandem_store_le32(memory + AT_CRC, checksum(memory));
}

void tandem_boot_report_well(uint8_t memory[TANDEM_BOOT_REPORT_SIZE])
{
    struct tandem_boot_report report;
    if (tandem_boot_report_load(&report, memory) != TANDEM_OK)
        return;
    tandem_store_le32(memory + AT_RESTARTS, 0);
    tandem_store_le32(memory + AT_CRC, checksum(memory));
}

void tandem_boot_request_store(uint8_t memory[TANDEM_BOOT_REQUEST_SIZE])
{
    tandem_store_le32(memory, REQUEST);
    tandem_store_le32(memory + 4, ~REQUEST);
}

int tandem_boot_request_take(uint8_t memory[TANDEM_BOOT_REQUEST_SIZE])
{
    int asked = tandem_load_le32(memory) == REQUEST && tandem_load_le32(memory + 4) == (uint32_t)~REQUEST;
    memset(memory, 0, TANDEM_BOOT_REQUEST_SIZE);
    return asked;
}
