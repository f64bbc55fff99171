# Each target is one script of infra/dev; `make help` lists them.
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
	@$(dev)/setup.sh
dev-up: ## set up, start everything, and run a first task
	@$(dev)/dev-up.sh
dev-down: ## stop the app and our services; the data stays
	@$(dev)/dev-down.sh
dev-status: ## show what runs, and where
	@$(dev)/status.sh
dev: ## the app in watch mode
	@$(dev)/dev.sh

.PHONY: services-start services-stop migrate-up migrate-down images
services-start: ## start Postgres, Redis, NATS and, where none answers, a Docker engine
	@$(dev)/prepare.sh
	@$(dev)/services-start.sh
services-stop: ## stop the services we started
	@$(dev)/services-stop.sh
migrate-up: ## bring the database's schema up to date
	@$(dev)/migrate.sh up
migrate-down: ## take the last migration back
	@$(dev)/migrate.sh down
images: ## build the images user code runs in
	@$(dev)/images.sh

.PHONY: test test-unit test-integration test-e2e test-compose check bench
test: ## set up, check, and run every test with coverage
	@$(dev)/test.sh
test-unit: ## unit tests only; needs no service
	@$(dev)/test-one.sh unit
test-integration: ## tests against real services
	@$(dev)/test-one.sh integration
test-e2e: ## tests of the whole, over HTTP
	@$(dev)/test-one.sh e2e
test-compose: ## the stack of docker-compose.yml, from nothing to a first task, and its limits
	@$(dev)/test-compose.sh
check: ## types, lint, format, architecture
	@$(dev)/check.sh
bench: ## measure (see bench/)
	@$(dev)/bench.sh

.PHONY: docs-serve print-env sbom clean
docs-serve: ## the API's documentation on http://localhost:8081
	@bin/voidrunner docs --port 8081
print-env: ## the settings in force, as KEY=value lines
	@$(dev)/print-env.sh
sbom: ## the bill of materials: sbom.cdx.json (CycloneDX)
	@$(dev)/sbom.sh
clean: ## stop everything and remove what setup and use made here
	@$(dev)/clean.sh
