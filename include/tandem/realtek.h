/**
 * @file
 * Realtek's Bluetooth DFU: the words that its device half
 * (tandem/realtek_device.h) and its host half (tandem/realtek_host.h) share.
 * docs/realtek.md says which chips and apps speak what.
 */
#ifndef TANDEM_REALTEK_H
#define TANDEM_REALTEK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Who speaks how. The same UUIDs carry them all. */
enum tandem_realtek_dialect {
    TANDEM_REALTEK_BEE1 = 0,   /**< A: RTL8762A */
    TANDEM_REALTEK_BEE2 = 1,   /**< B: RTL8762C, RTL8762D, RTL8762E */
    TANDEM_REALTEK_8752H = 2,  /**< C: RTL8752H */
    TANDEM_REALTEK_AUDIO = 3,  /**< D: RTL8763, RTL87x3, over GATT */
    TANDEM_REALTEK_STREAM = 4, /**< E: the same, over SPP, iAP, UART or the LE vendor service */
    TANDEM_REALTEK_87X2G = 5,  /**< F: RTL87x2G */
    TANDEM_REALTEK_WATCH = 6   /**< G: RTL87x3EP watches */
};

/**
 * Characteristics and services: the 16 bits in which their UUIDs differ. The
 * `characteristic` of the GATT ports. tandem_realtek_uuid() gives the UUID.
 */
enum tandem_realtek_characteristic {
    TANDEM_REALTEK_OTA_SERVICE = 0xD0FF,     /**< service: what the device is */
    TANDEM_REALTEK_OTA_COMMAND = 0xFFD1,     /**< write without response: 1 = go to OTA mode */
    TANDEM_REALTEK_ADDRESS = 0xFFD2,         /**< read: own address, on pairs also the other bud's */
    TANDEM_REALTEK_PATCH_VERSION = 0xFFD3,   /**< read */
    TANDEM_REALTEK_APP_VERSION = 0xFFD4,     /**< read */
    TANDEM_REALTEK_PATCH_EXTENSION = 0xFFD5, /**< read, Bee1 only */
    TANDEM_REALTEK_VERSIONS = 0xFFE0,        /**< read, first of up to 16: image versions */
    TANDEM_REALTEK_VERSIONS_1 = 0xFFE1,      /**< read: more of them, or those of the inactive bank */
    TANDEM_REALTEK_VERSIONS_LAST = 0xFFEF,   /**< read */
    TANDEM_REALTEK_INFO = 0xFFF1,            /**< read: device information */
    TANDEM_REALTEK_IMAGE_COUNT = 0xFFF2,     /**< write, optional: images to be updated */
    TANDEM_REALTEK_PROTOCOL = 0xFFF3,        /**< read: protocol type; absent on the oldest */
    TANDEM_REALTEK_SECTIONS = 0xFFF4,        /**< read: section sizes */
    TANDEM_REALTEK_SECTIONS_1 = 0xFFF5,      /**< read: section sizes of the inactive bank */
    TANDEM_REALTEK_DFU_SERVICE = 0x6287,     /**< service: update */
    TANDEM_REALTEK_DATA = 0x6387,            /**< write without response: image bytes */
    TANDEM_REALTEK_CONTROL = 0x6487,         /**< write with response, notify: requests and answers */
    TANDEM_REALTEK_VENDOR_SERVICE = 0x02FD,  /**< service: frames of the stream dialect over LE */
    TANDEM_REALTEK_VENDOR_TX = 0xFD03,       /**< of it: device to host, notify */
    TANDEM_REALTEK_VENDOR_RX = 0xFD04        /**< of it: host to device, write without response */
};

#define TANDEM_REALTEK_UUID_SIZE 16 /**< bytes of a UUID */

/** RFCOMM service of the stream dialect. */
#define TANDEM_REALTEK_SPP_UUID "6A24EEAB-4B65-4693-986B-3C26C352264F"
/** External Accessory protocol of the stream dialect, where a product did not choose its own. */
#define TANDEM_REALTEK_IAP_PROTOCOL "com.rtk.datapath"

/**
 * UUID of a service or characteristic, as on air.
 * @param characteristic enum tandem_realtek_characteristic
 * @param uuid set to its 16 bytes, least significant first
 */
void tandem_realtek_uuid(uint16_t characteristic, uint8_t uuid[TANDEM_REALTEK_UUID_SIZE]);

#define TANDEM_REALTEK_COMPANY 0x005D  /**< company identifier of the manufacturer data */
#define TANDEM_REALTEK_ADVERTISEMENT 8 /**< bytes of the manufacturer data: company, address */

/**
 * Manufacturer data by which an app finds a device in OTA mode, or the second
 * bud of a pair.
 * @param address 6 bytes, most significant first, as TANDEM_REALTEK_ADDRESS has them
 * @param data set to the bytes as on air, company first
 */
void tandem_realtek_advertisement(const uint8_t address[6], uint8_t data[TANDEM_REALTEK_ADVERTISEMENT]);

/** Chips, as image headers and device information name them. */
enum tandem_realtek_ic {
    TANDEM_REALTEK_IC_8762A = 3,  /**< Bee1 */
    TANDEM_REALTEK_IC_8763B = 4,  /**< BBPro */
    TANDEM_REALTEK_IC_8762C = 5,  /**< Bee2, also RTL8752C */
    TANDEM_REALTEK_IC_8762D = 9,  /**< SBee2 */
    TANDEM_REALTEK_IC_87X3E = 11, /**< audio */
    TANDEM_REALTEK_IC_8762E = 12, /**< as Bee2 */
    TANDEM_REALTEK_IC_87X2G = 15, /**< RTL87x2G */
    TANDEM_REALTEK_IC_8752H = 16  /**< RTL8752H */
};

/** Image ids. */
enum tandem_realtek_image {
    TANDEM_REALTEK_IMAGE_OTA_HEADER = 0x2790,   /**< names the others' places; its version decides between banks */
    TANDEM_REALTEK_IMAGE_ROM_PATCH = 0x2792,    /**< stack patch in ROM's place */
    TANDEM_REALTEK_IMAGE_APP = 0x2793,          /**< application */
    TANDEM_REALTEK_IMAGE_APP_DATA = 0x2794,     /**< first of six */
    TANDEM_REALTEK_IMAGE_LAST = 0x27A4,         /**< last of those that live in a bank */
    TANDEM_REALTEK_IMAGE_USER_DATA = 0xFFF7,    /**< first of eight, written in place */
    TANDEM_REALTEK_IMAGE_G_OTA_HEADER = 0x37A0, /**< RTL87x2G: as OTA_HEADER */
    TANDEM_REALTEK_IMAGE_G_APP = 0x37A9         /**< RTL87x2G: application */
};

#ifdef __cplusplus
}
#endif

#endif
