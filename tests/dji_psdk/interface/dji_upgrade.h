/*
 * The interface that the adapter uses, as an integrator's compiler sees it:
 * names, types and numbers; written for these tests.
 */
#ifndef FAKE_DJI_UPGRADE_H
#define FAKE_DJI_UPGRADE_H

#include <stdint.h>

typedef uint64_t T_DjiReturnCode;

typedef struct {
    uint8_t majorVersion, minorVersion, modifyVersion, debugVersion;
} T_DjiFirmwareVersion;

typedef enum { DJI_FIRMWARE_TRANSFER_TYPE_FTP = 0, DJI_FIRMWARE_TRANSFER_TYPE_DCFTP = 1 } E_DjiFirmwareTransferType;

typedef enum {
    DJI_UPGRADE_STAGE_IDLE = 0,
    DJI_UPGRADE_STAGE_ONGOING = 3,
    DJI_UPGRADE_STAGE_END = 4,
    DJI_UPGRADE_STAGE_DEVICE_REBOOT = 6
} E_DjiUpgradeStage;

typedef enum { DJI_UPGRADE_END_STATE_SUCCESS = 1, DJI_UPGRADE_END_STATE_UNKNOWN_ERROR = 2 } E_DjiUpgradeEndState;

typedef struct {
    uint32_t fileSize;
    char fileName[256];
} T_DjiUpgradeFileInfo;

typedef struct {
    T_DjiReturnCode (*start)(const T_DjiUpgradeFileInfo *file);
    T_DjiReturnCode (*transfer)(const uint8_t *data, uint16_t size);
    T_DjiReturnCode (*finish)(const uint8_t md5[16]);
} T_DjiUpgradeDcftpFileTransferOpt;

typedef struct {
    E_DjiFirmwareTransferType transferType;
    struct {
        uint32_t port;
    } ftpTransferInfo;
    T_DjiUpgradeDcftpFileTransferOpt dcftpFileTransferOpt;
} T_DjiFirmwareTransferInfo;

typedef struct {
    T_DjiFirmwareVersion currentFirmwareVersion;
    T_DjiFirmwareTransferInfo firmwareTransferInfo;
} T_DjiUpgradeConfig;

typedef struct {
    E_DjiUpgradeStage upgradeStage;
    __extension__ union {
        struct {
            uint8_t upgradeProgress;
        } upgradeOngoingInfo;
        struct {
            uint8_t rebootTimeout;
        } upgradeRebootInfo;
        struct {
            E_DjiUpgradeEndState upgradeEndState;
        } upgradeEndInfo;
    };
} T_DjiUpgradeState;

typedef struct {
    T_DjiReturnCode (*EnterUpgradeMode)(uint16_t *wait_s);
    T_DjiReturnCode (*CheckFirmware)(void);
    T_DjiReturnCode (*StartUpgrade)(void);
    T_DjiReturnCode (*FinishUpgrade)(void);
} T_DjiUpgradeHandler;

T_DjiReturnCode DjiUpgrade_Init(const T_DjiUpgradeConfig *config);
T_DjiReturnCode DjiUpgrade_RegHandler(const T_DjiUpgradeHandler *handler);
T_DjiReturnCode DjiUpgrade_EnableLocalUpgrade(void);
T_DjiReturnCode DjiUpgrade_PushUpgradeState(const T_DjiUpgradeState *state);

#endif
