/** A sample: `name{labels} value`. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface MetricFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const VALUE = /^(?:[+-]?Inf|NaN|[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)$/i;
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];

/**
 * A strict parser of Prometheus's text format, version 0.0.4.
 * @throws Error at the first invalid line, and for an incomplete family
 */
export function parsePrometheusText(text: string): MetricFamily[] {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const families: (MetricFamily & { samples: Sample[] })[] = [];
  const helps = new Map<string, string>();
  const types = new Map<string, string>();
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = /^# (HELP|TYPE|UNIT) (\S+) ?(.*)$/.exec(line);
    if (comment) {
      const [, kind, name = '', rest = ''] = comment;
      const known = kind === 'HELP' ? helps : types;
      if (kind === 'UNIT') continue;
      if (!NAME.test(name) || known.has(name)) throw new Error(`a second or malformed ${kind}: ${line}`);
      if (kind === 'TYPE' && !TYPES.includes(rest)) throw new Error(`an unknown type: ${line}`);
      known.set(name, rest);
      if (kind === 'TYPE') families.push({ name, type: rest, help: helps.get(name) ?? '', samples: [] });
      continue;
    }
    if (line.startsWith('#')) continue;
    const sample = sampleOf(line);
    const family = families.at(-1);
    if (!family || !belongs(sample.name, family)) throw new Error(`a sample outside its family: ${line}`);
    family.samples.push(sample);
  }
  for (const family of families) checkWhole(family);
  return families;
}

function sampleOf(line: string): Sample {
  const parts = SAMPLE.exec(line);
  if (!parts || !VALUE.test(parts[3]!)) throw new Error(`no sample: ${line}`);
  const labels: Record<string, string> = {};
  for (let rest = parts[2] ?? ''; rest !== '';) {
    const label = LABEL.exec(rest);
    if (!label || Object.hasOwn(labels, label[1]!)) throw new Error(`a malformed or second label: ${line}`);
    labels[label[1]!] = label[2]!;
    rest = rest.slice(label[0].length);
  }
  return { name: parts[1]!, labels, value: Number(parts[3]!.replace('Inf', 'Infinity')) };
}

const suffixesOf = (type: string): string[] =>
  type === 'histogram' ? ['_bucket', '_sum', '_count'] : type === 'summary' ? ['', '_sum', '_count'] : [''];

const belongs = (sample: string, { name, type }: MetricFamily): boolean =>
  suffixesOf(type).some((suffix) => sample === name + suffix);

/** No sample occurs twice; the buckets of a histogram grow and end with the count. */
function checkWhole({ name, type, samples }: MetricFamily): void {
  const ids = samples.map((sample) => JSON.stringify([sample.name, Object.entries(sample.labels).sort()]));
  if (new Set(ids).size < ids.length) throw new Error(`${name} has a sample twice`);
  if (type !== 'histogram') return;
  const series = new Map<string, number[]>();
  const counts = new Map<string, number>();
  for (const { name: sample, labels, value } of samples) {
    const { le, ...others } = labels;
    const key = JSON.stringify(Object.entries(others).sort());
    if (sample.endsWith('_bucket')) {
      if (le === undefined) throw new Error(`${name} has a bucket without a bound`);
      const before = series.get(key) ?? [];
      if ((before.at(-1) ?? 0) > value) throw new Error(`${name} has buckets that shrink`);
      series.set(key, [...before, value]);
    }
    if (sample.endsWith('_count')) counts.set(key, value);
  }
  for (const [key, buckets] of series) {
    if (buckets.at(-1) !== counts.get(key)) throw new Error(`${name} has a last bucket that is not its count`);
  }
}

const ABBREVIATED = /(?:^|_)(?:s|ms|us|ns|sec|secs|b|kb|mb|gb|tb|pb|m|h|d)(?:_|$)/;
const NOT_BASE =
  /(?:^|_)(?:milliseconds?|microseconds?|nanoseconds?|minutes?|hours?|days?|weeks?|kilobytes?|megabytes?|gigabytes?|bits?|kibibytes?|mebibytes?|percent|celsius_f)(?:_|$)/;

/** The checks of `promtool check metrics` (prometheus/client_golang, promlint). @returns the faults, in words */
export function lintMetrics(families: readonly MetricFamily[]): string[] {
  return families.flatMap(({ name, type, help, samples }) => {
    const labels = samples.flatMap((sample) => Object.keys(sample.labels));
    const base = name.replace(/_total$/, '');
    return [
      ...(help === '' ? [`${name}: no help`] : []),
      ...(type === 'untyped' ? [`${name}: no type`] : []),
      ...(type === 'counter' && !name.endsWith('_total') ? [`${name}: a counter without _total`] : []),
      ...(type !== 'counter' && name.endsWith('_total') ? [`${name}: _total, and no counter`] : []),
      ...(/_(count|sum|bucket)$/.test(name) ? [`${name}: a suffix that is a histogram's`] : []),
      ...(type !== 'histogram' && labels.includes('le') ? [`${name}: a label le`] : []),
      ...(type !== 'summary' && labels.includes('quantile') ? [`${name}: a label quantile`] : []),
      ...(/(?:^|_)(counter|gauge|histogram|summary)(?:_|$)/.test(name) ? [`${name}: its type in its name`] : []),
      ...(name.includes(':') ? [`${name}: a colon`] : []),
      ...([name, ...labels].some((text) => /[a-z][A-Z]/.test(text)) ? [`${name}: camel case`] : []),
      ...(ABBREVIATED.test(base) ? [`${name}: an abbreviated unit`] : []),
      ...(NOT_BASE.test(base) ? [`${name}: a unit that is no base unit`] : []),
    ];
  });
}
