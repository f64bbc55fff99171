// Dependencies point one way, from the left to the right:
//   main → composition, cli → mcp, worker, orchestrator, facades, erasure → webhooks → tasks, identity, operations → http → sandbox, queue, live-output, live-input
//        → runtimes, sealing → event-sourcing → platform → kernel
// `make check` runs these rules on src and on the client. test/architecture runs them on a copy of the layout that breaks each rule once.

const SRC = '^(?:test/architecture/fixture/)?src';
const CLIENT = '^(?:test/architecture/fixture/)?packages/client/src';
/** At the version that Nest's adapter and dockerode bring; a second declaration could install a second copy. */
const BROUGHT_ALONG = ['node_modules/(fastify|docker-modem)/'];

const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

/** The folder may import only itself and the folders named. */
const layer = (folder, allowed, comment) =>
  forbid(
    `${folder}-imports`,
    comment,
    { path: `${SRC}/${folder}/` },
    { path: `${SRC}/`, pathNot: `${SRC}/(${[folder, ...allowed].join('|')})/` },
  );

module.exports = {
  forbidden: [
    layer('kernel', [], 'Every other folder is written in terms of the kernel.'),
    layer('platform', ['kernel'], 'Clients of Postgres, NATS and Redis know nothing of events.'),
    layer('event-sourcing', ['kernel', 'platform'], 'The log does not know what its events mean.'),
    layer(
      'sealing',
      ['kernel', 'platform', 'event-sourcing'],
      'The sealed log proves what was recorded, whatever it means.',
    ),
    layer('runtimes', ['kernel', 'platform'], 'Declarations of runtimes: nothing runs here.'),
    layer('sandbox', ['kernel', 'platform', 'runtimes'], 'The sandbox runs programs. It knows no tasks.'),
    layer('queue', ['kernel', 'platform', 'runtimes'], 'The queue orders jobs. It knows no tasks.'),
    layer('live-output', ['kernel', 'platform', 'event-sourcing', 'sandbox'], 'Output in flight is not recorded.'),
    layer('live-input', ['kernel', 'platform', 'event-sourcing'], 'Input in flight is not recorded.'),
    layer('http', ['kernel', 'platform', 'event-sourcing'], 'The shared edge knows no resource.'),
    layer('webhook-endpoints', ['kernel', 'platform', 'http'], 'Where webhooks are sent. It knows no events.'),
    layer('identity', ['kernel', 'platform', 'event-sourcing', 'http'], 'Accounts know no tasks.'),
    layer(
      'tasks',
      [
        ...['kernel', 'platform', 'event-sourcing', 'http', 'runtimes', 'sandbox', 'live-output', 'live-input'],
        'webhook-endpoints',
      ],
      'Tasks do not run anything.',
    ),
    layer(
      'webhooks',
      [
        ...[
          'kernel',
          'platform',
          'event-sourcing',
          'http',
          'runtimes',
          'sandbox',
          'live-output',
          'live-input',
          'tasks',
        ],
        'webhook-endpoints',
      ],
      'Webhooks tell about executions, and change none.',
    ),
    layer(
      'erasure',
      ['kernel', 'platform', 'event-sourcing', 'sandbox', 'live-output', 'tasks', 'webhooks'],
      'It ends what an account has: only composition and the command line start it.',
    ),
    layer(
      'facades',
      [
        ...[
          'kernel',
          'platform',
          'event-sourcing',
          'http',
          'runtimes',
          'sandbox',
          'live-output',
          'live-input',
          'tasks',
        ],
        ...['webhook-endpoints', 'webhooks'],
      ],
      'Other services’ APIs, translated: nothing but tasks runs anything.',
    ),
    layer(
      'worker',
      ['kernel', 'platform', 'event-sourcing', 'runtimes', 'sandbox', 'queue', 'live-output', 'live-input', 'tasks'],
      'A worker serves no requests.',
    ),
    layer('orchestrator', ['kernel', 'platform', 'event-sourcing', 'queue', 'tasks'], 'It enqueues, and runs nothing.'),
    layer(
      'operations',
      ['kernel', 'platform', 'event-sourcing', 'sealing', 'http'],
      'Checks take what they need to know as parameters.',
    ),
    layer('mcp', ['kernel', 'platform', 'http'], 'A client of the API: it knows no task.'),
    layer('config', [], 'Settings are read before anything else.'),
    forbid(
      'client-stands-alone',
      'It is published by itself, for Node and for browsers: no source of the service, no module of Node.',
      { path: `${CLIENT}/` },
      { pathNot: [`${CLIENT}/`, 'node_modules/openapi-fetch/'] },
    ),
    forbid(
      'client-in-cli-and-mcp-only',
      'The service does not call itself over HTTP, except for a model.',
      { path: `${SRC}/`, pathNot: `${SRC}/(cli|mcp)/` },
      { path: `${CLIENT}/` },
    ),
    forbid(
      'people-use-the-client',
      'Commands for people use a server over HTTP. Nothing of the service, its settings or its database is loaded.',
      { path: `${SRC}/cli/(people/|main[.]ts$|program[.]ts$|command-list[.]ts$)` },
      {
        path: `${SRC}/`,
        pathNot: [
          `${SRC}/cli/(people/|(program|command-list|exit-codes|failure|output|whole-number)[.]ts$)`,
          `${SRC}/platform/async/(delay|ignore-errors|timeout)[.]ts$`,
          `${SRC}/composition/version[.]ts$`,
        ],
        dependencyTypesNot: ['dynamic-import'],
      },
    ),
    forbid(
      'domain-is-pure',
      'Decisions know the kernel, the decider core and the names of ports; no framework and no storage.',
      { path: `${SRC}/(identity|tasks|webhooks)/domain/` },
      {
        path: `${SRC}/`,
        pathNot: `${SRC}/(kernel|event-sourcing/core|$1/domain|tasks/domain)/|${SRC}/(sandbox/sandbox|live-output/live-output)[.]ts$`,
      },
    ),
    forbid(
      'pure-without-libraries',
      'Kernel and domain use zod and uuid, and no I/O.',
      { path: `${SRC}/(kernel|[^/]+/domain)/` },
      { dependencyTypesNot: ['local', 'type-only'], pathNot: ['node_modules/(zod|uuid)/', `${SRC}/`] },
    ),
    forbid(
      'api-on-top',
      'Commands, queries, the worker and the orchestrator do not depend on how they are called over HTTP.',
      { path: `${SRC}/`, pathNot: `${SRC}/(composition|cli|facades|[^/]+/api)/` },
      { path: `${SRC}/[^/]+/api/` },
    ),
    forbid(
      'queries-decide-nothing',
      'Reading records nothing.',
      { path: `${SRC}/tasks/queries/` },
      { path: `${SRC}/tasks/commands/` },
    ),
    forbid(
      'worker-and-orchestrator-send-commands',
      'They go through the command bus, as the API does.',
      { path: `${SRC}/(worker|orchestrator)/` },
      { path: `${SRC}/tasks/(commands|queries|api)/` },
    ),
    forbid(
      'core-first',
      'Deciders and decisions know no table and no stream of NATS.',
      { path: `${SRC}/event-sourcing/core/` },
      { path: `${SRC}/event-sourcing/`, pathNot: `${SRC}/event-sourcing/core/` },
    ),
    forbid(
      'composition-at-the-root',
      'Composed parts do not know their composition.',
      { path: `${SRC}/`, pathNot: [`${SRC}/main[.]ts$`, `${SRC}/(composition|cli)/`] },
      { path: [`${SRC}/(composition|cli)/`, `${SRC}/main[.]ts$`] },
    ),
    forbid('no-circles', 'Neither of the two can be read alone.', {}, { circular: true }),
    forbid(
      'no-orphans',
      'Nothing imports it: delete it.',
      {
        orphan: true,
        path: `${SRC}/`,
        pathNot: [`${SRC}/main[.]ts$`, `${SRC}/composition/telemetry[.]ts$`, `${SRC}/cli/main[.]ts$`],
      },
      {},
    ),
    forbid(
      'no-tests-in-src',
      'Tests and benches import the source, never the reverse.',
      { path: `${SRC}/` },
      { path: '^(test|bench)/', pathNot: '^test/architecture/fixture/' },
    ),
    forbid(
      'declared-libraries-only',
      'A library used in production is a dependency in package.json.',
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
    // A type import is a dependency, too.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
