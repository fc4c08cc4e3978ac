# wander: the commands that build, show, test and measure it. Each installs what it needs and can be run again.
PREFIX ?= /usr/local
export LC_ALL ?= C.UTF-8

.PHONY: all help demo test lint format docs bench install clean

all: ## Build the executables into out/bin
	@script/setup build
	@script/build

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

demo: ## Build, make the starter box, and take a real environment through its life
	@script/setup build run boxes
	@script/build
	@script/demo

test: ## Every tier of tests
	@script/setup build run boxes test
	@script/test

lint: ## Formatting, arrows between targets, scripts, comments
	@script/setup test
	@script/lint

format: ## Rewrite the sources as the linter wants them
	@swift format --in-place --parallel --recursive --configuration .swift-format Package.swift Sources Tests Benchmarks

docs: all ## Write docs/wanderfile.md from the Wanderfile's schema
	out/bin/wander manual wanderfile.md >out/wanderfile.md
	mv out/wanderfile.md docs/wanderfile.md

bench: ## Sizes, start-up, and every benchmark against its peer
	@script/setup build run boxes test bench
	@script/build
	@script/bench

install: all ## Install below PREFIX (default /usr/local)
	install -d "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(PREFIX)/share/man/man1" "$(DESTDIR)$(PREFIX)/share/man/man5" \
	    "$(DESTDIR)$(PREFIX)/share/bash-completion/completions" "$(DESTDIR)$(PREFIX)/share/zsh/site-functions" \
	    "$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d" "$(DESTDIR)$(PREFIX)/share/wander"
	for program in out/bin/wander*; do install -m 755 $$program "$(DESTDIR)$(PREFIX)/bin/"; done
	out/bin/wander manual wander.1 >"$(DESTDIR)$(PREFIX)/share/man/man1/wander.1"
	out/bin/wander manual Wanderfile.5 >"$(DESTDIR)$(PREFIX)/share/man/man5/Wanderfile.5"
	out/bin/wander completion bash >"$(DESTDIR)$(PREFIX)/share/bash-completion/completions/wander"
	out/bin/wander completion zsh >"$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_wander"
	out/bin/wander completion fish >"$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/wander.fish"
	cp -r boxes "$(DESTDIR)$(PREFIX)/share/wander/"

clean: ## Remove everything that was built
	rm -rf .build .build-* out
