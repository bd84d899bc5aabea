/* kern/cpu/trampoline.h - where the first instructions of the other CPUs are copied. */
#pragma once

#define TRAMPOLINE 0x8000 /* physical; a page below 1 MiB: its number is the STARTUP interrupt's vector */
