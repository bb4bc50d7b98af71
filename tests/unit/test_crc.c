/*
 * Checksums: the check values of the CRC RevEng catalogue, and both builds of
 * the code against each other.
 */
#include "check.h"
#include "tandem/crypto.h"

/* The build with tables, under names of its own, beside the library's. */
#undef TANDEM_CONFIG_CRC_TABLE
#define TANDEM_CONFIG_CRC_TABLE 1
#define tandem_crc16 table_crc16
#define tandem_crc16_reflected table_crc16_reflected
#define tandem_crc32 table_crc32
uint16_t table_crc16(uint16_t crc, const void *data, size_t size);
uint16_t table_crc16_reflected(uint16_t crc, const void *data, size_t size);
uint32_t table_crc32(uint32_t crc, const void *data, size_t size);
#include "core/crc.c"
#undef tandem_crc16
#undef tandem_crc16_reflected
#undef tandem_crc32

static const char digits[] = "123456789";

static void test_catalogue(void)
{
    CHECK_EQUAL(tandem_crc16(TANDEM_CRC16_CCITT_START, digits, 9), 0x29B1);             /* CRC-16/IBM-3740 */
    CHECK_EQUAL(tandem_crc16(TANDEM_CRC16_XMODEM_START, digits, 9), 0x31C3);            /* CRC-16/XMODEM */
    CHECK_EQUAL(tandem_crc16(0x1D0F, digits, 9), 0xE5CC);                               /* CRC-16/SPI-FUJITSU */
    CHECK_EQUAL(tandem_crc16(0xFFFF, digits, 9) ^ 0xFFFF, 0xD64E);                      /* CRC-16/GENIBUS */
    CHECK_EQUAL(tandem_crc16_reflected(TANDEM_CRC16_ARC_START, digits, 9), 0xBB3D);     /* CRC-16/ARC */
    CHECK_EQUAL(tandem_crc16_reflected(0xFFFF, digits, 9), 0x4B37);                     /* CRC-16/MODBUS */
    CHECK_EQUAL(tandem_crc16_reflected(0xFFFF, digits, 9) ^ 0xFFFF, 0xB4C8);            /* CRC-16/USB */
    CHECK_EQUAL(tandem_crc32(TANDEM_CRC32_START, digits, 9), 0x340BC6D9);               /* CRC-32/JAMCRC */
    CHECK_EQUAL(tandem_crc32(TANDEM_CRC32_START, digits, 9) ^ 0xFFFFFFFFu, 0xCBF43926); /* CRC-32/ISO-HDLC */
}

static void test_pieces(void)
{
    for (size_t cut = 0; cut <= 9; cut++) {
        uint16_t ccitt = tandem_crc16(TANDEM_CRC16_CCITT_START, digits, cut);
        uint16_t arc = tandem_crc16_reflected(TANDEM_CRC16_ARC_START, digits, cut);
        uint32_t wide = tandem_crc32(TANDEM_CRC32_START, digits, cut);

        CHECK_EQUAL(tandem_crc16(ccitt, digits + cut, 9 - cut), 0x29B1);
        CHECK_EQUAL(tandem_crc16_reflected(arc, digits + cut, 9 - cut), 0xBB3D);
        CHECK_EQUAL(tandem_crc32(wide, digits + cut, 9 - cut), 0x340BC6D9);
    }
    CHECK_EQUAL(tandem_crc16(0x1234, NULL, 0), 0x1234);
    CHECK_EQUAL(tandem_crc16_reflected(0x1234, NULL, 0), 0x1234);
    CHECK_EQUAL(tandem_crc32(0x12345678, NULL, 0), 0x12345678);
}

static void test_both_builds(void)
{
    uint8_t data[256];

    for (unsigned i = 0; i < 256; i++)
        data[i] = (uint8_t)(i * 197 + 13);
    for (unsigned i = 0; i < 256; i++) { /* every entry, and every length */
        uint8_t byte = (uint8_t)i;

        CHECK_EQUAL(table_crc16(0, &byte, 1), tandem_crc16(0, &byte, 1));
        CHECK_EQUAL(table_crc16_reflected(0, &byte, 1), tandem_crc16_reflected(0, &byte, 1));
        CHECK_EQUAL(table_crc32(0, &byte, 1), tandem_crc32(0, &byte, 1));
        CHECK_EQUAL(table_crc16(0xFFFF, data, i), tandem_crc16(0xFFFF, data, i));
        CHECK_EQUAL(table_crc16_reflected(0xFFFF, data, i), tandem_crc16_reflected(0xFFFF, data, i));
        CHECK_EQUAL(table_crc32(0xFFFFFFFFu, data, i), tandem_crc32(0xFFFFFFFFu, data, i));
    }
}

int main(void)
{
    RUN(test_catalogue);
    RUN(test_pieces);
    RUN(test_both_builds);
    return check_report();
}
