# Makefile - every entry point; `make help` lists them.
#
# Everything made goes to build/, so two checkouts, or two users, never meet. Sources are found by wildcard:
# the kernel is every .c and .S of lib/ net/ dev/ kern/ except the unit tests (*_test.c), which stand beside
# the code and are linked, with sim/ in the kernel's place, into one program for the host.

BUILD   ?= debug
SMP     ?= 2
ROOTFS  ?= 0
MEM     ?= $(if $(WITH_ROOTFS),512M,256M)
NIC     ?= e1000
ACCEL   ?= tcg
TIMEOUT ?= 120
V       ?= 0
Q       := $(if $(filter 1,$(V)),,@)
# Progress goes to stderr: on stdout of `make run` is what the guest's command prints.
SAY      = @$(if $(findstring s,$(filter-out --%,$(firstword $(MAKEFLAGS)))),:,printf '  %-7s %s\n' >&2)

ifeq ($(filter $(BUILD),debug release),)
$(error BUILD=$(BUILD): it is debug or release)
endif

B  := build/$(BUILD)
PY := tools/python
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

# ---- Tools: native on x86-64 Linux, a cross compiler elsewhere; CC=clang builds the kernel too.
first      = $(firstword $(foreach t,$(1),$(if $(shell command -v $(t) 2>/dev/null),$(t))))
NATIVE    := $(filter Linux-x86_64,$(shell uname -s)-$(shell uname -m))
TOOLPREFIX ?= $(if $(NATIVE),,$(patsubst %gcc,%,$(call first,x86_64-linux-gnu-gcc x86_64-elf-gcc)))
ifeq ($(origin CC),default)
CC := $(TOOLPREFIX)gcc
endif
LD      := $(TOOLPREFIX)ld
NM      := $(TOOLPREFIX)nm
IS_CLANG := $(findstring clang,$(CC))
HOSTCC  ?= $(or $(IS_CLANG),$(call first,gcc cc clang),cc)
USERCC  ?= $(or $(call first,x86_64-linux-musl-gcc musl-gcc),musl-gcc)
# The guest's userland: Debian's busybox-static or another system's static busybox, as it is installed.
BUSYBOX ?= $(call first,busybox.static busybox)
NPROC   := $(or $(shell getconf _NPROCESSORS_ONLN 2>/dev/null),2)

# ---- Flags.
WARN  := -Wall -Wextra -Wshadow -Wvla -Wmissing-prototypes -Wstrict-prototypes -Werror
BASE  := -std=gnu11 -O2 -g -fno-omit-frame-pointer -fno-strict-aliasing -fno-common -I. $(WARN)
# UBSan in trap mode costs no runtime: an undefined operation is an invalid-opcode exception.
# Its calls are all calls, so that a backtrace, or the witness's memory of a place, leaves out no function.
UBSAN := $(if $(filter debug,$(BUILD)),-fsanitize=undefined -fsanitize-undefined-trap-on-error \
	-fno-optimize-sibling-calls)
KFLAGS := $(if $(IS_CLANG),--target=x86_64-linux-gnu) $(BASE) -Wframe-larger-than=1024 -ffreestanding \
	-mcmodel=kernel -mno-red-zone -mgeneral-regs-only -fno-pic -fno-pie -fno-stack-protector \
	-fno-asynchronous-unwind-tables -fcf-protection=none -ffile-prefix-map=$(CURDIR)/= $(UBSAN)
CONFIG := -include lib/config/$(BUILD).h
LDFLAGS := -m elf_x86_64 -nostdlib -static -z max-page-size=0x1000 -z noexecstack --build-id=none --fatal-warnings
UFLAGS  := -std=gnu11 -static -O2 -g -Wall -Wextra -Werror -I.
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
HFLAGS  := $(filter-out -O2,$(BASE)) -O1 -D_GNU_SOURCE $(SANITIZE) -include lib/config/debug.h

