/* sim/host_pages.h - pages for a test's packets: what net/port.h's page_get() and page_put() count. For both
 * houses of the host. */
#pragma once

/* An aligned page, not zeroed, with one reference. NULL: memory is out. */
void *host_page_alloc(void);
unsigned host_page_refs(void *page);
