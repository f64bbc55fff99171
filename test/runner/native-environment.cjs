const { ModernFakeTimers } = require('@jest/fake-timers');
const { TestEnvironment } = require('jest-environment-node');
const setVariables = require('./environment-variables.cjs');

/**
 * Jest's own modules stay in a vm context, the modules under test run in the process's own (native-runtime.cjs). Both
 * therefore share the constructors, which `expect.any(Number)` compares, and the timers that are faked are the
 * process's. So are the environment variables: a project's own are `testEnvironmentOptions.env`.
 */
class NativeEnvironment extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    for (const name of CONSTRUCTORS) this.global[name] = globalThis[name];
    this.fakeTimersModern.dispose();
    this.fakeTimersModern = new ModernFakeTimers({ config: config.projectConfig, global: globalThis });
    this.restoreVariables = setVariables(config.projectConfig.testEnvironmentOptions.env ?? {});
  }

  async teardown() {
    this.restoreVariables();
    await super.teardown();
  }
}

const CONSTRUCTORS = Object.getOwnPropertyNames(globalThis).filter(
  (name) => /^[A-Z]/.test(name) && typeof globalThis[name] === 'function',
);

module.exports = NativeEnvironment;
