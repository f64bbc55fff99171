-- Roles and database, as the superuser; may run any number of times (natively at every start).
-- The owner migrates and may create databases (each test file clones one); the application
-- connects as a role that owns nothing.
\set ON_ERROR_STOP on
\getenv owner DB_OWNER_USER
\getenv owner_password DB_OWNER_PASSWORD
\getenv app DB_USER
\getenv app_password DB_PASSWORD
\getenv database DB_NAME

SELECT format('CREATE ROLE %I', name)
FROM unnest(ARRAY[:'owner', :'app']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

ALTER ROLE :"owner" LOGIN CREATEDB PASSWORD :'owner_password';
ALTER ROLE :"app" LOGIN PASSWORD :'app_password';

-- Nothing of a statement reaches the server's log, whatever fails, also where the server was not started
-- with infra/postgres/log-settings.conf. Only a superuser may say so; the roles cannot undo it.
SELECT format('ALTER ROLE %I SET %s', role, setting)
FROM unnest(ARRAY[:'owner', :'app']) AS role, unnest(ARRAY[
  'log_min_error_statement = panic', 'log_error_verbosity = terse',
  'log_parameter_max_length = 0', 'log_parameter_max_length_on_error = 0'
]) AS setting \gexec

SELECT format('CREATE DATABASE %I OWNER %I', :'database', :'owner')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
