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

SELECT format('CREATE DATABASE %I OWNER %I', :'database', :'owner')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
