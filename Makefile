# SPDX-License-Identifier: GPL-2.0-only
#
# make             build vmadjust-bpf and vmadjust-guest into $(O)
# make setup       install what building and testing need (tools/setup.sh; root)
# make demo        show the VMs of this host; where there are none, boot two first (root)
# make check       unit, integration and end-to-end tests on real VMs (root)
# make check-unit  the tests that need neither root nor BPF
# make check-update  write tests/data anew from what the program says now
# make fuzz        fuzz targets, under libFuzzer (clang); RUNS=10000000 runs them; tests/fuzz/fuzz.mk
# make bench       measure what the observer costs and how exact it is (root)
# make bench-daemon  what the daemon costs, how soon a decision has its effect, and how exact
#                  shares are; BENCH="loop helper effect shares" measures only these groups (root)
# make bench-p1    the peacemaker paper's experiment, with and without its policy; BENCH="a" or "b" (root)
# make chaos       VMs, loads and policies come and go: CHAOS=1200 seconds (root)
# make bench-guest  what vmadjust-guest takes of a guest (root)
# make bench-overhead  what observing costs, counted in instructions, against the kernel module and others:
#                  docs/overhead.md; BENCH="switch cache ticks" measures only these groups
# make bench-p2    memory by what page caches earn, against other controllers; BENCH="case1 none case2 back
#                  turns scan sources" (root)
# make bench-p5    memory that follows what guests read, against the same; BENCH="p5 sources" (root)
# make bench-scale  1000 VMs, 4096 vCPUs, and 50 VMs a second that come and go for CHURN=600
#                  seconds; BENCH="vms vcpus churn" (root)
# make kmod        the kernel module that the observer is measured against; tools/kmod/kmod.mk
# make soak        random wishes of memory on real guests: SOAK=10000 sequences, some hours (root)
# make lint        clang-format, clang-tidy, cppcheck, shellcheck, and both compilers
# make format      let clang-format rewrite the sources
# make install, make uninstall   DESTDIR, PREFIX; dist/install.mk
#
# O=DIR output folder; V=1 show commands; SAN=1 ASan and UBSan; WERROR=0 let warnings pass;
# TESTS="name ..." run only these test programs
O      ?= build
PREFIX ?= /usr/local
SAN    ?= 0
WERROR ?= 1
CLANG  ?= clang
# Ubuntu's own wrapper finds nothing for a kernel that is not Ubuntu's newest.
BPFTOOL ?= $(or $(firstword $(foreach b,bpftool /usr/sbin/bpftool \
	  $(wildcard /usr/lib/linux-tools/*/bpftool),$(shell $b version >/dev/null 2>&1 && echo $b))),bpftool)
MANY    = $(MAKE) --no-print-directory -j$(shell nproc)
Q      := $(if $(V),,@)
say     = @printf '  %-7s %s\n' '$(1)' '$(2)'

LIBS   := libbpf jansson libsystemd inih libseccomp libcap-ng
CFLAGS ?= -O2 -g
WARN   := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wformat=2 \
	  -Wpointer-arith -Wundef -Wtype-limits $(if $(filter 1,$(WERROR)),-Werror)
override CFLAGS += -std=gnu11 -D_GNU_SOURCE $(WARN) -I. -isystem $(O)/bpf \
	  -DVMADJ_LIBDIR='"$(PREFIX)/lib"' $(shell pkg-config --cflags $(LIBS) libvirt 2>/dev/null)
LDLIBS := $(shell pkg-config --libs $(LIBS) 2>/dev/null) -lm
ifeq ($(SAN),1)
override CFLAGS += -fsanitize=address,undefined -fno-omit-frame-pointer
override LDFLAGS += -fsanitize=address,undefined
endif
# BPF_PROG() declares a context that most programs do not use.
BPF_CFLAGS := -O2 -g -target bpf -mcpu=v3 -Wall -Wextra -Wtype-limits -Wno-unused-parameter -Werror \
	  -I. -Ivmlinux \
	  -D__TARGET_ARCH_$(patsubst aarch64,arm64,$(patsubst x86_64,x86,$(shell uname -m)))

BPF_SRC  := $(wildcard bpf/*.bpf.c)
SKEL     := $(BPF_SRC:bpf/%.bpf.c=$(O)/bpf/%.skel.h)
AGENT_SRC := $(filter-out user/agent/main.c,$(wildcard user/agent/*.c))
USER_SRC := $(filter-out user/cmd/main.c user/agent/%,$(wildcard user/*/*.c))
LAB_SRC  := $(wildcard tests/lab/*.c)
LIB_SRC  := $(wildcard tests/lib/*.c)
AGENT_OBJ := $(AGENT_SRC:%.c=$(O)/%.o)
USER_OBJ := $(USER_SRC:%.c=$(O)/%.o)
LAB_OBJ  := $(LAB_SRC:%.c=$(O)/%.o)
LIB_OBJ  := $(LIB_SRC:%.c=$(O)/%.o)
UNIT     := $(patsubst tests/unit/%.c,$(O)/tests/unit/%,$(wildcard tests/unit/test_*.c))
DEEP     := $(patsubst tests/%.c,$(O)/tests/%,$(wildcard tests/integration/test_*.c tests/e2e/test_*.c))
LAB_PROG := $(patsubst %.c,$(O)/%,$(wildcard tools/lab/*.c))
BENCH_OBJ := $(patsubst %.c,$(O)/%.o,$(wildcard tools/bench/*.c))
BENCH_LIB := $(addprefix $(O)/tools/bench/,program.o report.o served.o served_load.o)
BENCH_POLICY := $(patsubst %.c,$(O)/%.so,$(wildcard tools/bench/policies/*.c))
LAB_LIBS := $(shell pkg-config --libs libvirt libvirt-qemu 2>/dev/null)

POLICY   := $(patsubst %.c,$(O)/%.so,$(wildcard policies/*.c))
TEST_POLICY := $(patsubst tests/data/%.c,$(O)/tests/%.so,$(wildcard tests/data/policies/*.c))

.PHONY: all setup demo check check-unit check-update fuzz bench bench-daemon bench-guest bench-overhead \
	bench-p1 bench-p2 bench-p5 bench-scale chaos soak lint lint-tools format clean lab-images test-programs
.SECONDARY:
all: $(O)/vmadjust-bpf $(O)/vmadjust-guest $(POLICY)

# As `vmadjust-bpf policy build` does it.
$(POLICY) $(BENCH_POLICY): $(O)/%.so: %.c Makefile
	$(call say,POLICY,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -O2 -g -std=gnu11 $(WARN) -Ipolicies -shared -fPIC -MMD -MP $< $(LDFLAGS) -o $@ -lm

# Most of them misbehave, which a sanitizer would find first.
$(O)/tests/policies/%.so: tests/data/policies/%.c Makefile
	$(call say,POLICY,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -O2 -g -std=gnu11 -D_GNU_SOURCE $(WARN) -Ipolicies -I. -shared -fPIC -MMD -MP $< -o $@ -lm

$(O)/bpf/%.bpf.o: bpf/%.bpf.c Makefile
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -c $< -o $@

$(O)/bpf/%.skel.h: $(O)/bpf/%.bpf.o
	$(Q){ echo "/* NOLINTBEGIN: clang-tidy sees leaks in what bpftool writes */"; \
	   $(BPFTOOL) gen skeleton $< name $*_bpf && echo "/* NOLINTEND */"; } > $@.tmp && mv $@.tmp $@

$(O)/%.o: %.c Makefile | $(SKEL)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MD -MP -c $< -o $@

$(O)/vmadjust-bpf: $(O)/user/cmd/main.o $(USER_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

# It runs in guests of any distribution, so it brings all that it needs. AGENT_LDFLAGS= makes it one
# with shared libraries, where there are no static ones.
AGENT_LDFLAGS ?= -static
AGENT_LIBS := $(shell pkg-config --static --libs libbpf libelf jansson 2>/dev/null) -lm
AGENT_UTIL := $(addprefix $(O)/user/util/,file.o jsonw.o log.o parse.o probe.o proc_text.o scan.o text.o)
$(O)/vmadjust-guest: $(O)/user/agent/main.o $(AGENT_OBJ) $(AGENT_UTIL)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $(if $(filter 1,$(SAN)),,$(AGENT_LDFLAGS)) $^ $(AGENT_LIBS) -o $@

$(O)/tests/unit/%: $(O)/tests/unit/%.o $(USER_OBJ) $(AGENT_OBJ) $(LIB_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $^ $(LDLIBS) -lcriterion -o $@

$(O)/tests/unit/test_bench_memory: $(O)/tools/bench/memory/figures.o
$(O)/tests/unit/test_overhead_figures: $(addprefix $(O)/tools/bench/,overhead/figures.o program.o report.o)

$(filter-out $(UNIT),$(DEEP)): $(O)/tests/%: $(O)/tests/%.o $(USER_OBJ) $(LIB_OBJ) $(LAB_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $^ $(LDLIBS) $(LAB_LIBS) -lcriterion -o $@

# They run where nothing else is.
$(O)/tools/lab/unixlike $(O)/tools/lab/filework $(O)/tools/lab/fileload: override LDFLAGS += $(if $(filter 1,$(SAN)),,-static) -lm
# The lab's programs stand alone: they run as other processes, in guests too.
$(O)/tools/lab/%: tools/lab/%.c Makefile
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MD -MP -MF $@.d $< $(LDFLAGS) -pthread -o $@

$(O)/tools/bench/observer: $(BENCH_OBJ) $(USER_OBJ) $(LAB_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $^ $(LDLIBS) $(LAB_LIBS) -o $@

$(O)/tools/bench/bench-daemon: $(patsubst %.c,$(O)/%.o,$(wildcard tools/bench/daemon/*.c))
$(O)/tools/bench/bench-scale: $(patsubst %.c,$(O)/%.o,$(wildcard tools/bench/scale/*.c)) \
	$(addprefix $(O)/tools/bench/,daemon/fleet.o watch.o)
$(O)/tools/bench/bench-p1: $(patsubst %.c,$(O)/%.o,$(wildcard tools/bench/p1/*.c))
$(O)/tools/bench/bench-guest: $(patsubst %.c,$(O)/%.o,$(wildcard tools/bench/guest/*.c))
$(O)/tools/bench/bench-p2: $(patsubst %.c,$(O)/%.o,$(wildcard tools/bench/p2/*.c))
$(O)/tools/bench/bench-p5: $(patsubst %.c,$(O)/%.o,$(wildcard tools/bench/p5/*.c))
$(O)/tools/bench/bench-p2 $(O)/tools/bench/bench-p5: $(patsubst %.c,$(O)/%.o,$(wildcard tools/bench/memory/*.c))
$(O)/tools/bench/bench-overhead: $(patsubst %,$(O)/tools/bench/overhead/%.o,main figures page picture) \
	$(O)/tools/bench/memory/svg.o
$(addprefix $(O)/tools/bench/bench-,daemon guest overhead p1 p2 p5 scale): $(BENCH_LIB) $(USER_OBJ) $(LAB_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $^ $(LDLIBS) $(LAB_LIBS) -o $@

# The program that runs in the emulated host, and the one that starts it there.
OVER_INSIDE := $(patsubst %.c,$(O)/%.o,$(wildcard tools/bench/overhead/inside*.c)) \
	$(O)/tools/bench/watch.o
$(O)/tools/bench/overhead-inside: $(OVER_INSIDE) $(BENCH_LIB) $(USER_OBJ) $(LAB_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $^ $(LDLIBS) $(LAB_LIBS) -o $@

test-programs: $(UNIT) $(filter-out $(UNIT),$(DEEP)) $(LAB_PROG) $(TEST_POLICY)

$(addprefix $(O)/tests/unit/test_,base_lines cache_share man_policies margin): | $(POLICY)
$(filter-out $(UNIT),$(DEEP)): | $(O)/vmadjust-bpf $(POLICY) $(TEST_POLICY)

lab-images: $(LAB_PROG) $(O)/vmadjust-guest
	$(Q)for version in guest 6.12; do \
		tools/lab/guest.sh $(O)/lab $$version || [ $$? -eq 77 ]; done

setup:
	$(Q)tools/setup.sh

# What was not installed when make read this file is found by a second make.
demo: setup
	+$(Q)$(MANY) all lab-images
	$(Q)O=$(O) tools/demo.sh

check: setup
	+$(Q)$(MANY) all test-programs lab-images
	$(Q)O=$(O) tests/run.sh $(UNIT) $(filter-out $(UNIT),$(DEEP)) $(wildcard tests/e2e/*.sh)

check-unit: $(UNIT)
	$(Q)O=$(O) tests/run.sh $(UNIT)

check-update: $(O)/tests/unit/test_config
	$(Q)rm -f tests/data/config/*.ok tests/data/config/*.err
	$(Q)VMADJ_UPDATE=1 $< --filter 'config/inputs_*'

bench: setup
	+$(Q)$(MANY) all lab-images $(O)/tools/bench/observer
	$(Q)mkdir -p $(O)/bench && $(O)/tools/bench/observer

# What the guests of P2 and P5 read: 6.5 GiB.
$(O)/bench/files.img: tools/lab/disk.sh
	$(call say,DISK,$@)
	$(Q)tools/lab/disk.sh $@

bench-p2 bench-p5: $(O)/bench/files.img
bench-daemon bench-guest bench-p1 bench-p2 bench-p5 bench-scale: setup
	+$(Q)$(MANY) all lab-images $(BENCH_POLICY) $(O)/tools/bench/$@
	$(Q)mkdir -p $(O)/bench && $(O)/tools/bench/$@ $(BENCH)

# Counted in emulated hosts; what it compares with is built and fetched where it is to be had.
bench-overhead: setup
	+$(Q)$(MANY) all $(LAB_PROG) kmod $(O)/tools/bench/overhead-inside $(O)/tools/bench/$@
	$(Q)tools/lab/bcc.sh $(O)/lab || [ $$? -eq 77 ]
	$(Q)mkdir -p $(O)/bench && O=$(O) $(O)/tools/bench/$@ $(BENCH)

chaos: setup
	+$(Q)$(MANY) all test-programs lab-images
	$(Q)O=$(O) CHAOS=$(or $(CHAOS),1200) TEST_TIMEOUT=86000 \
		tests/run.sh $(O)/tests/integration/test_chaos

soak: setup
	+$(Q)$(MANY) all test-programs lab-images
	$(Q)O=$(O) SOAK=$(or $(SOAK),10000) TEST_TIMEOUT=86000 \
		tests/run.sh $(O)/tests/integration/test_memory_soak

C_FILES  := $(sort $(wildcard bpf/*.[ch] policies/*.[ch] user/*/*.[ch] tests/*/*.[ch] tests/*/*/*.[ch] tools/*/*.[ch] tools/*/*/*.[ch]))
SH_FILES := $(sort $(wildcard tools/*.sh tools/*/*.sh tools/*/*/*.sh tests/*.sh tests/*/*.sh .ci/run))
TIDY     := $(filter user/%.c,$(C_FILES))

lint: setup
	+$(Q)$(MANY) $(SKEL) lint-tools
	+$(Q)$(MANY) O=$(O)/lint-clang CC=clang all test-programs
	+$(Q)$(MANY) all test-programs
	@echo "lint: clean"

lint-tools: $(TIDY:%=$(O)/tidy/%.ok)
	clang-format --dry-run -Werror $(C_FILES)
	cppcheck --quiet --error-exitcode=1 --enable=warning,performance,portability --std=c11 \
		--inline-suppr --suppress=missingIncludeSystem --suppress=unknownMacro -I. user
	shellcheck $(SH_FILES)

$(O)/tidy/%.ok: % $(SKEL) .clang-tidy
	$(call say,TIDY,$<)
	$(Q)mkdir -p $(@D)
	$(Q)clang-tidy --quiet $< -- $(CFLAGS) 2>$(O)/tidy/stderr.$(subst /,_,$<) && touch $@

format:
	clang-format -i $(C_FILES)

include tests/fuzz/fuzz.mk tools/kmod/kmod.mk dist/install.mk

clean:
	$(Q)rm -rf $(O)

-include $(shell find $(O) -name '*.d' 2>/dev/null)
