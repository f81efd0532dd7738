# SPDX-License-Identifier: GPL-2.0-only
#
# make             build vmadjust-bpf into $(O)
# make setup       install what building and testing need (tools/setup.sh; root)
# make demo        show the VMs of this host; where there are none, boot two first (root)
# make check       unit, integration and end-to-end tests on real VMs (root)
# make check-unit  the tests that need neither root nor BPF
# make check-update  write tests/data anew from what the program says now
# make fuzz        $(O)/fuzz/config: reading a configuration, under libFuzzer (clang)
# make bench       measure what the observer costs and how exact it is (root)
# make bench-daemon  what the daemon costs, how soon a decision has its effect, and how exact
#                  shares are; BENCH="loop effect shares" measures only these groups (root)
# make bench-p1    the peacemaker paper's experiment, with and without its policy; BENCH="a" or "b" (root)
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
USER_SRC := $(filter-out user/cmd/main.c,$(wildcard user/*/*.c))
LAB_SRC  := $(wildcard tests/lab/*.c)
LIB_SRC  := $(wildcard tests/lib/*.c)
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

.PHONY: all setup demo check check-unit check-update fuzz bench bench-daemon bench-p1 soak lint \
	lint-tools format clean lab-images test-programs
.SECONDARY:
all: $(O)/vmadjust-bpf $(POLICY)

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

$(O)/tests/unit/%: $(O)/tests/unit/%.o $(USER_OBJ) $(LIB_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $^ $(LDLIBS) -lcriterion -o $@

$(filter-out $(UNIT),$(DEEP)): $(O)/tests/%: $(O)/tests/%.o $(USER_OBJ) $(LIB_OBJ) $(LAB_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $^ $(LDLIBS) $(LAB_LIBS) -lcriterion -o $@

# It runs where nothing else is.
$(O)/tools/lab/unixlike: override LDFLAGS += $(if $(filter 1,$(SAN)),,-static) -lm
# The lab's programs stand alone: they run as other processes, in guests too.
$(O)/tools/lab/%: tools/lab/%.c Makefile
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MD -MP -MF $@.d $< $(LDFLAGS) -pthread -o $@

$(O)/tools/bench/observer: $(BENCH_OBJ) $(USER_OBJ) $(LAB_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $^ $(LDLIBS) $(LAB_LIBS) -o $@

$(O)/tools/bench/bench-daemon: $(patsubst %.c,$(O)/%.o,$(wildcard tools/bench/daemon/*.c))
$(O)/tools/bench/bench-p1: $(patsubst %.c,$(O)/%.o,$(wildcard tools/bench/p1/*.c))
$(O)/tools/bench/bench-daemon $(O)/tools/bench/bench-p1: $(BENCH_LIB) $(USER_OBJ) $(LAB_OBJ)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) $^ $(LDLIBS) $(LAB_LIBS) -o $@

test-programs: $(UNIT) $(filter-out $(UNIT),$(DEEP)) $(LAB_PROG) $(TEST_POLICY)

$(O)/tests/integration/test_policy_runner $(O)/tests/integration/test_daemon_memory $(O)/tests/integration/test_daemon_libvirt: | $(O)/vmadjust-bpf $(POLICY) $(TEST_POLICY)

lab-images: $(LAB_PROG)
	$(Q)tools/lab/guest.sh $(O)/lab || [ $$? -eq 77 ]

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

fuzz: $(O)/fuzz/config

FUZZ_SRC := tests/fuzz/fuzz_config.c $(wildcard user/config/*.c) \
	    $(addprefix user/util/,log.c parse.c scan.c suggest.c text.c wrap.c)
$(O)/fuzz/config: $(FUZZ_SRC) Makefile
	$(call say,FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(CFLAGS) -fsanitize=fuzzer,address,undefined $(FUZZ_SRC) -linih -lm -o $@

bench: setup
	+$(Q)$(MANY) all lab-images $(O)/tools/bench/observer
	$(Q)mkdir -p $(O)/bench && $(O)/tools/bench/observer

bench-daemon bench-p1: setup
	+$(Q)$(MANY) all lab-images $(BENCH_POLICY) $(O)/tools/bench/$@
	$(Q)mkdir -p $(O)/bench && $(O)/tools/bench/$@ $(BENCH)

soak: setup
	+$(Q)$(MANY) all test-programs lab-images
	$(Q)O=$(O) SOAK=$(or $(SOAK),10000) TEST_TIMEOUT=86000 \
		tests/run.sh $(O)/tests/integration/test_memory_soak

C_FILES  := $(sort $(wildcard bpf/*.[ch] policies/*.[ch] user/*/*.[ch] tests/*/*.[ch] tests/*/*/*.[ch] tools/*/*.[ch] tools/*/*/*.[ch]))
SH_FILES := $(sort $(wildcard tools/*.sh tools/*/*.sh tests/*.sh tests/*/*.sh .ci/run))
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

include dist/install.mk

clean:
	$(Q)rm -rf $(O)

-include $(shell find $(O) -name '*.d' 2>/dev/null)
