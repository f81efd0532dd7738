# SPDX-License-Identifier: GPL-2.0-only
#
# make fuzz              $(O)/fuzz/NAME for each target, under libFuzzer (clang)
# make fuzz RUNS=N       ... and N executions of each, beginning with its corpus
# $(O)/tests/fuzz/NAME   the same without a fuzzer: each file of a corpus once, a test
#
# tests/fuzz/fuzz_NAME.c, its corpus in tests/data/fuzz/NAME/, its words in tests/fuzz/NAME.dict;
# here the sources that it tests, and their libraries.
FUZZ := agent_line balloon config qga

FUZZ_SRC_config := $(wildcard user/config/*.c) \
	    $(addprefix user/util/,log.c parse.c scan.c suggest.c text.c wrap.c)
FUZZ_LIB_config := -linih
FUZZ_SRC_agent_line := $(addprefix user/guest/,agent_check.c agent_compare.c agent_parse.c \
	    agent_rates.c guest.c line.c) user/util/json_depth.c user/virt/alone.c
FUZZ_LIB_agent_line := -DVMADJ_GUEST_LINE_MAX=640 -ljansson
FUZZ_SRC_balloon := user/guest/balloon.c user/guest/guest.c user/util/json_depth.c
FUZZ_LIB_balloon := -ljansson
FUZZ_SRC_qga := user/guest/guest.c $(wildcard user/guest/qga_[efw]*.c) \
	    $(addprefix user/util/,base64.c json_depth.c proc_text.c scan.c text.c)
FUZZ_LIB_qga := -ljansson

FUZZ_TEST := $(FUZZ:%=$(O)/tests/fuzz/%)
test-programs: $(FUZZ_TEST)

fuzz: $(FUZZ:%=$(O)/fuzz/%)
ifneq ($(RUNS),)
	$(Q)O=$(O) tests/fuzz/run.sh $(RUNS) $(FUZZ)
endif

.SECONDEXPANSION:
$(FUZZ:%=$(O)/fuzz/%): $(O)/fuzz/%: tests/fuzz/fuzz_%.c $$(FUZZ_SRC_%) Makefile tests/fuzz/fuzz.mk
	$(call say,FUZZ,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(CFLAGS) -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
		$(filter %.c,$^) $(FUZZ_LIB_$*) -lm -o $@

$(FUZZ_TEST): $(O)/tests/fuzz/%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c $$(FUZZ_SRC_%) Makefile \
		tests/fuzz/fuzz.mk
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(filter %.c,$^) $(LDFLAGS) $(FUZZ_LIB_$*) -lm -o $@
