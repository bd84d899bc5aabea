/* sim/vk/vk_loop.h - the daemon's loop. */
#pragma once

void vk_loop_init(void); /* after tp_start() */
/* Wait for the host or for something to become due, and serve it. */
void vk_loop_round(void);
