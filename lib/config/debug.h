/* lib/config/debug.h - the debug build's switches, given to every compilation with -include.
 * The Makefile picks this file or release.h (BUILD=debug|release), so that code asks
 * `if (CONFIG_DEBUG)` and no source needs conditional compilation. */
#pragma once
enum { CONFIG_DEBUG = 1 };
