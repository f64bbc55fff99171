// Dependencies point one way: kernel ← domain ← app, read, worker, store ← api ← module ← app.module.
// `make check` runs it over src; test/architecture runs it over a copy of that layout with one violation a rule.

const SRC = '^(?:test/architecture/fixture/)?src';
const FEATURES = 'task|execution|identity|health|audit';
/** Used by migrations alone. */
const FOR_MIGRATIONS = [`${SRC}/platform/postgres/grants[.]ts$`];
/** At the version that Nest's adapter and dockerode bring; one declared beside them could be a second copy. */
const BROUGHT_ALONG = ['node_modules/(fastify|docker-modem)/'];

const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

module.exports = {
  forbidden: [
    forbid(
      'kernel-knows-nothing',
      'The kernel is what everything else is written in.',
      { path: `${SRC}/kernel/` },
      { path: `${SRC}/`, pathNot: `${SRC}/kernel/` },
    ),
    forbid(
      'domain-knows-the-kernel',
      'Decisions are pure: no framework, no storage, no other feature.',
      { path: `${SRC}/([^/]+)/domain/` },
      { path: `${SRC}/`, pathNot: `${SRC}/(kernel|$1/domain)/` },
    ),
    forbid(
      'pure-without-libraries',
      'Kernel and domain have zod, uuid and lru-cache, and no I/O.',
      { path: `${SRC}/(kernel|[^/]+/domain)/` },
      { dependencyTypesNot: ['local', 'type-only'], pathNot: ['node_modules/(zod|uuid|lru-cache)/', `${SRC}/`] },
    ),
    forbid(
      'app-knows-domain-and-platform',
      'What a feature does is not told by how it is asked over HTTP.',
      { path: `${SRC}/([^/]+)/(app|read|worker|store)/` },
      { path: `${SRC}/`, pathNot: `${SRC}/(kernel|platform|$1/(domain|app|read|worker|store))/` },
    ),
    forbid(
      'api-knows-app-and-read',
      'Controllers send commands and queries; they neither run nor store anything.',
      { path: `${SRC}/([^/]+)/api/`, pathNot: `${SRC}/orchestration/` },
      { path: `${SRC}/`, pathNot: `${SRC}/(kernel|platform|$1/(domain|app|read|api))/` },
    ),
    forbid(
      'orchestration-api-sees-apis',
      'A request that concerns several features is made of what their own requests are made of.',
      { path: `${SRC}/orchestration/api/` },
      { path: `${SRC}/`, pathNot: `${SRC}/(kernel|platform|orchestration/(lifecycle|api)|[^/]+/(domain|app|api))/` },
    ),
    forbid(
      'platform-knows-the-kernel',
      'What carries events does not know what they say.',
      { path: `${SRC}/platform/` },
      { path: `${SRC}/`, pathNot: `${SRC}/(kernel|platform)/` },
    ),
    forbid(
      'features-apart',
      'Features meet in the kernel, or in orchestration; they never import each other.',
      { path: `${SRC}/(${FEATURES})/` },
      { path: `${SRC}/(${FEATURES}|orchestration)/`, pathNot: `${SRC}/$1/` },
    ),
    forbid(
      'orchestration-sees-domains',
      'It decides over several features by their deciders, and by nothing else of theirs.',
      { path: `${SRC}/orchestration/`, pathNot: `${SRC}/orchestration/api/` },
      { path: `${SRC}/(${FEATURES})/`, pathNot: `${SRC}/[^/]+/domain/` },
    ),
    forbid(
      'config-at-the-root',
      'Everything else is given its settings.',
      { path: `${SRC}/`, pathNot: [`${SRC}/[^/]+[.]ts$`, `${SRC}/(config|composition|cli)/`] },
      { path: `${SRC}/config/` },
    ),
    forbid(
      'composition-at-the-root',
      'Nothing that is composed knows of its composition.',
      { path: `${SRC}/`, pathNot: [`${SRC}/[^/]+[.]ts$`, `${SRC}/(composition|cli)/`] },
      { path: [`${SRC}/(composition|cli)/`, `${SRC}/[^/]+[.]ts$`] },
    ),
    forbid('no-circles', 'Neither of the two can be read alone.', {}, { circular: true }),
    forbid(
      'no-orphans',
      'Nobody imports it: it can go.',
      { orphan: true, path: `${SRC}/`, pathNot: [`${SRC}/[^/]+[.]ts$`, `${SRC}/cli/main[.]ts$`, ...FOR_MIGRATIONS] },
      {},
    ),
    forbid(
      'no-tests-in-src',
      'Tests and benches know the source, not the other way round.',
      { path: `${SRC}/` },
      { path: '^(test|bench)/', pathNot: '^test/architecture/fixture/' },
    ),
    forbid(
      'declared-libraries-only',
      'What runs in production is a dependency of package.json.',
      { path: `${SRC}/` },
      {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        pathNot: ['node_modules/@types/', ...BROUGHT_ALONG],
      },
    ),
    forbid('resolvable', 'The import leads nowhere.', { path: `${SRC}/` }, { couldNotResolve: true }),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    // What is imported as a type binds just as well.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
