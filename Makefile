# Each target is one subcommand of an entry of infra/dev; `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory
dev := infra/dev

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup dev-up dev-down dev-status dev
setup: ## install what is missing and generate settings (VOIDRUNNER_SETUP=auto|native|compose)
	@$(dev)/setup all
dev-up: ## set up, start everything, and run a first task
	@$(dev)/app up
dev-down: ## stop the app and our services; the data stays
	@$(dev)/app down
dev-status: ## show what runs, and where
	@$(dev)/app status
dev: ## the app in watch mode
	@$(dev)/app watch

.PHONY: services-start services-stop migrate-up migrate-down images
services-start: ## start Postgres, Redis, NATS and, if none answers, a Docker engine
	@$(dev)/setup settings
	@$(dev)/services start
services-stop: ## stop the services we started
	@$(dev)/services stop
migrate-up: ## bring the database's schema up to date
	@$(dev)/app migrate up
migrate-down: ## revert the last migration
	@$(dev)/app migrate down
images: ## build images that user code runs in: the default ones, or RUNTIMES="NAME…" (or all)
	@$(dev)/images build $(RUNTIMES)

.PHONY: test test-unit test-integration test-e2e test-clients test-runtimes test-compose check bench
test: ## set up, check, and run every test with coverage
	@$(dev)/test all
test-unit: ## unit tests only; needs no service
	@$(dev)/test unit
test-integration: ## tests against real services
	@$(dev)/test integration
test-e2e: ## tests of the whole service, over HTTP
	@$(dev)/test e2e
test-clients: ## clients of the API, made by several generators
	@$(dev)/test clients
test-runtimes: ## every declared runtime, with its image
	@$(dev)/test runtimes
test-compose: ## the stack of docker-compose.yml, from nothing to a first task, and its limits
	@$(dev)/test compose
check: ## types, lint, format, architecture, syntax, shell scripts
	@$(dev)/test check
bench: ## measure (see bench/)
	@$(dev)/test bench

.PHONY: docs-serve print-env sbom clean
docs-serve: ## the API's documentation on http://localhost:8081
	@bin/voidrunner docs --port 8081
print-env: ## the settings in force, as KEY=value lines
	@$(dev)/setup print-env
sbom: ## the bill of materials: sbom.cdx.json (CycloneDX)
	@$(dev)/setup sbom
clean: ## stop everything and remove what setup and use made here
	@$(dev)/setup clean
