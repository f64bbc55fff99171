import { lintMetrics, parsePrometheusText } from '../../support/prometheus-text.js';

/** Checks that the tools of test/e2e/operator-port.test.ts find faults. */
const whole = (body: string): string => `# HELP a_total what it is\n# TYPE a_total counter\n${body}\n`;

test('well-formed text is parsed', () => {
  expect(parsePrometheusText(whole('a_total{b="c\\"d",e="f"} 1.5'))).toEqual([
    {
      name: 'a_total',
      type: 'counter',
      help: 'what it is',
      samples: [{ name: 'a_total', labels: { b: 'c\\"d', e: 'f' }, value: 1.5 }],
    },
  ]);
});

test.each([
  ['no end of the last line', 'a 1'],
  ['an invalid value', whole('a_total one')],
  ['a label without quotes', whole('a_total{b=c} 1')],
  ['a label twice', whole('a_total{b="c",b="d"} 1')],
  ['a sample of another family', whole('b_total 1')],
  ['a sample twice', whole('a_total 1\na_total 2')],
  ['a type twice', `${whole('a_total 1')}# TYPE a_total counter\n`],
  ['buckets that shrink', '# HELP h x\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_count 1\n'],
])('%s is refused', (_what, text) => {
  expect(() => parsePrometheusText(text)).toThrow();
});

test.each([
  ['a_ms', 'gauge', 'an abbreviated unit'],
  ['a_milliseconds', 'gauge', 'no base unit'],
  ['a', 'counter', 'without _total'],
  ['a_total', 'gauge', 'and no counter'],
  ['aB', 'gauge', 'camel case'],
  ['a_gauge', 'gauge', 'its type'],
  ['a_count', 'gauge', 'a suffix'],
])('%s, a %s, is %s', (name, type, words) => {
  expect(lintMetrics([{ name, type, help: 'x', samples: [] }]).join()).toContain(words);
});
