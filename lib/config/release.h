/* lib/config/release.h - the release build's switches; see debug.h. */
#pragma once
enum { CONFIG_DEBUG = 0 };
