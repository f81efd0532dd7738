# SPDX-License-Identifier: GPL-2.0-only
#
# install.mk - make install, make uninstall; a part of the Makefile
SYSCONFDIR  ?= /etc
UNITDIR     ?= $(PREFIX)/lib/systemd/system
TMPFILESDIR ?= $(PREFIX)/lib/tmpfiles.d

.PHONY: install uninstall FORCE

# What names PREFIX is made anew when it is another one.
$(O)/prefix: FORCE
	@mkdir -p $(@D); echo '$(PREFIX)' | cmp -s - $@ || echo '$(PREFIX)' > $@
$(O)/user/config/keys.o: $(O)/prefix
$(O)/placed/%: dist/%.in $(O)/prefix ; $(place)
$(O)/placed/%: dist/% $(O)/prefix ; $(place)
$(O)/placed/%: docs/% $(O)/prefix ; $(place)
place = $(Q)mkdir -p $(@D) && sed -e 's|@sbindir@|$(PREFIX)/sbin|' -e 's|/usr/local/|$(PREFIX)/|' $< > $@

MAN   := $(notdir $(wildcard docs/*.[578]))
CONF   = $(DESTDIR)$(SYSCONFDIR)/vmadjust-bpf/vmadjust-bpf.conf
# mode:source:place
PARTS  = 755:$(O)/vmadjust-bpf:$(PREFIX)/sbin/vmadjust-bpf \
	 755:$(O)/vmadjust-guest:$(PREFIX)/sbin/vmadjust-guest \
	 644:$(O)/placed/vmadjust-guest.service:$(UNITDIR)/vmadjust-guest.service \
	 $(foreach p,$(POLICY),755:$p:$(PREFIX)/lib/vmadjust-bpf/policies/$(notdir $p)) \
	 $(foreach h,$(wildcard policies/*.h),644:$h:$(PREFIX)/include/vmadjust-bpf/$(notdir $h)) \
	 $(foreach m,$(MAN),644:$(O)/placed/$m:$(PREFIX)/share/man/man$(subst .,,$(suffix $m))/$m) \
	 644:$(O)/placed/vmadjust-bpf.service:$(UNITDIR)/vmadjust-bpf.service \
	 644:dist/vmadjust-bpf.tmpfiles:$(TMPFILESDIR)/vmadjust-bpf.conf

OWN_DIRS = $(PREFIX)/lib/vmadjust-bpf/policies $(PREFIX)/lib/vmadjust-bpf \
	   $(PREFIX)/include/vmadjust-bpf $(SYSCONFDIR)/vmadjust-bpf

# A configuration that is there stays as it is: the new one is laid beside it.
install: all $(addprefix $(O)/placed/,$(MAN) vmadjust-bpf.service vmadjust-guest.service vmadjust-bpf.conf)
	$(Q)set -e; IFS=:; for part in $(PARTS:%='%'); do set -- $$part; \
		install -D -m "$$1" "$$2" "$(DESTDIR)$$3"; done
	$(Q)cmp -s $(O)/placed/vmadjust-bpf.conf $(CONF) || install -D -m 644 \
		$(O)/placed/vmadjust-bpf.conf $(CONF)$$(test ! -e $(CONF) || echo .new)

# The configuration stays if it is not as it came.
uninstall: $(O)/placed/vmadjust-bpf.conf
	$(Q)IFS=:; for part in $(PARTS:%='%'); do set -- $$part; rm -f "$(DESTDIR)$$3"; done
	$(Q)rm -f $(CONF).new; if cmp -s $< $(CONF); then rm $(CONF); fi
	$(Q)rmdir --ignore-fail-on-non-empty $(OWN_DIRS:%=$(DESTDIR)%) 2>/dev/null || true
