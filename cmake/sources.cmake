# Every source file of the library, by what it is for. Builds other than CMake
# read these lists as the plan of what to take: a bootloader needs ENGINE,
# PACKAGE and DEVICE; nothing of HOST ever belongs on a device.

set(TANDEM_ENGINE_SOURCES
    src/core/aes.c
    src/core/bytes.c
    src/core/crc.c
    src/core/ed25519.c
    src/core/edwards.c
    src/core/field.c
    src/core/hmac.c
    src/core/md5.c
    src/core/number.c
    src/core/p256.c
    src/core/secure.c
    src/core/sha1.c
    src/core/sha2.c
    src/core/sha256.c
    src/core/sha512.c)

# What is in a file: both halves read it.
set(TANDEM_PACKAGE_SOURCES
    src/core/file_name.c
    src/core/image_realtek.c
    src/core/image_source.c
    src/core/mcuboot.c
    src/core/package.c
    src/core/version.c)

set(TANDEM_DEVICE_SOURCES
    src/core/bank.c
    src/core/bank_mcuboot.c
    src/core/bare.c
    src/core/bare_head.c
    src/core/boot.c
    src/core/boot_report.c
    src/core/device.c
    src/core/exchange.c
    src/core/flash.c
    src/core/install.c
    src/core/install_check.c
    src/core/install_jobs.c
    src/core/install_pass.c
    src/core/journal.c
    src/core/loader.c
    src/core/stage.c)

set(TANDEM_HOST_SOURCES
    src/core/ed25519_sign.c
    src/core/group.c
    src/core/image_format.c
    src/core/image_hex.c
    src/core/image_mcuboot.c
    src/core/image_mppack.c
    src/core/image_mppack_write.c
    src/core/image_text.c
    src/core/image_usb.c
    src/core/package_write.c
    src/core/status_text.c
    src/core/update.c)

# The port checker: for a device being brought up, or a PC.
set(TANDEM_PORTCHECK_SOURCES
    src/portcheck/portcheck.c
    src/portcheck/portcheck_cells.c
    src/portcheck/portcheck_ops.c
    src/portcheck/portcheck_power.c
    src/portcheck/portcheck_words.c)

# Our own protocol: what both ends share, the device's end, the host's end.
set(TANDEM_LINK_SOURCES
    src/transport/link/stream.c)
set(TANDEM_LINK_DEVICE_SOURCES
    src/transport/link/link_device.c
    src/transport/link/recovery.c)
set(TANDEM_LINK_HOST_SOURCES
    src/transport/link/link_host.c)

# Realtek's DFU, in the same three parts.
set(TANDEM_REALTEK_SOURCES
    src/transport/realtek/realtek_wire.c)
set(TANDEM_REALTEK_DEVICE_SOURCES
    src/transport/realtek/realtek_device.c
    src/transport/realtek/realtek_device_data.c
    src/transport/realtek/realtek_device_gatt.c
    src/transport/realtek/realtek_device_image.c
    src/transport/realtek/realtek_device_info.c
    src/transport/realtek/realtek_device_stream.c
    src/transport/realtek/realtek_device_verify.c)
set(TANDEM_REALTEK_HOST_SOURCES
    src/transport/realtek/realtek_host.c
    src/transport/realtek/realtek_host_ask.c
    src/transport/realtek/realtek_host_file.c
    src/transport/realtek/realtek_host_plan.c
    src/transport/realtek/realtek_host_query.c
    src/transport/realtek/realtek_host_rws.c
    src/transport/realtek/realtek_host_send.c)

# USB DFU, in the same three parts.
set(TANDEM_USB_DFU_SOURCES
    src/transport/usb_dfu/usb_dfu_text.c)
set(TANDEM_USB_DFU_DEVICE_SOURCES
    src/transport/usb_dfu/usb_dfu_device.c
    src/transport/usb_dfu/usb_dfu_device_descriptors.c
    src/transport/usb_dfu/usb_dfu_device_endpoint.c
    src/transport/usb_dfu/usb_dfu_device_store.c)
set(TANDEM_USB_DFU_HOST_SOURCES
    src/transport/usb_dfu/usb_dfu_host.c
    src/transport/usb_dfu/usb_dfu_host_find.c)

# Local upgrade: one file over a channel of the product's own.
set(TANDEM_LOCAL_DEVICE_SOURCES
    src/transport/local/local_device.c)

# Pull updates from OneNET and hawkBit; the HTTP client, which is of use by itself.
set(TANDEM_CLOUD_SOURCES
    src/transport/cloud/cloud.c
    src/transport/cloud/cloud_record.c
    src/transport/cloud/hawkbit.c
    src/transport/cloud/http_client.c
    src/transport/cloud/json.c
    src/transport/cloud/onenet.c
    src/transport/cloud/onenet_token.c)
