# poolguard: `make` builds, `make demo` shows it at work, `make test` runs everything.
# Other targets: unit apps compat torture soak fuzz sanitize aarch64 test-aarch64 bench deps lint format install
# uninstall clean. V=1: show commands.
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
ARCH := $(shell $(CC) -dumpmachine 2>/dev/null | cut -d- -f1)

LIB_SRC := $(wildcard shim/*/*.c) shim/wrap/stubs-$(ARCH).S
LIB_OBJ := $(patsubst %,$(BUILD)/lib/%.o,$(LIB_SRC))
# What the command shares with the library: everything that reads a state file.
SHARED := $(filter-out shim/base/bytes.c,$(wildcard shim/base/*.c)) shim/http/query.c shim/state/view.c shim/state/place.c shim/stack/names.c \
	shim/stack/names_find.c shim/stack/debugdata.c $(filter-out $(addprefix shim/report/,inside.c target.c trigger.c trigger_signal.c),$(wildcard shim/report/*.c))
CMD_SRC := $(wildcard tools/*.c) $(SHARED)
CMD_OBJ := $(patsubst %,$(BUILD)/cmd/%.o,$(CMD_SRC))
MAN := $(BUILD)/man/poolguard.1 $(BUILD)/man/libpoolguard.7

.PHONY: all demo test unit unit-programs apps compat torture torture-short soak sanitize aarch64 test-aarch64 bench deps deps-build lint format install uninstall clean
all: $(BUILD)/libpoolguard.so $(BUILD)/poolguard $(MAN)

$(BUILD)/lib/%.o: %
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC      $<")
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -ftls-model=initial-exec -fdata-sections -c $< -o $@

$(BUILD)/cmd/%.o: %
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC      $<")
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fPIE -c $< -o $@

$(BUILD)/exports.ld: shim/wrap/exports.in $(wildcard shim/wrap/*.def)
	@mkdir -p $(@D)
	$(Q)$(CC) -E -P -x c -Ishim $< -o $@

# -z initfirst: before any other object's initialisers. -static-libgcc: the unwinder, hidden inside.
# --sort-section: what the constructor touches stands together, apart from the page-aligned objects.
# -z noseparate-code: two mappings fewer for each exec.
$(BUILD)/libpoolguard.so: $(LIB_OBJ) $(BUILD)/exports.ld
	$(if $(V),,@echo "  LD      $@")
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $(LIB_OBJ) -static-libgcc $(HARDEN) \
		-Wl,-z,initfirst,-z,noseparate-code,--sort-section=alignment,--version-script=$(BUILD)/exports.ld \
		-Wl,-soname,libpoolguard.so

$(BUILD)/poolguard: $(CMD_OBJ)
	$(if $(V),,@echo "  LD      $@")
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pie -o $@ $(CMD_OBJ) $(HARDEN) -llzma

# The manual: its options come from the table in shim/base/options.def.
$(BUILD)/man/%: $(BUILD)/poolguard $(wildcard tools/man/*.in shim/man/*.in)
	@mkdir -p $(@D)
	$(Q)$(BUILD)/poolguard man-options >$(BUILD)/man/options
	$(Q)sed -e '/^@OPTIONS@$$/{r $(BUILD)/man/options' -e 'd;}' -e 's/@VERSION@/$(VERSION)/' \
		$(wildcard tools/man/$*.in shim/man/$*.in) >$@

-include $(LIB_OBJ:.o=.d) $(CMD_OBJ:.o=.d)

# --- what is needed ---------------------------------------------------------------------------------
deps:
	$(Q)tests/install-deps all
deps-build:
	$(Q)tests/install-deps build

# --- tests ----------------------------------------------------------------------------------------
# Unit tests link the rooms and the wrappers, all but the constructor: a test sets up what it needs.
UNIT := $(patsubst tests/unit/test_%.c,$(BUILD)/unit/test_%,$(wildcard tests/unit/test_*.c))
UNIT_SRC := $(filter-out shim/wrap/start.c shim/base/bytes.c,$(LIB_SRC))
UNIT_OBJ := $(patsubst %,$(BUILD)/unit/%.o,$(UNIT_SRC) $(wildcard tests/unit/support.c tests/unit/http_case.c tests/unit/http_wire.c tests/unit/json_check.c))
UNIT_CFLAGS := -std=gnu11 $(WARN) -O1 -g $(SANITIZE)

# The sanitizers' own start-up calls what we wrap.
$(BUILD)/unit/shim/wrap/%.o: UNIT_CFLAGS += -fno-sanitize=all

$(BUILD)/unit/%.o: %
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(UNIT_CFLAGS) -c $< -o $@

$(BUILD)/unit/test_%: tests/unit/test_%.c $(UNIT_OBJ)
	$(if $(V),,@echo "  TEST    $<")
	$(Q)$(CC) $(CPPFLAGS) $(UNIT_CFLAGS) $< $(UNIT_OBJ) $(LDFLAGS) -static-libgcc -pthread -lcmocka -llzma -o $@

-include $(UNIT_OBJ:.o=.d)

unit-programs: $(UNIT)
unit: unit-programs
	$(Q)for t in $(UNIT); do echo "$$t"; timeout 120 $$t || exit 1; done

# The same with gcc's address and undefined behaviour sanitizers.
sanitize:
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/sanitize unit \
		SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer'

apps: all
	$(Q)POOLGUARD_BUILD=$(abspath $(BUILD)) $(PYTHON) -m pytest -q tests/apps

# Every way in which interposing breaks programs: for a moment each, as part of `make test` ...
TORTURE := POOLGUARD_BUILD=$(abspath $(BUILD)) $(PYTHON) -m pytest -q tests/torture
torture-short: all
	$(Q)$(TORTURE) -m "not long"

# ... for TORTURE_SECONDS in all, then under valgrind, and with undefined behaviour trapped ...
torture: all
	$(Q)TORTURE_SECONDS=$${TORTURE_SECONDS:-300} $(TORTURE)
	$(Q)$(MAKE) --no-print-directory BUILD=$(BUILD)/ubsan torture-short \
		CFLAGS='-O1 -g -fsanitize=undefined -fsanitize-undefined-trap-on-error'

# ... and all at once, for SOAK_SECONDS and SOAK_CONNECTIONS.
soak: all
	$(Q)SOAK_SECONDS=$${SOAK_SECONDS:-600} SOAK_CONNECTIONS=$${SOAK_CONNECTIONS:-1000000} \
		$(TORTURE)/test_soak.py -s

test: deps
	$(Q)$(MAKE) --no-print-directory unit sanitize
	$(Q)$(MAKE) --no-print-directory apps torture-short

# Any bytes at all, for FUZZ_SECONDS, by clang's libFuzzer; seeds and words beside each program. What it
# finds is left in $(BUILD)/fuzz.
FUZZ := $(patsubst tests/fuzz/%.c,fuzz-%,$(wildcard tests/fuzz/*.c))
FUZZ_SECONDS ?= 600

$(BUILD)/fuzz/%: tests/fuzz/%.c $(wildcard shim/http/*.[ch])
	@mkdir -p $@.corpus
	$(Q)clang -std=gnu11 $(WARN) -D_GNU_SOURCE -Ishim -O1 -g -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -fno-omit-frame-pointer $(filter %.c,$^) -o $@

.PHONY: fuzz $(FUZZ)
fuzz: $(FUZZ)
$(FUZZ): fuzz-%: $(BUILD)/fuzz/%
	$(Q)ASAN_OPTIONS=quarantine_size_mb=16 nice -n 19 $< -max_total_time=$(FUZZ_SECONDS) -timeout=10 -max_len=2048 -print_final_stats=1 \
		-dict=tests/fuzz/$*.dict -artifact_prefix=$(BUILD)/fuzz/ $<.corpus tests/fuzz/$*

# Other people's test suites, bare and guarded: writes tests/compat/RESULTS.md. About a quarter of an
# hour; ARGS names some of them, whose table is only printed.
compat: all
	$(Q)tests/install-deps compat
	$(Q)POOLGUARD_BUILD=$(abspath $(BUILD)) $(PYTHON) -m pytest -q -p no:cacheprovider tests/compat
	$(Q)POOLGUARD_BUILD=$(abspath $(BUILD)) tests/compat/run $(ARGS)

# --- aarch64 --------------------------------------------------------------------------------------
# By Debian's cross compiler; the tests run under qemu-user. On such a machine itself, plain `make`.
PACKAGES := $(BUILD)/aarch64/packages
AARCH64 := $(MAKE) --no-print-directory CC=aarch64-linux-gnu-gcc BUILD=$(BUILD)/aarch64 CFLAGS='-O2 -g -Werror' \
	CPPFLAGS='-isystem $(PACKAGES)/usr/include/aarch64-linux-gnu -isystem $(PACKAGES)/usr/include' \
	LDFLAGS='-L$(PACKAGES)/usr/lib/aarch64-linux-gnu'

$(PACKAGES): tests/aarch64/packages
	$(Q)tests/aarch64/packages $@

aarch64: $(PACKAGES)
	$(Q)+$(AARCH64) $(BUILD)/aarch64/libpoolguard.so $(BUILD)/aarch64/poolguard

test-aarch64: aarch64
	$(Q)+$(AARCH64) unit-programs
	$(Q)tests/aarch64/run $(BUILD)/aarch64

# --- benchmarks -----------------------------------------------------------------------------------
BENCH := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))

$(BUILD)/bench/%: tests/bench/%.c $(wildcard tests/bench/*.h)
	@mkdir -p $(@D)
	$(Q)$(CC) -O2 -g -std=gnu11 $(WARN) -D_GNU_SOURCE -pthread $< -o $@ $(LDLIBS)

$(BUILD)/bench/tls_% $(BUILD)/bench/http_exchange: LDLIBS += -lssl -lcrypto
$(BUILD)/bench/tls_data $(BUILD)/bench/tls_connect $(BUILD)/bench/http_exchange: tests/torture/programs/tls_pair.h

# By itself: what observing costs is too little to be seen around system calls.
$(BUILD)/bench/http_observe: tests/bench/http_observe.c $(wildcard tests/bench/*.h shim/http/*.[ch])
	@mkdir -p $(@D)
	$(Q)$(CC) -O2 -g -std=gnu11 $(WARN) -D_GNU_SOURCE -Ishim $(filter %.c,$^) -o $@

bench: all $(BENCH)
	BUILD=$(BUILD) tests/bench/run $(ARGS)

# --- demonstration --------------------------------------------------------------------------------
$(BUILD)/demo/%: tests/demo/%.c tests/demo/net.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -O0 $< -o $@

demo: deps-build
	$(Q)$(MAKE) --no-print-directory all $(BUILD)/demo/server $(BUILD)/demo/client
	$(Q)tests/demo/run $(BUILD)

# --- the house in order ---------------------------------------------------------------------------
C_FILES := $(wildcard shim/*/*.[ch] tools/*.[ch] tests/*/*.[ch] tests/torture/programs/*.[ch])

# varFuncNullUB: in C, and here, NULL is a pointer.
lint: deps
	$(Q)clang-format --dry-run -Werror $(C_FILES)
	$(Q)clang-tidy --quiet $(wildcard shim/*/*.c tools/*.c) -- $(filter-out -M%,$(CPPFLAGS)) -std=gnu11
	$(Q)cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
		--error-exitcode=1 --suppress=missingIncludeSystem --suppress=varFuncNullUB -Ishim -Itools -D__$(ARCH)__ shim tools

format:
	clang-format -i $(C_FILES)

install: all
	install -D -m 755 $(BUILD)/poolguard $(DESTDIR)$(PREFIX)/bin/poolguard
	install -D -m 755 $(BUILD)/libpoolguard.so $(DESTDIR)$(LIBDIR)/libpoolguard.so
	install -D -m 644 $(BUILD)/man/poolguard.1 $(DESTDIR)$(PREFIX)/share/man/man1/poolguard.1
	install -D -m 644 $(BUILD)/man/libpoolguard.7 $(DESTDIR)$(PREFIX)/share/man/man7/libpoolguard.7
	install -D -m 644 shim/report/report.schema.json $(DESTDIR)$(PREFIX)/share/poolguard/report.schema.json

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/poolguard $(DESTDIR)$(LIBDIR)/libpoolguard.so
	rm -f $(DESTDIR)$(PREFIX)/share/man/man1/poolguard.1 $(DESTDIR)$(PREFIX)/share/man/man7/libpoolguard.7
	rm -f $(DESTDIR)$(PREFIX)/share/poolguard/report.schema.json
	rmdir $(DESTDIR)$(LIBDIR) $(DESTDIR)$(PREFIX)/share/poolguard 2>/dev/null || :

clean:
	rm -rf $(BUILD)

# Objects are kept between runs.
.SECONDARY:
