/**
 * @file
 * Everything: includes all public headers.
 */
#ifndef TANDEM_H
#define TANDEM_H

#include "tandem/bank.h"
#include "tandem/bare.h"
#include "tandem/boot.h"
#include "tandem/boot_report.h"
#include "tandem/cloud.h"
#include "tandem/config.h"
#include "tandem/crypto.h"
#include "tandem/device.h"
#include "tandem/file_name.h"
#include "tandem/group.h"
#include "tandem/http.h"
#include "tandem/image.h"
#include "tandem/image_hex.h"
#include "tandem/image_mcuboot.h"
#include "tandem/image_mppack.h"
#include "tandem/image_realtek.h"
#include "tandem/image_usb.h"
#include "tandem/install.h"
#include "tandem/json.h"
#include "tandem/link.h"
#include "tandem/link_host.h"
#include "tandem/loader.h"
#include "tandem/local.h"
#include "tandem/package.h"
#include "tandem/port.h"
#include "tandem/portcheck.h"
#include "tandem/realtek.h"
#include "tandem/realtek_device.h"
#include "tandem/realtek_host.h"
#include "tandem/recovery.h"
#include "tandem/stage.h"
#include "tandem/status.h"
#include "tandem/update.h"
#include "tandem/usb.h"
#include "tandem/usb_dfu.h"
#include "tandem/usb_dfu_host.h"
#include "tandem/usb_endpoint.h"
#include "tandem/version.h"

#define TANDEM_VERSION_MAJOR 0        /**< of the library */
#define TANDEM_VERSION_MINOR 1        /**< of the library */
#define TANDEM_VERSION_PATCH 0        /**< of the library */
#define TANDEM_VERSION_STRING "0.1.0" /**< of the library */

#endif