# ---- Sources.
find_in  = $(sort $(shell find $(1) $(2) 2>/dev/null))
ALL_C   := $(call find_in,lib net dev kern sim,-name '*.c')
TEST_C  := $(filter %_test.c,$(ALL_C))
# The witness and failures on purpose are in debug kernels only.
WITNESS := $(addprefix kern/debug/,irqsoff.c site.c witness.c witness_mutex.c) kern/mm/fail_alloc.c
KERN_C  := $(filter-out $(TEST_C) sim/% $(if $(filter release,$(BUILD)),$(WITNESS)),$(ALL_C))
KERN_S  := $(call find_in,lib net dev kern,-name '*.S')
KERN_O  := $(KERN_C:%.c=$(B)/%.o) $(KERN_S:%.S=$(B)/%.o)
BOTH_C  := $(filter-out lib/string.c kern/%,$(KERN_C))
HOSTED_C := $(filter-out $(TEST_C) sim/towpath% sim/example/% sim/vk/% sim/fuzz/% sim/script/run/% sim/threads/%,$(filter sim/%,$(ALL_C))) $(TEST_C)
# The library: net/ and the simulation without the tests' tools and without drivers, in two flavours.
LIB_C   := $(filter lib/% net/%,$(BOTH_C)) $(wildcard sim/towpath*.c) $(addprefix sim/,sim.c wire.c wire_queue.c switch.c vnic.c frame.c pcapng.c \
	rawip.c netconfig.c $(notdir $(wildcard sim/port_*.c)))
