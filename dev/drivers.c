/* dev/drivers.c - every driver there is: a folder and a line here. */
#include "dev/e1000/e1000.h"
#include "dev/virtio-net/virtio_net.h"

const struct device_driver *const device_drivers[] = {
    &e1000_driver,
    &virtio_net_driver,
    NULL,
};

static bool driver_knows(const struct device_driver *driver, uint16_t vendor, uint16_t device)
{
    for (const struct device_id *id = driver->ids; id->vendor; id++)
        if (id->vendor == vendor && id->device == device)
            return true;
    return false;
}

const struct device_driver *device_find_driver(uint16_t vendor, uint16_t device)
{
    for (const struct device_driver *const *d = device_drivers; *d; d++)
        if (driver_knows(*d, vendor, device))
            return *d;
    return NULL;
}
