# SPDX-License-Identifier: GPL-2.0-only
#
# make kmod    $(O)/kmod/6.1/vmadj_kmod.ko and $(O)/kmod/6.12/vmadj_kmod.ko, for the lab's kernels
#
# Where their headers are not to be had, nothing is built, and it says why. For the kernel that
# runs here:  make -C /lib/modules/$(uname -r)/build M=$PWD/tools/kmod modules
#
# The kernel's makefiles write beside what they read: so they are given a copy.
KMOD_VERSIONS := 6.1 6.12
KMOD_SRC := $(wildcard tools/kmod/*.[ch]) tools/kmod/Kbuild bpf/sched.h bpf/histogram.h

.PHONY: kmod
kmod: $(KMOD_VERSIONS:%=kmod-%)

$(KMOD_VERSIONS:%=kmod-%): kmod-%:
	$(Q)tools/kmod/build.sh $* $(O) $(KMOD_SRC) || [ $$? -eq 77 ]
