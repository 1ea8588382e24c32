# poolguard: `make` builds, `make demo` shows it at work, `make test` runs everything.
# Other targets: bench deps lint format install uninstall clean. V=1 shows the commands.
CC ?= cc
CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib/poolguard
BUILD ?= build
PYTHON ?= /usr/bin/python3
VERSION := 0.1.0

Q := $(if $(V),,@)
WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
override CPPFLAGS += -D_GNU_SOURCE -DPG_VERSION='"$(VERSION)"' -Ishim -Itools -MMD -MP
override CFLAGS += -std=gnu11 $(WARN) -fvisibility=hidden
HARDEN := -Wl,-z,relro,-z,now,-z,noexecstack,-z,defs
ARCH := $(shell $(CC) -dumpmachine | cut -d- -f1)

LIB_SRC := $(wildcard shim/*/*.c) shim/wrap/stubs-$(ARCH).S
LIB_OBJ := $(patsubst %,$(BUILD)/lib/%.o,$(LIB_SRC))
# What the command shares with the library: everything that reads a state file.
SHARED := $(wildcard shim/base/*.c) shim/state/view.c shim/state/place.c shim/stack/names.c \
	shim/stack/debugdata.c $(addprefix shim/report/,epollset.c facts.c groups.c report.c \
	suppress.c symbols.c text.c verdict.c)
CMD_SRC := $(wildcard tools/*.c) $(SHARED)
CMD_OBJ := $(patsubst %,$(BUILD)/cmd/%.o,$(CMD_SRC))
MAN := $(BUILD)/man/poolguard.1 $(BUILD)/man/libpoolguard.7

.PHONY: all demo test unit apps bench deps lint format install uninstall clean fuzz
all: $(BUILD)/libpoolguard.so $(BUILD)/poolguard

$(BUILD)/lib/%.o: %
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC      $<")
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -ftls-model=initial-exec -fdata-sections -c $< -o $@

$(BUILD)/cmd/%.o: %
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC      $<")
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fPIE -c $< -o $@

$(BUILD)/exports.ld: shim/wrap/exports.in shim/wrap/real.def
	@mkdir -p $(@D)
	$(Q)$(CC) -E -P -x c -Ishim $< -o $@

# -z initfirst: before any other object's initialisers. -static-libgcc: the unwinder, hidden inside.
# --sort-section: what the constructor touches stands together, apart from the page-aligned objects.
$(BUILD)/libpoolguard.so: $(LIB_OBJ) $(BUILD)/exports.ld
	$(if $(V),,@echo "  LD      $@")
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $(LIB_OBJ) -static-libgcc $(HARDEN) \
		-Wl,-z,initfirst,--sort-section=alignment,--version-script=$(BUILD)/exports.ld \
		-Wl,-soname,libpoolguard.so

$(BUILD)/poolguard: $(CMD_OBJ)
	$(if $(V),,@echo "  LD      $@")
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pie -o $@ $(CMD_OBJ) $(HARDEN) -llzma

# --- benchmarks -----------------------------------------------------------------------------------
BENCH := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))

$(BUILD)/bench/%: tests/bench/%.c $(wildcard tests/bench/*.h)
	@mkdir -p $(@D)
	$(Q)$(CC) -O2 -g -std=gnu11 $(WARN) -D_GNU_SOURCE -pthread $< -o $@

bench: all $(BENCH)
	BUILD=$(BUILD) tests/bench/run $(ARGS)
