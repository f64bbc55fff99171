import type { Verdict } from '../../../src/tasks/domain/test-results.js';
import type { Judge, TestCase } from '../../../src/tasks/domain/test-suite.js';
import { aTest, io } from '../builders/suites.js';

/** Programs and tests that break judges (docs/sandbox.md, "Test suites"). */
export interface SuiteCase {
  readonly runtime: string;
  readonly script: string;
  readonly tests: readonly TestCase[];
  readonly judge?: Partial<Judge>;
  readonly verdicts: readonly Verdict[];
}

const checked = (script_content: string): Partial<Judge> => ({
  compare: 'checker',
  checker: { script_type: 'bash', script_content },
});

const SMALL = { memory_mb: 32, cpus: 1, pids: 32 };
const bash = (script: string, ...tests: readonly TestCase[]) => ({ runtime: 'bash', script, tests });
const python = (script: string, ...tests: readonly TestCase[]) => ({ runtime: 'python', script, tests });
const accepted: readonly Verdict[] = ['accepted'];

export const SUITE_CASES: Readonly<Record<string, SuiteCase>> = {
  'no newline at the end': {
    ...bash('printf 42', io('', '42\n'), io('', '42')),
    verdicts: ['accepted', 'accepted'],
  },
  'no newline at the end, exactly': {
    ...bash('printf 42', io('', '42\n'), io('', '42')),
    judge: { compare: 'exact' },
    verdicts: ['wrong_answer', 'accepted'],
  },
  'CRLF in what is expected, and in the output': {
    ...bash(String.raw`printf 'a\nb\n'`, io('', 'a\r\nb\r\n')),
    verdicts: accepted,
  },
  'trailing blanks': { ...bash(String.raw`printf 'a  \nb\t\n\n\n'`, io('', 'a\nb')), verdicts: accepted },
  'blanks at the beginning of a line': { ...bash("echo ' a'", io('', 'a')), verdicts: ['wrong_answer'] },
  'a single line of 60,000 characters': {
    ...python('print("x" * 60_000)', io('', 'x'.repeat(60_000)), io('', `${'x'.repeat(59_999)}y`)),
    verdicts: ['accepted', 'wrong_answer'],
  },
  'output that goes on when the verdict is known': {
    ...bash('echo wrong; for i in {1..2000}; do echo right; done', io('', 'right')),
    verdicts: ['wrong_answer'],
  },
  'output without end': {
    ...bash('yes', io('', 'y', { timeout_seconds: 1 }), io('', 'y', { timeout_seconds: 1 })),
    judge: { stop_on: 'first_failure' },
    verdicts: ['output_limit'],
  },
  'the right thing, and a crash': {
    ...bash('echo 42; kill -SEGV $$', io('', '42')),
    verdicts: ['runtime_error'],
  },
  'the right thing, and a failure': { ...bash('echo 42; exit 3', io('', '42')), verdicts: ['runtime_error'] },
  'a failure that is expected': {
    ...bash('echo 42; exit 3', io('', '42', { expected_return_code: 3 })),
    verdicts: accepted,
  },
  'stdout that is closed early': {
    ...bash('echo 42; exec >&-; sleep 0.1', io('', '42')),
    verdicts: accepted,
  },
  'the right thing, and too much memory in a child': {
    ...python(
      'import os\nif os.fork() == 0: bytearray(1 << 28)\nos.wait()\nprint(42)',
      io('', '42', { limits: SMALL }),
      io('', '42', { limits: { memory_mb: 32 } }),
    ),
    verdicts: ['memory_limit', 'memory_limit'],
  },
  'too much memory': { ...python('bytearray(1 << 28)', io('', '', { limits: SMALL })), verdicts: ['memory_limit'] },
  'processes that are left behind': {
    ...bash('(trap "" TERM HUP; sleep 60; echo late) & disown; echo 42', io('', '42'), io('', '42')),
    verdicts: ['accepted', 'accepted'],
  },
  'files that are left behind': {
    ...bash('ls /tmp /dev/shm; touch left /tmp/left /dev/shm/left', io('', '/dev/shm:\n\n/tmp:\nwork')),
    verdicts: accepted,
  },
  'a script that changes itself': {
    ...bash('echo 42; chmod u+w main.sh; echo "echo 43" >main.sh', io('', '42'), io('', '42')),
    verdicts: ['accepted', 'accepted'],
  },
  'a program that kills all others': {
    ...bash('sleep 60 & kill -9 -1; echo 42', io('', '42'), aTest()),
    verdicts: ['accepted', 'accepted'],
  },
  'NaN and 1e-9': {
    ...bash('cat', io('nan 1 0.333333333', 'NaN 1.000000001 0.333333334'), io('nan', '0'), io('1', 'nan')),
    judge: { compare: 'numbers', numbers: { absolute: 1e-9, relative: 0 } },
    verdicts: ['accepted', 'wrong_answer', 'wrong_answer'],
  },
  'what is just beyond 1e-9': {
    ...bash('cat', io('1', '1.0000000011')),
    judge: { compare: 'numbers', numbers: { absolute: 1e-9, relative: 0 } },
    verdicts: ['wrong_answer'],
  },
  'an expected output of 0 bytes': {
    ...bash('cat', io('', ''), io('\n', ''), io('x', '')),
    verdicts: ['accepted', 'accepted', 'wrong_answer'],
  },
  'no expected output': { ...bash('echo anything', aTest()), verdicts: accepted },
  'lines in any order': {
    ...bash(String.raw`printf 'b\na\nb\n'`, io('', 'b\nb\na'), io('', 'a\na\nb')),
    judge: { compare: 'unordered_lines' },
    verdicts: ['accepted', 'wrong_answer'],
  },
  'a program that takes too long': {
    ...bash('read s; sleep $s', io('0', ''), io('30', '', { timeout_seconds: 0.5 }), io('0', '')),
    verdicts: ['accepted', 'time_limit', 'accepted'],
  },
  'a program that computes too long': {
    ...bash('while :; do :; done', io('', '', { limits: { cpu_time_seconds: 0.2 } })),
    verdicts: ['time_limit'],
  },
  'a checker that accepts': {
    ...bash('cat', io('in', 'out')),
    judge: checked('[[ $(<input) == in && $(<expected) == out && $(<output) == in ]]'),
    verdicts: accepted,
  },
  'a checker that loops': {
    ...bash('true', aTest()),
    judge: checked('while :; do :; done'),
    verdicts: ['checker_failed'],
  },
  'a checker that prints 1 GB': {
    ...bash('true', aTest()),
    judge: checked('head -c 1G /dev/zero; exit 1'),
    verdicts: ['wrong_answer'],
  },
  'a checker that kills its parent': {
    ...bash('true', aTest(), aTest()),
    judge: checked('kill -9 $PPID; kill -9 1; kill -9 -1; exit 0'),
    verdicts: ['accepted', 'accepted'],
  },
  'a checker that forks without end': {
    ...bash('true', aTest()),
    // It makes one process itself: a second one might have to wait for its own bomb.
    judge: checked('f() { f | f & }; f & exit 0'),
    verdicts: accepted,
  },
  'a checker that does not exist': {
    ...bash('true', aTest()),
    judge: checked('exec ./missing'),
    verdicts: ['checker_failed'],
  },
};
