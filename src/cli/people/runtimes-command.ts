import { Command } from 'commander';

import { type ServerOption, withPublicServer, withServerOption } from './server/connection.js';
import { printList } from './terminal/list.js';

const EXAMPLES = `
Examples:
  voidrunner runtimes
  voidrunner runtimes --json | jq -r .name`;

export const runtimesCommand = (): Command =>
  withServerOption(new Command('runtimes'))
    .option('--json', 'one JSON object per line')
    .addHelpText('after', EXAMPLES)
    .action((options: ServerOption & { readonly json?: boolean }) =>
      withPublicServer(options, async ({ vr }) =>
        printList(await vr.runtimes.list(), options, [
          { title: 'NAME', value: ({ name }) => name },
          { title: 'LANGUAGE', value: ({ language }) => language },
          { title: 'VERSION', value: ({ version }) => version ?? '-' },
          { title: 'AVAILABLE', value: ({ available }) => (available ? 'yes' : 'no') },
          { title: 'ALIASES', value: ({ aliases }) => aliases.join(', '), flexible: true },
        ]),
      ),
    );