HOST_C  := $(BOTH_C) $(HOSTED_C)
VK_C    := $(filter-out sim/vk/shim%,$(wildcard sim/vk/*.c))
SHIM_C  := $(wildcard sim/vk/shim*.c)
LANGUAGE_C := $(filter-out %_test.c,$(wildcard sim/script/*.c))
SCRIPT_C := $(LANGUAGE_C) $(wildcard sim/script/run/*.c)
USER_LIB := $(wildcard user/lib*.c user/lib/*.c)
USER_C  := $(filter-out $(USER_LIB),$(wildcard user/*.c))
USER_BIN := $(USER_C:user/%.c=$(B)/user/%)
TEST_BIN := $(patsubst user/%.c,$(B)/user/%,$(wildcard user/tests/*.c))
TREE    := $(call find_in,user/rootfs,! -type l)
LINKS   := $(call find_in,user/rootfs,-type l)

ELF := $(B)/towpath.elf
CPIO := $(B)/initramfs.cpio
PROGRAMS_CPIO := build/rootfs.cpio
FULL_CPIO := $(B)/initramfs-rootfs.cpio
ISO := $(B)/towpath.iso
UNIT := build/host/unit-tests

# ---- What is missing is installed or named before anything else is tried (no time lost when all is there).
GOALS := $(or $(MAKECMDGOALS),all)
WITH_ROOTFS = $(filter 1,$(ROOTFS))
NEED  := build $(if $(WITH_ROOTFS)$(filter rootfs $(if $(NATIVE),test test-% grade),$(GOALS)),rootfs) $(if $(filter qemu run qemu-% gdb test test-% grade bench-%,$(GOALS)),run) \
	$(if $(filter iso qemu-iso test test-qemu test-long grade,$(GOALS)),iso) \
	$(if $(filter test test-% grade lint format bench-%,$(GOALS)),test) $(if $(filter gdb,$(GOALS)),gdb) $(if $(filter fuzz%,$(GOALS)),fuzz) \
	$(if $(filter deps,$(GOALS)),all)

all: $(ELF) $(CPIO) $(if $(WITH_ROOTFS),$(FULL_CPIO)) ## build the kernel and its initramfs (BUILD=debug|release, CC=gcc|clang, V=1)

help: ## this list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo 'Variables: BUILD=debug|release CC= TOOLPREFIX= V=1, and for a machine: SMP=2 MEM=256M NIC=e1000|virtio'
	@echo '  ROOTFS=1 (with iperf3, nginx, redis ...) ACCEL=tcg|kvm APPEND="..." CAPTURE=file.pcap HTTP_PORT= ECHO_PORT= UDP_ECHO_PORT= (0 or unset: a free one)'

deps: ## install the packages this needs, or print the command that does
	@tools/deps.sh $(sort $(NEED))

# ---- Kernel: linked twice, first with an empty symbol table, then with that of the first pass. The table lies
# behind all code, so no function moves between the passes.
$(B)/%.o: %.c $(B)/flags | deps
	$(SAY) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(KFLAGS) $(CONFIG) $(EXTRA) -MMD -MP -c -o $@ $<

$(B)/%.o: %.S $(B)/flags | deps
	$(SAY) AS $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(KFLAGS) -MMD -MP -c -o $@ $<

# The compiler must not turn the loop inside memcpy() into a call of memcpy().
$(B)/lib/string.o: EXTRA := -fno-builtin $(if $(IS_CLANG),,-fno-tree-loop-distribute-patterns)

# The code that the kernel lends to programs: a shared object, whose bytes vdso_image.S takes in.
$(B)/vdso.so: user/vdso/vdso.c user/vdso/vdso.ld lib/abi/vdso.h $(B)/flags | deps
	$(SAY) VDSO $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(if $(IS_CLANG),--target=x86_64-linux-gnu) $(filter-out -g -fno-omit-frame-pointer,$(BASE)) -ffreestanding -fPIC -fcf-protection=none \
		-fno-stack-protector -fomit-frame-pointer -c -o $(B)/vdso.o user/vdso/vdso.c
	$(Q)$(LD) -m elf_x86_64 -shared -nostdlib -soname linux-vdso.so.1 --hash-style=both --build-id=none \
		-z max-page-size=4096 -z noexecstack -z noseparate-code --no-undefined --fatal-warnings -T user/vdso/vdso.ld -o $@ $(B)/vdso.o
$(B)/kern/proc/vdso_image.o: $(B)/vdso.so
$(B)/kern/proc/vdso_image.o: KFLAGS += -Wa,-I$(B)

$(B)/ksyms0.S: tools/mksyms.py | deps
	@mkdir -p $(@D)
	$(Q)$(PY) tools/mksyms.py </dev/null >$@

$(B)/pass1.elf: $(KERN_O) $(B)/ksyms0.o kern/boot/kernel.ld $(B)/objects
	$(SAY) LD $@
	$(Q)$(LD) $(LDFLAGS) -T kern/boot/kernel.ld -o $@ $(KERN_O) $(B)/ksyms0.o

$(B)/ksyms1.S: $(B)/pass1.elf tools/mksyms.py
	$(Q)$(NM) -n $< >$(B)/pass1.map
	$(Q)$(PY) tools/mksyms.py <$(B)/pass1.map >$@

$(ELF): $(B)/pass1.elf $(B)/ksyms1.o
	$(SAY) LD $@
	$(Q)$(LD) $(LDFLAGS) -T kern/boot/kernel.ld -Map $(B)/towpath.map -o $@ $(KERN_O) $(B)/ksyms1.o

$(B)/ksyms%.o: $(B)/ksyms%.S
	$(Q)$(CC) $(KFLAGS) -c -o $@ $<

# Rewritten only when their text changes: other flags rebuild all, a source added or removed links anew.
define KEEP_TEXT
@mkdir -p $(@D)
@echo '$(TEXT)' | cmp -s - $@ || echo '$(TEXT)' >$@
endef
$(B)/flags: TEXT = $(CC) $(KFLAGS)
$(B)/objects: TEXT = $(KERN_O)
build/host/objects: TEXT = $(host_O)
$(B)/programs: TEXT = $(USERCC) $(UFLAGS) $(USER_BIN) $(TEST_BIN) $(USER_LIB) $(TREE) $(LINKS)
$(B)/flags $(B)/objects $(B)/programs build/host/objects: FORCE
	$(KEEP_TEXT)

# ---- User programs and the initramfs that carries them: /bin, and in /tests those whose output on Linux and on
# Towpath must be the same. What is in user/NAME/ belongs to the program NAME.
$(foreach p,$(USER_C:user/%.c=%) $(TEST_BIN:$(B)/user/%=%),$(eval $(B)/user/$p: $(wildcard user/$p/*.[ch])))
$(B)/user/%: user/%.c $(USER_LIB) $(B)/programs | deps
	$(SAY) USERCC $<
	@mkdir -p $(@D)
	$(Q)$(USERCC) $(UFLAGS) -MMD -MP -MF $@.d -MT $@ -o $@ $(filter %.c,$^)

$(CPIO): $(shell command -v $(BUSYBOX) 2>/dev/null) $(USER_BIN) $(TEST_BIN) $(TREE) $(B)/programs tools/mkinitramfs.py | deps
	$(SAY) CPIO $@
	$(Q)$(PY) tools/mkinitramfs.py $@ --busybox "$$(command -v $(BUSYBOX))" --tree user/rootfs $(USER_BIN:%=--program %) \
		$(TEST_BIN:%=--test %)

# Debian's programs, as they are installed, behind it in a second archive (doc/programs.md).
rootfs: $(FULL_CPIO) ## gather iperf3, curl, dig, nginx, redis, dropbear, socat with their libraries; boot with ROOTFS=1
$(PROGRAMS_CPIO): tools/mkrootfs.py $(call find_in,user/programs,-type f) | deps
	$(SAY) ROOTFS $@
	$(Q)$(PY) tools/mkrootfs.py $@ --tree user/programs

$(FULL_CPIO): $(CPIO) $(PROGRAMS_CPIO)
	$(Q)cat $^ >$@

# ---- Running. The tool chooses free ports, prints them, and keeps them in build/ports while the machine runs.
# It takes its settings from the environment.
export BUILD SMP MEM ROOTFS NIC ACCEL APPEND CAPTURE HTTP_PORT ECHO_PORT UDP_ECHO_PORT TIMEOUT CMD
RUN = $(PY) tools/run_qemu.py

qemu: all ## boot with the shell on this terminal (Ctrl-A X leaves); prints the URLs that reach the guest
	@$(RUN) terminal

qemu-iso: iso ## the same from the GRUB ISO
	@$(RUN) --iso $(ISO) terminal

qemu-gdb: all ## the same, stopped before the first instruction until `make gdb` comes
	@$(RUN) gdb

gdb: $(ELF) ## attach a debugger with symbols to `make qemu-gdb`
	@$(RUN) attach

run: all ## run CMD='...' in the guest, its output here (TIMEOUT=120); `tools/run ...` has its exit status too
	@$(RUN) run

ports: ## the forwarded ports of the machine that runs from this checkout
	@$(RUN) ports

iso: $(ISO) ## build a bootable GRUB (Multiboot2) image
$(ISO): $(ELF) $(CPIO) tools/mkiso.sh | deps
	$(SAY) ISO $@
	$(Q)tools/mkiso.sh $@ $(ELF) $(CPIO) '$(APPEND)'

# ---- On the host: the same sources, compiled in several flavours. NAME compiles any file to build/NAME/ with NAME_CC and
# NAME_FLAGS; NAME_C says which files it consists of. net/, dev/ and lib/ stay freestanding here too, so that
# libc cannot leak in; sim/ and the tests are hosted.
FLAVOURS := host libtowpath libtowpath-asan fuzz coverage tsan msan
define flavour
$(1)_O = $$($(1)_C:%.c=build/$(1)/%.o)
build/$(1)/flags: TEXT = $$($(1)_CC) $$($(1)_FLAGS)
build/$(1)/flags: FORCE
	$$(KEEP_TEXT)
$$(BOTH_C:%.c=build/$(1)/%.o): EXTRA := -ffreestanding
build/$(1)/%.o: %.c build/$(1)/flags | deps
	$$(SAY) HOSTCC $$<
	@mkdir -p $$(@D)
	$$(Q)$$($(1)_CC) $$($(1)_FLAGS) $$(EXTRA) -MMD -MP -c -o $$@ $$<
endef
$(foreach f,$(FLAVOURS),$(eval $(call flavour,$f)))

# The unit tests, with sanitizers.
host_C := $(HOST_C)
host_CC = $(HOSTCC)
host_FLAGS = $(HFLAGS)
$(UNIT): $(host_O) build/host/objects
	$(SAY) HOSTLD $@
	$(Q)$(HOSTCC) $(SANITIZE) -o $@ $(host_O) -lm

# The virtual kernel as a library (sim/towpath.h), plain and with sanitizers.
LIB_FLAGS := $(BASE) -D_GNU_SOURCE -fPIC -fvisibility=hidden -include lib/config/debug.h
libtowpath_C := $(LIB_C) $(VK_C) $(SHIM_C) $(SCRIPT_C)
libtowpath-asan_C := $(LIB_C) $(SCRIPT_C) $(wildcard sim/fuzz/segments/*.c sim/fuzz/hostile/*.c)
libtowpath_CC = $(HOSTCC)
libtowpath-asan_CC = $(HOSTCC)
libtowpath_FLAGS = $(LIB_FLAGS)
libtowpath-asan_FLAGS = $(LIB_FLAGS) $(SANITIZE)
define library
build/$(1).so: $(LIB_C:%.c=build/$(1)/%.o)
	$$(SAY) HOSTLD $$@
	$$(Q)$$($(1)_CC) $(2) -shared -Wl,-soname,$(1).so -o $$@ $$^ -lm
build/$(1)-%: sim/example/%.c build/$(1).so
	$$(Q)$$($(1)_CC) $$($(1)_FLAGS) -o $$@ $$^ -Wl,-rpath,'$$$$ORIGIN'
endef
$(eval $(call library,libtowpath,))
$(eval $(call library,libtowpath-asan,$(SANITIZE)))
EXAMPLES := $(foreach f,libtowpath libtowpath-asan,$(patsubst sim/example/%.c,build/$f-%,$(wildcard sim/example/*.c)))
libtowpath: build/libtowpath.so build/libtowpath-asan.so $(EXAMPLES) ## the virtual kernel as a library, plain and sanitized (sim/towpath.h)

# A virtual kernel for unmodified programs: the daemon, and what is loaded with LD_PRELOAD.
build/towpath-vk: $(VK_C:%.c=build/libtowpath/%.o) $(LIB_C:%.c=build/libtowpath/%.o)
	$(SAY) HOSTLD $@
	$(Q)$(HOSTCC) -o $@ $^ -lm
build/libtowpath-shim.so: $(SHIM_C:%.c=build/libtowpath/%.o)
	$(SAY) HOSTLD $@
	$(Q)$(HOSTCC) -shared -Wl,-soname,libtowpath-shim.so -o $@ $^ -ldl -pthread
vk: build/towpath-vk build/libtowpath-shim.so ## towpath-vk and the shim: a virtual kernel for unmodified host programs

# Scripted tests: packets and calls, and what must come of them (doc/scripts.md).
SCRIPT ?= grade/scripts
build/towpath-script: $(SCRIPT_C:%.c=build/libtowpath/%.o) $(LIB_C:%.c=build/libtowpath/%.o)
	$(SAY) HOSTLD $@
	$(Q)$(HOSTCC) -o $@ $^ -lm
build/towpath-script-asan: $(SCRIPT_C:%.c=build/libtowpath-asan/%.o) $(LIB_C:%.c=build/libtowpath-asan/%.o)
	$(SAY) HOSTLD $@
	$(Q)$(HOSTCC) $(SANITIZE) -o $@ $^ -lm
scripts: build/towpath-script build/towpath-script-asan
script: build/towpath-script ## run scripted tests: SCRIPT=grade/scripts/tcp/NN-....script (none: all); of one that fails, the story
	@build/towpath-script $(SCRIPT)

# Fuzz targets, with libFuzzer's counters; each sim/fuzz/NAME.c but host.c is one.
FUZZ_CC ?= clang
FUZZ_TARGETS := $(filter-out host,$(patsubst sim/fuzz/%.c,%,$(wildcard sim/fuzz/*.c)))
SEGMENTS_C := $(wildcard sim/fuzz/segments/*.c)
fuzz_C := $(LIB_C) $(LANGUAGE_C) $(wildcard sim/fuzz/*.c) $(SEGMENTS_C)
fuzz_CC = $(FUZZ_CC)
fuzz_FLAGS = $(LIB_FLAGS) $(SANITIZE) -fsanitize=fuzzer-no-link
$(FUZZ_TARGETS:%=build/fuzz/%): build/fuzz/%: build/fuzz/sim/fuzz/%.o build/fuzz/sim/fuzz/host.o $(LIB_C:%.c=build/fuzz/%.o) $(LANGUAGE_C:%.c=build/fuzz/%.o)
	$(SAY) FUZZLD $@
	$(Q)$(FUZZ_CC) $(SANITIZE) -fsanitize=fuzzer -o $@ $^ -lm
build/fuzz/segments: $(SEGMENTS_C:%.c=build/fuzz/%.o)
# Counters are for what is under test; the world around it only costs time.
$(patsubst %.c,build/fuzz/%.o,$(filter sim/%,$(LIB_C)) $(SEGMENTS_C)): EXTRA := -fno-sanitize=fuzzer-no-link
# The same stories by chance, without libFuzzer.
HOSTILE_C := $(filter-out %/mutate.c,$(SEGMENTS_C)) sim/fuzz/hostile/main.c
build/hostile: $(HOSTILE_C:%.c=build/libtowpath-asan/%.o) $(LIB_C:%.c=build/libtowpath-asan/%.o)
	$(SAY) HOSTLD $@
	$(Q)$(HOSTCC) $(SANITIZE) -o $@ $^ -lm
hostile: build/hostile ## a thousand hostile stories against TCP on the host, each state a start (STORIES=1000 SEED=1)
	@build/hostile $(or $(STORIES),1000) $(or $(SEED),1)
# Nothing where clang has no fuzzer runtime: the tests then say so and skip.
FUZZ_CAN = $(if $(wildcard $(shell $(FUZZ_CC) -print-runtime-dir 2>/dev/null)/libclang_rt.fuzzer*),fuzz-targets)
fuzz-targets: $(FUZZ_TARGETS:%=build/fuzz/%)
fuzz: fuzz-targets ## run the fuzz targets (sim/fuzz/): TARGET=frames (none: all) SECONDS=60 each; what crashes is kept, with the command that replays it
	@$(PY) sim/fuzz/run.py $(TARGET) --seconds $(or $(SECONDS),60)

# The unit tests once more, for what AddressSanitizer does not see: bytes that are used before anybody wrote them.
# Warnings about tests are the host flavour's affair: clang has others.
MSAN := -fsanitize=memory -fsanitize-memory-track-origins -fno-sanitize-recover=all
msan_C := $(HOST_C)
msan_CC = $(FUZZ_CC)
msan_FLAGS = $(filter-out -O2,$(BASE)) -O1 -D_GNU_SOURCE $(MSAN) -w -include lib/config/debug.h
build/msan/unit-tests: $(msan_C:%.c=build/msan/%.o) build/host/objects
	$(SAY) HOSTLD $@
	$(Q)$(msan_CC) $(MSAN) -o $@ $(filter %.o,$^) -lm
msan: build/msan/unit-tests ## unit tests under MemorySanitizer: what is used before it is written (clang; TEST=part of a name)
	@build/msan/unit-tests $(TEST)
.PHONY: msan

# net/ on threads, for ThreadSanitizer: it watches lib/, net/ and the work, not the machine, whose locks and lists would
# hide races (sim/threads/quiet.h), and so not the timers' heap. Its calls confuse gcc about what is initialized.
tsan_C := $(filter lib/% net/%,$(BOTH_C)) sim/vsocket.c sim/netconfig.c sim/port_pages.c $(wildcard sim/threads/*.c)
tsan_CC = $(HOSTCC)
tsan_FLAGS = $(filter-out -O2,$(BASE)) -O1 -D_GNU_SOURCE -include lib/config/debug.h -Wno-maybe-uninitialized $(WATCH)
WATCHED := $(filter-out lib/heap.c,$(filter lib/% net/%,$(tsan_C))) sim/vsocket.c sim/netconfig.c sim/port_pages.c sim/threads/planted.c \
	$(wildcard sim/threads/work_*.c)
$(WATCHED:%.c=build/tsan/%.o): WATCH := -fsanitize=thread
build/tsan/threads: $(tsan_C:%.c=build/tsan/%.o)
	$(SAY) HOSTLD $@
	$(Q)$(tsan_CC) -fsanitize=thread -o $@ $^ -pthread
tsan: build/tsan/threads ## net/ on real threads under ThreadSanitizer (doc/races.md): WORKLOAD=tcp (none: all) SECONDS=20 each, SEED=1, ARGS=--list
	@build/tsan/threads --seconds $(or $(SECONDS),20) --seed $(or $(SEED),1) $(ARGS) $(WORKLOAD)
.PHONY: tsan

sim: libtowpath ## run a simulated network: SCENARIO=dumbbell (none: the list) SEED=1; a table, plots, captures (ARGS=--capture)
	@$(PY) sim/run.py $(SCENARIO) $(if $(SEED),--seed $(SEED)) $(ARGS)

# Debian's programs only where they can be had and their peer, the host's Linux, is there.
# lwIP on a wire with a virtual kernel, where it is installed; its headers are not held to our warnings.
LWIP := $(wildcard /usr/include/lwip/lwip/tcp.h)
PEERS := build/peers/linux-peer $(if $(LWIP),build/peers/lwip-peer)
build/peers/lwip-peer: LIBS := -isystem /usr/include/lwip -llwip
build/peers/%-peer: grade/peers/%_peer.c grade/peers/peer.c grade/peers/peer.h build/libtowpath.so
	$(SAY) HOSTLD $@
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) $(filter-out -Wvla -fno-common,$(BASE)) -D_GNU_SOURCE -o $@ $(filter-out %.h,$^) $(LIBS) -Wl,-rpath,'$$ORIGIN/..'

IMAGES = all iso libtowpath vk scripts build/hostile $(PEERS) $(if $(NATIVE),rootfs) $(FUZZ_CAN)
test: deps ## everything: lint, host tests, QEMU tests; ends with `N passed, N failed`
	@+$(MAKE) --no-print-directory -j$(NPROC) $(IMAGES) $(UNIT)
	@+$(MAKE) --no-print-directory -j$(NPROC) BUILD=release all
	@+$(PY) tools/test.py --jobs $(NPROC) all -- $(LINT)

test-host: $(UNIT) ## unit tests under ASan and UBSan, seconds (TEST=part of a name)
	@$(UNIT) $(TEST)

# Which lines of net/ and lib/ the unit tests execute. Only these are instrumented, and not optimized, so that a line
# is a line; gcov reads what gcc writes. Each run begins at zero: the counters of the last one are removed.
coverage_C := $(HOST_C)
coverage_CC = $(if $(findstring clang,$(HOSTCC)),gcc,$(HOSTCC))
coverage_FLAGS = $(filter-out -O2,$(BASE)) -D_GNU_SOURCE -include lib/config/debug.h $(COVER)
build/coverage/%.o: COVER := -O1
$(patsubst %.c,build/coverage/%.o,$(filter lib/% net/%,$(BOTH_C))): COVER := -O0 --coverage
build/coverage/unit-tests: $(coverage_O)
	$(SAY) HOSTLD $@
	$(Q)$(coverage_CC) --coverage -Wl,-u,__gcov_dump -o $@ $^ -lm

coverage: ## lines of net/ and lib/ that the unit tests execute, counted by gcov (ARGS='--lines net/tcp' TEST=part of a name)
	@$(PY) tools/coverage.py --present
	@+$(MAKE) --no-print-directory -j$(NPROC) build/coverage/unit-tests
	@find build/coverage -name '*.gcda' -delete
	@build/coverage/unit-tests --timeout 300 $(TEST)
	@$(PY) tools/coverage.py $(ARGS)

test-qemu: $(IMAGES) ## the grader's tests in QEMU (TEST=pytest expression)
	@$(PY) tools/test.py qemu --jobs $(NPROC) $(if $(TEST),-k '$(TEST)')

conformance: all libtowpath scripts ## the checklist of RFCs, item by item; ends with `conformance: N of M` (ARGS='--only virtual 17 25')
	@PYTHONPATH=. $(PY) grade/conformance/report.py $(ARGS)

test-long: $(IMAGES) ## the tests that take minutes
	@$(PY) tools/test.py long --jobs $(NPROC)

grade: all $(UNIT) ## points a test and a total (in a lab's handout: that lab's)
	@$(PY) tools/test.py grade --jobs $(NPROC)

OTHER := $(if $(IS_CLANG),gcc,clang)
LINT = $(PY) tools/lint.py --objects $(B) --nm $(NM) --kernel-compile '$(CC) $(KFLAGS) $(CONFIG)' \
	--hosted-compile '$(HOSTCC) $(HFLAGS)' --other-build '$(MAKE) -s -j$(NPROC) CC=$(OTHER) B=build/$(OTHER) all'
lint: deps ## prove the architecture: includes, symbols, globals, headers, format, other compiler
	@+$(MAKE) --no-print-directory -j$(NPROC) all
	@+$(LINT)

# ---- Measuring.
INSNCOUNT := build/bench/insncount.so
$(INSNCOUNT): bench/insncount.c | deps
	$(SAY) HOSTCC $<
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -std=gnu11 -O2 $(WARN) -shared -fPIC -o $@ $<

bench-cost: $(INSNCOUNT) ## guest instructions a packet costs, counted in the release kernel (ARGS='--functions 20 udp')
	@+$(MAKE) --no-print-directory BUILD=release all
	@$(PY) bench/cost.py $(ARGS)

KBENCH := build/release/bench/kbench
$(KBENCH): $(wildcard bench/guest/*.c bench/guest/*.h) | deps
	$(SAY) USERCC $@
	@mkdir -p $(@D)
	$(Q)$(USERCC) $(UFLAGS) -o $@ $(filter %.c,$^)

bench-kernel: $(INSNCOUNT) $(KBENCH) ## what kernel operations cost beside a Linux guest (ARGS='--functions 20 fork')
	@+$(MAKE) --no-print-directory BUILD=release all
	@$(PY) bench/kernel.py $(ARGS)

ROUTEBENCH := build/bench/route
build/libtowpath/bench/route.o: EXTRA :=
$(ROUTEBENCH): build/libtowpath/bench/route.o $(LIB_C:%.c=build/libtowpath/%.o)
	$(SAY) HOSTLD $@
	@mkdir -p $(@D)
	$(Q)$(HOSTCC) -o $@ $^ -lm
bench-route: $(ROUTEBENCH) ## a look-up in a table of 500,000 prefixes: ns, bytes, time to build (ARGS='PREFIXES SEED')
	@$(ROUTEBENCH) $(ARGS)

bench-udp: $(INSNCOUNT) $(KBENCH) ## what a datagram costs beside a Linux guest: received, sent, forwarded, echoed (ARGS='--nic virtio --functions 20 udp_send')
	@+$(MAKE) --no-print-directory BUILD=release all
	@$(PY) bench/udp.py $(ARGS)

bench-tcp: $(INSNCOUNT) $(KBENCH) ## what TCP costs beside a Linux guest: bulk (iperf3), round trips, connections, HTTP (ARGS='--nic virtio --functions 20 send')
	@+$(MAKE) --no-print-directory BUILD=release ROOTFS=1 all
	@$(PY) bench/tcp.py $(ARGS)

bench-sim: libtowpath ## how the simulator grows: 10 to 10,000 hosts (ARGS='--seconds 5 10 100')
	@$(PY) bench/simulation.py $(ARGS)

stats: ## how the code reads, in figures, beside xv6's
	@$(PY) tools/stats.py

format: deps ## lay out every C file by .clang-format
	@git ls-files -z --cached --others --exclude-standard '*.c' '*.h' ':!labs' | xargs -0 clang-format -i

handout: ## make a lab's tree for students: LAB=skb OUT=dir
	@$(PY) labs/handout.py '$(LAB)' '$(OUT)'

clean: ## remove build/
	rm -rf build

FORCE:
.PHONY: all help deps rootfs qemu qemu-iso qemu-gdb gdb run ports iso test test-host coverage test-qemu test-long grade lint stats \
	bench-cost bench-kernel bench-udp bench-tcp bench-route conformance libtowpath vk sim script scripts fuzz fuzz-targets hostile bench-sim format handout clean FORCE
.SECONDARY:

-include $(PROGRAMS_CPIO).d $(KERN_O:.o=.d) $(USER_BIN:=.d) $(TEST_BIN:=.d) $(foreach f,$(FLAVOURS),$($f_O:.o=.d))
